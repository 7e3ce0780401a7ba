/* SPDX-License-Identifier: BSD-2-Clause */
/* gre.c - GRE over IPv4 and over IPv6 (RFC 2784; keys: RFC 2890). The kernel changes all of it in place; the
 * family of the underlay is another kind. Overhead: outer IP, GRE 4, key 4. Over IPv6 without the
 * encapsulation limit option (RFC 2473 4.1.1), which would take 8 bytes more and which no peer needs. */
#include "tunnel/kind.h"

#include <arpa/inet.h>
#include <linux/if_tunnel.h>
#include <linux/ip6_tunnel.h>
#include <netlink/route/link/ip6gre.h>
#include <netlink/route/link/ipgre.h>
#include <string.h>

#define TCLASS_SHIFT 20 /* of the flow information: RFC 8200 3 */

static uint16_t key_flag(bool set)
{
	return set ? GRE_KEY : 0; /* as on the wire */
}

static uint32_t gre_overhead(const struct conf_tunnel *c, uint8_t family)
{
	return (family == IP_V6 ? 44 : 24) + (c->okey_set ? 4 : 0);
}

/* -- over IPv4 ------------------------------------------------------------------------------------ */

static uint32_t v4_wire(const struct ip *a)
{
	return htonl(ip_to_v4(a));
}

static struct rtnl_link *gre_make(const struct conf_tunnel *c, uint32_t underlay, bool change)
{
	struct rtnl_link *l = rtnl_link_ipgre_alloc();

	(void)change; /* a change names everything anew */
	if (!l)
		return NULL;
	rtnl_link_ipgre_set_link(l, underlay);
	rtnl_link_ipgre_set_iflags(l, key_flag(c->ikey_set));
	rtnl_link_ipgre_set_oflags(l, key_flag(c->okey_set));
	rtnl_link_ipgre_set_ikey(l, htonl(c->ikey));
	rtnl_link_ipgre_set_okey(l, htonl(c->okey));
	rtnl_link_ipgre_set_local(l, v4_wire(&c->local));
	rtnl_link_ipgre_set_remote(l, v4_wire(&c->remote));
	rtnl_link_ipgre_set_ttl(l, c->ttl);
	rtnl_link_ipgre_set_tos(l, c->tos);
	rtnl_link_ipgre_set_pmtudisc(l, c->pmtudisc);
	rtnl_link_ipgre_set_fwmark(l, c->fwmark);
	return l;
}

static const char *gre_differs(struct rtnl_link *have, const struct conf_tunnel *c, uint32_t underlay,
                               bool *in_place)
{
	uint32_t mark = 0;

	*in_place = true;
	if (rtnl_link_ipgre_get_remote(have) != v4_wire(&c->remote))
		return "remote";
	if (rtnl_link_ipgre_get_local(have) != v4_wire(&c->local))
		return "local";
	if (rtnl_link_ipgre_get_iflags(have) != key_flag(c->ikey_set) ||
	    rtnl_link_ipgre_get_ikey(have) != htonl(c->ikey))
		return "ikey";
	if (rtnl_link_ipgre_get_oflags(have) != key_flag(c->okey_set) ||
	    rtnl_link_ipgre_get_okey(have) != htonl(c->okey))
		return "okey";
	if (rtnl_link_ipgre_get_link(have) != underlay)
		return "interface";
	if (rtnl_link_ipgre_get_ttl(have) != c->ttl)
		return "ttl";
	if (rtnl_link_ipgre_get_tos(have) != c->tos)
		return "tos";
	if ((rtnl_link_ipgre_get_pmtudisc(have) != 0) != c->pmtudisc)
		return "pmtudisc";
	if (rtnl_link_ipgre_get_fwmark(have, &mark) == 0 && mark != c->fwmark)
		return "fwmark";
	return NULL;
}

/* -- over IPv6 ------------------------------------------------------------------------------------ */

static struct in6_addr v6_wire(const struct ip *a)
{
	struct in6_addr out;

	memcpy(&out, a->b, sizeof(out)); /* zeros for IP_NONE */
	return out;
}

static struct rtnl_link *ip6gre_make(const struct conf_tunnel *c, uint32_t underlay, bool change)
{
	struct in6_addr local = v6_wire(&c->local), remote = v6_wire(&c->remote);
	struct rtnl_link *l = rtnl_link_ip6gre_alloc();

	(void)change;
	if (!l)
		return NULL;
	rtnl_link_ip6gre_set_link(l, underlay);
	rtnl_link_ip6gre_set_iflags(l, key_flag(c->ikey_set));
	rtnl_link_ip6gre_set_oflags(l, key_flag(c->okey_set));
	rtnl_link_ip6gre_set_ikey(l, htonl(c->ikey));
	rtnl_link_ip6gre_set_okey(l, htonl(c->okey));
	rtnl_link_ip6gre_set_local(l, &local);
	rtnl_link_ip6gre_set_remote(l, &remote);
	rtnl_link_ip6gre_set_ttl(l, c->ttl);
	rtnl_link_ip6gre_set_flowinfo(l, htonl((uint32_t)c->tos << TCLASS_SHIFT));
	rtnl_link_ip6gre_set_flags(l, IP6_TNL_F_IGN_ENCAP_LIMIT);
	rtnl_link_ip6gre_set_fwmark(l, c->fwmark);
	return l;
}

/* A getter of libnl for a number; 0 when the kernel does not tell it. */
typedef int (*number_fn)(struct rtnl_link *l, uint32_t *out);

static bool number_is(struct rtnl_link *l, number_fn get, uint32_t want)
{
	uint32_t have = 0;

	return get(l, &have) < 0 ? want == 0 : have == want;
}

static bool key_is(struct rtnl_link *l, int (*flags)(struct rtnl_link *l, uint16_t *out), number_fn key,
                   bool set, uint32_t want)
{
	uint16_t have = 0;

	return (flags(l, &have) < 0 ? 0 : have) == key_flag(set) && number_is(l, key, htonl(want));
}

static bool end_is(struct rtnl_link *l, int (*get)(struct rtnl_link *l, struct in6_addr *out),
                   const struct ip *want)
{
	struct in6_addr have = { 0 };

	return (get(l, &have) == 0 || ip_is_zero(want)) && memcmp(&have, want->b, sizeof(have)) == 0;
}

static const char *ip6gre_differs(struct rtnl_link *have, const struct conf_tunnel *c, uint32_t underlay,
                                  bool *in_place)
{
	uint32_t flags = 0;
	uint8_t ttl = 0;

	*in_place = true;
	if (!end_is(have, rtnl_link_ip6gre_get_remote, &c->remote))
		return "remote";
	if (!end_is(have, rtnl_link_ip6gre_get_local, &c->local))
		return "local";
	if (!key_is(have, rtnl_link_ip6gre_get_iflags, rtnl_link_ip6gre_get_ikey, c->ikey_set, c->ikey))
		return "ikey";
	if (!key_is(have, rtnl_link_ip6gre_get_oflags, rtnl_link_ip6gre_get_okey, c->okey_set, c->okey))
		return "okey";
	if (!number_is(have, rtnl_link_ip6gre_get_link, underlay))
		return "interface";
	if (rtnl_link_ip6gre_get_ttl(have, &ttl) < 0 || ttl != c->ttl)
		return "ttl";
	if (!number_is(have, rtnl_link_ip6gre_get_flowinfo, htonl((uint32_t)c->tos << TCLASS_SHIFT)))
		return "tos";
	if (!number_is(have, rtnl_link_ip6gre_get_fwmark, c->fwmark))
		return "fwmark";
	if (rtnl_link_ip6gre_get_flags(have, &flags) < 0 || !(flags & IP6_TNL_F_IGN_ENCAP_LIMIT))
		return "encapsulation limit";
	return NULL;
}

const struct tunnel_kind tunnel_gre = {
	.name = "gre",
	.make = gre_make,
	.differs = gre_differs,
	.overhead = gre_overhead,
};

const struct tunnel_kind tunnel_ip6gre = {
	.name = "ip6gre",
	.make = ip6gre_make,
	.differs = ip6gre_differs,
	.overhead = gre_overhead,
};
