/* SPDX-License-Identifier: BSD-2-Clause */
/* rtmsg.c - see rtmsg.h; the shapes are those of rtnetlink(7), linux/rtnetlink.h and linux/nexthop.h. */
#include "netlink/rtmsg.h"

#include <linux/nexthop.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

uint8_t rt_af(uint8_t family)
{
	return family == IP_V4 ? AF_INET : family == IP_V6 ? AF_INET6 : AF_UNSPEC;
}

static uint8_t family_of(uint8_t af)
{
	return af == AF_INET ? IP_V4 : af == AF_INET6 ? IP_V6 : IP_NONE;
}

/* -- attributes --------------------------------------------------------------------------------- */

static bool get_ip(const struct nlattr *a, uint8_t family, struct ip *out)
{
	if (ip_bytes(family) == 0 || mnl_attr_get_payload_len(a) != ip_bytes(family))
		return false;
	*out = ip_from_bytes(family, mnl_attr_get_payload(a));
	return true;
}

/* RTA_VIA: a gateway of another family than the route's (RFC 8950). */
static bool get_via(const struct nlattr *a, struct ip *out)
{
	const struct rtvia *via = mnl_attr_get_payload(a);
	uint8_t family;

	if (mnl_attr_get_payload_len(a) < sizeof(*via))
		return false;
	family = family_of((uint8_t)via->rtvia_family);
	if (ip_bytes(family) == 0 || mnl_attr_get_payload_len(a) != sizeof(*via) + ip_bytes(family))
		return false;
	*out = ip_from_bytes(family, via->rtvia_addr);
	return true;
}

static void put_ip(struct nlmsghdr *h, uint16_t type, const struct ip *a)
{
	mnl_attr_put(h, type, ip_bytes(a->family), a->b);
}

static void put_gateway(struct nlmsghdr *h, uint8_t family, const struct ip *gateway)
{
	struct {
		uint16_t af;
		uint8_t b[16];
	} via = { .af = rt_af(gateway->family) };

	if (gateway->family == IP_NONE)
		return;
	if (gateway->family == family) {
		put_ip(h, RTA_GATEWAY, gateway);
		return;
	}
	memcpy(via.b, gateway->b, sizeof(via.b));
	mnl_attr_put(h, RTA_VIA, sizeof(via.af) + ip_bytes(gateway->family), &via);
}

/* -- routes: parsing ---------------------------------------------------------------------------- */

static bool get_gateway(const struct nlattr *gateway, const struct nlattr *via, uint8_t family,
                        struct ip *out)
{
	if (gateway)
		return get_ip(gateway, family, out);
	if (via)
		return get_via(via, out);
	return true;
}

static bool get_nexthop(const struct rtnexthop *nh, uint8_t family, struct fib_hop *out)
{
	const struct nlattr *gateway = NULL, *via = NULL, *a = (const struct nlattr *)RTNH_DATA(nh);
	int left = nh->rtnh_len - (int)RTNH_LENGTH(0);

	for (; mnl_attr_ok(a, left); left -= (int)MNL_ALIGN(a->nla_len), a = mnl_attr_next(a)) {
		if (mnl_attr_get_type(a) == RTA_GATEWAY)
			gateway = a;
		else if (mnl_attr_get_type(a) == RTA_VIA)
			via = a;
	}
	*out = (struct fib_hop){ .ifindex = (uint32_t)nh->rtnh_ifindex,
		                 .weight = (uint16_t)(nh->rtnh_hops + 1),
		                 .onlink = nh->rtnh_flags & RTNH_F_ONLINK };
	return get_gateway(gateway, via, family, &out->gateway);
}

size_t rt_hops(const struct rt_msg *r, struct fib_hop *hops)
{
	const struct rtnexthop *nh;
	size_t n = 0;
	int left;

	if (r->nh_id)
		return 0;
	if (!r->multipath) {
		hops[0] = r->hop;
		return r->hop.ifindex ? 1 : 0;
	}
	nh = mnl_attr_get_payload(r->multipath);
	left = mnl_attr_get_payload_len(r->multipath);
	while (left >= (int)sizeof(*nh) && RTNH_OK(nh, left) && n < RT_HOPS_MAX) {
		if (!get_nexthop(nh, r->prefix.addr.family, &hops[n++]))
			return 0;
		left -= (int)RTNH_ALIGN(nh->rtnh_len);
		nh = RTNH_NEXT(nh);
	}
	return n;
}

static bool get_prefix(const struct rtmsg *rtm, const struct nlattr *dst, struct prefix *out)
{
	struct ip a = { .family = family_of(rtm->rtm_family) };

	if (a.family == IP_NONE || rtm->rtm_dst_len > ip_bits(a.family))
		return false;
	if (dst && !get_ip(dst, a.family, &a))
		return false;
	*out = prefix_make(&a, rtm->rtm_dst_len);
	return true;
}

/* The hop a multipath route is judged by: its first. */
static bool first_of_multipath(struct rt_msg *r)
{
	const struct rtnexthop *nh = mnl_attr_get_payload(r->multipath);
	int left = mnl_attr_get_payload_len(r->multipath);

	return left >= (int)sizeof(*nh) && RTNH_OK(nh, left) &&
	       get_nexthop(nh, r->prefix.addr.family, &r->hop);
}

bool rt_parse(const struct nlmsghdr *h, struct rt_msg *out)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(h);
	const struct nlattr *tb[RTA_NH_ID + 1];
	struct rt_msg r = { 0 };

	if (!nls_attrs(h, sizeof(*rtm), tb, RTA_NH_ID) || !get_prefix(rtm, tb[RTA_DST], &r.prefix))
		return false;
	r.protocol = rtm->rtm_protocol;
	r.type = rtm->rtm_type;
	r.tos = rtm->rtm_tos;
	r.cloned = rtm->rtm_flags & RTM_F_CLONED;
	r.table = rtm->rtm_table;
	r.hop.weight = 1;
	r.hop.onlink = rtm->rtm_flags & RTNH_F_ONLINK;
	r.multipath = tb[RTA_MULTIPATH];
	(void)nls_u32(tb[RTA_TABLE], &r.table);
	(void)nls_u32(tb[RTA_PRIORITY], &r.metric);
	(void)nls_u32(tb[RTA_NH_ID], &r.nh_id);
	(void)nls_u32(tb[RTA_OIF], &r.hop.ifindex);
	if (!get_gateway(tb[RTA_GATEWAY], tb[RTA_VIA], r.prefix.addr.family, &r.hop.gateway))
		return false;
	if (r.multipath && !first_of_multipath(&r))
		return false;
	*out = r;
	return true;
}

/* -- routes: building --------------------------------------------------------------------------- */

static struct rtmsg *put_key(struct nlmsghdr *h, const struct rt_key *k)
{
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(h, sizeof(*rtm));

	rtm->rtm_family = rt_af(k->prefix.addr.family);
	rtm->rtm_dst_len = k->prefix.len;
	rtm->rtm_protocol = k->protocol;
	rtm->rtm_table = k->table < 256 ? (uint8_t)k->table : RT_TABLE_UNSPEC;
	put_ip(h, RTA_DST, &k->prefix.addr);
	mnl_attr_put_u32(h, RTA_PRIORITY, k->metric);
	if (k->table >= 256)
		mnl_attr_put_u32(h, RTA_TABLE, k->table);
	return rtm;
}

static uint8_t rt_type(enum fib_kind kind)
{
	return kind == FIB_BLACKHOLE     ? RTN_BLACKHOLE
	       : kind == FIB_UNREACHABLE ? RTN_UNREACHABLE
	                                 : RTN_UNICAST;
}

/* Directly connected destinations have link scope: only those can lead to the gateways of other routes. */
static uint8_t rt_scope(const struct fib_route *r)
{
	for (size_t i = 0; i < r->n_hops; i++) {
		if (r->hops[i].gateway.family != IP_NONE)
			return RT_SCOPE_UNIVERSE;
	}
	return r->n_hops ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

static void put_multipath(struct nlmsghdr *h, uint8_t family, const struct fib_route *r)
{
	struct nlattr *nest = mnl_attr_nest_start(h, RTA_MULTIPATH);

	for (size_t i = 0; i < r->n_hops; i++) {
		struct rtnexthop *nh = mnl_nlmsg_get_payload_tail(h);

		memset(nh, 0, sizeof(*nh));
		h->nlmsg_len += sizeof(*nh);
		nh->rtnh_hops = (uint8_t)(r->hops[i].weight - 1);
		nh->rtnh_ifindex = (int)r->hops[i].ifindex;
		nh->rtnh_flags = r->hops[i].onlink ? RTNH_F_ONLINK : 0;
		put_gateway(h, family, &r->hops[i].gateway);
		nh->rtnh_len = (uint16_t)((char *)mnl_nlmsg_get_payload_tail(h) - (char *)nh);
	}
	mnl_attr_nest_end(h, nest);
}

void rt_put_route(struct nlmsghdr *h, const struct rt_key *k, const struct fib_route *r, uint32_t nh_id)
{
	struct rtmsg *rtm = put_key(h, k);

	rtm->rtm_type = rt_type(r->kind);
	rtm->rtm_scope = rt_scope(r);
	if (nh_id) {
		mnl_attr_put_u32(h, RTA_NH_ID, nh_id);
	} else if (r->n_hops == 1) {
		rtm->rtm_flags = r->hops[0].onlink ? RTNH_F_ONLINK : 0;
		put_gateway(h, k->prefix.addr.family, &r->hops[0].gateway);
		mnl_attr_put_u32(h, RTA_OIF, r->hops[0].ifindex);
	} else if (r->n_hops > 1) {
		put_multipath(h, k->prefix.addr.family, r);
	}
}

void rt_put_delete(struct nlmsghdr *h, const struct rt_key *k)
{
	put_key(h, k)->rtm_scope = RT_SCOPE_NOWHERE;
}

/* -- nexthop objects ---------------------------------------------------------------------------- */

uint16_t nh_group_weight(const struct nexthop_grp *g)
{
	return (uint16_t)(g->weight + 1);
}

bool nh_parse(const struct nlmsghdr *h, struct nh_msg *out)
{
	const struct nhmsg *nhm = mnl_nlmsg_get_payload(h);
	const struct nlattr *tb[NHA_GATEWAY + 1];
	struct nh_msg m = { .hop.weight = 1 };

	if (!nls_attrs(h, sizeof(*nhm), tb, NHA_GATEWAY) || !nls_u32(tb[NHA_ID], &m.id))
		return false;
	m.protocol = nhm->nh_protocol;
	m.family = family_of(nhm->nh_family);
	m.hop.onlink = nhm->nh_flags & RTNH_F_ONLINK;
	(void)nls_u32(tb[NHA_OIF], &m.hop.ifindex);
	if (tb[NHA_GATEWAY] && !get_ip(tb[NHA_GATEWAY], m.family, &m.hop.gateway))
		return false;
	if (tb[NHA_GROUP]) {
		m.group = mnl_attr_get_payload(tb[NHA_GROUP]);
		m.n_group = mnl_attr_get_payload_len(tb[NHA_GROUP]) / sizeof(*m.group);
		m.resilient = tb[NHA_GROUP_TYPE] && mnl_attr_get_payload_len(tb[NHA_GROUP_TYPE]) == 2 &&
		              mnl_attr_get_u16(tb[NHA_GROUP_TYPE]) == NEXTHOP_GRP_TYPE_RES;
	}
	*out = m;
	return true;
}

static struct nhmsg *put_id(struct nlmsghdr *h, uint32_t id, uint8_t protocol, uint8_t af)
{
	struct nhmsg *nhm = mnl_nlmsg_put_extra_header(h, sizeof(*nhm));

	nhm->nh_family = af;
	nhm->nh_protocol = protocol;
	mnl_attr_put_u32(h, NHA_ID, id);
	return nhm;
}

void nh_put_hop(struct nlmsghdr *h, uint32_t id, uint8_t protocol, uint8_t family, const struct fib_hop *hop)
{
	struct nhmsg *nhm = put_id(h, id, protocol, rt_af(family));

	nhm->nh_flags = hop->onlink ? RTNH_F_ONLINK : 0;
	mnl_attr_put_u32(h, NHA_OIF, hop->ifindex);
	if (hop->gateway.family != IP_NONE)
		put_ip(h, NHA_GATEWAY, &hop->gateway);
}

void nh_put_group(struct nlmsghdr *h, uint32_t id, uint8_t protocol, const struct nexthop_grp *members,
                  size_t n, uint16_t buckets)
{
	struct nlattr *nest;

	(void)put_id(h, id, protocol, AF_UNSPEC);
	mnl_attr_put(h, NHA_GROUP, n * sizeof(*members), members);
	if (!buckets)
		return;
	mnl_attr_put_u16(h, NHA_GROUP_TYPE, NEXTHOP_GRP_TYPE_RES);
	nest = mnl_attr_nest_start(h, NHA_RES_GROUP);
	mnl_attr_put_u16(h, NHA_RES_GROUP_BUCKETS, buckets);
	mnl_attr_put_u32(h, NHA_RES_GROUP_IDLE_TIMER, 0); /* a bucket moves at once, in use or not */
	mnl_attr_put_u32(h, NHA_RES_GROUP_UNBALANCED_TIMER, 0);
	mnl_attr_nest_end(h, nest);
}

void nh_put_delete(struct nlmsghdr *h, uint32_t id)
{
	(void)put_id(h, id, 0, AF_UNSPEC);
}
