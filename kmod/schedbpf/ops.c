// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct bpf_periodic_ops as a type of struct_ops map: what its programs may
 * do, which values its fields may have.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/filter.h>
#include <linux/module.h>
#include <linux/sched/prio.h>

#include "schedbpf.h"

#define QUOTA_MIN_US 1000ULL
#define QUOTA_MAX_US (U64_MAX / NSEC_PER_USEC)
#define PERIOD_MIN_US 1000ULL
#define PERIOD_MAX_US 1000000ULL

/* A line in the log about table @ops, whose name may be bad itself. */
#define sb_err(ops, fmt, ...)							\
	pr_err("'%.*s': " fmt "\n", BPF_PERIODIC_NAME_LEN, (ops)->name,	\
	       ##__VA_ARGS__)

/* --- what the verifier asks ------------------------------------------------- */

static const struct bpf_func_proto *
sb_get_func_proto(enum bpf_func_id func_id, const struct bpf_prog *prog)
{
	return bpf_base_func_proto(func_id, prog);
}

/* The context of a program is the array of its arguments. */
static bool sb_is_valid_access(int off, int size, enum bpf_access_type type,
			       const struct bpf_prog *prog,
			       struct bpf_insn_access_aux *info)
{
	if (type != BPF_READ || size != sizeof(u64) || off % size)
		return false;
	if (off < 0 || off >= (int)sizeof(u64) * MAX_BPF_FUNC_ARGS)
		return false;
	return btf_ctx_access(off, size, type, prog, info);
}

static const struct bpf_verifier_ops sb_verifier_ops = {
	.get_func_proto = sb_get_func_proto,
	.is_valid_access = sb_is_valid_access,
};

/* --- fields ------------------------------------------------------------------ */

static bool is_name_char(char c)
{
	return isalnum(c) || c == '_' || c == '-';
}

/* @what it is the name of: a sysfs directory, a thread and maybe a cgroup. */
static int check_name(const struct bpf_periodic_ops *ops, const char *what,
		      const char *name)
{
	size_t len = strnlen(name, BPF_PERIODIC_NAME_LEN);
	size_t i;

	if (len == BPF_PERIODIC_NAME_LEN) {
		sb_err(ops, "%s has more than %d characters",
		       what, BPF_PERIODIC_NAME_LEN - 1);
		return -EINVAL;
	}
	for (i = 0; i < len; i++) {
		if (is_name_char(name[i]))
			continue;
		sb_err(ops, "%s is \"%*pE\": expected letters, digits, '_' and '-'",
		       what, (int)len, name);
		return -EINVAL;
	}
	return (int)len;
}

static int init_name(struct bpf_periodic_ops *ops,
		     const struct bpf_periodic_ops *user)
{
	int len = check_name(user, "name", user->name);

	if (!len) {
		pr_err("a table has no name: the thread is called bpf/<name>\n");
		return -EINVAL;
	}
	if (len < 0)
		return len;
	memcpy(ops->name, user->name, len);
	return 1;
}

static int init_worker(struct bpf_periodic_ops *ops,
		       const struct bpf_periodic_ops *user)
{
	int len = check_name(user, "worker", user->worker);

	if (len < 0)
		return len;
	memcpy(ops->worker, user->worker, len);
	return 1;
}

static int init_cgroup(struct bpf_periodic_ops *ops,
		       const struct bpf_periodic_ops *user)
{
	size_t len = strnlen(user->cgroup, BPF_PERIODIC_CGROUP_LEN);

	if (len == BPF_PERIODIC_CGROUP_LEN) {
		sb_err(user, "cgroup has more than %d characters",
		       BPF_PERIODIC_CGROUP_LEN - 1);
		return -EINVAL;
	}
	if (len && user->cgroup[0] != '/') {
		sb_err(user, "cgroup is \"%*pE\": expected a path such as \"/system\", or nothing for the root",
		       (int)len, user->cgroup);
		return -EINVAL;
	}
	memcpy(ops->cgroup, user->cgroup, len);
	return 1;
}

static int init_period(struct bpf_periodic_ops *ops,
		       const struct bpf_periodic_ops *user)
{
	if (user->period_ns < BPF_PERIODIC_PERIOD_MIN_NS ||
	    user->period_ns > BPF_PERIODIC_PERIOD_MAX_NS) {
		sb_err(user, "period_ns is %llu: expected %llu (10 us) to %llu (24 h)",
		       user->period_ns,
		       BPF_PERIODIC_PERIOD_MIN_NS, BPF_PERIODIC_PERIOD_MAX_NS);
		return -ERANGE;
	}
	ops->period_ns = user->period_ns;
	return 1;
}

static int init_nice(struct bpf_periodic_ops *ops,
		     const struct bpf_periodic_ops *user)
{
	if (user->nice < MIN_NICE || user->nice > MAX_NICE) {
		sb_err(user, "nice is %d: expected %d to %d",
		       user->nice, MIN_NICE, MAX_NICE);
		return -ERANGE;
	}
	ops->nice = user->nice;
	return 1;
}

static int init_mode(struct bpf_periodic_ops *ops,
		     const struct bpf_periodic_ops *user)
{
	if (user->mode > BPF_PERIODIC_PROGRAM) {
		sb_err(user, "mode is %u: expected BPF_PERIODIC_FRAMEWORK (%d) or BPF_PERIODIC_PROGRAM (%d)",
		       user->mode, BPF_PERIODIC_FRAMEWORK,
		       BPF_PERIODIC_PROGRAM);
		return -EINVAL;
	}
	ops->mode = user->mode;
	return 1;
}

static int sb_init_member(const struct btf_type *t,
			  const struct btf_member *member, void *kdata,
			  const void *udata)
{
	const struct bpf_periodic_ops *user = udata;
	struct bpf_periodic_ops *ops = kdata;

	switch (__btf_member_bit_offset(t, member) / BITS_PER_BYTE) {
	case offsetof(struct bpf_periodic_ops, period_ns):
		return init_period(ops, user);
	case offsetof(struct bpf_periodic_ops, nice):
		return init_nice(ops, user);
	case offsetof(struct bpf_periodic_ops, mode):
		return init_mode(ops, user);
	case offsetof(struct bpf_periodic_ops, cpu_quota_us):
		ops->cpu_quota_us = user->cpu_quota_us; /* sb_validate() */
		return 1;
	case offsetof(struct bpf_periodic_ops, cpu_period_us):
		ops->cpu_period_us = user->cpu_period_us;
		return 1;
	case offsetof(struct bpf_periodic_ops, cgroup):
		return init_cgroup(ops, user);
	case offsetof(struct bpf_periodic_ops, name):
		return init_name(ops, user);
	case offsetof(struct bpf_periodic_ops, worker):
		return init_worker(ops, user);
	}
	return 0; /* the programs: what calls them is made by the caller */
}

/* --- the table as a whole ------------------------------------------------------ */

static int check_quota(const struct bpf_periodic_ops *ops)
{
	u64 quota = ops->cpu_quota_us, period = ops->cpu_period_us;

	if (!quota && !period)
		return 0;
	if (!quota || !period) {
		sb_err(ops, "cpu_quota_us is %llu and cpu_period_us is %llu: expected both, or none for no limit",
		       quota, period);
		return -EINVAL;
	}
	if (quota < QUOTA_MIN_US || quota > QUOTA_MAX_US) {
		sb_err(ops, "cpu_quota_us is %llu: expected %llu (1 ms) to %llu",
		       quota, QUOTA_MIN_US, QUOTA_MAX_US);
		return -ERANGE;
	}
	if (period < PERIOD_MIN_US || period > PERIOD_MAX_US) {
		sb_err(ops, "cpu_period_us is %llu: expected %llu (1 ms) to %llu (1 s)",
		       period, PERIOD_MIN_US, PERIOD_MAX_US);
		return -ERANGE;
	}
	return 0;
}

static int sb_validate(void *kdata)
{
	const struct bpf_periodic_ops *ops = kdata;

	if (!ops->run) {
		sb_err(ops, "run is missing: there is nothing to run every period");
		return -EINVAL;
	}
	if (ops->mode == BPF_PERIODIC_PROGRAM && ops->worker[0]) {
		sb_err(ops, "worker is \"%s\": a program that manages its periods itself needs a thread of its own",
		       ops->worker);
		return -EINVAL;
	}
	return check_quota(ops);
}

/* --- attach and detach ----------------------------------------------------------- */

static int sb_reg(void *kdata, struct bpf_link *link)
{
	return sb_attach(kdata);
}

static void sb_unreg(void *kdata, struct bpf_link *link)
{
	sb_detach(kdata);
}

static int sb_update_ops(void *kdata, void *old_kdata, struct bpf_link *link)
{
	return sb_update(kdata, old_kdata);
}

static int sb_init(struct btf *btf)
{
	return 0;
}

/* For CFI: calls through the table are checked against these. */
static int bpf_periodic_ops__run(struct bpf_periodic_ctx *ctx)
{
	return 0;
}

static int bpf_periodic_ops__init(void)
{
	return 0;
}

static void bpf_periodic_ops__exit(void)
{
}

static struct bpf_periodic_ops sb_cfi_stubs = {
	.run = bpf_periodic_ops__run,
	.init = bpf_periodic_ops__init,
	.exit = bpf_periodic_ops__exit,
};

static struct bpf_struct_ops sb_struct_ops = {
	.verifier_ops = &sb_verifier_ops,
	.init = sb_init,
	.init_member = sb_init_member,
	.validate = sb_validate,
	.reg = sb_reg,
	.unreg = sb_unreg,
	.update = sb_update_ops,
	.cfi_stubs = &sb_cfi_stubs,
	.name = "bpf_periodic_ops",
	.owner = THIS_MODULE,
};

int sb_register_struct_ops(void)
{
	return register_bpf_struct_ops(&sb_struct_ops, bpf_periodic_ops);
}
