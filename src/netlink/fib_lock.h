/* SPDX-License-Identifier: BSD-2-Clause */
/* fib_lock.h - one daemon writes the routes of a protocol number in a network namespace; a second one would
 * take the first one's for a previous run's, and remove them. */
#ifndef MCBGP_NETLINK_FIB_LOCK_H
#define MCBGP_NETLINK_FIB_LOCK_H

#include <sys/types.h>

#include "io/loop.h"

struct fib_lock;
/** Held until it is freed, or the process dies of whatever.
 * @return 0; -EADDRINUSE: @holder (0: it lives in another process namespace) has it; or -errno. */
int fib_lock_new(struct loop *l, uint8_t protocol, struct fib_lock **out, pid_t *holder);
void fib_lock_free(struct fib_lock *k); /* NULL is fine */

#endif
