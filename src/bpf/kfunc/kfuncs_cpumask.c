// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpf_cpumask_*(): masks that programs own, and queries on any mask.
 *
 * Arguments may be masks that the program does not own; only those that take a
 * struct bpf_cpumask write.
 */
#include <string.h>

#include "../../../kernel/kfuncs.h"
#include "../../base/cpumask.h"
#include "kfunc.h"

static struct kheap_type mask_type = { .name = "bpf_cpumask", .visible = sizeof(struct bpf_cpumask) };

struct bpf_cpumask *bpf_cpumask_create(void)
{
	struct bpf_cpumask *mask = kheap_alloc(&mask_type, sizeof(*mask));

	if (mask)
		mask->usage.refs = 1;
	return mask;
}

struct bpf_cpumask *bpf_cpumask_acquire(struct bpf_cpumask *cpumask)
{
	cpumask->usage.refs++;
	return cpumask;
}

/* Readers may still be at it. */
void bpf_cpumask_release(struct bpf_cpumask *cpumask)
{
	if (cpumask->usage.refs && !--cpumask->usage.refs)
		bpf_rcu_defer(kheap_free, cpumask);
}

static void mask_dtor(void *obj)
{
	bpf_cpumask_release(obj);
}

u32 bpf_cpumask_first(const struct cpumask *cpumask)
{
	return cpumask_first(cpumask);
}

u32 bpf_cpumask_first_zero(const struct cpumask *cpumask)
{
	u32 cpu;

	for (cpu = 0; cpu < nr_cpu_ids && cpumask_test_cpu(cpu, cpumask); cpu++)
		;
	return cpu;
}

u32 bpf_cpumask_first_and(const struct cpumask *src1, const struct cpumask *src2)
{
	return cpumask_next_and(0, src1, src2);
}

void bpf_cpumask_set_cpu(u32 cpu, struct bpf_cpumask *cpumask)
{
	if (cpu < nr_cpu_ids)
		cpumask_set_cpu(cpu, &cpumask->cpumask);
}

void bpf_cpumask_clear_cpu(u32 cpu, struct bpf_cpumask *cpumask)
{
	if (cpu < nr_cpu_ids)
		cpumask_clear_cpu(cpu, &cpumask->cpumask);
}

bool bpf_cpumask_test_cpu(u32 cpu, const struct cpumask *cpumask)
{
	return cpumask_test_cpu(cpu, cpumask);
}

bool bpf_cpumask_test_and_set_cpu(u32 cpu, struct bpf_cpumask *cpumask)
{
	bool was = cpumask_test_cpu(cpu, &cpumask->cpumask);

	bpf_cpumask_set_cpu(cpu, cpumask);
	return was;
}

bool bpf_cpumask_test_and_clear_cpu(u32 cpu, struct bpf_cpumask *cpumask)
{
	return cpumask_test_and_clear_cpu(cpu, &cpumask->cpumask);
}

void bpf_cpumask_setall(struct bpf_cpumask *cpumask)
{
	cpumask_setall(&cpumask->cpumask);
}

void bpf_cpumask_clear(struct bpf_cpumask *cpumask)
{
	cpumask_clear(&cpumask->cpumask);
}

bool bpf_cpumask_and(struct bpf_cpumask *dst, const struct cpumask *src1,
		     const struct cpumask *src2)
{
	return cpumask_and(&dst->cpumask, src1, src2);
}

void bpf_cpumask_or(struct bpf_cpumask *dst, const struct cpumask *src1,
		    const struct cpumask *src2)
{
	cpumask_or(&dst->cpumask, src1, src2);
}

void bpf_cpumask_xor(struct bpf_cpumask *dst, const struct cpumask *src1,
		     const struct cpumask *src2)
{
	cpumask_xor(&dst->cpumask, src1, src2);
}

bool bpf_cpumask_equal(const struct cpumask *src1, const struct cpumask *src2)
{
	return cpumask_equal(src1, src2);
}

bool bpf_cpumask_intersects(const struct cpumask *src1, const struct cpumask *src2)
{
	return cpumask_intersects(src1, src2);
}

bool bpf_cpumask_subset(const struct cpumask *src1, const struct cpumask *src2)
{
	return cpumask_subset(src1, src2);
}

bool bpf_cpumask_empty(const struct cpumask *cpumask)
{
	return cpumask_empty(cpumask);
}

bool bpf_cpumask_full(const struct cpumask *cpumask)
{
	return cpumask_full(cpumask);
}

void bpf_cpumask_copy(struct bpf_cpumask *dst, const struct cpumask *src)
{
	cpumask_copy(&dst->cpumask, src);
}

/* Where this CPU's last answer was: the next one follows it. */
static u32 distribute_prev[VRT_NR_CPUS];

u32 bpf_cpumask_any_and_distribute(const struct cpumask *src1, const struct cpumask *src2)
{
	u32 *prev = &distribute_prev[bpf_env->cpu() % VRT_NR_CPUS];
	u32 cpu = cpumask_next_and_wrap(*prev + 1, src1, src2);

	if (cpu < nr_cpu_ids)
		*prev = cpu;
	return cpu;
}

u32 bpf_cpumask_any_distribute(const struct cpumask *cpumask)
{
	return bpf_cpumask_any_and_distribute(cpumask, cpumask);
}

u32 bpf_cpumask_weight(const struct cpumask *cpumask)
{
	return cpumask_weight(cpumask);
}

void bpf_cpumask_kfuncs_reset(void)
{
	memset(distribute_prev, 0, sizeof(distribute_prev));
	/* a kernel BTF without the type has no such masks either */
	if (!bpf_register_object_type(&mask_type))
		bpf_register_dtor("bpf_cpumask", mask_dtor);
}

static const struct bpf_kfunc kfuncs[] = {
	BPF_KFUNC_ENTRY(bpf_cpumask_create, KF_ACQUIRE | KF_RET_NULL | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_release, KF_RELEASE | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_acquire, KF_ACQUIRE | KF_TRUSTED_ARGS | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_first, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_first_zero, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_first_and, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_set_cpu, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_clear_cpu, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_test_cpu, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_test_and_set_cpu, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_test_and_clear_cpu, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_setall, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_clear, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_and, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_or, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_xor, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_equal, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_intersects, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_subset, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_empty, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_full, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_copy, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_any_distribute, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_any_and_distribute, KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_cpumask_weight, KF_RCU | KF_TIMELESS),
};

const struct bpf_kfunc_set bpf_cpumask_kfuncs = { .funcs = kfuncs, .nr = ARRAY_SIZE(kfuncs) };
