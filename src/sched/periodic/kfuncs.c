// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kfuncs of periodic programs: figures, for whoever may call kfuncs of tasks.
 */
#include "../../../kernel/kfuncs.h"
#include "../../bpf/bpf.h"
#include "periodic.h"

int bpf_periodic_get_stats(const char *name, struct bpf_periodic_stats *stats)
{
	const struct periodic *p;

	cpu_sync();
	p = periodic_find_attached(name);
	if (!p)
		return -ENOENT;
	*stats = (struct bpf_periodic_stats){
		.runs = p->stats.runs,
		.missed = p->stats.missed,
		.runtime_ns = p->stats.run_time.sum,
		.runtime_max_ns = p->stats.run_time.max,
		.latency_ns = p->stats.wakeup.sum,
		.latency_max_ns = p->stats.wakeup.max,
		.delay_ns = p->stats.delay,
		.throttled_ns = p->stats.throttled,
	};
	return 0;
}

static const struct bpf_kfunc kfuncs[] = {
	{ "bpf_periodic_get_stats", (void *)bpf_periodic_get_stats, 0 },
};

#define SET(type) { .funcs = kfuncs, .nr = ARRAY_SIZE(kfuncs), .prog_type = type }

static const struct bpf_kfunc_set sets[] = {
	SET(BPF_PROG_TYPE_STRUCT_OPS),
	SET(BPF_PROG_TYPE_TRACING),
	SET(BPF_PROG_TYPE_SYSCALL),
	SET((enum bpf_prog_type)BPF_PROG_TYPE_PERIODIC),
};

int periodic_register_kfuncs(void)
{
	int err = periodic_register_iter();

	for (u32 i = 0; !err && i < ARRAY_SIZE(sets); i++)
		err = bpf_register_kfuncs(&sets[i]);
	return err;
}
