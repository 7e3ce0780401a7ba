/* SPDX-License-Identifier: BSD-2-Clause */
/* test_words.c - request lines cut into words; abbreviations. */
#include "ctl/words.h"

#include <string.h>

#include "unit/unit.h"

static const struct {
	const char *line;
	const char *words; /* joined by '|', quoted ones in '<>'; NULL: refused */
} lines[] = {
	{ "", "" },
	{ "  \t \r", "" },
	{ "show", "show" },
	{ " show\troute\r", "show|route" },
	{ "disable node1 \"for an hour\"", "disable|node1|<for an hour>" },
	{ "show protocols \"n*\"", "show|protocols|<n*>" },
	{ "\"\"", "<>" },
	{ "disable \"", NULL },
	{ "disable \"a", NULL },
	{ "disable \"a\"b", NULL },
	{ "disable a\"b\"", NULL },
	{ "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a",
	  "a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a" },
	{ "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a", NULL },
};

START_TEST(split)
{
	char line[256], joined[256] = "";
	struct words w;
	const char *wrong;

	strcpy(line, lines[_i].line);
	wrong = words_split(line, &w);
	ck_assert_msg(!wrong == !!lines[_i].words, "%s: %s", lines[_i].line, wrong ? wrong : "taken");
	for (size_t i = 0; !wrong && i < w.n; i++) {
		strcat(joined, i ? "|" : "");
		strcat(joined, w.w[i].quoted ? "<" : "");
		strcat(joined, w.w[i].text);
		strcat(joined, w.w[i].quoted ? ">" : "");
	}
	if (!wrong)
		ck_assert_str_eq(joined, lines[_i].words);
}
END_TEST

static const struct keyword keys[] = {
	{ "for", "", 0 }, { "filtered", "", 1 }, { "primary", "", 2 },
	{ "all", "", 3 }, { "allow", "", 4 },    { 0 },
};

static const struct {
	const char *text;
	int want;
} keywords[] = {
	{ "for", 0 },
	{ "f", KEYWORD_AMBIGUOUS },
	{ "fi", 1 },
	{ "filtered", 1 },
	{ "filteredx", KEYWORD_NONE },
	{ "p", 2 },
	{ "al", KEYWORD_AMBIGUOUS },
	{ "all", 3 }, /* written out wins */
	{ "allo", 4 },
	{ "", KEYWORD_NONE },
	{ "x", KEYWORD_NONE },
};

START_TEST(keyword)
{
	ck_assert_msg(keyword_find(keys, keywords[_i].text) == keywords[_i].want, "%s", keywords[_i].text);
}
END_TEST

START_TEST(distance)
{
	ck_assert_uint_eq(words_distance("show", "show"), 0);
	ck_assert_uint_eq(words_distance("shew", "show"), 1);
	ck_assert_uint_eq(words_distance("", "show"), 4);
	ck_assert_uint_eq(words_distance("show", ""), 4);
	ck_assert_uint_eq(words_distance("kitten", "sitting"), 3);
}
END_TEST

UNIT_MAIN("words", UNIT_ROWS(split, lines), UNIT_ROWS(keyword, keywords), UNIT(distance))
