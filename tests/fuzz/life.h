/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel that fuzz_jit has its programs run in: maps, a packet, programs to tail-call,
 * and a machine of one CPU that tells (events.h) whatever it is asked for. What a run begins
 * with follows from the seed and the number of the run, whatever ran before.
 */
#ifndef VRT_FUZZ_LIFE_H
#define VRT_FUZZ_LIFE_H

#include "../../src/bpf/prog.h"
#include "progen.h"

/* Ends with status 2 if there is no memory, or no kernel. */
void life_start(const char *who);
/* What all programs share; once in a process. */
void life_begin(void);
/* Every fourth program runs in task context, where it may be preempted; half of those may sleep. */
bool life_in_task(u64 seed);
bool life_may_sleep(u64 seed);
/*
 * NULL: it does not verify, or (*@err is not that then) it cannot be loaded. What
 * the verifier says is in life_log() if @log.
 */
struct bpf_prog *life_load(const struct progen *p, u64 seed, bool log, int *err);
const char *life_log(void);
/*
 * From now on loaded programs can be compiled with life_compile(); what all share, and this
 * makes ready, is. 0 or -errno. Where there is no compiler they are made ready for the
 * interpreter once more.
 */
int life_compiled(void);
int life_compile(struct bpf_prog *prog);
/* On the inputs of @seed and @run; true when it was stopped. */
bool life_run(struct bpf_prog *prog, u64 seed, u64 run);
/*
 * What is in the kernel heap, but for stacks, where what nobody reads any more may
 * differ, and maps, which have pointers of the host's.
 */
u64 life_heap_digest(void);

#endif
