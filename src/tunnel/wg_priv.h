/* SPDX-License-Identifier: BSD-2-Clause */
/* wg_priv.h - a WireGuard device from inside: wg.c and wg_allowed.c only. */
#ifndef MCBGP_TUNNEL_WG_PRIV_H
#define MCBGP_TUNNEL_WG_PRIV_H

#include <bsd/sys/queue.h>

#include "lib/ptree.h"
#include "tunnel/resolve.h"
#include "tunnel/wg.h"
#include "tunnel/wg_pulse.h"
#include "tunnel/wgnl.h"

struct wg_peer { /* one of the configuration's */
	struct wg *wg;
	uint8_t public_key[KEY_BYTES];
	char host[256];                /* of the endpoint; "": none given */
	bool named;                    /* host is a name */
	bool moved;                    /* the endpoint is not what the kernel was told last */
	bool unresolved;               /* told once */
	struct wgnl_endpoint endpoint; /* address: IP_NONE until the name is resolved */
	struct resolve *question;      /* running, or NULL */
	uint64_t asked_us;
	struct wg_pulse pulse;
};

#define WG_NOBODY SIZE_MAX

/** A BGP route by a peer that follows BGP. */
struct wg_route {
	struct ptree_node node;      /* wg.routes; wg owns it */
	TAILQ_ENTRY(wg_route) dirty; /* wg.dirty */
	bool is_dirty;               /* the kernel was not told yet */
	struct ip gateway;           /* IP_NONE: gone */
	size_t peer;                 /* whose gateway it is; WG_NOBODY */
};

struct wg {
	struct loop *loop;
	const struct wg_owner *owner;
	void *ctx;
	const struct conf_tunnel *conf;
	struct wg_peer **peers; /* as in conf->peers */
	size_t n_peers;
	uint32_t ifindex; /* of the device once it is right; 0: not yet */
	struct wgnl *nl;  /* NULL until first needed: making a device loads the kernel's module */
	struct loop_timer *audit, *flush;
	size_t n_allowed; /* allowed IPs in the kernel at the last look */
	struct ptree routes;
	TAILQ_HEAD(, wg_route) dirty;
	bool flushing;          /* the timer runs */
	uint8_t bin[KEY_BYTES]; /* a peer that never is: takes allowed IPs over, and goes with them */
	struct tunnel_wg_peer *seen;
	char error[256];
};

/* -- wg_allowed.c ------------------------------------------------------------------------------------ */
/** Puts the difference between the allowed IPs that @have has and the wanted ones. @return NULL or an error.
 */
const char *wg_put_allowed(struct wg *w, const struct wgnl_device *have, bool keep, const char **changed);
void wg_flush(void *wg);            /* tell the kernel what is dirty */
void wg_routes_told(struct wg *w);  /* the kernel has everything */
void wg_routes_match(struct wg *w); /* new peers: whose is each route? */
void wg_routes_free(struct wg *w);

#endif
