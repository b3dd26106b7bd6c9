/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What struct bpf_list_node and bpf_rb_node are inside. Heads are a struct
 * list_head and a struct rb_root; all zeroes is empty.
 */
#ifndef VRT_BPF_GRAPH_H
#define VRT_BPF_GRAPH_H

#include <linux/bpf.h>

#include "../base/util.h"

struct graph_list_node {
	struct list_head list;
	void *owner; /* the head, NULL when on none */
};

struct graph_rb_node {
	struct rb_node rb;
	void *owner; /* the root, NULL when in none */
};

_Static_assert(sizeof(struct graph_list_node) == sizeof(struct bpf_list_node), "ABI");
_Static_assert(sizeof(struct graph_rb_node) == sizeof(struct bpf_rb_node), "ABI");

#endif
