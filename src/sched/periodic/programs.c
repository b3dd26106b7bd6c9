// SPDX-License-Identifier: GPL-2.0-only
/*
 * All periodic programs: those that are loaded or attached, and those that were
 * attached once, whose figures stay until shutdown.
 */
#include "../../base/alloc.h"
#include "../../base/rbtree.h"
#include "../../bpf/prog.h"
#include "periodic.h"

/* In the order of their first attachment; those that wait for it are the last. */
static struct list_head programs = LIST_HEAD_INIT(programs);

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

struct periodic *periodic_find_name(const char *name)
{
	struct periodic *p;

	list_for_each_entry(p, &programs, node) {
		if (p->kdata && !strcmp(p->stats.name, name))
			return p;
	}
	return NULL;
}

/* --- figures ---------------------------------------------------------------------- */

/* Of a shared thread the time of its own runs. */
static u64 runtime_of(const struct periodic *p)
{
	u64 thread = task_runtime(p->worker->task);

	if (!p->worker->shared)
		return thread;
	return p->stats.run_time.sum + (p->in_run ? thread - p->begun_runtime : 0);
}

/* What changes without it being told: nice level, cgroup, CPU time. */
static void update_stats(struct periodic *p)
{
	struct periodic_stats *s = &p->stats;
	struct task *task = p->worker->task;

	s->period = p->plan.period;
	s->nice = PRIO_TO_NICE(task->ts.static_prio);
	s->runtime = runtime_of(p);
	cgroup_path(task_cgroup(task), s->cgroup, sizeof(s->cgroup));
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
			update_stats(p);
		return &p->stats;
	}
	return NULL;
}

void periodic_note_detached(struct periodic *p)
{
	if (!kernel.stopping)
		update_stats(p);
	p->stats.attached = false;
}

/* --- life ------------------------------------------------------------------------- */

struct periodic *periodic_create(const struct bpf_periodic_ops *ops, struct periodic_worker *w)
{
	struct periodic *p = xcalloc(1, sizeof(*p));

	snprintf(p->stats.name, sizeof(p->stats.name), "%s", ops->name);
	if (w->shared)
		snprintf(p->stats.worker, sizeof(p->stats.worker), "%s", w->name);
	p->stats.pid = w->task->ts.pid;
	p->stats.mode = ops->mode;
	p->worker = w;
	p->ctx = sched_alloc(OBJ_PERIODIC_CTX, sizeof(*p->ctx));
	RB_CLEAR_NODE(&p->timer);
	list_add_tail(&p->node, &programs);
	return p;
}

static void free_program(struct periodic *p)
{
	list_del_init(&p->node);
	kheap_free(p->ctx);
	hist_free(&p->stats.run_time);
	hist_free(&p->stats.wakeup);
	free(p);
}

/* When the machine has stopped, workers go with their threads, and programs in the end. */
void periodic_dissolve(struct periodic *p)
{
	struct periodic_worker *w = p->worker;

	p->kdata = NULL;
	if (p->stats.attached)
		periodic_note_detached(p);
	p->worker = NULL;
	if (kernel.stopping)
		return;
	periodic_worker_put(w);
	if (!p->listed)
		free_program(p);
}

void periodic_exit(void)
{
	while (!list_empty(&programs))
		free_program(list_first_entry(&programs, struct periodic, node));
}

int periodic_register(void)
{
	return periodic_register_struct_ops() ?: periodic_register_prog_type() ?:
	       periodic_register_kfuncs();
}
