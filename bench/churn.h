/* SPDX-License-Identifier: BSD-2-Clause */
/* churn.h - single changes at a steady rate, and how long each takes to come out at the other side. */
#ifndef MCBGP_BENCH_CHURN_H
#define MCBGP_BENCH_CHURN_H

#include <stdio.h>

#include "kernel.h"
#include "speaker.h"

struct churn;

struct churn_plan {
	unsigned rate, seconds;
	uint32_t first, count; /* routes that change in turn */
	uint32_t next_hop;     /* every other change moves a route there, and the next one back */
};

/** Changes by @from, heard by @sink and, unless NULL, seen in @kernel (all borrowed). Each changes attributes
 * and next hop of a route that @from has announced. NULL: out of memory. */
struct churn *churn_new(const struct table *t, const struct churn_plan *plan, struct speaker *from,
                        struct speaker *sink, struct kernel *kernel);
void churn_free(struct churn *c); /* NULL is fine */

/** Readable when churn_kernel() is to be called; -1 without a kernel. */
int churn_fd(const struct churn *c);
void churn_kernel(struct churn *c);
/** Says what is due. */
void churn_tick(struct churn *c, uint64_t now);
/** All were said, and all were heard and seen. */
bool churn_done(const struct churn *c);
/** As a JSON object: number, p50, p99 and max in microseconds, and how many never came, for sink and kernel.
 */
void churn_print(struct churn *c, FILE *out);

#endif
