/* SPDX-License-Identifier: BSD-2-Clause */
/* fib.h - brings the kernel's table to the desired routes: batches, acknowledgements, nexthop objects and
 * groups, repair by dump.
 *
 * Desired state in, nothing else: the caller says what a prefix should have, as often as it likes; only the
 * latest counts. Next hops are given as sets (1..N members); each distinct set becomes one kernel nexthop
 * object or group, shared by all its routes and counted. When a member dies, fib_members_judge() replaces
 * each group that holds it once, whatever the number of routes behind.
 *
 * Where the kernel has no nexthop objects (or the configuration says no), routes carry RTA_MULTIPATH instead.
 */
#ifndef MCBGP_NETLINK_FIB_H
#define MCBGP_NETLINK_FIB_H

#include "io/loop.h"
#include "lib/prefix.h"

struct fib_hop {
	struct ip gateway; /* IP_NONE: on the link itself (connected static route) */
	uint32_t ifindex;
	uint16_t weight; /* 1..256 */
	bool onlink;
	bool spare; /* takes the packets while all others are dead, and only then; at most one */
};

enum fib_kind { FIB_UNICAST, FIB_BLACKHOLE, FIB_UNREACHABLE };

struct fib_route {
	enum fib_kind kind;
	const struct fib_hop
	        *hops; /* FIB_UNICAST: 1.. ; sorted or not, duplicates are merged. Borrowed for the call */
	size_t n_hops;
};

struct fib_params {
	uint32_t table;   /* 254 */
	uint32_t metric;  /* RTA_PRIORITY */
	uint8_t protocol; /* 178 */
	bool nexthop_groups;
};

enum fib_state { FIB_ABSENT, FIB_QUEUED, FIB_INSTALLED, FIB_FAILED };

/** Why the kernel refuses a route: one is there already (EEXIST), there is nothing to change or to lead to
 * (ENOENT, ESRCH, ENETUNREACH, ENODEV, ENETDOWN), it has no time (EBUSY, EAGAIN, EINTR), it has no room
 * (ENOBUFS, ENOMEM, ENOSPC), or another cause. */
enum fib_refusal { FIB_EXISTS, FIB_MISSING, FIB_BUSY, FIB_FULL, FIB_OTHER, FIB_REFUSALS };

struct fib_stats {
	uint64_t routes_installed, routes_queued, routes_failed; /* now */
	uint64_t wanted[2];                                      /* routes desired: IPv4, IPv6 */
	uint64_t nexthops, groups;                               /* kernel objects of ours, now */
	uint64_t requests, acks, resyncs, put_back;              /* since the start */
	uint64_t refused[FIB_REFUSALS];
	uint64_t audits, audit_found; /* completed, and differences they found: 0 unless events fail us */
	uint64_t audited_us;          /* the end of the last one; 0: none yet */
	uint64_t bytes;               /* of the tables */
	bool nexthop_objects;         /* in use */
};

struct fib;
/** Opens the sockets and dumps what a previous run left: its routes and nexthop objects (by protocol) are
 * adopted: kept as they are until fib_set() confirms or changes them, or fib_adopt_end() removes the rest.
 * @return 0 or -errno. */
int fib_open(struct loop *l, const struct fib_params *p, struct fib **out);
/** @flush: remove every route and nexthop object of ours (ordered end); otherwise leave them for the next
 * run. Waits for what is under way, and with @flush until the kernel has acknowledged: a few seconds, more
 * only when the kernel does not answer. */
void fib_close(struct fib *f, bool flush);
/** Desired: @p has @r; NULL: no route. @return 0 or -ENOMEM. Written to the kernel in large batches. */
int fib_set(struct fib *f, const struct prefix *p, const struct fib_route *r);
/** Routes and objects adopted and not confirmed go. Call once the sessions' end-of-RIBs (or a timer) allow
 * it. */
void fib_adopt_end(struct fib *f);
/** Of those what no peer can have brought: routes to a link rather than a gateway, unreachable ones,
 * blackholes but for a single host (RFC 7999). Call once, when static and direct routes have been told. */
void fib_adopt_local_end(struct fib *f);
/** The adopted route behind handle *@at of @family (begin with 0), which is moved on; false: there are no
 * more.
 * @hop: its first, when it is FIB_UNICAST. */
bool fib_adopted_next(const struct fib *f, uint8_t family, uint32_t *at, struct prefix *p,
                      enum fib_kind *kind, struct fib_hop *hop);
typedef bool (*fib_alive_fn)(void *ctx, const struct ip *gateway, uint32_t ifindex);
/** Next hops died or came back: @alive is asked of every gateway that was ever wished for, and the groups
 * whose members changed are replaced at once, once each, ahead of all queued routes. A group whose members
 * are all dead holds its spare, and without one keeps them until the routes are changed; a gateway that only
 * a previous run named is not judged. @return how many are dead. */
size_t fib_members_judge(struct fib *f, fib_alive_fn alive, void *ctx);
/** Somebody deleted a route of ours: put it back. */
void fib_lost(struct fib *f, const struct prefix *p);
/** A foreign route at @p has been put in front of ours, if @table and @metric are ours; not @certain: it may
 * have been, or behind. Ours leaves, and waits for fib_retry(). */
void fib_foreign(struct fib *f, const struct prefix *p, uint32_t table, uint32_t metric, bool certain);
/** A foreign route at @p went away: if ours failed because of it, try again. */
void fib_retry(struct fib *f, const struct prefix *p);
void fib_link_changed(struct fib *f,
                      uint32_t ifindex); /* routes through it may have vanished without an event: verify */
void fib_resync(struct fib *f);          /* dump and repair all, budgeted */
void fib_audit(struct fib *f);           /* begin now what happens once a minute anyway */
/** State of one route, and in words why it failed ("another route with this prefix and metric is in the way
 * (proto kernel)"); @why may be NULL. */
enum fib_state fib_query(const struct fib *f, const struct prefix *p, const char **why);
void fib_stats(const struct fib *f, struct fib_stats *out);
#define FIB_PORTS 3
/** Of the sockets that write, for link_watch_ignore(). */
void fib_port_ids(const struct fib *f, uint32_t ids[FIB_PORTS]);

#endif
