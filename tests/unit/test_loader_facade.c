// SPDX-License-Identifier: GPL-2.0-only
/* What libbpf sees of the kernel: files, descriptors, mappings, and nothing of the host. */
#include "loader_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <zlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../../src/bpf/map.h"
#include "../../src/bpf/maps/ringbuf.h"
#include "../../src/loader/facade.h"

/* --- files ------------------------------------------------------------------ */

static size_t read_facade(const char *path, char *buf, size_t size)
{
	FILE *f = facade_fopen(path, "re");
	size_t n;

	assert_non_null(f);
	n = fread(buf, 1, size, f);
	fclose(f);
	return n;
}

static void test_kernel_btf(void **state)
{
	size_t size = vrt_kernel_btf_size();
	char *buf = malloc(size + 1);

	assert_int_equal(read_facade("/sys/kernel/btf/vmlinux", buf, size + 1), size);
	assert_memory_equal(buf, vrt_kernel_btf, size);
	free(buf);
	assert_int_equal(facade_faccessat(AT_FDCWD, "/sys/kernel/btf/vmlinux", F_OK, AT_EACCESS), 0);
}

static void test_cpus(void **state)
{
	char buf[64] = "";

	read_facade("/sys/devices/system/cpu/possible", buf, sizeof(buf));
	assert_string_equal(buf, "0-3\n");
	nr_cpu_ids = 1;
	memset(buf, 0, sizeof(buf));
	read_facade("/sys/devices/system/cpu/online", buf, sizeof(buf));
	assert_string_equal(buf, "0\n");
	nr_cpu_ids = NR_CPUS;
	assert_int_equal(libbpf_num_possible_cpus(), NR_CPUS);
}

static void test_config(void **state)
{
	struct utsname name;
	char path[256], buf[8192] = "";
	gzFile f;

	facade_set_generation(GENERATION_6_12);
	facade_uname(&name);
	assert_string_equal(name.release, "6.12.0-vruntime");
	facade_set_generation(GENERATION_7_0);
	facade_uname(&name);
	assert_string_equal(name.release, "7.0.0-vruntime");
	/* the host may have one of that name */
	snprintf(path, sizeof(path), "/boot/config-%s", name.release);
	assert_null(facade_gzopen(path, "re"));
	facade_set_hz(1000);
	f = facade_gzopen("/proc/config.gz", "re");
	assert_non_null(f);
	assert_true(gzread(f, buf, sizeof(buf) - 1) > 0);
	gzclose(f);
	assert_non_null(strstr(buf, "\nCONFIG_HZ=1000\n"));
	assert_non_null(strstr(buf, "\nCONFIG_SCHED_CLASS_EXT=y\n"));
	facade_set_hz(250);
	read_facade("/proc/config.gz", buf, sizeof(buf));
	assert_non_null(strstr(buf, "\nCONFIG_HZ=250\n"));
}

static void test_kallsyms(void **state)
{
	static char buf[1 << 20];

	read_facade("/proc/kallsyms", buf, sizeof(buf) - 1);
	assert_non_null(strstr(buf, " T scx_bpf_kick_cpu\n"));
	assert_int_equal(strncmp(buf, "ffffffff81000000 T ", 19), 0);
}

static void test_host_is_hidden(void **state)
{
	errno = 0;
	assert_int_equal(facade_open("/sys/kernel/tracing/kprobe_events", O_WRONLY | O_APPEND), -1);
	assert_int_equal(errno, ENOENT);
	assert_null(facade_fopen("/sys/devices/system/cpu/present", "r"));
	assert_int_equal(facade_access("/proc/version_signature", R_OK), -1);
	errno = 0;
	assert_int_equal(facade_open("/sys/kernel/btf/vmlinux", O_RDWR), -1);
	assert_int_equal(errno, EACCES);
	errno = 0;
	assert_int_equal(facade_syscall(__NR_perf_event_open, 0, 0, 0, 0, 0), -1);
	assert_int_equal(errno, ENOSYS);
	/* /system is not below /sys */
	errno = 0;
	assert_int_equal(facade_open("/system-of-nobody", O_CREAT | O_EXCL | O_DIRECTORY, 0600), -1);
	assert_int_not_equal(errno, EACCES);
}

static void test_other_files_are_the_hosts(void **state)
{
	const char *path = write_file("plain", "hello", 5);
	char buf[8] = "";
	int fd = facade_open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, buf, sizeof(buf)), 5);
	assert_string_equal(buf, "hello");
	assert_int_equal(facade_close(fd), 0);
	assert_int_equal(facade_access(path, R_OK), 0);
}

/* --- descriptors -------------------------------------------------------------- */

static u64 live(void)
{
	struct kheap_stats stats;

	kheap_stats(&stats);
	return stats.live;
}

static int new_map(enum bpf_map_type type, u32 key, u32 value, u32 entries, u32 flags)
{
	union bpf_attr attr = {
		.map_type = type, .key_size = key, .value_size = value, .max_entries = entries,
		.map_flags = flags,
	};
	int fd = (int)facade_syscall(__NR_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));

	assert_true(fd >= 0);
	return fd;
}

static void test_bpf_errors_are_errno(void **state)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 3 };

	errno = 0;
	assert_int_equal(facade_syscall(__NR_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)), -1);
	assert_int_equal(errno, EINVAL);
}

static void test_close_releases(void **state)
{
	u64 before = live();
	int fd = new_map(BPF_MAP_TYPE_ARRAY, 4, 8, 16, 0), copy, placeholder;

	assert_true(live() > before);
	copy = facade_fcntl(fd, F_DUPFD_CLOEXEC, 3);
	assert_true(copy > fd);
	placeholder = (int)facade_syscall(__NR_memfd_create, "placeholder", MFD_CLOEXEC);
	assert_true(placeholder >= 0);
	/* as libbpf moves a map to the descriptor that it has promised */
	assert_int_equal(facade_syscall(__NR_dup3, fd, placeholder, O_CLOEXEC), placeholder);
	assert_int_equal(facade_close(fd), 0);
	assert_int_equal(facade_close(copy), 0);
	assert_true(live() > before);
	assert_int_equal(facade_close(placeholder), 0);
	assert_int_equal(live(), before);
}

static void test_dup3_replaces(void **state)
{
	u64 before = live();
	int a = new_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0);
	u64 one = live() - before;
	int b = new_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0);

	/* a failing dup3 takes nothing away */
	assert_int_equal(facade_syscall(__NR_dup3, a, b, 0x7), -1);
	assert_int_equal(facade_syscall(__NR_dup3, 9999, b, 0), -1);
	assert_int_equal(facade_syscall(__NR_dup3, b, b, 0), -1);
	assert_int_equal(live(), before + 2 * one);
	assert_int_equal(facade_syscall(__NR_dup3, a, b, O_CLOEXEC), b);
	assert_int_equal(live(), before + one);
	facade_close(a);
	assert_int_equal(live(), before + one);
	facade_close(b);
	assert_int_equal(live(), before);
}

/* --- mappings ------------------------------------------------------------------ */

static void test_mmap_array(void **state)
{
	u64 before = live(), value = 0;
	int fd = new_map(BPF_MAP_TYPE_ARRAY, 4, 8, 4, BPF_F_MMAPABLE);
	u32 key = 2;
	u64 *mem = facade_mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	assert_ptr_not_equal(mem, MAP_FAILED);
	mem[2] = 77;
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &value), 0);
	assert_int_equal(value, 77);
	/* who can write cannot be frozen */
	assert_int_equal(bpf_map_freeze(fd), -EBUSY);
	assert_int_equal(facade_munmap(mem, 4096), 0);
	assert_int_equal(bpf_map_freeze(fd), 0);
	errno = 0;
	assert_ptr_equal(facade_mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
			 MAP_FAILED);
	assert_int_equal(errno, EPERM);
	mem = facade_mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(mem, MAP_FAILED);
	assert_int_equal(mem[2], 77);
	/* the mapping outlives the descriptor */
	facade_close(fd);
	assert_true(live() > before);
	assert_int_equal(mem[2], 77);
	facade_munmap(mem, 4096);
	assert_int_equal(live(), before);
}

static void test_mmap_fixed_replaces(void **state)
{
	u64 before = live();
	int fd = new_map(BPF_MAP_TYPE_ARRAY, 4, 8, 4, BPF_F_MMAPABLE);
	const int rw = PROT_READ | PROT_WRITE, anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
	char *mem = facade_mmap(NULL, 4096, rw, anonymous, -1, 0);

	/* as skeletons put the map over the image of its content, and back */
	assert_ptr_equal(facade_mmap(mem, 4096, rw, MAP_SHARED | MAP_FIXED, fd, 0), mem);
	facade_close(fd);
	assert_true(live() > before);
	assert_ptr_equal(facade_mmap(mem, 4096, rw, anonymous | MAP_FIXED, -1, 0), mem);
	assert_int_equal(live(), before);
	facade_munmap(mem, 4096);
}

static void test_mmap_refused(void **state)
{
	int fd = new_map(BPF_MAP_TYPE_HASH, 4, 8, 4, 0);

	assert_ptr_equal(facade_mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0), MAP_FAILED);
	facade_close(fd);
}

/* --- ring buffers ---------------------------------------------------------------- */

static int count_sample(void *ctx, void *data, size_t size)
{
	*(u32 *)ctx += *(u32 *)data;
	return 0;
}

/* Through libbpf: two mappings and epoll. */
static void test_ring_buffer(void **state)
{
	u64 before = live();
	int fd = new_map(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);
	struct ring_buffer *rb;
	unsigned long *producer;
	u32 sum = 0, value, *sample;
	struct bpf_map *map;
	char *consumer;

	rb = ring_buffer__new(fd, count_sample, &sum, NULL);
	assert_non_null(rb);
	/* an empty buffer does not wait for a machine that stands still */
	assert_int_equal(ring_buffer__poll(rb, -1), 0);

	value = 7;
	map = bpf_map_from_fd(fd);
	assert_int_equal(bpf_ringbuf_output(map, &value, sizeof(value), 0), 0);
	assert_int_equal(bpf_ringbuf_output(map, &value, sizeof(value), 0), 0);
	bpf_map_put(map);
	assert_int_equal(ring_buffer__poll(rb, -1), 2);
	assert_int_equal(sum, 14);
	assert_int_equal(ring_buffer__poll(rb, -1), 0);

	/* only the consumer's page can be written */
	consumer = facade_mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(consumer, MAP_FAILED);
	errno = 0;
	assert_ptr_equal(facade_mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096),
			 MAP_FAILED);
	assert_int_equal(errno, EPERM);
	facade_munmap(consumer, 4096);
	producer = facade_mmap(NULL, 4096 + 2 * 4096, PROT_READ, MAP_SHARED, fd, 4096);
	assert_ptr_not_equal(producer, MAP_FAILED);
	sample = (u32 *)((char *)producer + 4096);
	assert_int_equal(producer[0], 32);
	assert_int_equal(sample[2], 7);
	assert_int_equal(sample[1024 + 2], 7);
	facade_munmap(producer, 4096 + 2 * 4096);

	ring_buffer__free(rb);
	assert_int_equal(facade_close(fd), 0);
	assert_int_equal(live(), before);
}

static void test_epoll(void **state)
{
	int ep = epoll_create1(EPOLL_CLOEXEC), pipes[2];
	int fd = new_map(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = 5 }, got[2];

	assert_int_equal(facade_epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev), 0);
	errno = 0;
	assert_int_equal(facade_epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(facade_epoll_wait(ep, got, 2, -1), 0);
	/* others in the set are still seen */
	assert_int_equal(pipe(pipes), 0);
	ev.data.u32 = 6;
	assert_int_equal(facade_epoll_ctl(ep, EPOLL_CTL_ADD, pipes[0], &ev), 0);
	assert_int_equal(write(pipes[1], "x", 1), 1);
	assert_int_equal(facade_epoll_wait(ep, got, 2, -1), 1);
	assert_int_equal(got[0].data.u32, 6);
	assert_int_equal(facade_epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL), 0);
	errno = 0;
	assert_int_equal(facade_epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL), -1);
	assert_int_equal(errno, ENOENT);
	close(pipes[0]);
	close(pipes[1]);
	facade_close(fd);
	facade_close(ep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_btf),
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_kallsyms),
		cmocka_unit_test(test_host_is_hidden),
		cmocka_unit_test(test_other_files_are_the_hosts),
		cmocka_unit_test(test_bpf_errors_are_errno),
		cmocka_unit_test(test_close_releases),
		cmocka_unit_test(test_dup3_replaces),
		cmocka_unit_test(test_mmap_array),
		cmocka_unit_test(test_mmap_fixed_replaces),
		cmocka_unit_test(test_mmap_refused),
		cmocka_unit_test(test_ring_buffer),
		cmocka_unit_test(test_epoll),
	};

	return cmocka_run_group_tests_name("facade", tests, machine_setup, machine_teardown);
}
