/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: one section of the file against its table.
 *
 * Settings are read in the order of the table, so that what refers to another section finds it read; each
 * type has its reader. Unknown settings are named with the nearest known one, what is not built yet is
 * refused whatever its value. */
#include "config/loader.h"

#include <stdlib.h>

#define WANTED_SIZE 256 /* bytes of a range or a list of words */

static option_reader read_group, read_list;

static option_reader *const readers[OPT_TYPES] = {
	[OPT_BOOL] = read_bool,
	[OPT_TRISTATE] = read_bool,
	[OPT_INT] = read_int,
	[OPT_AS] = read_as,
	[OPT_ROUTER_ID] = read_router_id,
	[OPT_STRING] = read_string,
	[OPT_TOKEN] = read_token,
	[OPT_LINK] = read_link,
	[OPT_KEYWORD] = read_keyword,
	[OPT_KEYWORDS] = read_keywords,
	[OPT_IP] = read_ip,
	[OPT_PREFIX] = read_prefix,
	[OPT_POLICY] = read_policy,
	[OPT_INTS] = read_ints,
	[OPT_PREFIXES] = read_prefixes,
	[OPT_ADDRESSES] = read_addresses,
	[OPT_PATTERNS] = read_patterns,
	[OPT_IPS] = read_ips,
	[OPT_ALLOWED_IPS] = read_allowed_ips,
	[OPT_WG_KEY] = read_wg_key,
	[OPT_ENDPOINT] = read_endpoint,
	[OPT_GRE_KEY] = read_gre_key,
	[OPT_PREFIX_SETS] = read_prefix_sets,
	[OPT_SOURCES] = read_sources,
	[OPT_AS_PATHS] = read_as_paths,
	[OPT_COMMUNITIES] = read_communities,
	[OPT_ADD_COMMUNITY] = read_community_edit,
	[OPT_DELETE_COMMUNITY] = read_community_edit,
	[OPT_SET_COMMUNITY] = read_community_edit,
	[OPT_NEXT_HOP] = read_next_hop,
	[OPT_GROUP] = read_group,
	[OPT_LIST] = read_list,
	[OPT_SET_MAP] = read_set_map,
	[OPT_FILTER_MAP] = read_filter_map,
	[OPT_GROUP_MAP] = read_group_map,
	[OPT_PEERS] = read_peers,
};

/* ---- errors ----------------------------------------------------------------------------------------- */

static const char *found(const config_setting_t *s)
{
	static const char *const types[] = {
		[CONFIG_TYPE_GROUP] = "settings in { }",   [CONFIG_TYPE_INT] = "an integer",
		[CONFIG_TYPE_INT64] = "an integer",        [CONFIG_TYPE_FLOAT] = "a number with a fraction",
		[CONFIG_TYPE_STRING] = "a text in quotes", [CONFIG_TYPE_BOOL] = "true or false",
		[CONFIG_TYPE_ARRAY] = "an array [ ]",      [CONFIG_TYPE_LIST] = "a list ( )",
	};

	return types[config_setting_type(s)];
}

void report_wrong_type(struct loader *l, const config_setting_t *s, const struct option *o)
{
	char wanted[WANTED_SIZE];
	struct text out = text_init(wanted, sizeof(wanted));

	schema_print_wanted(o, &out);
	report_setting(&l->report, s, NULL, "found %s, needs %s", found(s), wanted);
}

void report_wrong_value(struct loader *l, const config_setting_t *s, const struct option *o, const char *what)
{
	char wanted[WANTED_SIZE];
	struct text out = text_init(wanted, sizeof(wanted));

	schema_print_wanted(o, &out);
	report_setting(&l->report, s, NULL, "\"%s\" %s: needs %s", config_setting_get_string(s), what,
	               wanted);
}

void report_empty(struct loader *l, const config_setting_t *s, const struct option *o)
{
	char wanted[WANTED_SIZE];
	struct text out = text_init(wanted, sizeof(wanted));

	schema_print_wanted(o, &out);
	report_setting(&l->report, s, NULL, "is empty: needs %s%s", wanted,
	               o->required ? "" : ", or leave it out");
}

void report_unknown_name(struct loader *l, const config_setting_t *s, const char *what,
                         const struct nearest *n)
{
	if (n->name)
		report_setting(&l->report, s, NULL, "there is no %s \"%s\": the nearest is \"%s\"", what,
		               n->wanted, n->name);
	else
		report_setting(&l->report, s, NULL, "there is no %s \"%s\": none is defined", what,
		               n->wanted);
}

void report_taken(struct loader *l, const config_setting_t *s, const char *member,
                  const config_setting_t *first)
{
	report_setting(&l->report, s, member, "is there twice: first in line %u; take one away or change it",
	               config_setting_source_line(first));
}

static void report_missing(struct loader *l, const config_setting_t *s, const struct option *o)
{
	char wanted[WANTED_SIZE];
	struct text out = text_init(wanted, sizeof(wanted));

	schema_print_wanted(o, &out);
	report_setting(&l->report, s, o->name, "is missing (%s): needs %s", o->help, wanted);
}

/* ---- helpers of the readers ------------------------------------------------------------------------- */

void *load_alloc(struct loader *l, size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		l->report.no_memory = true;
	return p;
}

char *load_strdup(struct loader *l, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		l->report.no_memory = true;
	return copy;
}

void *load_array(struct loader *l, const config_setting_t *s, const struct option *o, void *base, size_t size)
{
	size_t n = item_count(s);
	void *array;

	if (n == 0) {
		report_empty(l, s, o);
		return NULL;
	}
	array = load_alloc(l, n, size);
	if (array) {
		*(void **)option_field(o, base) = array;
		*option_count(o, base) = n;
	}
	return array;
}

size_t item_count(const config_setting_t *s)
{
	return config_setting_is_aggregate(s) ? (size_t)config_setting_length(s) : 1;
}

bool has_item(const struct loader *l, const config_setting_t *s, size_t i)
{
	return !report_full(&l->report) && i < item_count(s);
}

config_setting_t *item(config_setting_t *s, size_t i)
{
	return config_setting_is_aggregate(s) ? config_setting_get_elem(s, (unsigned)i) : s;
}

const char *read_text(struct loader *l, const config_setting_t *s, const struct option *o)
{
	if (config_setting_type(s) == CONFIG_TYPE_STRING)
		return config_setting_get_string(s);
	report_wrong_type(l, s, o);
	return NULL;
}

/* ---- the walk --------------------------------------------------------------------------------------- */

void section_defaults(struct loader *l, const struct section *sec, void *base)
{
	for (size_t i = 0; i < sec->n; i++) {
		const struct option *o = &sec->options[i];

		switch (o->later ? OPT_TYPES : o->type) {
		case OPT_BOOL:
		case OPT_TRISTATE:
		case OPT_INT:
		case OPT_KEYWORD:
		case OPT_KEYWORDS:
		case OPT_POLICY: /* whose first field is its kind */
			field_store(option_field(o, base),
			            o->type == OPT_POLICY ? sizeof(enum policy_kind) : o->size, o->preset);
			break;
		case OPT_STRING:
			if (o->preset_text)
				*(char **)option_field(o, base) = load_strdup(l, o->preset_text);
			break;
		case OPT_GROUP:
			section_defaults(l, o->section, option_field(o, base));
			break;
		default: /* zero */
			break;
		}
	}
}

static void refuse_unknown(struct loader *l, config_setting_t *s, const struct section *sec)
{
	for (size_t i = 0; has_item(l, s, i); i++) {
		config_setting_t *m = item(s, i);
		const char *name = config_setting_name(m);

		if (schema_find(sec, name))
			continue;
		if (sec == &schema_peer_group && schema_find(&schema_peer, name))
			report_setting(&l->report, m, NULL,
			               "is for single peers: set it in peers, not in a group");
		else
			report_setting(&l->report, m, NULL, "unknown setting: the nearest known is \"%s\"",
			               schema_nearest(sec, name));
	}
}

static void read_option(struct loader *l, config_setting_t *m, const struct option *o, void *base)
{
	if (o->later) {
		report_setting(&l->report, m, NULL, "not built yet: a later version of mcbgpd brings it");
		return;
	}
	if (o->given)
		*((bool *)base + (o->given - 1)) = true;
	readers[o->type](l, m, o, base);
}

void section_read(struct loader *l, config_setting_t *s, const struct section *sec, void *base)
{
	refuse_unknown(l, s, sec);
	for (size_t i = 0; i < sec->n; i++) {
		const struct option *o = &sec->options[i];
		config_setting_t *m = config_setting_get_member(s, o->name);

		if (m)
			read_option(l, m, o, base);
		else if (o->required && !o->later)
			report_missing(l, s, o);
	}
}

static void read_group(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	if (config_setting_is_group(s))
		section_read(l, s, o->section, option_field(o, base));
	else
		report_wrong_type(l, s, o);
}

static void read_list(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	size_t n = item_count(s);
	char *array;

	if (!config_setting_is_list(s)) {
		report_wrong_type(l, s, o);
		return;
	}
	array = load_alloc(l, n, o->section->size);
	if (!array)
		return;
	*(void **)option_field(o, base) = array;
	*option_count(o, base) = n;
	for (size_t i = 0; has_item(l, s, i); i++) {
		config_setting_t *m = item(s, i);

		section_defaults(l, o->section, array + i * o->section->size);
		if (config_setting_is_group(m))
			section_read(l, m, o->section, array + i * o->section->size);
		else
			report_setting(&l->report, m, NULL, "found %s, needs settings in { }", found(m));
	}
}
