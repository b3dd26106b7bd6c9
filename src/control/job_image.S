/* SPDX-License-Identifier: GPL-2.0-only */
/* The compiled job.bpf.c, as bytes: the include path leads to it. */
	.section .rodata
	.balign 8
	.global vrt_job_start
vrt_job_start:
	.incbin "job.bpf.o"
	.global vrt_job_end
vrt_job_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
