// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which cgroup a worker is in, by the files of cgroup v2, as user space does it:
 * what moves a task is not exported. The hierarchy is mounted for us alone, so
 * that it does not matter where, or whether, others have mounted it.
 *
 * In the worker's own thread, which has the rights of the kernel and the initial
 * namespaces; but for sb_set_quota(), which is called by others, too, and changes
 * a file of a cgroup that is ours.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cgroup.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/mount.h>
#include <linux/namei.h>

#include "schedbpf.h"

static struct vfsmount *hierarchy; /* sb_mount_mutex; NULL until somebody needs it */
static DEFINE_MUTEX(sb_mount_mutex);

static struct vfsmount *get_hierarchy(void)
{
	struct file_system_type *type;
	struct vfsmount *mnt = hierarchy;

	mutex_lock(&sb_mount_mutex);
	if (!hierarchy) {
		type = get_fs_type("cgroup2");
		mnt = type ? kern_mount(type) : ERR_PTR(-ENODEV);
		if (!IS_ERR(mnt))
			hierarchy = mnt;
	} else {
		mnt = hierarchy;
	}
	mutex_unlock(&sb_mount_mutex);
	return mnt;
}

void sb_place_exit(void)
{
	if (hierarchy)
		kern_unmount(hierarchy);
}

static struct file *open_file(const char *path, int flags)
{
	struct vfsmount *mnt = get_hierarchy();
	struct path root;

	if (IS_ERR(mnt))
		return ERR_CAST(mnt);
	root.mnt = mnt;
	root.dentry = mnt->mnt_root;
	return file_open_root(&root, path, flags, 0);
}

/* Into a file of the cgroup "@parent/@name"; both may be empty. */
static int write_file(const char *parent, const char *name, const char *file,
		      const char *text)
{
	char path[SB_PATH_LEN + 32];
	struct file *f;
	ssize_t n;

	snprintf(path, sizeof(path), "%s%s%s/%s", parent, *name ? "/" : "", name,
		 file);
	f = open_file(path, O_WRONLY);
	if (IS_ERR(f))
		return PTR_ERR(f);
	n = kernel_write(f, text, strlen(text), &f->f_pos);
	filp_close(f, NULL);
	return n < 0 ? n : 0;
}

/* --- the directory of a quota ---------------------------------------------------- */

static int make_in(struct file *dir, const char *name)
{
	struct dentry *parent = dir->f_path.dentry, *child;
	struct inode *inode = d_inode(parent);
	int err;

	inode_lock_nested(inode, I_MUTEX_PARENT);
	child = lookup_one_len(name, parent, strlen(name));
	if (IS_ERR(child)) {
		err = PTR_ERR(child);
	} else {
		err = d_really_is_positive(child) ? -EEXIST :
			vfs_mkdir(mnt_idmap(dir->f_path.mnt), inode, child, 0755);
		dput(child);
	}
	inode_unlock(inode);
	return err;
}

static int remove_in(struct file *dir, const char *name)
{
	struct dentry *parent = dir->f_path.dentry, *child;
	struct inode *inode = d_inode(parent);
	int err;

	inode_lock_nested(inode, I_MUTEX_PARENT);
	child = lookup_one_len(name, parent, strlen(name));
	if (IS_ERR(child)) {
		err = PTR_ERR(child);
	} else {
		err = d_really_is_positive(child) ?
			vfs_rmdir(mnt_idmap(dir->f_path.mnt), inode, child) : -ENOENT;
		dput(child);
	}
	inode_unlock(inode);
	return err;
}

static int change_directory(const char *parent, const char *name,
			    int (*change)(struct file *dir, const char *name))
{
	struct file *dir = open_file(*parent ? parent : "/", O_RDONLY | O_DIRECTORY);
	int err;

	if (IS_ERR(dir))
		return PTR_ERR(dir);
	err = mnt_want_write_file(dir);
	if (!err) {
		err = change(dir, name);
		mnt_drop_write_file(dir);
	}
	filp_close(dir, NULL);
	return err;
}

int sb_set_quota(const struct sb_worker *w, u64 quota_us, u64 period_us)
{
	char max[48];
	int err;

	snprintf(max, sizeof(max), "%llu %llu", quota_us, period_us);
	err = write_file(w->parent, w->name, "cpu.max", max);
	if (err == -ENOENT)
		pr_err("%s: cpu.max cannot be set in cgroup \"%s/%s\": there is none; enable the controller with +cpu in \"%s/cgroup.subtree_control\"\n",
		       w->name, w->parent, w->name, w->parent);
	else if (err)
		pr_err("%s: cpu.max of cgroup \"%s/%s\" cannot be set to \"%s\" (%d)\n",
		       w->name, w->parent, w->name, max, err);
	return err;
}

static int make_cgroup(struct sb_worker *w)
{
	int err = change_directory(w->parent, w->name, make_in);

	if (err) {
		pr_err("%s: cgroup \"%s/%s\" for its quota cannot be made%s (%d)\n",
		       w->name, w->parent, w->name,
		       err == -EEXIST ? ": it exists" : "", err);
		return err;
	}
	w->has_cgroup = true;
	return sb_set_quota(w, w->cpu_quota_us, w->cpu_period_us);
}

/* --- the thread -------------------------------------------------------------------- */

int sb_place(struct sb_worker *w)
{
	struct file *dir;
	int err = 0;

	if (!w->parent[0] && !w->cpu_quota_us)
		return 0;
	dir = open_file(*w->parent ? w->parent : "/", O_RDONLY | O_DIRECTORY);
	if (IS_ERR(dir)) {
		pr_err("%s: cgroup is \"%s\": there is none of that name (%ld)\n",
		       w->name, w->parent, PTR_ERR(dir));
		return PTR_ERR(dir);
	}
	filp_close(dir, NULL);
	if (w->cpu_quota_us)
		err = make_cgroup(w);
	if (err)
		return err;
	/* 0 is who writes */
	err = write_file(w->parent, w->has_cgroup ? w->name : "", "cgroup.procs", "0");
	if (err)
		pr_err("%s: cannot be moved to cgroup \"%s%s%s\" (%d)\n", w->name,
		       w->parent, w->has_cgroup ? "/" : "",
		       w->has_cgroup ? w->name : "", err);
	return err;
}

void sb_leave(struct sb_worker *w)
{
	int err;

	if (!w->has_cgroup)
		return;
	/* a thread that ends is still in its cgroup for a moment */
	err = write_file("", "", "cgroup.procs", "0");
	if (!err)
		err = change_directory(w->parent, w->name, remove_in);
	if (err)
		pr_warn("%s: cgroup \"%s/%s\" stays (%d)\n", w->name, w->parent,
			w->name, err);
}
