/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running programs, inside the bpf room: the checked interpreter, and what
 * helpers and kfuncs may ask of it.
 *
 * Every register is a fat value: 64 bits, and the region of memory that it was
 * given as a pointer to. What a program may touch follows from where its
 * pointer came from, never from what happens to lie at an address. Pointers
 * keep their region through moves, additions, subtractions and spills to the
 * stack; any other operation makes them numbers. In memory other than the
 * stack pointers have no regions: kptr fields and fields of kernel objects
 * give loaded pointers new ones.
 *
 * The rules are weaker than the verifier's and never stronger: a program that
 * Linux's verifier accepts is never stopped here.
 */
#ifndef VRT_BPF_EXEC_H
#define VRT_BPF_EXEC_H

#include "../prog.h"

enum bpf_region_kind {
	REGION_NULL, /* a pointer that may be NULL, and is */
	REGION_CTX, /* the program's context */
	REGION_STACK, /* some frame of this run */
	REGION_MAP_PTR, /* a map itself: nothing to touch */
	REGION_MAP_VALUE,
	REGION_OBJECT, /* of the kernel: may be read, the rest is asked of struct_ops */
	REGION_ALLOC, /* allocated by a program, of a type of its own */
	REGION_MEM, /* plain memory that a helper has lent */
	REGION_PACKET,
	REGION_WALKED, /* read from a kernel object: perhaps a pointer. Loads never fault */
	REGION_ARENA, /* of 64 bits, 32 count. Loads and stores never fault */
	REGION_FUNC, /* a subprogram, for callbacks; the value is bpf_func_address() */
	REGION_SLOT, /* a dynptr or iterator on the stack: for its own functions only */
	REGION_PERCPU, /* a per-CPU variable: nothing to touch but through helpers */
};

/*
 * What is known of all pointers of one origin. The window is the part that can
 * be accessed as plain bytes; values with special fields have it around them.
 */
struct bpf_region {
	enum bpf_region_kind kind;
	const char *name; /* of the map, type, or helper that gave it */
	u32 size; /* of the whole; 0: differs from pointer to pointer */
	u32 window, window_size;
	bool readable, writable;
	const struct bpf_region *loads; /* what an 8-byte load gives; NULL: a number */
	struct bpf_map *map; /* map pointers and values; map-in-map: its template */
	const struct btf_record *record; /* special fields of values and objects */
	struct btf *btf; /* objects: their type */
	u32 btf_id;
	const struct bpf_region *values; /* map pointers: of lookup results */
	const struct bpf_kernel_var *var; /* per-CPU variables */
};

/*
 * A register. [base, base + rsize) may be read and wsize bytes of it written
 * without a question; everything else is decided by the region. A number has
 * no region, and sizes 0.
 */
struct bpf_reg {
	u64 v;
	u64 base;
	u32 rsize, wsize;
	const struct bpf_region *region;
};

/* Decoded instruction; one per slot of the original. */
struct bpf_ins {
	const void *op; /* label; the second slot of a 64-bit load: its value */
	u8 dst, src;
	s16 off;
	s32 imm;
};

/* A call's frame. Frame 0 is the main program's. */
struct bpf_frame {
	const struct bpf_ins *ret; /* where the caller goes on; NULL: leave the interpreter */
	struct bpf_prog *prog; /* the caller's (tail calls change it) */
	struct bpf_reg saved[4]; /* the caller's r6-r9 */
	u64 fat; /* stack slots that hold a pointer with its region */
	u32 may_goto; /* iterations left */
	u32 zeroed; /* bytes from the top that have been zeroed */
};

#define BPF_SLOTS (BPF_STACK_SIZE / 8)
#define BPF_CTX_AREA 128 /* room for a context of 64-bit arguments */
#define BPF_MAX_LOOP_ITERATIONS (8u << 20) /* BPF_MAX_LOOPS of Linux */
#define BPF_MAX_TAIL_CALLS 33
#define BPF_MAX_REFS 64

/*
 * One run of a program. From a pool: a run never allocates. What every run touches is in
 * the first three cache lines.
 */
struct bpf_exec {
	struct bpf_prog *entry; /* that was called */
	struct bpf_prog *prog; /* whose instructions are executed: tail calls change it */
	/* instructions until the counter must be looked at; below 0 once the run is stopped */
	s64 left;
	s64 granted; /* what left was when it was filled last */
	u64 budget;
	u64 epoch; /* bpf_rcu_epoch() when it began */
	struct list_head running; /* all runs, the oldest first */

	/*
	 * from here to the end mark, a cache line: zeroed together when a run begins. Of the rest
	 * jit_sp, lent, and the packet are put back by whoever has set them.
	 */
	u64 owed __cache_aligned; /* ns of calls that are not charged yet: see bpf_exec_settle() */
	u64 executed;
	const char *callee; /* the helper or kfunc that is called; NULL: none, or ask insn */
	u32 *lock; /* the bpf_spin_lock that is held */
	u32 callee_arg; /* its argument that is looked at, from 1; 0: none */
	u32 insn; /* where it is, at calls out and faults */
	u32 depth; /* of frames in use - 1 */
	u32 tail_calls;
	u32 nr_refs;
	u32 rcu_depth, preempt_depth;
	bool stopped; /* by a fault or exception: everybody returns at once */
	/* the end mark */

	u8 *stack __cache_aligned; /* in the kernel heap: BPF_MAX_FRAMES frames, the deepest first */
	const u8 *deepest; /* R10 of the last frame that there is room for */
	void *ctx;
	u64 ctx_size;
	void *jit_sp; /* compiled code: where to leave it through; NULL: it was not entered */
	struct bpf_exec *next; /* free ones */
	bool checked; /* interpreted: registers have regions, else all of them are numbers */
	bool preemptible; /* bpf_env->spend() and preempt() */

	struct bpf_reg *regs; /* if checked: of the innermost interpreter, at calls out of it */
	u64 ret; /* if stopped */
	const struct bpf_dynptr_state *lent; /* dynptrs of callbacks, on no stack: the last one */
	/* of programs on packets, else NULL: the frame, which the program sees from packet on */
	const void *frame, *packet, *packet_end;
	void *refs[BPF_MAX_REFS]; /* objects and samples that are acquired and not given back */
	struct bpf_frame frames[BPF_MAX_FRAMES];
	struct bpf_reg shadow[BPF_MAX_FRAMES * BPF_SLOTS]; /* regions of spilled pointers */
};

struct bpf_var_region {
	struct bpf_region region;
	struct bpf_var_region *next;
};

/* Arguments of a call, a bit for each: objects of the kernel that may not be there. */
struct bpf_call_doubts {
	u32 insn;
	u8 args;
};

/* What execution knows of a program beyond struct bpf_prog. */
struct bpf_prog_exec {
	struct bpf_ins *code;
	struct bpf_reg *consts; /* map pointers, map values, functions, variables */
	u32 nr_consts;
	struct bpf_region *map_regions; /* four per map, see interp/region.c */
	u32 nr_map_regions; /* maps that have them */
	struct bpf_var_region *var_regions; /* of per-CPU variables */
	const struct bpf_region *arena; /* of the one arena that it uses, or NULL */
	const struct bpf_kfunc_desc **kfuncs; /* called ones, by index */
	u32 nr_kfuncs;
	struct bpf_call_doubts *doubts; /* in the order of instructions */
	u32 nr_doubts;
};

extern const struct bpf_region bpf_region_ctx, bpf_region_stack, bpf_region_walked,
	bpf_region_null, bpf_region_func, bpf_region_packet, bpf_region_packet_end,
	bpf_region_percpu_alloc;

static inline void bpf_reg_number(struct bpf_reg *reg, u64 value)
{
	*reg = (struct bpf_reg){ .v = value };
}

/* A pointer to something that is only passed around: where v is base, it is as it was given. */
static inline void bpf_reg_opaque(struct bpf_reg *reg, const struct bpf_region *region, u64 value)
{
	*reg = (struct bpf_reg){ .v = value, .base = value, .region = region };
}

/* Such a pointer of that kind, to which nothing was added? */
static inline bool bpf_reg_is(const struct bpf_reg *reg, enum bpf_region_kind kind)
{
	return reg->region && reg->region->kind == kind && reg->v == reg->base;
}

/* --- running: interp.c, exec/run.c ---------------------------------------- */

/* The caller of the helper or kfunc that runs now; valid at its start. */
extern struct bpf_exec *bpf_exec_current;

/* Frees the pool; nothing may run. */
void bpf_exec_pool_exit(void);
/* Is any run in progress, sleeping and preempted ones included? */
bool bpf_exec_active(void);

/*
 * A run of @prog; end() charges what is left to charge and returns the program's
 * result. @preemptible: it is in task context (prog->preemptible).
 */
struct bpf_exec *bpf_exec_begin(struct bpf_prog *prog, bool preemptible);
u64 bpf_exec_end(struct bpf_exec *x, u64 ret);
/* The subprogram that starts at @insn, with up to 5 arguments. 0 when stopped. */
u64 bpf_exec_call(struct bpf_exec *x, u32 insn, const struct bpf_reg *args, u32 nr);
/* The same from a helper or kfunc: a callback in @func, which has been checked. */
u64 bpf_exec_callback(struct bpf_exec *x, u64 func, const struct bpf_reg *args, u32 nr);
/*
 * Programs on packets: @ctx is a struct __sk_buff or xdp_md. @frame begins with an
 * Ethernet header, @packet with what the program sees.
 */
u64 bpf_exec_run_packet(struct bpf_prog *prog, void *ctx, u32 ctx_size, const void *frame,
			const void *packet, const void *packet_end);

/* Argument @nr of the call, whose value is @v: with its region, if there are such. */
static inline struct bpf_reg bpf_exec_arg(const struct bpf_exec *x, u32 nr, u64 v)
{
	return x->checked ? x->regs[nr] : (struct bpf_reg){ .v = v, .base = v };
}

/*
 * The counter is used up: charges, and fills it again or stops the program.
 * True when stopped.
 */
bool bpf_exec_refill(struct bpf_exec *x);
/*
 * Charges the instructions so far and the ns that are owed for calls: before
 * every call that can see the clock, or what other CPUs do.
 */
void bpf_exec_settle(struct bpf_exec *x);
/* Adds @ns, and settles. */
void bpf_exec_charge(struct bpf_exec *x, u64 ns);
/*
 * A call out of the program. @timeless: the callee sees neither the clock nor what
 * other CPUs do, so that it may be charged later, with others.
 */
static inline void bpf_exec_charge_call(struct bpf_exec *x, u64 ns, bool timeless)
{
	x->owed += ns;
	if (!timeless)
		bpf_exec_settle(x);
}

/*
 * For kfuncs that sleep: may the caller? If not, it is stopped. And after that: the
 * instructions that it may execute without a sleep count from here.
 */
bool bpf_exec_may_sleep(struct bpf_exec *x);
void bpf_exec_slept(struct bpf_exec *x);

/* Ends the run where it is, with result @ret: everybody returns at once. */
void bpf_exec_stop(struct bpf_exec *x, u64 ret);
/* bpf_tail_call() with its arguments in @regs: true when x->prog is to go on from its start. */
bool bpf_exec_tail_call(struct bpf_exec *x, struct bpf_reg *regs);
/* The same of arguments that are right, without a result: NULL when there is none, or too many. */
struct bpf_prog *bpf_exec_tail_callee(struct bpf_exec *x, struct bpf_map *map, u32 index);
/* BPF_LD | BPF_ABS and IND at @pos: false beyond the packet. */
bool bpf_exec_load_packet(const struct bpf_exec *x, s64 pos, u32 size, u64 *value);
/* Calls nest too deep: stops. */
void bpf_exec_too_deep(struct bpf_exec *x);
/* A call of something that libbpf did not find and replaced, or of ours: stops. */
void bpf_exec_missing(struct bpf_exec *x, s32 poison);

/* Labels of the interpreter, by enum bpf_op, and the decoder. */
const void *const *bpf_interp_labels(void);
u64 bpf_interp(struct bpf_exec *x, const struct bpf_ins *pc, struct bpf_reg *regs, u32 stack);
void bpf_interp_decode(struct bpf_prog *prog);

/* Where the frame of @depth ends, which is what R10 is there. */
static inline u8 *bpf_exec_frame_top(const struct bpf_exec *x, u32 depth)
{
	return x->stack + (size_t)(BPF_MAX_FRAMES - depth) * BPF_STACK_SIZE;
}

/* What a REGION_FUNC register holds: looks like an address, is none. */
#define BPF_FUNC_BASE 0xffffffffc0000000ULL

static inline u64 bpf_func_address(u32 insn)
{
	return BPF_FUNC_BASE + (u64)insn * 8;
}

static inline u32 bpf_func_insn(u64 address)
{
	return (u32)((address - BPF_FUNC_BASE) / 8);
}

/* --- checked access: interp/access.c ---------------------------------------- */

enum bpf_access { ACCESS_READ, ACCESS_WRITE, ACCESS_RDWR };

/*
 * The slow paths of loads and stores: false when the program was stopped.
 * @size 1, 2, 4, 8. A load leaves the zero-extended value.
 */
bool bpf_exec_load(struct bpf_exec *x, struct bpf_reg *dst, const struct bpf_reg *base, s32 off,
		   u32 size);
bool bpf_exec_store(struct bpf_exec *x, const struct bpf_reg *base, s32 off, u32 size,
		    const struct bpf_reg *value);
/*
 * Memory for a helper or an atomic operation: @size bytes at @reg + @off, none
 * of them a special field. NULL when the program was stopped.
 */
void *bpf_exec_mem(struct bpf_exec *x, const struct bpf_reg *reg, s64 off, u64 size,
		   enum bpf_access access);
/* Memory for an atomic operation of @size bytes, which must be aligned. */
void *bpf_exec_atomic(struct bpf_exec *x, const struct bpf_reg *reg, s32 off, u32 size);
/* The special field of one of the types in @mask that @reg points at, or NULL when stopped. */
const struct btf_field *bpf_exec_field(struct bpf_exec *x, const struct bpf_reg *reg, u32 mask);
/*
 * The shadow of the @nr stack slots that @reg points at, which must be aligned;
 * NULL when stopped. Bit i of *@fat: slot i has one.
 */
struct bpf_reg *bpf_exec_slots(struct bpf_exec *x, const struct bpf_reg *reg, u32 nr, u64 *fat);
/* Says of slots that bpf_exec_slots() has returned whether their shadow counts. */
void bpf_exec_mark_slots(struct bpf_exec *x, const struct bpf_reg *reg, u32 nr, bool fat);
/* The shadow of the stack slot at @addr, which is on the stack of this run. */
static inline struct bpf_reg *bpf_exec_slot(struct bpf_exec *x, u64 addr)
{
	u64 pos = addr - (u64)x->stack;

	return &x->shadow[(BPF_MAX_FRAMES - 1 - pos / BPF_STACK_SIZE) * BPF_SLOTS +
			  pos % BPF_STACK_SIZE / 8];
}
/* A fault-safe read of kernel memory: what is not there reads as zero, and -EFAULT is returned. */
int bpf_probe_read(void *dst, u64 addr, u64 size);
/* Bytes that can be read from @addr in the object it lies in; 0: none. */
u64 bpf_probe_size(u64 addr);
/* The same two of the memory of simulated tasks. */
int bpf_probe_read_user(void *dst, u64 addr, u64 size);
u64 bpf_probe_user_size(u64 addr);

/* --- regions: interp/region.c ------------------------------------------------ */

void bpf_regions_init(struct bpf_prog *prog);
void bpf_regions_free(struct bpf_prog *prog);
void bpf_kernel_regions_exit(void);

/* Of a map of @prog, by its index in prog->maps. */
const struct bpf_region *bpf_region_map_ptr(const struct bpf_prog *prog, u32 index);
/* The same of a map that @prog has a pointer to; NULL if it cannot. */
const struct bpf_region *bpf_region_of_map(const struct bpf_prog *prog, const struct bpf_map *map);
/* Of objects of kernel type @btf_id. */
const struct bpf_region *bpf_region_kernel(u32 btf_id);
/* Plain memory that helpers lend, by what they call it. */
struct bpf_mem_regions {
	struct bpf_region rdwr, rdonly;
};
#define BPF_MEM_REGIONS(label)                                                                     \
	{                                                                                          \
		.rdwr = { .kind = REGION_MEM, .name = label, .readable = true, .writable = true }, \
		.rdonly = { .kind = REGION_MEM, .name = label, .readable = true },                 \
	}

/* These fill in a register for a pointer that may be NULL. */
void bpf_reg_map_value(struct bpf_reg *reg, const struct bpf_region *values, const void *value);
void bpf_reg_mem(struct bpf_reg *reg, const struct bpf_region *mem, const void *ptr, u32 size);
/* NULL that should have been a pointer into @origin (may be NULL). */
void bpf_reg_null(struct bpf_reg *reg, const struct bpf_region *origin);
/* To a kernel object of type @btf_id (0: not known), as arguments and results are. */
void bpf_reg_object(struct bpf_reg *reg, u32 btf_id, const void *ptr);
/* To the beginning, or inside, of an object that a program of this type allocated. */
void bpf_reg_alloc(struct bpf_reg *reg, const void *ptr);
/* What a load of the kptr field @f gives. */
void bpf_reg_kptr(struct bpf_reg *reg, const struct btf_field *f, u64 value);

/* Sets the window from the record: the largest stretch without special fields. */
void bpf_region_find_window(struct bpf_region *region);

/* addr_space_cast of a pointer into @prog's arena to a user-space address. */
u64 bpf_arena_user_address(const struct bpf_prog *prog, u64 ptr);

/* --- objects of programs' own types: kfuncs_alloc.c ----------------------------------- */

/* In front of each, in the kernel heap. */
struct bpf_alloc_header {
	u32 btf_obj_id, type_id; /* btf->obj.id */
	u32 size; /* of one; per-CPU objects have one per CPU, each rounded up to 8 */
	u32 refs; /* 0: dropped */
};

/* A zeroed object of struct @type_id with one reference, or NULL. */
void *bpf_alloc_new(struct btf *btf, u32 type_id, bool percpu);
/* The live object that @ptr points into, or NULL. */
struct bpf_alloc_header *bpf_alloc_find(const void *ptr);
/* Its region, which stays while any program runs. */
const struct bpf_region *bpf_alloc_region(const struct bpf_alloc_header *header);
/* Gives a reference back; with the last one the object goes, with all that its fields hold. */
void bpf_alloc_drop(struct bpf_alloc_header *header);
/* For bpf_exit(): forgets the types of objects that are left. */
void bpf_alloc_exit(void);
/* What a list head or tree holds goes, too. */
void bpf_graph_free(const struct btf_field *field, void *head);

/* --- references: exec/refs.c ---------------------------------------------------- */

/*
 * What a run has acquired, so that it can be given back when the run is
 * stopped: allocated objects, kernel objects, ring buffer samples.
 */
void bpf_ref_add(struct bpf_exec *x, void *ptr);
void bpf_ref_del(struct bpf_exec *x, const void *ptr);
void bpf_refs_release(struct bpf_exec *x);

/* --- stopping: exec/fault.c --------------------------------------------------- */

/*
 * Stops the run. @fmt is the rest of the message after "file.c:12: " and, in a
 * call, "bpf_loop: argument 2: ". Only the first fault of a run counts. Always
 * returns false.
 */
__printf(2, 3) bool bpf_exec_fault(struct bpf_exec *x, const char *fmt, ...);
/* The same for what no call is to blame for: the rest is all there is behind the line. */
__printf(2, 3) bool bpf_exec_fault_here(struct bpf_exec *x, const char *fmt, ...);
/* The same for an argument: @expected, and what it is instead. */
bool bpf_exec_refuse(struct bpf_exec *x, const struct bpf_reg *reg, const char *expected);
/* "map 'counts' value of 16 bytes"; what @reg points into. */
void bpf_reg_describe(const struct bpf_exec *x, const struct bpf_reg *reg, char *buf, size_t size);
/* The same without the size. */
void bpf_region_describe(const struct bpf_region *region, char *buf, size_t size);

#endif
