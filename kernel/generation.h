/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marks of what not every generation of Linux has. The one kernel BTF has what
 * any generation has; src/bpf/generation.c makes of it the BTF of one.
 *
 * KERNEL_SINCE(7.0) and KERNEL_UNTIL(6.12) stand before a kfunc, after the
 * closing brace of a struct, or after the name of a member. In the BTF they are
 * declaration tags ("since:7.0"). Enumerators cannot be tagged: they are listed
 * below. The runtime is compiled without marks.
 *
 * Versions are those of enum kernel_generation: "since 7.0" means that our
 * generation 7.0 has it and the one before has not, whichever release brought it.
 */
#ifndef VRT_KERNEL_GENERATION_H
#define VRT_KERNEL_GENERATION_H

#ifdef __bpf__
#define KERNEL_SINCE(version) __attribute__((btf_decl_tag("since:" #version)))
#define KERNEL_UNTIL(version) __attribute__((btf_decl_tag("until:" #version)))
#else
#define KERNEL_SINCE(version)
#define KERNEL_UNTIL(version)
#endif

/*
 * NEW(name, version): not there before. VALUE(name, version, value): what it is in
 * that generation, where this differs from the definition.
 */
#define KERNEL_ENUMERATORS(NEW, VALUE)                                                             \
	NEW(SCX_OPS_ENQ_MIGRATION_DISABLED, "7.0")                                                 \
	NEW(SCX_OPS_ALLOW_QUEUED_WAKEUP, "7.0")                                                    \
	NEW(SCX_OPS_BUILTIN_IDLE_PER_NODE, "7.0")                                                  \
	VALUE(SCX_OPS_ALL_FLAGS, "6.12", 0x1000f)                                                  \
	NEW(SCX_EFLAG_INITIALIZED, "7.0")                                                          \
	NEW(SCX_PICK_IDLE_IN_NODE, "7.0")                                                          \
	VALUE(SCX_ENQ_HEAD, "7.0", 0x10000)                                                        \
	VALUE(SCX_ENQ_CPU_SELECTED, "7.0", 0x100000)

#endif
