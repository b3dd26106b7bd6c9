// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files through which libbpf learns about kernel and machine (see facade.h).
 * Each is made when it is opened, as a memfd. What else lies in the places
 * where Linux speaks about itself is hidden, so that nothing depends on the
 * host and nothing is written to it.
 */
#include "facade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include "../base/cpumask.h"
#include "../base/strbuf.h"
#include "../bpf/btf/btf.h"

static u32 kernel_hz = 250;

static enum kernel_generation kernel_generation;

void facade_set_generation(enum kernel_generation generation)
{
	kernel_generation = generation;
}

void facade_set_hz(u32 hz)
{
	kernel_hz = hz;
}

/* --- contents ------------------------------------------------------------- */

static void make_btf(struct strbuf *sb)
{
	u32 size;
	const void *raw = bpf_kernel_btf_raw(&size);

	strbuf_add(sb, raw, size);
}

static void make_cpus(struct strbuf *sb)
{
	if (nr_cpu_ids > 1)
		strbuf_printf(sb, "0-%u\n", nr_cpu_ids - 1);
	else
		strbuf_puts(sb, "0\n");
}

static void make_config(struct strbuf *sb)
{
	static const char *const enabled[] = {
		"64BIT", "SMP", "BPF", "BPF_SYSCALL", "BPF_JIT", "BPF_EVENTS", "DEBUG_INFO_BTF",
		"CGROUPS", "CGROUP_BPF", "CGROUP_SCHED", "FAIR_GROUP_SCHED", "CFS_BANDWIDTH",
		"SCHED_CLASS_EXT", "EXT_GROUP_SCHED", "NO_HZ_COMMON", "HIGH_RES_TIMERS", "NUMA",
	};

	for (u32 i = 0; i < ARRAY_SIZE(enabled); i++)
		strbuf_printf(sb, "CONFIG_%s=y\n", enabled[i]);
	strbuf_printf(sb, "CONFIG_HZ_%u=y\nCONFIG_HZ=%u\n", kernel_hz, kernel_hz);
	strbuf_printf(sb, "CONFIG_NR_CPUS=%u\n", VRT_NR_CPUS);
	strbuf_puts(sb, "CONFIG_LOCALVERSION=\"-vruntime\"\n");
}

/* Every function of the kernel BTF, at an address that means nothing but is its own. */
static void make_kallsyms(struct strbuf *sb)
{
	const struct btf *btf = bpf_kernel_btf();
	u64 addr = 0xffffffff81000000ULL;
	const struct btf_type *t;

	for (u32 id = 1; id < btf->nr_types; id++) {
		t = btf_type_by_id(btf, id);
		if (BTF_INFO_KIND(t->info) != BTF_KIND_FUNC)
			continue;
		strbuf_printf(sb, "%llx T %s\n", (unsigned long long)addr,
			      btf_name(btf, t->name_off));
		addr += 16;
	}
}

/* --- paths ---------------------------------------------------------------- */

static const struct {
	const char *path;
	void (*make)(struct strbuf *sb);
} files[] = {
	{ "/sys/kernel/btf/vmlinux", make_btf },
	{ "/sys/devices/system/cpu/possible", make_cpus },
	{ "/sys/devices/system/cpu/online", make_cpus },
	{ "/proc/config.gz", make_config },
	{ "/proc/kallsyms", make_kallsyms },
};

/* Where Linux speaks about itself: all below, or the file of that name. */
static const char *const hidden[] = {
	"/boot", "/sys", "/proc/config.gz", "/proc/kallsyms", "/proc/version_signature",
};

static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && (path[len] == '/' || !path[len]);
}

/* Index into files[], -1: the host's, -ENOENT: hidden. */
#define PASS_ON (-1)
static int lookup(const char *path)
{
	u32 i;

	if (facade_is_host())
		return PASS_ON;
	for (i = 0; bpf_env && i < ARRAY_SIZE(files); i++)
		if (!strcmp(path, files[i].path))
			return (int)i;
	for (i = 0; i < ARRAY_SIZE(hidden); i++)
		if (is_below(path, hidden[i]))
			return -ENOENT;
	return PASS_ON;
}

/* A descriptor at the start of file @i, or -1 and errno. */
static int open_made(int i)
{
	struct strbuf content = {};
	int fd;

	fd = memfd_create("vruntime-file", MFD_CLOEXEC);
	if (fd < 0)
		return -1;
	files[i].make(&content);
	if (write(fd, strbuf_str(&content), content.len) != (ssize_t)content.len ||
	    lseek(fd, 0, SEEK_SET)) {
		close(fd);
		fd = -1;
	}
	strbuf_free(&content);
	return fd;
}

int facade_open(const char *path, int flags, ...)
{
	int i = lookup(path);
	mode_t mode;
	va_list args;

	if (i == PASS_ON) {
		va_start(args, flags);
		mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
		va_end(args);
		return open(path, flags, mode);
	}
	if (i >= 0 && (flags & O_ACCMODE) != O_RDONLY)
		i = -EACCES;
	if (i >= 0)
		return open_made(i);
	errno = -i;
	return -1;
}

FILE *facade_fopen(const char *path, const char *mode)
{
	int i = lookup(path), fd;
	FILE *file;

	if (i == PASS_ON)
		return fopen(path, mode);
	fd = facade_open(path, mode[0] == 'r' && !strchr(mode, '+') ? O_RDONLY : O_RDWR);
	if (fd < 0)
		return NULL;
	file = fdopen(fd, "r");
	if (!file)
		close(fd);
	return file;
}

void *facade_gzopen(const char *path, const char *mode)
{
	int i = lookup(path), fd;
	gzFile file;

	if (i == PASS_ON)
		return gzopen(path, mode);
	fd = facade_open(path, O_RDONLY);
	if (fd < 0)
		return NULL;
	file = gzdopen(fd, "r");
	if (!file)
		close(fd);
	return file;
}

int facade_access(const char *path, int mode)
{
	return facade_faccessat(AT_FDCWD, path, mode, 0);
}

int facade_faccessat(int dir, const char *path, int mode, int flags)
{
	int i = lookup(path);

	if (i == PASS_ON)
		return faccessat(dir, path, mode, flags);
	if (i >= 0 && mode & (W_OK | X_OK))
		i = -EACCES;
	if (i >= 0)
		return 0;
	errno = -i;
	return -1;
}

int facade_uname(struct utsname *name)
{
	if (facade_is_host())
		return uname(name);
	*name = (struct utsname){
		.sysname = "Linux",
		.nodename = "vruntime",
		.version = "#1 SMP",
		.machine = "x86_64",
	};
	snprintf(name->release, sizeof(name->release), "%s",
		 generation_release(kernel_generation));
	return 0;
}
