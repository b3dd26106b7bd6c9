/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What bpf_timer helpers and bpf_wq kfuncs share. Fields are addresses of the
 * field in a map value, which have been checked. 0 or -errno.
 */
#ifndef VRT_BPF_TIMER_H
#define VRT_BPF_TIMER_H

#include "exec/exec.h"

/* Arguments 1 and 2 of the call: a field of @type, which must be in a value of @map. */
int bpf_timer_field_init(struct bpf_exec *x, u64 field, struct bpf_map *map,
			 enum btf_field_type type);
/* @func is a function of the program that runs. */
int bpf_timer_field_callback(struct bpf_exec *x, u64 field, u64 func);
/* @when: absolute, ns */
int bpf_timer_field_start(u64 field, u64 when, bool pinned);
/* The field's value goes: no callback any more. */
void bpf_timer_field_free(void *field);

#endif
