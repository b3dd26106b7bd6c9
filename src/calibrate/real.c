// SPDX-License-Identifier: GPL-2.0-only
/*
 * The experiments on the kernel that runs here, with what every process may do:
 * threads, futexes, its own affinity, and policies that ask for less.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "../base/error.h"
#include "probes.h"

#define FILE_SIZE 256
#define STACK_SIZE 65536
#define LINE_BATCH 100 /* trips */
#define LINE_BATCHES 500
#define LINE_SPINS 4096 /* of waiting, between two looks at the clock */
#define LINE_NS (500 * NSEC_PER_MSEC)

static cpu_set_t usable;
static int timer_fd, dir_fd;
static char file_name[64];
static pthread_t child;
static _Alignas(64) char child_stack[STACK_SIZE];

/* --- calls ---------------------------------------------------------------------------- */

static u64 real_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

static void real_relax(void)
{
	__asm__ volatile("" ::: "memory");
}

static void real_compute(u64 ns)
{
	u64 end = real_clock() + ns;

	while (real_clock() < end)
		;
}

static void real_locked(void)
{
	static u64 word;

	__atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
}

static void real_null_call(void)
{
	syscall(SYS_getppid);
}

static void real_yield(void)
{
	sched_yield();
}

static u64 real_switches(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return (u64)(usage.ru_nvcsw + usage.ru_nivcsw);
}

static void real_wait(struct probe_word *word, u32 old)
{
	while (__atomic_load_n(&word->value, __ATOMIC_ACQUIRE) == old)
		syscall(SYS_futex, &word->value, FUTEX_WAIT_PRIVATE, old, NULL, NULL, 0);
}

static u32 real_wake(struct probe_word *word)
{
	long woken;

	__atomic_fetch_add(&word->value, 1, __ATOMIC_ACQ_REL);
	woken = syscall(SYS_futex, &word->value, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	return woken > 0 ? (u32)woken : 0;
}

static void real_arm(u64 when)
{
	struct itimerspec spec = {
		.it_value = { (time_t)(when / NSEC_PER_SEC), (long)(when % NSEC_PER_SEC) },
	};

	timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static int real_open(void)
{
	return openat(dir_fd, file_name, O_RDONLY | O_CLOEXEC);
}

static void real_close(int fd)
{
	close(fd);
}

static void real_read(int fd)
{
	char buf[FILE_SIZE];
	ssize_t n = read(fd, buf, sizeof(buf));

	(void)n; /* only how long it takes */
}

/* --- threads ------------------------------------------------------------------------------ */

static int go_to(u32 cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static void *thread_main(void *arg)
{
	struct probe_thread *thread = arg;
	struct sched_param none = { .sched_priority = 0 };

	if (!go_to(thread->cpu) && !sched_setscheduler(0, thread->policy, &none))
		thread->fn(thread->arg);
	return NULL;
}

static bool real_start(struct probe_thread *thread)
{
	pthread_t *id = calloc(1, sizeof(*id));

	if (!id || pthread_create(id, NULL, thread_main, thread)) {
		free(id);
		return false;
	}
	thread->machine = id;
	return true;
}

static void real_join(struct probe_thread *thread)
{
	pthread_join(*(pthread_t *)thread->machine, NULL);
	free(thread->machine);
}

static void *end_at_once(void *arg)
{
	return NULL;
}

/* With a stack of ours: what is measured is no mmap(). */
static bool real_fork(void)
{
	pthread_attr_t attr;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, child_stack, sizeof(child_stack));
	err = pthread_create(&child, &attr, end_at_once, NULL);
	pthread_attr_destroy(&attr);
	return !err;
}

static void real_reap(void)
{
	pthread_join(child, NULL);
}

/* --- a cache line --------------------------------------------------------------------------- */

static _Alignas(64) u32 line;
static _Alignas(64) bool line_over;

/* False: the game is over. */
static bool await_line(u32 value)
{
	while (__atomic_load_n(&line, __ATOMIC_ACQUIRE) != value)
		if (__atomic_load_n(&line_over, __ATOMIC_RELAXED))
			return false;
	return true;
}

/* Waits for odd values, and makes them even. */
static void pong(void *arg)
{
	for (u32 value = 1; await_line(value); value += 2)
		__atomic_store_n(&line, value + 1, __ATOMIC_RELEASE);
}

/* A trip, from value @from on. False: the other one does not answer in time. */
static bool ping(u32 from, u64 deadline)
{
	u64 spins = 0;

	__atomic_store_n(&line, from, __ATOMIC_RELEASE);
	while (__atomic_load_n(&line, __ATOMIC_ACQUIRE) != from + 1) {
		if (!(++spins % LINE_SPINS) && real_clock() > deadline)
			return false;
	}
	return true;
}

/* The fastest batch of trips counts, which nobody has disturbed; 0: there was none. */
static u64 play(u64 deadline)
{
	u64 best = 0;
	u32 value = 1;

	if (!ping(value, deadline)) /* until the other one has begun */
		return 0;
	for (u32 i = 0; i < LINE_BATCHES; i++) {
		u64 start = real_clock();

		for (u32 k = 0; k < LINE_BATCH; k++)
			if (!ping(value += 2, deadline))
				return best;
		start = real_clock() - start;
		best = best ? min(best, start) : start;
	}
	return best;
}

/*
 * Each way the line is moved twice: to be read, and to be written by who has read
 * it. PROBE_NONE when the two CPUs do not run at the same time.
 */
static s64 real_line(u32 a, u32 b)
{
	struct probe_thread thread = { .fn = pong, .cpu = b, .policy = SCHED_OTHER };
	u64 best;

	line = 0;
	line_over = false;
	if (!real_start(&thread))
		return PROBE_NONE;
	best = play(real_clock() + LINE_NS);
	__atomic_store_n(&line_over, true, __ATOMIC_RELAXED);
	real_join(&thread);
	return best ? (s64)(best * 1000 / (4 * LINE_BATCH)) : PROBE_NONE;
}

/* --- the machine ------------------------------------------------------------------------------ */

static bool real_may_use(u32 cpu)
{
	return cpu < CPU_SETSIZE && CPU_ISSET(cpu, &usable);
}

static struct probe_ops real_ops = {
	.clock = real_clock, .relax = real_relax, .compute = real_compute, .locked = real_locked,
	.null_call = real_null_call, .yield = real_yield, .switches = real_switches,
	.wait = real_wait, .wake = real_wake, .arm = real_arm, .open = real_open,
	.close = real_close, .read = real_read, .start = real_start, .join = real_join,
	.fork = real_fork, .reap = real_reap, .line = real_line, .may_use = real_may_use,
};

static int make_file(char *err, size_t err_size)
{
	const char *dir = getenv("TMPDIR");
	char content[FILE_SIZE] = "";
	int fd;

	if (!dir || *dir != '/')
		dir = "/tmp";
	dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	snprintf(file_name, sizeof(file_name), "vrt-calibrate-%d", (int)getpid());
	fd = openat(dir_fd, file_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, content, sizeof(content)) != sizeof(content))
		return vrt_error(err, err_size, -errno, "%s/%s cannot be made: %s", dir, file_name,
				 strerror(errno));
	close(fd);
	return 0;
}

static int set_up(struct topology *topo, char *err, size_t err_size)
{
	s32 cpu;

	if (topology_parse(topo, "host", err, err_size))
		return -EINVAL;
	real_ops.topology = topo;
	if (sched_getaffinity(0, sizeof(usable), &usable))
		return vrt_error(err, err_size, -errno, "which CPUs may be used is not known: %s",
				 strerror(errno));
	cpu = probe_cpu(&real_ops);
	if (cpu < 0 || go_to((u32)cpu))
		return vrt_error(err, err_size, -EINVAL, "no CPU of this machine may be used");
	timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (timer_fd < 0)
		return vrt_error(err, err_size, -errno, "no timer: %s", strerror(errno));
	return make_file(err, err_size);
}

int calibrate_real(struct probe_figures *figures, char *err, size_t err_size)
{
	struct topology topo = {};
	int ret = set_up(&topo, err, err_size);

	if (!ret) {
		probes_run(&real_ops, figures);
		unlinkat(dir_fd, file_name, 0);
		close(dir_fd);
		close(timer_fd);
	}
	topology_free(&topo);
	return ret;
}
