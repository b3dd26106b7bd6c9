// SPDX-License-Identifier: GPL-2.0-only
/*
 * Figures of programs: /sys/kernel/schedbpf/<program>/, a value a file, and the
 * two histograms in debugfs, schedbpf/<program>.
 */
#include <linux/cgroup.h>
#include <linux/debugfs.h>
#include <linux/kobject.h>
#include <linux/log2.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "schedbpf.h"

static struct kset *programs;
static struct dentry *debug_dir;

/* --- histograms ------------------------------------------------------------------- */

/* The bucket of a value: its highest bit and the SB_HIST_SHIFT bits below that. */
static unsigned int bucket_of(u64 value)
{
	unsigned int shift;

	if (value < (1 << SB_HIST_SHIFT))
		return value;
	shift = ilog2(value) - SB_HIST_SHIFT;
	return (shift << SB_HIST_SHIFT) + (unsigned int)(value >> shift);
}

static u64 bucket_low(unsigned int bucket)
{
	unsigned int shift = bucket >> SB_HIST_SHIFT;

	if (!shift)
		return bucket;
	shift--;
	return (u64)(bucket - (shift << SB_HIST_SHIFT)) << shift;
}

void sb_hist_add(struct sb_hist *hist, u64 value)
{
	u32 *bucket = &hist->buckets[bucket_of(value)];

	WRITE_ONCE(*bucket, *bucket + 1);
	WRITE_ONCE(hist->count, hist->count + 1);
	WRITE_ONCE(hist->sum, hist->sum + value);
	if (value > hist->max)
		WRITE_ONCE(hist->max, value);
}

static void show_hist(struct seq_file *m, const char *name,
		      const struct sb_hist *hist)
{
	unsigned int i;

	for (i = 0; i < SB_HIST_BUCKETS; i++) {
		u32 count = READ_ONCE(hist->buckets[i]);

		if (count)
			seq_printf(m, "%s %llu %u\n", name, bucket_low(i), count);
	}
}

/* A line for each bucket: which histogram, the lowest value, how many. */
static int debug_show(struct seq_file *m, void *unused)
{
	const struct sb_program *p = m->private;

	show_hist(m, "runtime", &p->stats.runtime);
	show_hist(m, "latency", &p->stats.latency);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(debug);

/* --- sysfs -------------------------------------------------------------------------- */

struct sb_attribute {
	struct attribute attr;
	ssize_t (*show)(struct sb_program *p, char *buf);
};

#define SB_ATTRIBUTE(_name, _fmt, _value)					\
static ssize_t _name##_show(struct sb_program *p, char *buf)			\
{										\
	return sysfs_emit(buf, _fmt "\n", _value);				\
}										\
static const struct sb_attribute _name##_attr = {				\
	.attr = { .name = __stringify(_name), .mode = 0444 },			\
	.show = _name##_show,							\
}

SB_ATTRIBUTE(pid, "%d", task_pid_nr(p->worker->task));
SB_ATTRIBUTE(worker, "%s", p->worker->name);
SB_ATTRIBUTE(shared, "%d", p->worker->shared);
SB_ATTRIBUTE(mode, "%s", p->mode == BPF_PERIODIC_PROGRAM ? "program" : "framework");
SB_ATTRIBUTE(period_ns, "%llu", READ_ONCE(p->ctx.period_ns));
SB_ATTRIBUTE(nice, "%d", task_nice(p->worker->task));
SB_ATTRIBUTE(runs, "%llu", READ_ONCE(p->stats.runs));
SB_ATTRIBUTE(missed, "%llu", READ_ONCE(p->stats.missed));
SB_ATTRIBUTE(runtime_ns, "%llu", READ_ONCE(p->stats.runtime.sum));
SB_ATTRIBUTE(runtime_max_ns, "%llu", READ_ONCE(p->stats.runtime.max));
SB_ATTRIBUTE(latency_ns, "%llu", READ_ONCE(p->stats.latency.sum));
SB_ATTRIBUTE(latency_max_ns, "%llu", READ_ONCE(p->stats.latency.max));
SB_ATTRIBUTE(delay_ns, "%llu", READ_ONCE(p->stats.delay));
/* of the thread, all that it does; up to the last tick */
SB_ATTRIBUTE(cpu_ns, "%llu", READ_ONCE(p->worker->task->se.sum_exec_runtime));

/* Where the thread is now, whoever has moved it. */
static ssize_t cgroup_show(struct sb_program *p, char *buf)
{
	int len;

	rcu_read_lock();
	len = cgroup_path(task_dfl_cgroup(p->worker->task), buf, PAGE_SIZE - 1);
	rcu_read_unlock();
	if (len < 0)
		return len;
	len += sysfs_emit_at(buf, len, "\n");
	return len;
}

static const struct sb_attribute cgroup_attr = {
	.attr = { .name = "cgroup", .mode = 0444 },
	.show = cgroup_show,
};

static const struct attribute *const program_attrs[] = {
	&pid_attr.attr, &worker_attr.attr, &shared_attr.attr, &mode_attr.attr,
	&period_ns_attr.attr, &nice_attr.attr, &cgroup_attr.attr,
	&runs_attr.attr, &missed_attr.attr,
	&runtime_ns_attr.attr, &runtime_max_ns_attr.attr,
	&latency_ns_attr.attr, &latency_max_ns_attr.attr,
	&delay_ns_attr.attr, &cpu_ns_attr.attr,
	NULL,
};

static ssize_t show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	struct sb_program *p = container_of(kobj, struct sb_program, kobj);

	return container_of(attr, struct sb_attribute, attr)->show(p, buf);
}

static void release(struct kobject *kobj)
{
	kmem_cache_free(sb_program_cache,
			container_of(kobj, struct sb_program, kobj));
}

static const struct sysfs_ops sysfs_ops = { .show = show };
static const struct kobj_type program_type = {
	.sysfs_ops = &sysfs_ops,
	.release = release,
};

void sb_stats_fill(const struct sb_program *p, struct bpf_periodic_stats *stats)
{
	const struct sb_stats *s = &p->stats;

	*stats = (struct bpf_periodic_stats){
		.runs = READ_ONCE(s->runs),
		.missed = READ_ONCE(s->missed),
		.runtime_ns = READ_ONCE(s->runtime.sum),
		.runtime_max_ns = READ_ONCE(s->runtime.max),
		.latency_ns = READ_ONCE(s->latency.sum),
		.latency_max_ns = READ_ONCE(s->latency.max),
		.delay_ns = READ_ONCE(s->delay),
		.throttled_ns = BPF_PERIODIC_UNKNOWN,
	};
}

/* --- all of them ----------------------------------------------------------------------- */

void sb_stats_init(struct sb_program *p)
{
	p->kobj.kset = programs;
	kobject_init(&p->kobj, &program_type);
}

int sb_stats_show(struct sb_program *p)
{
	int err = kobject_add(&p->kobj, NULL, "%s", p->name);

	if (!err)
		err = sysfs_create_files(&p->kobj, program_attrs);
	if (!err)
		p->debug = debugfs_create_file(p->name, 0400, debug_dir, p,
					       &debug_fops);
	return err;
}

void sb_stats_hide(struct sb_program *p)
{
	/* both wait for those who read just now */
	debugfs_remove(p->debug);
	if (p->kobj.state_in_sysfs)
		kobject_del(&p->kobj);
}

void sb_stats_put(struct sb_program *p)
{
	kobject_put(&p->kobj);
}

int sb_stats_register(void)
{
	programs = kset_create_and_add("schedbpf", NULL, kernel_kobj);
	if (!programs)
		return -ENOMEM;
	debug_dir = debugfs_create_dir("schedbpf", NULL);
	return 0;
}

void sb_stats_unregister(void)
{
	debugfs_remove(debug_dir);
	kset_unregister(programs);
}
