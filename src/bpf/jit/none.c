// SPDX-License-Identifier: GPL-2.0-only
/*
 * Machines for which there is no compiler: programs are interpreted there, so
 * that nobody gets beyond the name.
 */
#include "arch.h"

const char arch_name[] = "";

void arch_compile(struct jit_round *round)
{
	VRT_ASSERT(!"a compiler");
}

void arch_stubs(struct jit_buffer *buf)
{
	VRT_ASSERT(!"a compiler");
}
