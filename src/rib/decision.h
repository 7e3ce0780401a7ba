/* SPDX-License-Identifier: BSD-2-Clause */
/* decision.h - orders two paths, one rule a line, and names the rule that decided (RFC 4271 9.1.2, and the
 * usual). Pure. */
#ifndef MCBGP_RIB_DECISION_H
#define MCBGP_RIB_DECISION_H

#include "bgp/attrs.h"

/** In the order in which they are tried. */
enum decision_rule {
	RULE_NONE,     /* the paths are the same to every rule */
	RULE_ELIGIBLE, /* usable at all: next hop resolved, not filtered */
	RULE_STALE,    /* LLGR_STALE: least preferred (RFC 9494 4.3) */
	RULE_LOCAL,    /* our own (static, direct) before learned */
	RULE_LOCAL_PREF,
	RULE_PATH_LEN,
	RULE_ORIGIN,
	RULE_MED,         /* same neighbor AS, or always */
	RULE_EBGP,        /* eBGP before iBGP */
	RULE_IGP_METRIC,  /* of the next hop; paths equal up to here form the ECMP set */
	RULE_AGE,         /* oldest, eBGP only, when configured */
	RULE_ROUTER_ID,   /* ORIGINATOR_ID stands in for it (RFC 4456 9) */
	RULE_CLUSTER_LEN, /* RFC 4456 9 */
	RULE_PEER_ADDRESS,
	RULE_PATH_ID, /* two paths of one peer (ADD-PATH) */
	RULE_COUNT
};

/** Static text: "local preference", "AS path length" …: for `show route all`. */
const char *decision_rule_name(enum decision_rule r);

/** What the rules look at; filled by the table from a path. */
struct candidate {
	const struct attrs *attrs;
	bool eligible, stale, local, ebgp;
	uint32_t igp_metric;
	uint32_t neighbor_as; /* for MED: aspath_first(), or 0 for locally originated */
	uint32_t router_id;   /* ORIGINATOR_ID or the peer's id, host byte order */
	struct ip peer_addr;
	uint32_t path_id;
	/* Arrival, in any unit; may wrap: right while two arrivals are less than 2^31 units apart. */
	uint32_t since;
};

struct decision_options {
	bool always_compare_med, prefer_oldest;
};

/** < 0: @a is better, > 0: @b is, 0: RULE_NONE. @rule (may be NULL) gets the rule that decided. An absent
 * LOCAL_PREF counts as 100, an absent MED as 0 (RFC 4271 9.1.2.2 c). Antisymmetric always; transitive with
 * always_compare_med, or when all paths come from one neighbor AS. */
int decision_compare(const struct candidate *a, const struct candidate *b, const struct decision_options *o,
                     enum decision_rule *rule);
/** Whether @b may share traffic with the best path @a: equal up to and including RULE_IGP_METRIC, both
 * eligible, neither local. */
bool decision_multipath(const struct candidate *a, const struct candidate *b,
                        const struct decision_options *o);

#endif
