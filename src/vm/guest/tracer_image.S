/* SPDX-License-Identifier: GPL-2.0-only */
/* Our compiled BPF objects, as bytes: the include path leads to them. */
	.section .rodata
	.balign 8
	.global vrt_tracer_start
vrt_tracer_start:
	.incbin "tracer.bpf.o"
	.global vrt_tracer_end
vrt_tracer_end:
	.balign 8
	.global vrt_ops_start
vrt_ops_start:
	.incbin "ops.bpf.o"
	.global vrt_ops_end
vrt_ops_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
