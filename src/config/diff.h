/* SPDX-License-Identifier: BSD-2-Clause */
/* diff.h - old snapshot x new snapshot -> what to add, change, remove. Compares parsed values, never text.
 * Pure. */
#ifndef MCBGP_CONFIG_DIFF_H
#define MCBGP_CONFIG_DIFF_H

#include "config/conf.h"

enum peer_change {
	PEER_SAME,
	PEER_POLICY,  /* import or export meaning changed: routes are evaluated again, no reset */
	PEER_RUNTIME, /* takes effect without touching session or routes: description, limits, timers used at
	                 the next session */
	PEER_RESET,   /* what was negotiated or the transport changed */
};

/** What differs between two entries of the same name: a mask of 1 << enum peer_change. PEER_POLICY and
 * PEER_RUNTIME may both be needed; 1 << PEER_SAME stands alone: nothing differs. */
unsigned diff_peer(const struct conf_peer *old, const struct conf_peer *new, const struct conf *old_conf,
                   const struct conf *new_conf);
bool diff_policy_same(const struct conf_policy *a, const struct conf_policy *b);
bool diff_tunnel_same(const struct conf_tunnel *a, const struct conf_tunnel *b);
bool diff_static_same(const struct conf_static *a, const struct conf_static *b);
bool diff_router_identity_same(const struct conf *a,
                               const struct conf *b); /* id and AS: otherwise every session is reset */

#endif
