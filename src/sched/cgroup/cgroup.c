// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cgroup hierarchy: one (v2) tree, whose every group has the cpu controller
 * and may have both tasks and children, as in a threaded subtree.
 *
 * Lifetime: a group is found by path, id and walks from cgroup_create() to
 * cgroup_remove(). Its memory stays as long as a task, a child or a BPF program
 * holds a reference, and then until every CPU has passed a point where it holds
 * no pointer to anything (a grace period), as with tasks.
 *
 * Ids are given in order of creation and never again. Children are in that
 * order, so that a walk can go on from a group that was removed under it.
 */
#include "../../bpf/map.h"
#include "internal.h"

#define ROOT_CGROUP_ID 1

static struct {
	struct cgroup *root;
	struct cgroup_subsys *cpu;
	bool locked;
	struct group **by_id; /* until they are freed */
	u64 nr_ids, id_slots;
	struct list_head groups; /* all that live */
	struct list_head removed; /* somebody holds a reference */
	struct list_head graveyard; /* nobody does, but some CPU may have a pointer */
} hierarchy;

struct cgroup *root_cgroup(void)
{
	return hierarchy.root;
}

struct task_group *root_task_group(void)
{
	return &cgroup_group(hierarchy.root)->tg;
}

void cgroup_lock(void)
{
	if (this_cpu)
		cpu_sync();
	while (hierarchy.locked)
		cpu_spin_until(cpu_clock() + NSEC_PER_USEC);
	hierarchy.locked = true;
}

void cgroup_unlock(void)
{
	VRT_ASSERT(hierarchy.locked);
	hierarchy.locked = false;
}

/* --- memory -------------------------------------------------------------------- */

static void assign_id(struct group *g)
{
	if (hierarchy.nr_ids == hierarchy.id_slots) {
		hierarchy.id_slots = max(hierarchy.id_slots * 2, (u64)64);
		hierarchy.by_id = realloc(hierarchy.by_id,
					  hierarchy.id_slots * sizeof(*hierarchy.by_id));
		VRT_ASSERT(hierarchy.by_id);
	}
	hierarchy.by_id[hierarchy.nr_ids] = g;
	g->tg.css.cgroup->kn->id = ROOT_CGROUP_ID + hierarchy.nr_ids++;
}

struct cgroup *cgroup_by_id(u64 id)
{
	struct group *g;

	if (id < ROOT_CGROUP_ID || id - ROOT_CGROUP_ID >= hierarchy.nr_ids)
		return NULL;
	g = hierarchy.by_id[id - ROOT_CGROUP_ID];
	return g ? g->tg.css.cgroup : NULL;
}

static void init_css(struct cgroup_subsys_state *css, struct cgroup *cgrp,
		     struct cgroup_subsys_state *parent)
{
	css->cgroup = cgrp;
	css->parent = parent;
	INIT_LIST_HEAD(&css->sibling);
	INIT_LIST_HEAD(&css->children);
	css->id = hierarchy.nr_ids + 1;
	css->serial_nr = hierarchy.nr_ids;
	css->refcnt.refs = 1;
	css->online_cnt.counter = 1;
}

static struct kernfs_node *alloc_node(struct cgroup *parent, const char *name)
{
	struct kernfs_node *kn = sched_alloc(OBJ_KERNFS_NODE, sizeof(*kn));
	char *copy = sched_alloc(OBJ_TEXT, strlen(name) + 1);

	memcpy(copy, name, strlen(name));
	kn->name = copy;
	kn->parent = parent ? parent->kn : NULL;
	return kn;
}

static struct css_set *alloc_css_set(struct cgroup *cgrp, struct group *g)
{
	struct css_set *css_set = sched_alloc(OBJ_CSS_SET, sizeof(*css_set));

	css_set->subsys[cpu_cgrp_id] = &g->tg.css;
	css_set->dfl_cgrp = cgrp;
	css_set->refcount.refs = 1;
	INIT_LIST_HEAD(&css_set->tasks);
	return css_set;
}

static struct cgroup *cgroup_alloc(struct cgroup *parent, const char *name)
{
	u32 level = parent ? parent->level + 1 : 0;
	struct cgroup *cgrp = sched_alloc(OBJ_CGROUP,
					  sizeof(*cgrp) + (level + 1) * sizeof(cgrp));
	struct group *g = sched_alloc(OBJ_TASK_GROUP, sizeof(*g));

	init_css(&cgrp->self, cgrp, parent ? &parent->self : NULL);
	init_css(&g->tg.css, cgrp, parent ? parent->subsys[cpu_cgrp_id] : NULL);
	g->tg.css.ss = hierarchy.cpu;
	cgrp->level = level;
	cgrp->max_depth = CGROUP_MAX_DEPTH;
	cgrp->subsys[cpu_cgrp_id] = &g->tg.css;
	for (u32 i = 0; i < level; i++)
		cgrp->ancestors[i] = parent->ancestors[i];
	cgrp->ancestors[level] = cgrp;
	cgrp->kn = alloc_node(parent, name);
	g->css_set = alloc_css_set(cgrp, g);
	INIT_LIST_HEAD(&g->all);
	group_init_cpu(g, parent ? &cgroup_group(parent)->tg : NULL);
	assign_id(g);
	return cgrp;
}

static void cgroup_free(struct cgroup *cgrp)
{
	struct group *g = cgroup_group(cgrp);

	if (g->storage)
		bpf_cgroup_storage_free(&g->storage);
	hierarchy.by_id[cgrp->kn->id - ROOT_CGROUP_ID] = NULL;
	list_del_init(&g->all);
	fair_free_group(g);
	kheap_free((void *)cgrp->kn->name);
	kheap_free(cgrp->kn);
	kheap_free(g->css_set);
	kheap_free(g);
	kheap_free(cgrp);
}

static void reap(void)
{
	while (!list_empty(&hierarchy.graveyard)) {
		struct group *g = list_first_entry(&hierarchy.graveyard, struct group, all);

		/* a program that was preempted in the middle may still hold a pointer */
		if (!cpus_quiescent_since(g->dead_since) ||
		    kthread_oldest_program() <= g->dead_since)
			return;
		cgroup_free(g->tg.css.cgroup);
	}
}

bool cgroup_tryget(struct cgroup *cgrp)
{
	if (!cgrp->self.refcnt.refs)
		return false;
	cgrp->self.refcnt.refs++;
	return true;
}

void cgroup_put(struct cgroup *cgrp)
{
	struct group *g = cgroup_group(cgrp);

	VRT_ASSERT(cgrp->self.refcnt.refs > 0);
	if (--cgrp->self.refcnt.refs)
		return;
	VRT_ASSERT(g->dead);
	g->dead_since = sim_now();
	list_move_tail(&g->all, &hierarchy.graveyard);
	if (cgrp->level)
		cgroup_put(cgrp->ancestors[cgrp->level - 1]);
}

/* --- walks ------------------------------------------------------------------------ */

static struct cgroup *css_cgroup(const struct list_head *sibling)
{
	return container_of(sibling, struct cgroup, self.sibling);
}

static struct cgroup *first_child(const struct cgroup *cgrp)
{
	return list_empty(&cgrp->self.children) ? NULL : css_cgroup(cgrp->self.children.next);
}

static struct cgroup *next_sibling(const struct cgroup *cgrp)
{
	const struct cgroup *parent = cgrp->ancestors[cgrp->level - 1];
	struct cgroup *c;

	list_for_each_entry(c, &parent->self.children, self.sibling) {
		if (c->self.serial_nr > cgrp->self.serial_nr)
			return c;
	}
	return NULL;
}

struct cgroup *cgroup_next_pre(struct cgroup *pos, struct cgroup *root)
{
	struct cgroup *next;

	if (!pos)
		return root;
	next = first_child(pos);
	while (!next && pos != root) {
		next = next_sibling(pos);
		pos = pos->ancestors[pos->level - 1];
	}
	return next;
}

static struct cgroup *leftmost(struct cgroup *cgrp)
{
	struct cgroup *child;

	while ((child = first_child(cgrp)))
		cgrp = child;
	return cgrp;
}

struct cgroup *cgroup_next_post(struct cgroup *pos, struct cgroup *root)
{
	struct cgroup *next;

	if (!pos)
		return leftmost(root);
	if (pos == root)
		return NULL;
	next = next_sibling(pos);
	return next ? leftmost(next) : pos->ancestors[pos->level - 1];
}

/* --- making and removing --------------------------------------------------------------- */

static struct cgroup *find_child(const struct cgroup *parent, const char *name, size_t len)
{
	struct cgroup *c;

	list_for_each_entry(c, &parent->self.children, self.sibling) {
		if (strlen(c->kn->name) == len && !memcmp(c->kn->name, name, len))
			return c;
	}
	return NULL;
}

static void count_descendants(struct cgroup *cgrp, int nr)
{
	for (int level = 0; level < cgrp->level; level++)
		cgrp->ancestors[level]->nr_descendants += nr;
}

static void link_to_parent(struct cgroup *cgrp, struct cgroup *parent)
{
	struct group *g = cgroup_group(cgrp);

	cgroup_tryget(parent);
	list_add_tail(&cgrp->self.sibling, &parent->self.children);
	list_add_tail(&g->tg.css.sibling, &parent->subsys[cpu_cgrp_id]->children);
	list_add_tail(&g->all, &hierarchy.groups);
	count_descendants(cgrp, 1);
	fair_online_group(g);
}

/* With the hierarchy locked. */
static struct cgroup *make_child(struct cgroup *parent, const char *name, int *err)
{
	struct cgroup *cgrp;

	reap();
	*err = -ENODEV;
	if (cgroup_group(parent)->dead)
		return NULL;
	*err = -EEXIST;
	if (find_child(parent, name, strlen(name)))
		return NULL;
	*err = -EAGAIN;
	if (parent->level >= CGROUP_MAX_DEPTH)
		return NULL;
	cgrp = cgroup_alloc(parent, name);
	*err = scx_group_online(&cgroup_group(cgrp)->tg);
	if (!*err) {
		link_to_parent(cgrp, parent);
		return cgrp;
	}
	/* the program may have kept a reference or a pointer */
	cgroup_group(cgrp)->dead = true;
	cgroup_tryget(parent);
	list_add_tail(&cgroup_group(cgrp)->all, &hierarchy.removed);
	cgroup_put(cgrp);
	return NULL;
}

struct create_call {
	struct cgroup *parent;
	const char *name;
	struct cgroup *cgrp;
	int err;
};

static void create_inside(void *arg)
{
	struct create_call *c = arg;

	cgroup_lock();
	c->cgrp = make_child(c->parent, c->name, &c->err);
	cgroup_unlock();
}

struct cgroup *cgroup_create(struct cgroup *parent, const char *name, int *err)
{
	struct create_call call = { .parent = parent, .name = name };

	*err = -EINVAL;
	if (!cgroup_name_valid(name, strlen(name)))
		return NULL;
	kernel_run_inside(create_inside, &call);
	*err = call.err;
	return call.cgrp;
}

struct remove_call {
	struct cgroup *cgrp;
	int err;
};

static int check_remove(const struct cgroup *cgrp)
{
	if (!cgrp->level)
		return -EINVAL;
	if (cgroup_group(cgrp)->dead)
		return -ENODEV;
	if (!list_empty(&cgrp->self.children) || cgroup_group(cgrp)->css_set->nr_tasks)
		return -EBUSY;
	return 0;
}

static void remove_inside(void *arg)
{
	struct remove_call *c = arg;
	struct cgroup *cgrp = c->cgrp;
	struct group *g = cgroup_group(cgrp);

	cgroup_lock();
	reap();
	c->err = check_remove(cgrp);
	if (!c->err) {
		/* no task comes in any more: there is none to fork, and none may move here */
		g->dead = true;
		scx_group_offline(&g->tg);
		group_offline_cpu(g);
		list_del_init(&cgrp->self.sibling);
		list_del_init(&g->tg.css.sibling);
		count_descendants(cgrp, -1);
		cgrp->self.online_cnt.counter = g->tg.css.online_cnt.counter = 0;
		list_move_tail(&g->all, &hierarchy.removed);
		cgroup_put(cgrp);
	}
	cgroup_unlock();
}

int cgroup_remove(struct cgroup *cgrp)
{
	struct remove_call call = { .cgrp = cgrp };

	kernel_run_inside(remove_inside, &call);
	return call.err;
}

/* --- paths ------------------------------------------------------------------------------- */

/* The next component of *path, whose length is returned; 0: there is none. */
static size_t next_component(const char **path)
{
	while (**path == '/')
		(*path)++;
	return strcspn(*path, "/");
}

struct cgroup *cgroup_find(const char *path)
{
	struct cgroup *cgrp = hierarchy.root;
	size_t len;

	if (*path != '/')
		return NULL;
	while (cgrp && (len = next_component(&path))) {
		cgrp = find_child(cgrp, path, len);
		path += len;
	}
	return cgrp;
}

struct cgroup *cgroup_make_path(const char *path, int *err)
{
	struct cgroup *cgrp = hierarchy.root, *next;
	char name[CGROUP_NAME_MAX + 1];
	size_t len;

	*err = *path == '/' ? 0 : -EINVAL;
	while (!*err && (len = next_component(&path))) {
		if (len > CGROUP_NAME_MAX) {
			*err = -EINVAL;
			break;
		}
		memcpy(name, path, len);
		name[len] = 0;
		path += len;
		next = find_child(cgrp, name, len);
		if (!next)
			next = cgroup_create(cgrp, name, err);
		/* somebody else was faster */
		if (*err == -EEXIST && (next = find_child(cgrp, name, len)))
			*err = 0;
		cgrp = next;
	}
	return *err ? NULL : cgrp;
}

void cgroup_path(const struct cgroup *cgrp, char *buf, size_t size)
{
	size_t at = 0;

	snprintf(buf, size, "/");
	for (int level = 1; level <= cgrp->level && at < size; level++)
		at += snprintf(buf + at, size - at, "/%s", cgrp->ancestors[level]->kn->name);
}

/* --- boot and shutdown --------------------------------------------------------------------- */

void boot_cgroups(void)
{
	memset(&hierarchy, 0, sizeof(hierarchy));
	INIT_LIST_HEAD(&hierarchy.groups);
	INIT_LIST_HEAD(&hierarchy.removed);
	INIT_LIST_HEAD(&hierarchy.graveyard);
	hierarchy.cpu = sched_alloc(OBJ_CGROUP_SUBSYS, sizeof(*hierarchy.cpu));
	hierarchy.cpu->id = cpu_cgrp_id;
	hierarchy.cpu->name = "cpu";
	hierarchy.root = cgroup_alloc(NULL, "");
	list_add_tail(&cgroup_group(hierarchy.root)->all, &hierarchy.groups);
	scx_group_online(&cgroup_group(hierarchy.root)->tg);
}

static void free_list(struct list_head *list)
{
	while (!list_empty(list))
		cgroup_free(list_last_entry(list, struct group, all)->tg.css.cgroup);
}

/* Children after their parents on each list, and parents outlive their children. */
void free_cgroups(void)
{
	free_list(&hierarchy.graveyard);
	free_list(&hierarchy.removed);
	free_list(&hierarchy.groups);
	kheap_free(hierarchy.cpu);
	free(hierarchy.by_id);
	hierarchy.by_id = NULL;
}
