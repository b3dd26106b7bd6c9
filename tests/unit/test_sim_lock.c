// SPDX-License-Identifier: GPL-2.0-only
/* Locks in virtual time: what they cost, who gets them when, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/sim/lock.h"
#include "cpu_bodies.h"

#define AT(ns) (SIM_BOOT_NS + (ns))
#define MAX_LOG 4000

enum { LOCK = 10, HANDOVER = 200 };

static struct topology topo;
static struct sim_lock lock, inner;
static u64 times[MAX_LOG];
static u32 owners[MAX_LOG], nr_records;

static void note(void)
{
	assert_in_range(nr_records, 0, MAX_LOG - 1);
	times[nr_records] = cpu_clock();
	owners[nr_records++] = this_cpu->id;
}

static void nothing(void)
{
}

static void no_interrupt(enum cpu_irq irq)
{
	fail();
}

static void machine(const char *spec, u64 seed)
{
	static const struct cpu_ops ops = {
		.boot = nothing, .interrupt = no_interrupt, .reschedule = nothing,
		.run = run_body, .interrupted = nothing,
	};
	struct cost_table table = {
		.lock = LOCK, .lock_handover = HANDOVER, .cacheline = { 0, 20, 50, 100, 140 },
	};
	char err[200];

	assert_int_equal(topology_parse(&topo, spec, err, sizeof(err)), 0);
	sim_init(seed);
	cpus_init(&topo, &table, &ops);
	sim_lock_init(&lock);
	sim_lock_init(&inner);
	nr_records = 0;
}

static void machine_off(void)
{
	cpus_exit();
	bodies_off();
	sim_exit();
	topology_free(&topo);
}

static void take_and_release(void)
{
	sim_lock(&lock);
	assert_true(sim_lock_held(&lock));
	note();
	sim_unlock(&lock);
	assert_false(sim_lock_held(&lock));
}

static void take_at_0(void)
{
	take_and_release();
	take_and_release();
}

static void take_at_1000(void)
{
	wait_until(AT(1000));
	take_and_release();
}

static void take_at_2000(void)
{
	wait_until(AT(2000));
	take_and_release();
}

static void take_at_3000(void)
{
	wait_until(AT(3000));
	take_and_release();
}

static void take_at_4000(void)
{
	wait_until(AT(4000));
	take_and_release();
}

/* Uncontended: by the distance from the last owner. */
static void test_uncontended_costs(void **state)
{
	/* CPU 8 is the sibling of 0; 2 shares the node, 1 the LLC; 4 is on the other node */
	machine("2x2x2x2", 1);
	bodies[0] = take_at_0;
	bodies[8] = take_at_1000;
	bodies[1] = take_at_2000;
	bodies[2] = take_at_3000;
	bodies[4] = take_at_4000;
	sim_run(SIM_NEVER);
	assert_int_equal(nr_records, 6);
	assert_int_equal(times[0], AT(LOCK)); /* nobody had it */
	assert_int_equal(times[1], AT(2 * LOCK)); /* had it last */
	assert_int_equal(times[2], AT(1000 + 20)); /* sibling */
	assert_int_equal(times[3], AT(2000 + 50)); /* the LLC */
	assert_int_equal(times[4], AT(3000 + 100)); /* the node */
	assert_int_equal(times[5], AT(4000 + 140)); /* remote */
	assert_int_equal(lock.contended, 0);
	machine_off();
}

static void hold_for_1000(void)
{
	take_and_release(); /* its line is here: AT(10) */
	sim_lock(&lock); /* AT(20) */
	cpu_charge(980);
	sim_unlock(&lock); /* at its local clock AT(1000), global now is earlier */
	assert_int_equal(cpu_clock(), AT(1000));
	note();
}

static void come_at_500(void)
{
	wait_until(AT(500));
	take_and_release();
}

/* The owner ran ahead and released in the future: the lock is free only then. */
static void test_release_in_the_future(void **state)
{
	machine("2", 1);
	bodies[0] = hold_for_1000;
	bodies[1] = come_at_500;
	sim_run(SIM_NEVER);
	assert_int_equal(times[2], AT(1000 + HANDOVER + 50));
	assert_int_equal(owners[2], 1);
	assert_int_equal(lock.contended, 1);
	assert_null(lock.owner);
	machine_off();
}

/* Arrives at 100 times its number, holds for 1000, syncing inside. */
static void queue_up(void)
{
	wait_until(AT(100 * this_cpu->id));
	sim_lock(&lock);
	note();
	cpu_charge(500);
	cpu_sync(); /* others may come meanwhile: none gets in */
	assert_ptr_equal(lock.owner, this_cpu);
	cpu_charge(500);
	sim_unlock(&lock);
}

static void test_fifo(void **state)
{
	machine("8", 3);
	for (u32 i = 1; i < 8; i++)
		bodies[i] = queue_up;
	sim_run(SIM_NEVER);
	assert_int_equal(nr_records, 7);
	assert_int_equal(times[0], AT(100 + LOCK));
	for (u32 i = 1; i < 7; i++) {
		assert_int_equal(owners[i], i + 1);
		/* released 1000 after it was noted, then the handover and the line */
		assert_int_equal(times[i], times[i - 1] + 1000 + HANDOVER + 50);
	}
	assert_int_equal(lock.contended, 6);
	machine_off();
}

static u64 ends[MAX_LOG];

static void contender(void)
{
	struct rng rng;

	rng_fork(&rng, 1, "contender", this_cpu->id);
	for (u32 i = 0; i < 100; i++) {
		u32 at;

		cpu_charge(rng_below(&rng, 2000));
		sim_lock(&lock);
		at = nr_records;
		note();
		cpu_charge(rng_below(&rng, 200));
		if (rng_below(&rng, 2))
			cpu_sync();
		cpu_charge(rng_below(&rng, 50));
		ends[at] = cpu_clock();
		sim_unlock(&lock);
	}
}

/* Whatever happens: critical sections never overlap in virtual time. */
static void test_mutual_exclusion(void **state)
{
	machine("32", 5);
	for (u32 i = 0; i < 32; i++)
		bodies[i] = contender;
	sim_run(SIM_NEVER);
	assert_int_equal(nr_records, 3200);
	for (u32 i = 1; i < nr_records; i++)
		assert_true(times[i] > ends[i - 1]);
	assert_true(lock.contended > 1000 && lock.contended < 3200);
	assert_null(lock.owner);
	machine_off();
}

static void try_at_500(void)
{
	wait_until(AT(500));
	assert_false(sim_trylock(&lock)); /* released, but only from 1000 on */
	assert_int_equal(cpu_clock(), AT(550)); /* looked at it */
	wait_until(AT(1000));
	assert_true(sim_trylock(&lock));
	assert_true(sim_lock_held(&lock));
	assert_int_equal(cpu_clock(), AT(1050));
	sim_unlock(&lock);
	assert_true(sim_trylock(&lock));
	assert_int_equal(cpu_clock(), AT(1050 + LOCK));
	sim_unlock(&lock);
	note();
}

static void test_trylock(void **state)
{
	machine("2", 1);
	bodies[0] = hold_for_1000;
	bodies[1] = try_at_500;
	sim_run(SIM_NEVER);
	assert_int_equal(owners[nr_records - 1], 1);
	assert_int_equal(lock.contended, 0);
	machine_off();
}

static void nest(void)
{
	sim_lock(&lock);
	cpu_charge(100);
	sim_lock(&inner); /* pays: global now moves while the outer one is held */
	assert_true(sim_lock_held(&lock) && sim_lock_held(&inner));
	cpu_charge(100);
	sim_unlock(&inner);
	sim_unlock(&lock);
	note();
}

static void test_nesting(void **state)
{
	machine("2", 1);
	bodies[0] = nest;
	bodies[1] = nest;
	sim_run(SIM_NEVER);
	assert_int_equal(nr_records, 2);
	/* the first: 10 + 100 + 10 + 100; the second waits for all of that */
	assert_int_equal(times[0], AT(220));
	assert_int_equal(times[1], AT(220 + HANDOVER + 50 + 100 + 50 + 100));
	assert_int_equal(inner.contended, 0);
	machine_off();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uncontended_costs),
		cmocka_unit_test(test_release_in_the_future),
		cmocka_unit_test(test_fifo),
		cmocka_unit_test(test_mutual_exclusion),
		cmocka_unit_test(test_trylock),
		cmocka_unit_test(test_nesting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
