/* SPDX-License-Identifier: BSD-2-Clause */
/* nexthop.h - reachability and metric of BGP next hops, by address. Pure: the kernel's routes and links are
 * told to it.
 *
 * The table keeps the host's routes (all that are not ours) in a Patricia tree and every next hop that some
 * path uses. When a route or a link changes, the next hops it covers are resolved again, and those whose
 * answer changed are reported, once each: the cost follows the number of next hops, never that of prefixes.
 * Facts may be told in any order.
 *
 * A next hop resolves through the longest host route that contains it: a connected route gives (address,
 * interface); a route by a gateway gives (gateway, interface), provided that the gateway is itself on the
 * link: link-local, or within a connected route of that interface, which is what the kernel asks too. So a
 * resolution is two lookups at most. A route without interface (blackhole, unreachable), a link that is down,
 * or no route at all: unresolved, with a reason in words. The default route is a route like any other. A next
 * hop with a scope is on that link, and no route is asked; an IPv6 link-local one without a scope is nowhere.
 * RFC 4271 5.1.3 and 9.1.2.1. */
#ifndef MCBGP_RIB_NEXTHOP_H
#define MCBGP_RIB_NEXTHOP_H

#include "lib/prefix.h"
#include "lib/ptree.h"

enum nexthop_why {
	NH_OK,
	NH_NO_ROUTE,
	NH_LINK_DOWN,
	NH_BLACKHOLE,
	NH_DEAD, /* it, or the gateway to it, as a neighbor; the others: another cause alone */
	NH_DEAD_TUNNEL,
	NH_DEAD_SESSION,
	NH_OWN_ADDRESS,
	NH_BAD_GATEWAY, /* the gateway of the route to it is not on the link */
};
const char *nexthop_why_text(enum nexthop_why w); /* "no route to it", "the link is down" ...; static */

struct nexthop_hop {
	struct ip gateway; /* IP_NONE: on the link */
	uint32_t ifindex;
};

/** Handle of a next hop in the table, 1..; 0: none. Small and dense, so it can index arrays. */
typedef uint32_t nexthop_id;

struct nexthop {
	struct ip addr; /* the BGP next hop */
	uint32_t scope; /* interface index a link-local address belongs to; 0 otherwise */
	uint32_t refs;
	enum nexthop_why why; /* NH_OK: the rest is valid; otherwise it is zero */
	struct ip gateway;    /* what the kernel is told: addr itself, or the gateway of the route to it */
	uint32_t ifindex;
	uint32_t metric; /* IGP metric: of the host route (0 when connected) */
	bool connected;  /* reached directly on the link */
	bool relinked;   /* with the last change it came onto a link, or left one */
	bool recursive;  /* through a route of our own table ... */
	uint8_t own_len; /* ... of this length */
	/* As the host's routes alone resolve it, which is all that a way to other next hops may rest on;
	 * ifindex 0: they do not. */
	struct nexthop_hop by_host;
};

/** A route of the host, as the kernel tells it; the key is (prefix, metric): the lowest metric is used. One
 * hop suffices: for a multipath route the first live one is given. */
struct host_route {
	struct prefix prefix;
	struct ip gateway; /* IP_NONE: connected */
	uint32_t ifindex;  /* 0: blackhole and its like */
	uint32_t metric;
};

struct nexthop_table;
/** NULL: out of memory. Caller owns it. @changed is called from inside the functions below for each next hop
 * whose resolution changed; it must not call back into the table. */
struct nexthop_table *nexthop_table_new(void (*changed)(void *ctx, nexthop_id id, const struct nexthop *nh),
                                        void *ctx);
void nexthop_table_free(struct nexthop_table *t); /* NULL is fine; next hops still held go with it */

/** Our own table, where a next hop may lie behind a route of ours. */
struct nexthop_own {
	/** The first hop of the best route to @addr longer than @len bits, among those whose own next hops
	 * resolve by the host alone, and not behind that route. @return its length, -1: there is none. */
	int (*find)(void *ctx, const struct ip *addr, int len, struct nexthop_hop *out);
	void *ctx;
};
void nexthop_set_own(struct nexthop_table *t, const struct nexthop_own *own);
/** Whether changes of our own routes matter: some next hop is on no link. */
bool nexthop_uses_own(const struct nexthop_table *t);
/** The routes of @p in our own table changed, or where they lead. */
void nexthop_own_changed(struct nexthop_table *t, const struct prefix *p);

/** The next hop @addr, counted; resolved at once, which is not reported. 0: out of memory. */
nexthop_id nexthop_get(struct nexthop_table *t, const struct ip *addr, uint32_t scope);
void nexthop_put(struct nexthop_table *t, nexthop_id id);
const struct nexthop *nexthop_at(const struct nexthop_table *t,
                                 nexthop_id id); /* borrowed, valid until the put */
size_t nexthop_count(const struct nexthop_table *t);
/** Walk: start with @id 0; returns the next id in use, 0 at the end. For `show`. */
nexthop_id nexthop_next(const struct nexthop_table *t, nexthop_id id);

/* What the host has. Each is idempotent; @return 0 or -ENOMEM, and then the table is as it was. */
int nexthop_route_set(struct nexthop_table *t, const struct host_route *r);
void nexthop_route_del(struct nexthop_table *t, const struct prefix *p, uint32_t metric);
int nexthop_link_set(struct nexthop_table *t, uint32_t ifindex, bool up); /* unknown links count as down */
void nexthop_link_del(struct nexthop_table *t, uint32_t ifindex);
int nexthop_address_set(struct nexthop_table *t, const struct ip *own,
                        bool present); /* our own addresses never serve as next hops */
/** Who can tell that an address is dead for reasons outside routing; carrier is the link's. Bits of a set. */
enum nexthop_cause {
	NH_CAUSE_NEIGHBOR = 1, /* it does not answer on its link */
	NH_CAUSE_TUNNEL = 2,  /* the tunnel that leads to it has lost its other end (WireGuard's handshake) */
	NH_CAUSE_SESSION = 4, /* what watches a session with it (BFD) */
};
/** Mark @addr dead for @cause, or no longer for that cause, on whatever link: it is dead while any cause
 * holds it. Overrides the routes, and kills the next hops behind it when it is a gateway. Each cause stays
 * until taken back, whether or not anybody uses the address. */
int nexthop_dead_set(struct nexthop_table *t, const struct ip *addr, enum nexthop_cause cause, bool dead);
/** A resync: sync_end forgets the routes not set since sync_begin. What routes change in between is reported
 * at the end, once each; links, addresses and deaths act at once. Beginning again while one is under way
 * starts it anew. */
void nexthop_sync_begin(struct nexthop_table *t);
void nexthop_sync_end(struct nexthop_table *t);

#endif
