/* SPDX-License-Identifier: BSD-2-Clause */
/* backoff.h - how long a peer waits before it dials again, by the cause that ended the last attempt. Pure.
 *
 * What passes by itself (TCP failures, hold timer, Cease, a collision) is tried again every second for a
 * minute or so, then every connect-retry interval. What a person must mend (AS, router id, malformed
 * messages) doubles from that interval to a minute, each kind of error from its beginning. What may be
 * either, a signed SYN that nobody answers, is tried quickly for half a minute and then ever more rarely. */
#ifndef MCBGP_BGP_BACKOFF_H
#define MCBGP_BGP_BACKOFF_H

#include "bgp/session.h"

#define BACKOFF_MAX_S        60
#define BACKOFF_QUICK_TRIES  60
#define BACKOFF_QUICK_S      2 /* the kernel sends a SYN at once and after a second */
#define BACKOFF_QUICK_SIGNED 15

struct backoff {           /* zero: nothing has failed yet */
	unsigned failures; /* that pass by themselves, in a row */
	unsigned errors;   /* of the other kind and of one code, since a session that held */
	unsigned unheard;  /* signed attempts that nobody answered, in a row */
	uint8_t code;      /* of the errors: enum bgp_error */
};

/** Microseconds to wait after @e, which ended a session that was Established for @up_us (0: never). @retry_s:
 * the connect-retry interval. @rnd: of the jitter. */
uint64_t backoff_wait(struct backoff *b, const struct session_end *e, uint64_t up_us, uint16_t retry_s,
                      uint32_t *rnd);
/** An attempt was given up since nobody answered; @signed_: with TCP MD5, where that may be a refusal. */
void backoff_unanswered(struct backoff *b, bool signed_);
/** Something around us changed for the better: what did not work may work now. */
void backoff_hurry(struct backoff *b);
/** Seconds after which an attempt that nobody answers makes room for the next: while the peer may be back any
 * moment, few enough that it hears a SYN within a second. */
uint16_t backoff_patience_s(const struct backoff *b, uint16_t retry_s);
/** Whether a change around us (a link, a neighbor) is a reason to dial at once: not while a person must mend
 * something. */
static inline bool backoff_may_hurry(const struct backoff *b)
{
	return b->errors == 0;
}

#endif
