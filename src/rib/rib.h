/* SPDX-License-Identifier: BSD-2-Clause */
/* rib.h - the only door to the routing table: peers put routes in, subscribers hear what changed, sinks take
 * encoded UPDATEs out.
 *
 * Pure: time comes as an argument, long work is done in rib_run() under a budget. One table holds both
 * families; a prefix is looked up once per announcement; one path record per (prefix, peer, path id) is both
 * the Adj-RIB-In entry (attributes before policy) and the candidate (after policy). RFC 4271 3.2, 9.1. */
#ifndef MCBGP_RIB_RIB_H
#define MCBGP_RIB_RIB_H

#include <sys/uio.h>

#include "bgp/open.h"
#include "bgp/update.h"
#include "policy/filter.h"
#include "policy/role.h"
#include "rib/decision.h"
#include "rib/nexthop.h"

struct rib;
struct rib_peer;

struct rib_options {
	uint32_t local_as, router_id, cluster_id;
	uint16_t multipath; /* most members of an ECMP set; 1: none */
	struct decision_options decision;
};

/** NULL: out of memory. Caller owns it. */
struct rib *rib_new(const struct rib_options *o);
/** New options: every prefix is decided again where they bear on the decision. A new AS or router id takes
 * effect with the next sessions. */
void rib_set_options(struct rib *r, const struct rib_options *o);
void rib_free(struct rib *r);
/** The next hops of the table; the host's routes and links are told there. */
struct nexthop_table *rib_nexthops(struct rib *r);

/* -- who speaks with the table ---------------------------------------------------------------- */

enum rib_policy { RIB_POLICY_NONE, RIB_POLICY_ALL, RIB_POLICY_FILTER };

/** What the table must know of a peer before a session; strings and filters borrowed until changed or the
 * peer is removed. */
struct rib_peer_conf {
	const char *name, *group; /* group: NULL for none */
	struct ip address;        /* IP_NONE for a local source */
	enum route_source source; /* SOURCE_BGP, or a pseudo-peer for static and direct routes */
	uint32_t local_as, remote_as;
	enum rib_policy import, export;
	const struct filter *import_filter, *export_filter; /* with RIB_POLICY_FILTER */
	bool next_hop_self, next_hop_keep, rr_client;
	bool enforce_first_as, as_override, remove_private_as, graceful_shutdown;
	uint8_t allow_own_as;
	struct peer_role role;
	uint32_t max_prefix; /* prefixes before policy; 0: no limit */
};

/** What a session brought. */
struct rib_session {
	uint32_t router_id;      /* of the peer */
	struct ip local_address; /* our end: next hop self */
	struct ip
	        other_address; /* ours on that link in the other family: next hop self there; IP_NONE: none */
	struct ip link_local;  /* ours on a link shared with the peer (RFC 2545 3); IP_NONE: none */
	uint32_t ifindex;      /* of the link for link-local next hops; 0: none */
	struct negotiated neg;
};

struct rib_peer *rib_peer_new(struct rib *r,
                              const struct rib_peer_conf *c); /* NULL: out of memory, or 65,535 peers */
/** Removes it with all its routes: at once for the caller, in rib_run() for the table. */
void rib_peer_free(struct rib_peer *p);
/** New policy or parameters; routes are evaluated again in rib_run() as needed, without a session reset. */
void rib_peer_reconfigure(struct rib_peer *p, const struct rib_peer_conf *c);
/** Established: the peer becomes a sink of its export group and hears the whole table, then End-of-RIB. 0 or
 * -ENOMEM. */
int rib_peer_up(struct rib_peer *p, const struct rib_session *s);
/** Our addresses on the session's link are others now: what was announced with them is announced anew. */
void rib_peer_readdress(struct rib_peer *p, const struct ip *other, const struct ip *link_local);
/** The session ended: its routes leave the table (in rib_run(), at once for the decision process); what was
 * queued for it is dropped. */
void rib_peer_down(struct rib_peer *p);
/** The same, but the peer is expected back (RFC 4724 4.2): its routes of the families @retain (FAM_BIT()s)
 * stay in use, stale, until the next session has said them again or rib_peer_stale_end(). What was stale
 * already leaves. */
void rib_peer_restarts(struct rib_peer *p, uint32_t retain);
/** What is stale of @families stays for long (RFC 9494 4.2): it is marked with the community LLGR_STALE,
 * which makes it the last choice everywhere, or leaves if it has NO_LLGR. The next end of the session then
 * makes nothing leave: what it said joins what was stale before. */
void rib_peer_long_lived(struct rib_peer *p, uint32_t families);
/** The peer begins to say all of @f again (BoRR, RFC 7313): what it has said so far is stale. */
void rib_peer_stale_begin(struct rib_peer *p, enum family f);
/** The peer has said everything (End-of-RIB, EoRR), or is not expected to any more: what is stale of
 * @families leaves. */
void rib_peer_stale_end(struct rib_peer *p, uint32_t families);
/** While we are restarting ourselves (RFC 4724 4.1) End-of-RIB is held back; let go, it follows what is
 * announced by then. */
void rib_hold_eor(struct rib *r, bool hold);
/** Our ROUTE-REFRESH answer: everything of @f is announced again. */
void rib_peer_refresh(struct rib_peer *p, enum family f);

struct rib_peer_stats {
	uint32_t received;  /* paths before policy */
	uint32_t accepted;  /* after policy */
	uint32_t filtered;  /* refused by policy or a loop check */
	uint32_t preferred; /* best of their prefix */
	uint32_t exported;  /* prefixes it has from us */
	/* since the session began */
	uint64_t import_updates, import_withdraws, import_rejected, import_filtered, import_ignored;
	uint64_t export_updates, export_withdraws, export_rejected, export_filtered, export_accepted;
};
void rib_peer_stats(const struct rib_peer *p, enum family f, struct rib_peer_stats *out);
const struct rib_peer_conf *rib_peer_conf(const struct rib_peer *p);

/* -- in --------------------------------------------------------------------------------------- */

enum rib_result { RIB_OK, RIB_MAX_PREFIX, RIB_NO_MEMORY };
/** One decoded UPDATE of an Established session. Attributes are interned once; each prefix is stored and
 * queued for decision. RIB_MAX_PREFIX: the limit is passed (said at each UPDATE beyond it; the routes are
 * stored all the same). @now_us: monotonic. */
enum rib_result rib_update(struct rib_peer *p, const struct update *u, uint64_t now_us);
/** Whether @p has more prefixes in the table than its limit, as it is now, allows. */
bool rib_peer_over_limit(const struct rib_peer *p);
/** A local route (static, direct) of a pseudo-peer: next hop or interface or neither (blackhole,
 * unreachable). NULL @a: withdraw. 0 or -ENOMEM. */
struct rib_local {
	enum { LOCAL_NEXT_HOP, LOCAL_INTERFACE, LOCAL_BLACKHOLE, LOCAL_UNREACHABLE } kind;
	struct ip next_hop;
	/** LOCAL_INTERFACE; 0: that link is not there: not eligible. LOCAL_NEXT_HOP: the link that next_hop
	 * is taken to be on; 0: the host's routes say. */
	uint32_t ifindex;
};
int rib_local(struct rib_peer *p, const struct prefix *prefix, const struct rib_local *l, uint64_t now_us);

/* -- work ------------------------------------------------------------------------------------- */

/** Decision for dirty prefixes, sweeps of peers that left, re-evaluations, encoding for sinks: at most about
 * @budget prefixes. @return whether there is more. */
bool rib_run(struct rib *r, unsigned budget, uint64_t now_us);
bool rib_pending(const struct rib *r);

/* -- out: subscribers (the FIB, monitors) ----------------------------------------------------- */

/** One member of the ECMP set of a prefix. */
struct rib_hop {
	struct ip gateway; /* IP_NONE: on the link */
	uint32_t ifindex;
	uint16_t weight;
	bool onlink; /* a neighbor on the link by configuration: no address of the link covers it */
};
enum rib_kind { RIB_UNICAST, RIB_BLACKHOLE, RIB_UNREACHABLE };
struct rib_change {
	struct prefix prefix;
	const struct attrs *best; /* NULL: no route any more */
	const struct rib_peer *from;
	const struct rib_peer *was; /* the peer of the best path before; NULL: there was none, or a replay */
	enum rib_kind kind;
	const struct rib_hop *hops; /* distinct, resolved; the best path's first */
	size_t n_hops;
	const struct rib_hop *spare; /* where packets go should all of them die; NULL: nowhere */
};
struct rib_subscriber {
	void (*change)(void *ctx, const struct rib_change *c); /* best path, ECMP set or spare changed */
	/** A next hop's resolution changed, or the last peer that had paths by it (rib_nexthop_used()) went
	 * down: told at once, before any prefix is decided again. May be NULL. */
	void (*nexthop)(void *ctx, const struct nexthop *nh);
	void *ctx;
};
/** Any path by it is of a peer whose routes are here to stay: not of one that is down and being swept. */
bool rib_nexthop_used(const struct rib *r, nexthop_id id);
/** At most four. Hears of changes from now on; rib_replay() tells the present. */
void rib_subscribe(struct rib *r, const struct rib_subscriber *s);
/** All prefixes are told again to all subscribers, in rib_run(). */
void rib_replay(struct rib *r);

/* -- out: sinks ------------------------------------------------------------------------------- */

/** Encoded messages waiting for @p: up to @max pieces into @iov, whole messages from a message boundary on or
 * from where the last write stopped.
 *  @return pieces. They stay valid until rib_sink_wrote() or the next rib_run(). */
int rib_sink_peek(struct rib_peer *p, struct iovec *iov, int max);
/** @n bytes of what was peeked went out. */
void rib_sink_wrote(struct rib_peer *p, size_t n);
/** Bytes still missing of a message whose first part is already on the wire; 0 at a boundary. Other messages
 * may go out only at a boundary. */
size_t rib_sink_partial(const struct rib_peer *p);
bool rib_sink_pending(const struct rib_peer *p);
/** There was no memory to queue something for it: what it has from us is no longer known, end the session
 * (Cease/Out of Resources). Told through rib_on_output() too. */
bool rib_sink_broken(const struct rib_peer *p);
/** Called from rib_run() when something to send appears for a sink that had nothing. */
void rib_on_output(struct rib *r, void (*fn)(void *ctx, struct rib_peer *p), void *ctx);
void *rib_peer_user(const struct rib_peer *p); /* the edge's own object */
void rib_peer_set_user(struct rib_peer *p, void *user);

/* -- to look at ------------------------------------------------------------------------------- */

struct rib_path_view {
	struct prefix prefix;
	const struct rib_peer *peer;
	const struct attrs *in;    /* as received */
	const struct attrs *attrs; /* after import policy; NULL: refused */
	bool best, multipath, eligible, stale;
	bool circular; /* its next hop lies behind the prefix itself: not eligible */
	uint32_t path_id;
	uint64_t since_us;
	const struct nexthop *nexthop; /* NULL: none (local interface or blackhole) */
	enum rib_kind kind;
	uint32_t ifindex; /* of a local interface route */
	enum decision_rule
	        lost_by; /* RULE_NONE for the best: the rule by which the best path beat this one */
	int filter_term; /* that refused it, from 0; -1: fell off the end or not refused; RIB_REFUSED_*
	                    otherwise */
};
enum {
	RIB_REFUSED_POLICY_NONE = -2,
	RIB_REFUSED_AS_LOOP = -3,
	RIB_REFUSED_ORIGINATOR = -4,
	RIB_REFUSED_CLUSTER = -5,
	RIB_REFUSED_FIRST_AS = -6,
	RIB_REFUSED_EDIT = -7,
	RIB_REFUSED_LEAK = -8
};
const char *rib_refused_text(int filter_term); /* for the negative ones below -1 */

/** A walk over prefixes that survives any change of the table: a prefix that stays is seen exactly once.
 * Zero-initialise. Order: none. */
struct rib_cursor {
	enum family family; /* where it is; begins with FAM_IPV4 */
	uint32_t at;
};
/** The next prefix that has paths; false at the end of its family. */
bool rib_walk(const struct rib *r, struct rib_cursor *c, struct prefix *out);
/** Paths of one prefix, best first, refused ones last: up to @max into @out. @return how many there are. */
size_t rib_paths(const struct rib *r, const struct prefix *p, struct rib_path_view *out, size_t max);
/** Longest match that has a best path (@usable) or any path. */
bool rib_match(const struct rib *r, const struct ip *a, bool usable, struct prefix *out);
/** The term of the import filter that accepted a path, from 0; -1: it was refused, or no filter was asked.
 * The filter is run again: the table does not keep it. */
int rib_accepted_by(const struct rib *r, const struct rib_path_view *v);
struct rib_export_reason {
	const char *withheld; /* why it is not announced, in words; NULL: it is */
	int term; /* of the export filter that decided, from 0; -1: none of them did, or it was not asked */
};
/** What @p's export policy makes of the best path of @prefix: NULL when not announced, else attributes as on
 * the wire, in the table's scratch space: valid until the next call of this kind or rib_run(). @why may be
 * NULL. */
const struct attrs *rib_export_view(struct rib *r, struct rib_peer *p, const struct prefix *prefix,
                                    struct rib_export_reason *why);

/** The same of one of its paths: of any for who hears of them all, else of the best. */
const struct attrs *rib_export_path(struct rib *r, struct rib_peer *p, const struct rib_path_view *v,
                                    struct rib_export_reason *why);
/** Whether @p hears of every usable path (RFC 7911), not of the best alone. */
bool rib_hears_all_paths(const struct rib_peer *p, enum family f);

struct rib_memory {
	size_t dests, paths, attr_sets; /* how many */
	size_t dest_bytes, path_bytes, attr_bytes, index_bytes, out_bytes;
};
void rib_memory(const struct rib *r, struct rib_memory *out);
size_t rib_count(const struct rib *r, enum family f); /* prefixes with any path */

#endif
