// SPDX-License-Identifier: GPL-2.0-only
/*
 * ghOSt's program types: what is checked at load, where programs are attached,
 * and how they are run.
 *
 * An enclave has one place for a program of each kind. Its link holds the
 * program and, as the state of the attachment, the enclave. Programs are part of
 * the agent: taking one away from an enclave in charge ends the enclave.
 */
#include "../../bpf/log.h"
#include "../../bpf/prog.h"
#include "internal.h"

/* --- load ---------------------------------------------------------------------- */

static int check(const struct bpf_prog *prog, struct bpf_log *log, u32 type, const char *section)
{
	u32 eat = prog->expected_attach_type;

	if (eat >> 16 != GHOST_VERSION) {
		bpf_log(log, "ghOSt ABI %u is not supported: expected_attach_type must have %u in its upper 16 bits\n",
			eat >> 16, GHOST_VERSION);
		return -EBADF;
	}
	if ((eat & 0xffff) == type)
		return 0;
	bpf_log(log, "attach type %u does not go with this program type: expected %u (SEC(\"%s\"))\n",
		eat & 0xffff, type, section);
	return -EINVAL;
}

static int check_sched(const struct bpf_prog *prog, struct bpf_log *log)
{
	return check(prog, log, BPF_GHOST_SCHED_PNT, "ghost_sched/pnt");
}

static int check_msg(const struct bpf_prog *prog, struct bpf_log *log)
{
	return check(prog, log, BPF_GHOST_MSG_SEND, "ghost_msg/msg_send");
}

static int check_select_rq(const struct bpf_prog *prog, struct bpf_log *log)
{
	return check(prog, log, BPF_GHOST_SELECT_RQ, "ghost_select_rq/select_rq");
}

/* --- attachment -------------------------------------------------------------------- */

static struct bpf_prog **place_of(struct ghost_enclave *e, const struct bpf_prog *prog)
{
	switch ((u32)prog->type) {
	case BPF_PROG_TYPE_GHOST_SCHED:
		return &e->pnt;
	case BPF_PROG_TYPE_GHOST_MSG:
		return &e->msg;
	}
	return &e->select_rq;
}

static int attach(struct bpf_prog *prog, void *target, u32 attach_type, void **state)
{
	struct ghost_enclave *e = target;

	if (!e)
		return -EBADF;
	if (attach_type != (u32)prog->expected_attach_type)
		return -EINVAL;
	if (e->ending)
		return -ENODEV;
	if (*place_of(e, prog))
		return -EBUSY;
	*place_of(e, prog) = prog;
	ghost_get(e);
	*state = e;
	return 0;
}

static void detach(struct bpf_prog *prog, void *state)
{
	struct ghost_enclave *e = state;

	if (*place_of(e, prog) == prog) {
		*place_of(e, prog) = NULL;
		if (ghost_active(e) && !kernel.stopping)
			ghost_end_now(e, GHOST_EXIT_AGENT, "program detached");
	}
	ghost_put(e);
}

void ghost_detach_programs(struct ghost_enclave *e)
{
	e->pnt = e->msg = e->select_rq = NULL;
}

/* --- running ------------------------------------------------------------------------ */

u64 ghost_run_prog(struct ghost_enclave *e, struct bpf_prog *prog, void *ctx)
{
	struct ghost_cpu *gc = this_ghost();
	struct ghost_enclave *outer = gc->target;
	u64 ret;

	/* either may be let go of while the program runs */
	ghost_get(e);
	bpf_prog_get(prog);
	gc->target = e;
	ret = bpf_prog_run_ctx(prog, ctx);
	gc->target = outer;
	bpf_prog_put(prog);
	ghost_put(e);
	return ret;
}

void ghost_program_fault(const struct bpf_fault *fault)
{
	u32 type = fault->prog->type;

	if (type < BPF_PROG_TYPE_GHOST_SCHED || type > BPF_PROG_TYPE_GHOST_SELECT_RQ ||
	    !this_cpu || !this_ghost() || !this_ghost()->target)
		return;
	ghost_end(this_ghost()->target, GHOST_EXIT_FAULT, "program fault", "program %s: %s",
		  bpf_prog_name(fault->prog), fault->message);
}

/* --- registration -------------------------------------------------------------------- */

static void ctl_release(void *target)
{
	struct ghost_enclave *e = target;

	e->has_fd = false;
	ghost_put(e);
}

static const struct bpf_target_type ctl_type = { "ghost enclave", ctl_release };

int ghost_ctl_fd(struct ghost_enclave *e)
{
	return bpf_target_fd(&ctl_type, e);
}

static const struct bpf_prog_type_ops sched_type = {
	.type = BPF_PROG_TYPE_GHOST_SCHED,
	.name = "ghost_sched",
	.ctx = "bpf_ghost_sched",
	.helpers = ghost_sched_helpers,
	.nr_helpers = NR_GHOST_SCHED_HELPERS,
	.check = check_sched,
	.target = &ctl_type,
	.attach = attach,
	.detach = detach,
};

static const struct bpf_prog_type_ops msg_type = {
	.type = BPF_PROG_TYPE_GHOST_MSG,
	.name = "ghost_msg",
	.ctx = "bpf_ghost_msg",
	.helpers = ghost_msg_helpers,
	.nr_helpers = NR_GHOST_MSG_HELPERS,
	.check = check_msg,
	.target = &ctl_type,
	.attach = attach,
	.detach = detach,
};

static const struct bpf_prog_type_ops select_rq_type = {
	.type = BPF_PROG_TYPE_GHOST_SELECT_RQ,
	.name = "ghost_select_rq",
	.ctx = "bpf_ghost_select_rq",
	.helpers = ghost_msg_helpers,
	.nr_helpers = NR_GHOST_MSG_HELPERS,
	.check = check_select_rq,
	.target = &ctl_type,
	.attach = attach,
	.detach = detach,
};

int ghost_register_programs(void)
{
	int err = bpf_register_prog_type(&sched_type);

	if (!err)
		err = bpf_register_prog_type(&msg_type);
	return err ? err : bpf_register_prog_type(&select_rq_type);
}
