/* SPDX-License-Identifier: BSD-2-Clause */
/* backoff.c - waiting times between attempts; see the header. */
#include "bgp/backoff.h"

#include <errno.h>

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

static bool is_unanswered(const struct session_end *e)
{
	return e->kind == END_TCP && e->tcp_error == ETIMEDOUT;
}

static uint64_t passing_wait(struct backoff *b, uint64_t retry)
{
	if (b->failures++ < BACKOFF_QUICK_TRIES && retry > SECOND)
		return SECOND;
	return retry;
}

static uint64_t doubling_wait(struct backoff *b, uint8_t code, uint64_t retry)
{
	const uint64_t max = BACKOFF_MAX_S * SECOND;
	uint64_t wait = retry > SECOND ? retry : SECOND;

	if (code != b->code)
		b->errors = 0;
	b->code = code;
	for (unsigned i = 0; i < b->errors && wait < max; i++)
		wait *= 2;
	b->errors++;
	return wait < max ? wait : max;
}

uint64_t backoff_wait(struct backoff *b, const struct session_end *e, uint64_t up_us, uint16_t retry_s,
                      uint32_t *rnd)
{
	uint64_t retry = retry_s * SECOND;

	if (!is_unanswered(e))
		b->unheard = 0;
	if (up_us)
		b->failures = 0;
	if (up_us >= HELD_US || (up_us && b->code == BGP_ERR_OPEN)) /* its OPEN is good now */
		b->errors = 0;
	switch (cause_of(e)) {
	case CAUSE_LIMIT:
		return jitter(rnd, BACKOFF_MAX_S * SECOND);
	case CAUSE_ERROR:
		return jitter(rnd, doubling_wait(b, e->notify.code, retry));
	case CAUSE_PASSING:
		break;
	}
	return jitter(rnd, passing_wait(b, retry));
}

void backoff_unanswered(struct backoff *b, bool signed_)
{
	b->failures++;
	b->unheard = signed_ ? b->unheard + 1 : 0;
}

void backoff_hurry(struct backoff *b)
{
	b->failures = b->unheard = 0;
}

static bool is_quick(const struct backoff *b)
{
	return b->errors == 0 && b->failures < BACKOFF_QUICK_TRIES;
}

uint16_t backoff_patience_s(const struct backoff *b, uint16_t retry_s)
{
	uint16_t s = is_quick(b) && retry_s > BACKOFF_QUICK_S ? BACKOFF_QUICK_S : retry_s;

	for (unsigned i = BACKOFF_QUICK_SIGNED; i < b->unheard && s < BACKOFF_MAX_S; i++)
		s = s * 2 < BACKOFF_MAX_S ? (uint16_t)(s * 2) : BACKOFF_MAX_S;
	return s;
}
