/* SPDX-License-Identifier: BSD-2-Clause */
/* backoff.c - waiting times between attempts; see the header. */
#include "bgp/backoff.h"

#include "bgp/jitter.h"
#include "mcbgp/bgp.h"

#define SECOND  UINT64_C(1000000)
#define HELD_US (BACKOFF_MAX_S * SECOND) /* a session that lasted so long was sound */

enum cause { CAUSE_PASSING, CAUSE_ERROR, CAUSE_LIMIT };

static enum cause cause_of(const struct session_end *e)
{
	bool told = e->kind == END_LOCAL_NOTIFY || e->kind == END_REMOTE_NOTIFY;

	if (!told)
		return CAUSE_PASSING;
	switch (e->notify.code) {
	case BGP_ERR_HOLD_TIMER:
	case BGP_ERR_SEND_HOLD:
		return CAUSE_PASSING;
	case BGP_ERR_CEASE:
		return e->notify.subcode == BGP_CEASE_MAX_PREFIX ? CAUSE_LIMIT : CAUSE_PASSING;
	default:
		return CAUSE_ERROR;
	}
}

static uint64_t passing_wait(struct backoff *b, uint64_t retry)
{
	if (b->failures++ < BACKOFF_QUICK_TRIES && retry > SECOND)
		return SECOND;
	return retry;
}

static uint64_t doubling_wait(struct backoff *b, uint64_t retry)
{
	const uint64_t max = BACKOFF_MAX_S * SECOND;
	uint64_t wait = retry > SECOND ? retry : SECOND;

	for (unsigned i = 0; i < b->errors && wait < max; i++)
		wait *= 2;
	b->errors++;
	return wait < max ? wait : max;
}

uint64_t backoff_wait(struct backoff *b, const struct session_end *e, uint64_t up_us, uint16_t retry_s,
                      uint32_t *rnd)
{
	uint64_t retry = retry_s * SECOND;

	if (up_us)
		b->failures = 0;
	if (up_us >= HELD_US)
		b->errors = 0;
	switch (cause_of(e)) {
	case CAUSE_LIMIT:
		return jitter(rnd, BACKOFF_MAX_S * SECOND);
	case CAUSE_ERROR:
		return jitter(rnd, doubling_wait(b, retry));
	case CAUSE_PASSING:
		break;
	}
	return jitter(rnd, passing_wait(b, retry));
}
