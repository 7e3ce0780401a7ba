/* SPDX-License-Identifier: BSD-2-Clause */
/* wg.h - one WireGuard device, brought to what the configuration says and kept there: key, port, mark, peers,
 * endpoints by name, and the allowed IPs, which may follow BGP.
 *
 * The kernel has no events for any of it; wg asks to be mended every few seconds to see for itself, and tells
 * which peers are there by their handshakes (wg_pulse.h). */
#ifndef MCBGP_TUNNEL_WG_H
#define MCBGP_TUNNEL_WG_H

#include "config/conf.h"
#include "io/loop.h"
#include "tunnel/tunnel.h"

struct wg;
struct wg_owner {
	void (*again)(void *ctx, struct wg *w); /* call wg_mend() soon */
	/** Peer @i of the configuration is dead, told at each look, or alive again, told once. */
	void (*peer)(void *ctx, struct wg *w, size_t i, bool dead);
};
/** @owner must outlive it. NULL: out of memory. */
struct wg *wg_new(struct loop *l, const struct wg_owner *owner, void *ctx);
void wg_free(struct wg *w); /* NULL is fine */
/** What is wanted from now on; @c must stay valid until the next call or wg_free(). @return 0 or -ENOMEM. */
int wg_configure(struct wg *w, const struct conf_tunnel *c);
/** Look at the device and write what differs. @keep: allowed IPs of peers that follow BGP which we know
 * nothing of (yet) stay.
 *  @changed: the first thing that differed from what was wanted, by its setting; untouched when none did.
 *  @return NULL, or what is wrong and how to mend it (borrowed until the next call). */
const char *wg_mend(struct wg *w, uint32_t ifindex, bool keep, const char **changed);
/** Where peer @i of the configuration is, as far as known; IP_NONE otherwise. */
struct ip wg_endpoint(const struct wg *w, size_t i);
bool wg_is_dead(const struct wg *w, const uint8_t public_key[32]); /* false: or no peer at all */
/** Does any peer follow BGP? */
bool wg_follows(const struct wg *w);
/** The route to @p leads by @gateways, best first; none: there is no route any more. The kernel is told in
 * batches, within milliseconds. */
void wg_route(struct wg *w, const struct prefix *p, const struct ip *gateways, size_t n);
/** For tunnel_view: looks at the device. */
void wg_view(struct wg *w, struct tunnel_view *out);

#endif
