/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside the scheduler room: system calls as places where programs run, and the
 * files of processes.
 */
#ifndef VRT_SCHED_SYSCALL_H
#define VRT_SCHED_SYSCALL_H

#include "sched.h"
#include "trace_events.h"

/* --- tracing (syscall.c) --------------------------------------------------------- */

/* The task goes on: a call that it slept in returns, unless it resumes. */
void syscall_wake_slow(struct task *t);

static inline void syscall_wake(struct task *t)
{
	if (unlikely(t->call))
		syscall_wake_slow(t);
}

/* What an action and a birth are. */
void syscall_sleep(const struct task_action *action);
void syscall_fork(bool thread);
/* The child runs, or @pid is -errno. */
void syscall_fork_return(s64 pid);
void syscall_openat2(const char *path, const struct open_how *how);
/* At the end of the task's memory. */
void syscall_free(struct task *t);
/* At shutdown. */
void syscall_forget_sites(void);

/* --- files (files.c) --------------------------------------------------------------- */

/* A thread has those of its process, @leader's; a new process (NULL) begins without. */
void files_fork(struct task *t, const struct task *leader);
void files_exit(struct task *t);
/* At shutdown: there is none any more. */
void files_forget(void);

#endif
