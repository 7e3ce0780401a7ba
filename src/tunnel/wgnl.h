/* SPDX-License-Identifier: BSD-2-Clause */
/* wgnl.h - what the kernel's WireGuard says and is told, over generic netlink (linux/wireguard.h).
 *
 * Only messages: what is right for a device is decided in wg.c. Keys pass through, and every buffer that held
 * one is wiped. */
#ifndef MCBGP_TUNNEL_WGNL_H
#define MCBGP_TUNNEL_WGNL_H

#include "lib/prefix.h"
#include "tunnel/key.h"

struct wgnl_endpoint {
	struct ip address; /* IP_NONE: none known */
	uint16_t port;
};

struct wgnl_peer {
	uint8_t public_key[KEY_BYTES];
	uint8_t preshared_key[KEY_BYTES]; /* zeros: none */
	struct wgnl_endpoint endpoint;
	uint16_t keepalive;     /* seconds; 0: none */
	int64_t last_handshake; /* seconds since the epoch; 0: never */
	uint64_t rx_bytes, tx_bytes;
	struct prefix *allowed;
	size_t n_allowed, room_allowed;
};

struct wgnl_device {
	uint8_t public_key[KEY_BYTES]; /* zeros: the device has no private key */
	uint16_t listen_port;
	uint32_t fwmark;
	struct wgnl_peer *peers;
	size_t n_peers;
};

struct wgnl;
/** @return 0, -ENOENT: the kernel has no WireGuard (or has not loaded it), or -errno. */
int wgnl_open(struct wgnl **out);
void wgnl_close(struct wgnl *n); /* NULL is fine */

/** The device as it is. @return 0 or -errno; @out is to be released either way. */
int wgnl_get(struct wgnl *n, uint32_t ifindex, struct wgnl_device *out);
void wgnl_device_fini(struct wgnl_device *d);

/* -- telling ------------------------------------------------------------------------------------
 * wgnl_begin(), the device's own parameters, then peer by peer its parameters and allowed IPs, wgnl_end().
 * A message that is full is sent and continued in another one, so there is no limit; errors stick until
 * wgnl_end(). */
void wgnl_begin(struct wgnl *n, uint32_t ifindex);
void wgnl_put_private_key(struct wgnl *n, const uint8_t key[KEY_BYTES]);
void wgnl_put_listen_port(struct wgnl *n, uint16_t port);
void wgnl_put_fwmark(struct wgnl *n, uint32_t mark);
/** The peer that follows; made when the kernel does not have it. */
void wgnl_put_peer(struct wgnl *n, const uint8_t public_key[KEY_BYTES]);
void wgnl_put_peer_removed(struct wgnl *n, const uint8_t public_key[KEY_BYTES]); /* with its allowed IPs */
void wgnl_put_preshared_key(struct wgnl *n, const uint8_t key[KEY_BYTES]);
void wgnl_put_endpoint(struct wgnl *n, const struct wgnl_endpoint *e);
void wgnl_put_keepalive(struct wgnl *n, uint16_t seconds);
/** Of the last peer put; taken away from another peer that has it. */
void wgnl_put_allowed(struct wgnl *n, const struct prefix *p);
int wgnl_end(struct wgnl *n);     /* 0 or -errno: the first thing the kernel refused */
void wgnl_cancel(struct wgnl *n); /* instead of wgnl_end(): what was not sent yet is not */

#endif
