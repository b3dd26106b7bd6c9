/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel heap: the memory of the simulated kernel, at a fixed address, so
 * that every pointer a BPF program can see is the same in every run.
 *
 * The whole range is readable: a load from anywhere in it cannot fault. What
 * lies in it is typed and can be found from an interior pointer, which is how
 * run-time access checks know the bounds of what a program was given.
 *
 * The range is divided into spans of KHEAP_SPAN bytes. A span holds objects of
 * one type and one size class, or is part of one large object. Freed objects of
 * a span are reused last-in first-out; nothing depends on host addresses. What
 * is freed is overwritten with KHEAP_POISON (large objects with zeros), in
 * every build, so that a stale read has the same result everywhere.
 *
 * Not thread-safe: one kernel instance is one thread.
 */
#ifndef VRT_BASE_KHEAP_H
#define VRT_BASE_KHEAP_H

#include "util.h"

#define KHEAP_BASE 0x200000000000UL
#define KHEAP_SIZE (1UL << 37) /* address space; memory is used as touched */
#define KHEAP_SPAN (1UL << 16)
#define KHEAP_POISON 0x6b

/*
 * One per type of object, static in the room that owns the type.
 * @name: the BTF name of the struct, or a plain description in brackets.
 * @visible: bytes from the object's start that BPF may see; the rest is the
 *	runtime's own. 0: all of it.
 * @btf_id: type id in the kernel BTF, filled in by the bpf room; 0: untyped.
 * @writable: BPF programs may write all of it (map values, allocated objects).
 * @user: memory of a simulated task, not of the kernel: for bpf_probe_read_user().
 */
struct kheap_type {
	const char *name;
	u32 visible;
	u32 btf_id;
	bool writable;
	bool user;
};

struct kheap_object {
	void *base;
	u64 size; /* bytes asked for when it was allocated */
	const struct kheap_type *type;
};

/*
 * Reserves the range. Fails (-errno) if something else is mapped there.
 * Harmless when the heap is there already.
 */
int kheap_init(void);

/*
 * Zeroed memory, 16-byte aligned (64 when @size >= 64). NULL only when the
 * range is exhausted.
 */
void *kheap_alloc(const struct kheap_type *type, u64 size);
/* @obj is what kheap_alloc() returned, or NULL. */
void kheap_free(void *obj);

/*
 * A page-aligned range of @size bytes rounded up to spans, for a mapping of
 * the caller's (an array map's memfd). Reserved memory is inaccessible until
 * mapped over with MAP_FIXED; release gives it back readable and zero.
 */
void *kheap_reserve(const struct kheap_type *type, u64 size);
void kheap_release(void *range);

static inline bool kheap_contains(u64 addr, u64 size)
{
	return addr - KHEAP_BASE < KHEAP_SIZE && size <= KHEAP_SIZE - (addr - KHEAP_BASE);
}

/*
 * What is in a span, private to kheap.c and kheap_find(): half a cache line, in
 * host memory. A small object is a slot of a slab, the only one of its span.
 */
struct kheap_span {
	const struct kheap_type *type; /* NULL: nothing */
	u32 slot_size; /* 0: it is a part of a large object */
	u32 reciprocal; /* 2^32 / slot_size, rounded up; large: is it kheap_reserve()d? */
	union {
		struct {
			struct kheap_slab *slab;
			u16 *slots; /* see KHEAP_SLOT_LIVE */
		};
		struct { /* of the whole large object */
			void *base;
			u64 size;
		};
	};
};

/* Live slots: this, and how many bytes at its end were not asked for. */
#define KHEAP_SLOT_LIVE 0x8000

extern struct kheap_span *kheap_spans; /* NULL before kheap_init() */

/* Exact for every offset in a span: the error of the reciprocal stays below 1 / slot size. */
static inline u32 kheap_slot_of(const struct kheap_span *span, u64 offset)
{
	return (u32)((offset * span->reciprocal) >> 32);
}

/*
 * The live object that contains @addr. False when there is none. Two cache lines:
 * the span's, and the slot's. (Behind a slab's last slot lies one that is never live.)
 */
static inline bool kheap_find(const void *addr, struct kheap_object *obj)
{
	u64 offset = (u64)addr - KHEAP_BASE;
	const struct kheap_span *span;
	u32 slot;

	if (offset >= KHEAP_SIZE || !kheap_spans)
		return false;
	span = &kheap_spans[offset / KHEAP_SPAN];
	if (!span->type)
		return false;
	obj->type = span->type;
	if (!span->slot_size) {
		obj->base = span->base;
		obj->size = span->size;
		return (u64)addr - (u64)obj->base < obj->size;
	}
	offset %= KHEAP_SPAN;
	slot = kheap_slot_of(span, offset);
	if (!(span->slots[slot] & KHEAP_SLOT_LIVE))
		return false;
	offset -= slot * span->slot_size;
	obj->base = (char *)addr - offset;
	obj->size = span->slot_size - (span->slots[slot] & ~KHEAP_SLOT_LIVE);
	return offset < obj->size;
}

/* Bytes in live objects, bytes of spans in use, and live objects. */
struct kheap_stats {
	u64 live, spans, objects;
};
void kheap_stats(struct kheap_stats *stats);

#endif
