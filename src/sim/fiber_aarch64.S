/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Switching stacks on arm64 (AAPCS64): x19 to x30 and d8 to d15 are preserved
 * by a function call. The handle of a stack is its stack pointer.
 *
 *	void fiber_stack_switch(void **save, void *load)
 */
#if defined(__aarch64__) && !defined(VRT_FIBER_UCONTEXT)
	.text
	.globl fiber_stack_switch
	.type fiber_stack_switch, %function
	.p2align 4
fiber_stack_switch:
	.cfi_startproc
	sub sp, sp, #160
	stp x19, x20, [sp]
	stp x21, x22, [sp, #16]
	stp x23, x24, [sp, #32]
	stp x25, x26, [sp, #48]
	stp x27, x28, [sp, #64]
	stp x29, x30, [sp, #80]
	stp d8, d9, [sp, #96]
	stp d10, d11, [sp, #112]
	stp d12, d13, [sp, #128]
	stp d14, d15, [sp, #144]
	mov x9, sp
	str x9, [x0]
	mov sp, x1
	ldp x19, x20, [sp]
	ldp x21, x22, [sp, #16]
	ldp x23, x24, [sp, #32]
	ldp x25, x26, [sp, #48]
	ldp x27, x28, [sp, #64]
	ldp x29, x30, [sp, #80]
	ldp d8, d9, [sp, #96]
	ldp d10, d11, [sp, #112]
	ldp d12, d13, [sp, #128]
	ldp d14, d15, [sp, #144]
	add sp, sp, #160
	ret
	.cfi_endproc
	.size fiber_stack_switch, . - fiber_stack_switch

/* Where a new fiber begins: x19 is its entry, and there is no caller. */
	.globl fiber_stack_begin
	.type fiber_stack_begin, %function
	.p2align 4
fiber_stack_begin:
	.cfi_startproc
	.cfi_undefined x30
	mov x30, xzr
	blr x19
	brk #1
	.cfi_endproc
	.size fiber_stack_begin, . - fiber_stack_begin
#endif
	.section .note.GNU-stack, "", %progbits
