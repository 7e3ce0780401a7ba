/* SPDX-License-Identifier: BSD-2-Clause */
/* listen.h - the listening sockets: several addresses and ports, opened and closed as the configuration
 * changes. */
#ifndef MCBGP_IO_LISTEN_H
#define MCBGP_IO_LISTEN_H

#include "config/conf.h"
#include "io/loop.h"
#include "io/sock.h"

struct listeners;
/** @accepted is given a non-blocking connected socket (its own from then on) and both its ends. NULL: out of
 * memory. */
struct listeners *listeners_new(struct loop *l,
                                void (*accepted)(void *ctx, int fd, const struct sock_ends *ends), void *ctx);
void listeners_free(struct listeners *ls); /* NULL is fine */
/** Bind what is new, close what is gone. An address that is not there yet is bound all the same
 * (IP_FREEBIND). @return 0 or the -errno of the first that failed; it is logged, and tried again every few
 * seconds. */
int listeners_apply(struct listeners *ls, const struct conf_listen *want, size_t n);
struct listen_key {
	struct prefix peer; /* an address is one with all its bits; the longest that holds a peer counts */
	struct ip local;    /* of ours that it connects to; IP_NONE: any */
	const struct secret *secret; /* copied */
};
/** Connections as @key says are signed (RFC 2385), in place of those that @owner had signed before. Owners
 * whose connections cannot be told apart must give the same secret. @return 0 or -ENOMEM. */
int listeners_sign(struct listeners *ls, const void *owner, const struct listen_key *key);
void listeners_unsign(struct listeners *ls, const void *owner); /* nothing to do is fine */

#endif
