/* SPDX-License-Identifier: BSD-2-Clause */
/* test_session.c - sessions against scripts and against each other, under a clock of our own. */
#include <errno.h>
#include <stdio.h>

#include "bgp/backoff.h"
#include "mcbgp/bgp.h"
#include "unit/bgp/talk.h"
#include "unit/unit.h"

static const struct session_conf left = {
	.local_as = 65001,
	.remote_as = 65002,
	.local_id = 0x0a000001,
	.hold_time = 90,
	.connect_retry = 5,
	.caps = { .families = FAM_BIT(FAM_IPV4), .multiprotocol = true, .route_refresh = true, .as4 = true },
};
static const struct session_conf right = {
	.local_as = 65002,
	.remote_as = 65001,
	.local_id = 0x0a000002,
	.hold_time = 9,
	.connect_retry = 5,
	.caps = { .families = FAM_BIT(FAM_IPV4), .multiprotocol = true, .route_refresh = true, .as4 = true },
};

struct heard {
	unsigned updates, refreshes;
	struct refresh refresh;
};

static void on_update(void *ctx, const struct update *u)
{
	struct heard *h = ctx;

	(void)u;
	h->updates++;
}

static void on_refresh(void *ctx, const struct refresh *r)
{
	struct heard *h = ctx;

	h->refreshes++;
	h->refresh = *r;
}

static struct heard heard;
static struct session a, b;
static uint64_t now;

static void begin(struct session *s, const struct session_conf *c)
{
	const struct session_sink sink = { on_update, on_refresh, &heard };

	ck_assert_int_eq(session_init(s, c, &sink, 7), 0);
}

static void setup(void)
{
	now = 1000 * SECOND;
	begin(&a, &left);
	begin(&b, &right);
}

static void teardown(void)
{
	session_fini(&a);
	session_fini(&b);
}

/* Everything @from has to say reaches @to, @piece bytes at a time. @return the effects. */
static unsigned carry_in(struct session *from, struct session *to, size_t piece)
{
	uint8_t wire[SESSION_OUT_MAX];
	size_t len, have = 0, used = 0, taken;
	unsigned fx = 0;
	const uint8_t *out = session_output(from, &len);

	memcpy(wire, out, len);
	session_output_done(from, len, now);
	while (have < len) {
		have = have + piece < len ? have + piece : len;
		do {
			fx |= session_input(to, wire + used, have - used, &taken, now);
			used += taken;
			ck_assert_uint_le(used, have);
		} while (taken);
	}
	return fx;
}

static unsigned carry(struct session *from, struct session *to)
{
	return carry_in(from, to, SESSION_OUT_MAX);
}

static unsigned say(struct session *to, const uint8_t *wire, size_t len)
{
	size_t taken;

	return session_input(to, wire, len, &taken, now);
}

static void connect_both(void)
{
	ck_assert_uint_eq(session_event(&a, EV_START, now), FX_DIAL);
	ck_assert_uint_eq(session_event(&b, EV_START_PASSIVE, now), 0);
	ck_assert_uint_eq(session_event(&a, EV_TCP_UP, now), 0);
	ck_assert_uint_eq(session_event(&b, EV_TCP_UP, now), 0);
}

static void establish(void)
{
	connect_both();
	carry(&a, &b);
	carry(&b, &a);
	ck_assert_int_eq(b.state, ST_OPENCONFIRM);
	carry(&a, &b);
	carry(&b, &a);
	ck_assert_int_eq(a.state, ST_ESTABLISHED);
	ck_assert_int_eq(b.state, ST_ESTABLISHED);
}

/* The NOTIFICATION that waits in @s. */
static struct notify told(const struct session *s)
{
	struct notify n = { 0 }, why;
	struct frame f;
	size_t len;
	const uint8_t *out = session_output(s, &len);
	struct reader r = rd_init(out, len);

	while (frame_next(&r, BGP_MAX_LEN, &f, &why) == FRAME_OK) {
		if (f.type == BGP_MSG_NOTIFICATION)
			ck_assert(notify_decode(f.body, &n));
	}
	return n;
}

START_TEST(two_sessions_come_up_and_agree)
{
	setup();
	establish();
	ck_assert_uint_eq(a.neg.hold_time, 9);
	ck_assert_uint_eq(a.theirs.as, 65002);
	ck_assert_uint_eq(b.theirs.id, left.local_id);
	ck_assert(a.neg.as4 && a.neg.route_refresh && !a.neg.ibgp);
	ck_assert_uint_eq(a.neg.families, FAM_BIT(FAM_IPV4));
	ck_assert_uint_eq(a.established_at, now);
	teardown();
}
END_TEST

START_TEST(bytes_may_come_one_by_one)
{
	setup();
	connect_both();
	carry_in(&a, &b, 1);
	ck_assert_uint_eq(carry_in(&b, &a, 1), FX_UP);
	ck_assert_uint_eq(carry_in(&a, &b, 1), FX_UP);
	teardown();
}
END_TEST

START_TEST(hold_timer_ends_a_silent_session)
{
	setup();
	establish();
	ck_assert_uint_eq(a.hold_at, now + 9 * SECOND);
	now += 9 * SECOND;
	ck_assert_uint_eq(session_tick(&a, now), FX_CLOSE | FX_DOWN);
	ck_assert_int_eq(a.end.kind, END_LOCAL_NOTIFY);
	ck_assert_uint_eq(told(&a).code, BGP_ERR_HOLD_TIMER);
	ck_assert_uint_eq(session_deadline(&a), 0);
	teardown();
}
END_TEST

START_TEST(keepalives_keep_it_alive)
{
	setup();
	establish();
	for (unsigned i = 0; i < 100; i++) {
		uint64_t due = session_deadline(&a) < session_deadline(&b) ? session_deadline(&a)
		                                                           : session_deadline(&b);

		ck_assert_uint_gt(due, now);
		ck_assert_uint_le(due, now + 3 * SECOND);
		now = due;
		ck_assert_uint_eq(session_tick(&a, now) | session_tick(&b, now), 0);
		ck_assert_uint_eq(carry(&a, &b) | carry(&b, &a), 0);
	}
	ck_assert_int_eq(a.state, ST_ESTABLISHED);
	teardown();
}
END_TEST

START_TEST(keepalive_has_jitter_and_stays_within_a_third)
{
	uint64_t min = UINT64_MAX, max = 0;

	setup();
	establish();
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t wait;

		session_sent_updates(&a, 1, 100, now);
		wait = a.keepalive_at - now;
		min = wait < min ? wait : min;
		max = wait > max ? wait : max;
	}
	ck_assert_uint_ge(min, 9 * SECOND / 4);
	ck_assert_uint_le(max, 3 * SECOND);
	ck_assert_uint_gt(max - min, SECOND / 2);
	ck_assert_uint_eq(a.count.tx_msgs[BGP_MSG_UPDATE], 1000);
	teardown();
}
END_TEST

START_TEST(hold_time_zero_means_no_timers)
{
	struct session_conf quiet = right;

	setup();
	quiet.hold_time = 0;
	b.conf = &quiet;
	establish();
	ck_assert_uint_eq(session_deadline(&a), 0);
	ck_assert_uint_eq(session_deadline(&b), 0);
	teardown();
}
END_TEST

START_TEST(open_must_come_within_four_minutes)
{
	setup();
	connect_both();
	ck_assert_uint_eq(session_deadline(&b), now + 240 * SECOND);
	now += 240 * SECOND;
	ck_assert_uint_eq(session_tick(&b, now), FX_CLOSE);
	ck_assert_uint_eq(told(&b).code, BGP_ERR_HOLD_TIMER);
	teardown();
}
END_TEST

START_TEST(connect_retry_dials_again)
{
	setup();
	session_event(&a, EV_START, now);
	ck_assert_uint_ge(a.retry_at, now + 15 * SECOND / 4);
	ck_assert_uint_le(a.retry_at, now + 5 * SECOND);
	ck_assert_uint_eq(session_tick(&a, a.retry_at), FX_CLOSE | FX_DIAL);
	ck_assert_int_eq(a.end.kind, END_TCP);
	ck_assert_int_eq(a.end.tcp_error, ETIMEDOUT);
	ck_assert_uint_eq(session_tcp_failed(&a, ECONNREFUSED, now), FX_CLOSE);
	ck_assert_int_eq(a.state, ST_IDLE);
	ck_assert_int_eq(a.end.tcp_error, ECONNREFUSED);
	teardown();
}
END_TEST

START_TEST(wrong_as_is_told)
{
	struct session_conf other = right;

	setup();
	other.local_as = 65003;
	b.conf = &other;
	connect_both();
	ck_assert_uint_eq(carry(&b, &a), FX_CLOSE);
	ck_assert_uint_eq(told(&a).code, BGP_ERR_OPEN);
	ck_assert_uint_eq(told(&a).subcode, BGP_OPEN_BAD_PEER_AS);
	ck_assert_uint_eq(carry(&a, &b) & FX_CLOSE, FX_CLOSE);
	ck_assert_int_eq(b.end.kind, END_REMOTE_NOTIFY);
	teardown();
}
END_TEST

/* Both sides hear the numbers that do not go together. */
static const struct {
	const char *what;
	struct session_conf left, right; /* right's OPEN is refused by left */
	const char *left_says, *right_says;
} refused_opens[] = {
	{ "another AS",
	  { .local_as = 65001, .remote_as = 65002, .local_id = 0x0a000001, .hold_time = 90 },
	  { .local_as = 4200000001, .remote_as = 65001, .local_id = 0x0a000002, .hold_time = 90 },
	  "BGP Error: Bad peer AS: it says 4200000001, expected 65002",
	  "Received: Bad peer AS: we say 4200000001" },
	{ "AS 0",
	  { .local_as = 65001, .local_id = 0x0a000001, .hold_time = 90 },
	  { .local_as = 0, .remote_as = 65001, .local_id = 0x0a000002, .hold_time = 90 },
	  "BGP Error: Bad peer AS: it says 0",
	  "Received: Bad peer AS: we say 0" },
	{ "our own id within our AS: each refuses the other",
	  { .local_as = 65001, .remote_as = 65001, .local_id = 0x0a000001, .hold_time = 90 },
	  { .local_as = 65001, .remote_as = 65001, .local_id = 0x0a000001, .hold_time = 90 },
	  "BGP Error: Bad BGP identifier: it says 10.0.0.1, which is ours",
	  "BGP Error: Bad BGP identifier: it says 10.0.0.1, which is ours" },
	{ "id 0",
	  { .local_as = 65001, .remote_as = 65002, .local_id = 0x0a000001, .hold_time = 90 },
	  { .local_as = 65002, .remote_as = 65001, .local_id = 0, .hold_time = 90 },
	  "BGP Error: Bad BGP identifier: it says 0.0.0.0, expected any but 0.0.0.0",
	  "Received: Bad BGP identifier: we say 0.0.0.0" },
	{ "hold time",
	  { .local_as = 65001, .remote_as = 65002, .local_id = 0x0a000001, .hold_time = 90 },
	  { .local_as = 65002, .remote_as = 65001, .local_id = 0x0a000002, .hold_time = 2 },
	  "BGP Error: Unacceptable hold time: it says 2 s, expected 0 or at least 3 s",
	  "Received: Unacceptable hold time: we say 2 s" },
	{ "two providers: each refuses the other",
	  { .local_as = 65001,
	    .remote_as = 65002,
	    .local_id = 0x0a000001,
	    .hold_time = 90,
	    .caps = { .role_set = true, .role = BGP_ROLE_PROVIDER } },
	  { .local_as = 65002,
	    .remote_as = 65001,
	    .local_id = 0x0a000002,
	    .hold_time = 90,
	    .caps = { .role_set = true, .role = BGP_ROLE_PROVIDER } },
	  "BGP Error: Role mismatch: it says provider, and we are provider",
	  "BGP Error: Role mismatch: it says provider, and we are provider" },
};

START_TEST(refused_open_names_the_numbers)
{
	struct session_conf l = refused_opens[_i].left, r = refused_opens[_i].right;
	char text[200];

	setup();
	l.caps.families = r.caps.families = FAM_BIT(FAM_IPV4);
	l.caps.multiprotocol = r.caps.multiprotocol = l.caps.as4 = r.caps.as4 = true;
	a.conf = &l;
	b.conf = &r;
	connect_both();
	ck_assert_msg(carry(&b, &a) == FX_CLOSE, "%s", refused_opens[_i].what);
	ck_assert_str_eq(session_end_print(&a.end, text, sizeof(text)), refused_opens[_i].left_says);
	carry(&a, &b);
	ck_assert_str_eq(session_end_print(&b.end, text, sizeof(text)), refused_opens[_i].right_says);
	teardown();
}
END_TEST

START_TEST(no_family_in_common)
{
	struct session_conf six = right;

	setup();
	six.caps.families = FAM_BIT(FAM_IPV6);
	b.conf = &six;
	connect_both();
	ck_assert_uint_eq(carry(&b, &a), FX_CLOSE);
	ck_assert_uint_eq(told(&a).subcode, BGP_OPEN_BAD_CAPABILITY);
	ck_assert_mem_eq(told(&a).data, "\1\4\0\1\0\1", 6);
	teardown();
}
END_TEST

/* What a state does not expect: RFC 6608. */
static const struct {
	enum bgp_msg type;
	enum bgp_state state;
	uint8_t subcode;
} unexpected[] = {
	{ BGP_MSG_KEEPALIVE, ST_OPENSENT, BGP_FSM_IN_OPENSENT },
	{ BGP_MSG_UPDATE, ST_OPENSENT, BGP_FSM_IN_OPENSENT },
	{ BGP_MSG_ROUTE_REFRESH, ST_OPENSENT, BGP_FSM_IN_OPENSENT },
	{ BGP_MSG_OPEN, ST_OPENCONFIRM, BGP_FSM_IN_OPENCONFIRM },
	{ BGP_MSG_UPDATE, ST_OPENCONFIRM, BGP_FSM_IN_OPENCONFIRM },
	{ BGP_MSG_ROUTE_REFRESH, ST_OPENCONFIRM, BGP_FSM_IN_OPENCONFIRM },
	{ BGP_MSG_OPEN, ST_ESTABLISHED, BGP_FSM_IN_ESTABLISHED },
};

static struct open open_of_right(void)
{
	return (struct open){ BGP_VERSION, 65002, 9, right.local_id, right.caps };
}

static size_t message(uint8_t *buf, size_t size, enum bgp_msg type)
{
	const struct open o = open_of_right();
	struct writer w = wr_init(buf, size);

	if (type == BGP_MSG_OPEN)
		return talk_open(buf, size, &o);
	if (type == BGP_MSG_KEEPALIVE)
		return talk_keepalive(buf, size);
	if (type == BGP_MSG_UPDATE)
		update_encode_eor(&w, FAM_IPV4);
	else
		refresh_encode(&w, FAM_IPV4, REFRESH_REQUEST);
	return (size_t)(w.p - buf);
}

static unsigned say_message(struct session *to, enum bgp_msg type)
{
	uint8_t buf[512];

	return say(to, buf, message(buf, sizeof(buf), type));
}

static void bring_to(enum bgp_state state)
{
	const struct open o = open_of_right();

	talk_bring_to(&a, state, &o, now);
}

START_TEST(unexpected_message_is_an_fsm_error)
{
	setup();
	bring_to(unexpected[_i].state);
	ck_assert(say_message(&a, unexpected[_i].type) & FX_CLOSE);
	ck_assert_uint_eq(told(&a).code, BGP_ERR_FSM);
	ck_assert_uint_eq(told(&a).subcode, unexpected[_i].subcode);
	teardown();
}
END_TEST

START_TEST(updates_are_delivered_and_broken_ones_end_it)
{
	uint8_t broken[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		             0xff, 0xff, 0xff, 0xff, 0,    23,   2,    0xff, 0xff, 0,    0 };

	setup();
	bring_to(ST_ESTABLISHED);
	ck_assert_uint_eq(say_message(&a, BGP_MSG_UPDATE), 0);
	ck_assert_uint_eq(heard.updates, 1);
	ck_assert_uint_eq(say(&a, broken, sizeof(broken)), FX_CLOSE | FX_DOWN);
	ck_assert_uint_eq(told(&a).code, BGP_ERR_UPDATE);
	ck_assert_uint_eq(heard.updates, 1);
	teardown();
}
END_TEST

START_TEST(nothing_is_read_behind_the_end)
{
	uint8_t wire[1024];
	size_t len, taken;

	setup();
	bring_to(ST_ESTABLISHED);
	len = message(wire, sizeof(wire), BGP_MSG_OPEN);
	len += message(wire + len, sizeof(wire) - len, BGP_MSG_UPDATE);
	session_input(&a, wire, len, &taken, now);
	ck_assert_uint_lt(taken, len);
	ck_assert_uint_eq(heard.updates, 0);
	ck_assert_uint_eq(say_message(&a, BGP_MSG_UPDATE), 0);
	ck_assert_uint_eq(heard.updates, 0);
	teardown();
}
END_TEST

START_TEST(refresh_both_ways)
{
	setup();
	ck_assert(!session_ask_refresh(&a, FAM_IPV4));
	establish();
	ck_assert(!session_ask_refresh(&a, FAM_IPV6));
	ck_assert(session_ask_refresh(&a, FAM_IPV4));
	carry(&a, &b);
	ck_assert_uint_eq(heard.refreshes, 1);
	ck_assert_int_eq(heard.refresh.family, FAM_IPV4);
	b.theirs.caps.route_refresh = false;
	ck_assert(!session_ask_refresh(&b, FAM_IPV4));
	teardown();
}
END_TEST

START_TEST(output_is_bounded)
{
	size_t len;

	setup();
	establish();
	for (unsigned i = 0; i < 10000; i++)
		session_ask_refresh(&a, FAM_IPV4);
	session_output(&a, &len);
	ck_assert_uint_le(len, SESSION_OUT_MAX);
	now += 9 * SECOND;
	session_tick(&a, now);
	ck_assert_uint_eq(told(&a).code, BGP_ERR_HOLD_TIMER); /* there is always room for it */
	teardown();
}
END_TEST

START_TEST(stop_says_why)
{
	struct notify n;
	char text[200];

	setup();
	establish();
	notify_set_shutdown(&n, BGP_CEASE_ADMIN_SHUTDOWN, "back at noon");
	ck_assert_uint_eq(session_stop(&a, &n, END_OPERATOR, NULL, now), FX_CLOSE | FX_DOWN);
	ck_assert_str_eq(session_end_print(&a.end, text, sizeof(text)), "");
	carry(&a, &b);
	ck_assert_str_eq(session_end_print(&b.end, text, sizeof(text)),
	                 "Received: Administrative shutdown: back at noon");
	teardown();
}
END_TEST

static const struct {
	struct session_end end;
	const char *want;
} ends[] = {
	{ { .kind = END_NONE }, "" },
	{ { .kind = END_TCP, .tcp_error = ECONNREFUSED }, "Socket: Connection refused" },
	{ { .kind = END_TCP }, "Socket: Connection closed" },
	{ { .kind = END_LOCAL_NOTIFY, .notify = { .code = 4 } }, "BGP Error: Hold timer expired" },
	{ { .kind = END_TCP, .tcp_error = ETIMEDOUT, .detail = "perhaps" },
	  "Socket: Connection timed out: perhaps" },
	{ { .kind = END_LOCAL_NOTIFY, .notify = { .code = 6, .subcode = 6 }, .detail = "Link down" },
	  "Error: Link down" },
	{ { .kind = END_LOCAL_NOTIFY, .notify = { .code = 6, .subcode = 1 } },
	  "Automatic shutdown: Maximum number of prefixes reached" },
	{ { .kind = END_REMOTE_NOTIFY, .notify = { .code = 6, .subcode = 5 } },
	  "Received: Connection rejected" },
	{ { .kind = END_REMOTE_NOTIFY, .notify = { .code = 6, .subcode = 99 } },
	  "Received: Cease: subcode 99" },
	{ { .kind = END_COLLISION, .notify = { .code = 6, .subcode = 7 } }, "" },
	{ { .kind = END_PASSWORD, .detail = "mend it" }, "Error: password_file cannot be used: mend it" },
};

/* What the end of a session leaves at our side, both offering graceful restart; N: RFC 8538 too; silence: it
 * is to count as a restart. */
static const struct {
	const char *what;
	struct session_end end;
	bool n, silence, want;
} kept[] = {
	{ "it closed the connection", { .kind = END_TCP }, .want = true },
	{ "it reset the connection", { .kind = END_TCP, .tcp_error = ECONNRESET }, .want = true },
	{ "our link went", { .kind = END_TCP, .tcp_error = ENETDOWN } },
	{ "its host is not there", { .kind = END_TCP, .tcp_error = EHOSTUNREACH } },
	{ "nothing was acknowledged, N", { .kind = END_TCP, .tcp_error = ETIMEDOUT }, .n = true },
	{ "hold timer", { .kind = END_LOCAL_NOTIFY, .notify = { .code = 4 } } },
	{ "hold timer, N", { .kind = END_LOCAL_NOTIFY, .notify = { .code = 4 } }, .n = true },
	{ "hold timer, silence", { .kind = END_LOCAL_NOTIFY, .notify = { .code = 4 } }, .silence = true },
	{ "hold timer, N, silence",
	  { .kind = END_LOCAL_NOTIFY, .notify = { .code = 4 } },
	  .n = true,
	  .silence = true,
	  .want = true },
	{ "nothing was acknowledged, silence",
	  { .kind = END_TCP, .tcp_error = ETIMEDOUT },
	  .silence = true,
	  .want = true },
	{ "our link went, silence", { .kind = END_TCP, .tcp_error = ENETDOWN }, .silence = true },
	{ "its hold timer, N",
	  { .kind = END_REMOTE_NOTIFY, .notify = { .code = 4 } },
	  .n = true,
	  .want = true },
	{ "what it sent is malformed, N",
	  { .kind = END_LOCAL_NOTIFY, .notify = { .code = 3, .subcode = 1 } },
	  .n = true,
	  .want = true },
	{ "it sent Cease", { .kind = END_REMOTE_NOTIFY, .notify = { .code = 6, .subcode = 4 } } },
	{ "it sent Cease, N",
	  { .kind = END_REMOTE_NOTIFY, .notify = { .code = 6, .subcode = 4 } },
	  .n = true,
	  .want = true },
	{ "it sent Hard Reset, N",
	  { .kind = END_REMOTE_NOTIFY, .notify = { .code = 6, .subcode = 4 }, .hard = true },
	  .n = true },
	{ "we found too many prefixes, N",
	  { .kind = END_LOCAL_NOTIFY, .notify = { .code = 6, .subcode = 1 } },
	  .n = true },
	{ "the operator, N", { .kind = END_OPERATOR, .notify = { .code = 6, .subcode = 2 } }, .n = true },
	{ "a new connection of it", { .kind = END_COLLISION }, .want = true },
};

START_TEST(ends_leave_routes)
{
	const struct session_conf c = { .silence_is_restart = kept[_i].silence };
	struct session s = { .conf = &c, .end = kept[_i].end, .neg.families = FAM_BIT(FAM_IPV4) };

	s.ours.caps = s.theirs.caps = (struct caps){ .graceful_restart = true,
		                                     .gr_notification = kept[_i].n,
		                                     .gr_time = 120,
		                                     .gr_families = FAM_BIT(FAM_IPV4) | FAM_BIT(FAM_IPV6) };
	ck_assert_msg(session_retains(&s) == (kept[_i].want ? FAM_BIT(FAM_IPV4) : 0), "%s", kept[_i].what);
	s.theirs.caps.gr_time = 0;
	ck_assert_uint_eq(session_retains(&s), 0);
	s.theirs.caps.gr_time = 120;
	s.ours.caps.graceful_restart = false;
	ck_assert_uint_eq(session_retains(&s), 0);
}
END_TEST

/* Of IPv4; with IPv6 negotiated too, and nothing to keep of it. */
static const struct {
	const char *what;
	uint16_t gr_time;
	bool gr_listed, both, listed;
	uint32_t time;
	struct session_keeps want;
} keeping[] = {
	{ "not for long", 120, true, true, false, 0, { 120, 0 } },
	{ "first so, then so", 120, true, true, true, 3600, { 120, 3600 } },
	{ "for long at once", 0, true, true, true, 3600, { 0, 3600 } },
	{ "for long at once: not in the first list", 120, false, true, true, 3600, { 0, 3600 } },
	{ "listed with no time", 120, true, true, true, 0, { 120, 0 } },
	{ "we do not know how", 120, true, false, true, 3600, { 120, 0 } },
	{ "neither", 0, true, true, false, 0, { 0, 0 } },
};

START_TEST(how_long_routes_are_kept)
{
	const uint32_t v4 = FAM_BIT(FAM_IPV4);
	const struct session_conf c = { 0 };
	struct session s = { .conf = &c,
		             .end = { .kind = END_TCP },
		             .neg = { .families = v4 | FAM_BIT(FAM_IPV6), .long_lived = keeping[_i].both } };
	struct session_keeps k;

	s.ours.caps.graceful_restart = s.theirs.caps.graceful_restart = true;
	s.theirs.caps.gr_time = keeping[_i].gr_time;
	s.theirs.caps.gr_families = keeping[_i].gr_listed ? v4 : 0;
	s.theirs.caps.llgr_families = keeping[_i].listed ? v4 : 0;
	s.theirs.caps.llgr_time[FAM_IPV4] = keeping[_i].time;
	k = session_keeps(&s, FAM_IPV4);
	ck_assert_msg(k.usual == keeping[_i].want.usual && k.long_lived == keeping[_i].want.long_lived, "%s",
	              keeping[_i].what);
	ck_assert_msg(session_retains(&s) == (k.usual || k.long_lived ? v4 : 0), "%s", keeping[_i].what);
	k = session_keeps(&s, FAM_IPV6);
	ck_assert_msg(!k.usual && !k.long_lived, "%s: IPv6", keeping[_i].what);
}
END_TEST

/* RFC 9687: nothing that we send gets out any more, and yet the peer is heard. */
START_TEST(peer_that_reads_nothing_is_given_up)
{
	size_t len;

	setup();
	establish();
	for (unsigned i = 0; i < 479; i++) {
		now += SECOND;
		session_tick(&b, now);
		carry(&b, &a);
		session_tick(&a, now);
		ck_assert_int_eq(a.state, ST_ESTABLISHED);
		b.hold_at = now + 9 * SECOND; /* it hears nothing, and does not mind */
	}
	session_output(&a, &len);
	ck_assert_uint_gt(len, 0);
	now += SECOND;
	session_tick(&a, now);
	ck_assert_int_eq(a.state, ST_IDLE);
	ck_assert_uint_eq(a.end.notify.code, BGP_ERR_SEND_HOLD);
	teardown();
}
END_TEST

START_TEST(end_in_words)
{
	char text[200];

	ck_assert_str_eq(session_end_print(&ends[_i].end, text, sizeof(text)), ends[_i].want);
}
END_TEST

START_TEST(backing_off_per_cause)
{
	const struct session_end tcp = { .kind = END_TCP, .tcp_error = ECONNREFUSED };
	const struct session_end as = { .kind = END_LOCAL_NOTIFY, .notify = { .code = 2, .subcode = 2 } };
	struct backoff bo = { 0 };
	uint32_t rnd = 1;
	uint64_t wait = 0, max[] = { 5, 10, 20, 40, 60, 60 };

	for (unsigned i = 0; i < BACKOFF_QUICK_TRIES; i++) /* quick at first */
		ck_assert_uint_le(backoff_wait(&bo, &tcp, 0, 5, &rnd), SECOND);
	wait = backoff_wait(&bo, &tcp, 0, 5, &rnd);
	ck_assert(wait > 3 * SECOND && wait <= 5 * SECOND);
	ck_assert(backoff_may_hurry(&bo));
	wait = backoff_wait(&bo, &tcp, 10 * SECOND, 5, &rnd); /* it had been up */
	ck_assert_uint_le(wait, SECOND);
	for (unsigned i = 0; i < 6; i++) {
		wait = backoff_wait(&bo, &as, 0, 5, &rnd);
		ck_assert(wait >= max[i] * SECOND * 3 / 4 && wait <= max[i] * SECOND);
	}
	ck_assert(!backoff_may_hurry(&bo));
	backoff_wait(&bo, &tcp, 3600 * SECOND, 5, &rnd);
	ck_assert(backoff_may_hurry(&bo));
}
END_TEST

/* Each kind of error begins anew; what was wrong with an OPEN is right once there is a session. */
START_TEST(backing_off_knows_causes_apart)
{
	const struct session_end tcp = { .kind = END_TCP };
	const struct session_end as = { .kind = END_LOCAL_NOTIFY, .notify = { .code = 2, .subcode = 2 } };
	const struct session_end update = { .kind = END_LOCAL_NOTIFY, .notify = { .code = 3, .subcode = 1 } };
	struct backoff bo = { 0 };
	uint32_t rnd = 1;

	for (unsigned i = 0; i < 10; i++)
		backoff_wait(&bo, &as, 0, 5, &rnd);
	ck_assert_uint_le(backoff_wait(&bo, &update, 0, 5, &rnd), 5 * SECOND);
	for (unsigned i = 0; i < 10; i++)
		backoff_wait(&bo, &as, 0, 5, &rnd);
	ck_assert_uint_le(backoff_wait(&bo, &tcp, SECOND, 5, &rnd), SECOND);
	ck_assert(backoff_may_hurry(&bo));
	for (unsigned i = 0; i < 10; i++)
		backoff_wait(&bo, &update, SECOND, 5, &rnd);
	ck_assert_uint_ge(backoff_wait(&bo, &update, SECOND, 5, &rnd), 45 * SECOND);
}
END_TEST

/* How long an attempt may last: with a password, silence may be a refusal. */
START_TEST(unanswered_attempts_become_rare_when_signed)
{
	const uint16_t after_15[] = { 4, 8, 16, 32, 60, 60, 60 };
	struct backoff plain = { 0 }, secret = { 0 };

	for (unsigned i = 0; i < BACKOFF_QUICK_SIGNED; i++) {
		ck_assert_uint_eq(backoff_patience_s(&plain, 5), 2);
		ck_assert_uint_eq(backoff_patience_s(&secret, 5), 2);
		backoff_unanswered(&plain, false);
		backoff_unanswered(&secret, true);
	}
	for (int i = 0; i < UNIT_COUNT(after_15); i++) {
		backoff_unanswered(&plain, false);
		backoff_unanswered(&secret, true);
		ck_assert_uint_eq(backoff_patience_s(&plain, 5), 2);
		ck_assert_uint_eq(backoff_patience_s(&secret, 5), after_15[i]);
	}
	ck_assert(backoff_may_hurry(&secret));
	backoff_hurry(&secret);
	ck_assert_uint_eq(backoff_patience_s(&secret, 5), 2);
	for (unsigned i = 0; i < BACKOFF_QUICK_TRIES; i++)
		backoff_unanswered(&plain, false);
	ck_assert_uint_eq(backoff_patience_s(&plain, 5), 5);
	ck_assert_uint_eq(backoff_patience_s(&plain, 1), 1);
}
END_TEST

UNIT_MAIN("session", UNIT(two_sessions_come_up_and_agree), UNIT(bytes_may_come_one_by_one),
          UNIT(hold_timer_ends_a_silent_session), UNIT(keepalives_keep_it_alive),
          UNIT(keepalive_has_jitter_and_stays_within_a_third), UNIT(hold_time_zero_means_no_timers),
          UNIT(open_must_come_within_four_minutes), UNIT(connect_retry_dials_again), UNIT(wrong_as_is_told),
          UNIT_ROWS(refused_open_names_the_numbers, refused_opens), UNIT(no_family_in_common),
          UNIT_ROWS(unexpected_message_is_an_fsm_error, unexpected),
          UNIT(updates_are_delivered_and_broken_ones_end_it), UNIT(nothing_is_read_behind_the_end),
          UNIT(refresh_both_ways), UNIT(output_is_bounded), UNIT(stop_says_why),
          UNIT_ROWS(end_in_words, ends), UNIT_ROWS(ends_leave_routes, kept),
          UNIT_ROWS(how_long_routes_are_kept, keeping), UNIT(peer_that_reads_nothing_is_given_up),
          UNIT(backing_off_per_cause), UNIT(backing_off_knows_causes_apart),
          UNIT(unanswered_attempts_become_rare_when_signed))
