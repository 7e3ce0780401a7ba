/* SPDX-License-Identifier: BSD-2-Clause */
/* rtmsg.h - routes and nexthop objects as rtnetlink writes them: requests built, messages taken apart with
 * bounds checked. */
#ifndef MCBGP_NETLINK_RTMSG_H
#define MCBGP_NETLINK_RTMSG_H

#include "netlink/fib.h"
#include "netlink/nls.h"

#define RT_HOPS_MAX 256 /* members of one set; a request stays below NL_MSG_MAX */

/** AF_INET, AF_INET6, AF_UNSPEC of an enum ip_family. */
uint8_t rt_af(uint8_t family);

/* -- routes ------------------------------------------------------------------------------------- */

struct rt_msg {
	struct prefix prefix;
	uint32_t table, metric, nh_id; /* nh_id 0: no nexthop object */
	uint8_t protocol, type, tos;
	bool cloned;                    /* an entry of the routing cache, no route */
	struct fib_hop hop;             /* without nexthop object: the only or the first live hop */
	const struct nlattr *multipath; /* NULL: none */
};
/** @return false: no route of IPv4 or IPv6 that makes sense. The attributes borrowed from @h live as long as
 * it does. */
bool rt_parse(const struct nlmsghdr *h, struct rt_msg *out);
/** The hops the route carries itself. @return how many, at most RT_HOPS_MAX; 0 for routes by nexthop object
 * and those that do not make sense. */
size_t rt_hops(const struct rt_msg *r, struct fib_hop *hops);

/** What a route shares with all others of ours. */
struct rt_key {
	struct prefix prefix;
	uint32_t table, metric;
	uint8_t protocol;
};
/** Completes a new RTM_NEWROUTE: to the nexthop object @nh_id, or when it is 0 as @r says. */
void rt_put_route(struct nlmsghdr *h, const struct rt_key *k, const struct fib_route *r, uint32_t nh_id);
/** Completes a new RTM_DELROUTE: whatever the route leads to, but of our protocol only. */
void rt_put_delete(struct nlmsghdr *h, const struct rt_key *k);

/* -- nexthop objects ---------------------------------------------------------------------------- */

struct nh_msg {
	uint32_t id;
	uint8_t protocol;
	struct fib_hop hop; /* a single hop; ifindex 0: blackhole or something else we never make */
	uint8_t family;     /* enum ip_family of the object; IP_NONE for groups */
	const struct nexthop_grp *group; /* NULL: a single hop. May be unaligned */
	size_t n_group;
	bool resilient; /* the group is of that type */
};
bool nh_parse(const struct nlmsghdr *h, struct nh_msg *out);
void nh_put_hop(struct nlmsghdr *h, uint32_t id, uint8_t protocol, uint8_t family, const struct fib_hop *hop);
/** @buckets: of a resilient group, which keeps their number for life; 0: an ordinary one. */
void nh_put_group(struct nlmsghdr *h, uint32_t id, uint8_t protocol, const struct nexthop_grp *members,
                  size_t n, uint16_t buckets);
void nh_put_delete(struct nlmsghdr *h, uint32_t id);
/** Weight 1..256 as struct nexthop_grp has it (less one). */
uint16_t nh_group_weight(const struct nexthop_grp *g);

#endif
