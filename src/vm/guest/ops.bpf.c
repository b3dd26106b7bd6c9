// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls of one operation of the scheduler, as the simulated kernel records
 * them (TRACE_OP): attached to the beginning and the end of the program that the
 * scheduler has for it. ops.c loads this once for each operation.
 *
 * The kernel calls most operations with interrupts off, so one of a kind is in
 * progress on a CPU. Those that may sleep can be interrupted by others, move, and
 * be in progress several times at once, but once for a task.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.bpf.h"

char _license[] SEC("license") = "GPL";

const volatile struct ops_config config;

/* When it began: non-sleeping. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} started SEC(".maps");

/* Sleeping: by the task that calls. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, u64);
} started_by SEC(".maps");

static u32 current_pid(void)
{
	return (u32)bpf_get_current_pid_tgid();
}

SEC("fentry")
int BPF_PROG(on_begin)
{
	u32 key = config.sleeps ? current_pid() : 0;
	u64 now = bpf_ktime_get_ns(), *start;

	if (config.sleeps) {
		bpf_map_update_elem(&started_by, &key, &now, BPF_ANY);
		return 0;
	}
	start = bpf_map_lookup_elem(&started, &key);
	if (start)
		*start = now;
	return 0;
}

SEC("fexit")
int BPF_PROG(on_end)
{
	u32 key = config.sleeps ? current_pid() : 0;
	u64 now = bpf_ktime_get_ns(), *start, took = 0;

	start = config.sleeps ? bpf_map_lookup_elem(&started_by, &key) :
			 bpf_map_lookup_elem(&started, &key);
	if (start)
		took = now - *start;
	if (config.sleeps)
		bpf_map_delete_elem(&started_by, &key);
	emit(REC_OP, (int)current_pid(), config.op, took);
	return 0;
}

/* What ops.exit() is told. */
struct ops_exit exit_info;

SEC("?fentry")
int BPF_PROG(on_exit_info, u64 *args)
{
	struct scx_exit_info___core {
		s64 exit_code;
		char *msg;
	} __attribute__((preserve_access_index)) *ei;
	u64 info = 0;

	/* the operation's own arguments are an array; the first one is the info */
	if (bpf_probe_read_kernel(&info, sizeof(info), args))
		return 0;
	ei = (void *)info;
	exit_info.code = BPF_CORE_READ(ei, exit_code);
	bpf_probe_read_kernel_str(exit_info.message, sizeof(exit_info.message),
				  BPF_CORE_READ(ei, msg));
	exit_info.seen = 1;
	return 0;
}
