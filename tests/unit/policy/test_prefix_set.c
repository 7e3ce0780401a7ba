/* SPDX-License-Identifier: BSD-2-Clause */
/* test_prefix_set.c - the notation of prefix patterns, and sets of them against a list that is asked from end
 * to end. */
#include "policy/prefix_set.h"
#include "unit/unit.h"

#include <string.h>

static struct prefix prefix_of(const char *text)
{
	struct prefix p;

	ck_assert_msg(prefix_parse(text, true, &p), "%s", text);
	return p;
}

static struct prefix_pattern pattern_of(const char *text)
{
	struct prefix_pattern p;
	const char *err;

	ck_assert_msg(prefix_pattern_parse(text, &p, &err), "%s: %s", text, err);
	return p;
}

/* ---- the notation ----------------------------------------------------------------------------- */

static const struct {
	const char *text;
	unsigned min, max;
	const char *print; /* NULL: as it was written */
} forms[] = {
	{ "10.0.0.0/8", 8, 8, NULL },
	{ "10.0.0.0/8+", 8, 32, NULL },
	{ "10.0.0.0/8-", 0, 8, NULL },
	{ "10.0.0.0/8{24,28}", 24, 28, NULL },
	{ "10.0.0.0/8{8,24}", 8, 24, NULL },
	{ "10.0.0.0/8{32,32}", 32, 32, NULL },
	{ "10.0.0.0/8{ 24 , 28 }", 24, 28, "10.0.0.0/8{24,28}" },
	{ "10.0.0.0/8{8,8}", 8, 8, "10.0.0.0/8" },
	{ "10.0.0.0/8{8,32}", 8, 32, "10.0.0.0/8+" },
	{ "10.1.2.3/32+", 32, 32, "10.1.2.3/32" },
	{ "0.0.0.0/0", 0, 0, NULL },
	{ "0.0.0.0/0-", 0, 0, "0.0.0.0/0" },
	{ "0.0.0.0/0+", 0, 32, NULL },
	{ "::/0+", 0, 128, NULL },
	{ "2001:db8::/32{48,64}", 48, 64, NULL },
	{ "2001:db8::/32-", 0, 32, NULL },
	{ "2001:db8:ffff:ffff:ffff:ffff:ffff:0/112{128,128}", 128, 128, NULL },
};

START_TEST(form)
{
	struct prefix_pattern p = pattern_of(forms[_i].text);
	char buf[PREFIX_PATTERN_STRLEN];

	ck_assert_uint_eq(p.min_len, forms[_i].min);
	ck_assert_uint_eq(p.max_len, forms[_i].max);
	ck_assert_str_eq(prefix_pattern_print(&p, buf, sizeof(buf)),
	                 forms[_i].print ? forms[_i].print : forms[_i].text);
}
END_TEST

static const struct {
	const char *text, *err; /* a word of the explanation */
} refused[] = {
	{ "", "not a prefix" },
	{ "+", "not a prefix" },
	{ "pods", "not a prefix" },
	{ "10.0.0.0", "not a prefix" },
	{ "10.0.0.0+", "not a prefix" },
	{ "10.0.0/8", "not a prefix" },
	{ "10.0.0.0/33", "not a prefix" },
	{ "10.0.0.0/", "not a prefix" },
	{ "10.0.0.0/08", "not a prefix" },
	{ " 10.0.0.0/8", "not a prefix" },
	{ "10.0.0.0/8 ", "not a prefix" },
	{ "10.0.0.0/8 +", "not a prefix" },
	{ "10.0.0.0/8x", "not a prefix" },
	{ "2001:db8::/129", "not a prefix" },
	{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb/128", "not a prefix" },
	{ "10.0.0.1/8", "bits are set" },
	{ "2001:db8::1/64+", "bits are set" },
	{ "10.0.0.0/8++", "nothing may follow" },
	{ "10.0.0.0/8+-", "nothing may follow" },
	{ "10.0.0.0/8-{1,2}", "nothing may follow" },
	{ "10.0.0.0/8{", "two lengths" },
	{ "10.0.0.0/8{}", "two lengths" },
	{ "10.0.0.0/8{24}", "two lengths" },
	{ "10.0.0.0/8{24,}", "two lengths" },
	{ "10.0.0.0/8{,24}", "two lengths" },
	{ "10.0.0.0/8{24,28", "two lengths" },
	{ "10.0.0.0/8{24,28}+", "two lengths" },
	{ "10.0.0.0/8{24;28}", "two lengths" },
	{ "10.0.0.0/8{-1,28}", "two lengths" },
	{ "10.0.0.0/8{24,2 8}", "two lengths" },
	{ "10.0.0.0/8{24,4294967320}", "two lengths" },
	{ "10.0.0.0/8{28,24}", "wrong way round" },
	{ "10.0.0.0/8{24,33}", "more than the address has" },
	{ "2001:db8::/32{48,129}", "more than the address has" },
	{ "10.0.0.0/8{4,24}", "below the prefix" },
};

START_TEST(refuse)
{
	struct prefix_pattern p, before;
	const char *err = NULL;

	memset(&p, 0xa5, sizeof(p));
	before = p;
	ck_assert_msg(!prefix_pattern_parse(refused[_i].text, &p, &err), "%s", refused[_i].text);
	ck_assert_msg(strstr(err, refused[_i].err), "%s: %s", refused[_i].text, err);
	ck_assert_mem_eq(&p, &before, sizeof(p));
}
END_TEST

START_TEST(print_is_cut)
{
	struct prefix_pattern p = pattern_of("10.0.0.0/8{24,28}");
	char buf[12];

	ck_assert_str_eq(prefix_pattern_print(&p, buf, sizeof(buf)), "10.0.0.0/8{");
}
END_TEST

/* ---- sets ------------------------------------------------------------------------------------- */

static const struct {
	const char *pattern, *prefix;
	bool match;
} pairs[] = {
	{ "10.0.0.0/8", "10.0.0.0/8", true },
	{ "10.0.0.0/8", "10.0.0.0/9", false },
	{ "10.0.0.0/8", "10.0.0.0/7", false },
	{ "10.0.0.0/8", "11.0.0.0/8", false },
	{ "10.0.0.0/8+", "10.0.0.0/8", true },
	{ "10.0.0.0/8+", "10.255.255.255/32", true },
	{ "10.0.0.0/8+", "10.0.0.0/7", false },
	{ "10.0.0.0/8+", "11.0.0.0/32", false },
	{ "10.0.0.0/8-", "10.0.0.0/8", true },
	{ "10.0.0.0/8-", "8.0.0.0/5", true },
	{ "10.0.0.0/8-", "0.0.0.0/0", true },
	{ "10.0.0.0/8-", "10.0.0.0/9", false },
	{ "10.0.0.0/8-", "12.0.0.0/6", false },
	{ "10.0.0.0/8{24,28}", "10.1.2.0/24", true },
	{ "10.0.0.0/8{24,28}", "10.1.2.16/28", true },
	{ "10.0.0.0/8{24,28}", "10.1.2.0/23", false },
	{ "10.0.0.0/8{24,28}", "10.1.2.8/29", false },
	{ "10.0.0.0/8{24,28}", "10.0.0.0/8", false },
	{ "10.0.0.0/8{24,28}", "11.1.2.0/24", false },
	{ "0.0.0.0/0+", "192.0.2.1/32", true },
	{ "0.0.0.0/0+", "::/0", false },
	{ "::/0+", "0.0.0.0/0", false },
	{ "::/0+", "2001:db8::1/128", true },
	{ "2001:db8::/32-", "::/0", true },
};

START_TEST(one_pattern)
{
	struct prefix_pattern pattern = pattern_of(pairs[_i].pattern);
	struct prefix p = prefix_of(pairs[_i].prefix);
	struct prefix_set *s = prefix_set_new();

	ck_assert(!prefix_set_match(s, &p));
	ck_assert_int_eq(prefix_set_add(s, &pattern), 0);
	ck_assert_msg(prefix_set_match(s, &p) == pairs[_i].match, "%s %s", pairs[_i].pattern,
	              pairs[_i].prefix);
	prefix_set_free(s);
}
END_TEST

static struct prefix_set *set_of(const char *const *texts, size_t n)
{
	struct prefix_set *s = prefix_set_new();

	for (size_t i = 0; i < n; i++) {
		struct prefix_pattern p = pattern_of(texts[i]);

		ck_assert_int_eq(prefix_set_add(s, &p), 0);
	}
	return s;
}

START_TEST(same_patterns_are_equal)
{
	static const char *const a[] = { "10.0.0.0/8+", "10.0.0.0/8-", "10.0.0.0/8", "10.0.0.0/8{24,28}",
		                         "::/0" };
	static const char *const b[] = { "::/0",        "10.0.0.0/8{24,28}", "10.0.0.0/8",
		                         "10.0.0.0/8-", "10.0.0.0/8{8,32}",  "::/0" };
	static const char *const c[] = { "10.0.0.0/8+", "10.0.0.0/8-", "10.0.0.0/8", "10.0.0.0/8{24,29}",
		                         "::/0" };
	static const char *const d[] = { "10.0.0.0/8+", "11.0.0.0/8-", "10.0.0.0/8", "10.0.0.0/8{24,28}",
		                         "::/0" };
	struct prefix_set *sa = set_of(a, 5), *sb = set_of(b, 6), *sc = set_of(c, 5), *sd = set_of(d, 5),
	                  *none = set_of(a, 0);

	ck_assert_uint_eq(prefix_set_count(sa), 5);
	ck_assert_uint_eq(prefix_set_count(sb), 5);
	ck_assert(prefix_set_equal(sa, sb) && prefix_set_equal(sb, sa));
	ck_assert(!prefix_set_equal(sa, sc) && !prefix_set_equal(sc, sa));
	ck_assert(!prefix_set_equal(sa, sd) && !prefix_set_equal(sd, sa));
	ck_assert(!prefix_set_equal(sa, none) && !prefix_set_equal(none, sa));
	ck_assert(prefix_set_equal(none, none));
	prefix_set_free(sa);
	prefix_set_free(sb);
	prefix_set_free(sc);
	prefix_set_free(sd);
	prefix_set_free(none);
	prefix_set_free(NULL);
}
END_TEST

/* ---- against a list --------------------------------------------------------------------------- */

static uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % below;
}

/* Few distinct bits, so that prefixes nest, touch and meet often. */
static struct prefix draw_prefix(uint32_t *seed)
{
	struct ip a = ip_v4(draw(seed, 8) << 29 | draw(seed, 8) << 12 | draw(seed, 4));

	if (draw(seed, 3))
		return prefix_make(&a, (uint8_t)draw(seed, 33));
	a.family = IP_V6;
	a.b[8] = (uint8_t)draw(seed, 4);
	a.b[15] = (uint8_t)draw(seed, 4);
	return prefix_make(&a, (uint8_t)draw(seed, 129));
}

static struct prefix_pattern draw_pattern(uint32_t *seed)
{
	struct prefix_pattern p = { .prefix = draw_prefix(seed) };
	uint32_t bits = ip_bits(p.prefix.addr.family);

	p.min_len = p.max_len = p.prefix.len;
	switch (draw(seed, 4)) {
	case 0:
		p.min_len = 0;
		break;
	case 1:
		p.max_len = (uint8_t)bits;
		break;
	case 2:
		p.min_len = (uint8_t)(p.prefix.len + draw(seed, bits - p.prefix.len + 1));
		p.max_len = (uint8_t)(p.min_len + draw(seed, bits - p.min_len + 1));
		break;
	}
	return p;
}

/* The header's words, taken literally. */
static bool model_match(const struct prefix_pattern *m, const struct prefix *p)
{
	if (p->len < m->min_len || p->len > m->max_len)
		return false;
	return prefix_contains(&m->prefix, p) || prefix_contains(p, &m->prefix);
}

static const uint32_t seeds[] = { 1, 22, 333 };

START_TEST(random_against_list)
{
	struct prefix_pattern list[60];
	uint32_t seed = seeds[_i];
	unsigned matched = 0;

	for (unsigned round = 0; round < 200; round++) {
		struct prefix_set *s = prefix_set_new();
		uint32_t n = draw(&seed, UNIT_COUNT(list));

		for (uint32_t i = 0; i < n; i++) {
			list[i] = draw_pattern(&seed);
			ck_assert_int_eq(prefix_set_add(s, &list[i]), 0);
		}
		for (unsigned probe = 0; probe < 200; probe++) {
			struct prefix p = draw_prefix(&seed);
			bool want = false;

			for (uint32_t i = 0; i < n; i++)
				want |= model_match(&list[i], &p);
			ck_assert_int_eq(prefix_set_match(s, &p), want);
			matched += want;
		}
		prefix_set_free(s);
	}
	ck_assert_uint_gt(matched, 5000); /* and 40,000 probes in all: both answers are common */
	ck_assert_uint_lt(matched, 35000);
}
END_TEST

START_TEST(random_pattern_survives_its_text)
{
	uint32_t seed = seeds[_i];

	for (unsigned i = 0; i < 5000; i++) {
		struct prefix_pattern p = draw_pattern(&seed), q;
		char buf[PREFIX_PATTERN_STRLEN];
		const char *err;

		ck_assert_msg(prefix_pattern_parse(prefix_pattern_print(&p, buf, sizeof(buf)), &q, &err),
		              "%s: %s", buf, err);
		ck_assert(prefix_equal(&p.prefix, &q.prefix) && p.min_len == q.min_len &&
		          p.max_len == q.max_len);
	}
}
END_TEST

UNIT_MAIN("prefix_set", UNIT_ROWS(form, forms), UNIT_ROWS(refuse, refused), UNIT(print_is_cut),
          UNIT_ROWS(one_pattern, pairs), UNIT(same_patterns_are_equal), UNIT_ROWS(random_against_list, seeds),
          UNIT_ROWS(random_pattern_survives_its_text, seeds))
