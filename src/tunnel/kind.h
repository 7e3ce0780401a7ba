/* SPDX-License-Identifier: BSD-2-Clause */
/* kind.h - what one type of tunnel knows of itself; the rest of its life is the same for all (mend.c). */
#ifndef MCBGP_TUNNEL_KIND_H
#define MCBGP_TUNNEL_KIND_H

#include <netlink/route/link.h>

#include "config/conf.h"

struct tunnel_kind {
	const char *name; /* IFLA_INFO_KIND */
	/** A link of this kind with the parameters of @c, but for name and what all links have; @change: only
	 * those that can be changed in place.
	 *  @underlay: index of c->interface or 0. NULL: out of memory. */
	struct rtnl_link *(*make)(const struct conf_tunnel *c, uint32_t underlay, bool change);
	/** The first parameter in which @have differs from @c, by its name in the configuration; NULL: none.
	 * @in_place: all that differ can be changed without a new link. */
	const char *(*differs)(struct rtnl_link *have, const struct conf_tunnel *c, uint32_t underlay,
	                       bool *in_place);
	/** Bytes a packet grows by, the outer IP header of @family included. */
	uint32_t (*overhead)(const struct conf_tunnel *c, uint8_t family);
};

extern const struct tunnel_kind tunnel_vxlan, tunnel_gre, tunnel_ip6gre, tunnel_wireguard;

/** @a as libnl wants it; NULL: out of memory. Released with nl_addr_put(). */
struct nl_addr *tunnel_nl_addr(const struct ip *a);
struct ip tunnel_ip_of(const struct nl_addr *a); /* IP_NONE: neither IPv4 nor IPv6 */
bool tunnel_addr_is(const struct nl_addr *have,
                    const struct ip *want); /* IP_NONE and all zeros are NULL's equals */

#endif
