/* SPDX-License-Identifier: BSD-2-Clause */
/* hopset.h - next-hop sets: interned, counted, each one kernel nexthop object (one member) or group
 * (several).
 *
 * Routes hold sets by handle. What the kernel has of them follows in hopsets_sync(): objects first, so that
 * routes find them, and a set that nobody holds goes. Without nexthop objects (@objects false) the sets exist
 * for their contents only. */
#ifndef MCBGP_NETLINK_HOPSET_H
#define MCBGP_NETLINK_HOPSET_H

#include "netlink/rtmsg.h"

/** Sets that always exist and are not counted. */
enum {
	HOPSET_NONE,
	HOPSET_BLACKHOLE,
	HOPSET_UNREACHABLE,
	HOPSET_BEHIND, /* ours in the kernel, whatever it is, with somebody else's route in front of it */
	HOPSET_UNKNOWN /* ours in the kernel, but not as any set of ours */
};

enum hopset_state { HOPSET_WAITING, HOPSET_READY, HOPSET_FAILED };

/** What a set tells of the routes that hold it; taken at the beginning of a sweep over the routes, and gone
 * at its end. */
enum {
	HOPSET_LOST = 1,  /* the kernel dropped its object, and with it every route that led there */
	HOPSET_STALE = 2, /* routes that carry their hops themselves have to be written again */
	HOPSET_RETRY = 4, /* routes that failed for want of it may succeed now */
};

struct hopsets;
/** @resilient: the kernel has resilient groups (Linux 5.13), too. NULL: out of memory. */
struct hopsets *hopsets_new(uint8_t protocol, bool objects, bool resilient);
void hopsets_free(struct hopsets *s); /* the kernel's objects stay */

/** The set of @r for a prefix of @family, counted. @wished: somebody wants it; otherwise the kernel has it.
 * @return 0 when out of memory. */
uint32_t hopset_get(struct hopsets *s, uint8_t family, const struct fib_route *r, bool wished);
/** The set behind the kernel's nexthop id, counted; HOPSET_UNKNOWN when it is none of ours. @return 0 when
 * out of memory. */
uint32_t hopset_get_by_id(struct hopsets *s, uint32_t nh_id);
void hopset_hold(struct hopsets *s, uint32_t set);
void hopset_put(struct hopsets *s, uint32_t set);

enum hopset_state hopset_state(const struct hopsets *s, uint32_t set);
uint32_t hopset_nh_id(const struct hopsets *s, uint32_t set); /* 0: routes carry the hops themselves */
unsigned hopset_flags(const struct hopsets *s, uint32_t set); /* of the sweep under way: HOPSET_LOST … */
/** The members but for the spare one, dead ones only when all are; @hops has RT_HOPS_MAX places and backs
 * out->hops. */
void hopset_route(const struct hopsets *s, uint32_t set, struct fib_hop *hops, struct fib_route *out);
/** Why it failed, in words; borrowed until the next sync. */
const char *hopset_why(const struct hopsets *s, uint32_t set);

/** Bring the kernel's objects to what is wanted. @return 0, or -errno when the socket failed. */
int hopsets_sync(struct hopsets *s, struct nls *nl);
bool hopsets_pending(const struct hopsets *s); /* there is something to sync */
/** A refusal that only a verification can explain has happened since the last call. */
bool hopsets_suspect(struct hopsets *s);
/** Remove the objects that no set needs and the sets that nobody holds; only when no route of ours waits to
 * be moved. 0 or -errno of the socket. */
int hopsets_purge(struct hopsets *s, struct nls *nl);
/** Removes all objects, and with them, in the kernel, the routes that lead there. @return 0 or -errno of the
 * socket. */
int hopsets_drop(struct hopsets *s, struct nls *nl);
/** Asks of every gateway that was ever wished for whether it is alive. Sync at once when something is pending
 * afterwards. @return how many are dead. */
size_t hopsets_judge(struct hopsets *s, fib_alive_fn alive, void *ctx);
/** What the kernel refused may be accepted now. */
void hopsets_retry(struct hopsets *s);
bool hopsets_any_failed(const struct hopsets *s);
bool hopsets_uses_link(const struct hopsets *s, uint32_t ifindex);

/** Compare with a dump of the kernel's objects (all RTM_NEWNEXTHOP messages between begin and end). What is
 * missing or differs is put right by the next sync. Unknown objects of our protocol are adopted until
 * hopsets_adopt_end(), later removed by a purge. */
void hopsets_verify_begin(struct hopsets *s);
void hopsets_verify_msg(struct hopsets *s, const struct nlmsghdr *h);
int hopsets_verify_end(struct hopsets *s); /* 0 or -ENOMEM */
bool hopsets_owns(const struct hopsets *s, uint32_t nh_id);
/** Adopted objects are kept even when nobody holds them, until this. */
void hopsets_adopt_end(struct hopsets *s);

/** Any set has flags to be swept. */
bool hopsets_sweep_needed(const struct hopsets *s);
void hopsets_sweep_begin(struct hopsets *s);

void hopsets_count(const struct hopsets *s, uint64_t *hops, uint64_t *groups); /* objects in the kernel */

#endif
