/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel configurations: .config files and fragments of them, which are written
 * alike (Documentation/kbuild/kconfig.rst).
 */
#ifndef VRT_VM_KCONFIG_H
#define VRT_VM_KCONFIG_H

#include "../base/util.h"

struct strbuf;

struct kconfig_option {
	char *name; /* "CONFIG_SMP" */
	char *value; /* "y", "256", "\"-vrt\""; NULL: is not set */
};

struct kconfig {
	struct kconfig_option *options; /* by name */
	u32 nr;
};

/* 0, or -EINVAL and the line that is none in @err. Free with kconfig_free() in both cases. */
int kconfig_parse(struct kconfig *kc, const char *text, char *err, size_t err_size);
void kconfig_free(struct kconfig *kc);

/*
 * How many of @wanted's options @got has otherwise; appends them to @out as
 * "CONFIG_SMP=y (is not set), ...". An option that is absent is not set.
 */
u32 kconfig_differences(const struct kconfig *wanted, const struct kconfig *got,
			struct strbuf *out);

#endif
