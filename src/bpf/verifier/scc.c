// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loops: the strongly connected components of each function's control flow, by
 * Tarjan's algorithm without recursion. A component is numbered when control can
 * come from one of its instructions to the same one again.
 *
 * Source: R. Tarjan, "Depth-first search and linear graph algorithms", 1972.
 */
#include "prune.h"

#include <stdlib.h>

#include "../../base/alloc.h"

struct scc_walk {
	const struct bpf_prog *prog;
	u32 *scc;
	u32 nr_scc;
	/* when it was found, from 1; 0: not yet */
	u32 *index;
	/* the first found that it reaches among those that have no component yet; 0: it has one */
	u32 *low;
	u32 *open, nr_open; /* instructions without a component */
	u32 *path, nr_path; /* that the search is at, and how many of its successors it has seen */
	u8 *seen;
	u32 nr_found;
};

static void enter_insn(struct scc_walk *w, u32 i)
{
	w->index[i] = w->low[i] = ++w->nr_found;
	w->open[w->nr_open++] = i;
	w->path[w->nr_path++] = i;
}

static bool is_own_successor(const struct scc_walk *w, u32 i)
{
	u32 succ[2], nr = bpf_insn_successors(w->prog, i, succ);

	return (nr > 0 && succ[0] == i) || (nr > 1 && succ[1] == i);
}

/* @i is the first of its component that was found: the others are above it. */
static void close_component(struct scc_walk *w, u32 i)
{
	bool loop = w->open[w->nr_open - 1] != i || is_own_successor(w, i);
	u32 member;

	w->nr_scc += loop;
	do {
		member = w->open[--w->nr_open];
		w->scc[member] = loop ? w->nr_scc : 0;
		w->low[member] = 0;
	} while (member != i);
}

static void step(struct scc_walk *w)
{
	u32 i = w->path[w->nr_path - 1], succ[2], nr = bpf_insn_successors(w->prog, i, succ);

	if (w->seen[i] < nr) {
		u32 s = succ[w->seen[i]];

		if (!w->index[s]) {
			enter_insn(w, s); /* and this successor again afterwards */
			return;
		}
		if (w->low[s])
			w->low[i] = min(w->low[i], w->low[s]);
		w->seen[i]++;
		return;
	}
	w->nr_path--;
	if (w->low[i] == w->index[i])
		close_component(w, i);
}

u32 find_sccs(const struct bpf_prog *prog, u32 *scc)
{
	struct scc_walk w = {
		.prog = prog,
		.scc = scc,
		.index = xcalloc(prog->len, sizeof(u32)),
		.low = xcalloc(prog->len, sizeof(u32)),
		.open = xcalloc(prog->len, sizeof(u32)),
		.path = xcalloc(prog->len, sizeof(u32)),
		.seen = xcalloc(prog->len, 1),
	};
	u32 i;

	for (i = 0; i < prog->len; i += 1 + bpf_is_ldimm64(&prog->insns[i])) {
		if (!w.index[i])
			enter_insn(&w, i);
		while (w.nr_path)
			step(&w);
	}
	free(w.index);
	free(w.low);
	free(w.open);
	free(w.path);
	free(w.seen);
	return w.nr_scc;
}
