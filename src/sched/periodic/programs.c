// SPDX-License-Identifier: GPL-2.0-only
/*
 * All periodic programs: those that are loaded or attached, and those that were
 * attached once, whose figures stay until shutdown.
 */
#include "../../base/alloc.h"
#include "../../bpf/prog.h"
#include "periodic.h"

/* In the order of their first attachment; those that wait for it are the last. */
static struct list_head programs = LIST_HEAD_INIT(programs);

void periodic_add(struct periodic *p)
{
	list_add_tail(&p->node, &programs);
}

void periodic_note_attached(struct periodic *p)
{
	struct periodic *other;

	p->stats.attached = true;
	if (p->listed)
		return;
	p->listed = true;
	list_for_each_entry(other, &programs, node) {
		if (!other->listed)
			break;
	}
	list_move_tail(&p->node, &other->node);
}

struct periodic *periodic_find_table(const void *kdata, const struct bpf_link *link)
{
	struct periodic *p;

	list_for_each_entry(p, &programs, node) {
		if (p->kdata == kdata && p->link == link)
			return p;
	}
	return NULL;
}

struct periodic *periodic_find_program(const struct bpf_prog *prog)
{
	struct periodic *p;

	list_for_each_entry(p, &programs, node) {
		if (p->own_type && p->plan.run == prog)
			return p;
	}
	return NULL;
}

const struct periodic *periodic_find_attached(const char *name)
{
	const struct periodic *p;

	list_for_each_entry(p, &programs, node) {
		if (p->stats.attached && !strcmp(p->stats.name, name))
			return p;
	}
	return NULL;
}

void periodic_free(struct periodic *p)
{
	hrtimer_cancel(&p->timer);
	list_del_init(&p->node);
	kheap_free(p->ctx);
	hist_free(&p->stats.run_time);
	hist_free(&p->stats.wakeup);
	free(p);
}

void periodic_exit(void)
{
	while (!list_empty(&programs))
		periodic_free(list_first_entry(&programs, struct periodic, node));
}

/* --- figures ---------------------------------------------------------------------- */

void periodic_update_stats(struct periodic *p)
{
	struct periodic_stats *s = &p->stats;

	s->period = p->plan.period;
	if (!p->task)
		return;
	s->nice = PRIO_TO_NICE(p->task->ts.static_prio);
	s->runtime = task_runtime(p->task);
	cgroup_path(task_cgroup(p->task), s->cgroup, sizeof(s->cgroup));
}

const struct periodic_stats *kernel_periodic_stats(u32 i)
{
	struct periodic *p;

	list_for_each_entry(p, &programs, node) {
		if (!p->listed)
			break;
		if (i--)
			continue;
		if (p->stats.attached)
			periodic_update_stats(p);
		return &p->stats;
	}
	return NULL;
}

int periodic_register(void)
{
	return periodic_register_struct_ops() ?: periodic_register_prog_type() ?:
	       periodic_register_kfuncs();
}
