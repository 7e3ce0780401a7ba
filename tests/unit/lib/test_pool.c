/* SPDX-License-Identifier: BSD-2-Clause */
/* test_pool.c - handles, recycling, stable addresses, counts. */
#include "lib/pool.h"
#include "unit/unit.h"

#include <string.h>

#define MANY (3u << POOL_CHUNK_BITS)

static const size_t sizes[] = { 4, 5, 12, 16, 100 };

static void check_zero(const uint8_t *obj, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(obj[i], 0);
}

START_TEST(objects_are_zeroed_and_apart)
{
	size_t size = sizes[_i];
	struct pool p;

	pool_init(&p, size);
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t h = pool_new(&p);

		ck_assert_uint_ne(h, 0);
		check_zero(pool_at(&p, h), size);
		memset(pool_at(&p, h), (int)(h & 0xff) | 1, size);
	}
	for (uint32_t h = 1; h <= MANY; h++) {
		const uint8_t *obj = pool_at(&p, h);

		ck_assert(obj[0] == ((h & 0xff) | 1) && obj[size - 1] == obj[0]);
	}
	ck_assert_uint_eq(p.used, MANY);
	pool_fini(&p);
}
END_TEST

START_TEST(freed_handles_come_back_zeroed)
{
	uint32_t h[100], again;
	struct pool p;

	pool_init(&p, 12);
	for (unsigned i = 0; i < 100; i++) {
		h[i] = pool_new(&p);
		memset(pool_at(&p, h[i]), 0xff, 12);
	}
	for (unsigned i = 0; i < 100; i += 2)
		pool_free(&p, h[i]);
	ck_assert_uint_eq(p.used, 50);
	for (unsigned i = 0; i < 50; i++) {
		again = pool_new(&p);
		ck_assert_uint_le(again, 100);
		check_zero(pool_at(&p, again), 12);
	}
	ck_assert_uint_eq(p.used, 100);
	ck_assert_uint_eq(pool_new(&p), 101);
	pool_fini(&p);
}
END_TEST

START_TEST(addresses_stay_while_it_grows)
{
	struct pool p;
	uint32_t first;
	void *at;

	pool_init(&p, 8);
	ck_assert_uint_eq(pool_bytes(&p), 0);
	first = pool_new(&p);
	at = pool_at(&p, first);
	for (uint32_t i = 0; i < MANY; i++)
		ck_assert_uint_ne(pool_new(&p), 0);
	ck_assert_ptr_eq(pool_at(&p, first), at);
	ck_assert_uint_ge(pool_bytes(&p), MANY * 8);
	pool_fini(&p);
	ck_assert_uint_eq(pool_bytes(&p), 0);
	ck_assert_uint_eq(pool_new(&p), 1); /* ready for use again */
	pool_fini(&p);
}
END_TEST

UNIT_MAIN("pool", UNIT_ROWS(objects_are_zeroed_and_apart, sizes), UNIT(freed_handles_come_back_zeroed),
          UNIT(addresses_stay_while_it_grows))
