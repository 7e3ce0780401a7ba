/* SPDX-License-Identifier: BSD-2-Clause */
/* loop.h - the event loop as the other edges see it: watchers of descriptors, timers, and long work cut into
 * budgets.
 *
 * The one header of an edge that every other edge may include; only loop.c knows libev. Handles are opaque,
 * owned by who made them; freeing one from inside any callback, its own too, is allowed. Times are monotonic
 * microseconds. For the loop's thread alone: another one wakes it by a descriptor that is watched. */
#ifndef MCBGP_IO_LOOP_H
#define MCBGP_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop *loop_new(void); /* NULL: the system has no loop for us */
void loop_free(struct loop *l);
void loop_run(struct loop *l); /* until loop_stop() */
void loop_stop(struct loop *l);
uint64_t loop_now(const struct loop *l); /* as of this turn of the loop; cheap */
uint64_t loop_clock(void);               /* asks the clock */

enum { LOOP_READ = 1, LOOP_WRITE = 2 };
struct loop_fd;
typedef void (*loop_fd_fn)(void *ctx, unsigned events);
/** Watch @fd for @events; 0 pauses. NULL: out of memory. The descriptor stays the caller's. */
struct loop_fd *loop_fd_new(struct loop *l, int fd, unsigned events, loop_fd_fn fn, void *ctx);
void loop_fd_set(struct loop_fd *w, unsigned events);
void loop_fd_free(struct loop_fd *w); /* NULL is fine; before close() of the descriptor */

struct loop_timer;
struct loop_timer *loop_timer_new(struct loop *l, void (*fn)(void *ctx), void *ctx);
void loop_timer_at(struct loop_timer *t,
                   uint64_t deadline_us); /* replaces an earlier deadline; the past: next turn */
void loop_timer_stop(struct loop_timer *t);
void loop_timer_free(struct loop_timer *t);

/** A job runs once a turn, after the turn's descriptors and timers, for as long as it says there is more to
 * do. It keeps its own budget (about a millisecond), so that KEEPALIVEs and operators never wait for a table.
 */
struct loop_job;
struct loop_job *loop_job_new(struct loop *l, bool (*run)(void *ctx), void *ctx);
/** The same, but it waits for a turn in which no other job has anything to do, at most 20 ms. */
struct loop_job *loop_job_new_background(struct loop *l, bool (*run)(void *ctx), void *ctx);
void loop_job_kick(struct loop_job *j); /* run it from this turn on; idempotent */
void loop_job_free(struct loop_job *j);

struct loop_signal;
struct loop_signal *loop_signal_new(struct loop *l, int signum, void (*fn)(void *ctx), void *ctx);
void loop_signal_free(struct loop_signal *s);

#endif
