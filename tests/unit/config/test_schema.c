/* SPDX-License-Identifier: BSD-2-Clause */
/* The option table: that it is consistent, that the manual page says the same, and how a wrong name is
 * mended. */
#include "config/schema.h"

#include <stdio.h>

#include "unit/unit.h"

/* ---- consistency ------------------------------------------------------------------------------------ */

static void check_option(const struct section *s, const struct option *o)
{
	ck_assert_msg(o->help && *o->help, "%s.%s: no help", s->name, o->name);
	ck_assert_msg(schema_find(s, o->name) == o, "%s.%s: there twice", s->name, o->name);
	ck_assert_msg(o->min <= o->preset || o->zero || o->preset_text || o->required || o->type != OPT_INT ||
	                      o->later,
	              "%s.%s: the default is out of range", s->name, o->name);
	ck_assert_msg(o->words || (o->type != OPT_KEYWORD && o->type != OPT_KEYWORDS), "%s.%s: no words",
	              s->name, o->name);
	ck_assert_msg(o->later || o->offset + o->size <= s->size, "%s.%s: beyond its struct", s->name,
	              o->name);
	if (o->type == OPT_INT && !o->later)
		ck_assert_msg(o->size == 8 || o->max >> (8 * o->size) == 0, "%s.%s: the field is too small",
		              s->name, o->name);
}

START_TEST(rows_are_consistent)
{
	for (const struct section *const *s = schema_sections; *s; s++) {
		for (size_t i = 0; i < (*s)->n; i++)
			check_option(*s, &(*s)->options[i]);
	}
}
END_TEST

/* Where what is pending is looked for. */
START_TEST(a_start_is_needed_only_by_sections_that_are_there_once)
{
	for (const struct section *const *s = schema_sections; *s; s++) {
		bool once = false;

		for (size_t i = 0; i < schema_root.n; i++)
			once |= schema_root.options[i].type == OPT_GROUP &&
			        schema_root.options[i].section == *s;
		for (size_t i = 0; i < (*s)->n && !once; i++)
			ck_assert_msg((*s)->options[i].effect != EFFECT_START, "%s.%s", (*s)->name,
			              (*s)->options[i].name);
	}
}
END_TEST

START_TEST(groups_have_what_peers_share)
{
	ck_assert_str_eq(schema_peer_group.options[0].name, "remote_as");
	ck_assert_ptr_eq(schema_find(&schema_peer_group, "bfd"), schema_find(&schema_peer, "bfd"));
	ck_assert_ptr_null(schema_find(&schema_peer_group, "address"));
}
END_TEST

/* ---- names ------------------------------------------------------------------------------------------ */

static const struct {
	const char *a, *b;
	unsigned want;
} distances[] = {
	{ "", "", 0 },
	{ "peers", "peers", 0 },
	{ "", "abc", 3 },
	{ "peer", "peers", 1 },
	{ "hold_tme", "hold_time", 1 },
	{ "holdtime", "hold_time", 1 },
	{ "prot", "port", 1 },
	{ "mtu", "vni", 3 },
	{ "kitten", "sitting", 3 },
	{ "ca", "abc", 3 },
};

START_TEST(edits)
{
	ck_assert_uint_eq(edit_distance(distances[_i].a, distances[_i].b), distances[_i].want);
	ck_assert_uint_eq(edit_distance(distances[_i].b, distances[_i].a), distances[_i].want);
}
END_TEST

START_TEST(edits_of_long_names)
{
	char a[1000], b[1000];

	memset(a, 'a', sizeof(a));
	memset(b, 'b', sizeof(b));
	a[sizeof(a) - 1] = b[sizeof(b) - 1] = '\0';
	ck_assert_uint_eq(edit_distance(a, b), 63);
	ck_assert_uint_eq(edit_distance(a, a), 0);
}
END_TEST

static const struct {
	const char *wrong, *right;
} mends[] = {
	{ "hold_tme", "hold_time" },         { "holdtime", "hold_time" }, { "remoteas", "remote_as" },
	{ "nexthop_self", "next_hop_self" }, { "prot", "port" },          { "max_prefixes", "max_prefix" },
};

START_TEST(nearest_setting)
{
	ck_assert_str_eq(schema_nearest(&schema_peer, mends[_i].wrong), mends[_i].right);
}
END_TEST

/* ---- the manual page -------------------------------------------------------------------------------- */

static char *read_manual(void)
{
	static char text[1 << 20];
	const char *folder = getenv("top_srcdir");
	char path[512];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/man/mcbgpd.conf.5", folder ? folder : ".");
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s", path);
	n = fread(text, 1, sizeof(text) - 1, f);
	ck_assert_uint_lt(n, sizeof(text) - 1);
	text[n] = '\0';
	fclose(f);
	return text;
}

/* Cuts the part of @text under the heading @name out of it, into @part. */
static void manual_part(const char *text, const char *name, char *part, size_t size)
{
	char heading[128];
	const char *from, *to;

	snprintf(heading, sizeof(heading), "\n.Ss %s\n", name);
	from = strstr(text, heading);
	ck_assert_msg(from != NULL, "no section %s", name);
	from += strlen(heading) - 1;
	for (to = from; (to = strstr(to, "\n.S")) && to[3] != 's' && to[3] != 'h'; to++)
		;
	ck_assert_ptr_nonnull(to);
	ck_assert_uint_lt((size_t)(to - from), size);
	memcpy(part, from, (size_t)(to - from));
	part[to - from] = '\0';
}

static void expected_entry(const struct option *o, char *buf, size_t size)
{
	struct text out = text_init(buf, size);

	text_str(&out, "\n.It Ic ");
	text_str(&out, o->name);
	text_str(&out, "\nValue: ");
	schema_print_wanted(o, &out);
	text_str(&out, ".\nDefault: ");
	schema_print_preset(o, &out);
	text_str(&out, ".\nChange: ");
	text_str(&out, schema_effect_text(o->effect));
	text_str(&out, o->later ? ".\nNot built yet.\n" : ".\n.br\n");
	ck_assert_uint_lt(out.len, size);
}

START_TEST(manual_has_every_setting)
{
	static char part[65536];
	const char *text = read_manual();
	char want[1024];

	for (const struct section *const *s = schema_sections; *s; s++) {
		manual_part(text, (*s)->name, part, sizeof(part));
		for (size_t i = 0; i < (*s)->n; i++) {
			expected_entry(&(*s)->options[i], want, sizeof(want));
			ck_assert_msg(strstr(part, want) != NULL, "section %s lacks:%s", (*s)->name, want);
		}
	}
}
END_TEST

START_TEST(manual_has_no_other_setting)
{
	static const char item[] = "\n.It Ic ";
	static char part[65536];
	const char *text = read_manual();
	char name[64];

	for (const struct section *const *s = schema_sections; *s; s++) {
		manual_part(text, (*s)->name, part, sizeof(part));
		for (const char *p = part; (p = strstr(p, item)); p++) {
			size_t n = strcspn(p + sizeof(item) - 1, "\n");

			ck_assert_uint_lt(n, sizeof(name));
			memcpy(name, p + sizeof(item) - 1, n);
			name[n] = '\0';
			ck_assert_msg(schema_find(*s, name) != NULL, "%s.%s", (*s)->name, name);
		}
	}
}
END_TEST

START_TEST(manual_has_every_section)
{
	const char *text = read_manual();
	char name[128];

	for (size_t i = 0; i < schema_root.n; i++) {
		const struct option *o = &schema_root.options[i];

		if (strcmp(o->name, "peer_groups") == 0) /* described with peers */
			continue;
		snprintf(name, sizeof(name), "\n.Ss %s\n", o->name);
		ck_assert_msg(strstr(text, name) != NULL, "%s", o->name);
	}
}
END_TEST

UNIT_MAIN("schema", UNIT(rows_are_consistent), UNIT(a_start_is_needed_only_by_sections_that_are_there_once),
          UNIT(groups_have_what_peers_share), UNIT_ROWS(edits, distances), UNIT(edits_of_long_names),
          UNIT_ROWS(nearest_setting, mends), UNIT(manual_has_every_setting),
          UNIT(manual_has_no_other_setting), UNIT(manual_has_every_section))
