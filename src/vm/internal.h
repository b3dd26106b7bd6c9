/* SPDX-License-Identifier: GPL-2.0-only */
/* A real kernel with our agent, whatever it runs on: what qemu.c and host.c share. */
#ifndef VRT_VM_INTERNAL_H
#define VRT_VM_INTERNAL_H

#include <sys/types.h>

#include "vm.h"

#define QEMU "qemu-system-x86_64"
#define TAIL_BYTES 1200

struct vm {
	pid_t pid, owner; /* of what was started, and who started it */
	int channel;
	int console; /* memfd: what it prints */
	char *dir; /* ours, to be removed in the end; or NULL */
	enum vm_accel accel;
	u32 cpus;
	char release[128];
	char tail[TAIL_BYTES + 1];
	char *last_words; /* of vm_last_words() */
};

struct vm *vm_new(enum vm_accel accel);
/* The console, and a socket pair: [0] is ours, [1] for the other side. 0 or -errno. */
int vm_open(struct vm *vm, int pair[2], char *err, size_t err_size);
/*
 * Starts @argv in a process group of its own, with the console as its output, to
 * die with us. Closes pair[1]; pair[0] becomes the channel.
 */
int vm_start(struct vm *vm, char *const *argv, const int pair[2], char *err, size_t err_size);
/* Waits for the agent to say that it is there. */
int vm_wait_ready(struct vm *vm, u32 timeout_ms, char *err, size_t err_size);

#endif
