/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BPF subsystem, as its users see it: subsystems that register kfuncs,
 * struct_ops types and object types; the kernel that calls programs; and the
 * loader, which speaks bpf(2).
 *
 * The subsystem knows neither the machine nor the scheduler: whatever it needs
 * of them it asks through struct bpf_env.
 */
#ifndef VRT_BPF_BPF_H
#define VRT_BPF_BPF_H

#include <linux/bpf.h>

#include "../base/kheap.h"
#include "../base/list.h"

struct bpf_insn;
struct bpf_link;
struct bpf_map;
struct bpf_prog;
struct btf;
struct btf_member;
struct btf_type;

/*
 * Why a running program was stopped: it touched what it was not given, or ran
 * past its budget. The program's return value is then 0.
 */
struct bpf_fault {
	const struct bpf_prog *prog;
	u32 insn; /* index into the program as loaded */
	char message[512]; /* one line: what, where (source line when known), what was allowed */
};

/* A timer of bpf_timer_*(); the environment drives it. */
struct bpf_timer_node {
	void *driver; /* the environment's own */
	void (*expire)(struct bpf_timer_node *node); /* to be called in timer context */
};

struct bpf_reg_state;

/*
 * What the subsystem needs from its surroundings. Every call may come from any
 * program at any nesting; none may fail unless it says so.
 */
struct bpf_env {
	u32 nr_cpus; /* possible CPUs */
	/* the CPU that executes */
	u32 (*cpu)(void);
	/*
	 * Where compiled programs find the same: **cpu_id, and 0 if *cpu_id is NULL.
	 * NULL: they ask cpu().
	 */
	u32 *const *cpu_id;
	/* local clock, ns; @boot includes time asleep (the same here) */
	u64 (*ktime)(void);
	/* a struct task_struct in the kernel heap; NULL outside of any task */
	void *(*current_task)(void);
	/* pid in the low half, tgid in the high half, as bpf_get_current_pid_tgid() */
	u64 (*current_pid_tgid)(void);
	u32 (*prandom)(void);
	/*
	 * Virtual time spent: @insns executed and @ns on top. Charged before every
	 * call out of the program, so that ktime() includes it.
	 */
	void (*charge)(u64 insns, u64 ns);
	/*
	 * The same for programs that may be preempted (prog->preemptible), which run
	 * in task context: the time is the task's own. True: somebody may want the
	 * CPU; preempt() is called when the program can stand it. NULL: there are
	 * none.
	 */
	bool (*spend)(u64 insns, u64 ns);
	/* Others may have the CPU meanwhile. True: end the program at once. */
	bool (*preempt)(void);
	u32 preempt_insns; /* that it executes at most before it calls spend() again */
	/* what BPF calls cost beyond their instructions, ns */
	u64 entry_ns, helper_ns, kfunc_ns, map_hash_ns;
	/* a line of bpf_printk() output, without newline */
	void (*printk)(const char *line);
	/* a program has been stopped; called once per fault, on the executing CPU */
	void (*fault)(const struct bpf_fault *fault);
	/* bpf_spin_lock: the lock word is in a map value or allocated object */
	void (*spin_lock)(u32 *lock);
	void (*spin_unlock)(u32 *lock);
	/* absolute time; @pinned to this CPU. -errno when no timer can be had */
	int (*timer_arm)(struct bpf_timer_node *node, u64 when, bool pinned);
	/* 1 if it was armed, else 0 */
	int (*timer_cancel)(struct bpf_timer_node *node);
	void (*timer_free)(struct bpf_timer_node *node);
	/*
	 * Run @fn inside the machine, in a sleepable task context, and return when
	 * it is done. When already inside, just calls it.
	 */
	void (*run_inside)(void (*fn)(void *arg), void *arg);
	/* task local storage: the anchor that belongs to a task_struct (in its private part) */
	void **(*task_storage_anchor)(void *task);
	/* the same of a struct cgroup. NULL: cgroups keep no storage */
	void **(*cgroup_storage_anchor)(void *cgroup);
	/* of the executing CPU; NULL: 0 */
	u32 (*numa_node)(void);
	/* ticks since boot; NULL: ktime() at 250 Hz */
	u64 (*jiffies)(void);
	/* instructions after which a non-sleepable / sleepable program is stopped; 0: never */
	u64 insn_budget, sleepable_insn_budget;
	/* programs are interpreted, with every access checked, where they could be compiled */
	bool interpreted;
	/* programs are not verified (nor compiled), but only stopped when they go wrong: to test that */
	bool unverified;
	/* the verifier follows paths that others cover: to test that it may leave them out */
	bool unpruned;
	/*
	 * When a program is too large: instructions that it looks at, over all paths, and bytes
	 * that it keeps of paths at a time. 0: 1,000,000, and 2 GiB
	 */
	u32 verifier_insns;
	u64 verifier_bytes;
	/*
	 * hears of each state that the verifier comes to, covered or not: what is known of r0 to
	 * r10 before @insn, and which of them are read later (a bit each). NULL: nobody does
	 */
	void (*verifier_state)(u32 insn, const struct bpf_reg_state *regs, u16 live);
	/* to it, what an array has at a constant key inside of it is there: since Linux 6.14 */
	bool const_keys_found;
};

/* @raw_btf: the kernel BTF, which is copied. 0 or -errno. */
int bpf_init(const struct bpf_env *env, const void *raw_btf, u32 raw_btf_size);
/* Frees everything that is left: no object survives. */
void bpf_exit(void);
extern const struct bpf_env *bpf_env;

/*
 * bpf(2). @attr is read and written as the kernel does with @size bytes of it.
 * Returns a descriptor or value, or -errno (the facade turns it into -1).
 */
long vrt_bpf(enum bpf_cmd cmd, union bpf_attr *attr, u32 size);

/*
 * Why the request in progress is refused: a sentence for people beside the errno,
 * as netlink's extended acknowledgements. From any callback of a request; kept
 * until the next request, "" if nobody said anything.
 */
__printf(1, 2) void bpf_refuse(const char *fmt, ...);
const char *bpf_refusal(void);

/* --- kernel BTF -------------------------------------------------------- */

struct btf *bpf_kernel_btf(void);
/* The raw bytes, for /sys/kernel/btf/vmlinux. */
const void *bpf_kernel_btf_raw(u32 *size);

/*
 * Tell the subsystem what type the objects of a heap type have: fills in
 * type->btf_id from type->name. -ENOENT when the kernel BTF lacks the name.
 */
int bpf_register_object_type(struct kheap_type *type);

/*
 * How a referenced kptr to kernel struct @name is given back when the map value
 * that holds it dies. Without one, such kptrs cannot be stored in maps.
 * -ENOENT when the kernel BTF lacks the name.
 */
int bpf_register_dtor(const char *name, void (*dtor)(void *obj));

/* --- kfuncs ------------------------------------------------------------ */

/* As Linux's Documentation/bpf/kfuncs.rst. */
#define KF_ACQUIRE (1 << 0)
#define KF_RELEASE (1 << 1)
#define KF_RET_NULL (1 << 2)
#define KF_TRUSTED_ARGS (1 << 4)
#define KF_SLEEPABLE (1 << 5)
#define KF_DESTRUCTIVE (1 << 6)
#define KF_RCU (1 << 7)
#define KF_ITER_NEW (1 << 8)
#define KF_ITER_NEXT (1 << 9)
#define KF_ITER_DESTROY (1 << 10)
#define KF_RCU_PROTECTED (1 << 11)

/*
 * Not of Linux: what calling it takes.
 *
 * KF_TIMELESS: it sees neither a clock nor anything that another CPU could have
 * changed by now: it takes no lock, never calls cpu_sync(), does not trace, and
 * never lets another CPU go on. What it and the instructions before it took may
 * then be charged after it. One that does any of this when something is wrong calls
 * bpf_kfunc_settle() first: that charges it.
 * KF_CALLS_BACK: it calls functions of the program before it returns.
 */
#define KF_TIMELESS (1 << 24)
#define KF_CALLS_BACK (1 << 25)
void bpf_kfunc_settle(void);

/*
 * @fn takes up to five integer or pointer arguments and returns one, as its
 * prototype in kernel/kfuncs.h says; the subsystem extends the result from the
 * width of the declared return type.
 */
struct bpf_kfunc {
	const char *name;
	void *fn;
	u32 flags;
};

struct bpf_kfunc_set {
	const struct bpf_kfunc *funcs;
	u32 nr;
	/* for whom; a set may be registered for several types */
	enum bpf_prog_type prog_type;
	/* functions that the kernel BTF lacks are another generation's: left out */
	bool partial;
	/* 0 if @prog may call; -errno otherwise. NULL: everybody of the type */
	int (*filter)(const struct bpf_prog *prog, const struct bpf_kfunc *kfunc);
};

/* @set must stay. -ENOENT, unless partial, names a kfunc that the kernel BTF lacks (in the log). */
int bpf_register_kfuncs(const struct bpf_kfunc_set *set);

/*
 * A variable of the kernel that programs find as a ksym: @name is a VAR of the
 * kernel BTF. Those in .data..percpu have an address per CPU.
 */
struct bpf_kernel_var {
	const char *name;
	void *(*address)(u32 cpu);
};

/* @var must stay. -ENOENT when the kernel BTF lacks it. */
int bpf_register_kernel_var(const struct bpf_kernel_var *var);

/*
 * Formats text for kfuncs that take a format, an array of 64-bit arguments and
 * its size in bytes, all as a program gave them: into @out, cut to @size. The
 * length without the cut, or -EINVAL for a format or size that Linux refuses,
 * -EFAULT for memory that is not there.
 */
int bpf_bstr_format(char *out, size_t size, const char *fmt, const u64 *data, u32 data_sz);

/* --- struct_ops -------------------------------------------------------- */

/*
 * The declarative form of kfunc_validate_reloc(): where a kfunc may be called,
 * and which implementation a call from there gets. A kfunc without a rule may be
 * called from everywhere; one with rules only from where one of them says.
 */
struct bpf_kfunc_rule {
	const char *kfunc; /* as programs call it */
	const char *members; /* "select_cpu enqueue"; "async": timer callbacks; "*": all */
	const char *impl; /* the kfunc to call instead; NULL: itself */
};

/*
 * A type of operations table, as in Linux's struct bpf_struct_ops. In @kdata a
 * function member holds a struct bpf_prog *, or NULL when it was left out.
 */
struct bpf_struct_ops {
	const char *name;
	int (*init)(struct btf *kernel_btf);
	/* may @prog implement @member? */
	int (*check_member)(const struct btf_type *t, const struct btf_member *member,
			    const struct bpf_prog *prog);
	/* 1: consumed; 0: the default (functions only, other members must be zero) */
	int (*init_member)(const struct btf_type *t, const struct btf_member *member, void *kdata,
			   const void *udata);
	int (*validate)(void *kdata);
	int (*reg)(void *kdata, struct bpf_link *link);
	void (*unreg)(void *kdata, struct bpf_link *link);
	int (*update)(void *kdata, void *old_kdata, struct bpf_link *link);
	/* may a program store @size bytes at @off of an object of kernel type @name? */
	bool (*may_write)(const char *name, u32 off, u32 size);
	/*
	 * Which kfunc shall @prog get that calls @kfunc_id (BTF ids of FUNCs)? The id
	 * of the one to call instead, 0 for "as it is", or -errno to refuse the
	 * program; whoever loads it then says why in the log. Asked for every call
	 * that can be reached. @member is NULL for calls from asynchronous callbacks
	 * (timers), which run outside of any member. NULL: the tables answer
	 * (bpf_kfunc_table_validate()).
	 */
	s32 (*kfunc_validate_reloc)(const struct btf_type *t, const struct btf_member *member,
				    struct bpf_prog *prog, u32 kfunc_id);
	const struct bpf_kfunc_rule *kfunc_rules; /* ends with a NULL kfunc; NULL: none */
	/* rules of kfuncs that the kernel BTF lacks are for another generation: left out */
	bool partial_rules;
	/*
	 * As Linux up to 7.0: calls from everywhere are accepted, get the kfunc itself,
	 * and are left to it to refuse while running. (--contexts run)
	 */
	bool contexts_at_run;

	/* filled in at registration */
	u32 type_id, value_id;
	const struct btf_type *type;
};

/*
 * @ops must stay. -ENOENT: the kernel BTF lacks a name, also one of the rules;
 * -EINVAL, -EEXIST: rules that cannot be (the environment's printk() says which).
 */
int bpf_register_struct_ops(struct bpf_struct_ops *ops);

/*
 * What the rules of all registered types say: a kfunc_validate_reloc(), also for
 * one that only has something to add.
 */
s32 bpf_kfunc_table_validate(const struct btf_type *t, const struct btf_member *member,
			     struct bpf_prog *prog, u32 kfunc_id);

/* --- running programs -------------------------------------------------- */

/*
 * Calls @prog with @nr arguments (struct_ops members and everything else whose
 * context is an array of 64-bit values). Returns what the program returned;
 * 0 if it was stopped.
 */
u64 bpf_prog_call(struct bpf_prog *prog, const u64 *args, u32 nr);

/*
 * What executes programs, "jit (x86-64)" or "interpreter"; @interpreted as in struct bpf_env.
 * Those that are not verified are always interpreted.
 */
const char *bpf_engine(bool interpreted);

const char *bpf_prog_name(const struct bpf_prog *prog);

/* The member of a struct_ops type that it was loaded for; NULL: it is no such program. */
const char *bpf_prog_member(const struct bpf_prog *prog);

/* A call of a kfunc in a program, and what it was bound to at load. */
struct bpf_kfunc_site {
	u32 insn; /* index into the program as loaded */
	const char *kfunc; /* as the program calls it */
	const char *impl; /* what it gets; NULL: the call cannot be reached */
	/* member, "async" (timers, work queues), or both: "dispatch,async"; "" for other types */
	char from[64];
	char where[128]; /* "file.bpf.c:12", or "insn 7" without line information */
};

/* The call number @i, in the order of instructions; false when there are no more. */
bool bpf_prog_kfunc_site(const struct bpf_prog *prog, u32 i, struct bpf_kfunc_site *site);
/* Instructions executed by all programs so far. */
u64 bpf_insns_executed(void);

#endif
