// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF_PROG_TEST_RUN: runs a program once, or repeatedly, on data of the
 * caller's. Programs on packets get a struct __sk_buff or xdp_md; SYSCALL and
 * raw tracepoint programs get the context as it is.
 *
 * Packets and contexts are copied into the kernel heap, where their addresses
 * do not depend on the host.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../exec/exec.h"
#include "syscall.h"

#define ENOTSUPP 524
#define MAX_PACKET 65536
#define HEADROOM 256
#define MAX_CTX 65536 /* Linux: U16_MAX */
#define MAX_REPEAT 1000000

static const struct kheap_type packet_type = { .name = "[packet]", .writable = true };
static const struct kheap_type ctx_type = { .name = "[context]", .writable = true };

struct run {
	struct bpf_prog *prog;
	union bpf_attr *attr;
	u8 *packet; /* with HEADROOM before it */
	u32 packet_size;
	void *ctx;
	u32 ctx_size;
	u64 ret;
	int err;
};

/* What goes back to the caller: as much as there is room for, then -ENOSPC. */
static int copy_out(u64 user, u32 *user_size, const void *data, u32 size)
{
	u32 room = *user_size, n = min(room, size);

	*user_size = size;
	if (!user)
		return 0;
	memcpy(bpf_user_ptr(user), data, n);
	return n < size ? -ENOSPC : 0;
}

static void *new_ctx(struct run *r, u32 size)
{
	const union bpf_attr *attr = r->attr;
	u32 n = min(attr->test.ctx_size_in, size);

	r->ctx = kheap_alloc(&ctx_type, max(size, 1U));
	r->ctx_size = size;
	if (r->ctx && n)
		memcpy(r->ctx, bpf_user_ptr(attr->test.ctx_in), n);
	return r->ctx;
}

/* --- packets ------------------------------------------------------------------------ */

static int get_packet(struct run *r)
{
	const union bpf_attr *attr = r->attr;

	if (attr->test.data_size_in < ETH_HLEN || attr->test.data_size_in > MAX_PACKET)
		return -EINVAL;
	if (!attr->test.data_in)
		return -EFAULT;
	r->packet_size = attr->test.data_size_in;
	r->packet = kheap_alloc(&packet_type, HEADROOM + r->packet_size);
	if (!r->packet)
		return -ENOMEM;
	memcpy(r->packet + HEADROOM, bpf_user_ptr(attr->test.data_in), r->packet_size);
	return 0;
}

/* Programs that see the Ethernet header. Others see what is behind it. */
static bool sees_link_layer(enum bpf_prog_type type)
{
	return type == BPF_PROG_TYPE_XDP || type == BPF_PROG_TYPE_SCHED_CLS ||
	       type == BPF_PROG_TYPE_SCHED_ACT;
}

/* The fields of a given struct __sk_buff that are taken; all others must be zero. */
static int fill_skb(struct run *r, u32 hidden)
{
	struct __sk_buff *skb = r->ctx, in = *skb;

	if (in.data || in.data_end || in.data_meta || in.protocol || in.pkt_type)
		return -EINVAL;
	skb->len = r->packet_size - hidden;
	skb->protocol = (u32)r->packet[HEADROOM + 12] | (u32)r->packet[HEADROOM + 13] << 8;
	skb->ifindex = in.ifindex ? in.ifindex : 1;
	return 0;
}

static int run_packet(struct run *r)
{
	bool xdp = r->prog->type == BPF_PROG_TYPE_XDP;
	u32 size = xdp ? sizeof(struct xdp_md) : sizeof(struct __sk_buff);
	u32 hidden = sees_link_layer(r->prog->type) ? 0 : ETH_HLEN;
	u8 *frame;
	int err;

	if (r->attr->test.ctx_size_in > size)
		return -EINVAL;
	err = get_packet(r);
	if (err)
		return err;
	if (!new_ctx(r, size))
		return -ENOMEM;
	if (!xdp && (err = fill_skb(r, hidden)))
		return err;
	if (xdp)
		*(struct xdp_md *)r->ctx = (struct xdp_md){ .ingress_ifindex = 1 };
	frame = r->packet + HEADROOM;
	r->ret = bpf_exec_run_packet(r->prog, r->ctx, size, frame, frame + hidden,
				     frame + r->packet_size);
	memset(frame, 0, hidden); /* what comes out has a new header */
	return 0;
}

static int packet_results(struct run *r)
{
	union bpf_attr *attr = r->attr;
	int err = copy_out(attr->test.data_out, &attr->test.data_size_out, r->packet + HEADROOM,
			   r->packet_size);

	if (err || !attr->test.ctx_out)
		return err;
	return copy_out(attr->test.ctx_out, &attr->test.ctx_size_out, r->ctx, r->ctx_size);
}

/* --- contexts as they are ------------------------------------------------------------- */

static int run_syscall(struct run *r)
{
	const union bpf_attr *attr = r->attr;

	if (attr->test.data_in || attr->test.data_out || attr->test.ctx_out ||
	    attr->test.duration || attr->test.repeat || attr->test.flags)
		return -EINVAL;
	if (attr->test.ctx_size_in > MAX_CTX || attr->test.ctx_size_in < r->prog->max_ctx_offset)
		return -EINVAL;
	if (!new_ctx(r, attr->test.ctx_size_in))
		return -ENOMEM;
	r->ret = bpf_interp_run(r->prog, r->ctx, r->ctx_size);
	/* the context is written back in place */
	if (r->ctx_size)
		memcpy(bpf_user_ptr(attr->test.ctx_in), r->ctx, r->ctx_size);
	return 0;
}

static int run_raw_tp(struct run *r)
{
	const union bpf_attr *attr = r->attr;

	if (attr->test.data_in || attr->test.data_out || attr->test.ctx_out ||
	    attr->test.duration || attr->test.repeat)
		return -EINVAL;
	if (attr->test.ctx_size_in > MAX_CTX || attr->test.ctx_size_in % 8 ||
	    attr->test.ctx_size_in < r->prog->max_ctx_offset)
		return -EINVAL;
	if (!new_ctx(r, max(attr->test.ctx_size_in, 12U * 8)))
		return -ENOMEM;
	r->ret = bpf_interp_run(r->prog, r->ctx, r->ctx_size);
	return 0;
}

/* --- all of them -------------------------------------------------------------------------- */

static void free_run(struct run *r)
{
	kheap_free(r->packet);
	kheap_free(r->ctx);
	r->packet = NULL;
	r->ctx = NULL;
}

static int run_packets(struct run *r)
{
	u32 repeat = max(r->attr->test.repeat, 1U), i;
	int err = 0;

	if (r->attr->test.flags || r->attr->test.cpu || r->attr->test.batch_size)
		return -EINVAL;
	if (repeat > MAX_REPEAT)
		return -EINVAL;
	for (i = 0; i < repeat && !err; i++) {
		free_run(r);
		err = run_packet(r);
	}
	r->attr->test.duration = 0;
	return err ?: packet_results(r);
}

/* In the machine, as a system call of a task. */
static void run_inside(void *arg)
{
	struct run *r = arg;

	switch (r->prog->type) {
	case BPF_PROG_TYPE_SOCKET_FILTER:
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_LWT_IN:
	case BPF_PROG_TYPE_LWT_OUT:
	case BPF_PROG_TYPE_LWT_XMIT:
	case BPF_PROG_TYPE_LWT_SEG6LOCAL:
	case BPF_PROG_TYPE_XDP:
		r->err = run_packets(r);
		break;
	case BPF_PROG_TYPE_SYSCALL:
		r->err = run_syscall(r);
		break;
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
		r->err = run_raw_tp(r);
		break;
	default:
		r->err = -ENOTSUPP;
	}
}

int bpf_prog_test_run(union bpf_attr *attr, u32 size)
{
	struct run r = { .attr = attr };

	if ((attr->test.ctx_size_in && !attr->test.ctx_in) ||
	    (!attr->test.ctx_size_in && attr->test.ctx_in) ||
	    (attr->test.ctx_size_out && !attr->test.ctx_out) ||
	    (!attr->test.ctx_size_out && attr->test.ctx_out))
		return -EINVAL;
	r.prog = bpf_prog_from_fd((int)attr->test.prog_fd);
	if (!r.prog)
		return bpf_fd_error((int)attr->test.prog_fd);
	if (bpf_env->run_inside)
		bpf_env->run_inside(run_inside, &r);
	else
		run_inside(&r);
	if (!r.err || r.err == -ENOSPC)
		attr->test.retval = (u32)r.ret;
	free_run(&r);
	bpf_prog_put(r.prog);
	return r.err;
}
