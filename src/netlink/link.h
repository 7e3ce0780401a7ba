/* SPDX-License-Identifier: BSD-2-Clause */
/* link.h - what the host has: links, addresses, neighbors and foreign routes, told as events.
 *
 * After link_watch_new() everything present is reported once, then every change. When events were lost, or
 * the kernel may have dropped routes without telling (a link or an IPv4 address went), all is dumped again
 * between sync_begin() and sync_end(), and what is not reported in between is gone. */
#ifndef MCBGP_NETLINK_LINK_H
#define MCBGP_NETLINK_LINK_H

#include <net/if.h>

#include "io/loop.h"
#include "lib/prefix.h"

struct link_info {
	uint32_t ifindex;
	char name[IFNAMSIZ];
	bool up;     /* administratively up and running (carrier, lower device) */
	bool was_up; /* when it was told the last time; false: it is new */
	bool admin_up;
	uint32_t mtu;
	char kind[16];  /* "vxlan", "veth" …; "" for physical ones */
	char alias[64]; /* IFLA_IFALIAS; "mcbgpd" on links we made */
};

enum link_place { LINK_ROUTE_ANYWHERE, LINK_ROUTE_FIRST, LINK_ROUTE_LAST };

struct link_route { /* a route of the tables main, local or our own that is not ours */
	struct prefix prefix;
	struct ip gateway; /* IP_NONE: connected */
	uint32_t ifindex;  /* 0: blackhole and its like */
	uint32_t metric, table;
	uint8_t protocol;
	bool local; /* RTN_LOCAL: an own address */
	enum link_place
	        place; /* a new one's among those of the same prefix and metric; a dump does not tell */
};

struct link_events {
	void (*link_set)(void *ctx, const struct link_info *l); /* new or changed */
	void (*link_del)(void *ctx, uint32_t ifindex, const char *name);
	void (*address_set)(void *ctx, uint32_t ifindex, const struct ip *a, uint8_t len);
	void (*address_del)(void *ctx, uint32_t ifindex, const struct ip *a, uint8_t len);
	void (*route_set)(void *ctx, const struct link_route *r);
	void (*route_del)(void *ctx, const struct link_route *r);
	/** A route with our protocol number was deleted, replaced or altered by somebody else. */
	void (*own_route_lost)(void *ctx, const struct prefix *p);
	/** A neighbor does not answer, or shows that it is there. That its entry vanished is not told. */
	void (*neighbor_state)(void *ctx, uint32_t ifindex, const struct ip *a, bool failed);
	/** Of a link, what link_info does not tell was changed: where a VXLAN sends what it knows no place
	 * for, or net.ipv4.conf.LINK.rp_filter. NULL: not told. */
	void (*link_touched)(void *ctx, uint32_t ifindex);
	/** A policy rule with the protocol number @protocol was deleted. NULL: not told. */
	void (*rule_del)(void *ctx, uint8_t protocol);
	/** A route of a table that is not followed came, changed or went. NULL: not told. */
	void (*other_route)(void *ctx);
	void (*events_lost)(
	        void *ctx); /* any event may be missing, own_route_lost too; a sync follows. NULL: not told */
	void (*ready)(
	        void *ctx); /* everything present has been reported for the first time. NULL: not told */
	void (*sync_begin)(void *ctx);
	void (*sync_end)(void *ctx);
};

struct link_watch;
/** @own_protocol, @own_table: routes of ours are kept out of route_set. @return 0 or -errno; the events begin
 * with the next turn of the loop. */
int link_watch_new(struct loop *l, uint8_t own_protocol, uint32_t own_table, const struct link_events *ev,
                   void *ctx, struct link_watch **out);
void link_watch_free(struct link_watch *w);
/** The @count port ids whose own changes are not echoed as own_route_lost: the FIB's sockets. At most
 * NL_IGNORED_MAX. */
void link_watch_ignore(struct link_watch *w, const uint32_t *port_ids, size_t count);
/** Have the kernel ask for the neighbor @a, as if there were something to send to it; the answer, or that
 * there is none, comes as neighbor_state. */
void link_watch_ask(struct link_watch *w, uint32_t ifindex, const struct ip *a);
const struct link_info *link_by_name(const struct link_watch *w,
                                     const char *name); /* NULL: none. Borrowed until the next event */
const struct link_info *link_by_index(const struct link_watch *w, uint32_t ifindex);
/** Walk: NULL starts; NULL at the end. For `show interfaces`. */
const struct link_info *link_next(const struct link_watch *w, const struct link_info *l);

#endif
