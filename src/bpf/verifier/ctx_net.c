// SPDX-License-Identifier: GPL-2.0-only
/*
 * What programs on packets and sockets see: struct __sk_buff in its many uses,
 * struct xdp_md, struct bpf_sock and others of <linux/bpf.h>, field by field.
 *
 * Source: the UAPI headers, and what Linux's net/core/filter.c lets through.
 */
#include "ctx_table.h"

/* --- struct __sk_buff ---------- */

#define SF CTX_BIT(BPF_PROG_TYPE_SOCKET_FILTER)
#define TC (CTX_BIT(BPF_PROG_TYPE_SCHED_CLS) | CTX_BIT(BPF_PROG_TYPE_SCHED_ACT))
#define CG CTX_BIT(BPF_PROG_TYPE_CGROUP_SKB)
#define LWT                                                                                        \
	(CTX_BIT(BPF_PROG_TYPE_LWT_IN) | CTX_BIT(BPF_PROG_TYPE_LWT_OUT) |                          \
	 CTX_BIT(BPF_PROG_TYPE_LWT_XMIT) | CTX_BIT(BPF_PROG_TYPE_LWT_SEG6LOCAL))
#define SK CTX_BIT(BPF_PROG_TYPE_SK_SKB)
#define SKB(field) AT(struct __sk_buff, field)

static const struct ctx_field skb_fields[] = {
	{ RANGE(struct __sk_buff, len, pkt_type), READ_UPTO(4) },
	{ SKB(mark), READ_UPTO(4), WRITE(4), .readers = SF | TC | CG | LWT,
	  .writers = TC | CG | LWT },
	{ SKB(queue_mapping), READ_UPTO(4), WRITE(4), .writers = TC },
	{ SKB(protocol), READ_UPTO(4) },
	{ SKB(vlan_present), READ_UPTO(4) },
	{ SKB(vlan_tci), READ_UPTO(4) },
	{ SKB(vlan_proto), READ_UPTO(4) },
	{ SKB(priority), READ_UPTO(4), WRITE(4), .writers = TC | CG | LWT | SK },
	{ SKB(ingress_ifindex), READ_UPTO(4) },
	{ SKB(ifindex), READ_UPTO(4) },
	{ SKB(tc_index), READ_UPTO(4), WRITE(4), .writers = TC | SK },
	{ SKB(cb), READ_UPTO(8), WRITE_UPTO(8), .writers = SF | TC | CG | LWT },
	{ SKB(hash), READ_UPTO(4) },
	{ SKB(tc_classid), READ_UPTO(4), WRITE(4), .readers = TC, .writers = TC },
	{ SKB(data), READ(4), .type = PTR_TO_PACKET, .no_ldsx = true,
	  .readers = TC | CG | LWT | SK },
	{ SKB(data_end), READ(4), .type = PTR_TO_PACKET_END, .no_ldsx = true,
	  .readers = TC | CG | LWT | SK },
	{ SKB(napi_id), READ_UPTO(4) },
	{ SKB(family), READ_UPTO(4), .readers = CG | SK },
	{ SKB(remote_ip4), READ(4), .readers = CG | SK },
	{ SKB(local_ip4), READ(4), .readers = CG | SK },
	{ SKB(remote_ip6), READ(4), .readers = CG | SK },
	{ SKB(local_ip6), READ(4), .readers = CG | SK },
	{ SKB(remote_port), READ_UPTO(4), .readers = CG | SK },
	{ SKB(local_port), READ_UPTO(4), .readers = CG | SK },
	{ SKB(data_meta), READ(4), .type = PTR_TO_PACKET_META, .no_ldsx = true, .readers = TC },
	{ SKB(tstamp), READ(8), WRITE(8), .readers = TC | CG, .writers = TC | CG },
	{ SKB(wire_len), READ_UPTO(4), .readers = TC },
	{ SKB(gso_segs), READ_UPTO(4) },
	{ SKB(sk), READ(8), .type = PTR_TO_SOCK_COMMON | PTR_MAYBE_NULL },
	{ SKB(gso_size), READ_UPTO(4) },
	{ SKB(tstamp_type), READ(1), .readers = TC },
	{ SKB(hwtstamp), READ(8), .readers = TC | CG },
};

static const struct ctx_table skb_table =
	TABLE(skb_fields, struct __sk_buff, CTX_BY_PROG_TYPE);

static const struct ctx_field flow_dissector_fields[] = {
	{ SKB(data), READ(4), .type = PTR_TO_PACKET, .no_ldsx = true },
	{ SKB(data_end), READ(4), .type = PTR_TO_PACKET_END, .no_ldsx = true },
	{ SKB(flow_keys), READ(8), .type = PTR_TO_FLOW_KEYS },
};

static const struct ctx_table flow_dissector_table =
	TABLE(flow_dissector_fields, struct __sk_buff, CTX_FOR_ALL);

/* --- struct xdp_md ---------- */

static const struct ctx_field xdp_fields[] = {
	{ AT(struct xdp_md, data), READ(4), .type = PTR_TO_PACKET, .no_ldsx = true },
	{ AT(struct xdp_md, data_end), READ(4), .type = PTR_TO_PACKET_END, .no_ldsx = true },
	{ AT(struct xdp_md, data_meta), READ(4), .type = PTR_TO_PACKET_META, .no_ldsx = true },
	{ AT(struct xdp_md, ingress_ifindex), READ(4) },
	{ AT(struct xdp_md, rx_queue_index), READ(4) },
	{ AT(struct xdp_md, egress_ifindex), READ(4), .readers = CTX_BIT(BPF_XDP_DEVMAP) },
};

static const struct ctx_table xdp_table = TABLE(xdp_fields, struct xdp_md, CTX_BY_ATTACH_TYPE);

/* --- struct sk_msg_md ---------- */

static const struct ctx_field sk_msg_fields[] = {
	{ AT(struct sk_msg_md, data), READ(8), .type = PTR_TO_PACKET },
	{ AT(struct sk_msg_md, data_end), READ(8), .type = PTR_TO_PACKET_END },
	{ RANGE(struct sk_msg_md, family, size), READ(4) },
	{ AT(struct sk_msg_md, sk), READ(8), .type = PTR_TO_SOCKET },
};

static const struct ctx_table sk_msg_table = TABLE(sk_msg_fields, struct sk_msg_md, CTX_FOR_ALL);

/* --- struct sk_reuseport_md ---------- */

static const struct ctx_field sk_reuseport_fields[] = {
	{ AT(struct sk_reuseport_md, data), READ(8), .type = PTR_TO_PACKET },
	{ AT(struct sk_reuseport_md, data_end), READ(8), .type = PTR_TO_PACKET_END },
	{ AT(struct sk_reuseport_md, len), READ_UPTO(4) },
	{ AT(struct sk_reuseport_md, eth_protocol), .read_min = 2, .read_max = 4 },
	{ AT(struct sk_reuseport_md, ip_protocol), READ_UPTO(4) },
	{ AT(struct sk_reuseport_md, bind_inany), READ_UPTO(4) },
	{ AT(struct sk_reuseport_md, hash), READ(4) },
	{ AT(struct sk_reuseport_md, sk), READ(8), .type = PTR_TO_SOCKET },
	{ AT(struct sk_reuseport_md, migrating_sk), READ(8),
	  .type = PTR_TO_SOCK_COMMON | PTR_MAYBE_NULL },
};

static const struct ctx_table sk_reuseport_table =
	TABLE(sk_reuseport_fields, struct sk_reuseport_md, CTX_FOR_ALL);

/* --- struct bpf_sk_lookup ---------- */

static const struct ctx_field sk_lookup_fields[] = {
	{ AT(struct bpf_sk_lookup, sk), READ(8), .type = PTR_TO_SOCKET | PTR_MAYBE_NULL },
	{ RANGE(struct bpf_sk_lookup, family, remote_ip6), READ_UPTO(4) },
	{ AT(struct bpf_sk_lookup, remote_port), READ_UPTO(2), .as_u32 = true },
	{ .start = offsetof(struct bpf_sk_lookup, remote_port) + 2,
	  .end = offsetof(struct bpf_sk_lookup, local_ip4), READ_UPTO(2) },
	{ RANGE(struct bpf_sk_lookup, local_ip4, ingress_ifindex), READ_UPTO(4) },
};

static const struct ctx_table sk_lookup_table =
	TABLE(sk_lookup_fields, struct bpf_sk_lookup, CTX_FOR_ALL);

/* --- struct bpf_sock_ops ---------- */

static const struct ctx_field sock_ops_fields[] = {
	{ AT(struct bpf_sock_ops, op), READ(4) },
	{ AT(struct bpf_sock_ops, reply), READ(4), WRITE(4) },
	{ .start = offsetof(struct bpf_sock_ops, args[1]),
	  .end = offsetof(struct bpf_sock_ops, sk_txhash), READ(4) },
	{ AT(struct bpf_sock_ops, sk_txhash), READ(4), WRITE(4) },
	{ RANGE(struct bpf_sock_ops, bytes_received, bytes_acked), READ(8) },
	{ AT(struct bpf_sock_ops, sk), READ(8), .type = PTR_TO_SOCKET | PTR_MAYBE_NULL },
	{ AT(struct bpf_sock_ops, skb_data), READ(8), .type = PTR_TO_PACKET },
	{ AT(struct bpf_sock_ops, skb_data_end), READ(8), .type = PTR_TO_PACKET_END },
	{ AT(struct bpf_sock_ops, skb_len), READ(4) },
	{ AT(struct bpf_sock_ops, skb_tcp_flags), READ_UPTO(4), .first_only = true },
	{ AT(struct bpf_sock_ops, skb_hwtstamp), READ(8) },
};

static const struct ctx_table sock_ops_table =
	TABLE(sock_ops_fields, struct bpf_sock_ops, CTX_FOR_ALL);

const struct ctx_table *ctx_net_table(enum bpf_prog_type type)
{
	switch (type) {
	case BPF_PROG_TYPE_SOCKET_FILTER:
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_LWT_IN:
	case BPF_PROG_TYPE_LWT_OUT:
	case BPF_PROG_TYPE_LWT_XMIT:
	case BPF_PROG_TYPE_LWT_SEG6LOCAL:
	case BPF_PROG_TYPE_SK_SKB:
		return &skb_table;
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
		return &flow_dissector_table;
	case BPF_PROG_TYPE_XDP:
		return &xdp_table;
	case BPF_PROG_TYPE_SK_MSG:
		return &sk_msg_table;
	case BPF_PROG_TYPE_SK_REUSEPORT:
		return &sk_reuseport_table;
	case BPF_PROG_TYPE_SK_LOOKUP:
		return &sk_lookup_table;
	case BPF_PROG_TYPE_SOCK_OPS:
		return &sock_ops_table;
	default:
		return NULL;
	}
}

/* --- sockets ---------- */

#define SOCK(field) AT(struct bpf_sock, field)
#define FULL_SOCK CTX_BIT(PTR_TO_SOCKET)

/* Of those that may be no full sockets (PTR_TO_SOCK_COMMON) there is less. */
static const struct ctx_field sock_fields[] = {
	{ SOCK(bound_dev_if), READ(4) },
	{ SOCK(family), READ_UPTO(4), .first_only = true },
	{ RANGE(struct bpf_sock, type, type), READ_UPTO(4), .first_only = true,
	  .readers = FULL_SOCK },
	{ SOCK(protocol), READ_UPTO(4), .first_only = true, .readers = FULL_SOCK },
	{ RANGE(struct bpf_sock, mark, priority), READ(4), .readers = FULL_SOCK },
	{ RANGE(struct bpf_sock, src_ip4, src_ip6), READ_UPTO(4) },
	{ SOCK(src_port), READ_UPTO(4), .first_only = true },
	{ SOCK(dst_port), READ_UPTO(2), .as_u32 = true },
	{ RANGE(struct bpf_sock, dst_ip4, dst_ip6), READ_UPTO(4) },
	{ SOCK(state), READ_UPTO(4), .first_only = true },
	{ SOCK(rx_queue_mapping), READ_UPTO(4), .first_only = true },
};

static const struct ctx_field tcp_sock_fields[] = {
	{ RANGE(struct bpf_tcp_sock, snd_cwnd, sacked_out), READ(4) },
	{ RANGE(struct bpf_tcp_sock, bytes_received, bytes_acked), READ(8) },
	{ RANGE(struct bpf_tcp_sock, dsack_dups, icsk_retransmits), READ(4) },
};

static const struct ctx_field xdp_sock_fields[] = {
	{ AT(struct bpf_xdp_sock, queue_id), READ(4) },
};

/* By type of pointer instead. */
static const struct ctx_table full_sock_table =
	TABLE(sock_fields, struct bpf_sock, CTX_BY_PROG_TYPE);
static const struct ctx_table tcp_sock_table =
	TABLE(tcp_sock_fields, struct bpf_tcp_sock, CTX_FOR_ALL);
static const struct ctx_table xdp_sock_table =
	TABLE(xdp_sock_fields, struct bpf_xdp_sock, CTX_FOR_ALL);

const struct ctx_table *sock_table(u32 reg_type)
{
	switch (reg_type) {
	case PTR_TO_TCP_SOCK:
		return &tcp_sock_table;
	case PTR_TO_XDP_SOCK:
		return &xdp_sock_table;
	default:
		return &full_sock_table;
	}
}
