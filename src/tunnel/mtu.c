/* SPDX-License-Identifier: BSD-2-Clause */
/* mtu.c - DOC: how wide a tunnel may be.
 *
 * The MTU of the route to each far end, or of the underlay device where one is named, less what the
 * encapsulation adds; with several far ends the narrowest counts. It follows the underlay. IPv6 does not run
 * below 1280 bytes (RFC 8200 5), and the kernel would take the addresses away without a word: that is an
 * error here, with words. */
#include "lib/log.h"
#include "tunnel/tunnel_priv.h"

#include <netlink/route/route.h>

#define MTU_MIN  68u   /* RFC 791 3.2 */
#define MTU_IPV6 1280u /* RFC 8200 5 */

/* MTU of the route to @end; 0: there is none, or it leads through the tunnel itself. */
static uint32_t path_mtu(struct tunnels *t, const struct tunnel *u, const struct ip *end)
{
	struct nl_addr *to = tunnel_nl_addr(end);
	struct rtnl_route *r = NULL;
	struct rtnl_nexthop *nh;
	uint32_t mtu = 0, oif;

	if (to && rtnl_route_lookup(t->sock, to, &r) == 0 && (nh = rtnl_route_nexthop_n(r, 0))) {
		oif = (uint32_t)rtnl_route_nh_get_ifindex(nh);
		if (oif != u->ifindex && rtnl_route_get_metric(r, RTAX_MTU, &mtu) < 0)
			mtu = tunnel_link_mtu(t, oif);
	}
	rtnl_route_put(r);
	nl_addr_put(to);
	return mtu;
}

/* Far end @i, by number; IP_NONE: not known. @return false: there are no more. */
static bool far_end(const struct tunnel *u, size_t i, struct ip *out)
{
	const struct conf_tunnel *c = u->conf;
	size_t has_remote = c->remote.family != IP_NONE;

	if (u->wg) {
		*out = i < c->n_peers ? wg_endpoint(u->wg, i) : (struct ip){ 0 };
		return i < c->n_peers;
	}
	if (i < has_remote)
		*out = c->remote;
	else if (i - has_remote < c->n_remotes)
		*out = c->remotes[i - has_remote];
	else
		return false;
	return true;
}

/* 0: nothing is known. */
static uint32_t computed_mtu(struct tunnels *t, const struct tunnel *u)
{
	uint32_t device = tunnel_link_mtu(t, tunnel_index_of(t, u->conf->interface)), least = 0;
	struct ip end;

	for (size_t i = 0; far_end(u, i, &end); i++) {
		uint32_t mtu = end.family == IP_NONE ? 0 : device ? device : path_mtu(t, u, &end);
		uint32_t overhead = u->kind->overhead(u->conf, end.family);

		if (mtu >= overhead + MTU_MIN && (!least || mtu - overhead < least))
			least = mtu - overhead;
	}
	return least;
}

static bool has_ipv6(const struct conf_tunnel *c)
{
	for (size_t i = 0; i < c->n_addresses; i++) {
		if (c->addresses[i].address.family == IP_V6)
			return true;
	}
	return false;
}

bool tunnel_mend_mtu(struct tunnels *t, struct tunnel *u, struct rtnl_link *l)
{
	uint32_t want = u->conf->mtu ? u->conf->mtu : computed_mtu(t, u), have = rtnl_link_get_mtu(l);
	struct rtnl_link *changes;

	if (want && want < MTU_IPV6 && has_ipv6(u->conf))
		return tunnel_fail(t, u,
		                   "the underlay leaves %u bytes, and its IPv6 addresses need %u: widen the "
		                   "underlay, or take the IPv6 addresses away",
		                   want, MTU_IPV6);
	if (!want || want == have)
		return true;
	changes = rtnl_link_alloc();
	if (changes)
		rtnl_link_set_mtu(changes, want);
	if (!tunnel_change(t, u, l, changes, "mtu"))
		return false;
	u->mtu = want;
	if (u->known)
		u->repaired_us = loop_clock();
	log_event(LOGL_INFO, "tunnel.mtu", kv_str("tunnel", u->name), kv_u64("from", have),
	          kv_u64("to", want));
	return true;
}
