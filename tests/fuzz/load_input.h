/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The input of fuzz_load: a head, then instructions, records of functions, records of
 * lines, and BTF, as much of each as the head says and the input still has. Whatever the
 * bytes are, they are an input: a mutation spoils what it hits and not the rest.
 *
 * What no mutation would guess is translated, unless LOAD_RAW says otherwise: the map in a
 * 64-bit load is one of the LOAD_MAPS of the fuzzer by its remainder, a call of a kfunc
 * one of the kernel's functions, the BTF gets a header that fits its sections.
 *
 * Positions in descriptor arrays are always kept below LOAD_FDS: the array is trusted to
 * be as long as the program says.
 */
#ifndef VRT_TESTS_LOAD_INPUT_H
#define VRT_TESTS_LOAD_INPUT_H

#include <linux/types.h>

#define LOAD_FDS 16
#define LOAD_MAPS 12

enum load_options {
	LOAD_GPL = 1 << 0,
	LOAD_BTF = 1 << 1, /* load the BTF and give it to the program */
	LOAD_FD_ARRAY = 1 << 2,
	LOAD_RAW = 1 << 3, /* instructions as they are */
	LOAD_RAW_BTF = 1 << 4, /* the BTF section has its own header */
	LOAD_LOG = 1 << 5, /* at the level of the next bit, + 1 */
	LOAD_LOG_MORE = 1 << 6,
	LOAD_ATTACH_BTF = 1 << 7, /* attach_btf_obj_fd is the program's BTF */
};

struct load_head {
	__u8 prog_type, attach_type;
	__u8 prog_flags; /* the lowest eight */
	__u8 options; /* LOAD_* */
	__u16 insns, btf_types, btf_strings; /* instructions; bytes, bytes */
	__u16 attach_btf_id; /* of the kernel BTF, by the remainder */
	__u8 funcs, func_size; /* records, and what the load says of their size */
	__u8 lines, line_size;
} __attribute__((packed));

#endif
