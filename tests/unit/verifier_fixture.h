/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parts of the verifier on programs by hand: an environment as bpf_verify() makes
 * it, and a state with frames. Include after the headers of the part.
 */
#ifndef VRT_TESTS_VERIFIER_FIXTURE_H
#define VRT_TESTS_VERIFIER_FIXTURE_H

#include "../../src/base/alloc.h"
#include "../../src/bpf/verifier/verifier.h"
#include "bpf_exec_fixture.h"

struct fixture {
	struct bpf_prog prog;
	struct bpf_log log;
	char text[8192];
	struct bpf_verifier_env env;
};

/* @starts: where functions begin, the first 0; @nr of them. */
static inline void fixture_init(struct fixture *f, const struct bpf_insn *insns, u32 len,
				const u32 *starts, u32 nr)
{
	memset(f, 0, sizeof(*f));
	f->prog.type = BPF_PROG_TYPE_SOCKET_FILTER;
	f->prog.insns = f->prog.orig_insns = (struct bpf_insn *)insns;
	f->prog.len = len;
	f->prog.nr_subprogs = nr;
	assert_int_equal(bpf_log_init(&f->log, BPF_LOG_LEVEL2, f->text, sizeof(f->text)), 0);
	f->env.prog = &f->prog;
	f->env.log = &f->log;
	f->env.insns = insns;
	f->env.len = len;
	f->env.nr_subprogs = nr;
	f->env.aux = xcalloc(len, sizeof(*f->env.aux));
	f->env.subprogs = xcalloc(nr, sizeof(*f->env.subprogs));
	for (u32 i = 0; i < nr; i++) {
		f->env.subprogs[i].name = "";
		f->env.subprogs[i].start = starts[i];
		f->env.subprogs[i].end = i + 1 < nr ? starts[i + 1] : len;
	}
	f->env.cur = state_new();
	f->env.cur->frame[0] = new_frame(BPF_MAIN_FUNC, 0, 0);
}

static inline void fixture_free(struct fixture *f)
{
	prune_free(&f->env);
	precision_free(&f->env);
	liveness_free(&f->env);
	state_free(f->env.cur);
	free(f->env.aux);
	free(f->env.subprogs);
}

/* What the log has since the last time. */
static inline const char *fixture_log(struct fixture *f)
{
	f->text[f->log.total] = '\0';
	bpf_log_reset(&f->log, 0);
	return f->text;
}

#define FIXTURE(f, ...)                                                                            \
	const struct bpf_insn insns[] = { __VA_ARGS__ };                                           \
	fixture_init(f, insns, ARRAY_SIZE(insns), (const u32[]){ 0 }, 1)

#endif
