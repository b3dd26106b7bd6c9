// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct bpf_periodic_ops as a type of struct_ops map: which values its fields
 * may have, and attach, update and detach.
 *
 * A table that is attached may be replaced by another one (link update) with
 * other programs, another period, nice level and quota. Its name, cgroup and mode
 * stay, and whether it has a quota. The thread goes on: the new init() is called
 * before, the old exit() after; the phase is kept unless the period changes.
 *
 * Whoever attaches a table is told what is wrong with it in a sentence beside the
 * errno (bpf_refuse()).
 */
#include <linux/btf.h>

#include "../../bpf/btf.h"
#include "../../bpf/prog.h"
#include "periodic.h"

#define REFUSE(err, ...) (bpf_refuse(__VA_ARGS__), (err))

/* --- fields ---------------------------------------------------------------------- */

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

/* Also the name of its cgroup. */
static int set_name(char *dst, const char *src)
{
	u32 i;

	for (i = 0; i < BPF_PERIODIC_NAME_LEN && src[i]; i++) {
		if (!name_char(src[i]))
			return REFUSE(-EINVAL,
				      "name is \"%.*s\": expected letters, digits, '_' and '-'",
				      BPF_PERIODIC_NAME_LEN, src);
	}
	if (!i)
		return REFUSE(-EINVAL, "name is empty: the thread is called bpf/<name>");
	if (i == BPF_PERIODIC_NAME_LEN)
		return REFUSE(-EINVAL, "name has more than %d characters",
			      BPF_PERIODIC_NAME_LEN - 1);
	memcpy(dst, src, i);
	return 1;
}

static int set_cgroup(char *dst, const char *src)
{
	if (!memchr(src, '\0', BPF_PERIODIC_CGROUP_LEN))
		return REFUSE(-EINVAL, "cgroup has more than %d characters",
			      BPF_PERIODIC_CGROUP_LEN - 1);
	if (src[0] && src[0] != '/')
		return REFUSE(-EINVAL,
			      "cgroup is \"%s\": expected a path such as \"/system\", or nothing for the root",
			      src);
	memcpy(dst, src, strlen(src));
	return 1;
}

static int set_period(struct bpf_periodic_ops *ops, u64 period)
{
	if (period < BPF_PERIODIC_PERIOD_MIN_NS || period > BPF_PERIODIC_PERIOD_MAX_NS)
		return REFUSE(-ERANGE, "period_ns is %llu: expected %llu (10 us) to %llu (24 h)",
			      period, BPF_PERIODIC_PERIOD_MIN_NS, BPF_PERIODIC_PERIOD_MAX_NS);
	ops->period_ns = period;
	return 1;
}

static int set_nice(struct bpf_periodic_ops *ops, s32 nice)
{
	if (nice < MIN_NICE || nice > MAX_NICE)
		return REFUSE(-ERANGE, "nice is %d: expected %d to %d", nice, MIN_NICE, MAX_NICE);
	ops->nice = nice;
	return 1;
}

static int set_mode(struct bpf_periodic_ops *ops, u32 mode)
{
	if (mode == BPF_PERIODIC_PROGRAM)
		return REFUSE(-EOPNOTSUPP,
			      "mode is BPF_PERIODIC_PROGRAM (%u): the simulated machine only has BPF_PERIODIC_FRAMEWORK (%d) so far",
			      mode, BPF_PERIODIC_FRAMEWORK);
	if (mode != BPF_PERIODIC_FRAMEWORK)
		return REFUSE(-EINVAL, "mode is %u: expected BPF_PERIODIC_FRAMEWORK (%d)", mode,
			      BPF_PERIODIC_FRAMEWORK);
	ops->mode = mode;
	return 1;
}

static int set_worker(const char *worker)
{
	if (worker[0])
		return REFUSE(-EOPNOTSUPP,
			      "worker is \"%.*s\": the simulated machine has no shared threads so far; leave it empty",
			      BPF_PERIODIC_NAME_LEN, worker);
	return 1;
}

static int periodic_init_member(const struct btf_type *t, const struct btf_member *member,
				void *kdata, const void *udata)
{
	const struct bpf_periodic_ops *user = udata;
	struct bpf_periodic_ops *ops = kdata;

	switch (btf_member_bit_offset(t, member) / 8) {
	case offsetof(struct bpf_periodic_ops, period_ns):
		return set_period(ops, user->period_ns);
	case offsetof(struct bpf_periodic_ops, nice):
		return set_nice(ops, user->nice);
	case offsetof(struct bpf_periodic_ops, mode):
		return set_mode(ops, user->mode);
	case offsetof(struct bpf_periodic_ops, cpu_quota_us): /* see validate() */
		ops->cpu_quota_us = user->cpu_quota_us;
		return 1;
	case offsetof(struct bpf_periodic_ops, cpu_period_us):
		ops->cpu_period_us = user->cpu_period_us;
		return 1;
	case offsetof(struct bpf_periodic_ops, cgroup):
		return set_cgroup(ops->cgroup, user->cgroup);
	case offsetof(struct bpf_periodic_ops, name):
		return set_name(ops->name, user->name);
	case offsetof(struct bpf_periodic_ops, worker):
		return set_worker(user->worker);
	}
	return 0;
}

#define QUOTA_MIN_US (CGROUP_QUOTA_MIN / NSEC_PER_USEC)
#define QUOTA_MAX_US (CGROUP_QUOTA_MAX / NSEC_PER_USEC)
#define PERIOD_MIN_US (CGROUP_PERIOD_MIN / NSEC_PER_USEC)
#define PERIOD_MAX_US (CGROUP_PERIOD_MAX / NSEC_PER_USEC)

static int check_quota(u64 quota, u64 period)
{
	if (!quota && !period)
		return 0;
	if (!quota || !period)
		return REFUSE(-EINVAL,
			      "cpu_quota_us is %llu and cpu_period_us is %llu: expected both, or none for no limit",
			      quota, period);
	if (quota < QUOTA_MIN_US || quota > QUOTA_MAX_US)
		return REFUSE(-ERANGE, "cpu_quota_us is %llu: expected %llu (1 ms) to %llu", quota,
			      QUOTA_MIN_US, QUOTA_MAX_US);
	if (period < PERIOD_MIN_US || period > PERIOD_MAX_US)
		return REFUSE(-ERANGE, "cpu_period_us is %llu: expected %llu (1 ms) to %llu (1 s)",
			      period, PERIOD_MIN_US, PERIOD_MAX_US);
	return 0;
}

static int periodic_validate(void *kdata)
{
	const struct bpf_periodic_ops *ops = kdata;

	if (!ops->run)
		return REFUSE(-EINVAL, "run is missing: there is nothing to run every period");
	return check_quota(ops->cpu_quota_us, ops->cpu_period_us);
}

/* --- cgroups ------------------------------------------------------------------------ */

static struct cgroup *find_cgroup(const struct bpf_periodic_ops *ops)
{
	struct cgroup *cgroup = cgroup_find(ops->cgroup[0] ? ops->cgroup : "/");

	if (!cgroup)
		bpf_refuse("cgroup is \"%s\": there is none of that name; make it before, or leave the field empty for the root",
			   ops->cgroup);
	return cgroup;
}

static int set_quota(struct cgroup *cgroup, const struct bpf_periodic_ops *ops)
{
	int err = cgroup_set_max(cgroup, ops->cpu_quota_us * NSEC_PER_USEC,
				 ops->cpu_period_us * NSEC_PER_USEC);

	if (err)
		bpf_refuse("cpu.max cannot be set to \"%llu %llu\": %s", ops->cpu_quota_us,
			   ops->cpu_period_us, strerror(-err));
	return err;
}

/* One with a quota of its own. */
static struct cgroup *make_cgroup(struct cgroup *parent, const struct bpf_periodic_ops *ops,
				  int *err)
{
	struct cgroup *cgroup = cgroup_create(parent, ops->name, err);

	if (!cgroup) {
		bpf_refuse("the cgroup \"%s/%s\" for its quota cannot be made: %s", ops->cgroup,
			   ops->name,
			   *err == -EEXIST ? "it exists; is a program of that name attached?" :
					     strerror(-*err));
		return NULL;
	}
	*err = set_quota(cgroup, ops);
	if (!*err)
		return cgroup;
	cgroup_remove(cgroup);
	return NULL;
}

/* The thread leaves first: it ends later. */
static void remove_cgroup(struct periodic *p)
{
	int err = cgroup_attach_task(cgroup_find("/"), p->task) ?: cgroup_remove(p->cgroup);

	if (err)
		kernel_logf(false, "cgroup %s of periodic program \"%s\" stays: %s",
			    p->stats.cgroup, p->stats.name, strerror(-err));
	p->cgroup = NULL;
}

/* --- attach and detach ----------------------------------------------------------------- */

static struct periodic_plan plan_of(const struct bpf_periodic_ops *ops)
{
	return (struct periodic_plan){
		.run = (struct bpf_prog *)ops->run,
		.init = (struct bpf_prog *)ops->init,
		.exit = (struct bpf_prog *)ops->exit,
		.period = ops->period_ns,
	};
}

static void dissolve(struct periodic *p)
{
	p->stats.attached = false;
	p->kdata = NULL;
	if (kernel.stopping)
		return;
	periodic_update_stats(p);
	if (p->cgroup)
		remove_cgroup(p);
	periodic_end(p);
}

static int periodic_reg(void *kdata, struct bpf_link *link)
{
	const struct bpf_periodic_ops *ops = kdata;
	struct cgroup *parent = find_cgroup(ops), *own = NULL;
	struct periodic *p;
	int err = -ENOENT;

	if (!parent)
		return err;
	if (ops->cpu_quota_us) {
		own = make_cgroup(parent, ops, &err);
		if (!own)
			return err;
	}
	p = periodic_create(ops->name, ops->nice, own ? own : parent, &err);
	if (!p) {
		bpf_refuse("its thread cannot be made: %s", strerror(-err));
		if (own)
			cgroup_remove(own);
		return err;
	}
	p->plan = plan_of(ops);
	p->kdata = kdata;
	p->link = link;
	p->cgroup = own;
	err = periodic_ask(p, PERIODIC_START);
	if (err)
		dissolve(p);
	else
		periodic_note_attached(p);
	return err;
}

static void periodic_unreg(void *kdata, struct bpf_link *link)
{
	struct periodic *p = periodic_find_table(kdata, link);

	VRT_ASSERT(p);
	periodic_ask(p, PERIODIC_STOP);
	dissolve(p);
}

static int check_update(const struct bpf_periodic_ops *ops, const struct bpf_periodic_ops *old)
{
	if (strcmp(ops->name, old->name))
		return REFUSE(-EINVAL, "name is \"%s\": \"%s\" cannot change it while it is attached",
			      ops->name, old->name);
	if (strcmp(ops->cgroup, old->cgroup))
		return REFUSE(-EINVAL,
			      "cgroup is \"%s\": it is in \"%s\"; move the thread by cgroup.procs",
			      ops->cgroup, old->cgroup);
	if (!ops->cpu_quota_us != !old->cpu_quota_us)
		return REFUSE(-EINVAL,
			      "cpu_quota_us is %llu and was %llu: whether there is a quota cannot change while it is attached",
			      ops->cpu_quota_us, old->cpu_quota_us);
	return 0;
}

static int periodic_update(void *kdata, void *old_kdata, struct bpf_link *link)
{
	const struct bpf_periodic_ops *ops = kdata;
	struct periodic *p = periodic_find_table(old_kdata, link);
	int err = check_update(ops, old_kdata);

	VRT_ASSERT(p);
	if (err)
		return err;
	p->next = plan_of(ops);
	err = periodic_ask(p, PERIODIC_REPLACE);
	if (err)
		return err;
	p->kdata = kdata;
	task_set_nice(p->task, ops->nice);
	/* the limits are the same as those that were checked before: it does not fail */
	return p->cgroup ? set_quota(p->cgroup, ops) : 0;
}

static struct bpf_struct_ops periodic_struct_ops = {
	.name = "bpf_periodic_ops",
	.init_member = periodic_init_member,
	.validate = periodic_validate,
	.reg = periodic_reg,
	.unreg = periodic_unreg,
	.update = periodic_update,
};

int periodic_register_struct_ops(void)
{
	return bpf_register_struct_ops(&periodic_struct_ops);
}

bool periodic_is_ours(const struct bpf_prog *prog)
{
	return prog->st_ops == &periodic_struct_ops || (u32)prog->type == BPF_PROG_TYPE_PERIODIC;
}
