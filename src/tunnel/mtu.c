/* SPDX-License-Identifier: BSD-2-Clause */
/* mtu.c - DOC: how wide a tunnel may be.
 *
 * The MTU of the route to each far end, or of the underlay device where one is named, less what the
 * encapsulation adds; with several far ends the narrowest counts. It follows the underlay. IPv6 does not run
 * below 1280 bytes (RFC 8200 5), and the kernel would take the addresses away without a word: that is an
 * error here, with words. */
#include "lib/log.h"
#include "tunnel/tunnel_priv.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define MTU_MIN     68u   /* RFC 791 3.2 */
#define MTU_IPV6    1280u /* RFC 8200 5 */
#define ROUTE_BYTES 8192

/* -- the route to a far end: as the outer packets take it, by their mark, which libnl cannot ask for
 * ---------- */

struct path {
	uint32_t oif, mtu; /* mtu 0: the route has none of its own */
};

static int on_metric(const struct nlattr *a, void *ctx)
{
	struct path *p = ctx;

	if (mnl_attr_get_type(a) == RTAX_MTU && mnl_attr_get_payload_len(a) == sizeof(uint32_t))
		p->mtu = mnl_attr_get_u32(a);
	return MNL_CB_OK;
}

static int on_route_attr(const struct nlattr *a, void *ctx)
{
	struct path *p = ctx;

	if (mnl_attr_get_type(a) == RTA_OIF && mnl_attr_get_payload_len(a) == sizeof(uint32_t))
		p->oif = mnl_attr_get_u32(a);
	else if (mnl_attr_get_type(a) == RTA_METRICS)
		return mnl_attr_parse_nested(a, on_metric, p);
	return MNL_CB_OK;
}

static int on_route(const struct nlmsghdr *h, void *ctx)
{
	if (h->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(h) < sizeof(struct rtmsg))
		return MNL_CB_OK;
	return mnl_attr_parse(h, sizeof(struct rtmsg), on_route_attr, ctx) == MNL_CB_ERROR ? MNL_CB_ERROR
	                                                                                   : MNL_CB_STOP;
}

/* @return false: there is none. */
static bool ask(struct mnl_socket *sock, const struct ip *end, uint32_t mark, struct path *out)
{
	_Alignas(struct nlmsghdr) char buf[ROUTE_BYTES];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct rtmsg *r;
	ssize_t len;

	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_REQUEST;
	r = mnl_nlmsg_put_extra_header(h, sizeof(*r));
	r->rtm_family = end->family == IP_V4 ? AF_INET : AF_INET6;
	r->rtm_dst_len = ip_bits(end->family);
	mnl_attr_put(h, RTA_DST, ip_bytes(end->family), end->b);
	if (mark)
		mnl_attr_put_u32(h, RTA_MARK, mark);
	if (mnl_socket_sendto(sock, h, h->nlmsg_len) < 0)
		return false;
	len = mnl_socket_recvfrom(sock, buf, sizeof(buf));
	return len >= 0 && mnl_cb_run(buf, (size_t)len, 0, 0, on_route, out) >= 0 && out->oif;
}

/* MTU of the route to @end; 0: there is none, or it leads through the tunnel itself. */
static uint32_t path_mtu(struct tunnels *t, const struct tunnel *u, const struct ip *end)
{
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	struct path p = { 0 };
	bool found;

	if (!sock)
		return 0;
	found = mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) == 0 && ask(sock, end, u->conf->fwmark, &p);
	mnl_socket_close(sock);
	if (!found || p.oif == u->ifindex)
		return 0;
	return p.mtu ? p.mtu : tunnel_link_mtu(t, p.oif);
}

/* -- all far ends --------------------------------------------------------------------------------- */

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
