/* SPDX-License-Identifier: BSD-2-Clause */
/* fsm.h - RFC 4271 section 8 as a constant: state x event -> state + effects. Nothing here does anything;
 * session.c performs what concerns bytes and timers, the I/O edge the rest. Delay-open is left out. Pure. */
#ifndef MCBGP_BGP_FSM_H
#define MCBGP_BGP_FSM_H

enum bgp_state { ST_IDLE, ST_CONNECT, ST_ACTIVE, ST_OPENSENT, ST_OPENCONFIRM, ST_ESTABLISHED, ST_COUNT };

enum bgp_event {
	EV_START,                /* 1, 3: manual or automatic */
	EV_START_PASSIVE,        /* 4, 5 */
	EV_STOP,                 /* 2, 8: operator, configuration, max-prefix: Cease */
	EV_RETRY_EXPIRES,        /* 9 */
	EV_HOLD_EXPIRES,         /* 10 */
	EV_SEND_HOLD_EXPIRES,    /* RFC 9687 */
	EV_KEEPALIVE_DUE,        /* 11 */
	EV_TCP_UP,               /* 16, 17 */
	EV_TCP_FAILS,            /* 18 */
	EV_OPEN,                 /* 19 */
	EV_HEADER_ERR,           /* 21 */
	EV_OPEN_ERR,             /* 22 */
	EV_COLLISION,            /* 23: this one is to go */
	EV_NOTIFICATION_VERSION, /* 24 */
	EV_NOTIFICATION,         /* 25 */
	EV_KEEPALIVE,            /* 26 */
	EV_UPDATE,               /* 27 */
	EV_UPDATE_ERR,           /* 28 */
	EV_REFRESH,              /* RFC 2918 */
	EV_BFD_DOWN,             /* RFC 5882 */
	EV_COUNT
};

/** Effects, performed in the order of the bits. */
enum {
	FX_SEND_NOTIFY = 1 << 0, /* the session's pending error, or FSM error */
	FX_CLOSE = 1 << 1,       /* the TCP connection */
	FX_DOWN = 1 << 2,        /* routes go; only ever when leaving Established */
	FX_DIAL = 1 << 3,
	FX_SEND_OPEN = 1 << 4,
	FX_SEND_KEEPALIVE = 1 << 5,
	FX_UP = 1 << 6,      /* Established */
	FX_DELIVER = 1 << 7, /* the UPDATE or refresh goes to the table */
	FX_ARM_RETRY = 1 << 8,
	FX_STOP_RETRY = 1 << 9,
	FX_ARM_OPEN_HOLD = 1 << 10, /* the large hold time while waiting for OPEN: 240 s */
	FX_ARM_HOLD = 1 << 11,
	FX_ARM_KEEPALIVE = 1 << 12,
	FX_STOP_TIMERS = 1 << 13, /* hold and keepalive */
};

struct fsm_step {
	enum bgp_state next;
	unsigned fx;
};

/** Total: an event a state does not expect is RFC 4271's FSM error (Idle ignores it). */
struct fsm_step fsm_step(enum bgp_state s, enum bgp_event e);
const char *bgp_state_name(enum bgp_state s); /* "Idle", "OpenSent" … */
const char *bgp_event_name(enum bgp_event e);

#endif
