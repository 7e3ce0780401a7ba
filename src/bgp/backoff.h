/* SPDX-License-Identifier: BSD-2-Clause */
/* backoff.h - how long a peer waits before it dials again, by the cause that ended the last attempt. Pure.
 *
 * What passes by itself (TCP failures, hold timer, Cease, a collision) is tried again every second for a
 * minute or so, then every connect-retry interval. What a person must mend (AS, router id, malformed
 * messages) doubles from that interval to a minute. */
#ifndef MCBGP_BGP_BACKOFF_H
#define MCBGP_BGP_BACKOFF_H

#include "bgp/session.h"

#define BACKOFF_MAX_S       60
#define BACKOFF_QUICK_TRIES 60

struct backoff {           /* zero: nothing has failed yet */
	unsigned failures; /* that pass by themselves, in a row */
	unsigned errors;   /* of the other kind, since a session that held */
};

/** Microseconds to wait after @e, which ended a session that was Established for @up_us (0: never). @retry_s:
 * the connect-retry interval. @rnd: of the jitter. */
uint64_t backoff_wait(struct backoff *b, const struct session_end *e, uint64_t up_us, uint16_t retry_s,
                      uint32_t *rnd);
/** Whether the peer may be back any moment: an attempt that nobody answers is not waited for either. */
static inline bool backoff_is_quick(const struct backoff *b)
{
	return b->errors == 0 && b->failures < BACKOFF_QUICK_TRIES;
}
/** Whether a change around us (a link, a neighbor) is a reason to dial at once: not while a person must mend
 * something. */
static inline bool backoff_may_hurry(const struct backoff *b)
{
	return b->errors == 0;
}

#endif
