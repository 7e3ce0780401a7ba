/* SPDX-License-Identifier: BSD-2-Clause */
/* talk.h - what the other side of a session says, and a session that heard it until it is in the state that
 * is wanted. For unit tests and fuzz targets. */
#ifndef TESTS_UNIT_BGP_TALK_H
#define TESTS_UNIT_BGP_TALK_H

#include <assert.h>

#include "bgp/frame.h"
#include "bgp/session.h"

#define SECOND UINT64_C(1000000)

/** A message into @buf. @return its length. */
static inline size_t talk_open(uint8_t *buf, size_t size, const struct open *o)
{
	struct writer w = wr_init(buf, size);

	open_encode(&w, o);
	assert(!w.bad);
	return (size_t)(w.p - buf);
}

static inline size_t talk_keepalive(uint8_t *buf, size_t size)
{
	struct writer w = wr_init(buf, size);

	frame_keepalive(&w);
	assert(!w.bad);
	return (size_t)(w.p - buf);
}

/** @s, new, to @state: a passive one to Active, others by dialling; @theirs is the OPEN that it hears. What
 * it says itself waits in its output. */
static inline void talk_bring_to(struct session *s, enum bgp_state state, const struct open *theirs,
                                 uint64_t now)
{
	uint8_t buf[512];
	size_t taken;

	if (state != ST_IDLE)
		session_event(s, state == ST_ACTIVE ? EV_START_PASSIVE : EV_START, now);
	if (state >= ST_OPENSENT)
		session_event(s, EV_TCP_UP, now);
	if (state >= ST_OPENCONFIRM)
		session_input(s, buf, talk_open(buf, sizeof(buf), theirs), &taken, now);
	if (state >= ST_ESTABLISHED)
		session_input(s, buf, talk_keepalive(buf, sizeof(buf)), &taken, now);
	assert(s->state == state);
}

#endif
