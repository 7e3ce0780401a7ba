/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: the finite state machine of a BGP connection, as a table to be read beside RFC 4271 8.2.2.
 *
 * What a state does not list is an error of the other side, and ends the connection: with a NOTIFICATION once
 * OPEN has been sent (RFC 6608 gives the subcode), silently before. Idle ignores what it does not list.
 *
 * Departures from the letter of RFC 4271, each one that every speaker makes:
 * - a second TCP connection is a second session, so that EV_TCP_UP means nothing to one that has a connection
 *   (collisions are judged in session_collision());
 * - a NOTIFICATION in OpenSent ends the connection like one in OpenConfirm: it is never answered (6.4);
 * - errors of header or OPEN in Established are named as such, as 6.1 asks, not as FSM errors;
 * - a passive session waits in Active with no retry timer;
 * - delay-open and the oscillation damping of 8.1.2 are left out: backing off per cause is the peer's. */
#include "bgp/fsm.h"

#include <assert.h>

#define END      (FX_CLOSE | FX_STOP_RETRY | FX_STOP_TIMERS)
#define END_TELL (FX_SEND_NOTIFY | END)

static const struct fsm_step steps[ST_COUNT][EV_COUNT] = {
	[ST_IDLE][EV_START] = { ST_CONNECT, FX_DIAL | FX_ARM_RETRY },
	[ST_IDLE][EV_START_PASSIVE] = { ST_ACTIVE },

	[ST_CONNECT][EV_START] = { ST_CONNECT },
	[ST_CONNECT][EV_START_PASSIVE] = { ST_CONNECT },
	[ST_CONNECT][EV_RETRY_EXPIRES] = { ST_CONNECT, FX_CLOSE | FX_DIAL | FX_ARM_RETRY },
	[ST_CONNECT][EV_TCP_UP] = { ST_OPENSENT, FX_SEND_OPEN | FX_STOP_RETRY | FX_ARM_OPEN_HOLD },
	[ST_CONNECT][EV_BFD_DOWN] = { ST_CONNECT },

	[ST_ACTIVE][EV_START] = { ST_ACTIVE },
	[ST_ACTIVE][EV_START_PASSIVE] = { ST_ACTIVE },
	[ST_ACTIVE][EV_RETRY_EXPIRES] = { ST_CONNECT, FX_DIAL | FX_ARM_RETRY },
	[ST_ACTIVE][EV_TCP_UP] = { ST_OPENSENT, FX_SEND_OPEN | FX_STOP_RETRY | FX_ARM_OPEN_HOLD },
	[ST_ACTIVE][EV_BFD_DOWN] = { ST_ACTIVE },

	[ST_OPENSENT][EV_START] = { ST_OPENSENT },
	[ST_OPENSENT][EV_START_PASSIVE] = { ST_OPENSENT },
	[ST_OPENSENT][EV_TCP_UP] = { ST_OPENSENT },
	[ST_OPENSENT][EV_TCP_FAILS] = { ST_ACTIVE, FX_CLOSE | FX_STOP_TIMERS | FX_ARM_RETRY },
	[ST_OPENSENT][EV_OPEN] = { ST_OPENCONFIRM,
	                           FX_SEND_KEEPALIVE | FX_STOP_RETRY | FX_ARM_HOLD | FX_ARM_KEEPALIVE },
	[ST_OPENSENT][EV_NOTIFICATION_VERSION] = { ST_IDLE, END },
	[ST_OPENSENT][EV_NOTIFICATION] = { ST_IDLE, END },

	[ST_OPENCONFIRM][EV_START] = { ST_OPENCONFIRM },
	[ST_OPENCONFIRM][EV_START_PASSIVE] = { ST_OPENCONFIRM },
	[ST_OPENCONFIRM][EV_KEEPALIVE_DUE] = { ST_OPENCONFIRM, FX_SEND_KEEPALIVE | FX_ARM_KEEPALIVE },
	[ST_OPENCONFIRM][EV_TCP_UP] = { ST_OPENCONFIRM },
	[ST_OPENCONFIRM][EV_TCP_FAILS] = { ST_IDLE, END },
	[ST_OPENCONFIRM][EV_NOTIFICATION_VERSION] = { ST_IDLE, END },
	[ST_OPENCONFIRM][EV_NOTIFICATION] = { ST_IDLE, END },
	[ST_OPENCONFIRM][EV_KEEPALIVE] = { ST_ESTABLISHED, FX_UP | FX_ARM_HOLD },

	[ST_ESTABLISHED][EV_START] = { ST_ESTABLISHED },
	[ST_ESTABLISHED][EV_START_PASSIVE] = { ST_ESTABLISHED },
	[ST_ESTABLISHED][EV_KEEPALIVE_DUE] = { ST_ESTABLISHED, FX_SEND_KEEPALIVE | FX_ARM_KEEPALIVE },
	[ST_ESTABLISHED][EV_TCP_UP] = { ST_ESTABLISHED },
	[ST_ESTABLISHED][EV_TCP_FAILS] = { ST_IDLE, END | FX_DOWN },
	[ST_ESTABLISHED][EV_NOTIFICATION_VERSION] = { ST_IDLE, END | FX_DOWN },
	[ST_ESTABLISHED][EV_NOTIFICATION] = { ST_IDLE, END | FX_DOWN },
	[ST_ESTABLISHED][EV_KEEPALIVE] = { ST_ESTABLISHED, FX_ARM_HOLD },
	[ST_ESTABLISHED][EV_UPDATE] = { ST_ESTABLISHED, FX_DELIVER | FX_ARM_HOLD },
	[ST_ESTABLISHED][EV_REFRESH] = { ST_ESTABLISHED, FX_DELIVER },
};

/* What is not listed above. */
static const struct fsm_step unlisted[ST_COUNT] = {
	[ST_IDLE] = { ST_IDLE },
	[ST_CONNECT] = { ST_IDLE, END },
	[ST_ACTIVE] = { ST_IDLE, END },
	[ST_OPENSENT] = { ST_IDLE, END_TELL },
	[ST_OPENCONFIRM] = { ST_IDLE, END_TELL },
	[ST_ESTABLISHED] = { ST_IDLE, END_TELL | FX_DOWN },
};

struct fsm_step fsm_step(enum bgp_state s, enum bgp_event e)
{
	assert(s < ST_COUNT && e < EV_COUNT);
	/* No listed step leads to Idle without an effect. */
	if (steps[s][e].next == ST_IDLE && !steps[s][e].fx)
		return unlisted[s];
	return steps[s][e];
}

const char *bgp_state_name(enum bgp_state s)
{
	static const char *const names[ST_COUNT] = {
		[ST_IDLE] = "Idle",
		[ST_CONNECT] = "Connect",
		[ST_ACTIVE] = "Active",
		[ST_OPENSENT] = "OpenSent",
		[ST_OPENCONFIRM] = "OpenConfirm",
		[ST_ESTABLISHED] = "Established",
	};

	assert(s < ST_COUNT);
	return names[s];
}

const char *bgp_event_name(enum bgp_event e)
{
	static const char *const names[EV_COUNT] = {
		[EV_START] = "start",
		[EV_START_PASSIVE] = "passive start",
		[EV_STOP] = "stop",
		[EV_RETRY_EXPIRES] = "connect-retry timer expires",
		[EV_HOLD_EXPIRES] = "hold timer expires",
		[EV_SEND_HOLD_EXPIRES] = "send hold timer expires",
		[EV_KEEPALIVE_DUE] = "keepalive timer expires",
		[EV_TCP_UP] = "TCP connection up",
		[EV_TCP_FAILS] = "TCP connection fails",
		[EV_OPEN] = "OPEN",
		[EV_HEADER_ERR] = "malformed header",
		[EV_OPEN_ERR] = "malformed OPEN",
		[EV_COLLISION] = "collision",
		[EV_NOTIFICATION_VERSION] = "NOTIFICATION of version error",
		[EV_NOTIFICATION] = "NOTIFICATION",
		[EV_KEEPALIVE] = "KEEPALIVE",
		[EV_UPDATE] = "UPDATE",
		[EV_UPDATE_ERR] = "malformed UPDATE",
		[EV_REFRESH] = "ROUTE-REFRESH",
		[EV_BFD_DOWN] = "BFD down",
	};

	assert(e < EV_COUNT);
	return names[e];
}
