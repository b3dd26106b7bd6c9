/* SPDX-License-Identifier: GPL-2.0-only */
/* The compiled tracer, as bytes: the include path leads to it. */
	.section .rodata
	.balign 8
	.global vrt_tracer_start
vrt_tracer_start:
	.incbin "tracer.bpf.o"
	.global vrt_tracer_end
vrt_tracer_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
