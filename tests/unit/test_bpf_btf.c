// SPDX-License-Identifier: GPL-2.0-only
/* BTF: what is read from a good blob, and what becomes of bad ones. */
#include "bpf_fixture.h"

/* One of every kind; returns nothing, ids are looked up by name. */
static void build_everything(struct btf_builder *b)
{
	u32 i32, ch, arr, st, proto, var, fn, un;

	btf_start(b);
	i32 = btf_add_int(b, "int", 4);
	b->words[b->nr_words - 1] |= BTF_INT_SIGNED << 24;
	ch = btf_add_int(b, "char", 1);
	arr = btf_add_array(b, ch, i32, 10);
	st = btf_add(b, "pair", BTF_KIND_STRUCT, 3, 24);
	btf_add_member(b, "a", i32, 0);
	btf_add_member(b, "name", arr, 4);
	btf_add_member(b, "self", st + 1, 16);
	btf_add(b, "", BTF_KIND_PTR, 0, st);
	un = btf_add(b, "either", BTF_KIND_UNION, 2, 4);
	btf_add_member(b, "i", i32, 0);
	btf_add_member(b, "c", ch, 0);
	btf_add(b, "color", BTF_KIND_ENUM, 2, 4);
	btf_add_param(b, "RED", 0);
	btf_add_param(b, "GREEN", 1);
	btf_add(b, "opaque", BTF_KIND_FWD, 0, 0);
	btf_add(b, "pair_t", BTF_KIND_TYPEDEF, 0, st);
	btf_add(b, "", BTF_KIND_CONST, 0, i32);
	btf_add(b, "", BTF_KIND_VOLATILE, 0, i32);
	btf_add(b, "", BTF_KIND_RESTRICT, 0, st + 1);
	proto = btf_add(b, "", BTF_KIND_FUNC_PROTO, 2, i32);
	btf_add_param(b, "x", i32);
	btf_add_param(b, "", 0);
	fn = btf_add(b, "func", BTF_KIND_FUNC, BTF_FUNC_GLOBAL, proto);
	var = btf_add(b, "counter", BTF_KIND_VAR, 0, un);
	btf_word(b, BTF_VAR_GLOBAL_ALLOCATED);
	btf_add(b, ".bss", BTF_KIND_DATASEC, 1, 8);
	btf_word(b, var);
	btf_word(b, 0);
	btf_word(b, 4);
	btf_add(b, "double", BTF_KIND_FLOAT, 0, 8);
	btf_add(b, "note", BTF_KIND_DECL_TAG, 0, fn);
	btf_word(b, 0);
	btf_add(b, "user", BTF_KIND_TYPE_TAG, 0, i32);
	btf_add(b, "wide", BTF_KIND_ENUM64, 1, 8);
	btf_word(b, btf_str(b, "HUGE"));
	btf_word(b, 0);
	btf_word(b, 1);
}

static struct btf_builder builder;

/* The error of checking what was built; the log's text in @log if not NULL. */
static int parse_built(char *log, u32 log_size)
{
	struct bpf_log l = { 0 };
	u32 size, true_size;
	void *raw = btf_finish(&builder, &size);
	struct btf *btf;
	int err;

	if (log)
		assert_int_equal(bpf_log_init(&l, BPF_LOG_LEVEL1, log, log_size), 0);
	btf = btf_parse(raw, size, false, &l, &err);
	if (log)
		bpf_log_finish(&l, &true_size);
	assert_int_equal(!btf, !!err);
	btf_put(btf);
	free(raw);
	return err;
}

static void test_everything(void **state)
{
	struct btf *btf;
	u32 size, id;
	s32 pair;
	void *raw;
	int err;

	build_everything(&builder);
	raw = btf_finish(&builder, &size);
	btf = btf_parse(raw, size, false, NULL, &err);
	assert_non_null(btf);
	assert_int_equal(btf->nr_types, builder.nr_types + 1);

	pair = btf_find_by_name_kind(btf, "pair", BTF_KIND_STRUCT);
	assert_int_equal(pair, 4);
	assert_int_equal(btf_find_by_name_kind(btf, "pair", BTF_KIND_UNION), -ENOENT);
	assert_int_equal(btf_find_by_name_kind(btf, "pair", BTF_KIND_UNKN), pair);
	assert_int_equal(btf_find_by_name_kind(btf, "nobody", BTF_KIND_UNKN), -ENOENT);
	assert_int_equal(btf_find_by_name_kind(btf, "", BTF_KIND_UNKN), -ENOENT);
	assert_int_equal(btf_type_size(btf, (u32)pair), 24);
	assert_int_equal(btf_type_size(btf, 3), 10);
	assert_int_equal(btf_type_size(btf, 5), 8);
	assert_int_equal(btf_type_size(btf, 0), 0);
	assert_int_equal(btf_type_size(btf, 12345), 0);

	/* pair_t is pair */
	id = (u32)btf_find_by_name_kind(btf, "pair_t", BTF_KIND_TYPEDEF);
	assert_ptr_equal(btf_type_skip_modifiers(btf, id, &id), btf_type_by_id(btf, (u32)pair));
	assert_int_equal(id, pair);
	assert_null(btf_type_by_id(btf, btf->nr_types));
	assert_string_equal(btf_name(btf, btf_type_by_id(btf, id)->name_off), "pair");
	assert_string_equal(btf_name(btf, 1 << 30), "");

	/* where is what in a pair */
	assert_true(btf_struct_has_type_at(btf, id, 0, id));
	assert_true(btf_struct_has_type_at(btf, id, 0, 1));
	assert_false(btf_struct_has_type_at(btf, id, 1, 1));
	assert_true(btf_struct_has_type_at(btf, id, 7, 2)); /* name[3] */
	assert_false(btf_struct_has_type_at(btf, id, 14, 2)); /* padding */
	assert_true(btf_struct_has_type_at(btf, id, 16, 5));
	btf_put(btf);
	free(raw);
}

static void test_truncated(void **state)
{
	u32 size, cut;
	void *raw;

	build_everything(&builder);
	raw = btf_finish(&builder, &size);
	for (cut = 0; cut < size; cut++) {
		/* of its own size, so that ASan sees a read beyond it */
		void *part = malloc(cut ?: 1);
		struct btf *btf;
		int err = 0;

		memcpy(part, raw, cut);
		btf = btf_parse(part, cut, false, NULL, &err);
		assert_null(btf);
		assert_true(err < 0);
		free(part);
	}
	free(raw);
}

/* Every word replaced by values that hurt: either an error or a usable object. */
static void test_mutated(void **state)
{
	static const u32 values[] = { 0, 1, 2, 21, 22, 255, 0x7fffffff, 0x80000000, 0xffffffff,
				      BTF_KIND_PTR << 24, BTF_KIND_STRUCT << 24 | 0xffff,
				      BTF_KIND_ARRAY << 24, BTF_KIND_DATASEC << 24 | 1 };
	u32 size, word, v, id, refused = 0;
	u32 *raw;

	build_everything(&builder);
	raw = btf_finish(&builder, &size);
	for (word = 0; word < size / 4; word++) {
		u32 saved = raw[word];

		for (v = 0; v < ARRAY_SIZE(values); v++) {
			struct btf *btf;
			int err;

			raw[word] = values[v];
			btf = btf_parse(raw, size, false, NULL, &err);
			refused += !btf;
			for (id = 0; btf && id < btf->nr_types; id++) {
				btf_type_size(btf, id);
				btf_struct_has_type_at(btf, id, 3, 1);
			}
			btf_put(btf);
		}
		raw[word] = saved;
	}
	assert_true(refused > 500);
	free(raw);
}

/* One type that is wrong, after two ints (ids 1: 4 bytes, 2: 1 byte). */
static void bad_type(u32 kind, u32 vlen, u32 last)
{
	btf_start(&builder);
	btf_add_int(&builder, "int", 4);
	btf_add_int(&builder, "char", 1);
	btf_add(&builder, kind == BTF_KIND_PTR ? "" : "bad", kind, vlen, last);
}

static void expect_refused(const char *what)
{
	char log[1024] = "";

	assert_int_equal(parse_built(log, sizeof(log)), -EINVAL);
	if (!strstr(log, what))
		fail_msg("expected \"%s\" in \"%s\"", what, log);
}

static void test_refused(void **state)
{
	bad_type(BTF_KIND_PTR, 0, 9);
	expect_refused("[3] PTR (anon) Invalid type_id");
	bad_type(BTF_KIND_PTR, 1, 1);
	expect_refused("vlen != 0");
	bad_type(BTF_KIND_STRUCT, 1, 4);
	btf_add_member(&builder, "x", 1, 1);
	expect_refused("[3] STRUCT bad 'x' type_id=1 bits_offset=8 Member exceeds struct_size");
	bad_type(BTF_KIND_STRUCT, 1, 4);
	btf_add_member(&builder, "1x", 1, 0);
	expect_refused("Invalid name");
	bad_type(BTF_KIND_STRUCT, 1, 4);
	btf_add_member(&builder, "v", 0, 0);
	expect_refused("Invalid type_id");
	bad_type(BTF_KIND_STRUCT, 2, 8);
	btf_add_member(&builder, "a", 1, 4);
	btf_add_member(&builder, "b", 1, 0);
	expect_refused("Invalid member bits_offset");
	bad_type(BTF_KIND_FLOAT, 0, 3);
	expect_refused("Invalid type_size");
	bad_type(BTF_KIND_ENUM, 0, 3);
	expect_refused("Unexpected size");
	bad_type(BTF_KIND_FUNC, 3, 1);
	expect_refused("Invalid func linkage");
	bad_type(BTF_KIND_FUNC, 1, 1);
	expect_refused("Invalid type_id");
	bad_type(BTF_KIND_DATASEC, 1, 4);
	btf_word(&builder, 1);
	btf_word(&builder, 0);
	btf_word(&builder, 4);
	expect_refused("Not a VAR kind member");
	bad_type(BTF_KIND_DECL_TAG, 0, 1);
	btf_word(&builder, (u32)-1);
	expect_refused("Invalid type_id");

	btf_start(&builder);
	btf_add_int(&builder, "int", 4);
	btf_add_array(&builder, 1, 1, 0x40000000);
	expect_refused("Array size overflows U32_MAX");
	btf_start(&builder);
	btf_add_int(&builder, "int", 4);
	btf_add_array(&builder, 3, 1, 1 << 16); /* of what comes later */
	btf_add_array(&builder, 1, 1, 1 << 14);
	expect_refused("Array size overflows U32_MAX");
	btf_start(&builder);
	btf_add(&builder, "u", BTF_KIND_INT, 0, 1);
	btf_word(&builder, 9);
	expect_refused("nr_bits exceeds type_size");
}

static void test_loops(void **state)
{
	u32 i;

	/* struct a { struct b b; }; struct b { struct a a; }; */
	btf_start(&builder);
	btf_add(&builder, "a", BTF_KIND_STRUCT, 1, 8);
	btf_add_member(&builder, "b", 2, 0);
	btf_add(&builder, "b", BTF_KIND_STRUCT, 1, 8);
	btf_add_member(&builder, "a", 1, 0);
	assert_int_equal(parse_built(NULL, 0), -EEXIST);

	/* typedef a *a; */
	btf_start(&builder);
	btf_add(&builder, "a", BTF_KIND_TYPEDEF, 0, 2);
	btf_add(&builder, "", BTF_KIND_PTR, 0, 1);
	assert_int_equal(parse_built(NULL, 0), -EEXIST);

	/* struct a { struct a *next; }; is no loop */
	btf_start(&builder);
	btf_add(&builder, "a", BTF_KIND_STRUCT, 1, 8);
	btf_add_member(&builder, "next", 2, 0);
	btf_add(&builder, "", BTF_KIND_PTR, 0, 1);
	assert_int_equal(parse_built(NULL, 0), 0);

	/* 100 structs inside one another, forwards and backwards */
	btf_start(&builder);
	for (i = 1; i <= 100; i++) {
		btf_add(&builder, "", BTF_KIND_STRUCT, 1, 4);
		btf_add_member(&builder, "m", i + 1, 0);
	}
	btf_add_int(&builder, "int", 4);
	assert_int_equal(parse_built(NULL, 0), -E2BIG);
	btf_start(&builder);
	btf_add_int(&builder, "int", 4);
	for (i = 2; i <= 101; i++) {
		btf_add(&builder, "", BTF_KIND_UNION, 1, 4);
		btf_add_member(&builder, "m", i - 1, 0);
	}
	assert_int_equal(parse_built(NULL, 0), -E2BIG);
}

static void test_header(void **state)
{
	struct btf_header *hdr;
	u32 size;
	int err;

	build_everything(&builder);
	hdr = btf_finish(&builder, &size);
#define EXPECT(field, value, error)                                                                \
	do {                                                                                       \
		__typeof__(hdr->field) saved = hdr->field;                                         \
		hdr->field = value;                                                                \
		assert_null(btf_parse(hdr, size, false, NULL, &err));                              \
		assert_int_equal(err, error);                                                      \
		hdr->field = saved;                                                                \
	} while (0)
	EXPECT(magic, 0x9feb, -EINVAL);
	EXPECT(version, 2, -ENOTSUPP);
	EXPECT(flags, 1, -ENOTSUPP);
	EXPECT(hdr_len, 23, -EINVAL);
	EXPECT(hdr_len, 28, -E2BIG); /* the new field is not zero */
	EXPECT(type_off, 2, -EINVAL);
	EXPECT(type_off, 4, -EINVAL);
	EXPECT(type_len, 0, -EINVAL);
	EXPECT(type_len, 0xffffffff, -EINVAL);
	EXPECT(str_off, 0xfffffffc, -EINVAL);
	EXPECT(str_len, hdr->str_len - 1, -EINVAL);
	EXPECT(str_len, 0, -EINVAL);
	assert_null(btf_parse(hdr, 16 * 1024 * 1024 + 1, false, NULL, &err));
	assert_int_equal(err, -E2BIG);
	free(hdr);
}

/* --- special fields -------------------------------------------------------- */

/*
 * struct value {
 *	u64 plain;			0
 *	struct bpf_timer timer;		8
 *	struct task_struct __kptr *task;	24
 *	struct node __kptr *node;	32
 *	struct bpf_spin_lock lock;	40
 *	struct bpf_list_head head;	48  contains:node:link
 * };
 * The builder's type ids: value is returned, node is the one before it.
 */
static u32 build_value(const char *contains)
{
	struct btf_builder *b = &builder;
	u32 u64_id, u32_id, timer, lock, head, lnode, task, tag, node, kptr, nptr, value;

	btf_start(b);
	u64_id = btf_add_int(b, "u64", 8);
	u32_id = btf_add_int(b, "u32", 4);
	timer = btf_add(b, "bpf_timer", BTF_KIND_STRUCT, 1, 16);
	btf_add_member(b, "__opaque", u64_id, 0);
	lock = btf_add(b, "bpf_spin_lock", BTF_KIND_STRUCT, 1, 4);
	btf_add_member(b, "val", u32_id, 0);
	head = btf_add(b, "bpf_list_head", BTF_KIND_STRUCT, 1, 16);
	btf_add_member(b, "__opaque", u64_id, 0);
	lnode = btf_add(b, "bpf_list_node", BTF_KIND_STRUCT, 1, 24);
	btf_add_member(b, "__opaque", u64_id, 0);
	task = btf_add(b, "task_struct", BTF_KIND_STRUCT, 0, 4);
	tag = btf_add(b, "kptr", BTF_KIND_TYPE_TAG, 0, task);
	kptr = btf_add(b, "", BTF_KIND_PTR, 0, tag);
	tag = btf_add(b, "kptr", BTF_KIND_TYPE_TAG, 0, kptr + 3);
	nptr = btf_add(b, "", BTF_KIND_PTR, 0, tag);
	node = btf_add(b, "node", BTF_KIND_STRUCT, 2, 32);
	assert_int_equal(node, kptr + 3);
	btf_add_member(b, "key", u64_id, 0);
	btf_add_member(b, "link", lnode, 8);
	value = btf_add(b, "value", BTF_KIND_STRUCT, 6, 64);
	btf_add_member(b, "plain", u64_id, 0);
	btf_add_member(b, "timer", timer, 8);
	btf_add_member(b, "task", kptr, 24);
	btf_add_member(b, "node", nptr, 32);
	btf_add_member(b, "lock", lock, 40);
	btf_add_member(b, "head", head, 48);
	btf_add(b, contains, BTF_KIND_DECL_TAG, 0, value);
	btf_word(b, 5);
	return value;
}

static u32 nr_dropped;

static void drop_task(void *task)
{
	nr_dropped++;
}

#define ALL_FIELDS 0xffffffff

static void test_record(void **state)
{
	u32 value = build_value("contains:node:link"), size;
	struct btf_record *rec, *local;
	struct btf *btf;
	void *raw;
	int err;

	assert_int_equal(bpf_register_dtor("no_such_struct", drop_task), -ENOENT);
	raw = btf_finish(&builder, &size);
	/* a referenced kptr that nobody could give back */
	assert_null(btf_parse(raw, size, false, NULL, &err));
	assert_int_equal(err, -ENOENT);
	assert_int_equal(bpf_register_dtor("task_struct", drop_task), 0);
	btf = btf_parse(raw, size, false, NULL, &err);
	assert_non_null(btf);

	rec = btf_parse_record_mask(btf, value, ALL_FIELDS, &err);
	assert_int_equal(err, 0);
	assert_non_null(rec);
	assert_int_equal(rec->nr, 5);
	assert_int_equal(rec->field_mask,
			 BPF_TIMER | BPF_KPTR_REF | BPF_SPIN_LOCK | BPF_LIST_HEAD);
	assert_int_equal(rec->fields[0].type, BPF_TIMER);
	assert_int_equal(rec->fields[0].offset, 8);
	assert_int_equal(rec->fields[0].size, 16);
	assert_int_equal(rec->fields[1].offset, 24);
	assert_ptr_equal(rec->fields[1].kptr_btf, bpf_kernel_btf());
	assert_int_equal(rec->fields[1].kptr_btf_id,
			 btf_find_by_name_kind(bpf_kernel_btf(), "task_struct", BTF_KIND_STRUCT));
	assert_ptr_equal(rec->fields[1].dtor, drop_task);
	assert_ptr_equal(rec->fields[2].kptr_btf, btf);
	assert_int_equal(rec->fields[2].kptr_btf_id, value - 1);
	assert_null(rec->fields[2].dtor);
	assert_int_equal(rec->fields[4].type, BPF_LIST_HEAD);
	assert_int_equal(rec->fields[4].kptr_btf_id, value - 1);
	assert_int_equal(rec->fields[4].node_offset, 8);

	/* the node has a node, the plain int has nothing */
	local = btf_parse_record(btf, value - 1, &err);
	assert_non_null(local);
	assert_int_equal(local->field_mask, BPF_LIST_NODE);
	assert_int_equal(local->fields[0].offset, 8);
	assert_false(btf_record_equal(rec, local));
	assert_true(btf_record_equal(rec, rec));
	assert_null(btf_parse_record(btf, 1, &err));
	assert_int_equal(err, 0);
	btf_record_free(local);
	btf_record_free(rec);
	btf_put(btf);
	free(raw);
}

static void test_record_malformed(void **state)
{
	assert_int_equal(bpf_register_dtor("task_struct", drop_task), 0);
	build_value("contains:node:link");
	assert_int_equal(parse_built(NULL, 0), 0);
	build_value("contains:node:nothing");
	assert_int_equal(parse_built(NULL, 0), -ENOENT);
	build_value("contains:nobody:link");
	assert_int_equal(parse_built(NULL, 0), -ENOENT);
	build_value("contains:node:key");
	assert_int_equal(parse_built(NULL, 0), -EINVAL);
	build_value("contains:node");
	assert_int_equal(parse_built(NULL, 0), -EINVAL);
	build_value("something else");
	assert_int_equal(parse_built(NULL, 0), -EINVAL);
}

static void test_datasec_record(void **state)
{
	struct btf_builder *b = &builder;
	u32 u32_id, lock, var, sec, size;
	struct btf_record *rec;
	struct btf *btf;
	void *raw;
	int err;

	btf_start(b);
	u32_id = btf_add_int(b, "u32", 4);
	lock = btf_add(b, "bpf_spin_lock", BTF_KIND_STRUCT, 1, 4);
	btf_add_member(b, "val", u32_id, 0);
	var = btf_add(b, "glock", BTF_KIND_VAR, 0, lock);
	btf_word(b, BTF_VAR_STATIC);
	sec = btf_add(b, ".data.A", BTF_KIND_DATASEC, 1, 16);
	btf_word(b, var);
	btf_word(b, 12);
	btf_word(b, 4);
	raw = btf_finish(b, &size);
	btf = btf_parse(raw, size, false, NULL, &err);
	assert_non_null(btf);
	assert_int_equal(btf_type_size(btf, sec), 16);
	rec = btf_parse_record_mask(btf, sec, BPF_SPIN_LOCK, &err);
	assert_non_null(rec);
	assert_int_equal(rec->nr, 1);
	assert_int_equal(rec->fields[0].offset, 12);
	btf_record_free(rec);
	assert_null(btf_parse_record_mask(btf, sec, BPF_TIMER, &err));
	assert_int_equal(err, 0);
	btf_put(btf);
	free(raw);
}

/* A value with special fields in a hash map: what updates and deletion do to them. */
static void test_fields_in_map(void **state)
{
	u32 value_id = build_value("contains:node:link"), key = 7;
	char value[64];
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 64,
				.max_entries = 4, .map_name = "h", .btf_key_type_id = 2,
				.btf_value_type_id = value_id };
	struct bpf_map *map;
	u64 *elem, *old;
	u32 *lock;
	int btf_fd, fd;

	assert_int_equal(bpf_register_dtor("task_struct", drop_task), 0);
	btf_fd = btf_load_built(&builder);
	assert_true(btf_fd >= 0);
	attr.btf_fd = (u32)btf_fd;
	fd = (int)vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	assert_true(fd >= 0);
	bpf_close(btf_fd); /* the map holds it */

	memset(value, 0xff, sizeof(value));
	assert_int_equal(map_update(fd, &key, value, BPF_ANY), 0);
	map = map_of(fd);
	elem = map->ops->lookup(map, &key);
	assert_int_equal(elem[0], ~0ULL); /* plain data arrived, special fields did not */
	assert_int_equal(elem[1], 0);
	assert_int_equal(elem[3], 0);
	assert_int_equal(elem[6], 0);

	/* what a program stored is given back when the element is replaced */
	nr_dropped = 0;
	elem[3] = 0x1234;
	old = elem;
	assert_int_equal(map->ops->update(map, &key, value, BPF_ANY), 0);
	assert_int_equal(nr_dropped, 1);
	elem = map->ops->lookup(map, &key);
	assert_ptr_not_equal(elem, old);
	assert_int_equal(old[0], ~0ULL); /* still readable */
	bpf_rcu_reclaim(BPF_RCU_ALL);

	/* in place under the lock */
	elem[3] = 0x5678;
	memset(value, 0x11, sizeof(value));
	test_lock_count = 0;
	assert_int_equal(map->ops->update(map, &key, value, BPF_F_LOCK), 0);
	assert_int_equal(test_lock_count, 1);
	assert_int_equal(elem[0], 0x1111111111111111);
	assert_int_equal(elem[3], 0x5678);
	lock = (u32 *)&elem[5];
	assert_int_equal(*lock, 0);

	/* user space sees zeroes in their place */
	memset(value, 0xee, sizeof(value));
	assert_int_equal(map_elem(BPF_MAP_LOOKUP_ELEM, fd, &key, value, BPF_F_LOCK), 0);
	assert_int_equal(((u64 *)value)[0], 0x1111111111111111);
	assert_int_equal(((u64 *)value)[3], 0);

	assert_int_equal(map_elem(BPF_MAP_FREEZE, fd, NULL, NULL, 0), -ENOTSUPP);
	assert_int_equal(map_delete(fd, &key), 0);
	assert_int_equal(nr_dropped, 2);
	bpf_close(fd);
}

/* Which maps may have what in their values. */
static void test_fields_refused(void **state)
{
	u32 value_id = build_value("contains:node:link");
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_LRU_HASH, .key_size = 4, .value_size = 64,
				.max_entries = 4, .map_name = "h", .btf_key_type_id = 2,
				.btf_value_type_id = value_id };
	int btf_fd;

	assert_int_equal(bpf_register_dtor("task_struct", drop_task), 0);
	btf_fd = btf_load_built(&builder);
	attr.btf_fd = (u32)btf_fd;
	assert_int_equal(vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)), -EOPNOTSUPP);
	attr.map_type = BPF_MAP_TYPE_HASH;
	attr.map_flags = BPF_F_RDONLY_PROG;
	assert_int_equal(vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)), -EACCES);
	attr.map_flags = 0;
	attr.value_size = 72;
	assert_int_equal(vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)), -EINVAL);
	attr.value_size = 64;
	attr.btf_key_type_id = 1; /* 8 bytes */
	assert_int_equal(vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)), -EINVAL);
	attr.btf_key_type_id = 0;
	assert_int_equal(vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)), -EINVAL);
	attr.btf_key_type_id = 2;
	attr.btf_fd = 999;
	assert_int_equal(vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)), -EBADF);
	bpf_close(btf_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_everything, bpf_setup, bpf_teardown),
		cmocka_unit_test_setup_teardown(test_truncated, bpf_setup, bpf_teardown),
		cmocka_unit_test_setup_teardown(test_mutated, bpf_setup, bpf_teardown),
		cmocka_unit_test_setup_teardown(test_refused, bpf_setup, bpf_teardown),
		cmocka_unit_test_setup_teardown(test_loops, bpf_setup, bpf_teardown),
		cmocka_unit_test_setup_teardown(test_header, bpf_setup, bpf_teardown),
		cmocka_unit_test_setup_teardown(test_record, bpf_setup, bpf_teardown),
		cmocka_unit_test_setup_teardown(test_record_malformed, bpf_setup, bpf_teardown),
		cmocka_unit_test_setup_teardown(test_datasec_record, bpf_setup, bpf_teardown),
		cmocka_unit_test_setup_teardown(test_fields_in_map, bpf_setup, bpf_teardown),
		cmocka_unit_test_setup_teardown(test_fields_refused, bpf_setup, bpf_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
