/* SPDX-License-Identifier: BSD-2-Clause */
/* wg_allowed.c - DOC: allowed IPs, from the configuration and from BGP.
 *
 * A peer that follows BGP may send from, and is sent, its tunnel address and whatever the table routes by
 * that address. Routes are told one by one by whoever follows the table; the kernel hears of them in batches.
 * A prefix belongs to one peer of a device at a time: one in the configuration counts more than one from BGP,
 * and of an ECMP set over several peers the best path's peer has it.
 *
 * There is never a moment without what stays: the kernel moves a prefix from one peer to another in one step,
 * and since most kernels cannot take a single one away from a peer, those that go are moved to a peer made
 * for that, which is then removed. Replacing a whole list would open a gap for all of it. */
#include "lib/log.h"
#include "tunnel/wg_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_US 5000u /* routes come in swarms */

/* -- routes ----------------------------------------------------------------------------------------- */

static struct wg_route *route_of(struct ptree_node *n)
{
	return n ? (struct wg_route *)((char *)n - offsetof(struct wg_route, node)) : NULL;
}

static bool is_tunnel_address(const struct conf_wg_peer *c, const struct ip *a)
{
	for (size_t i = 0; i < c->n_tunnel_address; i++) {
		if (prefix_contains_ip(&c->tunnel_address[i], a))
			return true;
	}
	return false;
}

static size_t peer_of(const struct wg *w, const struct ip *gateway)
{
	for (size_t i = 0; i < w->conf->n_peers; i++) {
		const struct conf_wg_peer *c = &w->conf->peers[i];

		if (c->allowed_bgp && is_tunnel_address(c, gateway))
			return i;
	}
	return WG_NOBODY;
}

bool wg_follows(const struct wg *w)
{
	for (size_t i = 0; i < w->conf->n_peers; i++) {
		if (w->conf->peers[i].allowed_bgp)
			return true;
	}
	return false;
}

static void mark(struct wg *w, struct wg_route *r)
{
	if (r->is_dirty)
		return;
	r->is_dirty = true;
	TAILQ_INSERT_TAIL(&w->dirty, r, dirty);
	if (w->flushing)
		return;
	w->flushing = true;
	loop_timer_at(w->flush, loop_clock() + FLUSH_US);
}

static void unmark(struct wg *w, struct wg_route *r)
{
	if (r->is_dirty)
		TAILQ_REMOVE(&w->dirty, r, dirty);
	r->is_dirty = false;
}

static void route_free(struct wg *w, struct wg_route *r)
{
	unmark(w, r);
	ptree_remove(&w->routes, &r->node);
	free(r);
}

static struct wg_route *route_new(struct wg *w, const struct prefix *p)
{
	struct wg_route *r = calloc(1, sizeof(*r));

	if (r && ptree_insert(&w->routes, &r->node, p)) {
		free(r);
		return NULL;
	}
	if (r)
		r->peer = WG_NOBODY;
	return r;
}

void wg_route(struct wg *w, const struct prefix *p, const struct ip *gateways, size_t n)
{
	struct wg_route *r = route_of(ptree_find(&w->routes, p));
	struct ip gateway = { 0 };
	size_t peer = WG_NOBODY;

	for (size_t i = 0; i < n && peer == WG_NOBODY; i++) {
		peer = peer_of(w, &gateways[i]);
		gateway = peer == WG_NOBODY ? gateway : gateways[i];
	}
	if (!r && peer == WG_NOBODY)
		return;
	if (!r)
		r = route_new(w, p);
	if (!r) {
		log_event(LOGL_ERROR, "tunnel.allowed_ip_lost", kv_str("tunnel", w->conf->name),
		          kv_prefix("prefix", p), kv_errno("error", ENOMEM));
		return;
	}
	r->gateway = gateway;
	if (r->peer == peer && !r->is_dirty && peer != WG_NOBODY && w->ifindex)
		return;
	r->peer = peer;
	mark(w, r);
}

void wg_routes_match(struct wg *w)
{
	for (struct ptree_node *n = ptree_first(&w->routes); n; n = ptree_next(&w->routes, n)) {
		struct wg_route *r = route_of(n);

		r->peer = r->gateway.family ? peer_of(w, &r->gateway) : WG_NOBODY;
	}
}

/* What is gone, the kernel knows now to be gone. */
static void told(struct wg *w, struct wg_route *r)
{
	if (r->peer == WG_NOBODY)
		route_free(w, r);
	else
		unmark(w, r);
}

void wg_routes_told(struct wg *w)
{
	struct ptree_node *next;

	for (struct ptree_node *n = ptree_first(&w->routes); n; n = next) {
		next = ptree_next(&w->routes, n);
		told(w, route_of(n));
	}
}

void wg_routes_free(struct wg *w)
{
	struct ptree_node *next;

	for (struct ptree_node *n = ptree_first(&w->routes); n; n = next) {
		next = ptree_next(&w->routes, n);
		route_free(w, route_of(n));
	}
	ptree_fini(&w->routes);
}

/* -- batches of routes ------------------------------------------------------------------------------ */

static bool has_prefix(const struct prefix *list, size_t n, const struct prefix *p)
{
	for (size_t i = 0; i < n; i++) {
		if (prefix_equal(&list[i], p))
			return true;
	}
	return false;
}

/* Is @p somebody's by the configuration? */
static bool is_configured(const struct wg *w, const struct prefix *p)
{
	for (size_t i = 0; i < w->conf->n_peers; i++) {
		const struct conf_wg_peer *c = &w->conf->peers[i];

		if (has_prefix(c->allowed_ips, c->n_allowed_ips, p) ||
		    (c->allowed_bgp && has_prefix(c->tunnel_address, c->n_tunnel_address, p)))
			return true;
	}
	return false;
}

/* The dirty routes of @peer; WG_NOBODY: those that are gone, into the bin. */
static void put_dirty(struct wg *w, size_t peer)
{
	bool named = false;
	struct wg_route *r;

	TAILQ_FOREACH (r, &w->dirty, dirty) {
		if (r->peer != peer || is_configured(w, &r->node.prefix))
			continue;
		if (!named)
			wgnl_put_peer(w->nl, peer == WG_NOBODY ? w->bin : w->peers[peer]->public_key);
		named = true;
		wgnl_put_allowed(w->nl, &r->node.prefix);
	}
	if (named && peer == WG_NOBODY)
		wgnl_put_peer_removed(w->nl, w->bin);
}

void wg_flush(void *wg)
{
	struct wg *w = wg;
	struct wg_route *r;

	w->flushing = false;
	if (!w->ifindex || TAILQ_EMPTY(&w->dirty))
		return; /* wg_mend() tells all of it */
	wgnl_begin(w->nl, w->ifindex);
	put_dirty(w, WG_NOBODY);
	for (size_t i = 0; i < w->n_peers; i++)
		put_dirty(w, i);
	if (wgnl_end(w->nl) < 0) {
		w->ifindex = 0;
		w->owner->again(w->ctx, w);
		return;
	}
	while ((r = TAILQ_FIRST(&w->dirty)))
		told(w, r);
}

/* -- the whole list --------------------------------------------------------------------------------- */

struct claim { /* @prefix is, or is to be, with @peer */
	struct prefix prefix;
	bool from_bgp; /* counts less */
	size_t peer;
};

struct claims {
	struct claim *list;
	size_t n;
};

static int by_prefix(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = prefix_cmp(&x->prefix, &y->prefix);

	return order ? order : x->from_bgp - y->from_bgp;
}

static void claim(struct claims *c, const struct prefix *p, size_t n, bool from_bgp, size_t peer)
{
	for (size_t i = 0; i < n; i++)
		c->list[c->n++] = (struct claim){ p[i], from_bgp, peer };
}

/* Sorted, each prefix once. @return false: out of memory. */
static bool wanted_claims(struct wg *w, struct claims *out)
{
	size_t room = w->routes.count + 1, n = 0;

	for (size_t i = 0; i < w->conf->n_peers; i++)
		room += w->conf->peers[i].n_allowed_ips + w->conf->peers[i].n_tunnel_address;
	*out = (struct claims){ .list = calloc(room, sizeof(struct claim)) };
	if (!out->list)
		return false;
	for (size_t i = 0; i < w->conf->n_peers; i++) {
		const struct conf_wg_peer *c = &w->conf->peers[i];

		claim(out, c->allowed_ips, c->n_allowed_ips, false, i);
		if (c->allowed_bgp)
			claim(out, c->tunnel_address, c->n_tunnel_address, false, i);
	}
	for (struct ptree_node *r = ptree_first(&w->routes); r; r = ptree_next(&w->routes, r)) {
		if (route_of(r)->peer != WG_NOBODY)
			claim(out, &r->prefix, 1, true, route_of(r)->peer);
	}
	qsort(out->list, out->n, sizeof(struct claim), by_prefix);
	for (size_t i = 0; i < out->n; i++) {
		if (n == 0 || !prefix_equal(&out->list[n - 1].prefix, &out->list[i].prefix))
			out->list[n++] = out->list[i];
	}
	out->n = n;
	return true;
}

static size_t wanted_peer(const struct wg *w, const uint8_t *public_key)
{
	for (size_t i = 0; i < w->n_peers; i++) {
		if (memcmp(w->peers[i]->public_key, public_key, KEY_BYTES) == 0)
			return i;
	}
	return WG_NOBODY;
}

/* What the kernel has, sorted; not that of peers which are removed, since it goes with them. */
static bool present_claims(struct wg *w, const struct wgnl_device *have, struct claims *out)
{
	size_t room = 1;

	for (size_t i = 0; i < have->n_peers; i++)
		room += have->peers[i].n_allowed;
	*out = (struct claims){ .list = calloc(room, sizeof(struct claim)) };
	if (!out->list)
		return false;
	for (size_t i = 0; i < have->n_peers; i++) {
		size_t peer = wanted_peer(w, have->peers[i].public_key);

		if (peer != WG_NOBODY)
			claim(out, have->peers[i].allowed, have->peers[i].n_allowed, false, peer);
	}
	qsort(out->list, out->n, sizeof(struct claim), by_prefix);
	return true;
}

static const struct claim *find(const struct claims *c, const struct prefix *p)
{
	const struct claim key = { .prefix = *p };
	size_t low = 0, high = c->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = prefix_cmp(&key.prefix, &c->list[middle].prefix);

		if (order == 0)
			return &c->list[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* What nobody wants goes by way of the bin. @return whether there was any. */
static bool put_unwanted(struct wg *w, const struct claims *present, const struct claims *wanted, bool keep)
{
	bool named = false;

	for (size_t i = 0; i < present->n; i++) {
		const struct claim *c = &present->list[i];

		if (find(wanted, &c->prefix) || (keep && w->conf->peers[c->peer].allowed_bgp))
			continue;
		if (!named)
			wgnl_put_peer(w->nl, w->bin);
		named = true;
		wgnl_put_allowed(w->nl, &c->prefix);
	}
	if (named)
		wgnl_put_peer_removed(w->nl, w->bin);
	return named;
}

/* What @peer is to have and has not. @return whether there was any. */
static bool put_missing(struct wg *w, size_t peer, const struct claims *present, const struct claims *wanted)
{
	bool named = false;

	for (size_t i = 0; i < wanted->n; i++) {
		const struct claim *c = &wanted->list[i], *now;

		if (c->peer != peer)
			continue;
		now = find(present, &c->prefix);
		if (now && now->peer == peer)
			continue;
		if (!named)
			wgnl_put_peer(w->nl, w->peers[peer]->public_key);
		named = true;
		wgnl_put_allowed(w->nl, &c->prefix);
	}
	return named;
}

const char *wg_put_allowed(struct wg *w, const struct wgnl_device *have, bool keep, const char **changed)
{
	struct claims present = { 0 }, wanted = { 0 };
	bool any, ok = present_claims(w, have, &present) && wanted_claims(w, &wanted);

	if (ok) {
		any = put_unwanted(w, &present, &wanted, keep);
		for (size_t i = 0; i < w->n_peers; i++)
			any |= put_missing(w, i, &present, &wanted);
		if (any && !*changed)
			*changed = "allowed_ips";
	}
	free(present.list);
	free(wanted.list);
	return ok ? NULL : "there is no memory for its allowed IPs";
}
