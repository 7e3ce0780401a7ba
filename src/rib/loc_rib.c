/* SPDX-License-Identifier: BSD-2-Clause */
/* loc_rib.c - DOC: dirty prefixes -> best path and ECMP set (RFC 4271 9.1.2, Loc-RIB).
 *
 * However often a prefix changes between two runs, it is decided once. A dest keeps its best path first in
 * its list; the others need no order. What the last decision said is kept as flags on the paths, so that a
 * run can tell whether anything that others must hear has changed: the best path (export groups and
 * subscribers) or only the ECMP set (subscribers).
 *
 * Beside the ECMP set a spare path is named: the best of those that lead another way. Who writes the FIB can
 * have it at hand, so that the death of a next hop need not wait for every prefix behind it to be decided.
 *
 * The ECMP set are the paths that tie with the best one through the IGP metric, by at most options.multipath
 * distinct next hops. */
#include <stdlib.h>
#include <string.h>

#include "bgp/aspath.h"
#include "bgp/community.h"
#include "mcbgp/bgp.h"
#include "rib/rib_priv.h"

#define WEIGHT_MAX 255

/* -- the queue -------------------------------------------------------------------------------- */

bool loc_rib_touch(struct rib *r, enum family f, dest_id id)
{
	struct dest *d = table_dest(&r->tables[f], id);

	if (d->flags & DEST_DIRTY)
		return true;
	if (!queue_push(&r->dirty[f], id))
		return false;
	d->flags |= DEST_DIRTY;
	return true;
}

void loc_rib_release_bare(struct rib *r, enum family f, dest_id id)
{
	const struct dest *d = table_dest(&r->tables[f], id);

	if (!d->best_peer && !(d->flags & DEST_DIRTY) && !adj_out_names(r, f, id))
		table_remove(&r->tables[f], id);
}

/* -- candidates ------------------------------------------------------------------------------- */

bool loc_rib_eligible(const struct rib *r, const struct path *p)
{
	const struct rib_peer *peer = r->peers[p->peer];

	if (!p->attrs || path_is_over(peer, p))
		return false;
	if (p->flags & PATH_BLACKHOLE)
		return true;
	if (p->flags & PATH_INTERFACE)
		return p->nh != 0;
	return p->nh && nexthop_at(r->nexthops, p->nh)->why == NH_OK && !path_nexthop_is_circular(r, p);
}

void loc_rib_candidate(const struct rib *r, const struct path *p, struct candidate *out)
{
	const struct rib_peer *peer = r->peers[p->peer];
	const struct attrs *a = p->attrs ? path_attrs(r, p) : path_in(r, p);
	bool metric = p->nh && !(p->flags & PATH_INTERFACE);

	*out = (struct candidate){
		.attrs = a,
		.eligible = loc_rib_eligible(r, p),
		.stale = a->present & ATTRS_LONG_LIVED_STALE,
		.local = peer->conf.source != SOURCE_BGP,
		.ebgp = peer->conf.source == SOURCE_BGP && !peer->session.neg.ibgp,
		.igp_metric = metric ? nexthop_at(r->nexthops, p->nh)->metric : 0,
		.neighbor_as = aspath_first(a->as_path),
		.router_id =
		        attrs_has(a, BGP_ATTR_ORIGINATOR_ID) ? a->originator_id : peer->session.router_id,
		.peer_addr = peer->conf.address,
		.path_id = p->wire_id,
		.since = p->since,
	};
}

/* -- decision --------------------------------------------------------------------------------- */

/** Whether MED can tell two of its paths apart. Only then may the order of comparing matter: MED counts
 * between paths of one neighbor AS only, which makes "better than" no order over all of them (RFC 3345). */
static bool meds_differ(const struct rib *r, const struct dest *d)
{
	const struct attrs *first = NULL;

	if (r->options.decision.always_compare_med)
		return false;
	for (path_id id = d->paths; id; id = path_at(r, id)->next) {
		const struct attrs *a = path_attrs(r, path_at(r, id));

		if (!a)
			continue;
		if (first && a->med != first->med)
			return true;
		first = a;
	}
	return false;
}

/** Whether some other path of the same neighbor AS is better than @c: then it is not the best of its group,
 * and out. */
static bool beaten_in_group(const struct rib *r, const struct dest *d, path_id self,
                            const struct candidate *c)
{
	struct candidate other;

	for (path_id id = d->paths; id; id = path_at(r, id)->next) {
		if (id == self || !loc_rib_eligible(r, path_at(r, id)))
			continue;
		loc_rib_candidate(r, path_at(r, id), &other);
		if (other.neighbor_as == c->neighbor_as &&
		    decision_compare(&other, c, &r->options.decision, NULL) < 0)
			return true;
	}
	return false;
}

/** The link in the dest's list that holds its best eligible path, NULL when there is none; @best is that path
 * as a candidate when the dest has others too. */
static path_id *select_best(struct rib *r, struct dest *d, struct candidate *best)
{
	bool grouped = meds_differ(r, d);
	path_id *found = NULL;
	struct candidate c;

	for (path_id *link = &d->paths; *link; link = &path_at(r, *link)->next) {
		const struct path *p = path_at(r, *link);

		if (!loc_rib_eligible(r, p))
			continue;
		if (link == &d->paths && !p->next) /* the only path: nothing to compare with */
			return link;
		loc_rib_candidate(r, p, &c);
		if (grouped && beaten_in_group(r, d, *link, &c))
			continue;
		if (found && decision_compare(&c, best, &r->options.decision, NULL) >= 0)
			continue;
		found = link;
		*best = c;
	}
	return found;
}

static void move_first(struct rib *r, struct dest *d, path_id *link)
{
	path_id id = *link;
	struct path *p = path_at(r, id);

	if (link == &d->paths)
		return;
	*link = p->next;
	p->next = d->paths;
	d->paths = id;
}

/** The distinct next hops of an ECMP set in the making. */
struct hop_set {
	nexthop_id ids[MAX_HOPS];
	unsigned n, room;
};

static bool hop_set_has(const struct hop_set *s, nexthop_id id)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->ids[i] == id)
			return true;
	return false;
}

/** Whether a path by @id may join: its next hop is in already, or there is room for it. */
static bool hop_set_add(struct hop_set *s, nexthop_id id)
{
	if (hop_set_has(s, id))
		return true;
	if (s->n == s->room)
		return false;
	s->ids[s->n++] = id;
	return true;
}

static bool is_member(const struct rib *r, const struct path *p, const struct candidate *best,
                      struct hop_set *s)
{
	struct candidate c;

	if (s->room < 2 || !loc_rib_eligible(r, p))
		return false;
	loc_rib_candidate(r, p, &c);
	return decision_multipath(best, &c, &r->options.decision) && hop_set_add(s, p->nh);
}

/** Mark who is in the ECMP set now, its next hops in @s; @return whether the set differs from that of the
 * last decision. */
static bool mark_members(struct rib *r, struct dest *d, bool any, const struct candidate *best,
                         struct hop_set *s)
{
	bool changed = d->flags & DEST_MEMBER_GONE;

	s->n = 0;
	s->room = r->options.multipath < MAX_HOPS ? r->options.multipath : MAX_HOPS;
	for (path_id id = d->paths; id; id = path_at(r, id)->next) {
		struct path *p = path_at(r, id);
		bool member = any && (id == d->paths ? hop_set_add(s, p->nh) : is_member(r, p, best, s));

		if (member != !!(p->flags & PATH_MEMBER))
			changed = true;
		if (member && (p->flags & (PATH_UPDATED | PATH_MOVED)))
			changed = true;
		p->flags = (uint8_t)((p->flags & ~PATH_MEMBER) | (member ? PATH_MEMBER : 0));
	}
	return changed;
}

/** The best path by another next hop than those of the ECMP set @s; 0: none. */
static path_id select_spare(const struct rib *r, const struct dest *d, const struct hop_set *s)
{
	struct candidate c, best;
	path_id found = 0;

	for (path_id id = d->paths; id; id = path_at(r, id)->next) {
		const struct path *p = path_at(r, id);

		if (p->flags & (PATH_MEMBER | PATH_INTERFACE | PATH_BLACKHOLE) || hop_set_has(s, p->nh) ||
		    !loc_rib_eligible(r, p))
			continue;
		loc_rib_candidate(r, p, &c);
		if (found && decision_compare(&c, &best, &r->options.decision, NULL) >= 0)
			continue;
		found = id;
		best = c;
	}
	return found;
}

/** Mark the spare path; @return whether it is another one, or leads elsewhere, since the last decision. */
static bool mark_spare(struct rib *r, struct dest *d, path_id spare)
{
	bool changed = false;

	for (path_id id = d->paths; id; id = path_at(r, id)->next) {
		struct path *p = path_at(r, id);
		bool is = id == spare;

		if (is != !!(p->flags & PATH_SPARE) || (is && p->flags & (PATH_UPDATED | PATH_MOVED)))
			changed = true;
		p->flags = (uint8_t)((p->flags & ~(PATH_SPARE | PATH_MOVED)) | (is ? PATH_SPARE : 0));
	}
	return changed;
}

/** Mark the best path; @return whether export groups and subscribers must hear of it. */
static bool mark_best(struct rib *r, struct dest *d, bool any)
{
	bool changed = d->flags & DEST_BEST_GONE;

	for (path_id id = d->paths; id; id = path_at(r, id)->next) {
		struct path *p = path_at(r, id);
		bool best = any && id == d->paths;

		if (best != !!(p->flags & PATH_BEST) || (best && (p->flags & PATH_UPDATED)))
			changed = true;
		p->flags = (uint8_t)((p->flags & ~(PATH_BEST | PATH_UPDATED)) | (best ? PATH_BEST : 0));
	}
	return changed;
}

static void count_preferred(struct rib *r, enum family f, uint16_t peer, int sign)
{
	if (peer)
		r->peers[peer]->stats[f].preferred += (uint32_t)sign;
}

const struct path *loc_rib_best(const struct rib *r, const struct dest *d)
{
	const struct path *p = d->paths ? path_at(r, d->paths) : NULL;

	return p && (p->flags & PATH_BEST) && p->attrs ? p : NULL;
}

/* -- telling ---------------------------------------------------------------------------------- */

/** What a path weighs in an ECMP set, before scaling; 0: it does not say. */
static double share_of(const struct attrs *a)
{
	if (a->weight)
		return a->weight;
	return attrs_has(a, BGP_ATTR_EXT_COMMUNITIES) ? community_link_bandwidth(a->ext_communities) : 0;
}

/** How the members of an ECMP set say what share they take: the operator's weights, with 1 for who has none;
 * else link bandwidths, when all have one. */
struct shares {
	double of[MAX_HOPS]; /* by hop */
	bool weighted, all_have_bandwidth;
};

static unsigned gcd(unsigned a, unsigned b)
{
	while (b) {
		unsigned rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/** Bandwidths -> 1..WEIGHT_MAX; equal ones are 1. */
static void scale(struct rib_hop *hops, size_t n, const struct shares *s)
{
	double most = 0;
	unsigned common = 0;

	for (size_t i = 0; i < n; i++)
		most = s->of[i] > most ? s->of[i] : most;
	for (size_t i = 0; i < n; i++) {
		double w = s->of[i] / most * WEIGHT_MAX;

		hops[i].weight = w < 1 ? 1 : (uint16_t)w;
		common = gcd(hops[i].weight, common);
	}
	for (size_t i = 0; i < n; i++)
		hops[i].weight /= (uint16_t)common;
}

static bool same_hop(const struct rib_hop *a, const struct rib_hop *b)
{
	return a->ifindex == b->ifindex && ip_equal(&a->gateway, &b->gateway);
}

static size_t add_hop(struct rib_hop *hops, size_t n, struct rib_hop h)
{
	for (size_t i = 0; i < n; i++)
		if (same_hop(&hops[i], &h))
			return n;
	if (n < MAX_HOPS)
		hops[n++] = h;
	return n;
}

/* What is on a link by name rather than by a route needs to be told to the kernel, but for link-local ones.
 */
static struct rib_hop rib_hop(const struct nexthop *nh, uint16_t weight)
{
	bool link_local = nh->gateway.family == IP_V6 && ip_is_link_local(&nh->gateway);

	return (struct rib_hop){ nh->gateway, nh->ifindex, weight, nh->scope && !link_local };
}

static size_t collect_hops(const struct rib *r, const struct dest *d, struct rib_hop *hops)
{
	struct shares s; /* of[] is large: set for each hop that is added, an interface's too, and read no
	                    further */
	size_t n = 0, was;

	s.weighted = false;
	s.all_have_bandwidth = true;
	for (path_id id = d->paths; id; id = path_at(r, id)->next) {
		const struct path *p = path_at(r, id);
		const struct attrs *a = path_attrs(r, p);
		double share = 0;

		if (!(p->flags & PATH_MEMBER) || !p->nh)
			continue;
		was = n;
		if (p->flags & PATH_INTERFACE) {
			n = add_hop(hops, n, (struct rib_hop){ .ifindex = p->nh, .weight = 1 });
		} else {
			share = share_of(a);
			n = add_hop(hops, n,
			            rib_hop(nexthop_at(r->nexthops, p->nh), a->weight ? a->weight : 1));
		}
		if (n == was)
			continue;
		s.of[was] = share;
		s.weighted |= a->weight != 0;
		s.all_have_bandwidth &= share > 0;
	}
	if (n > 1 && !s.weighted && s.all_have_bandwidth)
		scale(hops, n, &s);
	return n;
}

static bool collect_spare(const struct rib *r, const struct dest *d, struct rib_hop *spare)
{
	for (path_id id = d->paths; id; id = path_at(r, id)->next) {
		const struct path *p = path_at(r, id);

		if (p->flags & PATH_SPARE) {
			const struct nexthop *nh = nexthop_at(r->nexthops, p->nh);

			*spare = rib_hop(nh, 1);
			return true;
		}
	}
	return false;
}

void loc_rib_tell(struct rib *r, enum family f, dest_id id, uint16_t old_peer)
{
	const struct dest *d = table_dest(&r->tables[f], id);
	const struct path *best = loc_rib_best(r, d);
	struct rib_hop hops[MAX_HOPS], spare;
	struct rib_change c = { .hops = hops, .was = old_peer ? r->peers[old_peer] : NULL };

	if (!r->n_subscribers)
		return;
	dest_prefix(&r->tables[f], d, &c.prefix);
	if (best) {
		c.best = path_attrs(r, best);
		c.from = r->peers[best->peer];
		c.kind = path_kind(best);
		c.n_hops = collect_hops(r, d, hops);
		c.spare = collect_spare(r, d, &spare) ? &spare : NULL;
	}
	for (unsigned i = 0; i < r->n_subscribers; i++)
		r->subscribers[i].change(r->subscribers[i].ctx, &c);
}

/** Next hops may lie behind this route. */
static void tell_nexthops(struct rib *r, enum family f, const struct dest *d)
{
	struct prefix prefix;

	if (!nexthop_uses_own(r->nexthops))
		return;
	dest_prefix(&r->tables[f], d, &prefix);
	nexthop_own_changed(r->nexthops, &prefix);
}

static void decide(struct rib *r, enum family f, dest_id id)
{
	struct dest *d = table_dest(&r->tables[f], id);
	uint16_t old_peer = d->best_peer;
	struct candidate best;
	struct hop_set hops;
	path_id *link = select_best(r, d, &best);
	bool best_changed, set_changed, named;

	d->flags &= (uint8_t)~DEST_DIRTY;
	if (link)
		move_first(r, d, link);
	set_changed = mark_members(r, d, link != NULL, &best, &hops);
	set_changed |= mark_spare(r, d, select_spare(r, d, &hops));
	best_changed = mark_best(r, d, link != NULL);
	d->flags &= (uint8_t) ~(DEST_BEST_GONE | DEST_MEMBER_GONE);
	d->best_peer = link ? path_at(r, d->paths)->peer : 0;
	count_preferred(r, f, old_peer, -1);
	count_preferred(r, f, d->best_peer, 1);
	named = adj_out_touch(r, f, id, old_peer, best_changed);
	if (best_changed || set_changed)
		loc_rib_tell(r, f, id, old_peer);
	tell_nexthops(r, f, d); /* a path that is no part of the answer may carry next hops */
	if (!named)
		loc_rib_release(r, f, id);
}

unsigned loc_rib_run(struct rib *r, unsigned budget)
{
	for (enum family f = 0; f < FAM_COUNT; f++)
		for (; budget && r->dirty[f].count; budget--)
			decide(r, f, (dest_id)queue_pop(&r->dirty[f]));
	return budget;
}
