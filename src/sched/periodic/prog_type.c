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

#define REFUSE(err, ...) (bpf_refuse(__VA_ARGS__), (err))

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
	int err;
	struct cgroup *cgroup = cgroup_make_path(DEFAULT_CGROUP, &err);
	struct periodic *p = cgroup ? periodic_create(prog->name, 0, cgroup, &err) : NULL;

	if (!p)
		return REFUSE(err, "no thread could be made in the cgroup " DEFAULT_CGROUP ": %s",
			      strerror(-err));
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
	if (!kernel.stopping)
		periodic_end(p);
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
	err = periodic_ask(p, PERIODIC_START);
	if (err)
		return err;
	periodic_note_attached(p);
	*state = p;
	return 0;
}

static void type_detach(struct bpf_prog *prog, void *state)
{
	struct periodic *p = state;

	periodic_ask(p, PERIODIC_STOP);
	periodic_update_stats(p);
	p->stats.attached = false;
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
