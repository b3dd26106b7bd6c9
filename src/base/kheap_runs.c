// SPDX-License-Identifier: GPL-2.0-only
/*
 * Free spans of the kernel heap, first fit by address, which keeps it compact
 * and its addresses a function of the sequence of requests alone.
 *
 * Spans from the frontier on were never used. Freed ones below it are in a
 * tree of runs ordered by address, in which every node knows the longest run
 * of its subtree; neighbouring runs are always merged. Spans become writable
 * with the frontier, in large steps: what is not in use costs no commitment of
 * the host's memory, and a stray write above it faults.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "alloc.h"
#include "kheap.h"
#include "kheap_runs.h"
#include "rbtree.h"

#define NR_SPANS ((u32)(KHEAP_SIZE / KHEAP_SPAN))
#define STEP 1024U /* spans: 64 MiB */

struct run {
	struct rb_node node;
	u32 first, nr;
	u32 longest; /* of this subtree */
};

static struct rb_root runs;
static u32 frontier, writable;

static inline struct run *to_run(const struct rb_node *node)
{
	return node ? rb_entry(node, struct run, node) : NULL;
}

static inline u32 longest(const struct rb_node *node)
{
	return node ? to_run(node)->longest : 0;
}

static void update_longest(struct rb_node *node)
{
	struct run *run = to_run(node);
	u32 below = max(longest(node->rb_left), longest(node->rb_right));

	run->longest = max(run->nr, below);
}

static bool lower_address(const struct rb_node *a, const struct rb_node *b)
{
	return to_run(a)->first < to_run(b)->first;
}

/* The lowest run of at least @nr spans. */
static struct run *find_fit(u32 nr)
{
	struct rb_node *node = runs.rb_node;

	if (longest(node) < nr)
		return NULL;
	for (;;) {
		if (longest(node->rb_left) >= nr)
			node = node->rb_left;
		else if (to_run(node)->nr >= nr)
			return to_run(node);
		else
			node = node->rb_right;
	}
}

static bool make_writable(u32 end)
{
	u32 nr;

	if (end <= writable)
		return true;
	nr = min(ALIGN_UP(end - writable, STEP), NR_SPANS - writable);
	if (mprotect((void *)(KHEAP_BASE + writable * KHEAP_SPAN), nr * KHEAP_SPAN,
		     PROT_READ | PROT_WRITE))
		return false;
	/* a thousand CPUs and their tasks are more pages than a host's TLB has room for */
	madvise((void *)(KHEAP_BASE + writable * KHEAP_SPAN), nr * KHEAP_SPAN, MADV_HUGEPAGE);
	writable += nr;
	return true;
}

u32 kheap_run_alloc(u32 nr, bool *used)
{
	struct run *run = find_fit(nr);
	u32 first;

	*used = run != NULL;
	if (run) {
		first = run->first;
		run->first += nr;
		run->nr -= nr;
		if (run->nr) {
			rb_propagate(&run->node, update_longest);
		} else {
			rb_remove(&runs, &run->node, update_longest);
			free(run);
		}
		return first;
	}
	if (nr > NR_SPANS - frontier || !make_writable(frontier + nr))
		return RUN_NONE;
	first = frontier;
	frontier += nr;
	return first;
}

void kheap_run_free(u32 first, u32 nr)
{
	struct run *run = xcalloc(1, sizeof(*run)), *next, *prev;

	run->first = first;
	run->nr = nr;
	rb_insert(&runs, &run->node, lower_address, update_longest);
	next = to_run(rb_next(&run->node));
	if (next && next->first == first + nr) {
		rb_remove(&runs, &next->node, update_longest);
		run->nr += next->nr;
		free(next);
		rb_propagate(&run->node, update_longest);
	}
	prev = to_run(rb_prev(&run->node));
	if (prev && prev->first + prev->nr == first) {
		rb_remove(&runs, &run->node, update_longest);
		prev->nr += run->nr;
		free(run);
		rb_propagate(&prev->node, update_longest);
	}
}
