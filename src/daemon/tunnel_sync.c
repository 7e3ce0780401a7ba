/* SPDX-License-Identifier: BSD-2-Clause */
/* tunnel_sync.c - the table's changes -> the allowed IPs of WireGuard peers that follow BGP. */
#include "daemon/state.h"

#define HOPS_MAX 256

static void on_change(void *ctx, const struct rib_change *c)
{
	struct daemon *d = ctx;
	struct ip gateways[HOPS_MAX];
	size_t n = 0;

	if (!tunnels_follow(d->tunnels))
		return;
	for (size_t i = 0; c->best && c->kind == RIB_UNICAST && i < c->n_hops && n < HOPS_MAX; i++) {
		if (c->hops[i].gateway.family != IP_NONE)
			gateways[n++] = c->hops[i].gateway;
	}
	tunnels_route(d->tunnels, &c->prefix, gateways, n);
}

void tunnel_sync_open(struct daemon *d)
{
	rib_subscribe(d->rib, &(struct rib_subscriber){ .change = on_change, .ctx = d });
}
