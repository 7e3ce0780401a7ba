/* SPDX-License-Identifier: BSD-2-Clause */
/* serve_priv.h - what serve.c and serve_protocols.c share; nobody else includes it. */
#ifndef MCBGP_DAEMON_SERVE_PRIV_H
#define MCBGP_DAEMON_SERVE_PRIV_H

#include "ctl/backend.h"
#include "daemon/state.h"
#include "io/md5_drops.h"
#include "netlink/neigh.h"

struct serve {
	struct ctl_backend backend;
	char hostname[256];
	struct ctl_address *addresses; /* of the link or tunnel being shown */
	struct wg_shown *wg;           /* of the tunnel being shown */
	size_t n_addresses;
	struct neigh *neigh;                      /* NULL before the first question */
	struct neigh_entry entry;                 /* of the neighbor being shown */
	char refusal[128];                        /* of the route being shown */
	struct md5_drops dropped_before, dropped; /* at the start, and dropped_at */
	uint64_t dropped_at;
};

/* serve_protocols.c, for struct ctl_backend; @ctx: the daemon */
void serve_protocols(void *ctx, ctl_proto_fn fn, void *arg);
bool serve_protocol(void *ctx, const char *name, ctl_proto_fn fn, void *arg);
enum ctl_outcome serve_act(void *ctx, enum ctl_action a, const char *name, const char *text);

#endif
