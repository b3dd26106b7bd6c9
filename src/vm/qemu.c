// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU as a child process: an initramfs with the agent, a virtio port for what
 * we say to it, a serial console in a file for what its kernel says.
 *
 * No file outlives the child: initramfs and console are memfds that it inherits.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/strbuf.h"
#include "channel.h"
#include "cpio.h"
#include "internal.h"

#define BASE_MEMORY_MB 512
#define MEMORY_PER_CPU_MB 128
#define KVM_BOOT_TIMEOUT_MS 15000
#define MAX_ARGS 40

/* --- initramfs ---------------------------------------------------------------- */

static int read_agent(const char *path, struct strbuf *out, char *err, size_t err_size)
{
	char buf[65536];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return vrt_error(err, err_size, -errno,
				 "the agent for guests, %s, cannot be read: %s; it is built with "
				 "vrt, but not in builds with sanitizers",
				 path, strerror(errno));
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		strbuf_add(out, buf, (size_t)n);
	close(fd);
	return n ? vrt_error(err, err_size, -EIO, "%s: %s", path, strerror(errno)) : 0;
}

static int memfd_with(const char *name, const struct strbuf *content)
{
	int fd = memfd_create(name, 0);
	size_t done = 0;

	while (fd >= 0 && done < content->len) {
		ssize_t n = write(fd, content->data + done, content->len - done);

		if (n <= 0) {
			close(fd);
			return -1;
		}
		done += (size_t)n;
	}
	return fd;
}

/* A memfd without close-on-exec, or -errno. */
static int make_initramfs(const char *agent, char *err, size_t err_size)
{
	static const char *const dirs[] = { "dev", "proc", "sys", "tmp" };
	struct strbuf program = {}, archive = {};
	int fd = read_agent(agent, &program, err, err_size);

	if (!fd) {
		for (u32 i = 0; i < ARRAY_SIZE(dirs); i++)
			cpio_add(&archive, dirs[i], S_IFDIR | 0755, NULL, 0);
		cpio_add(&archive, "init", S_IFREG | 0755, program.data, program.len);
		cpio_end(&archive);
		fd = memfd_with("initramfs", &archive);
		if (fd < 0)
			fd = vrt_error(err, err_size, -errno, "no memory for an initramfs: %s",
				       strerror(errno));
	}
	strbuf_free(&program);
	strbuf_free(&archive);
	return fd;
}

/* --- the process ------------------------------------------------------------------ */

struct command {
	char *argv[MAX_ARGS];
	u32 argc;
};

static void arg(struct command *c, const char *text)
{
	VRT_ASSERT(c->argc < MAX_ARGS - 1);
	c->argv[c->argc++] = xstrdup(text);
}

__printf(2, 3) static void argf(struct command *c, const char *fmt, ...)
{
	struct strbuf sb = {};
	va_list args;

	va_start(args, fmt);
	strbuf_vprintf(&sb, fmt, args);
	va_end(args);
	arg(c, strbuf_str(&sb));
	strbuf_free(&sb);
}

static void free_command(struct command *c)
{
	while (c->argc)
		free(c->argv[--c->argc]);
}

static void make_command(struct command *c, const struct vm_config *config, enum vm_accel accel,
			 int initramfs, int console, int channel)
{
	u32 sockets = max(config->sockets, 1u), threads = max(config->threads, 1u);
	u32 memory = config->memory_mb ? config->memory_mb
				       : BASE_MEMORY_MB + config->cpus * MEMORY_PER_CPU_MB;

	arg(c, QEMU);
	arg(c, "-nodefaults");
	arg(c, "-no-user-config");
	arg(c, "-display");
	arg(c, "none");
	arg(c, "-no-reboot");
	arg(c, "-accel");
	/* a thread for each emulated CPU would be faster, but then kernels that patch their
	 * own code, as for every program that is attached, have been seen to crash on it */
	arg(c, accel == VM_ACCEL_KVM ? "kvm" : "tcg,thread=single");
	if (config->counted && accel == VM_ACCEL_TCG) {
		/* an instruction is 2^1 ns, and nobody waits where nobody computes */
		arg(c, "-icount");
		arg(c, "shift=1,sleep=off");
	}
	arg(c, "-cpu");
	arg(c, accel == VM_ACCEL_KVM ? "host" : "max");
	arg(c, "-smp");
	argf(c, "cpus=%u,sockets=%u,cores=%u,threads=%u", config->cpus, sockets,
	     config->cpus / (sockets * threads), threads);
	arg(c, "-m");
	argf(c, "%u", memory);
	arg(c, "-kernel");
	arg(c, config->kernel);
	arg(c, "-initrd");
	argf(c, "/proc/self/fd/%d", initramfs);
	arg(c, "-append");
	/* a busy host is late with the interrupts by which a kernel tries its timer, and gives up */
	arg(c, "console=ttyS0 panic=-1 oops=panic loglevel=4 no_timer_check rdinit=/init");
	arg(c, "-chardev");
	argf(c, "file,id=console,path=/proc/self/fd/%d", console);
	arg(c, "-serial");
	arg(c, "chardev:console");
	arg(c, "-device");
	arg(c, "virtio-serial-pci");
	arg(c, "-chardev");
	argf(c, "socket,id=channel,fd=%d", channel);
	arg(c, "-device");
	arg(c, "virtserialport,chardev=channel,name=" CHANNEL_PORT);
}

static int start_qemu(struct vm *vm, const struct vm_config *config, int initramfs, char *err,
		      size_t err_size)
{
	struct command c = {};
	int pair[2], ret;

	if (vm_open(vm, pair, err, err_size))
		return -EMFILE;
	make_command(&c, config, vm->accel, initramfs, vm->console, pair[1]);
	ret = vm_start(vm, c.argv, pair, err, err_size);
	free_command(&c);
	return ret;
}

/* --- coming up --------------------------------------------------------------------- */

static struct vm *boot_with(const struct vm_config *config, enum vm_accel accel, u32 timeout_ms,
			    char *err, size_t err_size)
{
	struct vm *vm = vm_new(accel);
	int initramfs = make_initramfs(config->agent, err, err_size), error = initramfs;

	if (initramfs >= 0) {
		error = start_qemu(vm, config, initramfs, err, err_size);
		close(initramfs);
	}
	if (initramfs >= 0 && !error)
		error = vm_wait_ready(vm, timeout_ms, err, err_size);
	if (initramfs >= 0 && !error)
		return vm;
	vm_shutdown(vm);
	return NULL;
}

/* Only trying tells: a host may have /dev/kvm and still not run a guest with it. */
struct vm *vm_boot(const struct vm_config *config, char *err, size_t err_size)
{
	u32 timeout = config->boot_timeout_ms ? config->boot_timeout_ms : VM_BOOT_TIMEOUT_MS;
	struct vm *vm = NULL;

	if (access(config->kernel, R_OK)) {
		vrt_error(err, err_size, -errno, "the kernel %s cannot be read: %s",
			  config->kernel, strerror(errno));
		return NULL;
	}
	if (config->accel != VM_ACCEL_TCG && !access("/dev/kvm", R_OK | W_OK))
		vm = boot_with(config, VM_ACCEL_KVM,
			       config->accel == VM_ACCEL_KVM ? timeout
							     : min(timeout, (u32)KVM_BOOT_TIMEOUT_MS),
			       err, err_size);
	else if (config->accel == VM_ACCEL_KVM)
		vrt_error(err, err_size, -errno, "KVM cannot be used here: /dev/kvm: %s",
			  strerror(errno));
	if (!vm && config->accel != VM_ACCEL_KVM)
		vm = boot_with(config, VM_ACCEL_TCG, timeout, err, err_size);
	return vm;
}
