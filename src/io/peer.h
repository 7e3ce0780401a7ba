/* SPDX-License-Identifier: BSD-2-Clause */
/* peer.h - one configured or accepted peer: performs the effects of its sessions on TCP sockets and connects
 * them with the table.
 *
 * A peer has up to two sessions at a time, the dialled and the accepted one, until collision detection leaves
 * one. It reads whole messages into rib_update(), sends what rib_sink_peek() holds, backs off per cause and
 * remembers how the last session ended. */
#ifndef MCBGP_IO_PEER_H
#define MCBGP_IO_PEER_H

#include "bgp/session.h"
#include "config/conf.h"
#include "io/loop.h"
#include "rib/rib.h"

struct peers; /* all of them, with the listening sockets */
struct peer;

struct peers_env {
	struct loop *loop;
	struct rib *rib;
	/** Initial table received (end-of-RIB of every family, or the session ended): for the FIB's adoption.
	 * May be NULL. */
	void (*synced)(void *ctx, struct peer *p);
	/** The table has work (after input): the owner kicks its rib_run() job. */
	void (*work)(void *ctx);
	void *ctx;
};

struct peers *peers_new(const struct peers_env *env); /* NULL: out of memory */
/** Cease/administrative shutdown to everyone, flushed as far as the sockets take it at once, then everything
 * is closed and freed. */
void peers_free(struct peers *ps);
/** peers_free() is to close connections without a word where the peer then keeps our routes (RFC 4724). */
void peers_leave_gracefully(struct peers *ps);
/** While @restarting, peers are told that we were started anew and have forwarded on meanwhile (RFC 4724 3).
 */
void peers_set_restarting(struct peers *ps, bool restarting);
/** Make peers and listening sockets what @c says. @old: the snapshot in force, NULL at the start. Sessions
 * are reset only where diff_peer() says so; both snapshots must live until this returns, @c until the next
 * call. @return 0 or -errno of a listening socket that could not be made (the others work; it is logged with
 * its address and the mend, and tried again every few seconds). */
int peers_apply(struct peers *ps, const struct conf *c, const struct conf *old);

/** A link came up or went down, a tunnel appeared: peers that wait dial at once; on down, single-hop peers
 * bound to it by interface end. */
void peers_link_event(struct peers *ps, const char *name, bool up);
/** An address of the host came or went: next hops that are our own follow; on came, peers that wait for it
 * dial at once. */
void peers_address_event(struct peers *ps, const struct ip *a, bool came);
/** A neighbor of the host does not answer, or shows that it is there: if it had been away, its peers dial at
 * once. */
void peers_neighbor_event(struct peers *ps, const struct ip *a, bool there);
/** rib_run() made output for @p: the owner lets rib_on_output() lead here, through rib_peer_user(). Written
 * in the same turn. */
void peer_output(struct peer *p);

struct peer *
peers_first(struct peers *ps); /* in the order of the configuration, range peers behind their range */
struct peer *peers_next(struct peers *ps, struct peer *p);
struct peer *peers_find(struct peers *ps, const char *name); /* NULL: none */

/* Operator commands. @text: shutdown communication (RFC 9003), may be NULL. @return false: nothing to do
 * (already so). */
bool peer_enable(struct peer *p);
bool peer_disable(struct peer *p, const char *text);
void peer_restart(struct peer *p, const char *text);
/** Import again: by ROUTE-REFRESH, else by the kept Adj-RIB-In; announce again: everything. */
void peer_reload(struct peer *p, bool in, bool out);

struct peer_view { /* borrowed until the next turn of the loop */
	const struct conf_peer *conf;
	const char *name;     /* of a range peer: "<range>_<address>" */
	struct ip address;    /* of the neighbor; IP_NONE: a range waiting for peers */
	struct rib_peer *rib; /* NULL for a range */
	bool enabled, is_range, dynamic;
	bool synced;                   /* its initial table came (End-of-RIB), or its session ended before */
	unsigned n_dynamic;            /* of a range */
	enum bgp_state state;          /* the furthest of its sessions */
	const struct session *session; /* that one; NULL: none */
	const struct session_end
	        *last_end; /* of a session, or of an attempt that got as far as the peer's OPEN */
	const struct session_end
	        *last_attempt; /* that got not so far; kind END_NONE: none since the last session */
	uint64_t last_end_at, last_attempt_at,
	        since;           /* monotonic microseconds; since: of the present state */
	struct ip local, remote; /* of the session's socket */
	uint16_t local_port, remote_port;
	uint64_t retry_at; /* when it dials again; 0: does not */
	unsigned flaps;    /* sessions that ended */
	uint64_t stale_at; /* routes of a session before are kept as they are until then; 0: there are none
	                    */
	uint64_t long_lived_at[FAM_COUNT]; /* or as the last choice, until then (RFC 9494) */
	uint64_t refuse_until;             /* not taken before, after too many prefixes; 0: at any time */
	uint64_t treated_as_withdraw, attrs_discarded; /* UPDATEs with faults, of all sessions (RFC 7606) */
	bool policy_missing;                           /* eBGP without import or export: RFC 8212 */
};
void peer_view(const struct peer *p, struct peer_view *out);

#endif
