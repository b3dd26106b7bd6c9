// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stopping a program, and saying why in words that name its source line.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../check/check.h"
#include "exec.h"
#include "../helpers/helpers.h"
#include "../kfunc/kfunc.h"

/* The line that @insn belongs to: the last one that starts at or before it. */
const struct bpf_line_info *bpf_prog_line(const struct bpf_prog *prog, u32 insn)
{
	u32 lo = 0, hi = prog->nr_line_info;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (prog->line_info[mid].insn_off <= insn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? &prog->line_info[lo - 1] : NULL;
}

void bpf_prog_where(const struct bpf_prog *prog, u32 insn, char *buf, size_t size)
{
	const struct bpf_line_info *line = bpf_prog_line(prog, insn);
	const char *file, *slash;

	if (!line || !prog->btf) {
		snprintf(buf, size, "insn %u", insn);
		return;
	}
	file = btf_name(prog->btf, line->file_name_off);
	slash = strrchr(file, '/');
	snprintf(buf, size, "%s:%u", slash ? slash + 1 : file,
		 BPF_LINE_INFO_LINE_NUM(line->line_col));
}

const char *bpf_prog_source_line(const struct bpf_prog *prog, u32 insn)
{
	const struct bpf_line_info *line = bpf_prog_line(prog, insn);
	const char *text = line && prog->btf ? btf_name(prog->btf, line->line_off) : "";

	return text + strspn(text, " \t");
}

static __printf(3, 0) void stop(struct bpf_exec *x, const char *callee, const char *fmt,
				va_list args)
{
	struct bpf_fault fault = { .prog = x->prog, .insn = x->insn };
	char where[128];
	int n;

	if (x->stopped)
		return;
	bpf_exec_stop(x, 0);
	bpf_prog_where(x->prog, x->insn, where, sizeof(where));
	n = snprintf(fault.message, sizeof(fault.message), "%s: ", where);
	if (callee)
		n += snprintf(fault.message + n, sizeof(fault.message) - (size_t)n,
			      x->callee_arg ? "%s: argument %u: " : "%s: ", callee, x->callee_arg);
	vsnprintf(fault.message + n, sizeof(fault.message) - (size_t)n, fmt, args);
	if (bpf_env->fault)
		bpf_env->fault(&fault);
}

/* Compiled code does not say whom it calls: the instruction does. */
static const char *callee_of(const struct bpf_exec *x)
{
	const struct bpf_insn *insn = &x->prog->insns[x->insn];

	if (x->callee || x->checked)
		return x->callee;
	if (bpf_is_call(insn, BPF_PSEUDO_KFUNC_CALL))
		return x->prog->exec->kfuncs[insn->imm]->kfunc->name;
	if (bpf_is_call(insn, 0) && !bpf_call_is_missing(insn))
		return bpf_helper_name(x->prog, (u32)insn->imm);
	return NULL;
}

bool bpf_exec_fault(struct bpf_exec *x, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	stop(x, callee_of(x), fmt, args);
	va_end(args);
	return false;
}

bool bpf_exec_fault_here(struct bpf_exec *x, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	stop(x, NULL, fmt, args);
	va_end(args);
	return false;
}

void bpf_exec_too_deep(struct bpf_exec *x)
{
	bpf_exec_fault(x, "calls nest more than %u deep", BPF_MAX_FRAMES);
}

void bpf_exec_missing(struct bpf_exec *x, s32 poison)
{
	const char *line = bpf_prog_source_line(x->prog, x->insn);
	const char *what = "uses something that this kernel lacks";

	if (poison == BPF_POISON_UNREACHED)
		what = "comes to where verification said that it cannot come: this is a bug of the verifier";
	else if (poison >= BPF_POISON_KFUNC)
		what = "calls a kernel function that this kernel does not have (guard the call with bpf_ksym_exists())";
	else if (poison >= BPF_POISON_MAP)
		what = "uses a map that was not created";
	else if (poison == BPF_POISON_CORE)
		what = "accesses a field, type or enumerator that this kernel does not have (guard it with bpf_core_field_exists() and friends)";
	bpf_exec_fault_here(x, "%s%s%s%s", *line ? "'" : "the program ", line, *line ? "' " : "", what);
}

/* --- describing ---------------------------------------------------------------- */

void bpf_region_describe(const struct bpf_region *region, char *buf, size_t size)
{
	const char *name = region->name ? region->name : "";

	switch (region->kind) {
	case REGION_NULL:
		snprintf(buf, size, "NULL");
		break;
	case REGION_CTX:
		snprintf(buf, size, "the context");
		break;
	case REGION_STACK:
		snprintf(buf, size, "the stack frame");
		break;
	case REGION_MAP_PTR:
		snprintf(buf, size, "map '%s' itself", name);
		break;
	case REGION_MAP_VALUE:
		snprintf(buf, size, "map '%s' value", name);
		break;
	case REGION_OBJECT:
		snprintf(buf, size, "%s%s", *name == '[' ? "" : "struct ", *name ? name : "object");
		break;
	case REGION_ALLOC:
		snprintf(buf, size, "allocated struct %s", name);
		break;
	case REGION_MEM:
	case REGION_SLOT:
	case REGION_PACKET:
		snprintf(buf, size, "%s", name);
		break;
	case REGION_WALKED:
		snprintf(buf, size, "what was read from a kernel object");
		break;
	case REGION_ARENA:
		snprintf(buf, size, "arena '%s'", name);
		break;
	case REGION_FUNC:
		snprintf(buf, size, "a function");
		break;
	case REGION_PERCPU:
		snprintf(buf, size, "per-CPU variable '%s' (use bpf_per_cpu_ptr())", name);
		break;
	}
}

void bpf_reg_describe(const struct bpf_exec *x, const struct bpf_reg *reg, char *buf, size_t size)
{
	const struct bpf_region *region = reg->region;
	u64 bytes = 0;
	size_t n;

	if (!region) {
		snprintf(buf, size, "a number");
		return;
	}
	bpf_region_describe(region, buf, size);
	switch (region->kind) {
	case REGION_CTX:
		bytes = x->ctx_size;
		break;
	case REGION_STACK:
		bytes = BPF_STACK_SIZE;
		break;
	case REGION_MAP_VALUE:
	case REGION_ALLOC:
		bytes = region->size;
		break;
	case REGION_OBJECT:
	case REGION_MEM:
	case REGION_PACKET:
		bytes = reg->rsize;
		break;
	default:
		return;
	}
	n = strlen(buf);
	if (region != &bpf_region_packet_end && n < size)
		snprintf(buf + n, size - n, " of %llu byte%s", bytes, bytes == 1 ? "" : "s");
}

bool bpf_exec_refuse(struct bpf_exec *x, const struct bpf_reg *reg, const char *expected)
{
	char got[160];

	bpf_reg_describe(x, reg, got, sizeof(got));
	return bpf_exec_fault(x, "expected %s, got %s", expected, got);
}
