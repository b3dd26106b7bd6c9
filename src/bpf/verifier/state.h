/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the verifier knows at one instruction of one path: registers, stack
 * frames, references and sections. States are values: copied at branches, kept
 * at checkpoints (prune.c), never shared. state.c makes, copies and frees them.
 *
 * Names are those of Linux's <linux/bpf_verifier.h>, so that who knows it reads
 * on; flags of types are those of helpers.h, for arguments and registers alike.
 */
#ifndef VRT_BPF_VERIFIER_STATE_H
#define VRT_BPF_VERIFIER_STATE_H

#include "../helpers/helpers.h"
#include "tnum.h"

#define BPF_REG_SIZE 8
#define BPF_MAX_VAR_OFF (1 << 29) /* fixed and variable offsets of pointers stay below */
#define BPF_MAX_VAR_SIZ (1 << 29)
#define MAX_BPF_REG_NR __MAX_BPF_REG
#define BPF_REG_FP BPF_REG_10

/* The kind of a register's content; flags of helpers.h (PTR_MAYBE_NULL...) on top. */
enum bpf_reg_type {
	NOT_INIT, /* must not be read */
	SCALAR_VALUE,
	PTR_TO_CTX,
	CONST_PTR_TO_MAP, /* of struct bpf_map itself */
	PTR_TO_MAP_VALUE,
	PTR_TO_MAP_KEY, /* of callbacks of bpf_for_each_map_elem() */
	PTR_TO_STACK, /* off is relative to the top of frame number frameno */
	PTR_TO_PACKET_META, /* skb->data_meta */
	PTR_TO_PACKET, /* range bytes from here on are there */
	PTR_TO_PACKET_END,
	PTR_TO_FLOW_KEYS,
	PTR_TO_SOCKET,
	PTR_TO_SOCK_COMMON,
	PTR_TO_TCP_SOCK,
	PTR_TO_XDP_SOCK,
	PTR_TO_TP_BUFFER, /* of writable raw tracepoints */
	PTR_TO_BTF_ID, /* btf, btf_id: an object of the kernel, or (MEM_ALLOC) of the program */
	PTR_TO_MEM, /* mem_size bytes */
	PTR_TO_ARENA,
	PTR_TO_BUF, /* of BPF iterators: size checked when loaded */
	PTR_TO_FUNC, /* subprogno */
	CONST_PTR_TO_DYNPTR, /* argument of callbacks and global functions */
	__BPF_REG_TYPE_MAX,
};

/* What a byte of the stack holds. */
enum bpf_stack_slot_type {
	STACK_INVALID, /* nothing was stored */
	STACK_SPILL, /* a register, see spilled_ptr */
	STACK_MISC, /* something */
	STACK_ZERO,
	STACK_DYNPTR,
	STACK_ITER,
};

enum bpf_iter_state { BPF_ITER_STATE_INVALID, BPF_ITER_STATE_ACTIVE, BPF_ITER_STATE_DRAINED };

/*
 * A number, seen six ways. Each is right on its own; scalar_sync() (bounds.c)
 * makes them tell each other what they know. umin <= umax and so on hold always.
 */
struct bpf_scalar {
	struct tnum var_off;
	s64 smin_value, smax_value;
	u64 umin_value, umax_value;
	s32 s32_min_value, s32_max_value;
	u32 u32_min_value, u32_max_value;
};

/* In bpf_reg_state.id: the number is that of the same id plus off, a constant. */
#define BPF_ADD_CONST (1U << 31)

struct bpf_reg_state {
	u32 type; /* enum bpf_reg_type and flags */
	/* fixed part of a pointer's offset; scalars with BPF_ADD_CONST in their id: what was added */
	s32 off;
	union {
		/* PTR_TO_PACKET: bytes known to be there; < 0: AT_PKT_END, BEYOND_PKT_END */
		s32 range;
		struct { /* CONST_PTR_TO_MAP, PTR_TO_MAP_VALUE, PTR_TO_MAP_KEY */
			struct bpf_map *map_ptr;
			/* tells lookups in different inner maps of the same template apart */
			u32 map_uid;
		};
		struct { /* PTR_TO_BTF_ID; dynptr slices: PTR_TO_MEM below */
			struct btf *btf;
			u32 btf_id;
		};
		struct { /* PTR_TO_MEM */
			u32 mem_size;
			u32 dynptr_id; /* of slices: the dynptr they are from */
		};
		struct { /* STACK_DYNPTR slots and CONST_PTR_TO_DYNPTR */
			enum bpf_dynptr_type type;
			bool first_slot;
		} dynptr;
		struct { /* STACK_ITER slots */
			struct btf *btf;
			u32 btf_id;
			enum bpf_iter_state state;
			u32 depth; /* how often next was called, on this path */
		} iter;
		u32 subprogno; /* PTR_TO_FUNC */
		u64 raw[2]; /* all of it, to compare */
	};
	struct bpf_scalar s; /* a scalar; of pointers: the variable part of the offset */
	/*
	 * Registers with the same id came from the same place: the same maybe-NULL
	 * pointer, packet pointer with the same variable part, or equal number.
	 */
	u32 id;
	/* The reference that this pointer owns or was made from; 0: none. */
	u32 ref_obj_id;
	u32 frameno; /* PTR_TO_STACK */
	bool precise; /* scalars: the exact range mattered (precision.c) */
};

enum { AT_PKT_END = -1, BEYOND_PKT_END = -2 };

/* Eight bytes of stack: slot i covers fp-8*(i+1) .. fp-8*i-1; slot_type[7] is the lowest byte. */
struct bpf_stack_state {
	struct bpf_reg_state spilled_ptr; /* STACK_SPILL, STACK_DYNPTR, STACK_ITER */
	u8 slot_type[8];
};

/* What must be given back before the program ends, or the section that it is in. */
enum bpf_ref_state_type {
	REF_TYPE_PTR,
	REF_TYPE_LOCK, /* bpf_spin_lock */
};

struct bpf_reference_state {
	enum bpf_ref_state_type type;
	u32 id; /* of pointers: ref_obj_id; of locks: the register's id */
	u32 insn_idx; /* where it was acquired, for the message */
	const void *ptr; /* locks: the map or BTF that the lock is in */
};

struct bpf_retval_range {
	s32 minval, maxval;
};

struct bpf_func_state {
	struct bpf_reg_state regs[MAX_BPF_REG_NR];
	u32 callsite; /* the call instruction in the caller; BPF_MAIN_FUNC for frame 0 */
	u32 frameno;
	u32 subprogno;
	/* of asynchronous callbacks: counts registrations, so that each is verified */
	u32 async_entry_cnt;
	struct bpf_retval_range callback_ret_range;
	bool in_callback_fn, in_async_callback_fn, in_exception_callback_fn;
	/* log.c: what was written since the last checkpoint; of checkpoints: read behind them */
	u16 written_regs, read_regs;
	u64 written_slots, read_slots;
	/* at callback-calling instructions: how often the callback was entered */
	u32 callback_depth;
	u32 allocated_stack; /* bytes, multiple of 8 */
	struct bpf_stack_state *stack; /* allocated_stack / 8 */
};

#define BPF_MAIN_FUNC (~0U)

/* Registers and slots whose numbers an instruction tied together (precision.c unties them). */
struct linked_reg {
	u8 frameno;
	u8 regno; /* register number, or stack slot when !is_reg */
	bool is_reg;
};

#define LINKED_REGS_MAX 6
struct linked_regs {
	u32 cnt;
	struct linked_reg entries[LINKED_REGS_MAX];
};

/* An instruction that backtracking must know more of than its text tells. */
struct bpf_jmp_history_entry {
	u32 idx, prev_idx;
	u32 flags; /* INSN_F_* */
	struct linked_regs *linked; /* owned; NULL: none */
};

enum {
	INSN_F_FRAMENO_MASK = 7, /* stack access: of that frame */
	INSN_F_SPI_MASK = 0x3f, /* and slot */
	INSN_F_SPI_SHIFT = 3,
	INSN_F_STACK_ACCESS = 1 << 9,
	/* comparisons: that register points to the stack, so it is no number that matters */
	INSN_F_DST_REG_STACK = 1 << 10,
	INSN_F_SRC_REG_STACK = 1 << 11,
};

struct bpf_verifier_state {
	struct bpf_func_state *frame[BPF_MAX_FRAMES];
	struct bpf_verifier_state *parent; /* the checkpoint that this path went through last */
	struct bpf_reference_state *refs;
	u32 nr_refs;
	/*
	 * Paths that go on from here, this one included, and are not finished. A
	 * checkpoint with 0 is safe: whatever it covers need not be looked at again.
	 */
	u32 branches;
	u32 insn_idx;
	u32 curframe;
	u32 active_locks; /* of refs */
	u32 active_preempt_locks;
	bool active_rcu_lock;
	bool in_sleepable;
	u32 active_lock_id; /* REF_TYPE_LOCK that is held; 0: none */
	const void *active_lock_ptr;
	u32 first_insn_idx, last_insn_idx; /* of this piece of path */
	struct bpf_jmp_history_entry *jmp_history;
	u32 jmp_history_cnt;
	u32 dfs_depth;
	u32 callback_unroll_depth;
	u32 may_goto_depth;
	void *loop; /* prune.c's own */
};

static inline u32 base_type(u32 type)
{
	return type & 0xff;
}

static inline u32 type_flag(u32 type)
{
	return type & ~0xffU;
}

static inline bool type_may_be_null(u32 type)
{
	return type & PTR_MAYBE_NULL;
}

static inline bool type_is_pkt_pointer(u32 type)
{
	type = base_type(type);
	return type == PTR_TO_PACKET || type == PTR_TO_PACKET_META;
}

static inline bool type_is_alloc(u32 type)
{
	return type & MEM_ALLOC;
}

static inline bool register_is_null(const struct bpf_reg_state *reg)
{
	return reg->type == SCALAR_VALUE && tnum_equals_const(reg->s.var_off, 0);
}

static inline struct bpf_func_state *cur_func_of(const struct bpf_verifier_state *st)
{
	return st->frame[st->curframe];
}

/* --- state.c ---------------------------------------------------------------------- */

/* Memory of all states: from 0 on; what it is; the most that it was since. */
void state_books_open(void);
u64 state_bytes(void);
u64 state_peak_bytes(void);
struct bpf_verifier_state *state_new(void);
struct bpf_func_state *func_state_new(void);
void state_free(struct bpf_verifier_state *st);
/* What it owns, but not itself; its parent stays. */
void state_free_content(struct bpf_verifier_state *st);
/* All of @src but its parent and history of jumps; *@dst keeps nothing of what it was. */
void state_copy(struct bpf_verifier_state *dst, const struct bpf_verifier_state *src);
void func_state_free(struct bpf_func_state *func);
/* Makes room for the slots of @size bytes. */
void func_state_grow(struct bpf_func_state *func, u32 size);
struct bpf_reference_state *state_add_ref(struct bpf_verifier_state *st);
void state_del_ref(struct bpf_verifier_state *st, u32 index);
void state_clear_history(struct bpf_verifier_state *st);
void state_copy_history(struct bpf_verifier_state *dst, const struct bpf_verifier_state *src);
/* regs.c: */
struct bpf_func_state *new_frame(u32 callsite, u32 frameno, u32 subprog);
/* A new frame above the current one, of which nothing is known but its stack; it is not entered yet. */
struct bpf_func_state *push_frame(struct bpf_verifier_state *st, u32 callsite, u32 subprog);

static inline bool is_spilled_reg(const struct bpf_stack_state *slot)
{
	return slot->slot_type[7] == STACK_SPILL;
}

static inline bool is_spilled_scalar_reg(const struct bpf_stack_state *slot)
{
	return is_spilled_reg(slot) && slot->spilled_ptr.type == SCALAR_VALUE;
}

/* A number in all 8 bytes. */
static inline bool is_spilled_scalar_reg64(const struct bpf_stack_state *slot)
{
	return slot->slot_type[0] == STACK_SPILL && slot->spilled_ptr.type == SCALAR_VALUE;
}

static inline bool is_stack_slot_special(const struct bpf_stack_state *slot)
{
	return slot->slot_type[7] == STACK_SPILL || slot->slot_type[7] == STACK_DYNPTR ||
	       slot->slot_type[7] == STACK_ITER;
}

/* Every register of every frame, and every spilled one: @body with @reg_ and @frame_. */
#define bpf_for_each_spilled_reg_in(frame_, reg_, body)                                       \
	do {                                                                                  \
		for (u32 i__ = 0; i__ < (frame_)->allocated_stack / 8; i__++) {               \
			if (!is_spilled_reg(&(frame_)->stack[i__]))                           \
				continue;                                                     \
			(reg_) = &(frame_)->stack[i__].spilled_ptr;                           \
			body;                                                                 \
		}                                                                             \
	} while (0)

#define bpf_for_each_reg_in_vstate(st_, frame_, reg_, body)                                   \
	do {                                                                                  \
		for (u32 f__ = 0; f__ <= (st_)->curframe; f__++) {                            \
			(frame_) = (st_)->frame[f__];                                         \
			for (u32 r__ = 0; r__ < MAX_BPF_REG_NR; r__++) {                      \
				(reg_) = &(frame_)->regs[r__];                                \
				body;                                                         \
			}                                                                     \
			bpf_for_each_spilled_reg_in(frame_, reg_, body);                      \
		}                                                                             \
		(void)(frame_);                                                               \
	} while (0)

#endif
