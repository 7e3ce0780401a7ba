/* SPDX-License-Identifier: BSD-2-Clause */
/* where.c - see where.h. */
#include "ctl/where.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONDITIONS_MAX ((WORDS_MAX - 2) / 3)

struct where {
	struct filter *conditions; /* a term each, which goes on whether it matches or not */
	uint64_t wanted;           /* bit i: condition i must hold; otherwise it must not */
	struct prefix_set *sets[CONDITIONS_MAX];
	size_t n_sets;
	struct attrs_edit edit;
};

/** One condition being read. */
struct condition {
	struct where *where;
	struct filter_match *match;
	const char *value;
	char *err; /* what is wrong, when a reader says no */
	size_t len;
};

static bool wrong(const struct condition *c, const char *why)
{
	snprintf(c->err, c->len, "%s: %s", c->value, why);
	return false;
}

static bool no_memory(const struct condition *c)
{
	return wrong(c, "out of memory");
}

/* -- what a key means ------------------------------------------------------------------------- */

static bool read_community(struct condition *c, enum community_kind kind)
{
	struct community_pattern *p = calloc(1, sizeof(*p));
	const char *why;

	if (!p)
		return no_memory(c);
	c->match->communities = p;
	c->match->n_communities = 1;
	return community_parse(kind, c->value, p, &why) || wrong(c, why);
}

static bool read_plain(struct condition *c)
{
	return read_community(c, COMMUNITY_PLAIN);
}

static bool read_large(struct condition *c)
{
	return read_community(c, COMMUNITY_LARGE);
}

static bool read_ext(struct condition *c)
{
	return read_community(c, COMMUNITY_EXT);
}

static bool read_as_path(struct condition *c)
{
	char why[200];

	return filter_match_add_as_path(c->match, c->value, why, sizeof(why)) || wrong(c, why);
}

static bool read_number(struct condition *c, uint32_t **values, size_t *n)
{
	uint32_t *v = calloc(1, sizeof(*v));

	if (!v)
		return no_memory(c);
	*values = v;
	*n = 1;
	return words_u32(c->value, v) || wrong(c, "no number of 32 bits");
}

static bool read_med(struct condition *c)
{
	return read_number(c, &c->match->meds, &c->match->n_meds);
}

static bool read_local_pref(struct condition *c)
{
	return read_number(c, &c->match->local_prefs, &c->match->n_local_prefs);
}

static bool read_next_hop(struct condition *c)
{
	struct prefix *p = calloc(1, sizeof(*p));

	if (!p)
		return no_memory(c);
	c->match->next_hops = p;
	c->match->n_next_hops = 1;
	return prefix_parse(c->value, true, p) || wrong(c, "no address, and no prefix");
}

static bool read_peer(struct condition *c)
{
	char **names = calloc(1, sizeof(*names));

	if (!names)
		return no_memory(c);
	c->match->peers = names;
	names[0] = strdup(c->value);
	c->match->n_peers = names[0] != NULL;
	return names[0] || no_memory(c);
}

static bool read_prefix(struct condition *c)
{
	const struct prefix_set **sets = calloc(1, sizeof(*sets));
	struct prefix_set *set = sets ? prefix_set_new() : NULL;
	struct prefix_pattern p;
	const char *why;

	c->match->prefix_sets = sets;
	if (!set)
		return no_memory(c);
	sets[0] = c->where->sets[c->where->n_sets++] = set;
	c->match->n_prefix_sets = 1;
	if (!prefix_pattern_parse(c->value, &p, &why))
		return wrong(c, why);
	return prefix_set_add(set, &p) == 0 || no_memory(c);
}

static const struct keyword sources[] = {
	{ "bgp", "", SOURCE_BGP }, { "static", "", SOURCE_STATIC }, { "direct", "", SOURCE_DIRECT }, { 0 }
};
static const struct keyword origins[] = { { "igp", "", BGP_ORIGIN_IGP },
	                                  { "egp", "", BGP_ORIGIN_EGP },
	                                  { "incomplete", "", BGP_ORIGIN_INCOMPLETE },
	                                  { 0 } };
static const struct keyword families[] = { { "ipv4", "", FAM_IPV4 }, { "ipv6", "", FAM_IPV6 }, { 0 } };

static bool read_word(struct condition *c, const struct keyword *known, const char *list, uint8_t *mask)
{
	int k = keyword_find(known, c->value);

	*mask = k < 0 ? 0 : (uint8_t)(1u << k);
	return k >= 0 || wrong(c, list);
}

static bool read_source(struct condition *c)
{
	return read_word(c, sources, "bgp, static or direct", &c->match->sources);
}

static bool read_origin(struct condition *c)
{
	return read_word(c, origins, "igp, egp or incomplete", &c->match->origins);
}

static bool read_family(struct condition *c)
{
	return read_word(c, families, "ipv4 or ipv6", &c->match->families);
}

static const struct key {
	const char *name;
	bool (*read)(struct condition *c); /* false: c->err says why */
} keys[] = {
	{ "prefix", read_prefix },         { "community", read_plain },   { "large_community", read_large },
	{ "ext_community", read_ext },     { "as_path", read_as_path },   { "med", read_med },
	{ "local_pref", read_local_pref }, { "next_hop", read_next_hop }, { "origin", read_origin },
	{ "source", read_source },         { "family", read_family },     { "peer", read_peer },
};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

/* -- conditions ------------------------------------------------------------------------------- */

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; i < N_KEYS; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

/** "=" and "~" mean the same: what the key's value is in a filter, be it a pattern, a range or an expression.
 * false: no operator. */
static bool read_operator(const char *text, bool *negated)
{
	*negated = text[0] == '!';
	text += *negated;
	return strcmp(text, "=") == 0 || strcmp(text, "~") == 0;
}

static bool refuse_key(const char *name, char *err, size_t len)
{
	int at = snprintf(err, len, "where %s: %s; a key is one of", name,
	                  strpbrk(name, "=~") ? "blanks belong around = and ~" : "no such key");

	for (size_t i = 0; i < N_KEYS && at > 0 && (size_t)at < len; i++)
		at += snprintf(err + at, len - (size_t)at, "%s %s", i ? "," : "", keys[i].name);
	return false;
}

/** Condition number @i out of the @n words at @w. */
static bool read_condition(struct where *out, size_t i, const struct word *w, size_t n, char *err, size_t len)
{
	struct filter_term *term = &out->conditions->terms[i];
	struct condition c = { out, &term->match, n > 2 ? w[2].text : "", err, len };
	const struct key *key = n ? find_key(w[0].text) : NULL;
	bool negated;

	if (n && !key)
		return refuse_key(w[0].text, err, len);
	if (n < 3 || !read_operator(w[1].text, &negated)) {
		snprintf(err, len, "where KEY = VALUE, with blanks between; also !=, ~ and !~");
		return false;
	}
	if (!negated)
		out->wanted |= UINT64_C(1) << i;
	term->action = FILTER_CONTINUE;
	return key->read(&c);
}

static size_t count_conditions(const struct word *w, size_t n)
{
	size_t found = 1;

	for (size_t at = 3; at < n && !w[at].quoted && strcmp(w[at].text, "and") == 0; at += 4)
		found++;
	return found;
}

struct where *where_new(const struct word *w, size_t n, size_t *taken, char *err, size_t len)
{
	struct where *out = calloc(1, sizeof(*out));
	size_t count = count_conditions(w, n);

	*taken = 0;
	snprintf(err, len, "out of memory");
	if (!out || !(out->conditions = filter_new("where", count)))
		goto fail;
	for (size_t i = 0; i < count; i++) {
		size_t at = 4 * i;

		if (!read_condition(out, i, w + at, n - at, err, len))
			goto fail;
	}
	filter_seal(out->conditions);
	*taken = 4 * count - 1;
	return out;
fail:
	where_free(out);
	return NULL;
}

void where_free(struct where *w)
{
	if (!w)
		return;
	filter_free(w->conditions);
	for (size_t i = 0; i < w->n_sets; i++)
		prefix_set_free(w->sets[i]);
	free(w);
}

bool where_holds(struct where *w, const struct rib_path_view *v, const struct attrs *a)
{
	const struct rib_peer_conf *from = rib_peer_conf(v->peer);
	const struct filter_route route = { &v->prefix, from->name, from->group, from->source };
	struct filter_result result;

	attrs_edit_begin(&w->edit, a);
	filter_run(w->conditions, &route, 0, &w->edit, &result);
	return !w->edit.bad && result.matched == w->wanted;
}
