/* SPDX-License-Identifier: BSD-2-Clause */
/* test_session_stream.c - what a session does must not depend on how TCP cuts the bytes: every message, and a
 * whole life of a session, split at every point, at every two points, and read byte by byte. */
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
	.caps = { .families = FAM_BIT(FAM_IPV4) | FAM_BIT(FAM_IPV6),
	          .multiprotocol = true,
	          .route_refresh = true,
	          .enhanced_refresh = true,
	          .ext_message = true,
	          .as4 = true },
};
static const struct open theirs = { BGP_VERSION,
	                            65002,
	                            9,
	                            0x0a000002,
	                            { .families = FAM_BIT(FAM_IPV4) | FAM_BIT(FAM_IPV6),
	                              .multiprotocol = true,
	                              .route_refresh = true,
	                              .enhanced_refresh = true,
	                              .ext_message = true,
	                              .as4 = true,
	                              .graceful_restart = true,
	                              .gr_time = 120,
	                              .gr_families = FAM_BIT(FAM_IPV4),
	                              .gr_notification = true } };

/* -- messages ----------------------------------------------------------------------------------- */

static size_t put_open(uint8_t *buf, size_t size)
{
	return talk_open(buf, size, &theirs);
}

static size_t put_refresh(uint8_t *buf, size_t size)
{
	struct writer w = wr_init(buf, size);

	refresh_encode(&w, FAM_IPV6, REFRESH_BEGIN);
	return (size_t)(w.p - buf);
}

static size_t put_notification(uint8_t *buf, size_t size)
{
	struct writer w = wr_init(buf, size);
	struct notify n;

	notify_set_shutdown(&n, BGP_CEASE_ADMIN_SHUTDOWN, "back at noon");
	notify_encode(&w, &n);
	return (size_t)(w.p - buf);
}

static size_t put_eor(uint8_t *buf, size_t size)
{
	struct writer w = wr_init(buf, size);

	update_encode_eor(&w, FAM_IPV6);
	return (size_t)(w.p - buf);
}

/* @n prefixes of 5 octets each behind the usual attributes; two that are withdrawn before. */
static size_t put_update_of(uint8_t *buf, size_t size, unsigned n)
{
	static const uint8_t attrs[] = { 0x40, 1, 1,   0, 0x40, 2, 6,    2, 1, 0,    0,    0xfd, 0xea, 0x40,
		                         3,    4, 192, 0, 2,    7, 0xc0, 8, 4, 0xfd, 0xea, 0,    1 };
	struct writer w = wr_init(buf, size);
	uint8_t *begin = frame_begin(&w, BGP_MSG_UPDATE);

	wr_u16(&w, 8);
	wr_bytes(&w, (const uint8_t[]){ 24, 198, 51, 100, 24, 203, 0, 113 }, 8);
	wr_u16(&w, sizeof(attrs));
	wr_bytes(&w, attrs, sizeof(attrs));
	for (unsigned i = 0; i < n; i++) {
		wr_u8(&w, 32);
		wr_u32(&w, 0x0a000000 + i);
	}
	frame_end(&w, begin);
	ck_assert(!w.bad);
	return (size_t)(w.p - buf);
}

static size_t put_update(uint8_t *buf, size_t size)
{
	return put_update_of(buf, size, 20);
}

static size_t put_long_update(uint8_t *buf, size_t size)
{
	return put_update_of(buf, size, 13000); /* RFC 8654: 65,058 bytes */
}

static size_t put_bad_marker(uint8_t *buf, size_t size)
{
	size_t len = talk_keepalive(buf, size);

	buf[7] = 0xfe;
	return len;
}

static size_t put_bad_length(uint8_t *buf, size_t size)
{
	size_t len = talk_keepalive(buf, size);

	buf[17] = BGP_HEADER_LEN - 1;
	return len;
}

static size_t put_bad_type(uint8_t *buf, size_t size)
{
	size_t len = talk_keepalive(buf, size);

	buf[18] = 77;
	return len;
}

static size_t put_bad_update(uint8_t *buf, size_t size)
{
	size_t len = put_update(buf, size);

	buf[BGP_HEADER_LEN] = 0xff;
	return len;
}

/* -- a session that reads ----------------------------------------------------------------------- */

struct result {
	enum bgp_state state;
	unsigned fx, updates, refreshes;
	enum end_kind end;
	struct notify notify; /* of the end */
	uint64_t rx_msgs[6], rx_bytes;
};
static struct result got;
static struct session s;
static const uint64_t now = 1000 * SECOND;

static void on_update(void *ctx, const struct update *u)
{
	(void)ctx;
	(void)u;
	got.updates++;
}

static void on_refresh(void *ctx, const struct refresh *r)
{
	(void)ctx;
	ck_assert_int_eq(r->family, FAM_IPV6);
	ck_assert_int_eq(r->subtype, REFRESH_BEGIN);
	got.refreshes++;
}

/* As the edge does: what is not taken comes again, with more behind it. */
static void read_up_to(const uint8_t *wire, size_t *used, size_t have)
{
	size_t taken;

	do {
		got.fx |= session_input(&s, wire + *used, have - *used, &taken, now);
		*used += taken;
		ck_assert_uint_le(*used, have);
	} while (taken);
}

static void begin(enum bgp_state state)
{
	const struct session_sink sink = { on_update, on_refresh, NULL };

	ck_assert_int_eq(session_init(&s, &conf, &sink, 7), 0);
	talk_bring_to(&s, state, &theirs, now);
	got = (struct result){ 0 };
}

static struct result end(void)
{
	got.state = s.state;
	got.end = s.end.kind;
	if (s.end.kind != END_NONE) {
		got.notify.code = s.end.notify.code;
		got.notify.subcode = s.end.notify.subcode;
		got.notify.data_len = s.end.notify.data_len;
		memcpy(got.notify.data, s.end.notify.data, s.end.notify.data_len);
	}
	memcpy(got.rx_msgs, s.count.rx_msgs, sizeof(got.rx_msgs));
	got.rx_bytes = s.count.rx_bytes;
	session_fini(&s);
	return got;
}

static struct result read_split(enum bgp_state from, const uint8_t *wire, const size_t *at, size_t n)
{
	size_t used = 0;

	begin(from);
	for (size_t i = 0; i < n; i++)
		read_up_to(wire, &used, at[i]);
	return end();
}

static struct result read_pieces(enum bgp_state from, const uint8_t *wire, size_t len, size_t piece)
{
	size_t used = 0;

	begin(from);
	for (size_t have = 0; have < len;) {
		have = have + piece < len ? have + piece : len;
		read_up_to(wire, &used, have);
	}
	return end();
}

/* -- each message ------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	size_t (*put)(uint8_t *buf, size_t size);
	enum bgp_state from, to;
} messages[] = {
	{ "OPEN", put_open, ST_OPENSENT, ST_OPENCONFIRM },
	{ "a second OPEN", put_open, ST_ESTABLISHED, ST_IDLE },
	{ "the first KEEPALIVE", talk_keepalive, ST_OPENCONFIRM, ST_ESTABLISHED },
	{ "KEEPALIVE", talk_keepalive, ST_ESTABLISHED, ST_ESTABLISHED },
	{ "UPDATE", put_update, ST_ESTABLISHED, ST_ESTABLISHED },
	{ "End-of-RIB", put_eor, ST_ESTABLISHED, ST_ESTABLISHED },
	{ "an early UPDATE", put_update, ST_OPENSENT, ST_IDLE },
	{ "ROUTE-REFRESH", put_refresh, ST_ESTABLISHED, ST_ESTABLISHED },
	{ "NOTIFICATION for OPEN", put_notification, ST_OPENSENT, ST_IDLE },
	{ "NOTIFICATION for KEEPALIVE", put_notification, ST_OPENCONFIRM, ST_IDLE },
	{ "NOTIFICATION", put_notification, ST_ESTABLISHED, ST_IDLE },
	{ "a malformed UPDATE", put_bad_update, ST_ESTABLISHED, ST_IDLE },
	{ "a malformed marker", put_bad_marker, ST_OPENSENT, ST_IDLE },
	{ "a malformed length", put_bad_length, ST_OPENCONFIRM, ST_IDLE },
	{ "an unknown type", put_bad_type, ST_ESTABLISHED, ST_IDLE },
};

static bool same(const struct result *a, const struct result *b)
{
	/* A wrong header is seen as soon as it is there, so how much of it had come may differ. */
	bool early = a->end == END_LOCAL_NOTIFY && a->notify.code == BGP_ERR_HEADER;

	return a->state == b->state && a->fx == b->fx && a->updates == b->updates &&
	       a->refreshes == b->refreshes && a->end == b->end && a->notify.code == b->notify.code &&
	       a->notify.subcode == b->notify.subcode && a->notify.data_len == b->notify.data_len &&
	       memcmp(a->notify.data, b->notify.data, a->notify.data_len) == 0 &&
	       memcmp(a->rx_msgs, b->rx_msgs, sizeof(a->rx_msgs)) == 0 &&
	       (early || a->rx_bytes == b->rx_bytes);
}

static void expect_same(const struct result *want, struct result r, const char *what, size_t at)
{
	ck_assert_msg(same(want, &r), "%s, split at %zu: %s, effects %#x, %u updates", what, at,
	              bgp_state_name(r.state), r.fx, r.updates);
}

START_TEST(every_message_at_every_split)
{
	uint8_t wire[4096];
	size_t len = messages[_i].put(wire, sizeof(wire));
	struct result whole = read_split(messages[_i].from, wire, &len, 1);

	ck_assert_msg(whole.state == messages[_i].to, "%s", messages[_i].what);
	for (size_t at = 0; at <= len; at++)
		expect_same(&whole, read_split(messages[_i].from, wire, (const size_t[]){ at, len }, 2),
		            messages[_i].what, at);
	expect_same(&whole, read_pieces(messages[_i].from, wire, len, 1), messages[_i].what, 1);
}
END_TEST

/* Nothing happens before the last byte, but for what is wrong with the header. */
START_TEST(no_message_acts_before_it_is_whole)
{
	uint8_t wire[4096];
	size_t len = messages[_i].put(wire, sizeof(wire));
	size_t seen = messages[_i].put == put_bad_marker ? BGP_HEADER_LEN - 1 : len - 1;
	struct result r = read_pieces(messages[_i].from, wire, seen, 1);

	ck_assert_msg(r.state == messages[_i].from && r.fx == 0 && r.updates == 0 && r.refreshes == 0, "%s",
	              messages[_i].what);
}
END_TEST

START_TEST(long_message)
{
	static uint8_t wire[65536];
	size_t len = put_long_update(wire, sizeof(wire));
	struct result whole = read_split(ST_ESTABLISHED, wire, &len, 1);

	ck_assert_uint_gt(len, 65000);
	ck_assert_int_eq(whole.state, ST_ESTABLISHED);
	ck_assert_uint_eq(whole.updates, 1);
	for (size_t at = 0; at <= len; at += at < 64 || at > len - 64 ? 1 : 997)
		expect_same(&whole, read_split(ST_ESTABLISHED, wire, (const size_t[]){ at, len }, 2), "long",
		            at);
	expect_same(&whole, read_pieces(ST_ESTABLISHED, wire, len, 1), "long", 1);
}
END_TEST

/* -- a whole life ------------------------------------------------------------------------------- */

static uint8_t life[2048];

static size_t put_life(void)
{
	static size_t (*const puts[])(uint8_t *, size_t) = { put_open,   talk_keepalive,  put_eor,
		                                             put_update, talk_keepalive,  put_refresh,
		                                             put_update, put_notification };
	size_t len = 0;

	for (int i = 0; i < UNIT_COUNT(puts); i++)
		len += puts[i](life + len, sizeof(life) - len);
	return len;
}

static void check_life(const struct result *r)
{
	ck_assert_int_eq(r->state, ST_IDLE);
	ck_assert_uint_eq(r->fx, FX_UP | FX_DOWN | FX_CLOSE);
	ck_assert_uint_eq(r->updates, 3);
	ck_assert_uint_eq(r->refreshes, 1);
	ck_assert_int_eq(r->end, END_REMOTE_NOTIFY);
	ck_assert_uint_eq(r->notify.subcode, BGP_CEASE_ADMIN_SHUTDOWN);
	ck_assert_uint_eq(r->rx_msgs[BGP_MSG_KEEPALIVE], 2);
}

START_TEST(whole_life_at_every_split)
{
	size_t len = put_life();
	struct result whole = read_split(ST_OPENSENT, life, &len, 1);

	check_life(&whole);
	ck_assert_uint_eq(whole.rx_bytes, len);
	for (size_t at = 0; at <= len; at++)
		expect_same(&whole, read_split(ST_OPENSENT, life, (const size_t[]){ at, len }, 2), "a life",
		            at);
	for (size_t piece = 1; piece <= len; piece++)
		expect_same(&whole, read_pieces(ST_OPENSENT, life, len, piece), "a life in pieces", piece);
}
END_TEST

START_TEST(whole_life_at_every_two_splits)
{
	size_t len = put_life();
	struct result whole = read_split(ST_OPENSENT, life, &len, 1);

	for (size_t a = 0; a < len; a++) {
		for (size_t b = a + 1; b < len; b += 3)
			expect_same(&whole, read_split(ST_OPENSENT, life, (const size_t[]){ a, b, len }, 3),
			            "a life", a);
	}
}
END_TEST

UNIT_MAIN("session_stream", UNIT_ROWS(every_message_at_every_split, messages),
          UNIT_ROWS(no_message_acts_before_it_is_whole, messages), UNIT(long_message),
          UNIT(whole_life_at_every_split), UNIT(whole_life_at_every_two_splits))
