/* SPDX-License-Identifier: BSD-2-Clause */
/* silence.c - DOC: WireGuard peers without a handshake -> next hops.
 *
 * A WireGuard device stays up whatever becomes of the other side, so nothing in the kernel tells that what is
 * sent by it goes nowhere. When a peer is found dead, so are the gateways that lead to it: those next hops on
 * the device whose address the peer's allowed IPs or tunnel addresses match best. Next hops that come later
 * are found at the looks that follow. The next handshake revives all of them, and has peers dial at once. */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/state.h"
#include "lib/log.h"

#define KEY_BYTES 32

struct silent { /* a gateway that is marked dead */
	struct silent *next;
	struct ip gateway;
	char tunnel[IFNAMSIZ];
	uint8_t public_key[KEY_BYTES];
};

struct silences {
	struct daemon *d;
	struct silent *list;
};

static bool is_of(const struct silent *s, const struct conf_tunnel *c, size_t i)
{
	return strcmp(s->tunnel, c->name) == 0 &&
	       memcmp(s->public_key, c->peers[i].public_key, sizeof(s->public_key)) == 0;
}

static bool is_marked(const struct silences *all, const struct ip *gateway)
{
	for (const struct silent *s = all->list; s; s = s->next) {
		if (ip_equal(&s->gateway, gateway))
			return true;
	}
	return false;
}

static void mark(struct silences *all, const struct conf_tunnel *c, size_t i, const struct ip *gateway)
{
	struct silent *s = calloc(1, sizeof(*s));

	if (!s || nexthop_dead_set(rib_nexthops(all->d->rib), gateway, NH_CAUSE_TUNNEL, true) < 0) {
		free(s); /* out of memory: the next look tries again */
		return;
	}
	s->gateway = *gateway;
	snprintf(s->tunnel, sizeof(s->tunnel), "%s", c->name);
	memcpy(s->public_key, c->peers[i].public_key, sizeof(s->public_key));
	s->next = all->list;
	all->list = s;
	log_event(LOGL_WARNING, "tunnel.next_hop_dead", kv_str("tunnel", c->name), kv_ip("address", gateway));
	daemon_work(all->d);
}

static void revive(struct silences *all, struct silent **at)
{
	struct silent *s = *at;

	*at = s->next;
	(void)nexthop_dead_set(rib_nexthops(all->d->rib), &s->gateway, NH_CAUSE_TUNNEL, false);
	log_event(LOGL_WARNING, "tunnel.next_hop_alive", kv_str("tunnel", s->tunnel),
	          kv_ip("address", &s->gateway));
	daemon_work(all->d);
	free(s);
}

static void bury(struct silences *all, const struct conf_tunnel *c, size_t i)
{
	const struct nexthop_table *t = rib_nexthops(all->d->rib);
	const struct link_info *link = link_by_name(all->d->links, c->name);

	for (nexthop_id id = nexthop_next(t, 0); id && link; id = nexthop_next(t, id)) {
		const struct nexthop *nh = nexthop_at(t, id);
		const struct ip gateway = nh->gateway;

		if (nh->why == NH_OK && nh->ifindex == link->ifindex &&
		    tunnel_peer_by_gateway(c, &gateway) == i && !is_marked(all, &gateway))
			mark(all, c, i, &gateway);
	}
}

static void on_peer(void *ctx, const struct conf_tunnel *c, size_t i, bool dead)
{
	struct silences *all = ctx;

	if (dead) {
		bury(all, c, i);
		return;
	}
	for (struct silent **at = &all->list; *at;) {
		if (is_of(*at, c, i))
			revive(all, at);
		else
			at = &(*at)->next;
	}
	peers_link_event(all->d->peers, c->name, true);
}

struct silences *silences_new(struct daemon *d)
{
	struct silences *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->d = d;
	tunnels_on_peer(d->tunnels, on_peer, all);
	return all;
}

void silences_free(struct silences *all)
{
	struct silent *next;

	if (!all)
		return;
	for (struct silent *s = all->list; s; s = next) {
		next = s->next;
		free(s);
	}
	free(all);
}

void silences_apply(struct silences *all)
{
	for (struct silent **at = &all->list; *at;) {
		if (tunnels_peer_dead(all->d->tunnels, (*at)->tunnel, (*at)->public_key))
			at = &(*at)->next;
		else
			revive(all, at);
	}
}
