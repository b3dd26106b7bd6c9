// SPDX-License-Identifier: GPL-2.0-only
/*
 * Enclaves: sets of CPUs that one agent schedules. They are made and closed from
 * outside of the machine; everything between is in the other files.
 *
 * An enclave lives as long as anybody refers to it: its owner, descriptors of its
 * ctl file, links of its programs, its tasks and agents, a program that runs.
 */
#include "../../base/alloc.h"
#include "internal.h"

struct ghost_state ghost;
bool ghost_on;

/* --- lifetime ------------------------------------------------------------------- */

static void enclave_free(struct ghost_enclave *e)
{
	list_del_init(&e->node);
	ghost_sw_exit(e);
	free(e);
}

void ghost_get(struct ghost_enclave *e)
{
	VRT_ASSERT(e->refs);
	e->refs++;
}

void ghost_put(struct ghost_enclave *e)
{
	VRT_ASSERT(e->refs);
	if (!--e->refs)
		enclave_free(e);
}

static struct ghost_enclave *enclave_alloc(const struct ghost_config *config)
{
	struct ghost_enclave *e = xcalloc(1, sizeof(*e));

	e->refs = 1;
	e->id = ghost.next_id++;
	e->config = *config;
	cpumask_copy(&e->cpus, config->cpus ? config->cpus : kernel.possible);
	ghost_sw_init(e, config->status_words ? config->status_words : GHOST_MAX_SW_ENTRIES);
	INIT_LIST_HEAD(&e->tasks);
	ghost_end_init(e);
	ghost_watchdog_init(e);
	list_add_tail(&e->node, &ghost.enclaves);
	return e;
}

/* --- creation --------------------------------------------------------------------- */

/* The first enclave finds a machine that knows nothing of ghOSt yet. */
static bool turn_on(void)
{
	if (ghost_on)
		return true;
	ghost.worker = kthread_worker_create("ghost", -1, true);
	if (!ghost.worker)
		return false;
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
		struct ghost_cpu *gc = xcalloc(1, sizeof(*gc));

		gc->msg = sched_alloc(OBJ_GHOST_MSG, sizeof(*gc->msg));
		gc->sched = sched_alloc(OBJ_GHOST_SCHED, sizeof(*gc->sched));
		gc->select_rq = sched_alloc(OBJ_GHOST_SELECT_RQ, sizeof(*gc->select_rq));
		irq_work_init(&gc->wake_work, ghost_wake_agents);
		kernel.rqs[cpu]->ghost.cpu = gc;
	}
	ghost_on = true;
	return true;
}

/* False, and a sentence: a CPU cannot be had. */
static bool check_cpus(const struct cpumask *cpus, char *err, size_t err_size)
{
	u32 cpu;

	for (cpu = nr_cpu_ids; cpu < VRT_NR_CPUS; cpu++) {
		if (cpus != kernel.possible && cpus->bits[cpu / 64] >> (cpu % 64) & 1) {
			snprintf(err, err_size, "there is no CPU %u on this machine (0-%u)", cpu,
				 nr_cpu_ids - 1);
			return false;
		}
	}
	if (cpumask_empty(cpus)) {
		snprintf(err, err_size, "an enclave needs at least one CPU of this machine (0-%u)",
			 nr_cpu_ids - 1);
		return false;
	}
	for_each_cpu(cpu, cpus) {
		const struct ghost_enclave *other = kernel.rqs[cpu]->ghost.enclave;

		if (other) {
			snprintf(err, err_size, "CPU %u is in enclave %u already", cpu, other->id);
			return false;
		}
		if (!cpumask_test_cpu(cpu, kernel.active)) {
			snprintf(err, err_size, "CPU %u is offline", cpu);
			return false;
		}
	}
	return true;
}

struct create_call {
	const struct ghost_config *config;
	struct ghost_enclave *enclave;
	char *err;
	size_t err_size;
};

static bool create_agents(struct ghost_enclave *e, char *err, size_t err_size)
{
	u32 cpu;

	for_each_cpu(cpu, &e->cpus) {
		int ret = ghost_agent_create(e, cpu);

		if (ret) {
			snprintf(err, err_size, "the agent of CPU %u cannot be made: %s", cpu,
				 ret == -ENOSPC ? "the enclave has fewer status words than CPUs" :
						  strerror(-ret));
			return false;
		}
	}
	return true;
}

static void create_inside(void *arg)
{
	struct create_call *c = arg;
	const struct cpumask *cpus = c->config->cpus ? c->config->cpus : kernel.possible;

	if (!check_cpus(cpus, c->err, c->err_size))
		return;
	if (!turn_on()) {
		snprintf(c->err, c->err_size, "there is no room for ghOSt's kernel thread");
		return;
	}
	c->enclave = enclave_alloc(c->config);
	if (create_agents(c->enclave, c->err, c->err_size))
		return;
	ghost_end_now(c->enclave, GHOST_EXIT_DONE, "never started");
	ghost_put(c->enclave);
	c->enclave = NULL;
}

struct ghost_enclave *ghost_enclave_create(const struct ghost_config *config, char *err,
					   size_t err_size)
{
	struct create_call call = { .config = config, .err = err, .err_size = err_size };

	if (config->status_words > GHOST_MAX_SW_ENTRIES) {
		snprintf(err, err_size, "an enclave has at most %u status words, not %u",
			 GHOST_MAX_SW_ENTRIES, config->status_words);
		return NULL;
	}
	kernel_run_inside(create_inside, &call);
	return call.enclave;
}

int ghost_enclave_fd(struct ghost_enclave *e)
{
	int fd = ghost_ctl_fd(e);

	if (fd >= 0 && !e->has_fd) {
		e->has_fd = true;
		ghost_get(e);
	}
	return fd;
}

struct ghost_enclave *ghost_enclave_for(const struct task_struct *p)
{
	struct ghost_enclave *e = ghost_of(task_rq(p))->enclave;

	if (e && ghost_active(e))
		return e;
	list_for_each_entry(e, &ghost.enclaves, node) {
		if (ghost_active(e))
			return e;
	}
	return NULL;
}

/* --- start and close ---------------------------------------------------------------- */

struct start_call {
	struct ghost_enclave *enclave;
	char *err;
	size_t err_size;
	int ret;
};

/* Every CPU looks: it may be idle, and nothing has been told of it. */
static void kick_cpus(struct ghost_enclave *e)
{
	u32 cpu;

	for_each_cpu(cpu, &e->cpus) {
		struct rq *rq = cpu_rq(cpu);

		rq_lock(rq);
		if (cpu_online(cpu))
			resched_curr(rq);
		rq_unlock(rq);
	}
}

static int check_start(const struct ghost_enclave *e, char *err, size_t err_size)
{
	if (e->ending)
		snprintf(err, err_size, "the enclave has ended: %s", e->record.reason);
	else if (e->started)
		snprintf(err, err_size, "the enclave has been started already");
	else if (!e->pnt)
		snprintf(err, err_size, "no program is attached that picks tasks (SEC(\"ghost_sched/pnt\"))");
	else if (!e->msg)
		snprintf(err, err_size, "no program is attached that hears of tasks (SEC(\"ghost_msg/msg_send\"))");
	else
		return 0;
	return -EINVAL;
}

static void start_inside(void *arg)
{
	struct start_call *c = arg;
	struct ghost_enclave *e = c->enclave;
	char list[128];

	c->ret = check_start(e, c->err, c->err_size);
	if (c->ret)
		return;
	e->started = e->record.active = true;
	cpumask_print_list(list, sizeof(list), &e->cpus);
	kernel_logf(false, "ghOSt: enclave %u started on CPUs %s", e->id, list);
	trace_emit(TRACE_SCHED_ATTACH, 0, 0, 0);
	ghost_watchdog_start(e);
	if (e->config.take_all)
		ghost_take_all(e);
	kick_cpus(e);
}

int ghost_start(struct ghost_enclave *e, char *err, size_t err_size)
{
	struct start_call call = { .enclave = e, .err = err, .err_size = err_size };

	kernel_run_inside(start_inside, &call);
	return call.ret;
}

struct end_call {
	struct ghost_enclave *enclave;
	enum ghost_exit_kind kind;
	const char *reason;
};

static void end_inside(void *arg)
{
	struct end_call *c = arg;

	ghost_end_now(c->enclave, c->kind, c->reason);
}

void ghost_kill_agent(struct ghost_enclave *e)
{
	struct end_call call = { e, GHOST_EXIT_AGENT, "the agent is gone" };

	kernel_run_inside(end_inside, &call);
}

void ghost_destroy(struct ghost_enclave *e)
{
	struct end_call call = { e, GHOST_EXIT_DESTROYED, "destroyed" };

	kernel_run_inside(end_inside, &call);
}

void ghost_enclave_close(struct ghost_enclave *e)
{
	struct end_call call = { e, GHOST_EXIT_DONE, "closed by its owner" };

	kernel_run_inside(end_inside, &call);
	ghost_put(e);
}

/* --- figures ------------------------------------------------------------------------- */

const struct ghost_exit_record *ghost_exit(const struct ghost_enclave *e)
{
	return &e->record;
}

void ghost_stats(const struct ghost_enclave *e, struct ghost_stats *stats)
{
	stats->nr_tasks = e->nr_tasks;
	stats->nr_refused = e->nr_refused;
	stats->picks = e->picks;
	stats->latched = e->latched;
	stats->latch_errors = e->latch_errors;
	ghost_msg_stats(e, stats);
}

/* --- boot and shutdown ------------------------------------------------------------------ */

void ghost_boot_early(void)
{
	memset(&ghost, 0, sizeof(ghost));
	ghost_on = false;
	INIT_LIST_HEAD(&ghost.enclaves);
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
		struct ghost_rq *gr = &kernel.rqs[cpu]->ghost;

		INIT_LIST_HEAD(&gr->agents);
		INIT_LIST_HEAD(&gr->tasks);
		gr->resched_seqnum = ~0ULL;
	}
}

void ghost_shutdown(void)
{
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
		struct ghost_cpu *gc = kernel.rqs[cpu]->ghost.cpu;

		if (!gc)
			continue;
		kheap_free(gc->msg);
		kheap_free(gc->sched);
		kheap_free(gc->select_rq);
		free(gc);
	}
	while (!list_empty(&ghost.enclaves))
		enclave_free(list_first_entry(&ghost.enclaves, struct ghost_enclave, node));
	ghost_on = false;
}
