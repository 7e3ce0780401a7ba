/* SPDX-License-Identifier: BSD-2-Clause */
/* tunnel.h - desired tunnels -> links of the kernel: created, addressed, brought up, adopted, changed in
 * place where that is possible, replaced where not (said in the log before), removed when the configuration
 * no longer has them.
 *
 * Ours are known by their alias (IFLA_IFALIAS "mcbgpd"); a foreign link of a wanted name is a named error and
 * never touched. */
#ifndef MCBGP_TUNNEL_TUNNEL_H
#define MCBGP_TUNNEL_TUNNEL_H

#include <net/if.h>

#include "config/conf.h"
#include "io/loop.h"

#define TUNNEL_ALIAS "mcbgpd"

enum tunnel_state { TUNNEL_DOWN, TUNNEL_UP, TUNNEL_ERROR };

/** What the kernel says of a link, told by who watches links. */
struct tunnel_link {
	uint32_t ifindex;
	const char *name, *kind, *alias;
	uint32_t mtu;
	bool up, admin_up;
};

struct tunnel_wg_peer {
	uint8_t public_key[32];
	struct ip endpoint; /* as the kernel has it now; IP_NONE: not known */
	uint16_t endpoint_port;
	int64_t last_handshake; /* seconds since the epoch; 0: never */
	bool dead;              /* no handshake for too long, though keepalive is on */
	uint64_t rx_bytes, tx_bytes;
	size_t n_allowed; /* allowed IPs */
};

struct tunnel_view { /* for `show tunnels`; strings borrowed until the next call into the module */
	const struct conf_tunnel *conf;
	enum tunnel_state state;
	const char *error; /* NULL when none: cause and mend in words */
	uint32_t ifindex, mtu;
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
	uint64_t since_us;
	uint8_t public_key[32];                /* WireGuard: our own; zeros: none yet */
	const struct tunnel_wg_peer *wg_peers; /* as configured */
	size_t n_wg_peers;
};

struct tunnels;
/** @sysctl_set: writes one value ("net.ipv4.conf.wg0.rp_filter", 0) unless it is there already; @return 1
 * written, 0 nothing to do, -errno.
 *  @return 0 or -errno. */
int tunnels_new(struct loop *l, int (*sysctl_set)(const char *name, int value), struct tunnels **out);
/** Ordered end: links with `persist` stay, the others are removed. */
void tunnels_free(struct tunnels *t, bool remove_transient);
/** Make the wanted set that of @c: creates, changes, adopts, removes. @c must stay valid until the next apply
 * or free. @host: rp_filter of the links it makes.
 *  @return the number of tunnels in TUNNEL_ERROR; each is logged, and tried again when a link event may have
 * mended it. */
size_t tunnels_apply(struct tunnels *t, const struct conf_tunnel *wanted, size_t n,
                     const struct conf_host *host);
void tunnels_link_set(struct tunnels *t, const struct tunnel_link *l);
void tunnels_link_del(struct tunnels *t, uint32_t ifindex, const char *name);
/** An address of a link of ours was removed by somebody: put it back. */
void tunnels_address_del(struct tunnels *t, uint32_t ifindex, const struct ip *a, uint8_t len);
/** An address came up on a link: what somebody added to one of ours goes again. */
void tunnels_address_set(struct tunnels *t, uint32_t ifindex, const struct ip *a, uint8_t len);
/** Where the VXLAN @ifindex floods was changed, or its rp_filter. */
void tunnels_touched(struct tunnels *t, uint32_t ifindex);
/** A policy rule of @protocol is gone; if it was one of ours, it is put back. */
void tunnels_rule_del(struct tunnels *t, uint8_t protocol);
/** Any event may be missing: look at everything. */
void tunnels_events_lost(struct tunnels *t);
/** The route to a tunnel's remote end may have changed: compute MTUs again. */
void tunnels_underlay_changed(struct tunnels *t);
/** Does any tunnel follow BGP (allowed_ips "bgp")? Only then tunnels_route() is of interest. */
bool tunnels_follow(const struct tunnels *t);
/** The table's route to @p leads by @gateways, best first; none: there is no route any more. */
void tunnels_route(struct tunnels *t, const struct prefix *p, const struct ip *gateways, size_t n);
/** All peers have told their routes: what a previous run let through beyond them goes. */
void tunnels_adopt_end(struct tunnels *t);
/** @fn is told when a WireGuard peer is found dead, again at every look while it is, and once when it lives
 * again. @i: of the peer in @c. */
typedef void (*tunnel_peer_fn)(void *ctx, const struct conf_tunnel *c, size_t i, bool dead);
void tunnels_on_peer(struct tunnels *t, tunnel_peer_fn fn, void *ctx);
/** Is there such a peer, and is it dead? */
bool tunnels_peer_dead(const struct tunnels *t, const char *tunnel, const uint8_t public_key[32]);
/** Which peer of a WireGuard tunnel is sent what is sent by the gateway @a: the longest match among the
 * allowed IPs and tunnel addresses of the configuration. @return its number, c->n_peers: none. */
size_t tunnel_peer_by_gateway(const struct conf_tunnel *c, const struct ip *a);
size_t tunnels_count(const struct tunnels *t);
void tunnels_view(struct tunnels *t, size_t i, struct tunnel_view *out); /* reads counters of the link */

#endif
