/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Distributions of service times: "10us", "exp:10us" (exponential with this
 * mean), or a mixture "99.5:4us,0.5:10ms" whose parts are percentages that
 * add up to 100 and a time each ("0.5:exp:10ms" too).
 */
#ifndef VRT_WORKLOAD_SERVICE_H
#define VRT_WORKLOAD_SERVICE_H

#include "../base/rng.h"

#define SERVICE_MAX_PARTS 16
#define SERVICE_MAX_NS (3600 * NSEC_PER_SEC)

struct service {
	u32 nr_parts;
	struct service_part {
		u64 millionths; /* cumulative, the last one is 1,000,000 */
		bool exponential;
		u64 ns; /* the time, or its mean */
	} part[SERVICE_MAX_PARTS];
};

/* 0, or -EINVAL with a message in @err. */
int service_parse(struct service *s, const char *text, char *err, size_t err_size);
/* ns, at least 1. */
u64 service_draw(const struct service *s, struct rng *rng);
/* The mean, ns. */
u64 service_mean(const struct service *s);

#endif
