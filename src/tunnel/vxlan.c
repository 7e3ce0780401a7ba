/* SPDX-License-Identifier: BSD-2-Clause */
/* vxlan.c - VXLAN with a unicast remote end (RFC 7348). The kernel changes all in place but the VNI, the port
 * and the family of the underlay. Several far ends are not parameters of the link (fdb.c). Overhead: outer
 * IP, UDP 8, VXLAN 8, inner Ethernet 14. */
#include "tunnel/kind.h"

#include <errno.h>
#include <netlink/route/link/vxlan.h>
#include <string.h>

static struct rtnl_link *vxlan_make(const struct conf_tunnel *c, uint32_t underlay, bool change)
{
	struct nl_addr *remote = tunnel_nl_addr(&c->remote), *local = tunnel_nl_addr(&c->local);
	struct rtnl_link *l = rtnl_link_vxlan_alloc();

	if (!l || !remote || !local)
		goto fail;
	if (!change && (rtnl_link_vxlan_set_id(l, c->vni) < 0 || rtnl_link_vxlan_set_port(l, c->port) < 0))
		goto fail; /* naming them in a change is refused even when they stay the same */
	if (rtnl_link_vxlan_set_ttl(l, c->ttl) < 0 || rtnl_link_vxlan_set_tos(l, c->tos) < 0 ||
	    rtnl_link_vxlan_set_learning(l, c->learning) < 0 || rtnl_link_vxlan_set_link(l, underlay) < 0)
		goto fail;
	if (c->remote.family != IP_NONE && rtnl_link_vxlan_set_group(l, remote) < 0)
		goto fail;
	if (c->local.family != IP_NONE && rtnl_link_vxlan_set_local(l, local) < 0)
		goto fail;
	nl_addr_put(remote);
	nl_addr_put(local);
	return l;
fail:
	nl_addr_put(remote);
	nl_addr_put(local);
	rtnl_link_put(l);
	return NULL;
}

static bool number_is(int rc, uint32_t have, uint32_t want)
{
	return rc < 0 ? want == 0 : have == want;
}

/* libnl's getters of addresses, which hand out a reference. */
typedef int (*address_fn)(struct rtnl_link *l, struct nl_addr **out);

static bool address_is(struct rtnl_link *l, address_fn get, const struct ip *want)
{
	struct nl_addr *have = NULL;
	bool same;

	if (get(l, &have) < 0)
		have = NULL;
	same = tunnel_addr_is(have, want);
	nl_addr_put(have);
	return same;
}

static uint8_t family_wanted(const struct conf_tunnel *c)
{
	if (c->remote.family != IP_NONE)
		return c->remote.family;
	return c->n_remotes ? c->remotes[0].family : c->local.family;
}

/* The family of the link's own ends. */
static uint8_t family_in_kernel(struct rtnl_link *l)
{
	struct nl_addr *a = NULL;
	int af = AF_INET;

	if (rtnl_link_vxlan_get_group(l, &a) == 0 || rtnl_link_vxlan_get_local(l, &a) == 0) {
		af = nl_addr_get_family(a);
		nl_addr_put(a);
	}
	return af == AF_INET6 ? IP_V6 : IP_V4;
}

static const char *vxlan_differs(struct rtnl_link *have, const struct conf_tunnel *c, uint32_t underlay,
                                 bool *in_place)
{
	uint32_t vni = 0, port = 0, link = 0;
	int rc_vni = rtnl_link_vxlan_get_id(have, &vni), rc_port = rtnl_link_vxlan_get_port(have, &port);
	int rc_link = rtnl_link_vxlan_get_link(have, &link);
	bool same_remote = address_is(have, rtnl_link_vxlan_get_group, &c->remote);
	bool same_local = address_is(have, rtnl_link_vxlan_get_local, &c->local);

	*in_place = false;
	if (!number_is(rc_vni, vni, c->vni))
		return "vni";
	if (!number_is(rc_port, port, c->port))
		return "port";
	if (family_in_kernel(have) != family_wanted(c))
		return "remote";
	if (!same_remote && c->remote.family == IP_NONE)
		return "remote";
	if (!same_local && c->local.family == IP_NONE)
		return "local";
	*in_place = true;
	if (!same_remote)
		return "remote";
	if (!same_local)
		return "local";
	if (!number_is(rc_link, link, underlay))
		return "interface";
	if (rtnl_link_vxlan_get_ttl(have) != c->ttl)
		return "ttl";
	if (rtnl_link_vxlan_get_tos(have) != c->tos)
		return "tos";
	if ((rtnl_link_vxlan_get_learning(have) > 0) != c->learning)
		return "learning";
	return NULL;
}

static uint32_t vxlan_overhead(const struct conf_tunnel *c, uint8_t family)
{
	(void)c;
	return family == IP_V6 ? 70 : 50;
}

const struct tunnel_kind tunnel_vxlan = {
	.name = "vxlan",
	.make = vxlan_make,
	.differs = vxlan_differs,
	.overhead = vxlan_overhead,
};
