// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs of the micro-benchmarks through bpf(2): maps are made and filled, the
 * program is loaded as a classifier of packets, and run by BPF_PROG_TEST_RUN.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../base/alloc.h"
#include "engine.h"

#define MAX_LOADED 64
#define MAX_REPEAT 1000000 /* as far as a run may be repeated by one call */
#define PACKET_SIZE 64
#define LOG_SIZE 65536

static const struct bpf_side *side;

static struct loaded {
	int fd;
	/* of its ring buffer; NULL: it has none */
	u64 *consumer;
	const u64 *producer;
} loaded[MAX_LOADED];
static u32 nr_loaded;

void bpf_side_set(const struct bpf_side *s)
{
	side = s;
}

/* --- maps ---------------------------------------------------------------------------- */

static int create_map(const struct bench_map *map)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = map->type;
	attr.key_size = map->key_size;
	attr.value_size = map->value_size;
	attr.max_entries = map->max_entries;
	attr.map_flags = map->flags;
	return (int)side->bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static int update_map(int fd, const void *key, const void *value)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (u32)fd;
	attr.key = (uintptr_t)key;
	attr.value = (uintptr_t)value;
	return (int)side->bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
}

/* Every value is of zeros; those of maps with many keys begin with their key. */
static int fill_map(int fd, const struct bench_map *map)
{
	bool prefix = map->type == BPF_MAP_TYPE_LPM_TRIE;
	char *value = xcalloc(1, map->value_size);
	u32 key[2] = {};
	int err = 0;

	for (u32 i = 0; i < map->nr_keys && !err; i++) {
		key[0] = prefix ? 32 : i;
		key[1] = prefix ? i : 0;
		memcpy(value, &i, sizeof(i));
		err = update_map(fd, key, value);
	}
	free(value);
	return err;
}

/* A page that we write, and the next, which the program's side does. */
static int map_ring(int fd, struct loaded *l)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *consumer = side->mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	void *producer = side->mmap(NULL, page, PROT_READ, MAP_SHARED, fd, (off_t)page);

	if (consumer == MAP_FAILED || producer == MAP_FAILED)
		return -errno;
	l->consumer = consumer;
	l->producer = producer;
	return 0;
}

static int make_maps(const struct program *p, int fds[PROGRAM_MAX_MAPS], struct loaded *l)
{
	int err = 0;

	for (u32 i = 0; i < p->nr_maps && !err; i++) {
		fds[i] = create_map(&p->maps[i]);
		if (fds[i] < 0)
			return fds[i];
		err = fill_map(fds[i], &p->maps[i]);
		if (!err && p->maps[i].type == BPF_MAP_TYPE_RINGBUF)
			err = map_ring(fds[i], l);
	}
	return err;
}

/* A program that calls itself is in the array that it uses. */
static int put_into_array(const struct program *p, const int fds[], int prog)
{
	u32 key = 0;

	for (u32 i = 0; i < p->nr_maps; i++)
		if (p->maps[i].type == BPF_MAP_TYPE_PROG_ARRAY)
			return update_map(fds[i], &key, &prog);
	return 0;
}

/* --- programs -------------------------------------------------------------------------- */

/* With the maps' descriptors for their numbers. To be freed. */
static struct bpf_insn *linked(const struct program *p, const int fds[])
{
	struct bpf_insn *insns = xcalloc(p->nr, sizeof(*insns));

	memcpy(insns, p->insns, p->nr * sizeof(*insns));
	for (u32 i = 0; i < p->nr; i++)
		if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) &&
		    (insns[i].src_reg == BPF_PSEUDO_MAP_FD ||
		     insns[i].src_reg == BPF_PSEUDO_MAP_VALUE))
			insns[i].imm = fds[insns[i].imm];
	return insns;
}

/* Types for functions, which callbacks must have: each is static int f(void). */
static int load_types(u32 nr_functions)
{
	struct btf *btf = btf__new_empty();
	union bpf_attr attr;
	int word, proto, fd;
	char name[16];
	u32 size;

	if (!btf)
		return -ENOMEM;
	word = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	proto = btf__add_func_proto(btf, word);
	for (u32 i = 0; i < nr_functions; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		btf__add_func(btf, name, BTF_FUNC_STATIC, proto);
	}
	memset(&attr, 0, sizeof(attr));
	attr.btf = (uintptr_t)btf__raw_data(btf, &size);
	attr.btf_size = size;
	fd = (int)side->bpf(BPF_BTF_LOAD, &attr, sizeof(attr));
	btf__free(btf);
	return fd;
}

/* @log: room for what the verifier says; NULL: it need not say anything. */
static int load_program(const struct program *p, const int fds[], char *log)
{
	struct bpf_func_info info[PROGRAM_MAX_FUNCTIONS + 1];
	struct bpf_insn *insns = linked(p, fds);
	union bpf_attr attr;
	int types = -1, fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = p->nr;
	attr.license = (uintptr_t)"GPL";
	attr.log_buf = (uintptr_t)log;
	attr.log_size = log ? LOG_SIZE : 0;
	attr.log_level = log ? 1 : 0;
	if (p->nr_functions) {
		types = load_types(p->nr_functions + 1);
		/* types 1 and 2 are the int and the prototype */
		for (u32 i = 0; i <= p->nr_functions; i++)
			info[i] = (struct bpf_func_info){ .insn_off = i ? p->functions[i - 1] : 0,
							  .type_id = 3 + i };
		attr.prog_btf_fd = (u32)types;
		attr.func_info = (uintptr_t)info;
		attr.func_info_cnt = p->nr_functions + 1;
		attr.func_info_rec_size = sizeof(info[0]);
	}
	fd = types < 0 && p->nr_functions ? types :
					    (int)side->bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	free(insns);
	return fd;
}

/* The last line but one of the verifier's log, which says what is wrong. */
static const char *complaint(char *log)
{
	char *end = log + strlen(log), *line;

	while (end > log && end[-1] == '\n')
		*--end = '\0';
	line = strrchr(log, '\n');
	if (!line)
		return log;
	*line = '\0';
	line = strrchr(log, '\n');
	return line ? line + 1 : log;
}

/* Again, to hear why. A log that is too long is cut off, and not the reason. */
static void explain(const struct program *p, const int fds[], int err, char *why, size_t size)
{
	char *log = xcalloc(1, LOG_SIZE);

	load_program(p, fds, log);
	snprintf(why, size, "it cannot be loaded: %s: %s", strerror(-err), complaint(log));
	free(log);
}

int bpf_side_load(const struct program *p, char *why, size_t size)
{
	struct loaded *l = &loaded[nr_loaded];
	int fds[PROGRAM_MAX_MAPS], err;

	VRT_ASSERT(nr_loaded < MAX_LOADED);
	err = make_maps(p, fds, l);
	if (err < 0) {
		snprintf(why, size, "its map cannot be made: %s", strerror(-err));
		return err;
	}
	l->fd = load_program(p, fds, NULL);
	err = l->fd < 0 ? l->fd : put_into_array(p, fds, l->fd);
	if (err < 0)
		explain(p, fds, err, why, size);
	return err < 0 ? err : (int)nr_loaded++;
}

static int run_once(const struct loaded *l, u32 repeat, u32 *result)
{
	static const u8 packet[PACKET_SIZE];
	union bpf_attr attr;
	int err;

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (u32)l->fd;
	attr.test.data_in = (uintptr_t)packet;
	attr.test.data_size_in = sizeof(packet);
	attr.test.repeat = repeat;
	err = (int)side->bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr));
	*result = attr.test.retval;
	/* what it put into its ring buffer has been seen */
	if (l->consumer)
		__atomic_store_n(l->consumer, __atomic_load_n(l->producer, __ATOMIC_ACQUIRE),
				 __ATOMIC_RELEASE);
	return err;
}

int bpf_side_run(int program, u32 repeat, u32 *result)
{
	int err = 0;

	for (u32 n; repeat && !err; repeat -= n) {
		n = min(repeat, (u32)MAX_REPEAT);
		err = run_once(&loaded[program], n, result);
	}
	return err;
}

int bpf_side_fd(int program)
{
	return loaded[program].fd;
}
