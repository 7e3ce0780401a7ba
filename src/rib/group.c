/* SPDX-License-Identifier: BSD-2-Clause */
/* group.c - what makes an export group, and what it holds: bits, counts, the prefixes that wait. When and for
 * whom it encodes is adj_out.c's business. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rib/group.h"

/** Our own address as the next hop of routes of @f. The session's own end serves where it may: the peer has
 * proven that it reaches it. */
static struct ip self_of(const struct rib_session *s, enum family f)
{
	const uint8_t want = family_ip(f);

	if (s->local_address.family == want || s->neg.ext_next_hop & FAM_BIT(f))
		return s->local_address;
	if (s->other_address.family == want)
		return s->other_address;
	return want == IP_V6 ? s->link_local : (struct ip){ 0 };
}

void adj_out_params(const struct rib_peer *p, struct export_params *out)
{
	static const enum export_policy policies[] = { [RIB_POLICY_NONE] = EXPORT_NONE,
		                                       [RIB_POLICY_ALL] = EXPORT_ALL,
		                                       [RIB_POLICY_FILTER] = EXPORT_FILTER };

	*out = (struct export_params){
		.policy = policies[p->conf.export],
		.filter = p->conf.export == RIB_POLICY_FILTER ? p->conf.export_filter : NULL,
		.ibgp = p->session.neg.ibgp,
		.rr_client = p->conf.rr_client,
		.long_lived = p->session.neg.long_lived,
		.next_hop_self = p->conf.next_hop_self,
		.next_hop_keep = p->conf.next_hop_keep,
		.remove_private_as = p->conf.remove_private_as,
		.graceful_shutdown = p->conf.graceful_shutdown,
		.override_as = p->conf.as_override ? p->conf.remote_as : 0,
		.role = p->conf.role,
		.local_as = p->conf.local_as,
		.router_id = p->rib->options.router_id,
		.cluster_id = p->rib->options.cluster_id,
		.self = { [FAM_IPV4] = self_of(&p->session, FAM_IPV4),
		          [FAM_IPV6] = self_of(&p->session, FAM_IPV6) },
		.link_local = p->session.link_local,
		.link = p->link,
		.ext_next_hop = p->session.neg.ext_next_hop,
	};
}

/** The link that @path's next hop is directly on; 0: none. */
static uint32_t next_hop_link(const struct rib *r, const struct path *path)
{
	const struct nexthop *nh;

	if (!path->nh || path->flags & PATH_INTERFACE)
		return 0;
	nh = nexthop_at(r->nexthops, path->nh);
	return nh->why == NH_OK && nh->connected ? nh->ifindex : 0;
}

void adj_out_source(const struct rib *r, const struct path *path, struct export_source *out)
{
	const struct rib_peer *p = r->peers[path->peer];

	*out = (struct export_source){
		.peer = p->conf.name,
		.group = p->conf.group,
		.source = p->conf.source,
		.ibgp = p->conf.source == SOURCE_BGP && p->session.neg.ibgp,
		.rr_client = p->conf.rr_client,
		.router_id = p->session.router_id,
		.link = next_hop_link(r, path),
	};
}

static bool params_same(const struct export_params *a, const struct export_params *b)
{
	if (a->policy != b->policy || (a->filter != b->filter && !filter_equal(a->filter, b->filter)))
		return false;
	for (enum family f = 0; f < FAM_COUNT; f++)
		if (!ip_equal(&a->self[f], &b->self[f]))
			return false;
	return a->ibgp == b->ibgp && a->rr_client == b->rr_client && a->long_lived == b->long_lived &&
	       a->next_hop_self == b->next_hop_self && a->next_hop_keep == b->next_hop_keep &&
	       a->remove_private_as == b->remove_private_as && a->graceful_shutdown == b->graceful_shutdown &&
	       a->override_as == b->override_as && a->role.set == b->role.set &&
	       a->role.role == b->role.role && a->local_as == b->local_as && a->router_id == b->router_id &&
	       a->cluster_id == b->cluster_id && a->link == b->link && a->ext_next_hop == b->ext_next_hop &&
	       ip_equal(&a->link_local, &b->link_local);
}

void group_describe(struct group *g, const struct rib_peer *p)
{
	const struct negotiated *n = &p->session.neg;

	adj_out_params(p, &g->params);
	g->rib = p->rib;
	g->max_len = n->max_len;
	g->codec = (struct codec_ctx){
		.as4 = n->as4, .ibgp = n->ibgp, .families = n->families, .ext_next_hop = n->ext_next_hop
	};
	memcpy(g->codec.add_path, n->add_path_tx, sizeof(g->codec.add_path));
}

bool group_same_kind(const struct group *a, const struct group *b)
{
	return params_same(&a->params, &b->params) && a->max_len == b->max_len &&
	       a->codec.as4 == b->codec.as4 && a->codec.families == b->codec.families &&
	       a->codec.ext_next_hop == b->codec.ext_next_hop &&
	       memcmp(a->codec.add_path, b->codec.add_path, sizeof(a->codec.add_path)) == 0;
}

struct group *group_new(const struct rib_peer *p)
{
	struct adj_out *o = p->rib->out;
	struct group *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	group_describe(g, p);
	g->serial = ++o->serial;
	g->walk.at = 1;
	g->fresh = true;
	g->next = o->groups;
	o->groups = g;
	return g;
}

static void drop_pending(struct group *g)
{
	for (enum family f = 0; f < FAM_COUNT; f++) {
		free(g->is_pending[f].words); /* from here on the queue keeps no dest alive */
		g->is_pending[f] = (struct bitmap){ 0 };
		while (g->pending[f].count)
			loc_rib_release(g->rib, f, (dest_id)(queue_pop(&g->pending[f]) >> 16));
		queue_fini(&g->pending[f]);
		free(g->sent_from[f]);
		free(g->sent[f].words);
	}
}

void group_free(struct group *g)
{
	struct group **link = &g->rib->out->groups;

	assert(!g->members);
	while (*link != g)
		link = &(*link)->next;
	*link = g->next;
	drop_pending(g);
	group_paths_free(g);
	free(g);
}

bool bitmap_grow(struct bitmap *b, dest_id end)
{
	uint32_t need = end / 64 + 1, n = b->n + b->n / 2;
	uint64_t *words;

	n = n > need ? n : need;
	words = reallocarray(b->words, n, sizeof(*words));
	if (!words)
		return false;
	memset(words + b->n, 0, (n - b->n) * sizeof(*words));
	b->words = words;
	b->n = n;
	return true;
}

bool group_reserve_sources(struct group *g)
{
	uint32_t n = g->rib->n_peers;

	if (n <= g->n_sources)
		return true;
	for (enum family f = 0; f < FAM_COUNT; f++) {
		uint32_t *grown = reallocarray(g->sent_from[f], n, sizeof(*grown));

		if (!grown)
			return false;
		memset(grown + g->n_sources, 0, (n - g->n_sources) * sizeof(*grown));
		g->sent_from[f] = grown;
	}
	g->n_sources = n;
	return true;
}

static bool bitmap_copy(struct bitmap *to, const struct bitmap *from)
{
	if (!from->n)
		return true;
	if (!bitmap_reserve(to, from->n * 64 - 1))
		return false;
	memcpy(to->words, from->words, from->n * sizeof(*from->words));
	return true;
}

struct group *group_copy(const struct rib_peer *p, const struct group *from)
{
	struct group *g = group_new(p);
	bool ok = g && group_reserve_sources(g) && group_paths_copy(g, from);

	for (enum family f = 0; ok && f < FAM_COUNT; f++) {
		ok = bitmap_copy(&g->sent[f], &from->sent[f]) &&
		     bitmap_copy(&g->is_pending[f], &from->is_pending[f]) &&
		     queue_copy(&g->pending[f], &from->pending[f]);
		g->sent_count[f] = from->sent_count[f];
		if (ok && from->n_sources)
			memcpy(g->sent_from[f], from->sent_from[f], from->n_sources * sizeof(uint32_t));
	}
	if (g && !ok) {
		group_free(g);
		return NULL;
	}
	if (g) {
		g->walk = from->walk;
		g->apart = true;
		g->fresh = false;
		g->twin_of = from->serial;
	}
	return g;
}

bool group_has_pending(const struct group *g)
{
	for (enum family f = 0; f < FAM_COUNT; f++)
		if (g->pending[f].count)
			return true;
	return false;
}

bool group_idle(const struct group *g)
{
	return !g->announcing_anew && !g->n_catching_up && !group_has_pending(g);
}
