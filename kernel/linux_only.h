/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What only Linux has: hooks that programs are loaded for, and the types in their
 * contexts, as far as programs name them. Nothing of it is ever there when a program
 * runs; it is for programs to be verified, and refused when they are attached.
 * Structs have the members that are looked at, not all, and not at Linux's offsets.
 * Only anchor.bpf.c includes this.
 */
#ifndef VRT_KERNEL_LINUX_ONLY_H
#define VRT_KERNEL_LINUX_ONLY_H

#include "sched.h"
#include "syscalls.h"
#include "types.h"

struct audit_krule;
struct cred;

/* --- files and memory ------------------------------------------------------ */

struct inode {
	unsigned long i_ino;
};

struct dentry {
	struct dentry *d_parent;
	struct inode *d_inode;
};

struct vfsmount {
	int mnt_flags;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct inode *f_inode;
	struct path f_path;
};

struct seq_file {
	size_t size, count;
	loff_t index;
	const struct file *file;
	void *private;
};

struct vm_area_struct {
	unsigned long vm_start, vm_end, vm_flags;
	struct file *vm_file;
};

struct linux_binprm {
	struct file *file;
	const char *filename;
};

/* --- packets and sockets --------------------------------------------------- */

struct sock_common {
	u16 skc_family;
};

struct sock {
	struct sock_common __sk_common;
	u16 sk_type;
};

struct tcp_sock {
	struct sock sk;
	u32 snd_cwnd;
};

struct socket {
	struct sock *sk;
};

struct sk_buff {
	struct sock *sk;
	unsigned int len, data_len;
};

struct skb_shared_info {
	u8 nr_frags;
	struct sk_buff *frag_list;
	unsigned long frags[17];
};

struct iphdr {
	u8 ihl : 4, version : 4;
	u8 tos;
	__be16 tot_len, id, frag_off;
	u8 ttl, protocol;
	u16 check;
	__be32 saddr, daddr;
};

struct tcphdr {
	__be16 source, dest;
	__be32 seq, ack_seq;
};

struct nf_hook_state {
	u8 hook, pf;
	struct sock *sk;
};

/* --- contexts -------------------------------------------------------------- */

struct bpf_nf_ctx {
	const struct nf_hook_state *state;
	struct sk_buff *skb;
};

struct bpf_perf_event_data {
	bpf_user_pt_regs_t regs;
	__u64 sample_period;
	__u64 addr;
};

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id, seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__cgroup {
	struct bpf_iter_meta *meta;
	struct cgroup *cgroup;
};

struct bpf_iter__bpf_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
};

/* What Linux has to test struct_ops. */
struct bpf_dummy_ops_state {
	int val;
};

struct bpf_dummy_ops {
	int (*test_1)(struct bpf_dummy_ops_state *cb);
};

/* --- functions ------------------------------------------------------------- */

/* An enum, so that programs that know only the BTF have it. */
enum page_size_enum {
	__PAGE_SIZE = 4096,
};

typedef void (*btf_trace_task_newtask)(void *, struct task_struct *task,
				       unsigned long clone_flags);

KFUNC(int, bpf_iter_task, struct bpf_iter_meta *meta, struct task_struct *task);
KFUNC(int, bpf_iter_cgroup, struct bpf_iter_meta *meta, struct cgroup *cgroup);
KFUNC(int, bpf_iter_bpf_map, struct bpf_iter_meta *meta, struct bpf_map *map);

KFUNC(int, bpf_lsm_audit_rule_known, struct audit_krule *krule);
KFUNC(int, bpf_lsm_bpf, int cmd, union bpf_attr *attr, unsigned int size);
KFUNC_VOID(bpf_lsm_bprm_committed_creds, const struct linux_binprm *bprm);
KFUNC(int, bpf_lsm_file_alloc_security, struct file *file);
KFUNC_VOID(bpf_lsm_file_free_security, struct file *file);
KFUNC(int, bpf_lsm_file_mprotect, struct vm_area_struct *vma, unsigned long reqprot,
      unsigned long prot);
KFUNC(int, bpf_lsm_file_open, struct file *file);
KFUNC(int, bpf_lsm_getprocattr, struct task_struct *p, const char *name, char **value);
KFUNC(int, bpf_lsm_inode_getattr, const struct path *path);
KFUNC(int, bpf_lsm_inode_getxattr, struct dentry *dentry, const char *name);
KFUNC(int, bpf_lsm_ismaclabel, const char *name);
KFUNC(int, bpf_lsm_setprocattr, const char *name, void *value, size_t size);
KFUNC(int, bpf_lsm_task_alloc, struct task_struct *task, unsigned long clone_flags);
KFUNC_VOID(bpf_lsm_task_free, struct task_struct *task);

/* What Linux calls to test tracing, and its own tests are attached to. */
KFUNC(int, bpf_fentry_test1, int a);
KFUNC(u32, bpf_fentry_test9, u32 *a);
KFUNC(int, bpf_fentry_test_sinfo, struct skb_shared_info *sinfo);
KFUNC(int, bpf_modify_return_test, int a, int *b);
KFUNC_VOID(__set_task_comm, struct task_struct *tsk, const char *buf, bool exec);
KFUNC(long, __x64_sys_getpgid, const struct pt_regs *regs);
KFUNC(long, __x64_sys_nanosleep, const struct pt_regs *regs);

KFUNC(char *, d_path, const struct path *path, char *buf, int buflen);
KFUNC(struct file *, dentry_open, const struct path *path, int flags, const struct cred *cred);
KFUNC(int, vfs_open, const struct path *path, struct file *file);

#endif
