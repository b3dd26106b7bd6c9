/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Switching stacks on x86-64 (System V ABI): what a function call must
 * preserve is pushed, the rest is the caller's business. The handle of a
 * stack is its stack pointer.
 *
 *	void fiber_stack_switch(void **save, void *load)
 */
#if defined(__x86_64__) && !defined(VRT_FIBER_UCONTEXT)
	.text
	.globl fiber_stack_switch
	.type fiber_stack_switch, @function
	.p2align 4
fiber_stack_switch:
	.cfi_startproc
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.cfi_endproc
	.size fiber_stack_switch, . - fiber_stack_switch

/* Where a new fiber begins: %rbx is its entry, and there is no caller. */
	.globl fiber_stack_begin
	.type fiber_stack_begin, @function
	.p2align 4
fiber_stack_begin:
	.cfi_startproc
	.cfi_undefined %rip
	callq *%rbx
	ud2
	.cfi_endproc
	.size fiber_stack_begin, . - fiber_stack_begin
#endif
	.section .note.GNU-stack, "", %progbits
