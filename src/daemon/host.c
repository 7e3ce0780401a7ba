/* SPDX-License-Identifier: BSD-2-Clause */
/* host.c - DOC: what the kernel tells -> who must know.
 *
 * Links, addresses and foreign routes decide which next hops are usable; tunnels watch over their own links;
 * peers dial when a link comes up; static and direct routes follow the links they name; the FIB puts back
 * what somebody took away. Each of these knows only its own part: this file is the list of who hears what. */
#include "daemon/state.h"
#include "lib/log.h"

#define MAIN_TABLE 254u /* RT_TABLE_MAIN */

static void link_set(void *ctx, const struct link_info *l)
{
	struct daemon *d = ctx;
	const struct tunnel_link t = { l->ifindex, l->name, l->kind, l->alias, l->mtu, l->up, l->admin_up };

	nexthop_link_set(rib_nexthops(d->rib), l->ifindex, l->up);
	if (!l->up)
		neighbors_link_down(d->neighbors, l->ifindex);
	tunnels_link_set(d->tunnels, &t);
	tunnels_underlay_changed(d->tunnels);
	local_link_set(d->local, l, loop_now(d->loop));
	fib_link_changed(d->fib, l->ifindex);
	if (l->up != l->was_up)
		peers_link_event(d->peers, l->name, l->up);
	daemon_work(d);
}

static void link_del(void *ctx, uint32_t ifindex, const char *name)
{
	struct daemon *d = ctx;

	nexthop_link_del(rib_nexthops(d->rib), ifindex);
	neighbors_link_down(d->neighbors, ifindex);
	local_link_del(d->local, ifindex, name, loop_now(d->loop));
	tunnels_link_del(d->tunnels, ifindex, name);
	tunnels_underlay_changed(d->tunnels);
	fib_link_changed(d->fib, ifindex);
	peers_link_event(d->peers, name, false);
	daemon_work(d);
}

static void address_set(void *ctx, uint32_t ifindex, const struct ip *a, uint8_t len)
{
	struct daemon *d = ctx;
	const struct link_info *link = link_by_index(d->links, ifindex);

	nexthop_address_set(rib_nexthops(d->rib), a, true);
	if (link)
		local_address_set(d->local, link, a, len, loop_now(d->loop));
	tunnels_address_set(d->tunnels, ifindex, a, len);
	peers_address_event(d->peers, a, true);
	daemon_work(d);
}

static void address_del(void *ctx, uint32_t ifindex, const struct ip *a, uint8_t len)
{
	struct daemon *d = ctx;

	nexthop_address_set(rib_nexthops(d->rib), a, false);
	local_address_del(d->local, ifindex, a, len, loop_now(d->loop));
	tunnels_address_del(d->tunnels, ifindex, a, len);
	fib_link_changed(d->fib, ifindex);
	peers_address_event(d->peers, a, false);
	daemon_work(d);
}

/** Next hops resolve through the main table; what other tables hold is for policy rules that we do not
 * follow. */
static bool resolves(const struct link_route *r)
{
	return r->table == MAIN_TABLE && !r->local;
}

static void route_set(void *ctx, const struct link_route *r)
{
	struct daemon *d = ctx;
	const struct host_route h = { r->prefix, r->gateway, r->ifindex, r->metric };
	int rc;

	if (r->place != LINK_ROUTE_LAST)
		fib_foreign(d->fib, &r->prefix, r->table, r->metric, r->place == LINK_ROUTE_FIRST);
	if (!resolves(r))
		return;
	rc = nexthop_route_set(rib_nexthops(d->rib), &h);
	if (rc < 0)
		log_event(LOGL_ERROR, "nexthop.route_lost", kv_prefix("prefix", &r->prefix),
		          kv_errno("error", rc));
	tunnels_underlay_changed(d->tunnels);
	daemon_work(d);
}

static void route_del(void *ctx, const struct link_route *r)
{
	struct daemon *d = ctx;

	fib_retry(d->fib, &r->prefix);
	if (!resolves(r))
		return;
	nexthop_route_del(rib_nexthops(d->rib), &r->prefix, r->metric);
	tunnels_underlay_changed(d->tunnels);
	daemon_work(d);
}

static void own_route_lost(void *ctx, const struct prefix *p)
{
	struct daemon *d = ctx;

	fib_lost(d->fib, p);
}

static void neighbor_state(void *ctx, uint32_t ifindex, const struct ip *a, bool failed)
{
	struct daemon *d = ctx;

	neighbors_state(d->neighbors, ifindex, a, failed);
	peers_neighbor_event(d->peers, a, !failed);
}

static void link_touched(void *ctx, uint32_t ifindex)
{
	struct daemon *d = ctx;

	tunnels_touched(d->tunnels, ifindex);
}

static void rule_del(void *ctx, uint8_t protocol)
{
	struct daemon *d = ctx;

	tunnels_rule_del(d->tunnels, protocol);
}

static void other_route(void *ctx)
{
	struct daemon *d = ctx;

	tunnels_underlay_changed(d->tunnels);
}

static void events_lost(void *ctx)
{
	struct daemon *d = ctx;

	fib_resync(d->fib);
	tunnels_events_lost(d->tunnels);
}

static void ready(void *ctx)
{
	struct daemon *d = ctx;

	d->links_known = true;
	daemon_work(d);
}

static void sync_begin(void *ctx)
{
	struct daemon *d = ctx;

	nexthop_sync_begin(rib_nexthops(d->rib));
}

static void sync_end(void *ctx)
{
	struct daemon *d = ctx;

	nexthop_sync_end(rib_nexthops(d->rib));
	daemon_work(d);
}

const struct link_events host_events = {
	.link_set = link_set,
	.link_del = link_del,
	.address_set = address_set,
	.address_del = address_del,
	.route_set = route_set,
	.route_del = route_del,
	.own_route_lost = own_route_lost,
	.neighbor_state = neighbor_state,
	.link_touched = link_touched,
	.rule_del = rule_del,
	.other_route = other_route,
	.events_lost = events_lost,
	.ready = ready,
	.sync_begin = sync_begin,
	.sync_end = sync_end,
};
