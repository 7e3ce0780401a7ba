/* SPDX-License-Identifier: BSD-2-Clause */
/* path_nexthop.c - which next hop a path needs, and which peers have paths by it: a next hop that changes
 * costs a sweep of those peers' paths, not of the table. */
#include <stdlib.h>
#include <string.h>

#include "rib/rib_priv.h"

static struct nexthop_users *users_of(struct rib *r, nexthop_id id)
{
	struct nexthop_users *grown;
	uint32_t n;

	if (id < r->n_users)
		return &r->users[id];
	n = (id + 64) & ~63u;
	grown = reallocarray(r->users, n, sizeof(*grown));
	if (!grown)
		return NULL;
	memset(grown + r->n_users, 0, (n - r->n_users) * sizeof(*grown));
	r->users = grown;
	r->n_users = n;
	return &r->users[id];
}

static struct nexthop_user *find_user(struct nexthop_users *u, uint16_t peer)
{
	for (uint32_t i = 0; i < u->n; i++)
		if (u->user[i].peer == peer)
			return &u->user[i];
	return NULL;
}

static bool user_add(struct rib *r, nexthop_id id, uint16_t peer)
{
	struct nexthop_users *u = users_of(r, id);
	struct nexthop_user *e = u ? find_user(u, peer) : NULL;

	if (!u)
		return false;
	if (e) {
		e->paths++;
		return true;
	}
	if (u->n == u->size) {
		e = reallocarray(u->user, u->size + 4u, sizeof(*e));
		if (!e)
			return false;
		u->user = e;
		u->size += 4;
	}
	u->user[u->n++] = (struct nexthop_user){ peer, 1 };
	return true;
}

static void user_drop(struct rib *r, nexthop_id id, uint16_t peer)
{
	struct nexthop_users *u = &r->users[id];
	struct nexthop_user *e = find_user(u, peer);

	if (--e->paths == 0)
		*e = u->user[--u->n];
}

nexthop_id path_nexthop_take(struct rib_peer *p, const struct attrs *a, bool *ok)
{
	bool on_link = p->session.ifindex && !ip_is_zero(&a->next_hop_ll);
	const struct ip *addr = on_link ? &a->next_hop_ll : &a->next_hop;

	return path_nexthop_take_at(
	        p, addr, addr->family == IP_V6 && ip_is_link_local(addr) ? p->session.ifindex : 0, ok);
}

nexthop_id path_nexthop_take_at(struct rib_peer *p, const struct ip *addr, uint32_t scope, bool *ok)
{
	nexthop_id id;

	*ok = true;
	if (ip_is_zero(addr))
		return 0;
	id = nexthop_get(p->rib->nexthops, addr, scope);
	*ok = id && user_add(p->rib, id, p->index);
	if (id && !*ok)
		nexthop_put(p->rib->nexthops, id);
	return *ok ? id : 0;
}

void path_nexthop_drop(struct rib *r, struct path *path)
{
	if (path->nh && !(path->flags & PATH_INTERFACE)) {
		user_drop(r, path->nh, path->peer);
		nexthop_put(r->nexthops, path->nh);
	}
	path->nh = 0;
}

void path_nexthop_changed(struct rib *r, nexthop_id id)
{
	unsigned what = SWEEP_NEXT_HOP | (nexthop_at(r->nexthops, id)->relinked ? SWEEP_LINK : 0);

	if (id >= r->n_users)
		return;
	for (uint32_t i = 0; i < r->users[id].n; i++)
		adj_in_sweep_request(r->peers[r->users[id].user[i].peer], what);
}

/** Its paths are on their way out, whether or not the sweep has come to them. */
static bool is_leaving(const struct rib_peer *p)
{
	return !p->up && !p->retained && p->sweep & SWEEP_STALE;
}

bool rib_nexthop_used(const struct rib *r, nexthop_id id)
{
	for (uint32_t i = 0; id < r->n_users && i < r->users[id].n; i++)
		if (!is_leaving(r->peers[r->users[id].user[i].peer]))
			return true;
	return false;
}

void path_nexthop_peer_left(const struct rib_peer *p)
{
	struct rib *r = p->rib;

	for (nexthop_id id = nexthop_next(r->nexthops, 0); id; id = nexthop_next(r->nexthops, id))
		if (id < r->n_users && find_user(&r->users[id], p->index) && !rib_nexthop_used(r, id))
			rib_tell_nexthop(r, nexthop_at(r->nexthops, id));
}

/* -- next hops behind routes of our own -------------------------------------------------------- */

/** Where @p, a path to @prefix, leads by the host's routes alone. false: nowhere, or to a next hop on no link
 * that lies behind @prefix itself. */
static bool hop_by_host(const struct rib *r, const struct path *p, const struct prefix *prefix,
                        struct nexthop_hop *out)
{
	const struct nexthop *nh;

	if (!p->nh || !p->attrs || path_is_over(r->peers[p->peer], p))
		return false;
	if (p->flags & PATH_INTERFACE) {
		*out = (struct nexthop_hop){ .ifindex = p->nh };
		return true;
	}
	nh = nexthop_at(r->nexthops, p->nh);
	*out = nh->by_host;
	return out->ifindex && (ip_equal(&out->gateway, &nh->addr) || !prefix_contains_ip(prefix, &nh->addr));
}

/** The best of the paths of @d that lead somewhere by themselves; which path is best of all does not matter,
 * since that may depend on the answer. */
static bool first_hop(const struct rib *r, const struct dest *d, const struct prefix *prefix,
                      struct nexthop_hop *out)
{
	struct candidate best, c;
	struct nexthop_hop hop;
	bool found = false;

	for (path_id id = d->paths; id; id = path_at(r, id)->next) {
		if (!hop_by_host(r, path_at(r, id), prefix, &hop))
			continue;
		loc_rib_candidate(r, path_at(r, id), &c);
		if (found && decision_compare(&c, &best, &r->options.decision, NULL) >= 0)
			continue;
		found = true;
		best = c;
		*out = hop;
	}
	return found;
}

bool path_nexthop_is_circular(const struct rib *r, const struct path *p)
{
	const struct table *t = &r->tables[path_family(p)];
	const struct nexthop *nh;
	struct prefix prefix;

	if (!p->nh || p->flags & PATH_INTERFACE)
		return false;
	nh = nexthop_at(r->nexthops, p->nh);
	if (!nh->recursive)
		return false;
	dest_prefix(t, table_dest(t, p->dest), &prefix);
	return prefix.len == nh->own_len && prefix_contains_ip(&prefix, &nh->addr);
}

int path_nexthop_find_own(void *ctx, const struct ip *a, int len, struct nexthop_hop *out)
{
	const struct rib *r = ctx;
	const struct table *t = &r->tables[a->family == IP_V6 ? FAM_IPV6 : FAM_IPV4];

	for (int bits = t->count ? ip_bits(a->family) : 0; bits > len; bits--) {
		struct prefix p = prefix_make(a, (uint8_t)bits);
		dest_id id = table_find(t, &p);

		if (id && first_hop(r, table_dest(t, id), &p, out))
			return bits;
	}
	return -1;
}
