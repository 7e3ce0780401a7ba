/* SPDX-License-Identifier: BSD-2-Clause */
/* test_refresh.c - ROUTE-REFRESH both ways, and its length error (RFC 7313 5). */
#include "bgp/frame.h"
#include "bgp/refresh.h"
#include "mcbgp/bgp.h"
#include "unit/unit.h"

#include <string.h>

static const struct {
	const char *what;
	uint8_t body[4];
	enum family family;
	uint8_t subtype;
} bodies[] = {
	{ "IPv4 unicast", { 0, 1, 0, 1 }, FAM_IPV4, REFRESH_REQUEST },
	{ "IPv6 unicast, begin", { 0, 2, 1, 1 }, FAM_IPV6, REFRESH_BEGIN },
	{ "IPv4 unicast, end", { 0, 1, 2, 1 }, FAM_IPV4, REFRESH_END },
	{ "a family we do not speak", { 0, 1, 0, 2 }, FAM_COUNT, REFRESH_REQUEST },
	{ "AFI 65535", { 0xff, 0xff, 0, 1 }, FAM_COUNT, REFRESH_REQUEST },
	{ "a subtype nobody knows", { 0, 1, 255, 1 }, FAM_IPV4, 255 },
};

START_TEST(decodes)
{
	struct refresh out;
	struct notify why = { 0 };

	ck_assert_msg(refresh_decode(rd_init(bodies[_i].body, 4), &out, &why), "%s", bodies[_i].what);
	ck_assert_msg(out.family == bodies[_i].family && out.subtype == bodies[_i].subtype, "%s",
	              bodies[_i].what);
	ck_assert_uint_eq(why.code, 0);
}
END_TEST

static const size_t bad_lengths[] = { 0, 1, 3, 5, 237, 238, 4077 };

START_TEST(wrong_length_returns_the_message)
{
	static uint8_t wire[BGP_MAX_LEN];
	struct writer w = wr_init(wire, sizeof(wire));
	uint8_t *begin = frame_begin(&w, BGP_MSG_ROUTE_REFRESH);
	size_t len = BGP_HEADER_LEN + bad_lengths[_i];
	struct notify why = { 0 };
	struct refresh out;

	ck_assert_ptr_nonnull(wr_skip(&w, bad_lengths[_i]));
	memset(wire + BGP_HEADER_LEN, 0x77, bad_lengths[_i]);
	frame_end(&w, begin);
	ck_assert(!refresh_decode(rd_init(wire + BGP_HEADER_LEN, bad_lengths[_i]), &out, &why));
	ck_assert(why.code == BGP_ERR_ROUTE_REFRESH && why.subcode == BGP_REFRESH_BAD_LENGTH);
	ck_assert_uint_eq(why.data_len, len < NOTIFY_DATA_MAX ? len : NOTIFY_DATA_MAX);
	ck_assert_mem_eq(why.data, wire, why.data_len);
}
END_TEST

START_TEST(survives_the_wire)
{
	for (enum family f = FAM_IPV4; f < FAM_COUNT; f++) {
		uint8_t wire[64];
		struct writer w = wr_init(wire, sizeof(wire));
		struct reader r;
		struct notify why;
		struct refresh out;
		struct frame frame;

		refresh_encode(&w, f, REFRESH_BEGIN);
		r = rd_init(wire, (size_t)(w.p - wire));
		ck_assert_int_eq(frame_next(&r, BGP_MAX_LEN, &frame, &why), FRAME_OK);
		ck_assert(frame.type == BGP_MSG_ROUTE_REFRESH && refresh_decode(frame.body, &out, &why));
		ck_assert(out.family == f && out.subtype == REFRESH_BEGIN);
	}
}
END_TEST

UNIT_MAIN("refresh", UNIT_ROWS(decodes, bodies), UNIT_ROWS(wrong_length_returns_the_message, bad_lengths),
          UNIT(survives_the_wire))
