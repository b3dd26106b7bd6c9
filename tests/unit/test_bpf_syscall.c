// SPDX-License-Identifier: GPL-2.0-only
/* bpf(2): attributes, descriptors, ids, infos, logs, struct_ops and links. */
#include "bpf_fixture.h"

#include <fcntl.h>

#include "../../src/bpf/link.h"
#include "../../src/bpf/struct_ops.h"

/* --- attributes ------------------------------------------------------------ */

static void test_attributes(void **state)
{
	struct {
		union bpf_attr attr;
		char tail[64];
	} big = { .attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4,
			    .max_entries = 1 } };
	union bpf_attr attr;
	int fd;

	fd = (int)vrt_bpf(BPF_MAP_CREATE, &big.attr, sizeof(big)); /* from a newer header */
	assert_true(fd >= 0);
	bpf_close(fd);
	big.tail[63] = 1;
	assert_int_equal(vrt_bpf(BPF_MAP_CREATE, &big.attr, sizeof(big)), -E2BIG);
	fd = (int)vrt_bpf(BPF_MAP_CREATE, &big.attr, 16); /* from an older one */
	assert_true(fd >= 0);
	bpf_close(fd);
	assert_int_equal(vrt_bpf(BPF_MAP_CREATE, &big.attr, 5000), -E2BIG);
	assert_int_equal(vrt_bpf(BPF_MAP_CREATE, NULL, 16), -EFAULT);

	/* a field beyond the command's last */
	attr = big.attr;
	((char *)&attr)[sizeof(attr) - 1] = 1;
	assert_int_equal(vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)), -EINVAL);

	memset(&attr, 0, sizeof(attr));
	assert_int_equal(vrt_bpf(__MAX_BPF_CMD, &attr, sizeof(attr)), -EINVAL);
	assert_int_equal(vrt_bpf((enum bpf_cmd)-1, &attr, sizeof(attr)), -EINVAL);
	assert_int_equal(vrt_bpf(BPF_TOKEN_CREATE, &attr, sizeof(attr)), -EOPNOTSUPP);
	attr.pathname = ptr("/sys/fs/bpf/x");
	assert_int_equal(vrt_bpf(BPF_OBJ_PIN, &attr, sizeof(attr)), -EPERM);
	assert_int_equal(vrt_bpf(BPF_OBJ_GET, &attr, sizeof(attr)), -ENOENT);
}

static void test_create_checks(void **state)
{
	union bpf_attr good = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4,
				.max_entries = 1 }, attr;

#define REFUSED(field, value, err)                                                                 \
	do {                                                                                       \
		attr = good;                                                                       \
		attr.field = value;                                                                \
		assert_int_equal(vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)), err);               \
	} while (0)
	REFUSED(map_extra, 1, -EINVAL);
	REFUSED(map_ifindex, 1, -EINVAL);
	REFUSED(btf_key_type_id, 1, -EINVAL);
	REFUSED(btf_vmlinux_value_type_id, 1, -EINVAL);
	REFUSED(map_flags, BPF_F_RDONLY | BPF_F_WRONLY, -EINVAL);
	REFUSED(map_flags, BPF_F_TOKEN_FD, -EBADF);
	attr = good;
	memcpy(attr.map_name, "what's that?", 13);
	assert_int_equal(vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)), -EINVAL);
	memset(attr.map_name, 'x', sizeof(attr.map_name)); /* no end */
	assert_int_equal(vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)), -EINVAL);
}

/* --- descriptors and ids ---------------------------------------------------- */

static u32 next_map_id(u32 id)
{
	union bpf_attr attr = { .start_id = id };

	return vrt_bpf(BPF_MAP_GET_NEXT_ID, &attr, sizeof(attr)) ? 0 : attr.next_id;
}

static void test_descriptors(void **state)
{
	int a = map_create(BPF_MAP_TYPE_ARRAY, 4, 4, 1), b = map_create(BPF_MAP_TYPE_HASH, 4, 4, 1);
	int copy, by_id, plain = open("/dev/null", O_RDONLY);
	union bpf_attr attr = { 0 };
	u32 key = 0, value;

	assert_int_equal(fcntl(a, F_GETFD), FD_CLOEXEC);
	assert_true(bpf_fd_is_ours(a));
	assert_false(bpf_fd_is_ours(plain));
	assert_false(bpf_fd_is_ours(-1));
	assert_int_equal(map_of(a)->obj.id, 1);
	assert_int_equal(map_of(b)->obj.id, 2);
	assert_int_equal(next_map_id(0), 1);
	assert_int_equal(next_map_id(1), 2);
	assert_int_equal(next_map_id(2), 0);
	assert_null(bpf_obj_from_fd(a, BPF_OBJ_PROG));
	assert_int_equal(map_lookup(plain, &key, &value), -EINVAL);
	assert_int_equal(map_lookup(999, &key, &value), -EBADF);

	/* a descriptor that dup() made is as good as the first */
	copy = dup(a);
	bpf_fd_duplicated(copy);
	bpf_close(a);
	assert_int_equal(map_lookup(copy, &key, &value), 0);
	attr.map_id = 1;
	by_id = (int)vrt_bpf(BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr));
	assert_true(by_id >= 0);
	bpf_close(copy);
	assert_int_equal(map_lookup(by_id, &key, &value), 0);
	bpf_close(by_id);
	assert_int_equal(vrt_bpf(BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr)), -ENOENT);
	assert_int_equal(next_map_id(0), 2);

	/* ids are not used again */
	a = map_create(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
	assert_int_equal(map_of(a)->obj.id, 3);

	/* dup3() over another map's descriptor, as libbpf does */
	bpf_fd_closing(a);
	assert_int_equal(dup3(b, a, O_CLOEXEC), a);
	bpf_fd_duplicated(a);
	assert_int_equal(next_map_id(2), 0);
	assert_int_equal(map_of(a)->obj.id, 2);
	bpf_close(b);
	assert_int_equal(next_map_id(0), 2);
	bpf_close(a);
	assert_int_equal(next_map_id(0), 0);
	close(plain);

	assert_int_equal(vrt_bpf(BPF_BTF_GET_NEXT_ID, &attr, sizeof(attr)), -ENOENT);
	attr.start_id = 0x7fffffff;
	assert_int_equal(vrt_bpf(BPF_MAP_GET_NEXT_ID, &attr, sizeof(attr)), -EINVAL);
}

/* What is left open goes with the subsystem. */
static void test_left_open(void **state)
{
	int fd = map_create(BPF_MAP_TYPE_HASH, 4, 4, 10);
	u32 key = 1;

	assert_int_equal(map_update(fd, &key, &key, BPF_ANY), 0);
	*state = (void *)(long)fd;
}

static int teardown_left_open(void **state)
{
	int err = bpf_teardown(state);

	assert_false(bpf_fd_is_ours((int)(long)*state));
	close((int)(long)*state);
	return err;
}

/* --- infos ------------------------------------------------------------------ */

static int get_info(int fd, void *info, u32 *len)
{
	union bpf_attr attr = { .info = { .bpf_fd = (u32)fd, .info_len = *len, .info = ptr(info) } };
	int err = (int)vrt_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));

	*len = attr.info.info_len;
	return err;
}

static void test_infos(void **state)
{
	int fd = map_create_flags(BPF_MAP_TYPE_HASH, 4, 8, 10, BPF_F_NO_PREALLOC), btf_fd;
	char name[8] = "xxxxxxx", raw[256];
	struct bpf_map_info map_info;
	struct bpf_btf_info btf_info;
	struct btf_builder *b = malloc(sizeof(*b));
	u32 len = sizeof(map_info);
	struct {
		struct bpf_map_info info;
		u64 tail;
	} longer = { .tail = 0 };

	memset(&map_info, 0xff, sizeof(map_info));
	assert_int_equal(get_info(fd, &map_info, &len), 0);
	assert_int_equal(len, sizeof(map_info));
	assert_int_equal(map_info.type, BPF_MAP_TYPE_HASH);
	assert_int_equal(map_info.key_size, 4);
	assert_int_equal(map_info.value_size, 8);
	assert_int_equal(map_info.max_entries, 10);
	assert_int_equal(map_info.map_flags, BPF_F_NO_PREALLOC);
	assert_string_equal(map_info.name, "test");
	len = 12; /* an old caller */
	memset(&map_info, 0xff, sizeof(map_info));
	assert_int_equal(get_info(fd, &map_info, &len), 0);
	assert_int_equal(len, 12);
	assert_int_equal(map_info.key_size, 4);
	assert_int_equal(map_info.value_size, 0xffffffff);
	len = sizeof(longer);
	assert_int_equal(get_info(fd, &longer, &len), 0);
	assert_int_equal(len, sizeof(map_info));
	longer.tail = 1;
	len = sizeof(longer);
	assert_int_equal(get_info(fd, &longer, &len), -E2BIG);
	len = sizeof(map_info);
	assert_int_equal(get_info(fd, NULL, &len), -EFAULT);
	assert_int_equal(get_info(999, &map_info, &len), -EBADF);
	bpf_close(fd);

	btf_start(b);
	btf_add_int(b, "int", 4);
	btf_fd = btf_load_built(b);
	assert_true(btf_fd >= 0);
	free(b);
	memset(&btf_info, 0, sizeof(btf_info));
	btf_info.name = ptr(name); /* how libbpf asks whether there can be module BTF */
	btf_info.name_len = sizeof(name);
	btf_info.btf = ptr(raw);
	btf_info.btf_size = sizeof(raw);
	len = sizeof(btf_info);
	assert_int_equal(get_info(btf_fd, &btf_info, &len), 0);
	assert_string_equal(name, "");
	assert_int_equal(btf_info.kernel_btf, 0);
	assert_int_equal(*(u16 *)raw, BTF_MAGIC);
	assert_int_equal(btf_info.btf_size, 24 + 16 + 5);
	assert_int_equal(btf_info.id, 2); /* 1 is the kernel's */
	btf_info.name_len = 0;
	assert_int_equal(get_info(btf_fd, &btf_info, &len), -EINVAL);
	bpf_close(btf_fd);

	btf_fd = (int)vrt_bpf(BPF_BTF_GET_FD_BY_ID, &(union bpf_attr){ .btf_id = 1 },
			      sizeof(union bpf_attr));
	assert_true(btf_fd >= 0);
	memset(&btf_info, 0, sizeof(btf_info));
	btf_info.name = ptr(name);
	btf_info.name_len = 4;
	assert_int_equal(get_info(btf_fd, &btf_info, &len), -ENOSPC);
	assert_string_equal(name, "vml");
	assert_int_equal(btf_info.kernel_btf, 1);
	assert_int_equal(btf_info.name_len, 7);
	bpf_close(btf_fd);
}

/* --- rights ------------------------------------------------------------------ */

static void test_rights(void **state)
{
	u32 key = 0, value = 1;
	int fd = map_create_flags(BPF_MAP_TYPE_ARRAY, 4, 4, 1, BPF_F_RDONLY);

	assert_int_equal(map_update(fd, &key, &value, BPF_ANY), -EPERM);
	assert_int_equal(map_lookup(fd, &key, &value), 0);
	bpf_close(fd);
	fd = map_create_flags(BPF_MAP_TYPE_HASH, 4, 4, 1, BPF_F_WRONLY);
	assert_int_equal(map_update(fd, &key, &value, BPF_ANY), 0);
	assert_int_equal(map_lookup(fd, &key, &value), -EPERM);
	assert_int_equal(map_next(fd, NULL, &key), -EPERM);
	bpf_close(fd);

	fd = map_create_flags(BPF_MAP_TYPE_ARRAY, 4, 4, 1, BPF_F_RDONLY_PROG);
	assert_true(map_of(fd)->rdonly_prog);
	assert_int_equal(map_update(fd, &key, &value, BPF_ANY), 0);
	assert_int_equal(map_elem(BPF_MAP_FREEZE, fd, NULL, NULL, 0), 0);
	assert_true(map_of(fd)->frozen);
	assert_int_equal(map_update(fd, &key, &value, BPF_ANY), -EPERM);
	assert_int_equal(map_elem(BPF_MAP_FREEZE, fd, NULL, NULL, 0), -EPERM);
	assert_int_equal(map_lookup(fd, &key, &value), 0);
	bpf_close(fd);

	fd = map_create(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
	assert_int_equal(map_lookup(fd, NULL, &value), -EFAULT);
	assert_int_equal(map_lookup(fd, &key, NULL), -EFAULT);
	assert_int_equal(map_update(fd, &key, NULL, BPF_ANY), -EFAULT);
	assert_int_equal(map_elem(BPF_MAP_LOOKUP_ELEM, fd, &key, &value, 1), -EINVAL);
	assert_int_equal(map_elem(BPF_MAP_LOOKUP_ELEM, fd, &key, &value, BPF_F_LOCK), -EINVAL);
	assert_int_equal(map_pop(fd, &key, &value), -ENOTSUPP);
	bpf_close(fd);
}

/* --- logs -------------------------------------------------------------------- */

static void test_log(void **state)
{
	char buf[16];
	struct bpf_log log;
	u32 size;

	assert_int_equal(bpf_log_init(&log, 1, buf, 0), -EINVAL);
	assert_int_equal(bpf_log_init(&log, 1, NULL, 5), -EINVAL);
	assert_int_equal(bpf_log_init(&log, 0, buf, 16), -EINVAL);
	assert_int_equal(bpf_log_init(&log, 16, buf, 16), -EINVAL);
	assert_int_equal(bpf_log_init(&log, 1, buf, 0x40000000), -EINVAL);

	assert_int_equal(bpf_log_init(&log, 1, buf, sizeof(buf)), 0);
	assert_int_equal(bpf_log_finish(&log, &size), 0);
	assert_int_equal(size, 0);
	bpf_log(&log, "%s", "0123456789");
	bpf_log(&log, "%d", 12345); /* 15 characters and the end: just fits */
	assert_int_equal(bpf_log_finish(&log, &size), 0);
	assert_string_equal(buf, "012345678912345");
	assert_int_equal(size, 16);

	assert_int_equal(bpf_log_init(&log, 1, buf, sizeof(buf)), 0);
	bpf_log(&log, "%s", "abcdefghijklmnopqrst");
	bpf_log(&log, "%s", "uvwxyz");
	assert_int_equal(bpf_log_finish(&log, &size), -ENOSPC);
	assert_string_equal(buf, "lmnopqrstuvwxyz"); /* the end of it */
	assert_int_equal(size, 27);

	assert_int_equal(bpf_log_init(&log, 2 | BPF_LOG_FIXED, buf, sizeof(buf)), 0);
	bpf_log(&log, "%s", "abcdefghijklmnopqrst");
	bpf_log(&log, "%s", "uvwxyz");
	assert_int_equal(bpf_log_finish(&log, &size), -ENOSPC);
	assert_string_equal(buf, "abcdefghijklmno"); /* the beginning */
	assert_int_equal(size, 27);

	assert_int_equal(bpf_log_init(&log, 1, NULL, 0), 0); /* how long would it be? */
	bpf_log(&log, "%s", "abc");
	assert_int_equal(bpf_log_finish(&log, &size), 0);
	assert_int_equal(size, 4);
	bpf_log(NULL, "%s", "nobody listens");
}

static void test_btf_load(void **state)
{
	struct btf_builder *b = malloc(sizeof(*b));
	union bpf_attr attr = { .btf_log_level = 1 };
	char log[256];
	u32 size;
	void *raw;

	btf_start(b);
	btf_add(b, "", BTF_KIND_PTR, 0, 77);
	raw = btf_finish(b, &size);
	free(b);
	attr.btf = ptr(raw);
	attr.btf_size = size;
	attr.btf_log_buf = ptr(log);
	attr.btf_log_size = sizeof(log);
	assert_int_equal(vrt_bpf(BPF_BTF_LOAD, &attr, sizeof(attr)), -EINVAL);
	assert_string_equal(log, "[1] PTR (anon) Invalid type_id\n");
	assert_int_equal(attr.btf_log_true_size, strlen(log) + 1);
	attr.btf_log_size = 10;
	attr.btf_log_true_size = 0;
	assert_int_equal(vrt_bpf(BPF_BTF_LOAD, &attr, sizeof(attr)), -ENOSPC);
	assert_string_equal(log, " type_id\n");
	attr.btf_log_level = 0;
	assert_int_equal(vrt_bpf(BPF_BTF_LOAD, &attr, sizeof(attr)), -EINVAL);
	attr.btf = 0;
	assert_int_equal(vrt_bpf(BPF_BTF_LOAD, &attr, sizeof(attr)), -EFAULT);
	assert_int_equal(btf_load_raw(raw, 1), -EINVAL);
	free(raw);
}

/* --- struct_ops -------------------------------------------------------------- */

struct test_ops { /* as in test_kernel_btf() */
	struct bpf_prog *run, *stop;
	u32 flags;
	char name[8];
};

struct test_value {
	u32 refcnt, state;
	u64 run, stop;
	u32 flags;
	char name[8];
	u32 pad;
};

static struct {
	int inits, regs, unregs, updates, reg_error, validate_error;
	struct test_ops *kdata, *old;
	struct bpf_link *link;
} calls;

static int ops_init(struct btf *kernel_btf)
{
	calls.inits++;
	assert_ptr_equal(kernel_btf, bpf_kernel_btf());
	return 0;
}

static int ops_init_member(const struct btf_type *t, const struct btf_member *member, void *kdata,
			   const void *udata)
{
	struct test_ops *k = kdata;
	const struct test_ops *u = udata;

	if (btf_member_bit_offset(t, member) != offsetof(struct test_ops, name) * 8)
		return 0;
	if (!u->name[0])
		return -ENAMETOOLONG; /* something that nobody else returns */
	memcpy(k->name, u->name, sizeof(k->name));
	return 1;
}

static int ops_validate(void *kdata)
{
	return calls.validate_error;
}

static int ops_reg(void *kdata, struct bpf_link *link)
{
	assert_true(test_inside);
	if (calls.reg_error)
		return calls.reg_error;
	calls.regs++;
	calls.kdata = kdata;
	calls.link = link;
	return 0;
}

static void ops_unreg(void *kdata, struct bpf_link *link)
{
	assert_true(test_inside);
	assert_ptr_equal(kdata, calls.kdata);
	assert_ptr_equal(link, calls.link);
	calls.unregs++;
}

static int ops_update(void *kdata, void *old, struct bpf_link *link)
{
	assert_true(test_inside);
	assert_ptr_equal(old, calls.kdata);
	assert_ptr_equal(link, calls.link);
	calls.kdata = kdata;
	calls.updates++;
	return 0;
}

static struct bpf_struct_ops test_type;

static int setup_struct_ops(void **state)
{
	int err = bpf_setup(state);

	memset(&calls, 0, sizeof(calls));
	test_type = (struct bpf_struct_ops){
		.name = "test_ops",
		.init = ops_init,
		.init_member = ops_init_member,
		.validate = ops_validate,
		.reg = ops_reg,
		.unreg = ops_unreg,
		.update = ops_update,
	};
	return err ?: bpf_register_struct_ops(&test_type);
}

/* A program for member @index that returns 0. */
static int load_prog(u32 index)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_STRUCT_OPS,
				.insns = ptr(insns),
				.insn_cnt = ARRAY_SIZE(insns),
				.license = ptr("GPL"),
				.prog_name = "prog",
				.attach_btf_id = test_type.type_id,
				.expected_attach_type = index };

	return (int)vrt_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

/* libbpf passes the object's BTF along; any will do. */
static int create_ops(u32 flags)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_STRUCT_OPS,
				.key_size = 4,
				.value_size = 40,
				.max_entries = 1,
				.map_flags = flags,
				.map_name = "ops",
				.btf_vmlinux_value_type_id = test_type.value_id };
	struct btf_builder *b = malloc(sizeof(*b));
	int fd;

	btf_start(b);
	btf_add_int(b, "int", 4);
	attr.btf_fd = (u32)btf_load_built(b);
	free(b);
	fd = (int)vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	bpf_close((int)attr.btf_fd);
	return fd;
}

static void test_struct_ops_types(void **state)
{
	struct bpf_struct_ops unknown = { .name = "no_ops" };
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_STRUCT_OPS, .key_size = 4,
				.value_size = 40, .max_entries = 1, .map_flags = BPF_F_LINK };

	assert_int_equal(calls.inits, 1);
	assert_int_equal(bpf_register_struct_ops(&unknown), -ENOENT);
	unknown.name = "task_struct"; /* has no bpf_struct_ops_task_struct */
	assert_int_equal(bpf_register_struct_ops(&unknown), -ENOENT);
	assert_ptr_equal(bpf_struct_ops_find(test_type.type_id), &test_type);
	assert_null(bpf_struct_ops_find(test_type.value_id));
	assert_ptr_equal(bpf_struct_ops_find_value(test_type.value_id), &test_type);

	assert_int_equal(vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)), -EINVAL);
	attr.btf_vmlinux_value_type_id = test_type.type_id;
	assert_int_equal(vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)), -ENOTSUPP);
	attr.btf_vmlinux_value_type_id = test_type.value_id;
	attr.value_size = 39;
	assert_int_equal(vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)), -EINVAL);
	attr.value_size = 40;
	attr.max_entries = 2;
	assert_int_equal(vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)), -EINVAL);
	attr.max_entries = 1;
	attr.map_flags = BPF_F_NO_PREALLOC;
	assert_int_equal(vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)), -EINVAL);
	attr.map_flags = 0;
	attr.btf_fd = 999;
	assert_int_equal(vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)), -EBADF);
}

static void test_struct_ops_values(void **state)
{
	int prog = load_prog(0), fd = create_ops(BPF_F_LINK), array;
	struct test_value value = { .run = (u64)prog, .name = "me" };
	u32 key = 0, one = 1;

	assert_true(prog >= 0 && fd >= 0);
#define VALUE_REFUSED(field, bad, err)                                                             \
	do {                                                                                       \
		struct test_value v = value;                                                       \
		v.field = bad;                                                                     \
		assert_int_equal(map_update(fd, &key, &v, BPF_ANY), err);                          \
	} while (0)
	VALUE_REFUSED(refcnt, 1, -EINVAL);
	VALUE_REFUSED(state, 1, -EINVAL);
	VALUE_REFUSED(pad, 1, -EINVAL); /* a hole */
	VALUE_REFUSED(flags, 1, -EINVAL); /* nobody asked for it */
	VALUE_REFUSED(name[0], 0, -ENAMETOOLONG); /* init_member()'s error */
	VALUE_REFUSED(stop, (u64)prog, -EINVAL); /* another member's program */
	VALUE_REFUSED(run, 999, -EBADF);
	array = map_create(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
	VALUE_REFUSED(run, (u64)array, -EINVAL);
	bpf_close(array);
	calls.validate_error = -EDOM;
	VALUE_REFUSED(stop, 0, -EDOM);
	calls.validate_error = 0;
	assert_int_equal(map_update(fd, &key, &value, BPF_NOEXIST), -EINVAL);
	assert_int_equal(map_update(fd, &one, &value, BPF_ANY), -E2BIG);
	assert_int_equal(map_of(fd)->obj.refs, 1);

	assert_int_equal(map_update(fd, &key, &value, BPF_ANY), 0);
	assert_int_equal(calls.regs, 0); /* that is the link's to do */
	assert_int_equal(map_update(fd, &key, &value, BPF_ANY), -EBUSY);
	assert_int_equal(map_delete(fd, &key), -EOPNOTSUPP);
	memset(&value, 0xff, sizeof(value));
	assert_int_equal(map_lookup(fd, &key, &value), 0);
	assert_int_equal(value.state, 3); /* READY */
	assert_int_equal(value.refcnt, 0);
	assert_int_equal(value.run, 1); /* the program's id */
	assert_int_equal(value.stop, 0);
	assert_string_equal(value.name, "me");
	assert_int_equal(map_next(fd, NULL, &one), 0);
	assert_int_equal(one, 0);
	assert_int_equal(map_next(fd, &one, &one), -ENOENT);
	bpf_close(prog);
	bpf_close(fd);
}

static int link_create_fd(int map)
{
	union bpf_attr attr = { .link_create = { .map_fd = (u32)map,
						 .attach_type = BPF_STRUCT_OPS } };

	return (int)vrt_bpf(BPF_LINK_CREATE, &attr, sizeof(attr));
}

static int link_update_fd(int link, int map, u32 flags, int old)
{
	union bpf_attr attr = { .link_update = { .link_fd = (u32)link, .new_map_fd = (u32)map,
						 .flags = flags, .old_map_fd = (u32)old } };

	return (int)vrt_bpf(BPF_LINK_UPDATE, &attr, sizeof(attr));
}

static void test_struct_ops_link(void **state)
{
	int prog = load_prog(0), map = create_ops(BPF_F_LINK), map2 = create_ops(BPF_F_LINK);
	int other = map_create(BPF_MAP_TYPE_ARRAY, 4, 4, 1), link;
	struct test_value value = { .run = (u64)prog, .name = "me" };
	struct bpf_link_info info = { 0 };
	u32 key = 0, len = sizeof(info);
	struct bpf_prog *held;
	union bpf_attr attr = { 0 };

	assert_int_equal(link_create_fd(map), -EINVAL); /* no value yet */
	assert_int_equal(link_create_fd(other), -EINVAL);
	assert_int_equal(link_create_fd(999), -EBADF);
	assert_int_equal(map_update(map, &key, &value, BPF_ANY), 0);
	bpf_close(prog); /* the map holds it */
	calls.reg_error = -EBUSY;
	assert_int_equal(link_create_fd(map), -EBUSY);
	calls.reg_error = 0;
	link = link_create_fd(map);
	assert_true(link >= 0);
	assert_int_equal(calls.regs, 1);
	held = calls.kdata->run;
	assert_string_equal(bpf_prog_name(held), "prog");
	assert_null(calls.kdata->stop);
	assert_string_equal(calls.kdata->name, "me");
	assert_int_equal(get_info(link, &info, &len), 0);
	assert_int_equal(info.type, BPF_LINK_TYPE_STRUCT_OPS);
	assert_int_equal(info.struct_ops.map_id, map_of(map)->obj.id);

	/* update: only to a map that has a value, only from the one that is there */
	assert_int_equal(link_update_fd(link, map2, 0, 0), -EINVAL);
	value.run = 0;
	assert_int_equal(map_update(map2, &key, &value, BPF_ANY), 0);
	assert_int_equal(link_update_fd(link, map2, 1, 0), -EINVAL);
	assert_int_equal(link_update_fd(link, map2, 0, map), -EINVAL);
	assert_int_equal(link_update_fd(link, map2, BPF_F_REPLACE, map2), -EPERM);
	assert_int_equal(link_update_fd(link, other, 0, 0), -EINVAL);
	assert_int_equal(link_update_fd(map, map2, 0, 0), -EINVAL);
	bpf_close(map);
	assert_int_equal(link_update_fd(link, map2, 0, 0), 0);
	assert_int_equal(calls.updates, 1);
	assert_null(calls.kdata->run);
	bpf_close(map2);

	/* closing the link unregisters, once */
	attr.link_detach.link_fd = (u32)link;
	assert_int_equal(calls.unregs, 0);
	assert_int_equal(vrt_bpf(BPF_LINK_DETACH, &attr, sizeof(attr)), 0);
	assert_int_equal(calls.unregs, 1);
	assert_int_equal(vrt_bpf(BPF_LINK_DETACH, &attr, sizeof(attr)), 0);
	bpf_close(link);
	assert_int_equal(calls.unregs, 1);

	map = create_ops(BPF_F_LINK);
	assert_int_equal(map_update(map, &key, &value, BPF_ANY), 0);
	link = link_create_fd(map);
	bpf_close(map);
	bpf_close(link);
	assert_int_equal(calls.unregs, 2);
	bpf_close(other);
}

static void test_struct_ops_no_update(void **state)
{
	int map = create_ops(BPF_F_LINK), map2 = create_ops(BPF_F_LINK), link;
	struct test_value value = { .name = "me" };
	u32 key = 0;

	test_type.update = NULL;
	assert_int_equal(map_update(map, &key, &value, BPF_ANY), 0);
	assert_int_equal(map_update(map2, &key, &value, BPF_ANY), 0);
	link = link_create_fd(map);
	assert_int_equal(link_update_fd(link, map2, 0, 0), -EOPNOTSUPP);
	bpf_close(link);
	bpf_close(map);
	bpf_close(map2);
}

static void test_struct_ops_without_link(void **state)
{
	int map = create_ops(0);
	struct test_value value = { .name = "me" };
	u32 key = 0;

	assert_int_equal(map_delete(map, &key), -ENOENT);
	calls.reg_error = -EEXIST;
	assert_int_equal(map_update(map, &key, &value, BPF_ANY), -EEXIST);
	calls.reg_error = 0;
	assert_int_equal(map_update(map, &key, &value, BPF_ANY), 0); /* as if never tried */
	assert_int_equal(calls.regs, 1);
	assert_null(calls.link);
	assert_int_equal(link_create_fd(map), -EINVAL);
	assert_int_equal(map_lookup(map, &key, &value), 0);
	assert_int_equal(value.state, 1); /* INUSE */
	assert_int_equal(map_delete(map, &key), 0);
	assert_int_equal(calls.unregs, 1);
	assert_int_equal(map_delete(map, &key), -EINPROGRESS);
	bpf_close(map);

	/* stays registered without any descriptor; the end of the subsystem ends it */
	map = create_ops(0);
	value = (struct test_value){ .name = "you" };
	assert_int_equal(map_update(map, &key, &value, BPF_ANY), 0);
	bpf_close(map);
	assert_int_equal(calls.unregs, 1);
	assert_string_equal(calls.kdata->name, "you");
}

static int teardown_in_use(void **state)
{
	int err = bpf_teardown(state);

	assert_int_equal(calls.unregs, 2);
	return err;
}

/* --- programs in maps, and other links ---------------------------------------- */

static void test_prog_array(void **state)
{
	int run = load_prog(0), stop = load_prog(1), map = map_create(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 3);
	u32 key = 1, id;
	struct bpf_prog *prog;

	assert_int_equal(map_lookup(map, &key, &id), -ENOENT);
	assert_int_equal(map_update(map, &key, &run, BPF_NOEXIST), -EINVAL);
	assert_int_equal(map_update(map, &key, &map, BPF_ANY), -EINVAL);
	assert_int_equal(map_update(map, &key, &run, BPF_ANY), 0);
	assert_int_equal(map_lookup(map, &key, &id), 0);
	assert_int_equal(id, 1);
	prog = bpf_prog_array_at(map_of(map), 1);
	assert_non_null(prog);
	assert_string_equal(bpf_prog_name(prog), "prog");
	assert_null(bpf_prog_array_at(map_of(map), 0));
	assert_null(bpf_prog_array_at(map_of(map), 3));
	key = 2; /* a program for another member would get another context */
	assert_int_equal(map_update(map, &key, &stop, BPF_ANY), -EINVAL);
	key = 3;
	assert_int_equal(map_update(map, &key, &run, BPF_ANY), -E2BIG);
	key = 0;
	assert_int_equal(map_delete(map, &key), -ENOENT);
	bpf_close(run);
	bpf_close(stop);
	assert_int_equal(vrt_bpf(BPF_PROG_GET_FD_BY_ID, &(union bpf_attr){ .prog_id = 2 },
				 sizeof(union bpf_attr)), -ENOENT);
	bpf_close(map);
	bpf_rcu_reclaim(BPF_RCU_ALL);
	assert_int_equal(vrt_bpf(BPF_PROG_GET_FD_BY_ID, &(union bpf_attr){ .prog_id = 1 },
				 sizeof(union bpf_attr)), -ENOENT);
}

static void test_prog_bind_map(void **state)
{
	int prog = load_prog(0), map = map_create(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
	union bpf_attr attr = { .prog_bind_map = { .prog_fd = (u32)prog, .map_fd = (u32)map } };
	struct bpf_prog_info info = { 0 };
	u32 len = sizeof(info), id = 0, refs = map_of(map)->obj.refs;

	assert_int_equal(vrt_bpf(BPF_PROG_BIND_MAP, &attr, sizeof(attr)), 0);
	assert_int_equal(map_of(map)->obj.refs, refs + 1);
	assert_int_equal(vrt_bpf(BPF_PROG_BIND_MAP, &attr, sizeof(attr)), 0);
	assert_int_equal(map_of(map)->obj.refs, refs + 1); /* once is enough */
	attr.prog_bind_map.flags = 1;
	assert_int_equal(vrt_bpf(BPF_PROG_BIND_MAP, &attr, sizeof(attr)), -EINVAL);

	info.nr_map_ids = 1;
	info.map_ids = ptr(&id);
	assert_int_equal(get_info(prog, &info, &len), 0);
	assert_int_equal(info.type, BPF_PROG_TYPE_STRUCT_OPS);
	assert_string_equal(info.name, "prog");
	assert_int_equal(info.nr_map_ids, 1);
	assert_int_equal(id, map_of(map)->obj.id);
	assert_int_equal(info.xlated_prog_len, 16);
	assert_int_equal(info.attach_btf_id, test_type.type_id);
	bpf_close(map);
	bpf_close(prog);
}

static void test_links_refused(void **state)
{
	int prog = load_prog(0);
	union bpf_attr attr = { .link_create = { .prog_fd = (u32)prog,
						 .attach_type = BPF_TRACE_FENTRY } };

	assert_int_equal(vrt_bpf(BPF_LINK_CREATE, &attr, sizeof(attr)), -EINVAL);
	attr.link_create.prog_fd = 999;
	assert_int_equal(vrt_bpf(BPF_LINK_CREATE, &attr, sizeof(attr)), -EBADF);
	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.prog_fd = (u32)prog;
	assert_int_equal(vrt_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr)), -EINVAL);
	bpf_close(prog);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bpf_setup, bpf_teardown)
#define TEST_OPS(name) cmocka_unit_test_setup_teardown(name, setup_struct_ops, bpf_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_attributes),
		TEST(test_create_checks),
		TEST(test_descriptors),
		cmocka_unit_test_setup_teardown(test_left_open, bpf_setup, teardown_left_open),
		TEST(test_infos),
		TEST(test_rights),
		TEST(test_log),
		TEST(test_btf_load),
		TEST_OPS(test_struct_ops_types),
		TEST_OPS(test_struct_ops_values),
		TEST_OPS(test_struct_ops_link),
		TEST_OPS(test_struct_ops_no_update),
		cmocka_unit_test_setup_teardown(test_struct_ops_without_link, setup_struct_ops,
						teardown_in_use),
		TEST_OPS(test_prog_array),
		TEST_OPS(test_prog_bind_map),
		TEST_OPS(test_links_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
