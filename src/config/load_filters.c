/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: prefix sets and filters: from texts to what src/policy runs.
 *
 * What a pattern or an expression means is known there and in src/bgp/community.c; here it is given a name, a
 * place in the file, and a pointer to what it refers to. */
#include "config/loader.h"

#include <stdlib.h>

static bool is_reserved(const char *name)
{
	return strcmp(name, "all") == 0 || strcmp(name, "none") == 0;
}

/* The name of a member of a map, which libconfig has checked for its own rules. */
static bool check_name(struct loader *l, const config_setting_t *s, bool is_policy)
{
	const char *name = config_setting_name(s);

	if (!is_token(name))
		report_setting(&l->report, s, NULL, "the name is longer than 63 characters");
	else if (is_policy && is_reserved(name))
		report_setting(&l->report, s, NULL,
		               "\"all\" and \"none\" have a meaning of their own: choose another name");
	else
		return true;
	return false;
}

/* ---- prefix sets ------------------------------------------------------------------------------------ */

/* "10.0.0.1/8+": what the pattern would be without the bits beyond its length. @return false: that is not its
 * fault. */
static bool suggest_pattern(const char *text, char *right, size_t size)
{
	char base[PREFIX_STRLEN], printed[PREFIX_STRLEN];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) + 1 : 0;
	struct prefix p;

	n += strspn(text + n, "0123456789");
	if (n >= sizeof(base))
		return false;
	memcpy(base, text, n);
	base[n] = '\0';
	if (!prefix_parse(base, false, &p) || prefix_parse(base, true, &p))
		return false;
	snprintf(right, size, "%s%s", prefix_print(&p, printed), text + n);
	return true;
}

static void read_pattern(struct loader *l, const config_setting_t *s, struct prefix_set *set)
{
	const char *text, *why;
	struct prefix_pattern p;
	char right[128];

	if (config_setting_type(s) != CONFIG_TYPE_STRING) {
		report_setting(&l->report, s, NULL, "needs a pattern in quotes, such as \"10.0.0.0/8+\"");
		return;
	}
	text = config_setting_get_string(s);
	if (prefix_pattern_parse(text, &p, &why)) {
		if (prefix_set_add(set, &p) < 0)
			l->report.no_memory = true;
	} else if (suggest_pattern(text, right, sizeof(right))) {
		report_setting(&l->report, s, NULL,
		               "\"%s\" has bits set beyond its length: \"%s\" would be right", text, right);
	} else {
		report_setting(&l->report, s, NULL, "\"%s\": %s", text, why);
	}
}

static void read_set(struct loader *l, config_setting_t *s, struct conf_named_set *out)
{
	out->name = load_strdup(l, config_setting_name(s));
	out->set = prefix_set_new();
	if (!out->set) {
		l->report.no_memory = true;
		return;
	}
	check_name(l, s, false);
	if (config_setting_is_group(s)) {
		report_setting(&l->report, s, NULL,
		               "found settings in { }, needs patterns such as [ \"10.0.0.0/8+\" ]");
		return;
	}
	for (size_t i = 0; has_item(l, s, i); i++)
		read_pattern(l, item(s, i), out->set);
}

void read_set_map(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	struct conf *c = base;

	if (!config_setting_is_group(s)) {
		report_wrong_type(l, s, o);
		return;
	}
	c->prefix_sets = load_alloc(l, item_count(s), sizeof(*c->prefix_sets));
	for (size_t i = 0; c->prefix_sets && has_item(l, s, i); i++)
		read_set(l, item(s, i), &c->prefix_sets[c->n_prefix_sets++]);
}

static const struct prefix_set *find_set(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->n_prefix_sets; i++) {
		if (c->prefix_sets[i].name && strcmp(c->prefix_sets[i].name, name) == 0)
			return c->prefix_sets[i].set;
	}
	return NULL;
}

static void report_no_set(struct loader *l, const config_setting_t *s, const char *name)
{
	struct nearest n = { .wanted = name };

	if (strchr(name, '/')) {
		report_setting(&l->report, s, NULL,
		               "\"%s\" is a prefix: give it a name in prefix_sets and write the name here",
		               name);
		return;
	}
	for (size_t i = 0; i < l->conf->n_prefix_sets; i++)
		nearest_try(&n, l->conf->prefix_sets[i].name);
	report_unknown_name(l, s, "prefix set", &n);
}

void read_prefix_sets(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	const struct prefix_set **array = load_array(l, s, o, base, sizeof(const struct prefix_set *));

	for (size_t i = 0; array && has_item(l, s, i); i++) {
		const char *name = read_text(l, item(s, i), o);

		if (!name)
			continue;
		array[i] = find_set(l->conf, name);
		if (!array[i])
			report_no_set(l, item(s, i), name);
	}
}

/* ---- match ------------------------------------------------------------------------------------------ */

void read_sources(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	char **array = load_array(l, s, o, base, sizeof(*array));

	for (size_t i = 0; array && has_item(l, s, i); i++) {
		const char *name = read_text(l, item(s, i), o);
		struct nearest n = { .wanted = name };

		if (!name)
			continue;
		array[i] = load_strdup(l, name);
		if (seen_where(l->origins, name, strlen(name)))
			continue;
		seen_nearest(l->origins, &n);
		report_unknown_name(l, item(s, i), "peer or group", &n);
	}
}

void read_as_paths(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	struct filter_match *m = base;
	char why[256];

	if (item_count(s) == 0)
		report_empty(l, s, o);
	for (size_t i = 0; has_item(l, s, i); i++) {
		const char *text = read_text(l, item(s, i), o);

		if (text && !filter_match_add_as_path(m, text, why, sizeof(why)))
			report_setting(
			        &l->report, item(s, i), NULL,
			        "\"%s\" is no regular expression: %s: needs one such as \"^65001( |$)\"",
			        text, why);
	}
}

/* A pattern; @exact: one value, so no part of it may be "*". */
static bool community_of(struct loader *l, const config_setting_t *s, const struct option *o, bool exact,
                         struct community_pattern *out)
{
	const char *text = read_text(l, s, o), *why;

	if (!text)
		return false;
	if (!community_parse(o->kind, text, out, &why))
		report_setting(&l->report, s, NULL, "\"%s\": %s", text, why);
	else if (exact && out->wild)
		report_wrong_value(l, s, o, "is a pattern, not a value");
	else
		return true;
	return false;
}

/* Appends every element of @s to *@array. */
static void add_communities(struct loader *l, config_setting_t *s, const struct option *o, bool exact,
                            struct community_pattern **array, size_t *n)
{
	size_t more = item_count(s);
	struct community_pattern *grown = reallocarray(*array, *n + more + 1, sizeof(*grown));

	if (!grown) {
		l->report.no_memory = true;
		return;
	}
	*array = grown;
	for (size_t i = 0; i < more; i++) {
		if (community_of(l, item(s, i), o, exact, &grown[*n]))
			++*n;
	}
}

void read_communities(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	struct filter_match *m = base;

	if (item_count(s) == 0)
		report_empty(l, s, o);
	add_communities(l, s, o, false, &m->communities, &m->n_communities);
}

/* ---- set -------------------------------------------------------------------------------------------- */

/* `set_community = [ ]` takes all away; nothing to add or to delete is a mistake. */
void read_community_edit(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	struct community_edit *e = option_field(o, base);

	if (item_count(s) == 0 && o->type != OPT_SET_COMMUNITY)
		report_empty(l, s, o);
	if (o->type == OPT_SET_COMMUNITY)
		e->clear = true;
	if (o->type == OPT_DELETE_COMMUNITY)
		add_communities(l, s, o, false, &e->remove, &e->n_remove);
	else
		add_communities(l, s, o, true, &e->add, &e->n_add);
}

void read_next_hop(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	struct filter_set *set = base;
	const char *text = read_text(l, s, o);
	struct ip a;

	if (!text)
		return;
	if (strcmp(text, "self") == 0) {
		set->next_hop = NEXT_HOP_SELF;
	} else if (strcmp(text, "keep") == 0) {
		set->next_hop = NEXT_HOP_KEEP;
	} else if (!ip_parse(text, &a)) {
		report_wrong_value(l, s, o, "is no address");
	} else if (a.family == IP_V6 && ip_is_link_local(&a)) {
		report_wrong_value(l, s, o, "is link-local, which means nothing to a peer on another link");
	} else if (ip_is_zero(&a) || ip_is_multicast(&a)) {
		report_wrong_value(l, s, o, "can be nobody's address");
	} else {
		set->next_hop = NEXT_HOP_ADDRESS;
		set->next_hop_addr = a;
	}
}

/* ---- filters ---------------------------------------------------------------------------------------- */

static void read_terms(struct loader *l, config_setting_t *s, const struct section *term, struct filter *f)
{
	for (size_t i = 0; i < f->n_terms; i++) {
		config_setting_t *m = item(s, i);

		section_defaults(l, term, &f->terms[i]);
		if (config_setting_is_group(m))
			section_read(l, m, term, &f->terms[i]);
		else
			report_setting(&l->report, m, NULL,
			               "needs a term, { match = { }; set = { }; action = \"accept\"; }");
	}
	filter_seal(f);
}

void read_filter_map(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	struct conf *c = base;

	if (!config_setting_is_group(s)) {
		report_wrong_type(l, s, o);
		return;
	}
	c->filters = load_alloc(l, item_count(s), sizeof(*c->filters));
	for (size_t i = 0; c->filters && has_item(l, s, i); i++) {
		config_setting_t *m = item(s, i);
		struct filter *f;

		check_name(l, m, true);
		if (!config_setting_is_list(m))
			report_setting(&l->report, m, NULL, "needs a list of terms, ( { }, { } )");
		f = filter_new(config_setting_name(m), config_setting_is_list(m) ? item_count(m) : 0);
		if (!f) {
			l->report.no_memory = true;
			return;
		}
		c->filters[c->n_filters++] = f;
		if (config_setting_is_list(m))
			read_terms(l, m, o->section, f);
	}
}
