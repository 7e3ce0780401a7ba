/* SPDX-License-Identifier: BSD-2-Clause */
/* test_fibtab.c - a table of prefixes against an array that knows which are there, while it grows and
 * shrinks. */
#include "netlink/fibtab.h"

#include <stdlib.h>

#include "unit/unit.h"

#define PREFIXES 20000u
#define STEPS    300000u

static struct prefix nth(uint8_t family, uint32_t i)
{
	struct ip a = { .family = family };

	if (family == IP_V4)
		a = ip_v4(i * 7919u);
	else
		memcpy(a.b, &(uint32_t){ i * 7919u }, 4);
	return prefix_make(&a, family == IP_V4 ? 32 : 128);
}

/* The share of removals changes, so that the table fills and empties; the seed, so that chains differ. */
static void step(struct fibtab *t, uint32_t k, bool *there, uint32_t *count)
{
	uint32_t i = (uint32_t)rand() % PREFIXES;
	struct prefix p = nth(t->family, i);
	uint32_t h = fibtab_find(t, &p);
	bool remove = (uint32_t)rand() % 100 < (k / (STEPS / 6) % 2 ? 80u : 20u);

	ck_assert_msg((h != 0) == there[i], "step %u", k);
	if (h) {
		struct prefix found = fibtab_prefix(t, fibtab_at(t, h));

		ck_assert(prefix_equal(&found, &p));
		ck_assert_uint_eq(fibtab_get(t, &p), h);
	}
	if (h && remove) {
		fibtab_remove(t, h);
		--*count;
		there[i] = false;
	} else if (!h && !remove) {
		ck_assert_uint_ne(fibtab_get(t, &p), 0);
		++*count;
		there[i] = true;
	}
	ck_assert_uint_eq(t->count, *count);
}

static const uint8_t families[] = { IP_V4, IP_V6 };

START_TEST(agrees_with_a_model)
{
	bool *there = calloc(PREFIXES, sizeof(*there));
	uint32_t count = 0, walked = 0;
	struct fibtab t;

	fibtab_init(&t, families[_i], 0x1234567u);
	for (uint32_t k = 0; k < STEPS; k++)
		step(&t, k, there, &count);
	for (uint32_t i = 0; i < PREFIXES; i++) {
		struct prefix p = nth(t.family, i);

		ck_assert_int_eq(fibtab_find(&t, &p) != 0, there[i]);
	}
	for (uint32_t h = fibtab_next(&t, 0); h; h = fibtab_next(&t, h))
		walked++;
	ck_assert_uint_eq(walked, count);
	fibtab_fini(&t);
	free(there);
}
END_TEST

START_TEST(lengths_are_part_of_the_key)
{
	struct fibtab t;
	uint32_t handles[33];

	fibtab_init(&t, IP_V4, 1);
	for (uint8_t len = 0; len <= 32; len++) {
		struct prefix p = prefix_make(&(struct ip){ .family = IP_V4 }, len);

		handles[len] = fibtab_get(&t, &p);
	}
	for (uint8_t len = 0; len <= 32; len++) {
		struct prefix p = prefix_make(&(struct ip){ .family = IP_V4 }, len);

		ck_assert_uint_eq(fibtab_find(&t, &p), handles[len]);
	}
	ck_assert_uint_eq(t.count, 33);
	fibtab_fini(&t);
}
END_TEST

UNIT_MAIN("fibtab", UNIT_ROWS(agrees_with_a_model, families), UNIT(lengths_are_part_of_the_key))
