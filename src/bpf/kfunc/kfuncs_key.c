// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys of keyrings, as on a kernel to which nobody gave any: programs look for
 * them and find none, and so there is never one to give back.
 */
#include "../../../kernel/kfuncs.h"
#include "kfunc.h"

struct bpf_key *bpf_lookup_user_key(u32 serial, u64 flags)
{
	return NULL;
}

struct bpf_key *bpf_lookup_system_key(u64 id)
{
	return NULL;
}

void bpf_key_put(struct bpf_key *bkey)
{
}

static const struct bpf_kfunc kfuncs[] = {
	BPF_KFUNC_ENTRY(bpf_lookup_user_key, KF_ACQUIRE | KF_RET_NULL | KF_SLEEPABLE),
	BPF_KFUNC_ENTRY(bpf_lookup_system_key, KF_ACQUIRE | KF_RET_NULL),
	BPF_KFUNC_ENTRY(bpf_key_put, KF_RELEASE),
};

const struct bpf_kfunc_set bpf_key_kfuncs = { .funcs = kfuncs, .nr = ARRAY_SIZE(kfuncs) };
