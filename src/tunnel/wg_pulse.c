/* SPDX-License-Identifier: BSD-2-Clause */
/* wg_pulse.c - see wg_pulse.h. */
#include "tunnel/wg_pulse.h"

#define US_PER_S UINT64_C(1000000)

/* How long ago the wall clock says that @handshake was, at most @limit_us. */
static uint64_t age_us(int64_t handshake, int64_t wall_s, uint64_t limit_us)
{
	if (handshake >= wall_s)
		return 0;
	if ((uint64_t)(wall_s - handshake) > limit_us / US_PER_S)
		return limit_us;
	return (uint64_t)(wall_s - handshake) * US_PER_S;
}

void wg_pulse_feel(struct wg_pulse *p, int64_t handshake, int64_t wall_s, uint64_t now_us)
{
	bool first = p->looked_us == 0;

	if (first || handshake != p->handshake)
		p->since_us =
		        handshake == 0 ? now_us : now_us - age_us(handshake, wall_s, now_us - p->looked_us);
	p->handshake = handshake;
	p->looked_us = now_us;
}

bool wg_pulse_silent(const struct wg_pulse *p, uint32_t seconds, uint64_t now_us)
{
	return p->handshake == 0 || now_us >= p->since_us + seconds * US_PER_S;
}

bool wg_pulse_judge(struct wg_pulse *p, uint16_t keepalive, uint32_t timeout_s, uint64_t now_us)
{
	bool dead = keepalive && timeout_s &&
	            (now_us >= p->since_us + timeout_s * US_PER_S || (p->dead && p->handshake == 0));
	bool changed = dead != p->dead;

	p->dead = dead;
	return changed;
}

uint64_t wg_pulse_dies_us(const struct wg_pulse *p, uint16_t keepalive, uint32_t timeout_s)
{
	return keepalive && timeout_s && !p->dead ? p->since_us + timeout_s * US_PER_S : UINT64_MAX;
}
