/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel's selftests name and this kernel's BTF does not have: their
 * files compile, and what needs none of it can be judged.
 */
#ifndef MISSING_H
#define MISSING_H

struct bin_attribute;
struct file;
struct kobject;
struct vm_area_struct;

struct __kernel_sockaddr_storage {
	char data[128];
};

struct callback_head {
	struct callback_head *next;
	void (*func)(struct callback_head *head);
} __attribute__((aligned(sizeof(void *))));

struct prog_test_ref_kfunc {
	int a, b;
	struct {
		int m, c;
	} memb;
	struct prog_test_ref_kfunc *next;
	int cnt;
};

#define CSS_TASK_ITER_PROCS 1

#endif
