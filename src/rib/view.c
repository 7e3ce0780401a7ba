/* SPDX-License-Identifier: BSD-2-Clause */
/* view.c - the table as `show` sees it: walks that survive change, paths in order with the rule that decided,
 * what a peer would be sent.
 *
 * Nothing here is on the way of an UPDATE: answers are computed when asked for, so the table keeps nothing
 * for them. */
#include <stdlib.h>
#include <string.h>

#include "rib/rib_priv.h"

#define US_PER_CENTISECOND 10000u

bool rib_walk(const struct rib *r, struct rib_cursor *c, struct prefix *out)
{
	const struct table *t = &r->tables[c->family];

	while (++c->at < table_end(t)) {
		const struct dest *d = table_dest(t, c->at);

		if (d->flags & DEST_FREE || !d->paths)
			continue;
		dest_prefix(t, d, out);
		return true;
	}
	c->at = table_end(t) - 1; /* asked again: the end again, unless there is more by then */
	return false;
}

static uint64_t since_us(const struct rib *r, const struct path *p)
{
	uint32_t age = (uint32_t)(r->now_us / US_PER_CENTISECOND) - p->since;

	return r->now_us - (uint64_t)age * US_PER_CENTISECOND;
}

/** Why import policy refuses @p: it is asked again, the table does not keep it. */
static int refused_by(const struct rib *r, const struct path *p, const struct prefix *prefix)
{
	struct rib_peer *peer = r->peers[p->peer];
	bool changed;
	int term;

	if (p->attrs || peer->leaving)
		return -1;
	adj_in_policy(peer, prefix, path_in(r, p), &term, &changed);
	return term;
}

int rib_accepted_by(const struct rib *r, const struct rib_path_view *v)
{
	struct rib_peer *peer = r->peers[v->peer->index];
	bool changed;
	int term;

	if (!v->attrs || peer->conf.import != RIB_POLICY_FILTER || peer->leaving)
		return -1;
	adj_in_policy(peer, &v->prefix, v->in, &term, &changed);
	return term;
}

static struct rib_path_view view_of(const struct rib *r, const struct path *p, const struct prefix *prefix)
{
	bool interface = p->flags & PATH_INTERFACE;

	return (struct rib_path_view){
		.prefix = *prefix,
		.peer = r->peers[p->peer],
		.in = path_in(r, p),
		.attrs = path_attrs(r, p),
		.best = p->flags & PATH_BEST,
		.multipath = p->flags & PATH_MEMBER,
		.eligible = loc_rib_eligible(r, p),
		.circular = path_nexthop_is_circular(r, p),
		.stale = path_is_stale(r->peers[p->peer], p) ||
		         (p->attrs && path_attrs(r, p)->present & ATTRS_LONG_LIVED_STALE),
		.path_id = p->wire_id,
		.since_us = since_us(r, p),
		.nexthop = p->nh && !interface ? nexthop_at(r->nexthops, p->nh) : NULL,
		.kind = path_kind(p),
		.ifindex = interface ? p->nh : 0,
		.filter_term = refused_by(r, p, prefix),
	};
}

struct ranked {
	struct candidate c;
	const struct path *path;
	const struct rib *rib;
};

/** The announced best first, then by the decision process, refused ones last. */
static int by_rank(const void *va, const void *vb)
{
	const struct ranked *a = va, *b = vb;
	int best = !!(b->path->flags & PATH_BEST) - !!(a->path->flags & PATH_BEST);
	int refused = !a->path->attrs - !b->path->attrs;

	if (best || refused)
		return best ? best : refused;
	return decision_compare(&a->c, &b->c, &a->rib->options.decision, NULL);
}

size_t rib_paths(const struct rib *r, const struct prefix *p, struct rib_path_view *out, size_t max)
{
	const struct table *t = &r->tables[family_of(p)];
	dest_id dest = table_find(t, p);
	struct ranked *ranked;
	size_t n = 0, i = 0;

	if (!dest)
		return 0;
	for (path_id id = table_dest(t, dest)->paths; id; id = path_at(r, id)->next)
		n++;
	ranked = reallocarray(NULL, n + 1, sizeof(*ranked));
	if (!ranked)
		return 0;
	for (path_id id = table_dest(t, dest)->paths; id; id = path_at(r, id)->next, i++) {
		ranked[i].path = path_at(r, id);
		ranked[i].rib = r;
		loc_rib_candidate(r, ranked[i].path, &ranked[i].c);
	}
	qsort(ranked, n, sizeof(*ranked), by_rank);
	for (i = 0; i < n && i < max; i++) {
		out[i] = view_of(r, ranked[i].path, p);
		if (ranked[i].path->attrs && i)
			decision_compare(&ranked[0].c, &ranked[i].c, &r->options.decision, &out[i].lost_by);
	}
	free(ranked);
	return n;
}

bool rib_match(const struct rib *r, const struct ip *a, bool usable, struct prefix *out)
{
	const struct table *t = &r->tables[a->family == IP_V6 ? FAM_IPV6 : FAM_IPV4];

	for (int len = ip_bits(a->family); len >= 0; len--) {
		struct prefix p = prefix_make(a, (uint8_t)len);
		dest_id id = table_find(t, &p);
		const struct dest *d = id ? table_dest(t, id) : NULL;

		if (!d || !(usable ? d->best_peer != 0 : d->paths != 0))
			continue;
		*out = p;
		return true;
	}
	return false;
}

bool rib_hears_all_paths(const struct rib_peer *p, enum family f)
{
	return p->up && p->session.neg.add_path_tx[f];
}

/** Why @p hears nothing of @path (NULL: there is none), whatever its policy says. */
static const char *withheld(const struct rib *r, const struct rib_peer *p, const struct path *path,
                            enum family f)
{
	if (!path)
		return "no route";
	if (!p->up)
		return "no session";
	if (!(p->session.neg.families & FAM_BIT(f)))
		return "its family is not negotiated";
	if (!rib_hears_all_paths(p, f) && !(path->flags & PATH_BEST))
		return "only the best path is announced";
	if (!rib_hears_all_paths(p, f))
		return path->peer == p->index ? "the best path is its own" : NULL;
	if (path->peer == p->index)
		return "it is its own";
	return loc_rib_eligible(r, path) ? NULL : "it is not usable";
}

static const struct attrs *export_view(struct rib *r, struct rib_peer *p, const struct path *path,
                                       const struct prefix *prefix, struct rib_export_reason *why)
{
	const char *reason = withheld(r, p, path, family_of(prefix));
	struct export_params params;
	struct export_source source;
	int term = -1;

	if (!reason) {
		adj_out_params(p, &params);
		adj_out_source(r, path, &source);
		attrs_edit_begin(&r->edit, path_attrs(r, path));
		reason = export_route(&params, &source, prefix, &r->edit, &term);
	}
	if (why)
		*why = (struct rib_export_reason){ reason, term };
	return reason ? NULL : &r->edit.a;
}

const struct attrs *rib_export_view(struct rib *r, struct rib_peer *p, const struct prefix *prefix,
                                    struct rib_export_reason *why)
{
	const struct table *t = &r->tables[family_of(prefix)];
	dest_id dest = table_find(t, prefix);

	return export_view(r, p, dest ? loc_rib_best(r, table_dest(t, dest)) : NULL, prefix, why);
}

const struct attrs *rib_export_path(struct rib *r, struct rib_peer *p, const struct rib_path_view *v,
                                    struct rib_export_reason *why)
{
	const struct table *t = &r->tables[family_of(&v->prefix)];
	dest_id dest = table_find(t, &v->prefix);
	path_id id = dest ? table_dest(t, dest)->paths : 0;

	while (id && (path_at(r, id)->peer != v->peer->index || path_at(r, id)->wire_id != v->path_id))
		id = path_at(r, id)->next;
	return export_view(r, p, id ? path_at(r, id) : NULL, &v->prefix, why);
}

const char *rib_refused_text(int filter_term)
{
	switch (filter_term) {
	case RIB_REFUSED_POLICY_NONE:
		return "import policy is none";
	case RIB_REFUSED_AS_LOOP:
		return "our AS is in its AS path";
	case RIB_REFUSED_ORIGINATOR:
		return "we are its originator";
	case RIB_REFUSED_CLUSTER:
		return "our cluster is in its cluster list";
	case RIB_REFUSED_FIRST_AS:
		return "its AS path does not begin with the neighbor's AS";
	case RIB_REFUSED_LEAK:
		return "it is for customers only (RFC 9234): a leak";
	case RIB_REFUSED_EDIT:
		return "its attributes are too large to be rewritten";
	default:
		return "refused by the import filter";
	}
}

size_t rib_count(const struct rib *r, enum family f)
{
	return r->tables[f].count;
}

void rib_memory(const struct rib *r, struct rib_memory *out)
{
	*out = (struct rib_memory){
		.paths = r->paths.used,
		.attr_sets = attrs_set_count(r->attrs),
		.path_bytes = pool_bytes(&r->paths),
		.attr_bytes = attrs_set_bytes(r->attrs),
		.out_bytes = adj_out_bytes(r),
	};
	for (enum family f = 0; f < FAM_COUNT; f++) {
		out->dests += r->tables[f].count;
		out->dest_bytes += pool_bytes(&r->tables[f].dests);
		out->index_bytes += table_bytes(&r->tables[f]);
	}
}
