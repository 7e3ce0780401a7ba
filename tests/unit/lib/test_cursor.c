/* SPDX-License-Identifier: BSD-2-Clause */
/* test_cursor.c - reader.h and writer.h: bounds, the sticky error, nesting. */
#include "lib/reader.h"
#include "lib/writer.h"
#include "unit/unit.h"

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7 };

START_TEST(reads_what_is_there)
{
	struct reader r = rd_init(bytes, sizeof(bytes));

	ck_assert_uint_eq(rd_u8(&r), 1);
	ck_assert_uint_eq(rd_u16(&r), 0x0203);
	ck_assert_uint_eq(rd_u32(&r), 0x04050607);
	ck_assert_uint_eq(rd_left(&r), 0);
	ck_assert(!r.bad);
}
END_TEST

START_TEST(reading_past_the_end_sticks)
{
	struct reader r = rd_init(bytes, 3);

	ck_assert_uint_eq(rd_u32(&r), 0);
	ck_assert(r.bad);
	ck_assert_uint_eq(rd_left(&r), 0);
	ck_assert_uint_eq(rd_u8(&r), 0); /* though a byte would be there */
	ck_assert_uint_eq(rd_u16(&r), 0);
	ck_assert_ptr_null(rd_take(&r, 1));
}
END_TEST

START_TEST(a_huge_length_does_not_wrap)
{
	struct reader r = rd_init(bytes, sizeof(bytes));

	ck_assert_ptr_null(rd_take(&r, SIZE_MAX));
	ck_assert(r.bad);
}
END_TEST

START_TEST(a_child_keeps_within_its_length)
{
	struct reader r = rd_init(bytes, sizeof(bytes)), child = rd_sub(&r, 2), late;

	ck_assert_uint_eq(rd_u16(&child), 0x0102);
	ck_assert_uint_eq(rd_u8(&child), 0);
	ck_assert(child.bad && !r.bad);
	ck_assert_uint_eq(rd_u8(&r), 3);
	late = rd_sub(&r, 5);
	ck_assert(late.bad && r.bad);
}
END_TEST

START_TEST(nothing_at_all_is_fine)
{
	struct reader r = rd_init(NULL, 0), child = rd_sub(&r, 0);
	struct writer w = wr_init(NULL, 0);

	wr_bytes(&w, NULL, 0);
	ck_assert(!w.bad);
	ck_assert(!r.bad && !child.bad);
	ck_assert_uint_eq(rd_u8(&r), 0);
	ck_assert(r.bad);
}
END_TEST

START_TEST(writes_what_fits)
{
	uint8_t buf[8] = { 0 }, want[8] = { 1, 2, 3, 4, 5, 6, 7, 0 };
	struct writer w = wr_init(buf, 7);

	wr_u8(&w, 1);
	wr_u16(&w, 0x0203);
	wr_u32(&w, 0x04050607);
	wr_bytes(&w, NULL, 0);
	ck_assert(!w.bad);
	ck_assert_mem_eq(buf, want, sizeof(buf));
}
END_TEST

START_TEST(what_does_not_fit_is_not_begun)
{
	uint8_t buf[4] = { 9, 9, 9, 9 };
	struct writer w = wr_init(buf, 3);

	wr_u32(&w, 1);
	ck_assert(w.bad);
	ck_assert_uint_eq(wr_room(&w), 0);
	wr_u8(&w, 1); /* would fit, but the error sticks */
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(buf[i], 9);
	ck_assert_ptr_null(wr_skip(&w, SIZE_MAX));
}
END_TEST

UNIT_MAIN("cursor", UNIT(reads_what_is_there), UNIT(reading_past_the_end_sticks),
          UNIT(a_huge_length_does_not_wrap), UNIT(a_child_keeps_within_its_length),
          UNIT(nothing_at_all_is_fine), UNIT(writes_what_fits), UNIT(what_does_not_fit_is_not_begun))
