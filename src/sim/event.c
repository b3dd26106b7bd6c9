// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event queue: a radix heap, in which the cost of an event does not depend
 * on how many others are queued.
 *
 * Times are looked at as numbers in a mixed radix. An event is in the level of
 * the highest digit in which its time differs from @base, in the slot of that
 * digit: level 0 has a slot for each of the nanoseconds that share all but the
 * lowest digit with @base, every level above has 64 slots, each of them as wide
 * as the level below. The earliest event is in the lowest level that is in use,
 * and there in the lowest slot. When it is taken its time becomes the base, and
 * what else is in its slot moves down. So an event moves once per level at most,
 * and most are in level 0 or 1 from the beginning.
 *
 * In a slot the events are a pairing heap, ordered by (time, order): mostly just
 * one, but a thousand CPUs that do something at the same time are no worse.
 *
 * Invariants: base <= now and base <= the time of every queued event; where an
 * event is follows from its time and the base alone; @first is the earliest, and
 * sim_clock.next is what event.h says after every change of the queue, because
 * CPUs decide by it alone whether they may run on.
 */
#include "internal.h"

#define FINE_BITS 12
#define NR_FINE (1U << FINE_BITS)
#define COARSE_BITS 6
#define NR_COARSE (1U << COARSE_BITS)
#define NR_LEVELS DIV_ROUND_UP(64 - FINE_BITS, COARSE_BITS) /* of coarse slots */

/* Stands for the first of an empty queue. */
static struct event none = { .time = SIM_NEVER };

static struct {
	u64 base;
	struct event *first;
	/* which are not empty, by bit */
	u64 fine_words;
	u32 levels;
	u64 fine_used[NR_FINE / 64];
	u64 coarse_used[NR_LEVELS];
	struct event *fine[NR_FINE];
	struct event *coarse[NR_LEVELS][NR_COARSE];
} queue __attribute__((aligned(64))) = { .first = &none };

static u32 sequence, tie_seed;
static u64 limit = SIM_NEVER; /* what is not before this does not fire: the run's end; 0: stop */
static bool running;
static u64 scouted; /* event_scout() has looked so far */

struct sim_clock sim_clock;
struct rng sim_rng;

/* --- pairing heaps ------------------------------------------------------------ */

static inline bool earlier(const struct event *a, const struct event *b)
{
	return a->time != b->time ? a->time < b->time : a->order < b->order;
}

static inline void link_at(struct event **at, struct event *ev)
{
	*at = ev;
	ev->at = at;
}

/* The later of two heaps becomes the first child of the other, which is returned. */
static __attribute__((noinline)) struct event *meld(struct event *a, struct event *b)
{
	if (earlier(b, a)) {
		struct event *swap = a;

		a = b;
		b = swap;
	}
	b->next = a->child;
	if (b->next)
		b->next->at = &b->next;
	link_at(&a->child, b);
	return a;
}

static inline void heap_add(struct event **heap, struct event *ev)
{
	link_at(heap, likely(!*heap) ? ev : meld(*heap, ev));
}

/* One heap of @list, whose members are linked by next: in pairs, then those from the last on. */
static struct event *meld_list(struct event *list)
{
	struct event *pairs = NULL, *heap;

	while (list) {
		struct event *a = list, *b = a->next;

		list = b ? b->next : NULL;
		if (b)
			a = meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	heap = pairs;
	pairs = heap->next;
	while (pairs) {
		struct event *next = pairs->next;

		heap = meld(heap, pairs);
		pairs = next;
	}
	heap->next = NULL;
	return heap;
}

/* Takes @ev out of the heap that it is in. */
static inline void heap_del(struct event *ev)
{
	struct event *instead = ev->next;

	if (ev->child) {
		instead = meld_list(ev->child);
		ev->child = NULL;
		instead->next = ev->next;
		if (ev->next)
			ev->next->at = &instead->next;
	}
	*ev->at = instead;
	if (instead)
		instead->at = ev->at;
	ev->next = NULL;
	ev->at = NULL;
}

/* --- slots ---------------------------------------------------------------------- */

static inline u32 level_of(u64 time)
{
	return (u32)(63 - __builtin_clzll(time ^ queue.base) - FINE_BITS) / COARSE_BITS;
}

static inline u32 digit_of(u64 time, u32 level)
{
	return (u32)(time >> (FINE_BITS + level * COARSE_BITS)) % NR_COARSE;
}

static inline bool is_fine(u64 time)
{
	return (time ^ queue.base) < NR_FINE;
}

static __attribute__((noinline)) void put_coarse(struct event *ev)
{
	u32 level = level_of(ev->time), digit = digit_of(ev->time, level);

	heap_add(&queue.coarse[level][digit], ev);
	queue.coarse_used[level] |= 1ULL << digit;
	queue.levels |= 1U << level;
}

static inline void put(struct event *ev)
{
	u32 slot = ev->time % NR_FINE;

	if (unlikely(!is_fine(ev->time))) {
		put_coarse(ev);
		return;
	}
	queue.fine_used[slot / 64] |= 1ULL << slot % 64;
	queue.fine_words |= 1ULL << slot / 64;
	heap_add(&queue.fine[slot], ev);
}

static inline void fine_emptied(u32 slot)
{
	u32 word = slot / 64;

	queue.fine_used[word] &= ~(1ULL << slot % 64);
	if (!queue.fine_used[word])
		queue.fine_words &= ~(1ULL << word);
}

static inline void coarse_emptied(u32 level, u32 digit)
{
	queue.coarse_used[level] &= ~(1ULL << digit);
	if (!queue.coarse_used[level])
		queue.levels &= ~(1U << level);
}

static inline void take(struct event *ev)
{
	u64 time = ev->time;

	heap_del(ev);
	if (likely(is_fine(time))) {
		u32 slot = (u32)time % NR_FINE;

		if (!queue.fine[slot])
			fine_emptied(slot);
	} else {
		u32 level = level_of(time), digit = digit_of(time, level);

		if (!queue.coarse[level][digit])
			coarse_emptied(level, digit);
	}
}

/* Puts the members of a heap, and those that @list is followed by, where they belong now. */
static void spread(struct event *list)
{
	while (list) {
		struct event *ev = list, *last = ev->child;

		list = ev->next;
		if (last) {
			while (last->next)
				last = last->next;
			last->next = list;
			list = ev->child;
		}
		ev->next = ev->child = NULL;
		put(ev);
	}
}

static inline void find_first(void)
{
	if (likely(queue.fine_words)) {
		u32 word = __builtin_ctzll(queue.fine_words);

		queue.first = queue.fine[word * 64 + __builtin_ctzll(queue.fine_used[word])];
	} else if (queue.levels) {
		u32 level = __builtin_ctz(queue.levels);

		queue.first = queue.coarse[level][__builtin_ctzll(queue.coarse_used[level])];
	} else {
		queue.first = &none;
	}
}

/* The first, of a coarse slot, out of the queue: what else is in the slot goes where it belongs. */
static __attribute__((noinline)) void take_first_coarse(struct event *ev)
{
	u32 level = level_of(ev->time), digit = digit_of(ev->time, level);
	struct event *rest = ev->child;

	ev->child = NULL;
	ev->at = NULL;
	queue.coarse[level][digit] = NULL;
	coarse_emptied(level, digit);
	queue.base = ev->time;
	spread(rest);
}

/* --- the queue -------------------------------------------------------------------- */

static inline void update_next(void)
{
	sim_clock.next = min(queue.first->time, limit);
}

/* A number for each place in the sequence, another one with another seed (MurmurHash3's mixing). */
static inline u32 tie_of(u32 seq)
{
	u32 tie = seq ^ tie_seed;

	tie = (tie ^ tie >> 16) * 0x85ebca6b;
	tie = (tie ^ tie >> 13) * 0xc2b2ae35;
	return tie ^ tie >> 16;
}

void event_add(struct event *ev, u64 time)
{
	struct event *first = queue.first;

	VRT_ASSERT(time >= sim_clock.now && time != SIM_NEVER);
	if (unlikely(ev->at))
		take(ev);
	else if (unlikely(first == &none))
		queue.base = sim_clock.now;
	ev->time = time;
	ev->order = (u64)tie_of(sequence) << 32 | sequence;
	sequence++;
	put(ev);
	if (unlikely(first == ev))
		find_first();
	else if (earlier(ev, first))
		queue.first = ev;
	else
		return;
	update_next();
}

void event_del(struct event *ev)
{
	if (!ev->at)
		return;
	take(ev);
	if (queue.first == ev) {
		find_first();
		update_next();
	}
}

/* The earliest event, out of the queue, with the clock at its time, which is the new base. */
static inline struct event *take_first(void)
{
	struct event *ev = queue.first;
	u64 time = ev->time;

	if (likely(is_fine(time))) {
		take(ev);
		queue.base = time;
	} else {
		take_first_coarse(ev);
	}
	sim_clock.now = time;
	sim_clock.fired++;
	find_first();
	update_next();
	return ev;
}

static inline bool first_is_due(void)
{
	return queue.first->time < limit;
}

const struct event *event_first(void)
{
	return first_is_due() ? queue.first : NULL;
}

struct event *event_take_first(void)
{
	return take_first();
}

bool event_scout(u64 *when)
{
	/* level 0 is what is looked at: what is later will be there when its time is near */
	u64 end = queue.base | (NR_FINE - 1);
	u64 time = max(scouted, sim_clock.now) + 1;

	while (time <= end) {
		u32 slot = time % NR_FINE;
		u64 used = queue.fine_used[slot / 64] >> slot % 64;

		if (!used) {
			time = (time | 63) + 1;
			continue;
		}
		time += __builtin_ctzll(used);
		prefetch(queue.fine[time % NR_FINE]);
		scouted = *when = time;
		return true;
	}
	scouted = end;
	return false;
}

const struct event *event_at(u64 time)
{
	return time >= sim_clock.now && is_fine(time) ? queue.fine[time % NR_FINE] : NULL;
}

void sim_init(u64 seed)
{
	sim_exit();
	rng_init(&sim_rng, seed);
	sim_clock = (struct sim_clock){ .now = SIM_BOOT_NS };
	sequence = 0;
	scouted = 0;
	tie_seed = (u32)(rng_next(&sim_rng) >> 32);
	update_next();
}

void sim_exit(void)
{
	VRT_ASSERT(!running);
	while (queue.first != &none) {
		take(queue.first);
		find_first();
	}
	update_next();
}

void sim_run(u64 until)
{
	VRT_ASSERT(!running);
	running = true;
	limit = until;
	update_next();
	while (first_is_due()) {
		struct event *ev = take_first();

		ev->fire(ev);
	}
	if (limit && until != SIM_NEVER && until > sim_clock.now)
		sim_clock.now = until;
	running = false;
	limit = SIM_NEVER;
	update_next();
}

void sim_stop(void)
{
	if (running)
		limit = 0;
	update_next();
}
