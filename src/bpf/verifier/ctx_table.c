// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking up an access in a table of fields (ctx_net.c, ctx_cgroup.c).
 */
#include "ctx_table.h"

static bool field_fits(const struct ctx_field *f, s32 off, s32 size, enum bpf_access_type t,
		       bool is_ldsx)
{
	s32 least = t == BPF_READ ? f->read_min : f->write_min;
	s32 greatest = t == BPF_READ ? f->read_max : f->write_max;

	if (t == BPF_READ && f->as_u32 && size == 4)
		return off == f->start;
	if (is_ldsx && f->no_ldsx)
		return false;
	return greatest && size >= least && size <= greatest && off + size <= f->end &&
	       !(f->first_only && off != f->start);
}

const struct ctx_field *ctx_field_at(const struct ctx_table *table, u32 key, s32 off, s32 size,
				     enum bpf_access_type t, bool is_ldsx)
{
	if (off < 0 || off % size)
		return NULL;
	for (u32 i = 0; i < table->nr; i++) {
		const struct ctx_field *f = &table->fields[i];
		u64 who = t == BPF_READ ? f->readers : f->writers;

		if (off < f->start || off >= f->end)
			continue;
		if (who && (key >= 64 || !(who & CTX_BIT(key))))
			return NULL;
		return field_fits(f, off, size, t, is_ldsx) ? f : NULL;
	}
	return NULL;
}
