/* SPDX-License-Identifier: BSD-2-Clause */
/* session.h - one BGP connection as a pure machine: bytes, events and the time in; effects, messages and
 * bytes out.
 *
 * Two connections to one peer are two sessions; session_collision() says which one stays. The edge owns
 * sockets: it tells EV_TCP_UP and EV_TCP_FAILS, feeds bytes, sends what session_output() holds, performs the
 * effects that are returned and calls session_tick() at session_deadline(). Times are monotonic microseconds.
 */
#ifndef MCBGP_BGP_SESSION_H
#define MCBGP_BGP_SESSION_H

#include "bgp/fsm.h"
#include "bgp/open.h"
#include "bgp/refresh.h"
#include "bgp/update.h"

struct session_conf {
	uint32_t local_as, remote_as; /* remote_as 0: any */
	uint32_t local_id;
	uint16_t hold_time;      /* offered */
	uint16_t keepalive;      /* 0: a third of the negotiated hold time */
	uint16_t connect_retry;  /* seconds */
	uint16_t send_hold_time; /* seconds; 0: 480, or twice the negotiated hold time if that is more */
	bool passive;            /* never dials */
	bool silence_is_restart; /* routes are kept when the peer merely stopped talking (RFC 8538 4) */
	struct caps caps;        /* offered */
};

/** How a session ended: who and why, for `show protocols` and the log. */
enum end_kind {
	END_NONE,
	END_LOCAL_NOTIFY,
	END_REMOTE_NOTIFY,
	END_TCP,
	END_OPERATOR,
	END_COLLISION,
	END_PASSWORD, /* there is none to begin with; @detail says what to do */
};
struct session_end {
	enum end_kind kind;
	struct notify notify; /* sent or received */
	int tcp_error;        /* errno; 0: the peer closed */
	const char *detail;   /* static text that says more, or NULL */
	uint32_t claimed;     /* of a refused OPEN, theirs or ours: its AS, router id, hold time or role */
	uint32_t expected;    /* of theirs: the AS it should have had (0: any), our router id or our role */
	bool hard;            /* both sides know RFC 8538, and this was a Hard Reset: nothing is retained */
};

struct session_counters {
	uint64_t rx_msgs[6], tx_msgs[6]; /* by enum bgp_msg; UPDATEs sent are counted by the edge through
	                                    session_sent_updates() */
	uint64_t rx_bytes, tx_bytes;
	uint64_t treated_as_withdraw, attrs_discarded; /* RFC 7606 */
};

/** What the session hands up while it reads; called from session_input() only. */
struct session_sink {
	void (*update)(void *ctx, const struct update *u);
	void (*refresh)(void *ctx, const struct refresh *r);
	void *ctx;
};

#define SESSION_OUT_MAX \
	8192 /* OPEN, KEEPALIVE, NOTIFICATION, ROUTE-REFRESH waiting; UPDATEs do not pass here */

struct session {
	const struct session_conf *conf; /* borrowed */
	struct session_sink sink;
	enum bgp_state state;
	uint64_t retry_at, hold_at, keepalive_at, send_hold_at; /* 0: not running */
	uint32_t rnd;             /* of the jitter (RFC 4271 10); seeded by the caller */
	struct open ours, theirs; /* theirs: valid from OpenConfirm on */
	struct negotiated neg;
	struct codec_ctx codec; /* for received UPDATEs */
	struct session_end end; /* the last one */
	struct session_counters count;
	uint64_t established_at;   /* 0: not yet, on this connection or the last */
	struct session_end ending; /* what the next FX_CLOSE puts into @end, and FX_SEND_NOTIFY sends */
	uint8_t *out;              /* SESSION_OUT_MAX bytes */
	size_t out_len;
	uint8_t *scratch; /* of the codec */
};

int session_init(struct session *s, const struct session_conf *c, const struct session_sink *sink,
                 uint32_t seed); /* 0 or -ENOMEM */
void session_fini(struct session *s);
/** An event from outside. @return FX_* that the edge performs: FX_CLOSE, FX_DOWN, FX_DIAL, FX_UP; bytes to
 * send are in session_output(). */
unsigned session_event(struct session *s, enum bgp_event e, uint64_t now);
unsigned session_tcp_failed(struct session *s, int err, uint64_t now); /* EV_TCP_FAILS with its errno */
/** End it from our side with a NOTIFICATION (@n) and remember why. */
unsigned session_stop(struct session *s, const struct notify *n, enum end_kind kind, const char *detail,
                      uint64_t now);
/** Read @len bytes. *@consumed: whole messages taken; the edge keeps the rest and gives it again with more
 * behind it. Returns early at each change of state, so that the edge can act on it before the next message is
 * read: call again while *@consumed is not 0. */
unsigned session_input(struct session *s, const uint8_t *data, size_t len, size_t *consumed, uint64_t now);
uint64_t session_deadline(const struct session *s); /* the nearest timer; 0: none */
unsigned session_tick(struct session *s, uint64_t now);
/** Bytes to send ahead of further UPDATEs (at a message boundary), and that @n of them went out. */
const uint8_t *session_output(const struct session *s, size_t *len);
void session_output_done(struct session *s, size_t n, uint64_t now);
/** UPDATEs went out: they stand for KEEPALIVEs (RFC 4271 4.4). */
void session_sent_updates(struct session *s, unsigned messages, size_t bytes, uint64_t now);
/** Seconds that the peer may take nothing of what we have to send (RFC 9687). Of an Established session. */
uint32_t session_send_hold_s(const struct session *s);
/** Ask the peer to send all again. false: it did not offer route refresh. */
bool session_ask_refresh(struct session *s, enum family f);
/** RFC 8538: both sides keep routes through a NOTIFICATION that is no Hard Reset. */
bool session_keeps_through_notify(const struct session *s);
/** Families whose routes stay although the session ended as @s->end says, FAM_BIT()s: the peer restarts, or
 * is thought to (RFC 4724 4.2, RFC 8538 4). Of a session that was Established. */
uint32_t session_retains(const struct session *s);
/** How long, in seconds: first as if nothing had happened (RFC 4724), then as the last choice (RFC 9494). 0
 * and 0: not at all. */
struct session_keeps {
	uint32_t usual, long_lived;
};
struct session_keeps session_keeps(const struct session *s, enum family f);

enum collision { COLLISION_KEEP_OLD, COLLISION_KEEP_NEW, COLLISION_WAIT };
/** RFC 4271 6.8, RFC 6286: two connections of one peer, @dialled by us, @accepted from it; either may lack
 * its OPEN yet (WAIT). An Established one stays. Decided by router id, then AS. KEEP_OLD / KEEP_NEW speak of
 * @dialled and @accepted: OLD is @dialled. */
enum collision session_collision(const struct session *dialled, const struct session *accepted);

/** One line for `show protocols`: BIRD's error class and text: "Received: Administrative shutdown", "BGP
 * Error: Hold timer expired", "Socket: Connection refused", "Error: Link down" … and the shutdown
 * communication behind it, if one came; "" when nothing is wrong. */
char *session_end_print(const struct session_end *e, char *buf, size_t size);

#endif
