// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct bpf_periodic_ops as a type of struct_ops map: which values its fields
 * may have, and attach, update and detach.
 *
 * A table that is attached may be replaced by another one (link update) with
 * other programs, another period, nice level and quota. Its name, worker, cgroup
 * and mode stay, and whether it has a quota. The thread goes on: the new init() is
 * called before, the old exit() after; the phase is kept unless the period changes.
 *
 * Whoever attaches a table is told what is wrong with it in a sentence beside the
 * errno (bpf_refuse()).
 */
#include <linux/btf.h>

#include "../../bpf/btf/btf.h"
#include "../../bpf/prog.h"
#include "periodic.h"

/* --- fields ---------------------------------------------------------------------- */

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

/* @what it is the name of: a thread, and maybe a cgroup. */
static int set_name(char *dst, const char *what, const char *src)
{
	u32 i;

	for (i = 0; i < BPF_PERIODIC_NAME_LEN && src[i]; i++) {
		if (!name_char(src[i]))
			return REFUSE(-EINVAL, "%s is \"%.*s\": expected letters, digits, '_' and '-'",
				      what, BPF_PERIODIC_NAME_LEN, src);
	}
	if (i == BPF_PERIODIC_NAME_LEN)
		return REFUSE(-EINVAL, "%s has more than %d characters", what,
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
	if (mode > BPF_PERIODIC_PROGRAM)
		return REFUSE(-EINVAL,
			      "mode is %u: expected BPF_PERIODIC_FRAMEWORK (%d) or BPF_PERIODIC_PROGRAM (%d)",
			      mode, BPF_PERIODIC_FRAMEWORK, BPF_PERIODIC_PROGRAM);
	ops->mode = mode;
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
		if (!user->name[0])
			return REFUSE(-EINVAL, "name is empty: the thread is called bpf/<name>");
		return set_name(ops->name, "name", user->name);
	case offsetof(struct bpf_periodic_ops, worker):
		return set_name(ops->worker, "worker", user->worker);
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
	if (ops->mode == BPF_PERIODIC_PROGRAM && ops->worker[0])
		return REFUSE(-EINVAL,
			      "worker is \"%s\": a program that manages its periods itself needs a thread of its own",
			      ops->worker);
	return check_quota(ops->cpu_quota_us, ops->cpu_period_us);
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

static int periodic_reg(void *kdata, struct bpf_link *link)
{
	const struct bpf_periodic_ops *ops = kdata;
	struct periodic_worker *w;
	struct periodic *p;
	int err;

	if (periodic_find_name(ops->name))
		return REFUSE(-EEXIST, "name is \"%s\": there is a program of that name", ops->name);
	w = periodic_worker_get(ops, &err);
	if (!w)
		return err;
	p = periodic_create(ops, w);
	p->plan = plan_of(ops);
	p->kdata = kdata;
	p->link = link;
	err = periodic_ask(p, PERIODIC_START, NULL);
	if (err)
		periodic_dissolve(p);
	else
		periodic_note_attached(p);
	return err;
}

static void periodic_unreg(void *kdata, struct bpf_link *link)
{
	struct periodic *p = periodic_find_table(kdata, link);

	VRT_ASSERT(p);
	periodic_ask(p, PERIODIC_STOP, NULL);
	periodic_dissolve(p);
}

static int check_update(const struct bpf_periodic_ops *ops, const struct bpf_periodic_ops *old)
{
	if (strcmp(ops->name, old->name))
		return REFUSE(-EINVAL, "name is \"%s\": \"%s\" cannot change it while it is attached",
			      ops->name, old->name);
	if (strcmp(ops->worker, old->worker))
		return REFUSE(-EINVAL,
			      "worker is \"%s\" and was \"%s\": it cannot change while the program is attached",
			      ops->worker, old->worker);
	if (strcmp(ops->cgroup, old->cgroup))
		return REFUSE(-EINVAL,
			      "cgroup is \"%s\": it is in \"%s\"; move the thread by cgroup.procs",
			      ops->cgroup, old->cgroup);
	if (ops->mode != old->mode)
		return REFUSE(-EINVAL,
			      "mode is %u and was %u: it cannot change while the program is attached",
			      ops->mode, old->mode);
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
	struct periodic_plan next = plan_of(ops);
	int err = check_update(ops, old_kdata);

	VRT_ASSERT(p);
	if (!err)
		err = periodic_worker_adjust(p->worker, ops);
	if (err)
		return err;
	err = periodic_ask(p, PERIODIC_REPLACE, &next);
	if (!err)
		p->kdata = kdata;
	else if (!kernel.stopping)
		periodic_worker_adjust(p->worker, old_kdata);
	return err;
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
