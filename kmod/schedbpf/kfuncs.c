// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which programs may call which kfuncs: those of the iterator (iter.c) tables,
 * those that tell something (here and in cpu_load.c) also tracing programs and
 * programs that user space runs. A module has one set for each type of program.
 */
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "schedbpf.h"

__bpf_kfunc_start_defs();

/* Figures of the attached program of that name, as sysfs has them. */
__bpf_kfunc int bpf_periodic_get_stats(const char *name__str,
				       struct bpf_periodic_stats *stats)
{
	const struct sb_program *p;

	rcu_read_lock();
	p = sb_find_attached(name__str);
	if (p)
		sb_stats_fill(p, stats);
	rcu_read_unlock();
	return p ? 0 : -ENOENT;
}

__bpf_kfunc_end_defs();

#ifdef SB_HAVE_CPU_CURR
#define SB_CPU_CURR BTF_ID_FLAGS(func, bpf_cpu_curr, KF_ACQUIRE | KF_RET_NULL)
#else
#define SB_CPU_CURR
#endif

#define SB_TELLING								\
	BTF_ID_FLAGS(func, bpf_periodic_get_stats)				\
	BTF_ID_FLAGS(func, bpf_cpu_busy_time)					\
	BTF_ID_FLAGS(func, bpf_cpu_idle_time)					\
	BTF_ID_FLAGS(func, bpf_cpus_busy_time)					\
	BTF_ID_FLAGS(func, bpf_cpus_idle_time)					\
	SB_CPU_CURR

BTF_KFUNCS_START(sb_table_ids)
BTF_ID_FLAGS(func, bpf_iter_periodic_new, KF_ITER_NEW | KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_iter_periodic_next, KF_ITER_NEXT | KF_RET_NULL | KF_SLEEPABLE)
BTF_ID_FLAGS(func, bpf_iter_periodic_destroy, KF_ITER_DESTROY)
BTF_ID_FLAGS(func, bpf_periodic_set_due, KF_TRUSTED_ARGS)
SB_TELLING
BTF_KFUNCS_END(sb_table_ids)

BTF_KFUNCS_START(sb_telling_ids)
SB_TELLING
BTF_KFUNCS_END(sb_telling_ids)

static const struct btf_kfunc_id_set sb_table_set = {
	.owner = THIS_MODULE,
	.set = &sb_table_ids,
};

static const struct btf_kfunc_id_set sb_telling_set = {
	.owner = THIS_MODULE,
	.set = &sb_telling_ids,
};

int sb_register_kfuncs(void)
{
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_STRUCT_OPS, &sb_table_set) ?:
	       register_btf_kfunc_id_set(BPF_PROG_TYPE_TRACING, &sb_telling_set) ?:
	       register_btf_kfunc_id_set(BPF_PROG_TYPE_SYSCALL, &sb_telling_set);
}
