/* SPDX-License-Identifier: BSD-2-Clause */
/* filter_text.c - see filter_text.h. */
#include "ctl/filter_text.h"

#include <inttypes.h>
#include <stdio.h>

/** Where values go. */
struct told {
	filter_value_fn fn;
	void *arg;
};

static void tell(const struct told *t, const char *setting, const char *value)
{
	t->fn(t->arg, setting, value);
}

static void tell_number(const struct told *t, const char *setting, uint32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%" PRIu32, value);
	tell(t, setting, text);
}

static const char *const origins[] = { "igp", "egp", "incomplete" };

static void tell_mask(const struct told *t, const char *setting, uint8_t mask, const char *const *names,
                      size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (mask & 1u << i)
			tell(t, setting, names[i]);
}

static void tell_patterns(const struct told *t, const char *setting, const struct community_pattern *p,
                          size_t n)
{
	char text[96];

	for (size_t i = 0; i < n; i++)
		tell(t, setting, community_pattern_print(&p[i], text, sizeof(text)));
}

static void tell_communities(const struct told *t, const struct filter_match *m)
{
	static const char *const settings[] = { [COMMUNITY_PLAIN] = "community",
		                                [COMMUNITY_EXT] = "ext_community",
		                                [COMMUNITY_LARGE] = "large_community" };

	for (unsigned kind = COMMUNITY_PLAIN; kind <= COMMUNITY_LARGE; kind++)
		for (size_t i = 0; i < m->n_communities; i++)
			if (m->communities[i].kind == kind)
				tell_patterns(t, settings[kind], &m->communities[i], 1);
}

void filter_text_match(const struct ctl_backend *b, const struct filter_match *m, filter_value_fn fn,
                       void *arg)
{
	static const char *const families[] = { [FAM_IPV4] = "ipv4", [FAM_IPV6] = "ipv6" };
	static const char *const sources[] = {
		[SOURCE_BGP] = "bgp", [SOURCE_STATIC] = "static", [SOURCE_DIRECT] = "direct"
	};
	const struct told t = { fn, arg };
	char text[PREFIX_STRLEN];

	for (size_t i = 0; i < m->n_prefix_sets; i++)
		tell(&t, "prefix", b->set_name(b->ctx, m->prefix_sets[i]));
	tell_communities(&t, m);
	for (size_t i = 0; i < m->n_as_paths; i++)
		tell(&t, "as_path", m->as_path_texts[i]);
	for (size_t i = 0; i < m->n_peers; i++)
		tell(&t, "peer", m->peers[i]);
	tell_mask(&t, "source", m->sources, sources, 3);
	tell_mask(&t, "family", m->families, families, 2);
	for (size_t i = 0; i < m->n_next_hops; i++)
		tell(&t, "next_hop", prefix_print(&m->next_hops[i], text));
	tell_mask(&t, "origin", m->origins, origins, 3);
	for (size_t i = 0; i < m->n_meds; i++)
		tell_number(&t, "med", m->meds[i]);
	for (size_t i = 0; i < m->n_local_prefs; i++)
		tell_number(&t, "local_pref", m->local_prefs[i]);
}

static void tell_edits(const struct told *t, const struct filter_set *s)
{
	static const char *const settings[][3] = {
		[COMMUNITY_PLAIN] = { "set_community", "delete_community", "add_community" },
		[COMMUNITY_EXT] = { "set_ext_community", "delete_ext_community", "add_ext_community" },
		[COMMUNITY_LARGE] = { "set_large_community", "delete_large_community",
		                      "add_large_community" },
	};

	for (unsigned kind = COMMUNITY_PLAIN; kind <= COMMUNITY_LARGE; kind++) {
		const struct community_edit *e = &s->communities[kind];

		if (e->clear && !e->n_add)
			tell(t, settings[kind][0], "none");
		tell_patterns(t, settings[kind][1], e->remove, e->n_remove);
		tell_patterns(t, settings[kind][e->clear ? 0 : 2], e->add, e->n_add);
	}
}

void filter_text_set(const struct filter_set *s, filter_value_fn fn, void *arg)
{
	const struct told t = { fn, arg };
	char address[IP_STRLEN];

	if (s->med_set)
		tell_number(&t, "med", s->med);
	if (s->local_pref_set)
		tell_number(&t, "local_pref", s->local_pref);
	if (s->origin_set)
		tell(&t, "origin", origins[s->origin]);
	tell_edits(&t, s);
	if (s->prepend)
		tell_number(&t, "prepend", s->prepend);
	if (s->next_hop == NEXT_HOP_ADDRESS)
		tell(&t, "next_hop", ip_print(&s->next_hop_addr, address));
	else if (s->next_hop != NEXT_HOP_UNSET)
		tell(&t, "next_hop", s->next_hop == NEXT_HOP_SELF ? "self" : "keep");
	if (s->weight_set)
		tell_number(&t, "weight", s->weight);
}

const char *filter_text_action(enum filter_action a)
{
	static const char *const names[] = {
		[FILTER_CONTINUE] = "continue",
		[FILTER_ACCEPT] = "accept",
		[FILTER_REJECT] = "reject",
	};

	return names[a];
}
