// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that are attached: attach, update and detach.
 *
 * bpf(2) calls these for a table one at a time, but for several tables at once.
 * Two links may attach one map; names are unique, so the second one fails.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/err.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "schedbpf.h"

static LIST_HEAD(programs);

static struct sb_program *find_program(const struct bpf_periodic_ops *ops)
{
	struct sb_program *p, *found = NULL;

	mutex_lock(&sb_mutex);
	list_for_each_entry(p, &programs, node) {
		if (READ_ONCE(p->ops) == ops) /* an update may be going on */
			found = p;
	}
	mutex_unlock(&sb_mutex);
	return found;
}

/* Names are unique: those of directories. */
static int enlist(struct sb_program *p)
{
	struct sb_program *other;
	int err = 0;

	mutex_lock(&sb_mutex);
	list_for_each_entry(other, &programs, node) {
		if (!strcmp(other->name, p->name))
			err = -EEXIST;
	}
	if (!err)
		list_add_tail_rcu(&p->node, &programs);
	mutex_unlock(&sb_mutex);
	if (err)
		pr_err("'%s': there is a program of that name\n", p->name);
	return err;
}

static void delist(struct sb_program *p)
{
	mutex_lock(&sb_mutex);
	list_del_rcu(&p->node);
	mutex_unlock(&sb_mutex);
	/* a program may be reading its figures */
	synchronize_rcu();
}

const struct sb_program *sb_find_attached(const char *name)
{
	const struct sb_program *p;

	list_for_each_entry_rcu(p, &programs, node) {
		if (!strcmp(p->name, name))
			return p;
	}
	return NULL;
}

static struct sb_program *create(const struct bpf_periodic_ops *ops)
{
	struct sb_program *p = kmem_cache_zalloc(sb_program_cache, GFP_KERNEL);

	if (!p)
		return NULL;
	p->ops = ops;
	p->mode = ops->mode;
	p->ctx.period_ns = ops->period_ns;
	strscpy(p->name, ops->name);
	timerqueue_init(&p->timer);
	sb_stats_init(p);
	return p;
}

/* Its name is free again once its directories are gone. */
static void dissolve(struct sb_program *p)
{
	struct sb_worker *w = p->worker;

	sb_stats_hide(p);
	delist(p);
	sb_stats_put(p);
	sb_worker_put(w);
}

/* bpf(2) has asked for what loading takes; this is as for any task. */
static int check_rights(const struct bpf_periodic_ops *ops)
{
	if (ops->nice < 0 && !capable(CAP_SYS_NICE)) {
		pr_err("'%s': nice is %d: below 0 needs CAP_SYS_NICE\n",
		       ops->name, ops->nice);
		return -EPERM;
	}
	if ((ops->cgroup[0] || ops->cpu_quota_us) && !capable(CAP_SYS_ADMIN)) {
		pr_err("'%s': a cgroup or a quota needs CAP_SYS_ADMIN\n",
		       ops->name);
		return -EPERM;
	}
	return 0;
}

int sb_attach(const struct bpf_periodic_ops *ops)
{
	struct sb_program *p;
	struct sb_worker *w;
	int err;

	err = check_rights(ops);
	if (err)
		return err;
	p = create(ops);
	if (!p)
		return -ENOMEM;
	err = enlist(p);
	if (err)
		goto put;
	w = sb_worker_get(ops);
	if (IS_ERR(w)) {
		delist(p);
		err = PTR_ERR(w);
		goto put;
	}
	p->worker = w;
	err = sb_stats_show(p);
	if (err) {
		pr_err("'%s': its directory in sysfs cannot be made (%d)\n",
		       p->name, err);
	} else {
		err = sb_worker_ask(w, SB_START, p, ops);
		if (!err)
			return 0;
		pr_err("'%s': init() failed (%d)\n", p->name, err);
	}
	dissolve(p);
	return err;
put:
	sb_stats_put(p);
	return err;
}

void sb_detach(const struct bpf_periodic_ops *ops)
{
	struct sb_program *p = find_program(ops);

	if (WARN_ON_ONCE(!p))
		return;
	sb_worker_ask(p->worker, SB_STOP, p, NULL);
	dissolve(p);
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
	err = check_update(p, ops, old) ?: check_rights(ops);
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
