/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ends some day, as the verifier can tell, but not before the machine's patience
 * does: some 2^60 instructions.
 */
static long endless_round(u64 index, u64 *sum)
{
	for (u32 i = 0; i < 4096; i++)
		__sync_fetch_and_add(sum, i);
	return 0;
}

static long endless_rounds(u64 index, void *ctx)
{
	u64 sum = 0;

	bpf_loop(1 << 23, endless_round, &sum, 0);
	return 0;
}

static inline __attribute__((always_inline)) int run_endlessly(void)
{
	return (int)bpf_loop(1 << 23, endless_rounds, NULL, 0);
}
