/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The records of src/sched/tracepoint.h as the tracer writes them: a BPF
 * program cannot include that header. tracer.c holds the two against each
 * other.
 */
#ifndef VRT_VM_RECORDS_H
#define VRT_VM_RECORDS_H

enum guest_record_type {
	REC_TASK_EXIT = 2,
	REC_WAKEUP = 3,
	REC_WAKEUP_NEW = 4,
	REC_SWITCH = 5,
	REC_MIGRATE = 6,
	REC_OP = 15,
};

enum guest_prev_state {
	PREV_PREEMPTED,
	PREV_SLEEPING,
	PREV_YIELDED,
	PREV_EXITED,
	PREV_IDLE,
};

struct guest_record {
	unsigned long long time;
	unsigned short type;
	unsigned short cpu;
	int pid;
	unsigned long long a, b;
};

/* ops.bpf.c: .rodata and .bss */
struct ops_config {
	unsigned int op; /* number of the operation */
	unsigned int sleeps; /* the kernel calls it where it can sleep */
};

struct ops_exit {
	unsigned long long seen;
	long long code;
	char message[1024]; /* of the kernel's SCX_EXIT_MSG_LEN */
};

#endif
