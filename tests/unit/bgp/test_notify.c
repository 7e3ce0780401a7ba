/* SPDX-License-Identifier: BSD-2-Clause */
/* test_notify.c - NOTIFICATION both ways, names, and what a peer wrote for people to read. */
#include "bgp/frame.h"
#include "bgp/notify.h"

#include "bgp/nlri.h"
#include "mcbgp/bgp.h"
#include "unit/unit.h"

#include <string.h>

static const struct {
	const char *text;
	uint8_t code, subcode;
} names[] = {
	{ "Message header: bad message type", 1, 3 },
	{ "OPEN: bad peer AS", 2, 2 },
	{ "UPDATE: malformed AS_PATH", 3, 11 },
	{ "Hold timer expired", 4, 0 },
	{ "Finite state machine error: unexpected message in OpenSent", 5, 1 },
	{ "Cease: administrative shutdown", 6, 2 },
	{ "Cease: BFD down", 6, 10 },
	{ "Cease", 6, 0 },
	{ "Cease: subcode 200", 6, 200 },
	{ "ROUTE-REFRESH: invalid message length", 7, 1 },
	{ "Send hold timer expired", 8, 0 },
	{ "Error 77: subcode 1", 77, 1 },
	{ "Error 0", 0, 0 },
};

START_TEST(prints)
{
	struct notify n;
	char buf[80], cut[8];

	notify_set(&n, names[_i].code, names[_i].subcode, NULL, 0);
	ck_assert_str_eq(notify_print(&n, buf, sizeof(buf)), names[_i].text);
	ck_assert_int_eq(strncmp(notify_print(&n, cut, sizeof(cut)), names[_i].text, 7), 0);
	ck_assert_uint_le(strlen(cut), 7);
}
END_TEST

static const size_t data_lens[] = { 0, 1, 2, 255, 256, 257, 4000 };

START_TEST(survives_the_wire)
{
	static uint8_t data[4000], wire[8192];
	struct writer w = wr_init(wire, sizeof(wire));
	struct notify n, got;
	struct reader r;
	struct frame f;

	memset(data, 0x5a, sizeof(data));
	notify_set(&n, BGP_ERR_UPDATE, BGP_UPD_ATTR_LENGTH, data, data_lens[_i]);
	ck_assert_uint_eq(n.data_len, data_lens[_i] < NOTIFY_DATA_MAX ? data_lens[_i] : NOTIFY_DATA_MAX);
	notify_encode(&w, &n);
	ck_assert(!w.bad);
	r = rd_init(wire, (size_t)(w.p - wire));
	ck_assert_int_eq(frame_next(&r, BGP_MAX_LEN, &f, &got), FRAME_OK);
	ck_assert_uint_eq(f.type, BGP_MSG_NOTIFICATION);
	ck_assert(notify_decode(f.body, &got));
	ck_assert(got.code == n.code && got.subcode == n.subcode && got.data_len == n.data_len);
	ck_assert_mem_eq(got.data, n.data, n.data_len);
}
END_TEST

START_TEST(bodies_of_any_length)
{
	static uint8_t body[65535];
	struct notify n;

	ck_assert(!notify_decode(rd_init(NULL, 0), &n));
	ck_assert(!notify_decode(rd_init(body, 1), &n));
	ck_assert(notify_decode(rd_init(body, 2), &n) && n.data_len == 0);
	ck_assert(notify_decode(rd_init(body, sizeof(body)), &n) && n.data_len == NOTIFY_DATA_MAX);
}
END_TEST

static const struct {
	const char *what;
	uint8_t code, subcode, len, data[16];
	const char *want;
} texts[] = {
	{ "plain", 6, 2, 6, { 5, 'h', 'e', 'l', 'l', 'o' }, "hello" },
	{ "reset", 6, 4, 6, { 5, 'h', 'e', 'l', 'l', 'o' }, "hello" },
	{ "not a subcode that carries text", 6, 3, 6, { 5, 'h', 'e', 'l', 'l', 'o' }, "" },
	{ "not a Cease", 3, 2, 6, { 5, 'h', 'e', 'l', 'l', 'o' }, "" },
	{ "none", 6, 2, 0, { 0 }, "" },
	{ "of length 0", 6, 2, 1, { 0 }, "" },
	{ "length past the end", 6, 2, 6, { 6, 'h', 'e', 'l', 'l', 'o' }, "" },
	{ "length past the end by far", 6, 2, 2, { 255, 'h' }, "" },
	{ "bytes behind it", 6, 2, 6, { 2, 'h', 'i', 0, 0, 0 }, "hi" },
	{ "controls", 6, 2, 8, { 7, 'a', '\n', 0, 0x1b, '[', 0x7f, 'b' }, "a???[?b" },
	{ "C1 control", 6, 2, 5, { 4, 'a', 0xc2, 0x9b, 'b' }, "a?b" },
	{ "two bytes", 6, 2, 3, { 2, 0xc3, 0xbc }, "\xc3\xbc" },
	{ "three bytes", 6, 2, 4, { 3, 0xe2, 0x82, 0xac }, "\xe2\x82\xac" },
	{ "four bytes", 6, 2, 5, { 4, 0xf0, 0x9f, 0x90, 0xa6 }, "\xf0\x9f\x90\xa6" },
	{ "stray continuation", 6, 2, 3, { 2, 0x80, 'a' }, "?a" },
	{ "cut character", 6, 2, 3, { 2, 0xe2, 0x82 }, "??" },
	{ "overlong", 6, 2, 3, { 2, 0xc0, 0xaf }, "??" },
	{ "overlong, three bytes", 6, 2, 4, { 3, 0xe0, 0x80, 0xaf }, "???" },
	{ "surrogate", 6, 2, 4, { 3, 0xed, 0xa0, 0x80 }, "???" },
	{ "beyond Unicode", 6, 2, 5, { 4, 0xf4, 0x90, 0x80, 0x80 }, "????" },
};

START_TEST(shutdown_text)
{
	struct notify n;
	char buf[64];

	notify_set(&n, texts[_i].code, texts[_i].subcode, texts[_i].data, texts[_i].len);
	notify_shutdown_text(&n, buf, sizeof(buf));
	ck_assert_msg(strcmp(buf, texts[_i].want) == 0, "%s: '%s'", texts[_i].what, buf);
}
END_TEST

START_TEST(shutdown_text_is_cut_between_characters)
{
	struct notify n;
	char buf[8];

	notify_set_shutdown(&n, BGP_CEASE_ADMIN_SHUTDOWN, "a\xe2\x82\xac\xe2\x82\xac");
	for (size_t size = 1; size <= sizeof(buf); size++) {
		notify_shutdown_text(&n, buf, size);
		ck_assert_uint_eq(strlen(buf), size == 8 ? 7 : size >= 5 ? 4 : size >= 2 ? 1 : 0);
	}
}
END_TEST

static const struct {
	const char *what;
	unsigned ascii, euros; /* the text: so many 'a', then so many three-byte characters */
	unsigned want;         /* bytes kept */
} lengths[] = {
	{ "empty", 0, 0, 0 },
	{ "one", 1, 0, 1 },
	{ "all that fits", 255, 0, 255 },
	{ "one too many", 256, 0, 255 },
	{ "fits exactly", 0, 85, 255 },
	{ "last character would be cut", 1, 85, 253 },
	{ "the same, two bytes in", 2, 85, 254 },
};

START_TEST(own_text_is_cut_between_characters)
{
	char text[600] = "", got[256];
	struct notify n;

	for (unsigned i = 0; i < lengths[_i].ascii; i++)
		strcat(text, "a");
	for (unsigned i = 0; i < lengths[_i].euros; i++)
		strcat(text, "\xe2\x82\xac");
	notify_set_shutdown(&n, BGP_CEASE_ADMIN_RESET, text);
	ck_assert(n.code == BGP_ERR_CEASE && n.subcode == BGP_CEASE_ADMIN_RESET);
	ck_assert_msg(n.data_len == (lengths[_i].want ? lengths[_i].want + 1 : 0), "%s", lengths[_i].what);
	notify_shutdown_text(&n, got, sizeof(got));
	ck_assert_uint_eq(strlen(got), lengths[_i].want);
	ck_assert_int_eq(strncmp(got, text, lengths[_i].want), 0);
}
END_TEST

START_TEST(no_text_is_no_data)
{
	struct notify n;

	notify_set_shutdown(&n, BGP_CEASE_ADMIN_SHUTDOWN, NULL);
	ck_assert_uint_eq(n.data_len, 0);
}
END_TEST

START_TEST(hard_reset_carries_what_it_was)
{
	struct notify n, was;
	char text[256];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	notify_set_shutdown(&n, BGP_CEASE_ADMIN_SHUTDOWN, text);
	was = n;
	ck_assert(notify_harden(&n));
	ck_assert(n.code == BGP_ERR_CEASE && n.subcode == BGP_CEASE_HARD_RESET);
	ck_assert_uint_eq(n.data_len, was.data_len + 2);
	ck_assert(notify_soften(&n));
	ck_assert(n.subcode == was.subcode && n.data_len == was.data_len);
	ck_assert_int_eq(memcmp(n.data, was.data, n.data_len), 0);
	ck_assert(!notify_soften(&n));
}
END_TEST

START_TEST(hard_reset_without_a_cause_stays_one)
{
	struct notify n;

	notify_set(&n, BGP_ERR_CEASE, BGP_CEASE_HARD_RESET, "\6", 1);
	ck_assert(notify_soften(&n));
	ck_assert_uint_eq(n.subcode, BGP_CEASE_HARD_RESET);
	notify_set(&n, BGP_ERR_CEASE, BGP_CEASE_COLLISION, NULL, 0);
	ck_assert(!notify_harden(&n));
	notify_set(&n, BGP_ERR_HOLD_TIMER, 0, NULL, 0);
	ck_assert(!notify_harden(&n));
}
END_TEST

START_TEST(limit_is_told)
{
	struct notify n;

	notify_set_max_prefix(&n, FAM_BIT(FAM_IPV6), 5000);
	ck_assert(n.code == BGP_ERR_CEASE && n.subcode == BGP_CEASE_MAX_PREFIX && n.data_len == 7);
	ck_assert_int_eq(memcmp(n.data, "\0\2\1\0\0\x13\x88", 7), 0);
}
END_TEST

UNIT_MAIN("notify", UNIT(hard_reset_carries_what_it_was), UNIT(hard_reset_without_a_cause_stays_one),
          UNIT(limit_is_told), UNIT_ROWS(prints, names), UNIT_ROWS(survives_the_wire, data_lens),
          UNIT(bodies_of_any_length), UNIT_ROWS(shutdown_text, texts),
          UNIT(shutdown_text_is_cut_between_characters),
          UNIT_ROWS(own_text_is_cut_between_characters, lengths), UNIT(no_text_is_no_data))
