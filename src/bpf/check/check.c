// SPDX-License-Identifier: GPL-2.0-only
/*
 * The passes of the structural check, in order.
 */
#include <stdlib.h>

#include "check.h"
#include "../verifier/verify.h"

void bpf_check_log_insn(struct bpf_check_env *env, u32 i)
{
	const char *line = bpf_prog_source_line(env->prog, i);
	char text[160], where[160];

	if (env->verify) /* the verifier has shown the instruction */
		return;
	if (env->prog->nr_line_info) {
		bpf_prog_where(env->prog, i, where, sizeof(where));
		bpf_log(env->log, "; %s%s@ %s\n", line, *line ? " " : "", where);
	}
	bpf_disasm(env->prog, i, text, sizeof(text));
	bpf_log(env->log, "%u: (%02x) %s\n", i, env->prog->orig_insns[i].code, text);
}

int bpf_check(struct bpf_prog *prog, const union bpf_attr *attr, struct bpf_log *log)
{
	static int (*const passes[])(struct bpf_check_env *env) = {
		bpf_check_btf_early,	bpf_check_add_subprogs, bpf_check_subprogs, bpf_check_btf_info, bpf_check_attach,
		bpf_check_resolve,	bpf_check_cfg,	    bpf_check_insns,	bpf_check_calls,
		bpf_verify,		bpf_check_link,
	};
	struct bpf_check_env env = { .prog = prog, .attr = attr, .log = log,
				     .verify = !bpf_env->unverified };
	int err = 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(passes) && !err; i++)
		err = passes[i](&env);
	free(env.live);
	prog->verified = env.verified;
	bpf_log(log,
		"processed %u insns (limit %u) max_states_per_insn %u total_states %u peak_states %u mark_read %u\n",
		env.verified.insns, BPF_MAX_INSNS, env.verified.max_states_per_insn,
		env.verified.total_states, env.verified.peak_states,
		env.verified.longest_mark_read_walk);
	return err;
}
