// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEC("periodic/10ms"): the program type PERIODIC, which says the same as a
 * table with a run() and a period.
 *
 * The thread is made when the program is loaded and is gone with it; it runs
 * while a link is there. It is in the cgroup /bpf, which the first such program
 * makes and which stays: cpu.weight 100, no cpu.max. Its nice level is 0.
 */
#include "../../bpf/log.h"
#include "../../bpf/prog.h"
#include "../../bpf/prog_type.h"
#include "periodic.h"

#define DEFAULT_CGROUP "/bpf"

static int type_check(const struct bpf_prog *prog, struct bpf_log *log)
{
	if (prog->expected_attach_type)
		return 0;
	bpf_log(log, "expected_attach_type is 0: expected a period in units of %llu ns\n",
		BPF_PERIODIC_UNIT_NS);
	return -EINVAL;
}

static int type_loaded(struct bpf_prog *prog)
{
	struct bpf_periodic_ops ops = { .cgroup = DEFAULT_CGROUP };
	struct periodic_worker *w;
	struct periodic *p;
	int err;

	if (!cgroup_make_path(DEFAULT_CGROUP, &err))
		return REFUSE(err, "the cgroup " DEFAULT_CGROUP " cannot be made: %s",
			      strerror(-err));
	snprintf(ops.name, sizeof(ops.name), "%s", prog->name);
	w = periodic_worker_get(&ops, &err);
	if (!w)
		return err;
	p = periodic_create(&ops, w);
	p->own_type = true;
	p->plan = (struct periodic_plan){
		.run = prog,
		.period = (u64)prog->expected_attach_type * BPF_PERIODIC_UNIT_NS,
	};
	return 0;
}

static void type_unloaded(struct bpf_prog *prog)
{
	struct periodic *p = periodic_find_program(prog);

	p->plan.run = NULL;
	periodic_dissolve(p);
}

static int type_attach(struct bpf_prog *prog, void *target, u32 attach_type, void **state)
{
	struct periodic *p = periodic_find_program(prog);
	int err;

	if (attach_type != BPF_PERIODIC_ATTACH)
		return REFUSE(-EINVAL, "attach type %u is not that of periodic programs, %u",
			      attach_type, BPF_PERIODIC_ATTACH);
	if (p->stats.attached)
		return REFUSE(-EBUSY, "program \"%s\" is attached already", p->stats.name);
	err = periodic_ask(p, PERIODIC_START, NULL);
	if (err)
		return err;
	periodic_note_attached(p);
	*state = p;
	return 0;
}

static void type_detach(struct bpf_prog *prog, void *state)
{
	struct periodic *p = state;

	periodic_ask(p, PERIODIC_STOP, NULL);
	periodic_note_detached(p);
}

static const struct bpf_prog_type_ops periodic_type = {
	.type = BPF_PROG_TYPE_PERIODIC,
	.name = "periodic",
	.ctx = "bpf_periodic_ctx",
	.may_sleep = true,
	.check = type_check,
	.loaded = type_loaded,
	.unloaded = type_unloaded,
	.attach = type_attach,
	.detach = type_detach,
};

int periodic_register_prog_type(void)
{
	return bpf_register_prog_type(&periodic_type);
}
