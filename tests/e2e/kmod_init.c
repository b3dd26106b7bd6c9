// SPDX-License-Identifier: GPL-2.0-only
/*
 * Process 1 of a guest that tries the module schedbpf: all of what is in
 * good/kmod.bpf.c, bad tables, and taking the module away under load. It judges
 * nothing: each line on the console is "=name value", and test_kmod.py knows what
 * to expect.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define MODULE "schedbpf"
#define OBJECT "/kmod.bpf.o"
#define PROGRAMS "/sys/kernel/schedbpf"
#define CGROUP "/sys/fs/cgroup"
#define MAX_LINKS 64

static struct bpf_link *links[MAX_LINKS];
static int nr_links;

__attribute__((format(printf, 1, 2))) static void tell(const char *fmt, ...)
{
	va_list args;

	printf("=");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	/* before the kernel has something to say to the same line, which it writes at once */
	tcdrain(STDOUT_FILENO);
}

/* --- files ---------------------------------------------------------------------- */

static void read_text(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(buf, 1, size - 1, f) : 0;

	buf[n] = '\0';
	if (n && buf[n - 1] == '\n')
		buf[n - 1] = '\0';
	if (f)
		fclose(f);
}

static const char *figure(const char *program, const char *name)
{
	static char buf[4096];
	char path[256];

	snprintf(path, sizeof(path), PROGRAMS "/%s/%s", program, name);
	read_text(path, buf, sizeof(buf));
	return buf;
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* The number after @key at the beginning of a line. */
static long long value_in(const char *path, const char *key)
{
	char line[1024];
	long long value = -1;
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ' ')
			value = atoll(line + strlen(key));
	if (f)
		fclose(f);
	return value;
}

/* Threads whose names begin with "bpf/". */
static int count_threads(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;
	int nr = 0;

	while (dir && (e = readdir(dir))) {
		char path[300], comm[64];

		snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
		read_text(path, comm, sizeof(comm));
		nr += !strncmp(comm, "bpf/", 4);
	}
	if (dir)
		closedir(dir);
	return nr;
}

/* What is there of ours: threads, directories. */
static void tell_left(const char *when)
{
	DIR *dir = opendir(PROGRAMS);
	struct dirent *e;
	int nr = 0;

	while (dir && (e = readdir(dir)))
		nr += e->d_name[0] != '.';
	if (dir)
		closedir(dir);
	tell("%s.threads %d", when, count_threads());
	tell("%s.directories %d", when, nr);
}

/* --- the module and its objects ------------------------------------------------------ */

static int load_module(void)
{
	int fd = open("/" MODULE ".ko", O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, "", 0))
		err = -errno;
	close(fd);
	return err;
}

/* It stays for as long as the kernel has not let go of the last map: after a grace period. */
static int remove_module(void)
{
	int err = -EBUSY;

	for (int i = 0; i < 600 && err; i++) {
		err = syscall(SYS_delete_module, MODULE, O_NONBLOCK) ? -errno : 0;
		if (err)
			usleep(10000);
	}
	return err;
}

static struct bpf_object *open_object(void)
{
	struct bpf_object *obj = bpf_object__open(OBJECT);

	if (!obj)
		tell("open %d", -errno);
	return obj;
}

/* 0 or -errno. */
static int attach(struct bpf_object *obj, const char *table)
{
	struct bpf_link *link = bpf_map__attach_struct_ops(
		bpf_object__find_map_by_name(obj, table));

	if (!link)
		return -errno;
	links[nr_links++] = link;
	return 0;
}

static void detach_all(void)
{
	while (nr_links)
		bpf_link__destroy(links[--nr_links]);
}

struct counts {
	unsigned long long inits, exits, managed, calls, chosen;
	unsigned long long at, busy, idle, busy_all, idle_all, backwards, queued, self, other_curr;
	long long found, not_found;
	struct {
		unsigned long long runs, missed, runtime, runtime_max, latency, latency_max;
		unsigned long long delay, throttled;
	} own;
};

static struct counts read_counts(struct bpf_object *obj)
{
	struct bpf_map *bss = bpf_object__find_map_by_name(obj, "kmod.bss");
	struct counts counts = {};
	int zero = 0;

	bpf_map__lookup_elem(bss, &zero, sizeof(zero), &counts, sizeof(counts), 0);
	return counts;
}

/* --- scenes --------------------------------------------------------------------------- */

static const char *const all[] = {
	"own", "left", "right", "managed", "chosen", "limited", "looking",
};
#define NR_ALL (sizeof(all) / sizeof(*all))

static void tell_program(const char *name)
{
	static const char *const figures[] = {
		"pid", "worker", "shared", "mode", "period_ns", "nice", "cgroup", "runs", "missed",
		"runtime_ns", "runtime_max_ns", "latency_ns", "latency_max_ns", "delay_ns", "cpu_ns",
	};

	for (unsigned int i = 0; i < sizeof(figures) / sizeof(*figures); i++)
		tell("%s.%s %s", name, figures[i], figure(name, figures[i]));
}

static void tell_proc(const char *name)
{
	char path[64], stat[1024];

	snprintf(path, sizeof(path), "/proc/%s/stat", figure(name, "pid"));
	read_text(path, stat, sizeof(stat));
	tell("%s.stat %s", name, stat);
}

/* From user space, as for any task. */
static void move(const char *name)
{
	char pid[32];

	snprintf(pid, sizeof(pid), "%s", figure(name, "pid"));
	mkdir(CGROUP "/moved", 0755);
	tell("move %d", write_text(CGROUP "/moved/cgroup.procs", pid));
	tell("renice %d", setpriority(PRIO_PROCESS, (id_t)atoi(pid), 12) ? -errno : 0);
	tell("moved.cgroup %s", figure(name, "cgroup"));
	tell("moved.nice %s", figure(name, "nice"));
	tell("moved.back %d", write_text(CGROUP "/cgroup.procs", pid));
	rmdir(CGROUP "/moved");
}

static void update(struct bpf_object *obj)
{
	struct bpf_map *next = bpf_object__find_map_by_name(obj, "next");
	struct bpf_map *busy = bpf_object__find_map_by_name(obj, "busy");
	long long runs = atoll(figure("own", "runs"));

	tell("update %d", bpf_link__update_map(links[0], next));
	usleep(500000);
	tell("updated.runs %lld", atoll(figure("own", "runs")) - runs);
	tell("updated.nice %s", figure("own", "nice"));
	tell("updated.period_ns %s", figure("own", "period_ns"));
	tell("updated.inits %llu", read_counts(obj).inits);
	tell("updated.exits %llu", read_counts(obj).exits);
	tell("update_name %d", bpf_link__update_map(links[0], busy));
}

static void tell_look(struct bpf_object *obj)
{
	struct counts c = read_counts(obj);

	tell("look.runs %s", figure("looking", "runs"));
	tell("look.at %llu", c.at);
	tell("look.one %llu", c.busy + c.idle);
	tell("look.idle %llu", c.idle);
	tell("look.all %llu", c.busy_all + c.idle_all);
	tell("look.backwards %llu", c.backwards);
	tell("look.queued %llu", c.queued);
	tell("look.self %llu", c.self);
	tell("look.other_curr %llu", c.other_curr);
	tell("look.found %lld", c.found);
	tell("look.not_found %lld", c.not_found);
	tell("look.own.runs %llu", c.own.runs);
	tell("look.own.runtime %llu", c.own.runtime);
	tell("look.own.latency_max %llu", c.own.latency_max);
	tell("look.own.throttled %lld", (long long)c.own.throttled);
	tell("look.own.now %s", figure("own", "runs"));
}

static void everything(void)
{
	struct bpf_object *obj = open_object();

	if (!obj)
		return;
	tell("load %d", bpf_object__load(obj));
	for (unsigned int i = 0; i < NR_ALL; i++)
		tell("attach.%s %d", all[i], attach(obj, all[i]));
	tell_left("attached");
	tell("remove_busy %d", syscall(SYS_delete_module, MODULE, O_NONBLOCK) ? -errno : 0);
	sleep(2);
	tell("quota_usec %lld", value_in(CGROUP "/limited/cpu.stat", "usage_usec"));
	tell("quota_periods %lld", value_in(CGROUP "/limited/cpu.stat", "nr_periods"));
	for (unsigned int i = 0; i < NR_ALL; i++)
		tell_program(all[i]);
	tell_proc("own");
	tell_proc("left");
	tell("managed.runs_seen %llu", read_counts(obj).managed);
	tell("managed.calls %llu", read_counts(obj).calls);
	tell("chosen.times %llu", read_counts(obj).chosen);
	tell_look(obj);
	move("left");
	update(obj);
	detach_all();
	tell("exits %llu", read_counts(obj).exits);
	tell("quota_left %d", access(CGROUP "/limited", F_OK) == 0);
	bpf_object__close(obj);
}

/* --- what is refused -------------------------------------------------------------------- */

static void bad_tables(void)
{
	static const char *const tables[] = {
		"period", "nice", "cgroup", "mode", "name", "quota", "disagree", "twice", "shared",
		"run", "init",
	};
	struct bpf_object *obj = open_object();

	if (!obj || bpf_object__load(obj))
		return;
	/* for those that are only bad beside another one */
	attach(obj, "left");
	for (unsigned int i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		char name[32];

		snprintf(name, sizeof(name), "bad_%s", tables[i]);
		tell("refused.%s %d", tables[i], attach(obj, name));
	}
	detach_all();
	bpf_object__close(obj);
}

/* --- load --------------------------------------------------------------------------------- */

/* Programs that never sleep and all others, killed with the process that has them. */
static void killed(void)
{
	int pipefd[2];
	char c;
	pid_t pid;

	if (pipe(pipefd))
		return;
	pid = fork();
	if (!pid) {
		struct bpf_object *obj = open_object();

		bpf_object__load(obj);
		for (unsigned int i = 0; i < NR_ALL; i++)
			attach(obj, all[i]);
		attach(obj, "busy");
		usleep(200000);
		if (write(pipefd[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	if (read(pipefd[0], &c, 1) == 1)
		tell("killed.threads_before %d", count_threads());
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(pipefd[0]);
	close(pipefd[1]);
}

/* Everything runs, and goes, and so does the module at once; then all again. */
static void under_load(int rounds)
{
	int err = 0;

	for (int i = 0; i < rounds && !err; i++) {
		killed();
		err = remove_module();
		if (!err)
			err = load_module();
	}
	tell("reload %d", err);
}

static void churn(int times)
{
	struct bpf_object *obj = open_object();
	int err = obj ? bpf_object__load(obj) : -1;

	for (int i = 0; i < times && !err; i++) {
		for (unsigned int t = 0; t < NR_ALL && !err; t++)
			err = attach(obj, all[t]);
		detach_all();
	}
	tell("churn %d", err);
	tell_left("churned");
	if (obj)
		bpf_object__close(obj);
}

static void mount_at(const char *type, const char *dir)
{
	mkdir(dir, 0755);
	mount(type, dir, type, 0, NULL);
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	mount_at("proc", "/proc");
	mount_at("sysfs", "/sys");
	mount_at("debugfs", "/sys/kernel/debug");
	mount_at("bpf", "/sys/fs/bpf");
	mount_at("cgroup2", CGROUP);
	write_text(CGROUP "/cgroup.subtree_control", "+cpu");
	tell("insmod %d", load_module());
	tell_left("fresh");
	everything();
	tell_left("gone");
	bad_tables();
	tell_left("refused_left");
	churn(10);
	under_load(3);
	tell_left("reloaded");
	tell("rmmod %d", remove_module());
	tell("tainted %lld", ({ char buf[32]; read_text("/proc/sys/kernel/tainted", buf, sizeof(buf));
				atoll(buf); }));
	tell("end 0");
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
