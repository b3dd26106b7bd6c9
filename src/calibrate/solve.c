// SPDX-License-Identifier: GPL-2.0-only
/*
 * From figures to costs. Each experiment goes through a known part of the kernel;
 * the difference of two is what only one of them goes through:
 *
 *	yield	syscall, the queue's lock twice, pick
 *	wake	syscall, wakeup, the queue's lock, enqueue
 *	handoff	wake; syscall, dequeue, pick, the queue's lock, context switch
 *	remote	wake with the line of the other queue's lock, ipi_send; then there
 *		ipi_latency, interrupt, pick, the line again, context switch
 *
 * Nothing shows enqueue without wakeup: it is taken to be as dequeue.
 */
#include <json-c/json.h>
#include <string.h>

#include "calibrate.h"

/* A cost, in ps; @known: all that it follows from was measured. */
struct part {
	s64 ps;
	bool known;
};

static struct part probe(const struct probe_figures *f, u32 i)
{
	return (struct part){ f->ps[i], f->ps[i] != PROBE_NONE };
}

static struct part plus(struct part a, struct part b)
{
	return (struct part){ a.ps + b.ps, a.known && b.known };
}

static struct part minus(struct part a, struct part b)
{
	return (struct part){ a.ps - b.ps, a.known && b.known };
}

struct result {
	struct json_object *costs, *lost;
};

static void put(struct result *r, const char *name, struct part cost)
{
	if (!cost.known)
		return;
	/* rounding may have taken as much as that */
	if (cost.ps < -500)
		json_object_array_add(r->lost, json_object_new_string(name));
	else
		json_object_object_add(r->costs, name,
				       json_object_new_int64((max(cost.ps, 0LL) + 500) / 1000));
}

/* What is no less than nothing goes on into what follows from it. */
static struct part at_least_none(struct part cost)
{
	return (struct part){ max(cost.ps, 0LL), cost.known };
}

static void put_lines(struct result *r, const struct probe_figures *f)
{
	static const char *const names[NR_DISTANCES] = {
		[DIST_SMT] = "cacheline_smt", [DIST_LLC] = "cacheline_llc",
		[DIST_NODE] = "cacheline_node", [DIST_REMOTE] = "cacheline_remote",
	};

	for (u32 d = DIST_SMT; d < NR_DISTANCES; d++)
		put(r, names[d], probe(f, PROBE_LINE + d));
}

static void solve(struct result *r, const struct probe_figures *f)
{
	struct part lock = probe(f, PROBE_LOCK), syscall = probe(f, PROBE_SYSCALL);
	struct part change = probe(f, PROBE_SWITCH), wake = probe(f, PROBE_WAKE);
	struct part interrupt = probe(f, PROBE_TIMER), fork = probe(f, PROBE_FORK);
	struct part line = probe(f, PROBE_LINE + DIST_LLC), there = probe(f, PROBE_WAKE_REMOTE);
	struct part pick, dequeue, leave, wakeup, send, ipi;

	pick = minus(minus(probe(f, PROBE_YIELD), syscall), plus(lock, lock));
	put(r, "lock", lock);
	put(r, "syscall", syscall);
	put(r, "context_switch", change);
	put(r, "pick", pick);
	pick = at_least_none(pick);
	leave = plus(plus(pick, lock), change); /* schedule(), without taking the task off */
	dequeue = minus(minus(minus(probe(f, PROBE_HANDOFF), wake), syscall), leave);
	put(r, "dequeue", dequeue);
	put(r, "enqueue", dequeue);
	dequeue = at_least_none(dequeue);
	wakeup = minus(minus(wake, probe(f, PROBE_WAKE_NONE)), plus(dequeue, lock));
	put(r, "wakeup", wakeup);
	put(r, "timer_program", minus(probe(f, PROBE_ARM), syscall));
	put(r, "interrupt", interrupt);
	put(r, "tick", minus(minus(probe(f, PROBE_TICK), interrupt), lock));
	put(r, "open", minus(probe(f, PROBE_OPEN), syscall));
	put(r, "read", minus(probe(f, PROBE_READ), syscall));
	put(r, "fork", minus(fork, plus(dequeue, lock)));
	put(r, "exit", minus(minus(minus(probe(f, PROBE_LIFE), fork), plus(syscall, wake)),
			     plus(plus(leave, dequeue), plus(leave, dequeue))));
	put_lines(r, f);
	leave = plus(plus(pick, line), change);
	send = minus(minus(there, wake), minus(line, lock));
	/* the rest of the sender's call may take longer than the way of what it sent */
	ipi = minus(minus(plus(probe(f, PROBE_REMOTE), send), there), plus(interrupt, leave));
	if (send.known && ipi.known && send.ps > ipi.ps)
		send.ps = ipi.ps;
	put(r, "ipi_send", send);
	put(r, "ipi_latency", ipi.ps < 0 ? ipi : minus(ipi, send));
}

struct json_object *calibrate_solve(const struct probe_figures *figures, struct json_object **lost)
{
	struct result r = { json_object_new_object(), json_object_new_array() };

	solve(&r, figures);
	if (lost)
		*lost = r.lost;
	else
		json_object_put(r.lost);
	return r.costs;
}
