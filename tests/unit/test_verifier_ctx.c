// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contexts of all types of program, and sockets: for every offset and width
 * what may be read and written, and what a load gives.
 *
 * What is expected is written down as letters with the offsets that they are for
 * ("n0-48 p76"; one without an end is as long as what it stands for):
 *
 *	n	numbers of 4 bytes, also narrower	w, d	exactly 4, or 8 bytes
 *	c	any width up to 8			x	4 or 8 bytes
 *	h	2 or 4 bytes				b	one byte
 *	g	up to 2 bytes				q	the same, or 4 from the first
 *	f	like n, but only from the first byte
 *	p, m, e	4 bytes, not sign extended: a packet, its metadata, its end
 *	P, E	8 bytes: a packet, its end		y	8 bytes: keys of a flow
 *	S, s	8 bytes: a socket, or (s) NULL		k	8 bytes: any socket, or NULL
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/bpf/verifier/mem_internal.h"

#define MAX_CTX 256

/* --- what is expected ------------------------------------------------------------- */

struct place {
	char letter; /* 0: nothing there */
	u32 start, end;
};

static u32 width_of(char letter)
{
	return strchr("dPEySsk", letter) ? 8 : letter == 'b' ? 1 : letter == 'q' ? 2 : 4;
}

static void spell(const char *text, struct place *places)
{
	memset(places, 0, MAX_CTX * sizeof(*places));
	while (*text) {
		struct place p = { .letter = *text++ };

		p.start = (u32)strtoul(text, (char **)&text, 10);
		p.end = p.start + width_of(p.letter);
		if (*text == '-')
			p.end = (u32)strtoul(text + 1, (char **)&text, 10);
		while (*text == ' ')
			text++;
		assert_true(p.end <= MAX_CTX);
		for (u32 i = p.start; i < p.end; i++) {
			assert_false(places[i].letter);
			places[i] = p;
		}
	}
}

static bool expect_ok(const struct place *p, u32 off, u32 size, bool ldsx)
{
	if (off % size)
		return false;
	switch (p->letter) {
	case 'n':
		return size <= 4;
	case 'f':
		return size <= 4 && off == p->start;
	case 'w':
		return size == 4;
	case 'p':
	case 'm':
	case 'e':
		return size == 4 && !ldsx;
	case 'c':
		return off + size <= p->end;
	case 'x':
		return size >= 4 && off + size <= p->end;
	case 'h':
		return size == 2 || size == 4;
	case 'g':
		return size <= 2;
	case 'q':
		return size <= 2 || (size == 4 && off == p->start);
	case 'b':
		return size == 1;
	case 0:
		return false;
	default:
		return size == 8;
	}
}

static u32 expect_type(char letter)
{
	switch (letter) {
	case 'p':
	case 'P':
		return PTR_TO_PACKET;
	case 'm':
		return PTR_TO_PACKET_META;
	case 'e':
	case 'E':
		return PTR_TO_PACKET_END;
	case 'y':
		return PTR_TO_FLOW_KEYS;
	case 'S':
		return PTR_TO_SOCKET;
	case 's':
		return PTR_TO_SOCKET | PTR_MAYBE_NULL;
	case 'k':
		return PTR_TO_SOCK_COMMON | PTR_MAYBE_NULL;
	default:
		return 0;
	}
}

static void check_one(const char *name, const struct ctx_table *table, u32 key, s32 off, s32 size,
		      enum bpf_access_type t, bool ldsx, const struct place *places)
{
	static const struct place nothing;
	const struct place *p = off >= 0 && off < MAX_CTX ? &places[off] : &nothing;
	const struct ctx_field *f = ctx_field_at(table, key, off, size, t, ldsx);
	bool ok = off >= 0 && expect_ok(p, (u32)off, (u32)size, ldsx);

	if (ok != !!f)
		fail_msg("%s: %s%s of %d bytes at %d: %s", name, t == BPF_READ ? "load" : "store",
			 ldsx ? ", sign extended," : "", size, off, f ? "let through" : "refused");
	if (ok && t == BPF_READ && f->type != expect_type(p->letter))
		fail_msg("%s: the load of %d bytes at %d gives type %#x", name, size, off, f->type);
}

static void check_table(const char *name, const struct ctx_table *table, u32 key, const char *read,
			const char *write)
{
	static struct place reads[MAX_CTX], writes[MAX_CTX];

	assert_non_null(table);
	spell(read, reads);
	spell(write, writes);
	for (s32 off = -8; off < MAX_CTX + 8; off++) {
		for (s32 size = 1; size <= 8; size *= 2) {
			check_one(name, table, key, off, size, BPF_READ, false, reads);
			check_one(name, table, key, off, size, BPF_WRITE, false, writes);
			if (size < 8)
				check_one(name, table, key, off, size, BPF_READ, true, reads);
		}
	}
}

/* --- packets ------------------------------------------------------------------------- */

#define LWT_READ "n0-48 c48-68 n68-72 p76 e80 n84-88 n164-168 k168 n176-180"

static void test_packets(void **state)
{
	static const struct {
		const char *name;
		enum bpf_prog_type type;
		const char *read, *write;
	} types[] = {
		{ "socket_filter", BPF_PROG_TYPE_SOCKET_FILTER,
		  "n0-48 c48-68 n68-72 n84-88 n164-168 k168 n176-180", "c48-68" },
		{ "sched_cls", BPF_PROG_TYPE_SCHED_CLS,
		  "n0-48 c48-68 n68-76 p76 e80 n84-88 m140 d152 n160-168 k168 n176-180 b180 d184",
		  "w8-16 w32 w44 c48-68 w72 d152" },
		{ "sched_act", BPF_PROG_TYPE_SCHED_ACT,
		  "n0-48 c48-68 n68-76 p76 e80 n84-88 m140 d152 n160-168 k168 n176-180 b180 d184",
		  "w8-16 w32 w44 c48-68 w72 d152" },
		{ "cgroup_skb", BPF_PROG_TYPE_CGROUP_SKB,
		  "n0-48 c48-68 n68-72 p76 e80 n84-92 w92-132 n132-140 d152 n164-168 k168 n176-180 d184",
		  "w8 w32 c48-68 d152" },
		{ "lwt_in", BPF_PROG_TYPE_LWT_IN, LWT_READ, "w8 w32 c48-68" },
		{ "lwt_out", BPF_PROG_TYPE_LWT_OUT, LWT_READ, "w8 w32 c48-68" },
		{ "lwt_xmit", BPF_PROG_TYPE_LWT_XMIT, LWT_READ, "w8 w32 c48-68" },
		{ "lwt_seg6local", BPF_PROG_TYPE_LWT_SEG6LOCAL, LWT_READ, "w8 w32 c48-68" },
		{ "sk_skb", BPF_PROG_TYPE_SK_SKB,
		  "n0-8 n12-48 c48-68 n68-72 p76 e80 n84-92 w92-132 n132-140 n164-168 k168 n176-180",
		  "w32 w44" },
		{ "flow_dissector", BPF_PROG_TYPE_FLOW_DISSECTOR, "p76 e80 y144", "" },
		{ "sk_msg", BPF_PROG_TYPE_SK_MSG, "P0 E8 w16-72 S72", "" },
		{ "sk_reuseport", BPF_PROG_TYPE_SK_REUSEPORT,
		  "P0 E8 n16 h20 n24-32 w32 S40 k48", "" },
		{ "sk_lookup", BPF_PROG_TYPE_SK_LOOKUP, "s0 n8-36 q36 g38-40 n40-68", "" },
		{ "sock_ops", BPF_PROG_TYPE_SOCK_OPS,
		  "w0-168 d168-184 s184 P192 E200 w208 f212 d216", "w4 w164" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(types); i++)
		check_table(types[i].name, ctx_net_table(types[i].type), types[i].type,
			    types[i].read, types[i].write);
	check_table("xdp", ctx_net_table(BPF_PROG_TYPE_XDP), 0, "p0 e4 m8 w12-20", "");
	check_table("xdp/devmap", ctx_net_table(BPF_PROG_TYPE_XDP), BPF_XDP_DEVMAP,
		    "p0 e4 m8 w12-24", "");
	/* an attach type that nobody knows */
	check_table("xdp?", ctx_net_table(BPF_PROG_TYPE_XDP), 1000, "p0 e4 m8 w12-20", "");
}

/* --- cgroups ---------------------------------------------------------------------------- */

#define SOCK_ALWAYS "f4 f8 f12 q48 n52-72 f72 f76 "
#define ADDR_ALWAYS "w0 n24 w28-40 S64 "

static void test_cgroups(void **state)
{
	static const struct {
		const char *name;
		enum bpf_prog_type type;
		u32 attach;
		const char *read, *write;
	} hooks[] = {
		{ "sock_create", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE,
		  SOCK_ALWAYS "w0 w16-24", "w0 w16-24" },
		{ "sock_release", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_RELEASE,
		  SOCK_ALWAYS "w0 w16-24", "w0 w16-24" },
		{ "post_bind4", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET4_POST_BIND,
		  SOCK_ALWAYS "n24 f44", "" },
		{ "post_bind6", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET6_POST_BIND,
		  SOCK_ALWAYS "n28-44 f44", "" },
		{ "connect4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT,
		  ADDR_ALWAYS "n4", "w4 w24" },
		{ "bind6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_BIND,
		  ADDR_ALWAYS "c8-24", "x8-24 w24" },
		{ "sendmsg4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_SENDMSG,
		  ADDR_ALWAYS "n4 n40", "w4 w24 w40" },
		{ "sendmsg6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_SENDMSG,
		  ADDR_ALWAYS "c8-24 c44-60", "x8-24 w24 x44-60" },
		{ "connect_unix", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UNIX_CONNECT,
		  ADDR_ALWAYS, "w24" },
		{ "getsockopt", BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_GETSOCKOPT,
		  "S0 P8 E16 w24-40", "w32-40" },
		{ "setsockopt", BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT,
		  "S0 P8 E16 w24-36", "w24-36" },
		{ "device", BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE, "n0 w4-12", "" },
		{ "sysctl", BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_CGROUP_SYSCTL, "n0-8", "w4" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(hooks); i++)
		check_table(hooks[i].name, ctx_cgroup_table(hooks[i].type), hooks[i].attach,
			    hooks[i].read, hooks[i].write);
}

static void test_sockets(void **state)
{
	check_table("sock", sock_table(PTR_TO_SOCKET), PTR_TO_SOCKET,
		    "w0 f4 f8 f12 w16-24 n24-44 f44 q48 n52-72 f72 f76", "");
	check_table("sock_common", sock_table(PTR_TO_SOCK_COMMON), PTR_TO_SOCK_COMMON,
		    "w0 f4 n24-44 f44 q48 n52-72 f72 f76", "");
	check_table("tcp_sock", sock_table(PTR_TO_TCP_SOCK), PTR_TO_TCP_SOCK,
		    "w0-80 d80-96 w96-112", "");
	check_table("xdp_sock", sock_table(PTR_TO_XDP_SOCK), PTR_TO_XDP_SOCK, "w0", "");
}

/* --- tracing ------------------------------------------------------------------------------ */

/* The type of what a load gives, or -EACCES. */
static s32 tracing(enum bpf_prog_type type, s32 off, s32 size, enum bpf_access_type t)
{
	struct bpf_prog prog = { .type = type };
	struct bpf_verifier_env env = { .prog = &prog };
	struct bpf_insn_access_aux info = { .reg_type = SCALAR_VALUE };
	int err = ctx_tracing_access(&env, off, size, t, &info);

	return err ?: (s32)info.reg_type;
}

static void test_tracing(void **state)
{
	/* registers: any width, to the end of struct pt_regs */
	assert_int_equal(tracing(BPF_PROG_TYPE_KPROBE, 0, 8, BPF_READ), SCALAR_VALUE);
	assert_int_equal(tracing(BPF_PROG_TYPE_KPROBE, 167, 1, BPF_READ), SCALAR_VALUE);
	assert_int_equal(tracing(BPF_PROG_TYPE_KPROBE, 160, 8, BPF_READ), SCALAR_VALUE);
	assert_int_equal(tracing(BPF_PROG_TYPE_KPROBE, 168, 1, BPF_READ), -EACCES);
	assert_int_equal(tracing(BPF_PROG_TYPE_KPROBE, 4, 8, BPF_READ), -EACCES);
	assert_int_equal(tracing(BPF_PROG_TYPE_KPROBE, -8, 8, BPF_READ), -EACCES);
	assert_int_equal(tracing(BPF_PROG_TYPE_KPROBE, 0, 8, BPF_WRITE), -EACCES);
	/* a record: not its first 8 bytes, which are the kernel's */
	assert_int_equal(tracing(BPF_PROG_TYPE_TRACEPOINT, 0, 8, BPF_READ), -EACCES);
	assert_int_equal(tracing(BPF_PROG_TYPE_TRACEPOINT, 7, 1, BPF_READ), -EACCES);
	assert_int_equal(tracing(BPF_PROG_TYPE_TRACEPOINT, 8, 8, BPF_READ), SCALAR_VALUE);
	assert_int_equal(tracing(BPF_PROG_TYPE_TRACEPOINT, 8184, 8, BPF_READ), SCALAR_VALUE);
	assert_int_equal(tracing(BPF_PROG_TYPE_TRACEPOINT, 8192, 1, BPF_READ), -EACCES);
	assert_int_equal(tracing(BPF_PROG_TYPE_TRACEPOINT, 8, 4, BPF_WRITE), -EACCES);
	/* registers by whole words, then the sample's period and address at any width */
	assert_int_equal(tracing(BPF_PROG_TYPE_PERF_EVENT, 0, 4, BPF_READ), -EACCES);
	assert_int_equal(tracing(BPF_PROG_TYPE_PERF_EVENT, 0, 8, BPF_READ), SCALAR_VALUE);
	assert_int_equal(tracing(BPF_PROG_TYPE_PERF_EVENT, 168, 1, BPF_READ), SCALAR_VALUE);
	assert_int_equal(tracing(BPF_PROG_TYPE_PERF_EVENT, 183, 1, BPF_READ), SCALAR_VALUE);
	assert_int_equal(tracing(BPF_PROG_TYPE_PERF_EVENT, 184, 1, BPF_READ), -EACCES);
	/* twelve arguments */
	assert_int_equal(tracing(BPF_PROG_TYPE_RAW_TRACEPOINT, 88, 8, BPF_READ), SCALAR_VALUE);
	assert_int_equal(tracing(BPF_PROG_TYPE_RAW_TRACEPOINT, 96, 8, BPF_READ), -EACCES);
	assert_int_equal(tracing(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 4, BPF_READ), SCALAR_VALUE);
	assert_int_equal(tracing(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 8, BPF_WRITE), -EACCES);
	/* the first of them is a buffer */
	assert_int_equal(tracing(BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, 0, 8, BPF_READ),
			 PTR_TO_TP_BUFFER);
	assert_int_equal(tracing(BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, 0, 4, BPF_READ), -EACCES);
	assert_int_equal(tracing(BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, 8, 4, BPF_READ),
			 SCALAR_VALUE);
	/* whatever the caller gave */
	assert_int_equal(tracing(BPF_PROG_TYPE_SYSCALL, 65532, 2, BPF_WRITE), SCALAR_VALUE);
	assert_int_equal(tracing(BPF_PROG_TYPE_SYSCALL, 65535, 1, BPF_READ), -EACCES);
	assert_int_equal(tracing(BPF_PROG_TYPE_SYSCALL, 2, 4, BPF_READ), -EACCES);
	/* nothing is known of what such a program is attached to */
	assert_int_equal(tracing(BPF_PROG_TYPE_TRACING, 0, 8, BPF_READ), -EACCES);
	assert_int_equal(tracing(BPF_PROG_TYPE_UNSPEC, 0, 8, BPF_READ), -EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_cgroups),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_tracing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
