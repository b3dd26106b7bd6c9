// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event queue: a radix heap, in which the cost of an event does not depend
 * on how many others are queued.
 *
 * Times are looked at as numbers in a mixed radix. An event is in the level of
 * the highest digit in which its time differs from @base, in the slot of that
 * digit. Level 0 has the fine slots, one for each of the nanoseconds that share all
 * but the lowest digit with @base. The slots of the levels above are coarse, as wide
 * as the whole level below: the near ones in level 1, and 256 in each of the far
 * levels. The earliest event is in the lowest level that is in use, and there in
 * the lowest slot. When it is taken its time becomes the base, and what else is in
 * its slot moves down. So an event moves once per level at most, and few do more
 * than twice.
 *
 * In a fine slot the events are a pairing heap, ordered by (time, order): mostly
 * just one, but a thousand CPUs that do something at the same time are no worse.
 * In a coarse slot there is no order but that the first is known, and events do not
 * touch each other (event_slot.h). That is what the sizes are about: with fewer fine
 * slots more events have to move down, but those who do are used soon after it, when
 * they still are in the host's caches.
 *
 * Invariants: base <= now and base <= the time of every queued event; where an
 * event is follows from its time and the base alone; @first is the earliest, and
 * sim_clock.next is what event.h says after every change of the queue, because
 * CPUs decide by it alone whether they may run on.
 */
#include "event_slot.h"
#include "internal.h"

#define FINE_BITS 11
#define NEAR_BITS 7
#define FAR_BITS 8
#define FAR_SHIFT (FINE_BITS + NEAR_BITS)
#define NR_FINE (1U << FINE_BITS)
#define NR_NEAR (1U << NEAR_BITS)
#define NR_FAR (1U << FAR_BITS) /* in each of the far levels */
#define NR_COARSE (NR_NEAR + DIV_ROUND_UP(64 - FAR_SHIFT, FAR_BITS) * NR_FAR)
#define NR_WORDS ((NR_FINE + NR_COARSE) / 64)

/* Stands for the first of an empty queue. */
static struct event none = { .time = SIM_NEVER };

static struct {
	u64 base;
	struct event *first;
	u64 words; /* of @used, that are not 0: by bit */
	u64 used[NR_WORDS]; /* slots that are not empty, the fine ones first: by bit */
	struct event *fine[NR_FINE];
} queue __attribute__((aligned(64))) = { .first = &none };

static struct slot coarse[NR_COARSE] __attribute__((aligned(64)));

static u32 sequence, tie_seed;
static u64 limit = SIM_NEVER; /* what is not before this does not fire: the run's end; 0: stop */
static bool running;
static u64 scouted; /* what is before this event_scout() has looked at */

struct sim_clock sim_clock;
struct rng sim_rng;

_Static_assert(NR_WORDS <= 64, "a bit for each word");

/* --- slots ------------------------------------------------------------------------ */

static inline bool is_fine(u64 time)
{
	return (time ^ queue.base) < NR_FINE;
}

/* The number of the coarse slot of a @time that is not fine. */
static inline u64 coarse_of(u64 time)
{
	u64 differs = (time ^ queue.base) >> FAR_SHIFT;
	u32 level;

	if (likely(!differs))
		return time >> FINE_BITS & (NR_NEAR - 1);
	level = (u32)(63 - __builtin_clzll(differs)) / FAR_BITS;
	return NR_NEAR + level * NR_FAR + (time >> (FAR_SHIFT + level * FAR_BITS) & (NR_FAR - 1));
}

static inline void mark_used(u64 slot)
{
	queue.used[slot / 64] |= 1ULL << slot % 64;
	queue.words |= 1ULL << slot / 64;
}

static inline void mark_empty(u64 slot)
{
	u64 used = queue.used[slot / 64] & ~(1ULL << slot % 64);

	queue.used[slot / 64] = used;
	if (!used)
		queue.words &= ~(1ULL << slot / 64);
}

static inline void put_coarse(struct event *ev, u64 time)
{
	u64 nr = coarse_of(time);
	struct slot *slot = &coarse[nr];

	if (slot->nr) {
		slot_add(slot, ev, time);
		return;
	}
	slot->nr = 1;
	set_first(slot, ev, time);
	mark_used(NR_FINE + nr);
}

/* @time is the event's, which is not looked at but for a fine slot that is in use, or a tie. */
static inline void put(struct event *ev, u64 time)
{
	u64 slot = time % NR_FINE;

	if (!is_fine(time)) {
		put_coarse(ev, time);
		return;
	}
	mark_used(slot);
	heap_add(&queue.fine[slot], ev);
}

static inline void coarse_emptied(u64 nr)
{
	coarse[nr] = (struct slot){};
	mark_empty(NR_FINE + nr);
}

static inline void take_coarse(struct event *ev)
{
	u64 nr = coarse_of(ev->time);
	struct slot *slot = &coarse[nr];

	slot_del(slot, ev);
	if (!slot->nr) {
		free_batches(slot->batches);
		coarse_emptied(nr);
	} else if (unlikely(has_too_many_holes(slot))) {
		slot_renew(slot);
	}
}

static inline void take(struct event *ev)
{
	u64 slot = ev->time % NR_FINE;

	if (unlikely(!is_fine(ev->time))) {
		take_coarse(ev);
		return;
	}
	heap_del(ev);
	if (!queue.fine[slot])
		mark_empty(slot);
}

static inline void find_first(void)
{
	u64 word, nr;

	if (unlikely(!queue.words)) {
		queue.first = &none;
		return;
	}
	word = (u64)__builtin_ctzll(queue.words);
	nr = word * 64 + (u64)__builtin_ctzll(queue.used[word]);
	if (nr < NR_FINE) {
		queue.first = queue.fine[nr];
	} else {
		struct slot *slot = &coarse[nr - NR_FINE];

		if (unlikely(!slot->first))
			slot_find_first(slot);
		queue.first = slot->first;
	}
}

static inline void put_down(struct slot *unused, struct event *ev, u64 time)
{
	put(ev, time);
}

/* What was in a coarse slot, @nr events, goes where it belongs now. */
static __attribute__((noinline)) void spread(struct batch *batches, u32 nr)
{
	u32 spread = empty_batches(batches, put_down, NULL);

	VRT_ASSERT(spread == nr);
}

/* The same for the heap below @first, which is taken. */
static __attribute__((noinline)) void spread_heap(struct event *first, u32 nr)
{
	struct event *list = first->child;

	first->child = NULL;
	for (; list; nr--) {
		struct event *ev = list;

		list = heap_list_pop(list);
		put(ev, ev->time);
	}
	VRT_ASSERT(!nr);
}

/* The first, of a coarse slot, out of the queue; its time is the new base. */
static __attribute__((noinline)) void take_first_coarse(struct event *ev)
{
	u64 nr = coarse_of(ev->time);
	struct slot *slot = &coarse[nr];
	struct batch *batches = slot->batches;
	u32 others = slot->nr - 1;
	bool heap = slot->heap;

	VRT_ASSERT(slot->first == ev);
	coarse_emptied(nr);
	queue.base = ev->time;
	ev->at = NULL;
	if (unlikely(heap))
		spread_heap(ev, others);
	else if (batches)
		spread(batches, others);
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

	VRT_ASSERT(time + 1 > sim_clock.now); /* SIM_NEVER + 1 is 0 */
	if (unlikely(ev->at))
		take(ev);
	ev->time = time;
	ev->order = (u64)tie_of(sequence) << 32 | sequence;
	sequence++;
	put(ev, time);
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

/* The earliest event, out of the queue; its time is the new base. */
static inline struct event *pop(void)
{
	struct event *ev = queue.first;

	if (likely(is_fine(ev->time))) {
		take(ev);
		queue.base = ev->time;
	} else {
		take_first_coarse(ev);
	}
	find_first();
	return ev;
}

/* The same, with the clock at its time. */
static inline struct event *take_first(void)
{
	struct event *ev = pop();

	sim_clock.now = ev->time;
	sim_clock.fired++;
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

static inline bool is_near(u64 time)
{
	return (time ^ queue.base) < 1ULL << FAR_SHIFT;
}

/* The first slot that is used, from @slot on; NR_WORDS * 64 when there is none. */
static inline u64 next_used(u64 slot)
{
	u64 word = slot / 64, used = queue.used[word] >> slot % 64, words;

	if (used)
		return slot + (u64)__builtin_ctzll(used);
	words = queue.words >> word >> 1;
	if (!words)
		return NR_WORDS * 64;
	word += 1 + (u64)__builtin_ctzll(words);
	return word * 64 + (u64)__builtin_ctzll(queue.used[word]);
}

/* And for what is before it: of a CPU or of a task, it will be looked at soon. */
static inline void ask_for(const struct event *ev)
{
	prefetch(ev);
	prefetch((const char *)ev - 64);
}

static inline u32 scout_out(struct scouted found[], u32 nr, u64 time, struct event *const *at)
{
	ask_for(*at);
	found[nr] = (struct scouted){ time, at };
	return nr + 1;
}

static inline u32 scout_slot(struct scouted found[], const struct slot *slot)
{
	u32 nr = 0;

	if (slot->first)
		nr = scout_out(found, nr, slot->time, &slot->first);
	for (const struct batch *batch = slot->batches; batch; batch = batch->next)
		for (const struct entry *e = batch->entries; e < batch->entries + batch->nr; e++)
			if (e->ev)
				nr = scout_out(found, nr, e->time, &e->ev);
	return nr;
}

u32 event_scout(struct scouted found[SCOUTS])
{
	u64 time = max(scouted, sim_clock.now + 1), slot;
	const struct slot *near;

	if (!is_near(time))
		return 0;
	slot = next_used(is_fine(time) ? time % NR_FINE : NR_FINE + coarse_of(time));
	if (slot < NR_FINE) {
		time = (queue.base & ~(u64)(NR_FINE - 1)) | slot;
		scouted = time + 1;
		return scout_out(found, 0, time, &queue.fine[slot]);
	}
	near = &coarse[slot - NR_FINE];
	/* when there are many, each of those times has a fine slot before it comes */
	if (slot >= NR_FINE + NR_NEAR || near->nr > SCOUTS || near->heap)
		return 0;
	scouted = (queue.base >> FAR_SHIFT << FAR_SHIFT) + ((slot - NR_FINE + 1) << FINE_BITS);
	return scout_slot(found, near);
}

const struct event *event_scouted(const struct scouted *event)
{
	return is_fine(event->time) ? queue.fine[event->time % NR_FINE] : *event->at;
}

void sim_init(u64 seed)
{
	sim_exit();
	rng_init(&sim_rng, seed);
	sim_clock = (struct sim_clock){ .now = SIM_BOOT_NS };
	queue.base = SIM_BOOT_NS;
	sequence = 0;
	scouted = 0;
	tie_seed = (u32)(rng_next(&sim_rng) >> 32);
	update_next();
}

void sim_exit(void)
{
	VRT_ASSERT(!running);
	while (queue.first != &none)
		pop();
	queue.base = 0; /* not after now */
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
