/* SPDX-License-Identifier: BSD-2-Clause */
/* test_as_regex.c - expressions over AS paths: what they match, what is refused, libc's opinion, hostile
 * texts. */
#include "policy/as_regex.h"
#include "unit/unit.h"

#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static struct as_regex *compile(const char *text)
{
	char err[256];
	struct as_regex *re = as_regex_new(text, err, sizeof(err));

	ck_assert_msg(re != NULL, "%s: %s", text, err);
	return re;
}

static const struct {
	const char *regex, *path;
	bool match;
} pairs[] = {
	{ "", "", true },
	{ "", "65001", true },
	{ "^$", "", true },
	{ "^$", "65001", false },
	{ "65001", "65001", true },
	{ "65001", "165001", true },
	{ "65001", "6500", false },
	{ "^65001", "65001 65002", true },
	{ "^65002", "65001 65002", false },
	{ "65002$", "65001 65002", true },
	{ "65001$", "65001 65002", false },
	{ "(^| )6500(1|2)( |$)", "1 65002 3", true },
	{ "(^| )6500(1|2)( |$)", "1 165002 3", false },
	{ "(^| )6500(1|2)( |$)", "65001", true },
	{ "^65001( [0-9]+)*$", "65001", true },
	{ "^65001( [0-9]+)*$", "65001 1 22 333", true },
	{ "^65001( [0-9]+)*$", "65001 {1 2}", false },
	{ "^[0-9]+( [0-9]+){2}$", "1 2 3", true },
	{ "^[0-9]+( [0-9]+){2}$", "1 2", false },
	{ "^[0-9]+( [0-9]+){2}$", "1 2 3 4", false },
	{ "^[0-9]+( [0-9]+){1,2}$", "1 2", true },
	{ "^[0-9]+( [0-9]+){1,2}$", "1", false },
	{ "^[0-9]+( [0-9]+){2,}$", "1 2", false },
	{ "^[0-9]+( [0-9]+){2,}$", "1 2 3 4 5 6", true },
	{ "^1{0}2$", "2", true },
	{ "^1{0,0}2$", "12", false },
	{ "^1{0,2}2$", "112", true },
	{ "^1{0,2}2$", "1112", false },
	{ "^1?2$", "2", true },
	{ "^1+2$", "2", false },
	{ "^(1|2|33|)$", "33", true },
	{ "^(1|2|33|)$", "", true },
	{ "^(1|2|33|)$", "3", false },
	{ "^(1*)*2$", "1112", true },
	{ "^(1?){3}$", "11", true },
	{ "^(){3}$", "", true },
	{ "[[:digit:]]+", "65001", true },
	{ "[[:space:]]", "65001", false },
	{ "[[:space:][:punct:]]", "{1}", true },
	{ "^[^0-9]", "{1 2}", true },
	{ "^[^ ]+$", "1 2", false },
	{ "^[]0-9]+$", "12", true },
	{ "^[0-9-]+$", "12", true },
	{ "^[^]]+$", "1 2", true },
	{ "\\{65003", "65001 {65003 65004}", true },
	{ "\\{65003 65004\\}$", "65001 {65003 65004}", true },
	{ "\\(65010\\)", "(65010) 65001", true },
	{ "^.*$", "65001 {65003 65004}", true },
	{ "1$|^2", "2 3", true },
	{ "1$|^2", "3 1", true },
	{ "1$|^2", "1 2 3", false },
	{ "12$3", "123", false },
	{ "1^2", "12", false },
	{ ".", "x", false }, /* no path has it */
	{ "[^0]", "x", false },
};

START_TEST(pair)
{
	struct as_regex *re = compile(pairs[_i].regex);

	ck_assert_msg(as_regex_match(re, pairs[_i].path) == pairs[_i].match, "'%s' '%s'", pairs[_i].regex,
	              pairs[_i].path);
	as_regex_free(re);
}
END_TEST

static const struct {
	const char *regex, *err; /* a word of the explanation */
} refused[] = {
	{ "_65001_", "no AS path has" },
	{ "65001,65002", "no AS path has" },
	{ "AS65001", "no AS path has" },
	{ "[a-z]", "no AS path has" },
	{ "[^0-9 {}()]", "no AS path has" },
	{ "[[:alpha:]]", "no AS path has" },
	{ "\\w", "no AS path has" },
	{ "]", "no AS path has" },
	{ "[0-9", "without ']'" },
	{ "[", "without ']'" },
	{ "[]", "without ']'" },
	{ "[^]", "without ']'" },
	{ "[0-", "without ']'" },
	{ "[9-0]", "ends before it begins" },
	{ "[[:digits:]]", "unknown character class" },
	{ "[[:digit", "unknown character class" },
	{ "[[.1.]]", "no meaning" },
	{ "[[=1=]]", "no meaning" },
	{ "(65001", "without ')'" },
	{ "((1)", "without ')'" },
	{ "65001)", "without '('" },
	{ ")", "without '('" },
	{ "*", "nothing before it" },
	{ "+1", "nothing before it" },
	{ "(?1)", "nothing before it" },
	{ "1|*", "nothing before it" },
	{ "{65003}", "nothing before it" },
	{ "1{", "followed by a count" },
	{ "1{,2}", "followed by a count" },
	{ "1{x}", "followed by a count" },
	{ "65001 {65003 65004}", "above 1024" },
	{ "1 {3 4}", "without '}'" },
	{ "1{2", "without '}'" },
	{ "1{2,", "followed by a count" },
	{ "1{2,3", "without '}'" },
	{ "1{3,2}", "wrong way round" },
	{ "1{1025}", "above 1024" },
	{ "1{99999999999999999999}", "above 1024" },
	{ "1{1024}", "too large" },
	{ "((1{100}){100}){100}", "too large" },
	{ "(1*)\\1", "back-references" },
	{ "1\\", "nothing follows" },
};

START_TEST(refuse)
{
	char err[256] = "";
	struct as_regex *re = as_regex_new(refused[_i].regex, err, sizeof(err));

	ck_assert_msg(!re, "%s", refused[_i].regex);
	ck_assert_msg(strstr(err, refused[_i].err), "%s: %s", refused[_i].regex, err);
}
END_TEST

START_TEST(refuse_depth)
{
	char text[201], err[256];

	memset(text, '(', 100);
	memset(text + 100, ')', 100);
	text[200] = '\0';
	ck_assert_ptr_null(as_regex_new(text, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "within one another"));
	text[132] = '\0';
	as_regex_free(compile(text + 68));
}
END_TEST

/* More than anybody writes: refused in time and on a bounded stack. */
START_TEST(refuse_length)
{
	static const char units[] = "1|(1(1{9}*";
	static char text[1 << 20];
	char err[256];

	for (size_t u = 0; units[u]; u++) {
		memset(text, units[u], sizeof(text) - 1);
		ck_assert_ptr_null(as_regex_new(text, err, sizeof(err)));
	}
	for (size_t i = 0; i + 1 < sizeof(text); i++)
		text[i] = "1|"[i % 2];
	ck_assert_ptr_null(as_regex_new(text, err, sizeof(err)));
	as_regex_free(NULL);
}
END_TEST

/* ---- libc's opinion --------------------------------------------------------------------------- */

struct gen {
	uint32_t seed;
	size_t n;
	char text[400];
};

static uint32_t draw(struct gen *g, uint32_t below)
{
	g->seed = g->seed * 1664525u + 1013904223u;
	return (g->seed >> 8) % below;
}

static void put(struct gen *g, const char *s)
{
	int n = snprintf(g->text + g->n, sizeof(g->text) - g->n, "%s", s);

	g->n += (size_t)n;
	ck_assert_uint_lt(g->n, sizeof(g->text));
}

static void gen_alternatives(struct gen *g, unsigned depth, bool anchors);

/* No anchor is repeated, nor is a group that has one: POSIX leaves open what the one means, and glibc 2.36
 * gets the other wrong: it finds
 * (.*^2){2} in 2{2{2. */
static void gen_piece(struct gen *g, unsigned depth, bool anchors)
{
	static const char *const atoms[] = { "1",    "2", "2",           " ",   "1",     "[12]",
		                             "[^1]", ".", "[[:digit:]]", "\\{", "[0-1 ]" };
	static const char *const counts[] = { "*", "+", "?", "{2}", "{1,2}", "{0,1}", "{2,}" };
	const char *count = draw(g, 2) ? counts[draw(g, UNIT_COUNT(counts))] : "";

	if (anchors && draw(g, 6) == 0) {
		put(g, draw(g, 2) ? "^" : "$");
		return;
	}
	if (depth && draw(g, 3) == 0) {
		put(g, "(");
		gen_alternatives(g, depth - 1, anchors && !*count);
		put(g, ")");
	} else {
		put(g, atoms[draw(g, UNIT_COUNT(atoms))]);
	}
	put(g, count);
}

static void gen_alternatives(struct gen *g, unsigned depth, bool anchors)
{
	do {
		for (uint32_t pieces = 1 + draw(g, 3); pieces; pieces--)
			gen_piece(g, depth, anchors);
	} while (draw(g, 4) == 0 && (put(g, "|"), true));
}

static void gen_path(struct gen *g, char *path)
{
	uint32_t n = draw(g, 9);

	for (uint32_t i = 0; i < n; i++)
		path[i] = "12 {"[draw(g, 4)];
	path[n] = '\0';
}

static const uint32_t seeds[] = { 1, 22, 333, 4444 };

START_TEST(random_against_libc)
{
	struct gen g = { .seed = seeds[_i] };
	unsigned matched = 0, asked = 0;

	for (unsigned round = 0; round < 2500; round++) {
		struct as_regex *re;
		char path[16];
		regex_t libc;

		g.n = 0;
		gen_alternatives(&g, 2, true);
		ck_assert_msg(regcomp(&libc, g.text, REG_EXTENDED | REG_NOSUB) == 0, "%s", g.text);
		re = compile(g.text);
		for (unsigned probe = 0; probe < 20; probe++) {
			bool want;

			gen_path(&g, path);
			want = regexec(&libc, path, 0, NULL, 0) == 0;
			ck_assert_msg(as_regex_match(re, path) == want, "'%s' '%s'", g.text, path);
			matched += want;
			asked++;
		}
		as_regex_free(re);
		regfree(&libc);
	}
	ck_assert_uint_gt(matched, asked / 10);
	ck_assert_uint_lt(matched, asked / 10 * 9);
}
END_TEST

/* ---- hostile texts ---------------------------------------------------------------------------- */

/* Expressions that make backtracking exponential, or that make a table of state sets explode, over the
 * longest path that a filter looks at. The time limit of the test is that of the suite; each of them takes
 * milliseconds. */
static const char *const dear[] = { "65001.*65002", "(1*)*2",      "(1|11)*2",
	                            "1.{200}2$",    "(.*1){20}2$", "((1?){20}1{20})+2" };

START_TEST(hostile_path)
{
	struct as_regex *re = compile(dear[_i]);
	static char path[65536];

	memset(path, '1', sizeof(path) - 1);
	ck_assert(!as_regex_match(re, path));
	for (size_t i = 0; i + 1 < sizeof(path); i++)
		path[i] = "65001 "[i % 6];
	ck_assert(!as_regex_match(re, path));
	as_regex_free(re);
}
END_TEST

UNIT_MAIN("as_regex", UNIT_ROWS(pair, pairs), UNIT_ROWS(refuse, refused), UNIT(refuse_depth),
          UNIT(refuse_length), UNIT_ROWS(random_against_libc, seeds), UNIT_ROWS(hostile_path, dear))
