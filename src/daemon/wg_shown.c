/* SPDX-License-Identifier: BSD-2-Clause */
/* wg_shown.c - the WireGuard part of a tunnel, as the control socket shows it: public keys as text,
 * handshakes by our clock. */
#include "daemon/wg_shown.h"

#include <stdlib.h>
#include <time.h>

#include "tunnel/key.h"

#define US_PER_S INT64_C(1000000)

struct key_text {
	char text[KEY_STRLEN];
};

struct wg_shown {
	struct key_text own, *keys;
	struct ctl_wg_peer *peers;
};

void wg_shown_free(struct wg_shown *w)
{
	if (!w)
		return;
	free(w->keys);
	free(w->peers);
	free(w);
}

/** The kernel tells handshakes by the wall clock, in seconds. 0: never. */
static uint64_t monotonic_us(int64_t wall_s, uint64_t now_us)
{
	int64_t ago_us = (time(NULL) - wall_s) * US_PER_S;

	if (wall_s == 0)
		return 0;
	if (ago_us <= 0)
		return now_us;
	return (uint64_t)ago_us < now_us ? now_us - (uint64_t)ago_us
	                                 : 1; /* before the machine was started? */
}

static void show_peer(const struct tunnel_wg_peer *p, uint64_t now_us, struct key_text *key,
                      struct ctl_wg_peer *out)
{
	*out = (struct ctl_wg_peer){
		.public_key = key_print(p->public_key, key->text),
		.endpoint = p->endpoint,
		.endpoint_port = p->endpoint_port,
		.handshake_us = monotonic_us(p->last_handshake, now_us),
		.dead = p->dead,
		.rx_bytes = p->rx_bytes,
		.tx_bytes = p->tx_bytes,
		.n_allowed = p->n_allowed,
	};
}

struct wg_shown *wg_shown_new(const struct tunnel_view *v, uint64_t now_us, struct ctl_tunnel *out)
{
	struct wg_shown *w;

	if (v->conf->type != TUNNEL_WIREGUARD)
		return NULL;
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->keys = calloc(v->n_wg_peers + 1, sizeof(*w->keys));
	w->peers = calloc(v->n_wg_peers + 1, sizeof(*w->peers));
	if (!w->keys || !w->peers) {
		wg_shown_free(w);
		return NULL;
	}
	for (size_t i = 0; i < v->n_wg_peers; i++)
		show_peer(&v->wg_peers[i], now_us, &w->keys[i], &w->peers[i]);
	out->public_key = key_print(v->public_key, w->own.text);
	out->listen_port = v->conf->listen_port;
	out->wg_peers = w->peers;
	out->n_wg_peers = v->n_wg_peers;
	return w;
}
