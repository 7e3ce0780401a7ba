/* SPDX-License-Identifier: BSD-2-Clause */
/* diff.h - old snapshot x new snapshot -> what to add, change, remove. Compares parsed values, never text.
 * Pure. */
#ifndef MCBGP_CONFIG_DIFF_H
#define MCBGP_CONFIG_DIFF_H

#include "config/schema.h"

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
/** Does the setting @o of two structs that its section describes mean the same? */
bool diff_setting_same(const struct option *o, const void *a, const void *b);
bool diff_tunnel_same(const struct conf_tunnel *a, const struct conf_tunnel *b);
bool diff_static_same(const struct conf_static *a, const struct conf_static *b);
bool diff_router_identity_same(const struct conf *a,
                               const struct conf *b); /* id and AS: otherwise every session is reset */

/** What a reload does to a tunnel's link, in order of what it costs. */
enum link_fate {
	LINK_KEPT,     /* not touched */
	LINK_CHANGED,  /* in place: nothing is interrupted */
	LINK_REPLACED, /* by a new one: what goes through it stops for a moment */
	LINK_CREATED,
	LINK_REMOVED,
};
/** @setting differs, which alone would cost @fate: LINK_KEPT, LINK_CHANGED or LINK_REPLACED. */
typedef void (*diff_link_fn)(void *ctx, const char *setting, enum link_fate fate);
/** A tunnel's entries of one name in two snapshots; NULL: it is not there. @fn gets each setting that differs
 * when it is in both; NULL: not told.
 *  @return what becomes of the link; never created or removed when the tunnel is in both. */
enum link_fate diff_tunnel(const struct conf_tunnel *old, const struct conf_tunnel *new, diff_link_fn fn,
                           void *ctx);
/** What the differences between two structs of @s cost: a mask of 1 << enum option_effect. */
unsigned diff_effects(const struct section *s, const void *a, const void *b);

#endif
