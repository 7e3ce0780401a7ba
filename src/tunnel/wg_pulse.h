/* SPDX-License-Identifier: BSD-2-Clause */
/* wg_pulse.h - whether a WireGuard peer is there, from its handshakes alone. Pure: both clocks are told.
 *
 * With keepalive on, two peers that reach each other make new keys every two minutes, and keys older than
 * three are good for nothing (REKEY_AFTER_TIME and REJECT_AFTER_TIME of the protocol). So a peer without a
 * handshake for that long is dead. Without keepalive silence means nothing. */
#ifndef MCBGP_TUNNEL_WG_PULSE_H
#define MCBGP_TUNNEL_WG_PULSE_H

#include <stdbool.h>
#include <stdint.h>

#define WG_REJECT_AFTER_S 180u

struct wg_pulse {
	int64_t handshake;  /* the last one, seconds since the epoch, as the kernel tells it; 0: none yet */
	uint64_t since_us;  /* monotonic: of that handshake, or when the peer was first looked at; 0: never */
	uint64_t looked_us; /* monotonic: the last look */
	bool dead;          /* as judged last */
};

/** The kernel tells @handshake at @wall_s (seconds since the epoch), @now_us (monotonic). How long ago it was
 * is asked of the wall clock only once, and never beyond the look before: that clock may be set at any time.
 */
void wg_pulse_feel(struct wg_pulse *p, int64_t handshake, int64_t wall_s, uint64_t now_us);
/** No handshake for @seconds, or none ever. */
bool wg_pulse_silent(const struct wg_pulse *p, uint32_t seconds, uint64_t now_us);
/** @keepalive, @timeout_s: in seconds, either 0: never dead. One that died lives again by a handshake, not by
 * a device that was made anew. @return whether p->dead changed. */
bool wg_pulse_judge(struct wg_pulse *p, uint16_t keepalive, uint32_t timeout_s, uint64_t now_us);
/** When it will be dead unless there is a handshake; UINT64_MAX: never, or it is already. */
uint64_t wg_pulse_dies_us(const struct wg_pulse *p, uint16_t keepalive, uint32_t timeout_s);

#endif
