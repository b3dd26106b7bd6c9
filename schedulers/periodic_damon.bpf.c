// SPDX-License-Identifier: GPL-2.0-only
/*
 * periodic_damon: which parts of a process's memory are in use, and how much, for a
 * price that does not depend on how much memory it has.
 *
 * It would take a look at every page to know. DAMON, Linux's data access monitor, looks
 * at one page of each region instead, and takes it for all of them. That is right when
 * the pages of a region are alike, so it sees to it that they are: regions that are side
 * by side and as much in use as each other become one, and each region is cut in two at
 * a random place, again and again. If the halves differ, they stay two. So there are many
 * small regions where it matters, and few large ones where nothing happens.
 *
 *	sample		every 5 ms: was the page of each region accessed since the last time?
 *			Then another page of it is taken, and its accessed bit cleared
 *	aggregate	every 20 samples: merge what is alike, tell what there is (the map
 *			"regions"), and split for the next time
 *
 * Times and limits, and what is merged and split, are as in DAMON (Linux,
 * Documentation/mm/damon/design.rst). There it is a kernel thread of its own; here it is a
 * program that anybody may change, and the thread is limited like any other task.
 *
 * Memory of tasks is modelled on the simulated machine alone, so that is where it runs.
 *
 * What to look for when it runs: what is in use is in "regions" after a few hundred
 * milliseconds, and again when it has moved. Of 16384 pages some 40 are looked at each
 * time, which takes a thousandth of a CPU or two.
 *
 *	vrt run eevdf --with periodic_damon -m 2 -w workloads/hot-pages.json \
 *		--watch regions=1s --print periodic.bss
 */
#include <vrt/mm.bpf.h>

#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define MAX_REGIONS 1000

const volatile u32 min_regions = 10; /* of them, 1 to MAX_REGIONS */
const volatile u32 max_regions = 200;
const volatile u32 samples = 20; /* until they are aggregated */
const volatile s32 pid = 0; /* of the process to look at; 0: the one with the most memory */

struct region {
	u32 start, end; /* pages; the last one is end - 1 */
	u32 page; /* stands for all of them until the next sample */
	u32 nr_accesses; /* samples at which it had been accessed */
	u32 last_nr_accesses;
	u32 age; /* aggregations for which that has hardly changed */
};

/* Merging and splitting read one half of it and write the other. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * MAX_REGIONS);
	__type(key, u32);
	__type(value, struct region);
} work SEC(".maps");

/* For everybody else: as of the last aggregation. */
struct told {
	u32 start, end, nr_accesses, age;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_REGIONS);
	__type(key, u32);
	__type(value, struct told);
} regions SEC(".maps");

s32 target; /* the process */
u32 nr_regions;
u64 nr_samples, nr_aggregations, nr_looks, nr_merged, nr_split;
static u32 half; /* of "work" that is in use */
static u32 nr_told;
static u32 hottest; /* the most nr_accesses of any since the last aggregation */

static struct region *region(u32 which, u32 i)
{
	u32 key = which * MAX_REGIONS + i;

	return i < MAX_REGIONS ? bpf_map_lookup_elem(&work, &key) : NULL;
}

static struct region *append(const struct region *r)
{
	struct region *to = region(!half, nr_regions);

	if (!to)
		return NULL;
	*to = *r;
	nr_regions++;
	return to;
}

/* --- sampling ----------------------------------------------------------------------- */

static void check_accesses(struct mm_struct *mm)
{
	u32 i;

	bpf_for(i, 0, nr_regions) {
		struct region *r = region(half, i);

		if (!r)
			break;
		if (bpf_mm_page_flags(mm, r->page) & MM_PAGE_YOUNG)
			r->nr_accesses++;
		if (r->nr_accesses > hottest)
			hottest = r->nr_accesses;
		nr_looks++;
	}
	nr_samples++;
}

/* For the next time. */
static void choose_pages(struct mm_struct *mm)
{
	u32 i;

	bpf_for(i, 0, nr_regions) {
		struct region *r = region(half, i);

		if (!r || r->start >= r->end)
			break;
		r->page = r->start + bpf_get_prandom_u32() % (r->end - r->start);
		bpf_mm_clear_flags(mm, r->page, MM_PAGE_YOUNG);
	}
}

/* --- aggregating ----------------------------------------------------------------------- */

static u32 difference(u32 a, u32 b)
{
	return a < b ? b - a : a - b;
}

/* Side by side, about as much in use, and not too large together: one. */
static bool merge_into(struct region *to, const struct region *r, u32 threshold, u32 limit)
{
	u64 pages = to->end - to->start, more = r->end - r->start;

	if (difference(to->nr_accesses, r->nr_accesses) > threshold || pages + more > limit ||
	    !(pages + more))
		return false;
	to->nr_accesses = (to->nr_accesses * pages + r->nr_accesses * more) / (pages + more);
	to->age = (to->age * pages + r->age * more) / (pages + more);
	to->end = r->end;
	nr_merged++;
	return true;
}

static void merge(u32 threshold, u32 limit)
{
	u32 i, nr = nr_regions;

	nr_regions = 0;
	bpf_for(i, 0, nr) {
		struct region *r = region(half, i), *to;

		if (!r)
			break;
		/* what was appended last */
		to = nr_regions ? region(!half, nr_regions - 1) : NULL;
		if (!to || !merge_into(to, r, threshold, limit))
			append(r);
	}
	half = !half;
}

/* In two, at a tenth to nine tenths. */
static void split(void)
{
	u32 i, nr = nr_regions, max = max_regions < MAX_REGIONS ? max_regions : MAX_REGIONS;

	nr_regions = 0;
	bpf_for(i, 0, nr) {
		struct region *r = region(half, i), *left, *right;
		u32 pages;

		if (!r)
			break;
		pages = (r->end - r->start) * (1 + bpf_get_prandom_u32() % 9) / 10;
		left = append(r);
		if (!left || !pages || nr > max / 2)
			continue;
		right = append(r);
		if (!right)
			continue;
		left->end = right->start = r->start + pages;
		nr_split++;
	}
	half = !half;
}

/* For how long has each been as it is? */
static void grow_older(u32 threshold)
{
	u32 i;

	bpf_for(i, 0, nr_regions) {
		struct region *r = region(half, i);

		if (!r)
			break;
		if (difference(r->nr_accesses, r->last_nr_accesses) > threshold)
			r->age = 0;
		else
			r->age++;
	}
}

static void tell(void)
{
	static const struct told nothing;
	u32 i, end = nr_regions > nr_told ? nr_regions : nr_told;

	bpf_for(i, 0, end) {
		const struct region *r = region(half, i);
		struct told told = nothing;
		u32 key = i;

		if (r && i < nr_regions)
			told = (struct told){ r->start, r->end, r->nr_accesses, r->age };
		bpf_map_update_elem(&regions, &key, &told, BPF_ANY);
	}
	nr_told = nr_regions;
}

static void begin_anew(void)
{
	u32 i;

	hottest = 0;
	bpf_for(i, 0, nr_regions) {
		struct region *r = region(half, i);

		if (!r)
			break;
		r->last_nr_accesses = r->nr_accesses;
		r->nr_accesses = 0;
	}
}

static void aggregate(u32 nr_pages)
{
	u32 threshold = hottest / 10; /* what counts as a difference */

	grow_older(threshold);
	merge(threshold, nr_pages / min_regions);
	tell();
	begin_anew();
	split();
	nr_aggregations++;
}

/* --- the process -------------------------------------------------------------------------- */

static s32 most_memory(void)
{
	struct task_struct *p;
	unsigned long most = 0;
	s32 found = 0;

	bpf_for_each(task, p, NULL, BPF_TASK_ITER_ALL_PROCS) {
		if (p->mm && p->mm->total_vm > most) {
			most = p->mm->total_vm;
			found = p->pid;
		}
	}
	return found;
}

/* As many regions as there must be, and nothing known of any. */
static void divide(u32 nr_pages)
{
	u32 i, nr = min_regions < MAX_REGIONS ? min_regions : MAX_REGIONS;

	half = nr_regions = 0;
	bpf_for(i, 0, nr) {
		struct region r = { .start = (u64)nr_pages * i / nr,
				    .end = (u64)nr_pages * (i + 1) / nr };

		if (r.start < r.end)
			append(&r);
	}
	half = 1;
}

static struct mm_struct *find_target(void)
{
	struct mm_struct *mm = mm_of_pid(target);

	if (mm)
		return mm;
	nr_regions = 0;
	target = pid ?: most_memory();
	return mm_of_pid(target);
}

SEC("struct_ops/damon_run")
int BPF_PROG(damon_run, struct bpf_periodic_ctx *tick)
{
	struct mm_struct *mm = find_target();

	if (!mm)
		return 0;
	if (nr_regions) {
		check_accesses(mm);
		if (nr_samples % samples == 0)
			aggregate(mm->total_vm);
	} else {
		divide(mm->total_vm);
	}
	choose_pages(mm);
	bpf_mm_drop(mm);
	return 0;
}

SEC(".struct_ops.link")
struct bpf_periodic_ops damon = {
	.run = (void *)damon_run,
	.period_ns = 5000000,
	.nice = 5,
	.name = "damon",
};
