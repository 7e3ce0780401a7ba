/* SPDX-License-Identifier: BSD-2-Clause */
/* test_frame.c - header checks (RFC 4271 6.1), streams cut anywhere, writing. */
#include "bgp/frame.h"
#include "mcbgp/bgp.h"
#include "unit/unit.h"

#include <string.h>

#define MARKER 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff

static const struct {
	const char *what;
	uint16_t len; /* in the header */
	uint8_t type;
	size_t have; /* bytes that arrived */
	size_t max;
	enum frame_result want;
	uint8_t subcode; /* of FRAME_BAD */
} headers[] = {
	{ "keepalive", 19, BGP_MSG_KEEPALIVE, 19, BGP_MAX_LEN, FRAME_OK },
	{ "nothing yet", 19, BGP_MSG_KEEPALIVE, 0, BGP_MAX_LEN, FRAME_MORE },
	{ "header cut", 19, BGP_MSG_KEEPALIVE, 18, BGP_MAX_LEN, FRAME_MORE },
	{ "body cut", 23, BGP_MSG_UPDATE, 22, BGP_MAX_LEN, FRAME_MORE },
	{ "shortest update", 23, BGP_MSG_UPDATE, 23, BGP_MAX_LEN, FRAME_OK },
	{ "longest update", 4096, BGP_MSG_UPDATE, 4096, BGP_MAX_LEN, FRAME_OK },
	{ "longest extended update", 65535, BGP_MSG_UPDATE, 65535, BGP_MAX_LEN_EXT, FRAME_OK },
	{ "shortest open", 29, BGP_MSG_OPEN, 29, BGP_MAX_LEN, FRAME_OK },
	{ "shortest notification", 21, BGP_MSG_NOTIFICATION, 21, BGP_MAX_LEN, FRAME_OK },
	{ "extended notification", 5000, BGP_MSG_NOTIFICATION, 5000, BGP_MAX_LEN_EXT, FRAME_OK },
	{ "refresh", 23, BGP_MSG_ROUTE_REFRESH, 23, BGP_MAX_LEN, FRAME_OK },
	{ "refresh without a body: its own error, elsewhere", 19, BGP_MSG_ROUTE_REFRESH, 19, BGP_MAX_LEN,
	  FRAME_OK },
	{ "length 0", 0, BGP_MSG_KEEPALIVE, 19, BGP_MAX_LEN, FRAME_BAD, BGP_HDR_BAD_LENGTH },
	{ "length 18", 18, BGP_MSG_KEEPALIVE, 19, BGP_MAX_LEN, FRAME_BAD, BGP_HDR_BAD_LENGTH },
	{ "keepalive with a body", 20, BGP_MSG_KEEPALIVE, 20, BGP_MAX_LEN, FRAME_BAD, BGP_HDR_BAD_LENGTH },
	{ "short update", 22, BGP_MSG_UPDATE, 22, BGP_MAX_LEN, FRAME_BAD, BGP_HDR_BAD_LENGTH },
	{ "short open", 28, BGP_MSG_OPEN, 28, BGP_MAX_LEN, FRAME_BAD, BGP_HDR_BAD_LENGTH },
	{ "short notification", 20, BGP_MSG_NOTIFICATION, 20, BGP_MAX_LEN, FRAME_BAD, BGP_HDR_BAD_LENGTH },
	{ "over the limit", 4097, BGP_MSG_UPDATE, 4097, BGP_MAX_LEN, FRAME_BAD, BGP_HDR_BAD_LENGTH },
	{ "over the limit, told before the body", 65535, BGP_MSG_UPDATE, 19, BGP_MAX_LEN, FRAME_BAD,
	  BGP_HDR_BAD_LENGTH },
	{ "open is never extended", 4097, BGP_MSG_OPEN, 4097, BGP_MAX_LEN_EXT, FRAME_BAD,
	  BGP_HDR_BAD_LENGTH },
	{ "type 0", 19, 0, 19, BGP_MAX_LEN, FRAME_BAD, BGP_HDR_BAD_TYPE },
	{ "type 6", 19, 6, 19, BGP_MAX_LEN, FRAME_BAD, BGP_HDR_BAD_TYPE },
	{ "type 255", 4096, 255, 19, BGP_MAX_LEN, FRAME_BAD, BGP_HDR_BAD_TYPE },
};

START_TEST(header)
{
	static uint8_t wire[BGP_MAX_LEN_EXT];
	struct reader r = rd_init(wire, headers[_i].have);
	struct notify why = { 0 };
	struct frame f = { 0 };

	memset(wire, 0xff, BGP_MARKER_LEN);
	wr_put_u16(wire + BGP_MARKER_LEN, headers[_i].len);
	wire[BGP_MARKER_LEN + 2] = headers[_i].type;
	ck_assert_msg(frame_next(&r, headers[_i].max, &f, &why) == headers[_i].want, "%s", headers[_i].what);
	if (headers[_i].want == FRAME_OK) {
		ck_assert_uint_eq(f.type, headers[_i].type);
		ck_assert_uint_eq(f.len, headers[_i].len);
		ck_assert_ptr_eq(f.raw, wire);
		ck_assert_uint_eq(rd_left(&f.body), f.len - BGP_HEADER_LEN);
		ck_assert_uint_eq(rd_left(&r), 0);
	} else {
		ck_assert_uint_eq(rd_left(&r), headers[_i].have); /* nothing consumed */
	}
	ck_assert_uint_eq(why.code, headers[_i].want == FRAME_BAD ? BGP_ERR_HEADER : 0);
	ck_assert_uint_eq(why.subcode, headers[_i].subcode);
	if (why.subcode == BGP_HDR_BAD_LENGTH)
		ck_assert(why.data_len == 2 && why.data[0] << 8 == (headers[_i].len & 0xff00) &&
		          why.data[1] == (headers[_i].len & 0xff));
	if (why.subcode == BGP_HDR_BAD_TYPE)
		ck_assert(why.data_len == 1 && why.data[0] == headers[_i].type);
}
END_TEST

START_TEST(every_marker_byte_counts)
{
	uint8_t wire[] = { MARKER, 0, 19, BGP_MSG_KEEPALIVE };
	struct notify why;
	struct frame f;

	for (unsigned i = 0; i < BGP_MARKER_LEN; i++) {
		struct reader r = rd_init(wire, sizeof(wire));

		wire[i] = 0x7f;
		ck_assert_int_eq(frame_next(&r, BGP_MAX_LEN, &f, &why), FRAME_BAD);
		ck_assert(why.code == BGP_ERR_HEADER && why.subcode == BGP_HDR_NOT_SYNC && why.data_len == 0);
		wire[i] = 0xff;
	}
}
END_TEST

START_TEST(a_stream_cut_anywhere)
{
	static const uint8_t stream[] = { MARKER,
		                          0,
		                          19,
		                          BGP_MSG_KEEPALIVE,
		                          MARKER,
		                          0,
		                          23,
		                          BGP_MSG_UPDATE,
		                          0,
		                          0,
		                          0,
		                          0,
		                          MARKER,
		                          0,
		                          22,
		                          BGP_MSG_NOTIFICATION,
		                          6,
		                          2,
		                          0,
		                          MARKER,
		                          0,
		                          19,
		                          BGP_MSG_KEEPALIVE };
	static const uint8_t types[] = { BGP_MSG_KEEPALIVE, BGP_MSG_UPDATE, BGP_MSG_NOTIFICATION,
		                         BGP_MSG_KEEPALIVE };
	static const size_t ends[] = { 19, 42, 64, 83 };
	struct notify why;
	struct frame f;

	ck_assert_uint_eq(sizeof(stream), ends[3]);
	for (size_t have = 0; have <= sizeof(stream); have++) {
		struct reader r = rd_init(stream, have);
		unsigned n = 0;

		while (frame_next(&r, BGP_MAX_LEN, &f, &why) == FRAME_OK) {
			ck_assert_uint_eq(f.type, types[n]);
			n++;
		}
		ck_assert(n == 0 ? have < ends[0] : have >= ends[n - 1] && (n == 4 || have < ends[n]));
	}
}
END_TEST

START_TEST(keepalive_is_what_it_should_be)
{
	static const uint8_t want[] = { MARKER, 0, 19, BGP_MSG_KEEPALIVE };
	uint8_t buf[BGP_HEADER_LEN];
	struct writer w = wr_init(buf, sizeof(buf));

	frame_keepalive(&w);
	ck_assert(!w.bad && wr_room(&w) == 0);
	ck_assert_mem_eq(buf, want, sizeof(want));
	frame_keepalive(&w);
	ck_assert(w.bad);
}
END_TEST

START_TEST(a_message_beyond_the_length_field_is_refused)
{
	static uint8_t buf[BGP_MAX_LEN_EXT + 1];
	struct writer w = wr_init(buf, sizeof(buf));
	uint8_t *begin = frame_begin(&w, BGP_MSG_UPDATE);

	wr_skip(&w, wr_room(&w) - 1);
	frame_end(&w, begin);
	ck_assert(!w.bad && buf[BGP_MARKER_LEN] == 0xff && buf[BGP_MARKER_LEN + 1] == 0xff);
	wr_u8(&w, 0);
	frame_end(&w, begin);
	ck_assert(w.bad);
}
END_TEST

UNIT_MAIN("frame", UNIT_ROWS(header, headers), UNIT(every_marker_byte_counts), UNIT(a_stream_cut_anywhere),
          UNIT(keepalive_is_what_it_should_be), UNIT(a_message_beyond_the_length_field_is_refused))
