/* SPDX-License-Identifier: BSD-2-Clause */
/* test_community.c - notations, patterns, matching and rewriting of the three families. */
#include "bgp/community.h"
#include "mcbgp/bgp.h"
#include "unit/unit.h"

#include <string.h>

static const struct {
	enum community_kind kind;
	const char *text, *canonical; /* canonical NULL: refused */
} notations[] = {
	{ COMMUNITY_PLAIN, "65000:1", "65000:1" },
	{ COMMUNITY_PLAIN, "0:0", "0:0" },
	{ COMMUNITY_PLAIN, "65535:65535", "65535:65535" },
	{ COMMUNITY_PLAIN, "65000:*", "65000:*" },
	{ COMMUNITY_PLAIN, "*:1", "*:1" },
	{ COMMUNITY_PLAIN, "*:*", "*:*" },
	{ COMMUNITY_PLAIN, "no-export", "no-export" },
	{ COMMUNITY_PLAIN, "no-advertise", "no-advertise" },
	{ COMMUNITY_PLAIN, "no-export-subconfed", "no-export-subconfed" },
	{ COMMUNITY_PLAIN, "no-peer", "no-peer" },
	{ COMMUNITY_PLAIN, "graceful-shutdown", "graceful-shutdown" },
	{ COMMUNITY_PLAIN, "blackhole", "blackhole" },
	{ COMMUNITY_PLAIN, "llgr-stale", "llgr-stale" },
	{ COMMUNITY_PLAIN, "no-llgr", "no-llgr" },
	{ COMMUNITY_PLAIN, "65535:65281", "no-export" },
	{ COMMUNITY_PLAIN, "65535:*", "65535:*" },
	{ COMMUNITY_PLAIN, "65536:1", NULL },
	{ COMMUNITY_PLAIN, "1:65536", NULL },
	{ COMMUNITY_PLAIN, "99999999999999999999999:1", NULL },
	{ COMMUNITY_PLAIN, "65000", NULL },
	{ COMMUNITY_PLAIN, "65000:", NULL },
	{ COMMUNITY_PLAIN, ":1", NULL },
	{ COMMUNITY_PLAIN, "1:2:3", NULL },
	{ COMMUNITY_PLAIN, "-1:2", NULL },
	{ COMMUNITY_PLAIN, " 1:2", NULL },
	{ COMMUNITY_PLAIN, "1:2 ", NULL },
	{ COMMUNITY_PLAIN, "1:2*", NULL },
	{ COMMUNITY_PLAIN, "1:**", NULL },
	{ COMMUNITY_PLAIN, "0x1:2", NULL },
	{ COMMUNITY_PLAIN, "no-such", NULL },
	{ COMMUNITY_PLAIN, "", NULL },
	{ COMMUNITY_LARGE, "1:2:3", "1:2:3" },
	{ COMMUNITY_LARGE, "4294967295:4294967295:4294967295", "4294967295:4294967295:4294967295" },
	{ COMMUNITY_LARGE, "64512:*:*", "64512:*:*" },
	{ COMMUNITY_LARGE, "*:2:*", "*:2:*" },
	{ COMMUNITY_LARGE, "4294967296:1:1", NULL },
	{ COMMUNITY_LARGE, "1:2", NULL },
	{ COMMUNITY_LARGE, "1:2:3:4", NULL },
	{ COMMUNITY_LARGE, "no-export", NULL },
	{ COMMUNITY_EXT, "rt:65000:1", "rt:65000:1" },
	{ COMMUNITY_EXT, "rt:65000:4294967295", "rt:65000:4294967295" },
	{ COMMUNITY_EXT, "rt:4200000000:65535", "rt:4200000000:65535" },
	{ COMMUNITY_EXT, "rt:192.0.2.1:5", "rt:192.0.2.1:5" },
	{ COMMUNITY_EXT, "ro:65000:1", "ro:65000:1" },
	{ COMMUNITY_EXT, "rt:*:1", "rt:*:1" },
	{ COMMUNITY_EXT, "rt:65000:*", "rt:65000:*" },
	{ COMMUNITY_EXT, "ro:192.0.2.1:*", "ro:192.0.2.1:*" },
	{ COMMUNITY_EXT, "rt:*:*", "rt:*:*" },
	{ COMMUNITY_EXT, "link-bandwidth:65000:125000000", "link-bandwidth:65000:125000000" },
	{ COMMUNITY_EXT, "link-bandwidth:65000:12500000000", "link-bandwidth:65000:12500000000" },
	{ COMMUNITY_EXT, "link-bandwidth:*:*", "link-bandwidth:*:*" },
	{ COMMUNITY_EXT, "link-bandwidth:65000:0", "link-bandwidth:65000:0" },
	{ COMMUNITY_EXT, "generic:0x43000000:0x1", "generic:0x43000000:0x1" },
	{ COMMUNITY_EXT, "generic:0x2fde8:0x1", "rt:65000:1" },
	{ COMMUNITY_EXT, "generic:0x4004fde8:0x7fc00000",
	  "generic:0x4004fde8:0x7fc00000" }, /* not a number */
	{ COMMUNITY_EXT, "generic:0x4004fde8:0xbf800000", "generic:0x4004fde8:0xbf800000" }, /* -1 */
	{ COMMUNITY_EXT, "generic:0x4004fde8:0x3f000000", "generic:0x4004fde8:0x3f000000" }, /* 0.5 */
	{ COMMUNITY_EXT, "generic:0x4004fde8:0x7f800000", "generic:0x4004fde8:0x7f800000" }, /* infinity */
	{ COMMUNITY_EXT, "generic:0x4004fde8:0x80000000", "generic:0x4004fde8:0x80000000" }, /* -0 */
	{ COMMUNITY_EXT, "rt:65536:65536", NULL },
	{ COMMUNITY_EXT, "rt:192.0.2.1:65536", NULL },
	{ COMMUNITY_EXT, "rt:4294967296:1", NULL },
	{ COMMUNITY_EXT, "rt:65000", NULL },
	{ COMMUNITY_EXT, "rt:1:2:3", NULL },
	{ COMMUNITY_EXT, "rt:2001:db8::1:1", NULL },
	{ COMMUNITY_EXT, "xx:1:2", NULL },
	{ COMMUNITY_EXT, "65000:1", NULL },
	{ COMMUNITY_EXT, "link-bandwidth:65536:1", NULL },
	{ COMMUNITY_EXT, "link-bandwidth:1:99999999999999999999", NULL },
	{ COMMUNITY_EXT, "generic:1:2", NULL },
	{ COMMUNITY_EXT, "generic:0x1:*", NULL },
	{ COMMUNITY_EXT, "generic:0x100000000:0x1", NULL },
	{ COMMUNITY_EXT, "generic:0x:0x1", NULL },
};

START_TEST(notation)
{
	struct community_pattern p = { .kind = 99 }, again;
	const char *want = notations[_i].canonical, *err = NULL;
	char buf[80];

	ck_assert_msg(community_parse(notations[_i].kind, notations[_i].text, &p, &err) == !!want, "%s",
	              notations[_i].text);
	if (!want) {
		ck_assert_msg(err && p.kind == 99, "%s", notations[_i].text);
		return;
	}
	ck_assert_str_eq(community_pattern_print(&p, buf, sizeof(buf)), want);
	ck_assert(community_parse(notations[_i].kind, buf, &again, &err));
	ck_assert_msg(community_pattern_equal(&p, &again), "%s", notations[_i].text);
}
END_TEST

static const struct {
	enum community_kind kind;
	uint8_t value[12];
	const char *text;
} values[] = {
	{ COMMUNITY_PLAIN, { 0xfd, 0xe8, 0, 1 }, "(65000,1)" },
	{ COMMUNITY_PLAIN, { 0xff, 0xff, 0xff, 0x01 }, "(65535,65281)" },
	{ COMMUNITY_LARGE, { 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff }, "(1, 2, 4294967295)" },
	{ COMMUNITY_EXT, { 0x00, 0x02, 0xfd, 0xe8, 0, 0, 0, 1 }, "(rt, 65000, 1)" },
	{ COMMUNITY_EXT, { 0x02, 0x02, 0xfa, 0x56, 0xea, 0x00, 0, 1 }, "(rt, 4200000000, 1)" },
	{ COMMUNITY_EXT, { 0x01, 0x03, 192, 0, 2, 1, 0, 5 }, "(ro, 192.0.2.1, 5)" },
	{ COMMUNITY_EXT, { 0x02, 0x02, 0, 0, 0xfd, 0xe8, 0, 1 }, "(generic, 0x2020000, 0xfde80001)" },
	{ COMMUNITY_EXT, { 0x43, 0x00, 0, 0, 0, 0, 0, 2 }, "(generic, 0x43000000, 0x2)" },
	{ COMMUNITY_EXT, { 0x42, 0x02, 0, 1, 0, 2, 0, 3 }, "(generic, 0x42020001, 0x20003)" },
	{ COMMUNITY_EXT,
	  { 0x40, 0x04, 0xfd, 0xe8, 0x4c, 0xee, 0x6b, 0x28 },
	  "(link-bandwidth, 65000, 125000000)" },
};

START_TEST(value_as_text)
{
	char buf[64], cut[6];
	size_t len = community_print(values[_i].kind, values[_i].value, buf, sizeof(buf));

	ck_assert_str_eq(buf, values[_i].text);
	ck_assert_uint_eq(len, strlen(buf));
	ck_assert_uint_eq(community_print(values[_i].kind, values[_i].value, cut, sizeof(cut)), len);
	ck_assert_uint_eq(strlen(cut), sizeof(cut) - 1);
}
END_TEST

static struct community_pattern pattern_of(enum community_kind kind, const char *text)
{
	struct community_pattern p;
	const char *err;

	ck_assert_msg(community_parse(kind, text, &p, &err), "%s", text);
	return p;
}

static const struct {
	enum community_kind kind;
	const char *pattern, *value; /* value: a pattern without '*' */
	bool want;
} matches[] = {
	{ COMMUNITY_PLAIN, "65000:1", "65000:1", true },
	{ COMMUNITY_PLAIN, "65000:1", "65000:2", false },
	{ COMMUNITY_PLAIN, "65000:*", "65000:2", true },
	{ COMMUNITY_PLAIN, "65000:*", "65001:2", false },
	{ COMMUNITY_PLAIN, "*:2", "65001:2", true },
	{ COMMUNITY_PLAIN, "*:*", "0:0", true },
	{ COMMUNITY_PLAIN, "no-export", "65535:65281", true },
	{ COMMUNITY_LARGE, "1:*:3", "1:99:3", true },
	{ COMMUNITY_LARGE, "1:*:3", "1:99:4", false },
	{ COMMUNITY_EXT, "rt:65000:1", "rt:65000:1", true },
	{ COMMUNITY_EXT, "rt:65000:1", "ro:65000:1", false },
	{ COMMUNITY_EXT, "rt:65000:*", "rt:65000:7", true },
	{ COMMUNITY_EXT, "rt:*:7", "rt:65000:7", true },
	{ COMMUNITY_EXT, "rt:*:7", "rt:4200000000:7", true },
	{ COMMUNITY_EXT, "rt:*:7", "rt:192.0.2.1:7", true },
	{ COMMUNITY_EXT, "rt:*:7", "ro:65000:7", false },
	{ COMMUNITY_EXT, "rt:*:7", "generic:0x4302fde8:0x7", false },
	{ COMMUNITY_EXT, "rt:*:*", "link-bandwidth:65000:1", false },
	{ COMMUNITY_EXT, "link-bandwidth:*:*", "link-bandwidth:65000:1", true },
};

static struct attrs_edit edit; /* 64 KiB: not on the stack */

static void begin_empty(void)
{
	static const struct attrs nothing;

	attrs_edit_begin(&edit, &nothing);
}

static struct blob list_of(enum community_kind kind)
{
	return kind == COMMUNITY_PLAIN ? edit.a.communities
	       : kind == COMMUNITY_EXT ? edit.a.ext_communities
	                               : edit.a.large_communities;
}

START_TEST(match)
{
	struct community_pattern p = pattern_of(matches[_i].kind, matches[_i].pattern);
	struct community_pattern v = pattern_of(matches[_i].kind, matches[_i].value);
	struct blob list;

	begin_empty();
	community_add(&edit, &v);
	list = list_of(matches[_i].kind);
	ck_assert_uint_eq(list.len, community_size(matches[_i].kind));
	ck_assert_msg(community_match(matches[_i].kind, list.p, &p) == matches[_i].want, "%s",
	              matches[_i].pattern);
	ck_assert(community_list_match(matches[_i].kind, list, &p) == matches[_i].want);
}
END_TEST

START_TEST(kinds_do_not_mix)
{
	struct community_pattern any = pattern_of(COMMUNITY_PLAIN, "*:*");
	static const uint8_t value[12];

	ck_assert(!community_match(COMMUNITY_LARGE, value, &any));
	ck_assert(!community_match(COMMUNITY_EXT, value, &any));
}
END_TEST

START_TEST(list_that_ends_early)
{
	static const uint8_t b[] = { 0xff, 0xff, 0xff, 0x01, 0xff, 0xff, 0xff };
	struct community_pattern p = pattern_of(COMMUNITY_PLAIN, "65535:*");

	ck_assert(community_list_has((struct blob){ b, 7 }, BGP_COMM_NO_EXPORT));
	ck_assert(!community_list_has((struct blob){ b, 3 }, BGP_COMM_NO_EXPORT));
	ck_assert(!community_list_has((struct blob){ NULL, 0 }, 0));
	ck_assert(community_list_match(COMMUNITY_PLAIN, (struct blob){ b, 7 }, &p));
	ck_assert(!community_list_match(COMMUNITY_PLAIN, (struct blob){ b + 4, 3 }, &p));
}
END_TEST

/* Steps: '+' adds, '-' deletes, '0' clears; then what the list reads. */
static const struct {
	enum community_kind kind;
	const char *steps[5], *want;
} edits[] = {
	{ COMMUNITY_PLAIN, { "+1:1", "+1:2" }, "(1,1)(1,2)" },
	{ COMMUNITY_PLAIN, { "+1:1", "+1:1" }, "(1,1)" },
	{ COMMUNITY_PLAIN, { "+1:1", "+2:1", "-1:*" }, "(2,1)" },
	{ COMMUNITY_PLAIN, { "+1:1", "+2:1", "+1:2", "-1:*" }, "(2,1)" },
	{ COMMUNITY_PLAIN, { "+1:1", "-*:*" }, "" },
	{ COMMUNITY_PLAIN, { "+1:1", "-2:*" }, "(1,1)" },
	{ COMMUNITY_PLAIN, { "-2:*" }, "" },
	{ COMMUNITY_PLAIN, { "+1:1", "0", "+3:3" }, "(3,3)" },
	{ COMMUNITY_PLAIN, { "0" }, "" },
	{ COMMUNITY_LARGE, { "+1:2:3", "+4:5:6", "-1:2:*" }, "(4, 5, 6)" },
	{ COMMUNITY_EXT, { "+rt:1:2", "+rt:70000:2", "+ro:1:2", "-rt:*:2" }, "(ro, 1, 2)" },
};

static void run_step(enum community_kind kind, const char *step)
{
	struct community_pattern p;

	if (*step == '0') {
		community_clear(&edit, kind);
		return;
	}
	p = pattern_of(kind, step + 1);
	if (*step == '+')
		community_add(&edit, &p);
	else
		community_delete(&edit, &p);
}

START_TEST(rewriting)
{
	static const unsigned types[] = { BGP_ATTR_COMMUNITIES, BGP_ATTR_EXT_COMMUNITIES,
		                          BGP_ATTR_LARGE_COMMUNITIES };
	enum community_kind kind = edits[_i].kind;
	char buf[128] = "";
	struct blob list;

	begin_empty();
	for (const char *const *s = edits[_i].steps; *s; s++)
		run_step(kind, *s);
	list = list_of(kind);
	for (size_t at = 0; at < list.len; at += community_size(kind))
		community_print(kind, list.p + at, buf + strlen(buf), sizeof(buf) - strlen(buf));
	ck_assert_str_eq(buf, edits[_i].want);
	ck_assert(attrs_has(&edit.a, types[kind]) == (list.len > 0));
	ck_assert(!edit.bad);
}
END_TEST

START_TEST(no_room_leaves_the_list_alone)
{
	struct community_pattern p = pattern_of(COMMUNITY_PLAIN, "1:1"),
	                         q = pattern_of(COMMUNITY_PLAIN, "1:2");

	begin_empty();
	community_add(&edit, &p);
	ck_assert_ptr_nonnull(attrs_edit_alloc(&edit, sizeof(edit.scratch) - edit.used));
	community_add(&edit, &q);
	ck_assert(edit.bad);
	ck_assert_uint_eq(edit.a.communities.len, 4);
}
END_TEST

UNIT_MAIN("community", UNIT_ROWS(notation, notations), UNIT_ROWS(value_as_text, values),
          UNIT_ROWS(match, matches), UNIT(kinds_do_not_mix), UNIT(list_that_ends_early),
          UNIT_ROWS(rewriting, edits), UNIT(no_room_leaves_the_list_alone))
