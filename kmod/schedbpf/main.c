// SPDX-License-Identifier: GPL-2.0-only
/*
 * schedbpf: periodic BPF programs on kernel threads.
 *
 * Registers the struct_ops type bpf_periodic_ops and kfuncs: the iterator
 * bpf_iter_periodic, figures of programs, what CPUs do. There is nothing to
 * unregister: all goes with the module's BTF, and the module stays for as long as
 * there is an object that uses them.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/slab.h>

#include "schedbpf.h"

DEFINE_MUTEX(sb_mutex); /* schedbpf.h */
struct kmem_cache *sb_program_cache, *sb_worker_cache;

unsigned int sb_section_ms = 1000;
module_param_named(section_ms, sb_section_ms, uint, 0644);
MODULE_PARM_DESC(section_ms,
		 "longest time in ms that a program-managed program waits within one call of run()");

static void destroy_caches(void)
{
	kmem_cache_destroy(sb_program_cache);
	kmem_cache_destroy(sb_worker_cache);
}

/* Caches of their own: /proc/slabinfo tells whether anything is left. */
static int create_caches(void)
{
	sb_program_cache = kmem_cache_create("schedbpf_program",
					     sizeof(struct sb_program), 0,
					     SLAB_NO_MERGE, NULL);
	sb_worker_cache = kmem_cache_create("schedbpf_worker",
					    sizeof(struct sb_worker), 0,
					    SLAB_NO_MERGE, NULL);
	if (sb_program_cache && sb_worker_cache)
		return 0;
	destroy_caches();
	return -ENOMEM;
}

static int __init schedbpf_init(void)
{
	int err;

	err = create_caches();
	if (err)
		return err;
	err = sb_stats_register();
	if (err)
		goto no_stats;
	err = sb_register_kfuncs();
	if (err)
		goto no_btf;
	err = sb_register_struct_ops();
	if (err)
		goto no_btf;
	return 0;
no_btf:
	pr_err("registration failed (%d): does this module have BTF for this very kernel?\n",
	       err);
	sb_stats_unregister();
no_stats:
	destroy_caches();
	return err;
}

static void __exit schedbpf_exit(void)
{
	sb_place_exit();
	sb_stats_unregister();
	destroy_caches();
}

module_init(schedbpf_init);
module_exit(schedbpf_exit);
MODULE_DESCRIPTION("Periodic BPF programs on kernel threads");
MODULE_AUTHOR("The vruntime authors");
MODULE_LICENSE("GPL");
