// SPDX-License-Identifier: GPL-2.0-only
/*
 * An experiment of src/control on the kernel that runs here. The kthread and the
 * generic worker are the module kthread_job's, the daemon is a process of ours;
 * timers and SchedBPF are the kernel's and the module schedbpf's. CPU time is what
 * the kernel's clock of each thread says; switches are those of /proc/stat.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../base/alloc.h"
#include "../../base/error.h"
#include "../../base/file.h"
#include "../../control/job.h"
#include "../../control/others.h"
#include "../../loader/facade.h"
#include "../../native/native.h"
#include "../run.h"
#include "guest.h"

#define GROUP "/job"
#define PROGRAMS "/sys/kernel/schedbpf"
#define DEBUGFS "/sys/kernel/debug"
#define KTHREAD_STATE DEBUGFS "/kthread_job/state"
#define KTHREAD_PID "/sys/module/kthread_job/parameters/pid"
#define MAX_TEXT (4u << 20)

static struct {
	struct control_setup setup;
	struct control_figures figures;
	struct job job;
	struct job_state *kthread_state; /* as it was when we last looked */
	pid_t pid; /* of the thread or process that does the job; 0: none has to */
	bool daemon, module; /* @pid is a child of ours; the module is there */
	struct others *others;
	struct control_sums before;
	struct json_object *groups;
	char err[4096];
} c;

static int fail(int code, const char *what)
{
	return vrt_error(c.err, sizeof(c.err), code, "%s: %s", what, strerror(-code));
}

/* --- small things --------------------------------------------------------- */

static u64 number_in(const char *file, const char *key)
{
	struct strbuf text = {};
	const char *at;
	u64 value;

	file_read(file, MAX_TEXT, &text);
	at = strstr(strbuf_str(&text), key);
	value = at ? strtoull(at + strlen(key), NULL, 10) : 0;
	strbuf_free(&text);
	return value;
}

static u64 cpu_time(pid_t pid)
{
	struct timespec ts = {};
	clockid_t clock;

	if (!pid || clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &ts))
		return 0;
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

static int set_nice(pid_t pid, s32 nice)
{
	return setpriority(PRIO_PROCESS, (id_t)pid, nice) ? fail(-errno, "setpriority()") : 0;
}

/* --- the kthread, and the generic worker ---------------------------------- */

static int start_kthread(void)
{
	int fd = open(RUN_BENCH_MODULE, O_RDONLY | O_CLOEXEC), err = fd < 0 ? -errno : 0;
	char params[64];

	snprintf(params, sizeof(params), "elements=%u period_ns=%llu prog_fd=%d", c.setup.elements,
		 c.setup.period, c.setup.variant == CONTROL_WORKER ? c.job.run_fd : -1);
	if (!err && syscall(SYS_finit_module, fd, params, 0))
		err = -errno;
	if (fd >= 0)
		close(fd);
	if (err)
		return fail(err, "the module kthread_job ('vrt vm module' builds it)");
	c.module = true;
	if (c.setup.variant == CONTROL_KTHREAD)
		c.kthread_state = xcalloc(1, sizeof(*c.kthread_state));
	c.pid = (pid_t)number_in(KTHREAD_PID, "");
	return set_nice(c.pid, c.setup.nice);
}

static void read_kthread_state(void)
{
	struct strbuf bytes = {};

	if (!file_read(KTHREAD_STATE, MAX_TEXT, &bytes) && bytes.len == sizeof(*c.kthread_state))
		memcpy(c.kthread_state, bytes.data, bytes.len);
	strbuf_free(&bytes);
}

/* --- the daemon ----------------------------------------------------------- */

/* Before there are other threads. */
static int start_daemon(void)
{
	u64 due;

	c.pid = fork();
	if (c.pid < 0) {
		c.pid = 0;
		return fail(-errno, "fork()");
	}
	c.daemon = c.pid > 0;
	if (c.pid)
		return set_nice(c.pid, c.setup.nice);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	due = kernel_now() + c.setup.period;
	for (;;) {
		native_run_until(due);
		if (job_run(&c.job, due))
			_exit(1);
		due = job_next(due, c.setup.period, kernel_now());
	}
}

/* --- the job -------------------------------------------------------------- */

static bool is_table(enum control_variant variant)
{
	return variant >= CONTROL_OWN;
}

/* Tables make their own group. */
static int make_group(void)
{
	struct json_object *settings = json_object_new_object(), *group = json_object_new_object();

	c.groups = json_object_new_array();
	json_object_object_add(group, "path", json_object_new_string(GROUP));
	json_object_object_add(group, "quota_ns", json_object_new_uint64(c.setup.quota));
	json_object_object_add(group, "period_ns", json_object_new_uint64(c.setup.quota_period));
	json_object_array_add(c.groups, group);
	json_object_object_add(settings, RUN_KEY_CGROUPS, c.groups);
	return cgroups_make(settings, c.err, sizeof(c.err));
}

static int limit(void)
{
	int err;

	if (!c.setup.quota || !c.pid || is_table(c.setup.variant))
		return 0;
	err = make_group();
	if (err)
		return err;
	err = cgroups_move(GROUP, c.pid);
	return err ? fail(err, "the job cannot be moved to its group") : 0;
}

static int load(void)
{
	struct loader_error error = {};

	if (c.setup.variant == CONTROL_NONE || c.setup.variant == CONTROL_KTHREAD)
		return 0;
	if (is_table(c.setup.variant) && beside_need_module(&error) != LOADER_OK)
		return vrt_error(c.err, sizeof(c.err), -ENOENT, "the job %s", error.message);
	return job_open(&c.job, &c.setup, c.err, sizeof(c.err));
}

static int start_job(void)
{
	const char *name = job_table_name(c.setup.variant, 0);
	char path[128];
	int err;

	if (c.setup.variant == CONTROL_KTHREAD || c.setup.variant == CONTROL_WORKER)
		return start_kthread();
	if (c.setup.variant == CONTROL_DAEMON)
		return start_daemon();
	if (c.setup.variant == CONTROL_NONE)
		return 0;
	err = job_start(&c.job, kernel_now(), c.err, sizeof(c.err));
	if (!err && name) {
		snprintf(path, sizeof(path), PROGRAMS "/%s/pid", name);
		c.pid = (pid_t)number_in(path, "");
	}
	return err;
}

static void stop_job(void)
{
	if (c.daemon) {
		kill(c.pid, SIGKILL);
		waitpid(c.pid, NULL, 0);
	}
	job_stop(&c.job);
	if (c.module)
		syscall(SYS_delete_module, "kthread_job", O_NONBLOCK);
	if (c.groups)
		cgroups_remove();
}

/* --- measuring ------------------------------------------------------------ */

static const struct job_state *state_of(void)
{
	if (c.kthread_state)
		read_kthread_state();
	return c.kthread_state ? c.kthread_state : c.job.state;
}

static void sum_up(struct control_sums *sums)
{
	const struct job_state *state = state_of();

	*sums = (struct control_sums){
		.clock = kernel_now(), .runs = state ? state->runs : 0,
		.switches = number_in("/proc/stat", "\nctxt "),
	};
	if (state)
		sums->job_cpu = c.setup.variant == CONTROL_TIMER ? state->took : cpu_time(c.pid);
	others_sum(c.others, &sums->others_cpu, &sums->others_work);
}

static void begin_window(void *arg)
{
	sum_up(&c.before);
	others_record(c.others, true);
}

static void end_window(void *arg)
{
	struct control_sums after;

	sum_up(&after);
	others_record(c.others, false);
	control_difference(&c.before, &after, &c.figures);
	if (c.kthread_state || c.job.state)
		job_figures(c.kthread_state ? c.kthread_state : c.job.state, c.before.runs,
			    &c.figures);
	c.figures.verified_insns = c.job.verified_insns;
}

/* The job first: what it is made of is to have no other threads around. */
static int measure(void)
{
	int err = load() ?: start_job() ?: limit();

	if (err)
		return err;
	/* we want to look when it is time */
	setpriority(PRIO_PROCESS, 0, -20);
	c.others = others_start(&c.setup, &err);
	if (!c.others)
		return fail(err, "no tasks");
	native_run_until(kernel_now() + c.setup.warmup);
	kernel_run_inside(begin_window, NULL);
	native_run_until(c.before.clock + c.setup.window);
	kernel_run_inside(end_window, NULL);
	return 0;
}

static void ignore(const struct trace_record *rec)
{
}

void control_main(int fd, struct json_object *settings)
{
	struct native_config config = {
		.nr_cpus = (u32)sysconf(_SC_NPROCESSORS_CONF), .record = ignore,
	};
	struct json_object *json;
	int err;

	control_setup_parse(settings, &c.setup);
	facade_host();
	mount("debugfs", DEBUGFS, "debugfs", 0, NULL); /* or it is there already */
	native_init(&config);
	err = cgroups_mount();
	err = err ? fail(err, "the guest's kernel has no cgroup v2") : measure();
	stop_job();
	native_exit();
	job_close(&c.job);
	if (err) {
		channel_send_text(fd, CHANNEL_ERROR, c.err);
		return;
	}
	others_delays(c.others, &c.figures.delay);
	json = control_figures_json(&c.figures);
	channel_send_text(fd, CHANNEL_END, json_object_to_json_string(json));
	json_object_put(json);
}
