/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: filters, the operator's policy as a list of terms.
 *
 * A run goes through the terms once, and what one of them sets is seen by those behind it. It is on the way
 * of every route, so it asks what is cheap before what is dear, allocates nothing, and touches the attributes
 * only where a term sets some. The text that AS path expressions look at is made when the first of them is
 * asked, in the edit's scratch space, and again only after a prepend. It takes up to 11 bytes a number, so
 * that paths of 5,900 numbers and more do not fit: such a route is refused rather than let past a term that
 * would have refused it.
 *
 * Where the result goes (Adj-RIB-In, a peer, the kernel) and what "next hop self" is there, the caller knows.
 */
#include "policy/filter.h"

#include <stdlib.h>
#include <string.h>

#include "bgp/aspath.h"
#include "bgp/nlri.h"
#include "lib/text.h"
#include "mcbgp/bgp.h"

#define N_KINDS 3u /* of communities */

/* A run through the terms. */
struct run {
	const struct filter_route *route;
	struct attrs_edit *e;
	struct filter_result *out;
	uint32_t local_as;
	const char *path_text; /* of e->a.as_path, in e's scratch; NULL: not made yet */
};

/* ---- match ------------------------------------------------------------------------------------ */

static bool in_u32(const uint32_t *values, size_t n, uint32_t v)
{
	for (size_t i = 0; i < n; i++) {
		if (values[i] == v)
			return true;
	}
	return n == 0;
}

static bool in_sets(const struct filter_match *m, const struct prefix *p)
{
	for (size_t i = 0; i < m->n_prefix_sets; i++) {
		if (prefix_set_match(m->prefix_sets[i], p))
			return true;
	}
	return m->n_prefix_sets == 0;
}

static bool in_next_hops(const struct filter_match *m, const struct attrs *a)
{
	for (size_t i = 0; i < m->n_next_hops; i++) {
		if (prefix_contains_ip(&m->next_hops[i], &a->next_hop))
			return true;
	}
	return m->n_next_hops == 0;
}

static bool from_peers(const struct filter_match *m, const struct filter_route *r)
{
	for (size_t i = 0; i < m->n_peers; i++) {
		if ((r->peer && strcmp(m->peers[i], r->peer) == 0) ||
		    (r->group && strcmp(m->peers[i], r->group) == 0))
			return true;
	}
	return m->n_peers == 0;
}

static struct blob community_list(const struct attrs *a, enum community_kind kind)
{
	switch (kind) {
	case COMMUNITY_PLAIN:
		return a->communities;
	case COMMUNITY_EXT:
		return a->ext_communities;
	case COMMUNITY_LARGE:
		return a->large_communities;
	}
	return (struct blob){ 0 };
}

/* Of each kind that is asked for, some value must be there. */
static bool has_communities(const struct filter_match *m, const struct attrs *a)
{
	unsigned asked = 0, found = 0;

	for (size_t i = 0; i < m->n_communities; i++) {
		const struct community_pattern *p = &m->communities[i];
		unsigned bit = 1u << p->kind;

		asked |= bit;
		if (!(found & bit) && community_list_match(p->kind, community_list(a, p->kind), p))
			found |= bit;
	}
	return asked == found;
}

/* The path as text; NULL: it does not fit, and the edit is bad. */
static const char *path_text(struct run *r)
{
	struct attrs_edit *e = r->e;
	char *text = (char *)e->scratch + e->used;
	size_t room = sizeof(e->scratch) - e->used, len;

	if (r->path_text || e->bad)
		return r->path_text;
	len = aspath_print(e->a.as_path, text, room);
	if (!attrs_edit_alloc(e, (uint32_t)len + 1))
		return NULL;
	r->path_text = text;
	return text;
}

static bool matches_as_path(const struct filter_match *m, struct run *r)
{
	const char *text = m->n_as_paths ? path_text(r) : NULL;

	for (size_t i = 0; text && i < m->n_as_paths; i++) {
		if (as_regex_match(m->as_paths[i], text))
			return true;
	}
	return m->n_as_paths == 0;
}

static bool in_mask(uint8_t mask, unsigned bit)
{
	return mask == 0 || (mask & bit);
}

/* The cheap questions first. */
static bool matches(const struct filter_match *m, struct run *r)
{
	const struct filter_route *route = r->route;
	const struct attrs *a = &r->e->a;

	return in_mask(m->sources, SOURCE_BIT(route->source)) &&
	       in_mask(m->families, FAM_BIT(family_of(route->prefix))) &&
	       in_mask(m->origins, 1u << a->origin) && in_u32(m->meds, m->n_meds, a->med) &&
	       in_u32(m->local_prefs, m->n_local_prefs, attrs_local_pref(a)) && in_next_hops(m, a) &&
	       from_peers(m, route) && in_sets(m, route->prefix) && has_communities(m, a) &&
	       matches_as_path(m, r);
}

/* ---- set -------------------------------------------------------------------------------------- */

static void set_numbers(const struct filter_set *s, struct run *r)
{
	if (s->med_set) {
		attrs_edit_set_u32(r->e, BGP_ATTR_MED, s->med);
		r->out->med_set = true;
	}
	if (s->local_pref_set)
		attrs_edit_set_u32(r->e, BGP_ATTR_LOCAL_PREF, s->local_pref);
	if (s->origin_set)
		attrs_edit_set_origin(r->e, s->origin);
	if (s->weight_set)
		r->out->weight = s->weight;
	r->out->changed |= s->med_set || s->local_pref_set || s->origin_set;
}

static void set_next_hop(const struct filter_set *s, struct run *r)
{
	if (s->next_hop == NEXT_HOP_UNSET)
		return;
	r->out->next_hop = s->next_hop;
	if (s->next_hop != NEXT_HOP_ADDRESS)
		return;
	attrs_edit_set_next_hop(r->e, &s->next_hop_addr);
	r->out->changed = true;
}

static void set_path(const struct filter_set *s, struct run *r)
{
	if (!s->prepend)
		return;
	attrs_edit_prepend(r->e, r->local_as, s->prepend);
	r->path_text = NULL;
	r->out->changed = true;
}

static void set_communities(const struct community_edit *c, enum community_kind kind, struct run *r)
{
	if (c->clear)
		community_clear(r->e, kind);
	for (size_t i = 0; i < c->n_remove; i++)
		community_delete(r->e, &c->remove[i]);
	for (size_t i = 0; i < c->n_add; i++)
		community_add(r->e, &c->add[i]);
	r->out->changed |= c->clear || c->n_remove || c->n_add;
}

static void apply(const struct filter_set *s, struct run *r)
{
	set_numbers(s, r);
	set_next_hop(s, r);
	set_path(s, r);
	for (unsigned kind = 0; kind < N_KINDS; kind++)
		set_communities(&s->communities[kind], kind, r);
}

/* ---- run -------------------------------------------------------------------------------------- */

/* Term @i. @return what is to be done then. */
static enum filter_action term_run(const struct filter_term *t, size_t i, struct run *r)
{
	bool hit = matches(&t->match, r);

	if (hit && i < FILTER_TRACED)
		r->out->matched |= UINT64_C(1) << i;
	if (hit && t->action != FILTER_REJECT)
		apply(&t->set, r);
	if (r->e->bad)
		return FILTER_REJECT;
	return hit ? t->action : FILTER_CONTINUE;
}

void filter_run(const struct filter *f, const struct filter_route *r, uint32_t local_as, struct attrs_edit *e,
                struct filter_result *out)
{
	struct run run = { .route = r, .e = e, .out = out, .local_as = local_as };

	*out = (struct filter_result){ .verdict = FILTER_REJECT, .term = -1 };
	for (size_t i = 0; i < f->n_terms; i++) {
		enum filter_action action = term_run(&f->terms[i], i, &run);

		if (action == FILTER_CONTINUE)
			continue;
		out->verdict = action;
		out->term = (int)i;
		return;
	}
}

/* ---- making, freeing -------------------------------------------------------------------------- */

struct filter *filter_new(const char *name, size_t n_terms)
{
	struct filter *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->name = strdup(name);
	f->terms = calloc(n_terms ? n_terms : 1, sizeof(*f->terms));
	f->n_terms = f->terms ? n_terms : 0;
	f->uses_prefix = true;
	if (f->name && f->terms)
		return f;
	filter_free(f);
	return NULL;
}

void filter_seal(struct filter *f)
{
	f->uses_prefix = false;
	for (size_t i = 0; i < f->n_terms; i++)
		f->uses_prefix |= f->terms[i].match.n_prefix_sets || f->terms[i].match.families;
}

bool filter_match_add_as_path(struct filter_match *m, const char *regex, char *err, size_t len)
{
	struct as_regex **expressions =
	        reallocarray(m->as_paths, m->n_as_paths + 1, sizeof(struct as_regex *));
	char **texts = reallocarray(m->as_path_texts, m->n_as_paths + 1, sizeof(char *));
	struct as_regex *re = as_regex_new(regex, err, len);
	struct text t;

	if (expressions)
		m->as_paths = expressions;
	if (texts)
		m->as_path_texts = texts;
	if (!re)
		return false;
	if (!expressions || !texts || !(texts[m->n_as_paths] = strdup(regex))) {
		as_regex_free(re);
		t = text_init(err, len);
		text_str(&t, "out of memory");
		return false;
	}
	expressions[m->n_as_paths++] = re;
	return true;
}

static void match_fini(struct filter_match *m)
{
	for (size_t i = 0; i < m->n_as_paths; i++) {
		as_regex_free(m->as_paths[i]);
		free(m->as_path_texts[i]);
	}
	for (size_t i = 0; i < m->n_peers; i++)
		free(m->peers[i]);
	free(m->prefix_sets);
	free(m->communities);
	free(m->as_paths);
	free(m->as_path_texts);
	free(m->peers);
	free(m->next_hops);
	free(m->meds);
	free(m->local_prefs);
}

static void term_fini(struct filter_term *t)
{
	match_fini(&t->match);
	for (unsigned kind = 0; kind < N_KINDS; kind++) {
		free(t->set.communities[kind].remove);
		free(t->set.communities[kind].add);
	}
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n_terms; i++)
		term_fini(&f->terms[i]);
	free(f->terms);
	free(f->name);
	free(f);
}

/* ---- comparing -------------------------------------------------------------------------------- */

static bool u32_equal(const uint32_t *a, size_t na, const uint32_t *b, size_t nb)
{
	return na == nb && (!na || memcmp(a, b, na * sizeof(*a)) == 0);
}

static bool strings_equal(char *const *a, size_t na, char *const *b, size_t nb)
{
	for (size_t i = 0; na == nb && i < na; i++) {
		if (strcmp(a[i], b[i]) != 0)
			return false;
	}
	return na == nb;
}

static bool prefixes_equal(const struct prefix *a, size_t na, const struct prefix *b, size_t nb)
{
	for (size_t i = 0; na == nb && i < na; i++) {
		if (!prefix_equal(&a[i], &b[i]))
			return false;
	}
	return na == nb;
}

static bool patterns_equal(const struct community_pattern *a, size_t na, const struct community_pattern *b,
                           size_t nb)
{
	for (size_t i = 0; na == nb && i < na; i++) {
		if (!community_pattern_equal(&a[i], &b[i]))
			return false;
	}
	return na == nb;
}

static bool sets_equal(const struct filter_match *a, const struct filter_match *b)
{
	for (size_t i = 0; a->n_prefix_sets == b->n_prefix_sets && i < a->n_prefix_sets; i++) {
		if (!prefix_set_equal(a->prefix_sets[i], b->prefix_sets[i]))
			return false;
	}
	return a->n_prefix_sets == b->n_prefix_sets;
}

static bool match_equal(const struct filter_match *a, const struct filter_match *b)
{
	return a->sources == b->sources && a->families == b->families && a->origins == b->origins &&
	       u32_equal(a->meds, a->n_meds, b->meds, b->n_meds) &&
	       u32_equal(a->local_prefs, a->n_local_prefs, b->local_prefs, b->n_local_prefs) &&
	       prefixes_equal(a->next_hops, a->n_next_hops, b->next_hops, b->n_next_hops) &&
	       strings_equal(a->peers, a->n_peers, b->peers, b->n_peers) &&
	       strings_equal(a->as_path_texts, a->n_as_paths, b->as_path_texts, b->n_as_paths) &&
	       patterns_equal(a->communities, a->n_communities, b->communities, b->n_communities) &&
	       sets_equal(a, b);
}

/* An optional value: what is not set has no meaning. */
static bool same(bool a_set, uint32_t a, bool b_set, uint32_t b)
{
	return a_set == b_set && (!a_set || a == b);
}

static bool next_hop_equal(const struct filter_set *a, const struct filter_set *b)
{
	return a->next_hop == b->next_hop &&
	       (a->next_hop != NEXT_HOP_ADDRESS || ip_equal(&a->next_hop_addr, &b->next_hop_addr));
}

static bool community_edit_equal(const struct community_edit *a, const struct community_edit *b)
{
	return a->clear == b->clear && patterns_equal(a->remove, a->n_remove, b->remove, b->n_remove) &&
	       patterns_equal(a->add, a->n_add, b->add, b->n_add);
}

static bool set_equal(const struct filter_set *a, const struct filter_set *b)
{
	bool equal = same(a->med_set, a->med, b->med_set, b->med) &&
	             same(a->local_pref_set, a->local_pref, b->local_pref_set, b->local_pref) &&
	             same(a->origin_set, a->origin, b->origin_set, b->origin) &&
	             same(a->weight_set, a->weight, b->weight_set, b->weight) && a->prepend == b->prepend &&
	             next_hop_equal(a, b);

	for (unsigned kind = 0; equal && kind < N_KINDS; kind++)
		equal = community_edit_equal(&a->communities[kind], &b->communities[kind]);
	return equal;
}

static bool term_equal(const struct filter_term *a, const struct filter_term *b)
{
	return a->action == b->action && match_equal(&a->match, &b->match) && set_equal(&a->set, &b->set);
}

bool filter_equal(const struct filter *a, const struct filter *b)
{
	for (size_t i = 0; a->n_terms == b->n_terms && i < a->n_terms; i++) {
		if (!term_equal(&a->terms[i], &b->terms[i]))
			return false;
	}
	return a->n_terms == b->n_terms;
}
