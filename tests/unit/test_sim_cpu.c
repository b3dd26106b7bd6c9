// SPDX-License-Identifier: GPL-2.0-only
/*
 * Simulated CPUs: local clocks and causality, waiting, interrupts, timers, and on
 * which stacks they are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/base/hash.h"
#include "cpu_bodies.h"

#define MAX_LOG 20000
#define AT(ns) (SIM_BOOT_NS + (ns))

enum { INTERRUPT = 100, IPI_SEND = 10, IPI_LATENCY = 1000 };

static struct topology topo;
static u32 reschedules[MAX_CPUS];

static struct {
	u64 time;
	u32 cpu, what;
} records[MAX_LOG];
static u32 nr_records;

/* @what happened on this CPU, at its local clock. */
static void note(u32 what)
{
	assert_in_range(nr_records, 0, MAX_LOG - 1);
	records[nr_records].time = cpu_clock();
	records[nr_records].cpu = this_cpu->id;
	records[nr_records++].what = what;
}

static void check_note(u32 i, u64 time, u32 cpu, u32 what)
{
	assert_in_range(i, 0, nr_records - 1);
	assert_int_equal(records[i].time, time);
	assert_int_equal(records[i].cpu, cpu);
	assert_int_equal(records[i].what, what);
}

static void on_boot(void)
{
	assert_int_equal(sim_now(), SIM_BOOT_NS);
}

static void on_interrupt(enum cpu_irq irq)
{
	note(irq);
}

static void on_reschedule(void)
{
	reschedules[this_cpu->id]++;
}

static void on_interrupted(void)
{
	assert_int_not_equal(this_cpu->pending, 0);
}

static const struct cpu_ops test_ops = {
	.boot = on_boot,
	.interrupt = on_interrupt,
	.reschedule = on_reschedule,
	.run = run_body,
	.interrupted = on_interrupted,
};

static void machine(const char *spec, u64 seed)
{
	struct cost_table table = {
		.interrupt = INTERRUPT, .ipi_send = IPI_SEND, .ipi_latency = IPI_LATENCY,
	};
	char err[200];

	assert_int_equal(topology_parse(&topo, spec, err, sizeof(err)), 0);
	sim_init(seed);
	cpus_init(&topo, &table, &test_ops);
	memset(reschedules, 0, sizeof(reschedules));
	nr_records = 0;
}

static void machine_off(void)
{
	cpus_exit();
	bodies_off();
	sim_exit();
	topology_free(&topo);
}

/* --- local clocks ------------------------------------------------------- */

static u64 own_time[MAX_CPUS];

/* Random work; after each sync the shared log is touched. */
static void worker(void)
{
	u32 id = this_cpu->id;
	struct rng rng;

	rng_fork(&rng, 1, "work", id);
	own_time[id] = SIM_BOOT_NS;
	for (u32 i = 0; i < 200; i++) {
		for (u32 n = rng_below(&rng, 4); n; n--) {
			u64 ns = rng_below(&rng, 300);

			cpu_charge(ns);
			own_time[id] += ns;
			assert_int_equal(cpu_clock(), own_time[id]);
		}
		cpu_sync();
		assert_int_equal(this_cpu->debt, 0);
		assert_int_equal(this_cpu->id, id);
		assert_int_equal(sim_now(), own_time[id]);
		note(1);
	}
}

/* Everybody's accesses to shared state happen in the order of time. */
static void test_causality(void **state)
{
	machine("64", 1);
	for (u32 i = 0; i < 64; i++)
		bodies[i] = worker;
	sim_run(SIM_NEVER);
	assert_int_equal(nr_records, 64 * 200);
	for (u32 i = 1; i < nr_records; i++)
		assert_true(records[i - 1].time <= records[i].time);
	machine_off();
}

static u64 causality_hash(u64 seed)
{
	struct hash64 h;

	machine("64", seed);
	for (u32 i = 0; i < 64; i++)
		bodies[i] = worker;
	sim_run(SIM_NEVER);
	hash64_init(&h, 0);
	hash64_add(&h, records, nr_records * sizeof(records[0]));
	machine_off();
	return hash64_value(&h);
}

static void test_determinism(void **state)
{
	u64 first = causality_hash(7);

	assert_int_equal(causality_hash(7), first);
	assert_int_not_equal(causality_hash(8), first);
}

static void endless(void)
{
	for (;;) {
		cpu_charge(100);
		cpu_sync();
		note(1);
	}
}

/* A CPU that never waits does not run past the end of a run, nor past a stop. */
static void test_end_of_run(void **state)
{
	machine("1", 1);
	bodies[0] = endless;
	sim_run(AT(1050));
	assert_int_equal(sim_now(), AT(1050));
	assert_int_equal(nr_records, 10);
	sim_run(AT(1100));
	assert_int_equal(sim_now(), AT(1100));
	assert_int_equal(nr_records, 10); /* 1100 is excluded */
	sim_run(AT(1101));
	assert_int_equal(nr_records, 11);
	machine_off();
}

static void stopper(void)
{
	for (u32 i = 0;; i++) {
		cpu_charge(100);
		cpu_sync();
		note(1);
		if (i == 4)
			sim_stop();
	}
}

static void test_stop(void **state)
{
	machine("1", 1);
	bodies[0] = stopper;
	sim_run(SIM_NEVER);
	assert_int_equal(nr_records, 5);
	assert_int_equal(sim_now(), AT(500));
	sim_run(AT(1000));
	assert_int_equal(nr_records, 9);
	machine_off();
}

/* --- waiting ------------------------------------------------------------ */

static void waiter(void)
{
	cpu_charge(300);
	wait_until(AT(1000)); /* the debt is part of it */
	note(1);
	cpu_charge(500);
	wait_until(AT(1200)); /* later than that already */
	note(2);
	cpu_poke(this_cpu);
	wait_until(AT(9000)); /* a poke that came before counts */
	note(3);
	wait_until(AT(9000)); /* once */
	note(4);
}

static void test_wait(void **state)
{
	machine("1", 1);
	bodies[0] = waiter;
	sim_run(SIM_NEVER);
	check_note(0, AT(1000), 0, 1);
	check_note(1, AT(1500), 0, 2);
	check_note(2, AT(1500), 0, 3);
	check_note(3, AT(9000), 0, 4);
	assert_int_equal(nr_records, 4);
	machine_off();
}

static void wait_long(void)
{
	wait_until(AT(10000));
	note(10);
	wait_until(AT(10000));
	note(11);
}

static void poker(void)
{
	wait_until(AT(2000));
	cpu_charge(50);
	cpu_poke(&cpus[0]); /* not synced: works from the local clock on */
	cpu_charge(100);
	cpu_poke(&cpus[0]); /* must not delay the first */
	wait_until(AT(3000));
}

static void test_poke(void **state)
{
	machine("2", 1);
	bodies[0] = wait_long;
	bodies[1] = poker;
	sim_run(SIM_NEVER);
	check_note(0, AT(2050), 0, 10);
	check_note(1, AT(10000), 0, 11);
	assert_int_equal(nr_records, 2);
	machine_off();
}

static void spinner(void)
{
	cpu_charge(7);
	cpu_spin_until(AT(5000));
	note(10);
	cpu_spin_until(SIM_NEVER);
	note(11);
	cpu_spin_until(AT(1)); /* in the past */
	note(12);
}

static void disturber(void)
{
	wait_until(AT(1000));
	cpu_raise(&cpus[0], IRQ_CALL);
	cpu_poke(&cpus[0]);
	wait_until(AT(7000));
	cpu_poke(&cpus[0]);
	wait_until(AT(8000));
	cpu_spin_wake(&cpus[0]);
	cpu_spin_wake(&cpus[1]); /* does not spin */
}

/* Interrupts are off while spinning: they are taken afterwards. */
static void test_spin(void **state)
{
	machine("2", 1);
	bodies[0] = spinner;
	bodies[1] = disturber;
	sim_run(SIM_NEVER);
	check_note(0, AT(5000), 0, 10);
	check_note(1, AT(8000), 0, 11);
	check_note(2, AT(8000), 0, 12);
	check_note(3, AT(8000 + INTERRUPT), 0, IRQ_CALL);
	assert_int_equal(nr_records, 4);
	machine_off();
}

/* --- interrupts --------------------------------------------------------- */

static void sender(void)
{
	cpu_charge(500);
	cpu_send_ipi(&cpus[0], IRQ_RESCHED);
	note(20);
}

static void test_ipi(void **state)
{
	u32 before;

	machine("2", 1);
	bodies[1] = sender;
	sim_run(AT(1500));
	before = reschedules[0];
	sim_run(SIM_NEVER);
	check_note(0, AT(500 + IPI_SEND), 1, 20);
	check_note(1, AT(500 + IPI_SEND + IPI_LATENCY + INTERRUPT), 0, IRQ_RESCHED);
	assert_int_equal(nr_records, 2);
	assert_int_equal(reschedules[0], before + 1);
	machine_off();
}

static void send_at_900(void)
{
	wait_until(AT(900));
	cpu_send_ipi(&cpus[0], IRQ_CALL);
}

static void send_at_400(void)
{
	cpu_charge(400);
	cpu_send_ipi(&cpus[0], IRQ_CALL);
	cpu_send_ipi(&cpus[0], IRQ_CALL);
	cpu_send_ipi(&cpus[0], IRQ_RESCHED); /* 20 ns later: another interrupt */
}

/* In flight or pending, one serves all; after it was taken, a new one is sent. */
static void test_ipi_coalescing(void **state)
{
	machine("3", 1);
	bodies[1] = send_at_900;
	bodies[2] = send_at_400;
	sim_run(SIM_NEVER);
	check_note(0, AT(400 + IPI_SEND + IPI_LATENCY + INTERRUPT), 0, IRQ_CALL);
	check_note(1, AT(400 + IPI_SEND + IPI_LATENCY + 2 * INTERRUPT), 0, IRQ_RESCHED);
	assert_int_equal(nr_records, 2);
	machine_off();
}

static void busy_with_interrupts_off(void)
{
	cpu_charge(5000);
	cpu_sync();
	note(30);
}

static void send_all_kinds(void)
{
	cpu_send_ipi(&cpus[0], IRQ_WORK);
	cpu_send_ipi(&cpus[0], IRQ_CALL);
	cpu_send_ipi(&cpus[0], IRQ_RESCHED);
}

/* What is pending together is taken together, lowest first, for one entry. */
static void test_interrupt_batch(void **state)
{
	machine("2", 1);
	bodies[0] = busy_with_interrupts_off;
	bodies[1] = send_all_kinds;
	sim_run(SIM_NEVER);
	check_note(0, AT(5000), 0, 30);
	check_note(1, AT(5000 + INTERRUPT), 0, IRQ_RESCHED);
	check_note(2, AT(5000 + INTERRUPT), 0, IRQ_CALL);
	check_note(3, AT(5000 + INTERRUPT), 0, IRQ_WORK);
	assert_int_equal(nr_records, 4);
	machine_off();
}

static void raise_self(void)
{
	cpu_charge(10);
	cpu_send_ipi(this_cpu, IRQ_WORK); /* free, at once */
	assert_int_equal(cpu_clock(), AT(10));
	wait_until(SIM_NEVER); /* it is pending: the debt is for later */
	assert_int_equal(cpu_clock(), AT(10));
}

static void test_self_ipi(void **state)
{
	machine("1", 1);
	bodies[0] = raise_self;
	sim_run(SIM_NEVER);
	check_note(0, AT(10 + INTERRUPT), 0, IRQ_WORK);
	machine_off();
}

/* --- timers ------------------------------------------------------------- */

static struct hrtimer timer_a, timer_b;

static void periodic(struct hrtimer *timer)
{
	note(40);
	if (nr_records < 5)
		hrtimer_start(timer, cpu_clock() - INTERRUPT + 1000);
}

static void arm_periodic(void)
{
	hrtimer_start(&timer_a, AT(1000));
	assert_true(hrtimer_active(&timer_a));
}

static void test_hrtimer(void **state)
{
	machine("2", 1);
	hrtimer_init(&timer_a, periodic);
	assert_false(hrtimer_active(&timer_a));
	assert_false(hrtimer_cancel(&timer_a));
	bodies[1] = arm_periodic;
	sim_run(SIM_NEVER);
	for (u32 i = 0; i < 5; i++)
		check_note(i, AT(1000 * (i + 1) + INTERRUPT), 1, 40);
	assert_int_equal(nr_records, 5);
	assert_false(hrtimer_active(&timer_a));
	machine_off();
}

static void fire_41(struct hrtimer *timer)
{
	note(41);
}

static void fire_42(struct hrtimer *timer)
{
	note(42);
	hrtimer_start(&timer_a, AT(9000)); /* moves it here: from CPU 0 to CPU 1 */
}

static void cancel_due_timer(void)
{
	hrtimer_start(&timer_a, AT(1000));
	hrtimer_start(&timer_b, AT(1001));
	cpu_spin_until(AT(2000));
	/* both have expired, none was handled */
	assert_true(hrtimer_active(&timer_a));
	assert_true(hrtimer_cancel(&timer_a));
	assert_false(hrtimer_cancel(&timer_a));
}

static void test_hrtimer_cancel_when_due(void **state)
{
	machine("1", 1);
	hrtimer_init(&timer_a, fire_41);
	hrtimer_init(&timer_b, fire_41);
	bodies[0] = cancel_due_timer;
	sim_run(SIM_NEVER);
	check_note(0, AT(2000 + INTERRUPT), 0, 41);
	assert_int_equal(nr_records, 1);
	machine_off();
}

static void test_hrtimer_moves(void **state)
{
	machine("2", 1);
	hrtimer_init(&timer_a, fire_41);
	hrtimer_init(&timer_b, fire_42);
	hrtimer_start_on(&timer_a, &cpus[0], AT(8000));
	hrtimer_start_on(&timer_b, &cpus[1], 5); /* the past is now */
	sim_run(SIM_NEVER);
	check_note(0, AT(INTERRUPT), 1, 42);
	check_note(1, AT(9000 + INTERRUPT), 1, 41);
	assert_int_equal(nr_records, 2);
	machine_off();
}

static void slow_handler(struct hrtimer *timer)
{
	cpu_charge(5000);
	cpu_sync();
	note(43);
}

/* The machine is switched off in the middle of a handler, with another timer due. */
static void test_exit_in_handler(void **state)
{
	machine("1", 1);
	hrtimer_init(&timer_a, slow_handler);
	hrtimer_init(&timer_b, slow_handler);
	hrtimer_start_on(&timer_a, &cpus[0], AT(1000));
	hrtimer_start_on(&timer_b, &cpus[0], AT(1000));
	bodies[0] = busy_with_interrupts_off;
	sim_run(AT(6000));
	assert_int_equal(nr_records, 1);
	machine_off();
	hrtimer_cancel(&timer_a);
	hrtimer_cancel(&timer_b);
}

/* --- fibers of tasks ---------------------------------------------------- */

static struct fiber *task_fiber, *cpu_fiber;

static void task_main(void *arg)
{
	for (u32 i = 0; i < 3; i++) {
		cpu_charge(1000);
		cpu_sync(); /* gives up virtual time from this stack */
		note(50);
		fiber_switch(cpu_fiber);
	}
	fiber_switch(cpu_fiber);
}

static void run_task(void)
{
	cpu_fiber = fiber_current();
	for (u32 i = 0; i < 3; i++) {
		fiber_switch(task_fiber);
		cpu_charge(10);
		cpu_sync();
		note(51);
	}
}

/* A task with a stack of its own on one CPU, while another CPU runs in between. */
static void test_task_fiber(void **state)
{
	machine("2", 1);
	task_fiber = fiber_new(task_main, NULL);
	bodies[0] = run_task;
	bodies[1] = endless;
	sim_run(AT(4000));
	for (u32 i = 0, n = 0; i < nr_records; i++) {
		if (records[i].cpu)
			continue;
		check_note(i, AT(1010 * (n / 2) + 1000 + 10 * (n % 2)), 0, 50 + n % 2);
		n++;
		assert_in_range(n, 1, 6);
	}
	assert_int_equal(nr_records, 6 + 39);
	machine_off();
	fiber_free(task_fiber);
	fiber_trim();
}

/* --- stacks ------------------------------------------------------------- */

static void *frames[MAX_CPUS][2];
static u32 turns[MAX_CPUS];

/* CPU 1 is in the middle of something from 0 to 500; all the others wait only. */
static void run_frame(void)
{
	u32 id = this_cpu->id;

	frames[id][turns[id] % 2] = __builtin_frame_address(0);
	if (!turns[id]++ && id == 1) {
		cpu_charge(500);
		cpu_sync();
		assert_ptr_equal(__builtin_frame_address(0), frames[1][0]);
	}
	cpu_wait_then(turns[id] < 2 ? AT(100 + id) : SIM_NEVER, idle, NULL);
}

/* Who waits has no stack: all use the one that was used last. */
static void test_stacks(void **state)
{
	static struct cpu_ops ops;

	memset(turns, 0, sizeof(turns));
	machine("8", 1);
	ops = test_ops;
	ops.run = run_frame;
	cpus_exit();
	cpus_init(&topo, &(struct cost_table){ 0 }, &ops);
	sim_run(AT(50));
	assert_null(cpus[0].fiber);
	assert_non_null(cpus[1].fiber);
	sim_run(AT(1000));
	assert_null(cpus[1].fiber);
	for (u32 i = 0; i < 8; i++) {
		assert_int_equal(turns[i], 2);
		if (i != 1)
			assert_ptr_equal(frames[i][1], frames[0][1]);
	}
	assert_ptr_not_equal(frames[1][0], frames[0][1]);
	machine_off();
}

/* --- payments ----------------------------------------------------------- */

static struct hrtimer payers[8][3];
static bool keeps_stack;

static void pay(void (*then)(void *arg), void *arg)
{
	if (!keeps_stack) {
		cpu_pay_then(then, arg);
		return;
	}
	cpu_sync();
	then(arg);
}

static void paid_twice(void *arg)
{
	assert_int_equal(this_cpu->debt, 0);
	note(30 + (u32)((struct hrtimer *)arg - payers[this_cpu->id]));
}

static void paid(void *arg)
{
	u32 id = this_cpu->id, n = (u32)((struct hrtimer *)arg - payers[id]);

	assert_int_equal(this_cpu->debt, 0);
	note(20 + n);
	if (n == 1)
		cpu_send_ipi(&cpus[(id + 1) % 8], IRQ_CALL);
	cpu_charge(40);
	pay(paid_twice, arg);
}

static void on_payer(struct hrtimer *timer)
{
	note(10 + (u32)(timer - payers[this_cpu->id]));
	cpu_charge(200);
	pay(paid, timer);
}

/* One timer alone, and then two at the same time, which are a batch. */
static void run_payers(bool keep)
{
	u32 nr_fibers = 0;

	keeps_stack = keep;
	machine("8", 1);
	for (u32 i = 0; i < 8; i++) {
		for (u32 n = 0; n < 3; n++) {
			hrtimer_init(&payers[i][n], on_payer);
			hrtimer_start_on(&payers[i][n], &cpus[i], AT(n ? 5000 : 1000 + 37 * i));
		}
	}
	sim_run(AT(1250));
	for (u32 i = 0; i < 8; i++)
		nr_fibers += cpus[i].fiber != NULL;
	assert_int_equal(nr_fibers != 0, keep);
	sim_run(AT(20000));
	machine_off();
}

/* They are as if the stack was kept, but for that it is not. */
static void test_payments(void **state)
{
	u32 nr, nr_before = 0;
	u64 hash;

	run_payers(true);
	nr = nr_records;
	hash = hash64(records, nr * sizeof(records[0]), 0);
	run_payers(false);
	/* three steps of each timer, and an IPI */
	assert_int_equal(nr_records, 8 * (3 * 3 + 1));
	assert_int_equal(nr, nr_records);
	assert_int_equal(hash64(records, nr * sizeof(records[0]), 0), hash);
	check_note(0, AT(1000 + INTERRUPT), 0, 10);
	/* others have come between the steps of a CPU */
	for (u32 i = 1; i < nr && records[i].cpu != 0; i++)
		nr_before++;
	assert_true(nr_before > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_causality),
		cmocka_unit_test(test_determinism),
		cmocka_unit_test(test_end_of_run),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_poke),
		cmocka_unit_test(test_spin),
		cmocka_unit_test(test_ipi),
		cmocka_unit_test(test_ipi_coalescing),
		cmocka_unit_test(test_interrupt_batch),
		cmocka_unit_test(test_self_ipi),
		cmocka_unit_test(test_hrtimer),
		cmocka_unit_test(test_hrtimer_cancel_when_due),
		cmocka_unit_test(test_hrtimer_moves),
		cmocka_unit_test(test_exit_in_handler),
		cmocka_unit_test(test_task_fiber),
		cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_payments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
