/* SPDX-License-Identifier: BSD-2-Clause */
/* test_session_rfc.c - every cell of RFC 4271 8.2.2 with a whole session: what it says, what it does to the
 * connection, which timers run afterwards. The table follows the RFC's text, state by state; where every
 * speaker departs from that, a second one says how and why. */
#include <errno.h>
#include <stdio.h>

#include "mcbgp/bgp.h"
#include "unit/bgp/talk.h"
#include "unit/unit.h"

static const struct session_conf conf = {
	.local_as = 65001,
	.remote_as = 65002,
	.local_id = 0x0a000001,
	.hold_time = 90,
	.connect_retry = 5,
	.caps = { .families = FAM_BIT(FAM_IPV4), .multiprotocol = true, .route_refresh = true, .as4 = true },
};
static const struct open theirs = {
	BGP_VERSION,
	65002,
	9,
	0x0a000002,
	{ .families = FAM_BIT(FAM_IPV4), .multiprotocol = true, .route_refresh = true, .as4 = true }
};

static struct session s;
static uint64_t now;
static unsigned updates;

static void on_update(void *ctx, const struct update *u)
{
	(void)ctx;
	(void)u;
	updates++;
}

static void on_refresh(void *ctx, const struct refresh *r)
{
	(void)ctx;
	(void)r;
}

/* -- what the RFC says -------------------------------------------------------------------------- */

enum action {
	IGNORED, /* nothing changes */
	STARTS,  /* starts the ConnectRetryTimer, initiates a TCP connection: Connect */
	LISTENS, /* starts the ConnectRetryTimer, listens: Active */
	RETRIES, /* drops the TCP connection, restarts the ConnectRetryTimer, initiates another: Connect */
	OPENS,   /* stops the ConnectRetryTimer, sends OPEN, HoldTimer to a large value: OpenSent */
	DROPS,   /* stops the ConnectRetryTimer, drops the TCP connection: Idle */
	STALLS,  /* restarts the ConnectRetryTimer, drops what there is: Idle */
	REOPENS, /* closes the connection, restarts the ConnectRetryTimer, listens: Active */
	AGREES,  /* stops the ConnectRetryTimer, sends KEEPALIVE, sets both timers as negotiated: OpenConfirm
	          */
	TELLS,   /* sends NOTIFICATION, then as DROPS */
	BEATS,   /* sends KEEPALIVE, restarts the KeepaliveTimer */
	RISES,   /* restarts the HoldTimer: Established */
	HEARS,   /* restarts the HoldTimer */
	LEARNS,  /* the same, and processes the UPDATE */
};

struct cell {
	enum action action;
	uint8_t code, subcode; /* TELLS */
};

#define ON(a)           \
	{               \
		a, 0, 0 \
	}
#define SAYS(code, sub)          \
	{                        \
		TELLS, code, sub \
	}
#define FSM_ERROR(sub) SAYS(BGP_ERR_FSM, sub)
#define CEASE(sub)     SAYS(BGP_ERR_CEASE, sub)

/* Event 2 comes with administrative shutdown, 8 with the maximum of prefixes: the RFC asks for Cease. */
static const struct {
	unsigned number;
	const char *name;
	struct cell idle, connect, active, open_sent, open_confirm, established;
} rfc[] = {
	{ 1, "ManualStart", ON(STARTS), ON(IGNORED), ON(IGNORED), ON(IGNORED), ON(IGNORED), ON(IGNORED) },
	{ 2, "ManualStop", ON(IGNORED), ON(DROPS), ON(DROPS), CEASE(2), CEASE(2), CEASE(2) },
	{ 3, "AutomaticStart", ON(STARTS), ON(IGNORED), ON(IGNORED), ON(IGNORED), ON(IGNORED), ON(IGNORED) },
	{ 4, "ManualStart_with_PassiveTcpEstablishment", ON(LISTENS), ON(IGNORED), ON(IGNORED), ON(IGNORED),
	  ON(IGNORED), ON(IGNORED) },
	{ 5, "AutomaticStart_with_PassiveTcpEstablishment", ON(LISTENS), ON(IGNORED), ON(IGNORED),
	  ON(IGNORED), ON(IGNORED), ON(IGNORED) },
	{ 8, "AutomaticStop", ON(IGNORED), ON(DROPS), ON(DROPS), CEASE(1), CEASE(1), CEASE(1) },
	{ 9, "ConnectRetryTimer_Expires", ON(IGNORED), ON(RETRIES), ON(STARTS), FSM_ERROR(1), FSM_ERROR(2),
	  FSM_ERROR(3) },
	{ 10, "HoldTimer_Expires", ON(IGNORED), ON(DROPS), ON(DROPS), SAYS(4, 0), SAYS(4, 0), SAYS(4, 0) },
	{ 11, "KeepaliveTimer_Expires", ON(IGNORED), ON(DROPS), ON(DROPS), FSM_ERROR(1), ON(BEATS),
	  ON(BEATS) },
	{ 16, "Tcp_CR_Acked", ON(IGNORED), ON(OPENS), ON(OPENS), ON(IGNORED), ON(IGNORED), ON(IGNORED) },
	{ 17, "TcpConnectionConfirmed", ON(IGNORED), ON(OPENS), ON(OPENS), ON(IGNORED), ON(IGNORED),
	  ON(IGNORED) },
	{ 18, "TcpConnectionFails", ON(IGNORED), ON(DROPS), ON(STALLS), ON(REOPENS), ON(DROPS), ON(DROPS) },
	{ 19, "BGPOpen", ON(IGNORED), ON(DROPS), ON(DROPS), ON(AGREES), ON(IGNORED), FSM_ERROR(3) },
	{ 21, "BGPHeaderErr", ON(IGNORED), ON(DROPS), ON(DROPS), SAYS(1, 1), SAYS(1, 1), FSM_ERROR(3) },
	{ 22, "BGPOpenMsgErr", ON(IGNORED), ON(DROPS), ON(DROPS), SAYS(2, 2), SAYS(2, 2), FSM_ERROR(3) },
	{ 23, "OpenCollisionDump", ON(IGNORED), ON(DROPS), ON(DROPS), CEASE(7), CEASE(7), CEASE(7) },
	{ 24, "NotifMsgVerErr", ON(IGNORED), ON(DROPS), ON(DROPS), ON(DROPS), ON(DROPS), ON(DROPS) },
	{ 25, "NotifMsg", ON(IGNORED), ON(DROPS), ON(DROPS), FSM_ERROR(1), ON(DROPS), ON(DROPS) },
	{ 26, "KeepAliveMsg", ON(IGNORED), ON(DROPS), ON(DROPS), FSM_ERROR(1), ON(RISES), ON(HEARS) },
	{ 27, "UpdateMsg", ON(IGNORED), ON(DROPS), ON(DROPS), FSM_ERROR(1), FSM_ERROR(2), ON(LEARNS) },
	{ 28, "UpdateMsgErr", ON(IGNORED), ON(DROPS), ON(DROPS), FSM_ERROR(1), FSM_ERROR(2), SAYS(3, 1) },
};

/* Events that are options of the RFC which we do not have. */
static const struct {
	unsigned number;
	const char *why;
} left_out[] = {
	{ 6, "DampPeerOscillations: the peer backs off per cause" },
	{ 7, "the same" },
	{ 12, "DelayOpen" },
	{ 13, "IdleHoldTimer belongs to 6 and 7" },
	{ 14, "TrackTcpState" },
	{ 15, "the same; whom nobody expects has no session" },
	{ 20, "DelayOpen" },
};

static const struct {
	unsigned number;
	enum bgp_state state;
	struct cell cell;
	const char *why;
} departures[] = {
	{ 19, ST_OPENCONFIRM, FSM_ERROR(2),
	  "the RFC means the OPEN of the other connection; a second one on this is RFC 6608's" },
	{ 21, ST_ESTABLISHED, SAYS(1, 1), "6.1: errors of the header are told as such" },
	{ 22, ST_OPENCONFIRM, FSM_ERROR(2), "right or wrong, an OPEN is unexpected here" },
	{ 25, ST_OPENSENT, ON(DROPS), "6.4: a NOTIFICATION is never answered" },
};

/* -- a session in a state ----------------------------------------------------------------------- */

static size_t notification(uint8_t *buf, size_t size, uint8_t code, uint8_t subcode)
{
	struct writer w = wr_init(buf, size);
	struct notify n;

	notify_set(&n, code, subcode, NULL, 0);
	notify_encode(&w, &n);
	return (size_t)(w.p - buf);
}

static size_t open_message(uint8_t *buf, size_t size, uint32_t as)
{
	struct open o = theirs;

	o.as = as;
	return talk_open(buf, size, &o);
}

static size_t update(uint8_t *buf, size_t size, bool good)
{
	struct writer w = wr_init(buf, size);

	update_encode_eor(&w, FAM_IPV4);
	if (!good)
		buf[BGP_HEADER_LEN] = 0xff; /* withdrawn routes beyond the end */
	return (size_t)(w.p - buf);
}

static unsigned hear(const uint8_t *wire, size_t len)
{
	size_t taken;

	return session_input(&s, wire, len, &taken, now);
}

static void forget_output(void)
{
	size_t len;

	session_output(&s, &len);
	session_output_done(&s, len, now);
}

static void bring_to(enum bgp_state state)
{
	const struct session_sink sink = { on_update, on_refresh, NULL };

	now = 1000 * SECOND;
	ck_assert_int_eq(session_init(&s, &conf, &sink, 7), 0);
	talk_bring_to(&s, state == ST_ACTIVE ? ST_OPENSENT : state, &theirs, now);
	if (state == ST_ACTIVE) /* by a connection that failed: so the retry timer runs */
		session_tcp_failed(&s, ECONNRESET, now);
	ck_assert_int_eq(s.state, state);
	forget_output();
	now += SECOND;
}

/* -- the events, as they come about ------------------------------------------------------------- */

static unsigned stop(uint8_t subcode, enum end_kind kind)
{
	struct notify n;

	notify_set(&n, BGP_ERR_CEASE, subcode, NULL, 0);
	return session_stop(&s, &n, kind, NULL, now);
}

/* It fires, though it may be one that should not run. */
static unsigned expire(uint64_t *timer)
{
	*timer = now;
	return session_tick(&s, now);
}

static enum bgp_event event_of(unsigned number)
{
	switch (number) {
	case 19:
		return EV_OPEN;
	case 21:
		return EV_HEADER_ERR;
	case 22:
		return EV_OPEN_ERR;
	case 24:
		return EV_NOTIFICATION_VERSION;
	case 25:
		return EV_NOTIFICATION;
	case 26:
		return EV_KEEPALIVE;
	case 27:
		return EV_UPDATE;
	default:
		return EV_UPDATE_ERR;
	}
}

static unsigned hear_event(unsigned number)
{
	uint8_t buf[512];

	if (s.state < ST_OPENSENT) /* there is nothing to hear it on; that it were to happen all the same */
		return session_event(&s, event_of(number), now);
	switch (number) {
	case 19:
		return hear(buf, open_message(buf, sizeof(buf), 65002));
	case 21:
		talk_keepalive(buf, sizeof(buf));
		buf[3] = 0;
		return hear(buf, BGP_HEADER_LEN);
	case 22:
		return hear(buf, open_message(buf, sizeof(buf), 65003));
	case 24:
		return hear(buf, notification(buf, sizeof(buf), BGP_ERR_OPEN, BGP_OPEN_BAD_VERSION));
	case 25:
		return hear(buf, notification(buf, sizeof(buf), BGP_ERR_CEASE, BGP_CEASE_ADMIN_RESET));
	case 26:
		return hear(buf, talk_keepalive(buf, sizeof(buf)));
	default:
		return hear(buf, update(buf, sizeof(buf), number == 27));
	}
}

static unsigned happen(unsigned number)
{
	switch (number) {
	case 1:
	case 3:
		return session_event(&s, EV_START, now);
	case 4:
	case 5:
		return session_event(&s, EV_START_PASSIVE, now);
	case 2:
		return stop(BGP_CEASE_ADMIN_SHUTDOWN, END_OPERATOR);
	case 8:
		return stop(BGP_CEASE_MAX_PREFIX, END_LOCAL_NOTIFY);
	case 9:
		return expire(&s.retry_at);
	case 10:
		return expire(&s.hold_at);
	case 11:
		return expire(&s.keepalive_at);
	case 16:
	case 17:
		return session_event(&s, EV_TCP_UP, now);
	case 18:
		return session_tcp_failed(&s, ECONNRESET, now);
	case 23:
		return stop(BGP_CEASE_COLLISION, END_COLLISION);
	default:
		return hear_event(number);
	}
}

/* -- what must be so afterwards ----------------------------------------------------------------- */

enum timer { OFF, RETRY, LARGE, NEGOTIATED, BEAT, AS_BEFORE };

static const struct {
	enum bgp_state next; /* ST_COUNT: as before */
	unsigned fx;         /* FX_DOWN besides, when Established is left */
	enum bgp_msg says;   /* 0: nothing */
	enum timer retry, hold, beat;
	unsigned updates;
} results[] = {
	[IGNORED] = { ST_COUNT, 0, 0, AS_BEFORE, AS_BEFORE, AS_BEFORE },
	[STARTS] = { ST_CONNECT, FX_DIAL, 0, RETRY, OFF, OFF },
	[LISTENS] = { ST_ACTIVE, 0, 0, OFF, OFF, OFF }, /* a passive session never dials: no timer for it */
	[RETRIES] = { ST_CONNECT, FX_CLOSE | FX_DIAL, 0, RETRY, OFF, OFF },
	[OPENS] = { ST_OPENSENT, 0, BGP_MSG_OPEN, OFF, LARGE, OFF },
	[DROPS] = { ST_IDLE, FX_CLOSE, 0, OFF, OFF, OFF },
	[STALLS] = { ST_IDLE, FX_CLOSE, 0, OFF, OFF,
	             OFF }, /* Idle would ignore that timer; the peer has one */
	[REOPENS] = { ST_ACTIVE, FX_CLOSE, 0, RETRY, OFF, OFF },
	[AGREES] = { ST_OPENCONFIRM, 0, BGP_MSG_KEEPALIVE, OFF, NEGOTIATED, BEAT },
	[TELLS] = { ST_IDLE, FX_CLOSE, BGP_MSG_NOTIFICATION, OFF, OFF, OFF },
	[BEATS] = { ST_COUNT, 0, BGP_MSG_KEEPALIVE, OFF, AS_BEFORE, BEAT },
	[RISES] = { ST_ESTABLISHED, FX_UP, 0, OFF, NEGOTIATED, AS_BEFORE },
	[HEARS] = { ST_COUNT, 0, 0, OFF, NEGOTIATED, AS_BEFORE },
	[LEARNS] = { ST_COUNT, 0, 0, OFF, NEGOTIATED, AS_BEFORE, 1 },
};

static bool timer_is(uint64_t at, enum timer want, uint64_t before)
{
	switch (want) {
	case OFF:
		return at == 0;
	case RETRY: /* with jitter, RFC 4271 10 */
		return at >= now + 5 * SECOND * 3 / 4 && at <= now + 5 * SECOND;
	case LARGE:
		return at == now + 240 * SECOND;
	case NEGOTIATED:
		return at == now + 9 * SECOND;
	case BEAT:
		return at >= now + 3 * SECOND * 3 / 4 && at <= now + 3 * SECOND;
	case AS_BEFORE:
		break;
	}
	return at == before;
}

/* The one message that was said, its type; 0: none. @n: if it is a NOTIFICATION. */
static enum bgp_msg said(struct notify *n)
{
	size_t len;
	const uint8_t *out = session_output(&s, &len);
	struct reader r = rd_init(out, len);
	struct notify why;
	struct frame f;

	if (len == 0)
		return 0;
	ck_assert_int_eq(frame_next(&r, BGP_MAX_LEN, &f, &why), FRAME_OK);
	ck_assert_uint_eq(rd_left(&r), 0);
	if (f.type == BGP_MSG_NOTIFICATION)
		ck_assert(notify_decode(f.body, n));
	return f.type;
}

static struct cell cell_of(int row, enum bgp_state state)
{
	const struct cell cells[ST_COUNT] = {
		rfc[row].idle,      rfc[row].connect,      rfc[row].active,
		rfc[row].open_sent, rfc[row].open_confirm, rfc[row].established
	};

	return cells[state];
}

static struct cell wanted(int row, enum bgp_state state)
{
	for (int i = 0; i < UNIT_COUNT(departures); i++) {
		if (departures[i].number == rfc[row].number && departures[i].state == state)
			return departures[i].cell;
	}
	return cell_of(row, state);
}

static void check_cell(int row, enum bgp_state from)
{
	const struct cell want = wanted(row, from);
	enum bgp_state next = results[want.action].next == ST_COUNT ? from : results[want.action].next;
	unsigned down = from == ST_ESTABLISHED && next != from ? FX_DOWN : 0, fx;
	struct notify n = { 0 };
	struct session before;
	char what[128];

	snprintf(what, sizeof(what), "event %u, %s, in %s", rfc[row].number, rfc[row].name,
	         bgp_state_name(from));
	bring_to(from);
	before = s;
	updates = 0;
	fx = happen(rfc[row].number);
	ck_assert_msg(s.state == next, "%s: to %s", what, bgp_state_name(s.state));
	ck_assert_msg(fx == (results[want.action].fx | down), "%s: effects %#x", what, fx);
	ck_assert_msg(said(&n) == results[want.action].says, "%s: says %d", what, said(&n));
	ck_assert_msg(n.code == want.code && n.subcode == want.subcode, "%s: NOTIFICATION %u/%u", what,
	              n.code, n.subcode);
	if (want.action != IGNORED ||
	    (rfc[row].number < 9 || rfc[row].number > 11)) { /* those we made expire */
		ck_assert_msg(timer_is(s.retry_at, results[want.action].retry, before.retry_at), "%s: retry",
		              what);
		ck_assert_msg(timer_is(s.hold_at, results[want.action].hold, before.hold_at), "%s: hold",
		              what);
		ck_assert_msg(timer_is(s.keepalive_at, results[want.action].beat, before.keepalive_at),
		              "%s: keepalive", what);
	}
	ck_assert_msg(updates == results[want.action].updates, "%s: %u updates", what, updates);
	session_fini(&s);
}

START_TEST(every_cell_of_the_rfc)
{
	for (enum bgp_state from = 0; from < ST_COUNT; from++)
		check_cell(_i, from);
}
END_TEST

START_TEST(every_event_of_the_rfc_is_there_or_left_out)
{
	unsigned seen[29] = { 0 };

	for (int i = 0; i < UNIT_COUNT(rfc); i++)
		seen[rfc[i].number]++;
	for (int i = 0; i < UNIT_COUNT(left_out); i++)
		seen[left_out[i].number]++;
	for (unsigned i = 1; i <= 28; i++)
		ck_assert_msg(seen[i] == 1, "event %u", i);
}
END_TEST

/* A departure that is none any more is to be struck out. */
START_TEST(departures_depart)
{
	for (int row = 0; row < UNIT_COUNT(rfc); row++) {
		struct cell says = cell_of(row, departures[_i].state), does = departures[_i].cell;

		if (rfc[row].number == departures[_i].number)
			ck_assert_msg(says.action != does.action || says.code != does.code, "%s",
			              departures[_i].why);
	}
}
END_TEST

/* -- collisions --------------------------------------------------------------------------------- */

/* RFC 4271 6.8: rows are states of the connection that we dialled, columns of the one that they did. `d`:
 * that stays, `a`: the accepted one, `i`: the identifiers decide, `.`: there is nothing to decide yet. */
static const char *const collisions[ST_COUNT] = {
	[ST_IDLE] = ".....a",     [ST_CONNECT] = ".....a",     [ST_ACTIVE] = ".....a",
	[ST_OPENSENT] = ".....a", [ST_OPENCONFIRM] = "....ia", [ST_ESTABLISHED] = "dddddd",
};

/* The connection that the side with the higher identifier dialled stays; if they are equal (RFC 6286 2.3),
 * the one of the higher AS. */
static const struct {
	uint32_t our_id, their_id, our_as, their_as;
	char stays;
} identifiers[] = {
	{ 1, 2, 9, 8, 'a' },
	{ 2, 1, 8, 9, 'd' },
	{ 0x7fffffff, 0x80000000, 1, 2, 'a' }, /* unsigned */
	{ 0x80000000, 0x7fffffff, 1, 2, 'd' },
	{ 0x0a000001, 0x0b000000, 1, 2, 'a' }, /* host order: the first octet counts most */
	{ 0x01ffffff, 0x02000000, 1, 2, 'a' },
	{ 5, 5, 1, 2, 'a' },
	{ 5, 5, 2, 1, 'd' },
	{ 5, 5, 4200000000, 65000, 'd' },
	{ 1, 0xffffffff, 2, 1, 'a' },
};

START_TEST(every_collision)
{
	const enum collision verdicts[] = {
		['.'] = COLLISION_WAIT, ['d'] = COLLISION_KEEP_OLD, ['a'] = COLLISION_KEEP_NEW
	};
	struct session_conf c = conf;
	struct session dialled = { .conf = &c }, accepted = { .conf = &c };

	c.local_id = identifiers[_i].our_id;
	dialled.theirs.id = accepted.theirs.id = identifiers[_i].their_id;
	dialled.ours.as = accepted.ours.as = identifiers[_i].our_as;
	dialled.theirs.as = accepted.theirs.as = identifiers[_i].their_as;
	for (enum bgp_state d = 0; d < ST_COUNT; d++) {
		for (enum bgp_state a = 0; a < ST_COUNT; a++) {
			char want = collisions[d][a] == 'i' ? identifiers[_i].stays : collisions[d][a];

			dialled.state = d;
			accepted.state = a;
			ck_assert_msg(session_collision(&dialled, &accepted) == verdicts[(unsigned char)want],
			              "dialled in %s, accepted in %s", bgp_state_name(d), bgp_state_name(a));
		}
	}
}
END_TEST

UNIT_MAIN("session_rfc", UNIT_ROWS(every_cell_of_the_rfc, rfc),
          UNIT(every_event_of_the_rfc_is_there_or_left_out), UNIT_ROWS(departures_depart, departures),
          UNIT_ROWS(every_collision, identifiers))
