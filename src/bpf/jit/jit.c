// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compiling a program. How long jumps must be follows from where everything is, which
 * follows from how long jumps are: the first round makes all of them long, and
 * further rounds shorten what can be until nothing moves. Only the last one writes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "../bpf.h"
#include "arch.h"
#include "memory.h"

#define MAX_ROUNDS 20

static bool have_stubs;
u64 (*bpf_jit_enter)(u64 r1, u64 r2, u64 r3, u64 r4, u64 r5, struct bpf_exec *x,
		     const void *code, u64 fp);

bool bpf_jit_available(void)
{
	return arch_name[0];
}

const char *bpf_jit_arch(void)
{
	return arch_name;
}

static int no_memory(void)
{
	bpf_refuse("there is no memory for compiled programs; they can be interpreted instead");
	return -ENOMEM;
}

/* --- rounds --------------------------------------------------------------------- */

static void round_of(struct jit_round *round, u8 *code, u32 capacity)
{
	bool far = round->buf->far;

	*round->buf = (struct jit_buffer){
		.code = code, .capacity = capacity, .address = (u64)code, .far = far
	};
	arch_compile(round);
}

/* Does another round leave everything where it is? */
static bool settled(struct jit_round *round, u32 *before)
{
	size_t bytes = (round->prog->len + 1) * sizeof(u32);

	memcpy(before, round->offsets, bytes);
	round_of(round, NULL, 0);
	return !memcmp(before, round->offsets, bytes);
}

static void settle(struct jit_round *round)
{
	u32 *before = xcalloc(round->prog->len + 1, sizeof(u32));
	u32 rounds = 1;

	round->buf->far = true;
	round_of(round, NULL, 0);
	round->buf->far = false;
	while (!settled(round, before)) {
		/* a jump may also be lengthened by what another one gains */
		if (++rounds == MAX_ROUNDS)
			round->buf->far = true;
	}
	free(before);
}

/* --- code ------------------------------------------------------------------------------ */

/* In the end, as the memory is written: everything is where the last round saw it. */
static int write_code(struct jit_round *round, struct bpf_jit_image *image)
{
	image->size = round->offsets[image->nr];
	image->code = jit_memory_alloc(image->size);
	if (!image->code)
		return no_memory();
	image->main = image->code + image->entries[0];
	round_of(round, image->code, image->size);
	VRT_ASSERT(round->buf->used == image->size);
	return jit_memory_seal(image->code, image->size);
}

static int make_stubs(void)
{
	struct jit_buffer buf = {};
	u8 *code;
	u32 size;

	if (have_stubs)
		return 0;
	/* where the memory is decides on the form of calls, so it must be there first */
	code = jit_memory_alloc(1);
	if (!code)
		return no_memory();
	arch_stubs(&buf);
	size = buf.used;
	jit_memory_free(code, 1);
	code = jit_memory_alloc(size);
	if (!code)
		return no_memory();
	buf = (struct jit_buffer){ .code = code, .capacity = size, .address = (u64)code };
	arch_stubs(&buf);
	VRT_ASSERT(buf.used == size);
	have_stubs = true;
	return jit_memory_seal(code, size);
}

int bpf_jit_compile(struct bpf_prog *prog)
{
	struct bpf_jit_image *image;
	struct jit_layout layout;
	struct jit_buffer buf = {};
	struct jit_round round = { .prog = prog, .buf = &buf, .layout = &layout };
	int err = make_stubs();

	if (err)
		return err;
	image = prog->jit = xcalloc(1, sizeof(*image));
	image->nr = prog->len;
	image->nr_funcs = prog->nr_subprogs;
	round.offsets = image->offsets = xcalloc(prog->len + 1, sizeof(u32));
	round.entries = image->entries = xcalloc(prog->nr_subprogs, sizeof(u32));
	jit_layout_make(&layout, prog);
	settle(&round);
	err = write_code(&round, image);
	jit_layout_free(&layout);
	return err;
}

/* --- running ---------------------------------------------------------------------------- */

u64 bpf_jit_run(struct bpf_exec *x, u32 func, const u64 args[5])
{
	const struct bpf_jit_image *image = x->prog->jit;

	return bpf_jit_enter(args[0], args[1], args[2], args[3], args[4], x,
			     image->code + image->entries[func],
			     (u64)bpf_exec_frame_top(x, x->depth));
}

void bpf_jit_free(struct bpf_prog *prog)
{
	if (!prog->jit)
		return;
	jit_memory_free(prog->jit->code, prog->jit->size);
	free(prog->jit->offsets);
	free(prog->jit->entries);
	free(prog->jit);
	prog->jit = NULL;
}
