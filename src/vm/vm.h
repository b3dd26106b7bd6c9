/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A real kernel and our agent on it: in a virtual machine, on QEMU, or this host's
 * own, with the agent as a process.
 */
#ifndef VRT_VM_VM_H
#define VRT_VM_VM_H

#include "../base/util.h"

struct vm;

enum vm_accel {
	VM_ACCEL_AUTO,
	VM_ACCEL_KVM,
	VM_ACCEL_TCG,
	VM_ACCEL_NONE, /* no virtual machine: this host */
};

struct vm_config {
	const char *kernel; /* a bzImage */
	const char *agent; /* the static program vrt-agent */
	u32 cpus; /* 1..VM_MAX_CPUS */
	u32 sockets, threads; /* of them, packages and threads of a core; 0: one */
	u32 memory_mb; /* 0: what the CPUs need */
	enum vm_accel accel; /* auto: KVM if a guest comes up with it, else TCG */
	/*
	 * The clock of emulated CPUs counts their instructions: what takes how long does not
	 * depend on the host, nor what else it does.
	 */
	bool counted;
	u32 boot_timeout_ms; /* 0: VM_BOOT_TIMEOUT_MS */
};

#define VM_MAX_CPUS 255
#define VM_BOOT_TIMEOUT_MS 120000

/*
 * Boots and waits for the agent. NULL and what happened in @err, the last lines
 * of the guest's console included. The guest dies with this process.
 */
struct vm *vm_boot(const struct vm_config *config, char *err, size_t err_size);
/* This host's kernel instead, as root; only @config->agent counts. */
struct vm *vm_this_host(const struct vm_config *config, char *err, size_t err_size);
/* Where the agent listens (channel.h). */
int vm_channel(const struct vm *vm);
/* As uname -r says in the guest. */
const char *vm_release(const struct vm *vm);
u32 vm_cpus(const struct vm *vm);
enum vm_accel vm_accel(const struct vm *vm);
/*
 * Why the guest is lost, as far as its console tells: the panic of its kernel, or just
 * the last lines. A sentence's end and lines below it; valid until the next call.
 */
const char *vm_last_words(struct vm *vm);
/* The last lines of the console, for messages; valid until the next call. */
const char *vm_console_tail(struct vm *vm);
/* NULL is fine. In a child of who booted it: only lets go of it. */
void vm_shutdown(struct vm *vm);

#endif
