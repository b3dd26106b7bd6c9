// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that are attached: attach, update and detach.
 *
 * bpf(2) calls these for a table one at a time, but for several tables at once.
 * Two links may attach one map; names are unique, so the second one fails.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/slab.h>

#include "schedbpf.h"

static LIST_HEAD(programs);

static struct sb_program *find_program(const struct bpf_periodic_ops *ops)
{
	struct sb_program *p, *found = NULL;

	mutex_lock(&sb_mutex);
	list_for_each_entry(p, &programs, node) {
		if (p->ops == ops)
			found = p;
	}
	mutex_unlock(&sb_mutex);
	return found;
}

static void forget(struct sb_program *p)
{
	mutex_lock(&sb_mutex);
	list_del(&p->node);
	mutex_unlock(&sb_mutex);
}

int sb_attach(const struct bpf_periodic_ops *ops)
{
	struct sb_program *p = kmem_cache_zalloc(sb_program_cache, GFP_KERNEL);
	struct sb_worker *w;
	int err;

	if (!p)
		return -ENOMEM;
	w = sb_worker_get(ops);
	if (IS_ERR(w)) {
		kmem_cache_free(sb_program_cache, p);
		return PTR_ERR(w);
	}
	p->worker = w;
	p->ops = ops;
	p->mode = ops->mode;
	p->ctx.period_ns = ops->period_ns;
	strscpy(p->name, ops->name);
	timerqueue_init(&p->timer);
	err = sb_stats_add(p);
	if (err) {
		pr_err("'%s': %s (%d)\n", p->name,
		       err == -EEXIST ? "there is a program of that name" :
					"no room in sysfs", err);
		goto put;
	}
	mutex_lock(&sb_mutex);
	list_add_tail(&p->node, &programs);
	mutex_unlock(&sb_mutex);

	err = sb_worker_ask(w, SB_START, p, ops);
	if (!err)
		return 0;
	pr_err("'%s': init() failed (%d)\n", p->name, err);
	forget(p);
put:
	sb_stats_remove(p);
	sb_worker_put(w);
	return err;
}

void sb_detach(const struct bpf_periodic_ops *ops)
{
	struct sb_program *p = find_program(ops);
	struct sb_worker *w;

	if (WARN_ON_ONCE(!p))
		return;
	w = p->worker;
	sb_worker_ask(w, SB_STOP, p, NULL);
	forget(p);
	sb_stats_remove(p);
	sb_worker_put(w);
}

static int refuse_change(const struct sb_program *p, const char *field)
{
	pr_err("'%s': %s cannot change while it is attached\n", p->name, field);
	return -EINVAL;
}

static int check_update(const struct sb_program *p,
			const struct bpf_periodic_ops *ops,
			const struct bpf_periodic_ops *old)
{
	if (strcmp(ops->name, old->name))
		return refuse_change(p, "name");
	if (strcmp(ops->worker, old->worker))
		return refuse_change(p, "worker");
	if (strcmp(ops->cgroup, old->cgroup))
		return refuse_change(p, "cgroup");
	if (ops->mode != old->mode)
		return refuse_change(p, "mode");
	if (!ops->cpu_quota_us != !old->cpu_quota_us)
		return refuse_change(p, "whether there is a quota");
	return 0;
}

int sb_update(const struct bpf_periodic_ops *ops,
	      const struct bpf_periodic_ops *old)
{
	struct sb_program *p = find_program(old);
	int err;

	if (WARN_ON_ONCE(!p))
		return -ENOENT;
	err = check_update(p, ops, old);
	if (err)
		return err;
	/* before anything else: the operations cannot fail to change back */
	err = sb_worker_adjust(p->worker, ops);
	if (err)
		return err;
	err = sb_worker_ask(p->worker, SB_REPLACE, p, ops);
	if (!err)
		return 0;
	pr_err("'%s': init() failed (%d)\n", p->name, err);
	sb_worker_adjust(p->worker, old);
	return err;
}
