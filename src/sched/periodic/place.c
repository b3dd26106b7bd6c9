// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which cgroup a worker is in: one that exists, or one with a quota that is made
 * for it below that, called as the worker.
 */
#include "../../bpf/struct_ops.h"
#include "periodic.h"

int periodic_set_quota(const struct periodic_worker *w, u64 quota_us, u64 period_us)
{
	int err = cgroup_set_max(w->cgroup, quota_us * NSEC_PER_USEC, period_us * NSEC_PER_USEC);

	if (err)
		bpf_refuse("cpu.max cannot be set to \"%llu %llu\": %s", quota_us, period_us,
			   strerror(-err));
	return err;
}

struct cgroup *periodic_place(struct periodic_worker *w, int *err)
{
	struct cgroup *parent = cgroup_find(w->parent);

	if (!parent) {
		*err = REFUSE(-ENOENT,
			      "cgroup is \"%s\": there is none of that name; make it before, or leave the field empty for the root",
			      w->parent);
		return NULL;
	}
	if (!w->cpu_quota_us)
		return parent;
	w->cgroup = cgroup_create(parent, w->name, err);
	if (!w->cgroup) {
		bpf_refuse("the cgroup \"%s/%s\" for its quota cannot be made: %s",
			   strcmp(w->parent, "/") ? w->parent : "", w->name,
			   *err == -EEXIST ? "it exists" : strerror(-*err));
		return NULL;
	}
	*err = periodic_set_quota(w, w->cpu_quota_us, w->cpu_period_us);
	if (!*err)
		return w->cgroup;
	periodic_leave(w);
	return NULL;
}

void periodic_leave(struct periodic_worker *w)
{
	struct cgroup *cgroup = w->cgroup;
	int err = 0;

	w->cgroup = NULL;
	if (!cgroup)
		return;
	/* the thread ends later */
	if (w->task)
		err = cgroup_attach_task(cgroup_find("/"), w->task);
	if (!err)
		err = cgroup_remove(cgroup);
	if (err)
		kernel_logf(false, "cgroup %s/%s of periodic programs stays: %s",
			    strcmp(w->parent, "/") ? w->parent : "", w->name, strerror(-err));
}
