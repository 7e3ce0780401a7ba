/* SPDX-License-Identifier: BSD-2-Clause */
/* render_json_host.c - tunnels, links, memory in JSON. */
#include <stdio.h>
#include <string.h>

#include "ctl/json_value.h"

static void set_addresses(struct render *r, json_t *o, const struct ctl_address *a, size_t n)
{
	json_t *list = json_set_array(r, o, "addresses");
	char text[IP_STRLEN + 4];

	for (size_t i = 0; i < n; i++) {
		ip_print(&a[i].address, text);
		snprintf(text + strlen(text), 5, "/%u", a[i].len);
		json_add_str(r, list, text);
	}
}

static void set_wireguard(struct render *r, json_t *parent, const struct ctl_tunnel *t)
{
	json_t *peers;

	json_set_str(r, parent, "public_key", t->public_key);
	if (t->listen_port)
		json_set_int(r, parent, "listen_port", t->listen_port);
	if (!t->n_wg_peers)
		return;
	peers = json_set_array(r, parent, "peers");
	for (size_t i = 0; i < t->n_wg_peers; i++) {
		const struct ctl_wg_peer *p = &t->wg_peers[i];
		json_t *o = json_object();

		json_set_str(r, o, "public_key", p->public_key);
		json_set_ip(r, o, "endpoint", &p->endpoint);
		json_set_int(r, o, "endpoint_port", p->endpoint_port);
		json_set_time(r, o, "handshake", p->handshake_us);
		json_set_bool(r, o, "dead", p->dead);
		json_set_int(r, o, "rx_bytes", p->rx_bytes);
		json_set_int(r, o, "tx_bytes", p->tx_bytes);
		json_set_int(r, o, "allowed_ips", p->n_allowed);
		json_mem(r, json_array_append_new(peers, o));
	}
}

void json_tunnel(struct render *r, const struct ctl_tunnel *t, bool all)
{
	json_t *o = json_object(), *remotes;
	char text[IP_STRLEN];

	(void)all; /* JSON has the details always */
	json_set_str(r, o, "name", t->name);
	json_set_str(r, o, "type", t->type);
	json_set_str(r, o, "state", render_tunnel_state(t));
	json_set_str(r, o, "error", t->error);
	json_set_time(r, o, "since", t->since_us);
	json_set_ip(r, o, "local", &t->local);
	json_set_ip(r, o, "remote", &t->remote);
	remotes = json_set_array(r, o, "remotes");
	for (size_t i = 0; i < t->n_remotes; i++)
		json_add_str(r, remotes, ip_print(&t->remotes[i], text));
	if (t->vni)
		json_set_int(r, o, "vni", t->vni);
	if (t->port)
		json_set_int(r, o, "port", t->port);
	json_set_int(r, o, "mtu", t->mtu);
	json_set_int(r, o, "ifindex", t->ifindex);
	json_set_int(r, o, "rx_bytes", t->rx_bytes);
	json_set_int(r, o, "tx_bytes", t->tx_bytes);
	json_set_int(r, o, "rx_packets", t->rx_packets);
	json_set_int(r, o, "tx_packets", t->tx_packets);
	set_addresses(r, o, t->addresses, t->n_addresses);
	set_wireguard(r, o, t);
	json_emit(r, o);
}

void json_interface(struct render *r, const struct ctl_interface *i)
{
	json_t *o = json_object();

	json_set_str(r, o, "name", i->name);
	json_set_str(r, o, "kind", i->kind);
	json_set_int(r, o, "ifindex", i->ifindex);
	json_set_int(r, o, "mtu", i->mtu);
	json_set_bool(r, o, "up", i->up);
	json_set_bool(r, o, "admin_up", i->admin_up);
	json_set_bool(r, o, "ours", i->ours);
	set_addresses(r, o, i->addresses, i->n_addresses);
	json_emit(r, o);
}

void json_memory(struct render *r, const char *what, size_t bytes, size_t count)
{
	json_t *o = json_object();

	json_set_str(r, o, "what", what);
	json_set_int(r, o, "bytes", bytes);
	json_set_int(r, o, "objects", count);
	json_emit(r, o);
}

void json_neighbor(struct render *r, const struct ctl_neighbor *n)
{
	json_t *o = json_object();
	char address[LLADDR_STRLEN];

	json_set_ip(r, o, "next_hop", &n->next_hop);
	json_set_ip(r, o, "neighbor", &n->gateway);
	if (n->ifindex)
		json_set_str(r, o, "interface", r->backend->ifname(r->backend->ctx, n->ifindex));
	json_set_str(r, o, "state", n->state);
	json_set_str(r, o, "address", render_lladdr(n, address));
	json_set_bool(r, o, "dead", n->dead);
	json_emit(r, o);
}
