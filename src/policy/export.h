/* SPDX-License-Identifier: BSD-2-Clause */
/* export.h - who may hear what, and how a route looks when it leaves: iBGP rules, well-known communities, the
 * export filter, next hop, AS_PATH, and the attributes that do not cross the border of an AS. RFC
 * 4271 5.1, 9.2; RFC 1997; RFC 4456; RFC 8212. Pure. */
#ifndef MCBGP_POLICY_EXPORT_H
#define MCBGP_POLICY_EXPORT_H

#include "bgp/nlri.h"
#include "policy/filter.h"
#include "policy/role.h"

enum export_policy { EXPORT_NONE, EXPORT_ALL, EXPORT_FILTER };

/** What peers of one export group have in common. */
struct export_params {
	enum export_policy policy;
	const struct filter *filter; /* EXPORT_FILTER; borrowed */
	bool ibgp, rr_client;
	bool long_lived; /* the peer knows what LLGR_STALE means (RFC 9494) */
	bool next_hop_self, next_hop_keep;
	bool remove_private_as, graceful_shutdown;
	uint32_t local_as, router_id, cluster_id;
	uint32_t override_as; /* replaced by local_as in AS_PATH; 0: none */
	struct peer_role role;
	struct ip self[FAM_COUNT]; /* next hop self for routes of that family; IP_NONE: there is none */
	struct ip link_local; /* goes with an IPv6 self to a peer on the same link (RFC 2545 3); IP_NONE: none
	                       */
	uint32_t link;        /* index of the link that the peer is directly on; 0: it is farther away */
	uint32_t ext_next_hop; /* FAM_BIT()s that may have an IPv6 next hop (RFC 8950) */
};

/** Where the route comes from. */
struct export_source {
	const char *peer, *group;
	enum route_source source;
	bool ibgp, rr_client;
	uint32_t router_id;
	uint32_t link; /* index of the link that the route's next hop is directly on; 0: it is farther away */
};

/** @e has been begun with the attributes of the best path; it holds those to be sent when the answer is NULL.
 * Otherwise the reason in words why the route is not announced (static text). @term (may be NULL): the one of
 * the export filter that decided, from 0; -1: none of them did, or it was not asked. */
const char *export_route(const struct export_params *x, const struct export_source *s,
                         const struct prefix *prefix, struct attrs_edit *e, int *term);

#endif
