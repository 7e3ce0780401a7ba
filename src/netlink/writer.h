/* SPDX-License-Identifier: BSD-2-Clause */
/* writer.h - batches of requests to the kernel, worked off by a thread of their own while the loop goes on.
 *
 * There are two batches: one is filled while the other is under way, or both are. The thread knows nothing
 * but sockets: it sends what it is handed and writes down what was refused, and the loop hears of that in
 * order. All functions are the loop's. */
#ifndef MCBGP_NETLINK_WRITER_H
#define MCBGP_NETLINK_WRITER_H

#include "io/loop.h"
#include "netlink/nls.h"

#define WRITER_BATCHES 2

struct refusal {
	uint32_t index; /* of the request in its batch */
	int err;        /* negative */
	char text[80];  /* the kernel's own words; empty: it has none */
};

/* A batch that has been worked off. */
struct batch_result {
	unsigned batch;
	int rc; /* 0, or -errno: the fate of its requests is unknown */
	const struct refusal *refusals;
	uint32_t n_refusals;
};

struct writer;
/** @written: called from the loop when batches have been worked off: see writer_next(). The thread begins
 * with the first batch that is handed to it, with the privileges that the caller has then. @return 0 or
 * -errno. */
int writer_open(struct loop *l, void (*written)(void *ctx), void *ctx, struct writer **out);
/** Waits for what is under way. NULL is fine. */
void writer_close(struct writer *w);
/** The port ids of its sockets. */
void writer_port_ids(const struct writer *w, uint32_t ids[WRITER_BATCHES]);

/** The batch to be filled, @index its number; NULL: both are under way. */
struct nls *writer_batch(struct writer *w, unsigned *index);
/** The filled batch is to be worked off: by the thread, or @here, before this returns, if none is under way.
 * Where there can be no thread it is always here. */
void writer_hand(struct writer *w, bool here);
bool writer_room(const struct writer *w); /* writer_batch() has one */
bool writer_busy(const struct writer *w); /* some batch has been handed over and not come back */
/** The oldest batch that has been worked off; it is free again, and what @out points to is valid until the
 * next writer_hand(). @return false: none has. */
bool writer_next(struct writer *w, struct batch_result *out);
void writer_wait(struct writer *w); /* until writer_next() has one, or none is under way */

#endif
