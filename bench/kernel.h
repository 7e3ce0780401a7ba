/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel.h - what of a table has arrived in the kernel of a namespace, asked without being in the way. */
#ifndef MCBGP_BENCH_KERNEL_H
#define MCBGP_BENCH_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "table.h"

struct kernel;

/** Watch @t (borrowed) in the namespace @netns. Ends the program when it cannot. */
struct kernel *kernel_new(const char *netns, const struct table *t);
void kernel_free(struct kernel *k); /* NULL is fine */

/** From now on kernel_reached() asks for the routes [@first, @first + @count): all there with at least @hops
 * next hops each, or, with @hops 0, all gone. */
void kernel_expect(struct kernel *k, uint32_t first, uint32_t count, unsigned hops);
/** Whether it is so. Cheap enough to be called every millisecond: it goes on where the last call stopped. */
bool kernel_reached(struct kernel *k);
/** Routes of the main table that are not the kernel's own, by a dump: exact, and slow. */
uint32_t kernel_count(struct kernel *k);

/** A descriptor that is readable when routes change. Only opened on request: listening slows writers down. */
int kernel_listen(struct kernel *k);
void kernel_unlisten(struct kernel *k);
/** Reads the changes of routes of the table that are there: @route_set for each that was added or replaced.
 */
void kernel_events(struct kernel *k, void (*route_set)(void *ctx, uint32_t index), void *ctx);

#endif
