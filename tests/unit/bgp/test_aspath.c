/* SPDX-License-Identifier: BSD-2-Clause */
/* test_aspath.c - AS_PATH algebra. Paths are written as aspath_print() prints them and built from that text.
 */
#include "bgp/aspath.h"
#include "mcbgp/bgp.h"
#include "unit/unit.h"

#include <ctype.h>
#include <string.h>

struct path {
	uint8_t b[16384];
	struct blob blob;
};

/* "1 2 {3 4} (5) ({6})": a run of plain numbers is one AS_SEQUENCE, "|" begins another. */
static struct blob path_of(struct path *p, const char *text)
{
	struct writer w = wr_init(p->b, sizeof(p->b));
	uint8_t *count = NULL, type = BGP_AS_SEQUENCE;

	for (; *text; text++) {
		if (*text == '{') {
			type = type == BGP_AS_CONFED_SEQUENCE ? BGP_AS_CONFED_SET : BGP_AS_SET;
			count = NULL;
		} else if (*text == '(') {
			type = BGP_AS_CONFED_SEQUENCE;
			count = NULL;
		} else if (*text == '}' || *text == ')' || *text == '|') {
			type = BGP_AS_SEQUENCE;
			count = NULL;
		} else if (isdigit((unsigned char)*text)) {
			if (!count) {
				wr_u8(&w, type);
				count = wr_skip(&w, 1);
				*count = 0;
			}
			wr_u32(&w, (uint32_t)strtoul(text, (char **)&text, 10));
			++*count;
			text--;
		}
	}
	ck_assert(!w.bad);
	p->blob = (struct blob){ p->b, (uint32_t)(w.p - p->b) };
	ck_assert(aspath_check(rd_init(p->blob.p, p->blob.len), 4));
	return p->blob;
}

static struct writer sink(struct path *p)
{
	return wr_init(p->b, sizeof(p->b));
}

/* What was written to @w over @p, which must be a path of whole segments. */
static struct blob written(struct path *p, const struct writer *w)
{
	ck_assert(!w->bad);
	p->blob = (struct blob){ p->b, (uint32_t)(w->p - p->b) };
	ck_assert(aspath_check(rd_init(p->blob.p, p->blob.len), 4));
	return p->blob;
}

static void check_text(struct blob path, const char *want, const char *what)
{
	static char buf[65536];

	ck_assert_uint_eq(aspath_print(path, buf, sizeof(buf)), strlen(buf));
	ck_assert_msg(strcmp(buf, want) == 0, "%s: '%s', not '%s'", what, buf, want);
}

static const struct {
	const char *what;
	uint8_t as_size, wire[14], len;
	bool want;
} checks[] = {
	{ "empty", 4, { 0 }, 0, true },
	{ "one", 4, { 2, 1, 0, 0, 0, 1 }, 6, true },
	{ "one of two bytes", 2, { 2, 1, 0, 1 }, 4, true },
	{ "two segments", 2, { 2, 1, 0, 1, 1, 1, 0, 2 }, 8, true },
	{ "confederation", 2, { 3, 1, 0, 1, 4, 1, 0, 2 }, 8, true },
	{ "type 0", 2, { 0, 1, 0, 1 }, 4, false },
	{ "type 5", 2, { 5, 1, 0, 1 }, 4, false },
	{ "empty segment", 2, { 2, 0 }, 2, false },
	{ "empty segment behind a good one", 2, { 2, 1, 0, 1, 2, 0 }, 6, false },
	{ "count past the end", 2, { 2, 2, 0, 1 }, 4, false },
	{ "255 of them promised", 4, { 2, 255, 0, 0, 0, 1 }, 6, false },
	{ "a type alone", 2, { 2 }, 1, false },
	{ "half a number left", 2, { 2, 1, 0, 1, 0 }, 5, false },
	{ "two-byte path read as four", 4, { 2, 2, 0, 1, 0, 2 }, 6, false },
};

START_TEST(check)
{
	ck_assert_msg(aspath_check(rd_init(checks[_i].wire, checks[_i].len), checks[_i].as_size) ==
	                      checks[_i].want,
	              "%s", checks[_i].what);
}
END_TEST

static const struct {
	const char *path;
	uint16_t len;
	uint32_t first, origin;
	bool confed, zero, as4;
} facts[] = {
	{ "", 0, 0, 0, false, false, false },
	{ "65001", 1, 65001, 65001, false, false, false },
	{ "65001 65002", 2, 65001, 65002, false, false, false },
	{ "65001 {1 2 3}", 2, 65001, 0, false, false, false },
	{ "{1 2} 3", 2, 0, 3, false, false, false },
	{ "(1 2) 3 4", 2, 0, 4, true, false, false },
	{ "({1 2})", 0, 0, 0, true, false, false },
	{ "3 (1)", 1, 3, 0, true, false, false },
	{ "65001 0", 2, 65001, 0, false, true, false },
	{ "{0}", 1, 0, 0, false, true, false },
	{ "4200000000 1", 2, 4200000000, 1, false, false, true },
	{ "1 {65536}", 2, 1, 0, false, false, true },
	{ "65535", 1, 65535, 65535, false, false, false },
	{ "4294967295", 1, 4294967295, 4294967295, false, false, true },
};

START_TEST(facts_of_a_path)
{
	struct path p;
	struct blob b = path_of(&p, facts[_i].path);

	check_text(b, facts[_i].path, "print");
	ck_assert_msg(aspath_len(b) == facts[_i].len, "len %s", facts[_i].path);
	ck_assert_msg(aspath_first(b) == facts[_i].first, "first %s", facts[_i].path);
	ck_assert_msg(aspath_origin(b) == facts[_i].origin, "origin %s", facts[_i].path);
	ck_assert_msg(aspath_has_confed(b) == facts[_i].confed, "confed %s", facts[_i].path);
	ck_assert_msg(aspath_has_zero(b) == facts[_i].zero, "zero %s", facts[_i].path);
	ck_assert_msg(aspath_needs_as4(b) == facts[_i].as4, "as4 %s", facts[_i].path);
}
END_TEST

START_TEST(print_is_cut_but_counted)
{
	struct path p;
	struct blob b = path_of(&p, "65001 {1 2} 4294967295");
	char full[64], buf[64];
	size_t len = aspath_print(b, full, sizeof(full));

	ck_assert_uint_eq(aspath_print(b, NULL, 0), len);
	for (size_t size = 1; size < sizeof(buf); size++) {
		ck_assert_uint_eq(aspath_print(b, buf, size), len);
		ck_assert_uint_eq(strlen(buf), len < size ? len : size - 1);
		ck_assert_int_eq(strncmp(buf, full, strlen(buf)), 0);
	}
}
END_TEST

START_TEST(counts_in_every_segment)
{
	struct path p;
	struct blob b = path_of(&p, "7 8 {7 9} (7) ({7})");

	ck_assert_uint_eq(aspath_count(b, 7), 4);
	ck_assert_uint_eq(aspath_count(b, 9), 1);
	ck_assert_uint_eq(aspath_count(b, 1), 0);
}
END_TEST

static const struct {
	const char *path, *narrowed; /* and widened again */
} narrows[] = {
	{ "", "" },
	{ "1 65535", "1 65535" },
	{ "1 65536 {4200000000 2}", "1 23456 {23456 2}" },
	{ "(70000)", "(23456)" },
};

static const struct {
	const char *path, *want;
} leavings[] = {
	{ "", "" },
	{ "70000 1 {2 3}", "70000 1 {2 3}" },
	{ "(64512 64513) 70000", "70000" },
	{ "70000 ({1 2}) 8", "70000 | 8" },
	{ "(64512)", "" },
};

START_TEST(confederations_are_left_out)
{
	struct path p, out, want;
	struct writer w = sink(&out);
	struct blob got, expected;

	aspath_without_confed(path_of(&p, leavings[_i].path), &w);
	got = written(&out, &w);
	expected = path_of(&want, leavings[_i].want);
	ck_assert_msg(got.len == expected.len && memcmp(got.p, expected.p, got.len) == 0, "%s",
	              leavings[_i].path);
}
END_TEST

START_TEST(narrow_and_widen)
{
	struct path p, two, four;
	struct writer w = sink(&two);

	aspath_narrow(path_of(&p, narrows[_i].path), &w);
	ck_assert(!w.bad && aspath_check(rd_init(two.b, (size_t)(w.p - two.b)), 2));
	struct reader r = rd_init(two.b, (size_t)(w.p - two.b));
	w = sink(&four);
	aspath_widen(r, &w);
	check_text(written(&four, &w), narrows[_i].narrowed, narrows[_i].path);
}
END_TEST

static const struct {
	const char *what, *path, *as4, *want;
} merges[] = {
	{ "all of it was hidden", "23456 23456", "70000 70001", "70000 70001" },
	{ "an old speaker prepended", "100 23456 23456", "70000 70001", "100 70000 70001" },
	{ "... in a segment of its own", "100 | 23456 23456", "70000 70001", "100 70000 70001" },
	{ "nothing hidden", "1 2 3", "", "1 2 3" },
	{ "AS4_PATH longer: ignored", "1", "70000 70001", "1" },
	{ "both empty", "", "", "" },
	{ "a set counts one", "100 23456 {1 23456}", "70000 {1 70001}", "100 70000 {1 70001}" },
	{ "a set is kept whole", "{1 2} 23456", "70000", "{1 2} 70000" },
	{ "leading confederation stays", "(64512) 100 23456", "70000", "(64512) 100 70000" },
	{ "... also alone", "(64512) 23456", "70000", "(64512) 70000" },
	{ "confederation beside what is kept", "100 (64512) 23456", "70000", "100 (64512) 70000" },
	{ "confederation behind is not", "100 23456 (64512)", "70000", "100 70000" },
	{ "confederation in AS4_PATH is dropped", "100 23456", "(64512) 70000", "100 70000" },
};

START_TEST(merge)
{
	struct path p, as4, out;
	struct writer w = sink(&out);

	aspath_merge(path_of(&p, merges[_i].path), path_of(&as4, merges[_i].as4), &w);
	check_text(written(&out, &w), merges[_i].want, merges[_i].what);
}
END_TEST

static const struct {
	const char *path;
	unsigned times;
	const char *want;
} prepends[] = {
	{ "", 1, "65000" },
	{ "", 0, "" },
	{ "1 2", 0, "1 2" },
	{ "1 2", 1, "65000 1 2" },
	{ "1 2 {3}", 3, "65000 65000 65000 1 2 {3}" },
	{ "{1 2} 3", 2, "65000 65000 {1 2} 3" },
	{ "(1) 3", 1, "65000 (1) 3" },
	{ "1 | 2", 1, "65000 1 2" },
};

START_TEST(prepend)
{
	struct path p, out;
	struct writer w = sink(&out);

	aspath_prepend(path_of(&p, prepends[_i].path), 65000, prepends[_i].times, &w);
	check_text(written(&out, &w), prepends[_i].want, prepends[_i].path);
}
END_TEST

static const struct {
	const char *what;
	unsigned before, times; /* a sequence of so many */
	uint8_t segments[4];    /* counts, 0 ends */
} overflows[] = {
	{ "room for all", 250, 5, { 255 } },
	{ "one beyond", 250, 6, { 1, 255 } },
	{ "full already", 255, 1, { 1, 255 } },
	{ "two more segments", 254, 257, { 1, 255, 255 } },
	{ "full ones in front", 0, 510, { 255, 255 } },
	{ "from nothing", 0, 256, { 1, 255 } },
};

START_TEST(prepend_over_255)
{
	struct path p, out;
	struct writer w = sink(&p);
	struct reader r;
	struct blob b;

	aspath_prepend((struct blob){ 0 }, 1, overflows[_i].before, &w);
	written(&p, &w);
	w = sink(&out);
	aspath_prepend(p.blob, 2, overflows[_i].times, &w);
	b = written(&out, &w);
	ck_assert_uint_eq(aspath_len(b), overflows[_i].before + overflows[_i].times);
	ck_assert_uint_eq(aspath_count(b, 2), overflows[_i].times);
	ck_assert_uint_eq(aspath_first(b), 2);
	r = rd_init(b.p, b.len);
	for (const uint8_t *n = overflows[_i].segments; *n; n++) {
		ck_assert_uint_eq(rd_u8(&r), BGP_AS_SEQUENCE);
		ck_assert_msg(rd_u8(&r) == *n, "%s", overflows[_i].what);
		rd_take(&r, *n * (size_t)4);
	}
	ck_assert_uint_eq(rd_left(&r), 0);
}
END_TEST

START_TEST(what_does_not_fit_is_said)
{
	struct path p;
	struct blob b = path_of(&p, "1 2 3");
	uint8_t small[8];
	struct writer w = wr_init(small, sizeof(small));

	aspath_prepend(b, 9, UINT32_MAX, &w);
	ck_assert(w.bad);
	w = wr_init(small, sizeof(small));
	aspath_merge(b, b, &w);
	ck_assert(w.bad);
	w = wr_init(small, 1);
	aspath_remove_private(b, &w);
	ck_assert(w.bad);
}
END_TEST

static const struct {
	const char *path, *want;
} privates[] = {
	{ "", "" },
	{ "1 2", "1 2" },
	{ "64512 1 65534 2", "1 2" },
	{ "64511 65535", "64511 65535" },
	{ "4200000000 4294967294 4294967295 4199999999", "4294967295 4199999999" },
	{ "1 {64512 2} 3", "1 {2} 3" },
	{ "1 {64512} 3", "1 3" },
	{ "1 {64512} {2}", "1 {2}" },
	{ "64512", "" },
	{ "{1} {2}", "{1} {2}" },
};

START_TEST(remove_private)
{
	struct path p, out;
	struct writer w = sink(&out);

	aspath_remove_private(path_of(&p, privates[_i].path), &w);
	check_text(written(&out, &w), privates[_i].want, privates[_i].path);
}
END_TEST

START_TEST(what_comes_together_is_joined)
{
	struct path p, out, want;
	struct writer w = sink(&out);
	struct blob b;

	aspath_remove_private(path_of(&p, "1 {64512} 3 (4) 5"), &w);
	b = written(&out, &w);
	path_of(&want, "1 3 (4) 5");
	ck_assert_uint_eq(b.len, want.blob.len);
	ck_assert_mem_eq(b.p, want.b, b.len);
}
END_TEST

START_TEST(replace)
{
	struct path p, out;
	struct writer w = sink(&out);

	aspath_replace(path_of(&p, "1 2 {1 3} (1)"), 1, 4200000000, &w);
	check_text(written(&out, &w), "4200000000 2 {4200000000 3} (4200000000)", "replace");
}
END_TEST

UNIT_MAIN("aspath", UNIT_ROWS(check, checks), UNIT_ROWS(facts_of_a_path, facts),
          UNIT(print_is_cut_but_counted), UNIT(counts_in_every_segment), UNIT_ROWS(narrow_and_widen, narrows),
          UNIT_ROWS(confederations_are_left_out, leavings), UNIT_ROWS(merge, merges),
          UNIT_ROWS(prepend, prepends), UNIT_ROWS(prepend_over_255, overflows),
          UNIT(what_does_not_fit_is_said), UNIT_ROWS(remove_private, privates),
          UNIT(what_comes_together_is_joined), UNIT(replace))
