// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a scheduler is thrown out: the first error claims the exit, its message
 * is kept, the queues are dumped as soon as no lock is held (irq_work), and the
 * helper thread disables the scheduler.
 *
 * The dump has the format of the kernel's, so that tools and eyes that know it
 * read it.
 */
#include <stdarg.h>

#include "../../base/strbuf.h"
#include "ext.h"

/* Bytes of scx_exit_info.reason. */
#define REASON_LEN 64

const char *scx_exit_reason(enum scx_exit_kind kind)
{
	switch (kind) {
	case SCX_EXIT_UNREG:
		return "unregistered from user space";
	case SCX_EXIT_UNREG_BPF:
		return "unregistered from BPF";
	case SCX_EXIT_UNREG_KERN:
		return "unregistered from the main kernel";
	case SCX_EXIT_SYSRQ:
		return "disabled by sysrq-S";
	case SCX_EXIT_ERROR:
		return "runtime error";
	case SCX_EXIT_ERROR_BPF:
		return "scx_bpf_error";
	case SCX_EXIT_ERROR_STALL:
		return "runnable task stall";
	case SCX_EXIT_NONE:
	case SCX_EXIT_DONE:
		break;
	}
	return "<UNKNOWN>";
}

void scx_alloc_exit_info(u32 dump_len)
{
	struct scx_exit_info *ei = sched_alloc(OBJ_SCX_EXIT_INFO, sizeof(*ei));

	VRT_ASSERT(!scx.info);
	ei->reason = sched_alloc(OBJ_TEXT, REASON_LEN);
	ei->msg = sched_alloc(OBJ_TEXT, SCX_EXIT_MSG_LEN);
	ei->dump = sched_alloc(OBJ_TEXT, max(dump_len, 1u));
	ei->bt = sched_alloc(OBJ_TEXT, SCX_EXIT_BT_LEN * sizeof(*ei->bt));
	scx.info = ei;
}

/* Set at the error, for the dump, and again when the scheduler is disabled. */
void scx_set_exit_kind(enum scx_exit_kind kind)
{
	scx.info->kind = kind;
	snprintf((char *)scx.info->reason, REASON_LEN, "%s", scx_exit_reason(kind));
}

void scx_free_exit_info(void)
{
	struct scx_exit_info *ei = scx.info;

	if (!ei)
		return;
	kheap_free((void *)ei->reason);
	kheap_free(ei->msg);
	kheap_free(ei->dump);
	kheap_free(ei->bt);
	kheap_free(ei);
	scx.info = NULL;
}

bool scx_claim_exit(enum scx_exit_kind kind)
{
	if (scx.exit_kind != SCX_EXIT_NONE)
		return false;
	scx.exit_kind = kind;
	return true;
}

void scx_exit(enum scx_exit_kind kind, s64 code, const char *fmt, ...)
{
	struct scx_exit_info *ei = scx.info;
	va_list args;

	if (!scx_claim_exit(kind))
		return;
	ei->exit_code = code;
	va_start(args, fmt);
	vsnprintf(ei->msg, SCX_EXIT_MSG_LEN, fmt, args);
	va_end(args);
	scx_set_exit_kind(kind);
	irq_work_queue(&scx.error_work);
}

/* --- the dump --------------------------------------------------------------------- */

/* Where ops.dump*() output goes while one of them runs on @cpu (-1: none does). */
static struct {
	s32 cpu;
	bool first;
	struct strbuf *out;
	const char *prefix;
	struct strbuf line;
} dump = { .cpu = -1 };

static void ops_dump_init(struct strbuf *out, const char *prefix)
{
	dump.cpu = this_cpu->id;
	dump.first = true;
	dump.out = out;
	dump.prefix = prefix;
}

/* Emits what has gathered, each line with the prefix. */
static void ops_dump_flush(void)
{
	const char *line = strbuf_str(&dump.line);

	if (!*line)
		return;
	if (dump.first)
		strbuf_putc(dump.out, '\n');
	dump.first = false;
	while (*line) {
		size_t len = strcspn(line, "\n");

		strbuf_printf(dump.out, "%s%.*s\n", dump.prefix, (int)len, line);
		line += len + (line[len] == '\n');
	}
	strbuf_reset(&dump.line);
}

static void ops_dump_exit(void)
{
	ops_dump_flush();
	strbuf_free(&dump.line);
	dump.cpu = -1;
}

void scx_dump_bstr(const char *fmt, const u64 *data, u32 data_sz)
{
	char text[SCX_EXIT_MSG_LEN];
	int len;

	if (dump.cpu < 0 || (u32)dump.cpu != this_cpu->id) {
		scx_error("scx_bpf_dump() must only be called from ops.dump() and friends");
		return;
	}
	len = bpf_bstr_format(text, sizeof(text), fmt, data, data_sz);
	if (len < 0) {
		strbuf_printf(dump.out, "%s[!] failed to format (%d)\n", dump.prefix, len);
		return;
	}
	strbuf_puts(&dump.line, text);
	/* a line may be put together by several calls */
	if (dump.line.len >= SCX_EXIT_MSG_LEN ||
	    (dump.line.len && dump.line.data[dump.line.len - 1] == '\n'))
		ops_dump_flush();
}

static char task_state_char(const struct task_struct *p)
{
	if (p->__state & TASK_INTERRUPTIBLE)
		return 'S';
	if (p->__state & TASK_UNINTERRUPTIBLE)
		return 'D';
	return p->__state & TASK_DEAD ? 'X' : 'R';
}

static s64 delta_ms(u64 at, u64 now)
{
	return at > now ? (s64)jiffies_to_msecs(at - now) : -(s64)jiffies_to_msecs(now - at);
}

static void dump_task(struct strbuf *s, struct scx_dump_ctx *dctx, struct task_struct *p,
		      char marker)
{
	char dsq_id[24] = "(n/a)", mask[VRT_NR_CPUS / 3];

	if (p->scx.dsq)
		snprintf(dsq_id, sizeof(dsq_id), "0x%llx", p->scx.dsq->id);
	cpumask_print_hex(mask, sizeof(mask), p->cpus_ptr);
	strbuf_printf(s, "\n %c%c %s[%d] %+lldms\n", marker, task_state_char(p), p->comm, p->pid,
		      delta_ms(p->scx.runnable_at, dctx->at_jiffies));
	strbuf_printf(s, "      scx_state/flags=%u/0x%x dsq_flags=0x%x ops_state/qseq=%llu/%llu\n",
		      scx_task_state(p), p->scx.flags & ~(u32)SCX_TASK_STATE_MASK,
		      p->scx.dsq_flags, opss(p) & SCX_OPSS_STATE_MASK,
		      opss(p) >> SCX_OPSS_QSEQ_SHIFT);
	strbuf_printf(s, "      sticky/holding_cpu=%d/%d dsq_id=%s dsq_vtime=%llu\n",
		      p->scx.sticky_cpu, p->scx.holding_cpu, dsq_id, p->scx.dsq_vtime);
	strbuf_printf(s, "      cpus=%s\n", mask);
	if (SCX_HAS_OP(dump_task)) {
		ops_dump_init(s, "    ");
		SCX_CALL(SCX_KF_REST, dump_task, SCX_ARG(dctx), SCX_ARG(p));
		ops_dump_exit();
	}
}

static void dump_kick_mask(struct strbuf *s, const char *name, const struct cpumask *mask)
{
	char text[VRT_NR_CPUS / 3];

	if (cpumask_empty(mask))
		return;
	cpumask_print_hex(text, sizeof(text), mask);
	strbuf_printf(s, "  %-15s: %s\n", name, text);
}

static void dump_cpu_header(struct strbuf *s, struct rq *rq)
{
	strbuf_printf(s, "\nCPU %-4d: nr_run=%u flags=0x%x cpu_rel=%d pnt_seq=%lu\n", rq->cpu,
		      rq->scx.nr_running, rq->scx.flags, rq->scx.cpu_released, rq->scx.pnt_seq);
	strbuf_printf(s, "          curr=%s[%d] class=%s\n", rq->curr->comm, rq->curr->pid,
		      class_of(rq->curr)->name);
	dump_kick_mask(s, "cpus_to_kick", rq->scx.cpus_to_kick);
	dump_kick_mask(s, "idle_to_kick", rq->scx.cpus_to_kick_if_idle);
	dump_kick_mask(s, "cpus_to_preempt", rq->scx.cpus_to_preempt);
	dump_kick_mask(s, "cpus_to_wait", rq->scx.cpus_to_wait);
}

static void dump_cpu(struct strbuf *s, struct scx_dump_ctx *dctx, struct rq *rq)
{
	struct strbuf head = { 0 };
	struct task_struct *p;
	size_t plain;
	bool idle;

	rq_lock(rq);
	idle = list_empty(&rq->scx.runnable_list) && is_idle_task(rq->curr);
	dump_cpu_header(&head, rq);
	plain = head.len;
	if (SCX_HAS_OP(dump_cpu)) {
		ops_dump_init(&head, "  ");
		SCX_CALL(SCX_KF_REST, dump_cpu, SCX_ARG(dctx), rq->cpu, idle);
		ops_dump_exit();
	}
	/* nothing of interest on an idle CPU of which the scheduler says nothing */
	if (!idle || head.len != plain) {
		strbuf_add(s, head.data, head.len);
		if (class_of(rq->curr) == &ext_sched_class)
			dump_task(s, dctx, rq->curr, '*');
		list_for_each_entry(p, &rq->scx.runnable_list, scx.runnable_node)
			dump_task(s, dctx, p, ' ');
	}
	strbuf_free(&head);
	rq_unlock(rq);
}

static void dump_state(struct scx_exit_info *ei, u32 dump_len)
{
	static const char truncated[] = "\n\n~~~~ TRUNCATED ~~~~\n";
	struct scx_dump_ctx *dctx = sched_alloc(OBJ_SCX_DUMP_CTX, sizeof(*dctx));
	struct task_struct *curr = curr_task();
	struct strbuf s = { 0 };

	*dctx = (struct scx_dump_ctx){
		.kind = ei->kind,
		.exit_code = ei->exit_code,
		.reason = ei->reason,
		.at_ns = cpu_clock(),
		.at_jiffies = jiffies(),
	};
	strbuf_printf(&s, "%s[%d] triggered exit kind %d:\n  %s (%s)\n\nBacktrace:\n", curr->comm,
		      curr->pid, ei->kind, ei->reason, ei->msg);
	if (SCX_HAS_OP(dump)) {
		ops_dump_init(&s, "");
		SCX_CALL(SCX_KF_UNLOCKED, dump, SCX_ARG(dctx));
		ops_dump_exit();
	}
	strbuf_puts(&s, "\nCPU states\n----------\n");
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
		dump_cpu(&s, dctx, cpu_rq(cpu));
	snprintf(ei->dump, dump_len, "%s", strbuf_str(&s));
	if (s.len >= dump_len && dump_len >= sizeof(truncated))
		memcpy(ei->dump + dump_len - sizeof(truncated), truncated, sizeof(truncated));
	strbuf_free(&s);
	kheap_free(dctx);
}

static void error_workfn(struct irq_work *work)
{
	struct scx_exit_info *ei = scx.info;

	if (!ei)
		return;
	if (ei->kind >= SCX_EXIT_ERROR)
		dump_state(ei, scx.ops.exit_dump_len);
	kthread_queue_work(scx.helper, &scx.disable_work);
}

void scx_exit_flush(void)
{
	if (list_empty(&scx.error_work.node))
		return;
	list_del_init(&scx.error_work.node);
	error_workfn(&scx.error_work);
}

void scx_exit_init(void)
{
	irq_work_init(&scx.error_work, error_workfn);
	kthread_init_work(&scx.disable_work, scx_disable_workfn);
}
