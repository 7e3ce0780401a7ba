/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: tunnels and static routes: what the settings must be to each other.
 *
 * The settings themselves are read by the table. What the kernel would refuse when the link is made (a second
 * VXLAN with the same VNI on the same port, an IPv6 address on a link too narrow for IPv6) is refused here,
 * where there is a line to name; so is what another type of tunnel has and this one would ignore. */
#include "config/loader.h"

#include <sodium.h>

#define IPV6_MIN_MTU 1280 /* RFC 8200 5 */
#define KEY_TEXT     44   /* base64 of 32 bytes */

static bool is_host(const struct ip *a)
{
	return !ip_is_zero(a) && !ip_is_multicast(a);
}

/* ---- settings of their own -------------------------------------------------------------------------- */

void read_wg_key(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	const char *text = read_text(l, s, o);
	uint8_t *key = option_field(o, base);
	size_t len = 0;

	if (!text)
		return;
	if (strlen(text) != KEY_TEXT ||
	    sodium_base642bin(key, o->size, text, KEY_TEXT, NULL, &len, NULL,
	                      sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    len != o->size)
		report_wrong_value(l, s, o, "is no key");
}

static bool is_name(const char *host)
{
	return strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") ==
	               strlen(host) &&
	       strspn(host, "0123456789.") < strlen(host);
}

void read_endpoint(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	const char *text = read_text(l, s, o);
	struct ip address;
	char host[256];
	uint16_t port;

	if (!text)
		return;
	if (!conf_split_endpoint(text, host, sizeof(host), &port) ||
	    (ip_parse(host, &address) ? !is_host(&address) : !is_name(host)))
		report_wrong_value(l, s, o, "is no host with a port");
	else
		set_string(l, o, base, text);
}

void read_allowed_ips(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	struct prefix *array = load_array(l, s, o, base, sizeof(*array));
	struct conf_wg_peer *p = base;
	size_t n = 0;

	for (size_t i = 0; array && has_item(l, s, i); i++) {
		config_setting_t *m = item(s, i);

		if (config_setting_type(m) == CONFIG_TYPE_STRING &&
		    strcmp(config_setting_get_string(m), "bgp") == 0)
			p->allowed_bgp = true;
		else if (prefix_of(l, m, o, &array[n]))
			n++;
	}
	p->n_allowed_ips = n;
}

void read_gre_key(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	struct conf_tunnel *t = base;
	struct option in = *o;

	in.offset = offsetof(struct conf_tunnel, ikey);
	read_int(l, s, &in, base);
	t->okey = t->ikey;
	t->ikey_set = t->okey_set = true;
}

/* ---- tunnels of any type ---------------------------------------------------------------------------- */

#define VXLAN     (1u << TUNNEL_VXLAN)
#define WIREGUARD (1u << TUNNEL_WIREGUARD)
#define GRE       (1u << TUNNEL_GRE)

static const struct {
	const char *setting;
	unsigned types;
	const char *words;
} belongs[] = {
	{ "local", VXLAN | GRE, "vxlan and gre" },
	{ "remote", VXLAN | GRE, "vxlan and gre" },
	{ "ttl", VXLAN | GRE, "vxlan and gre" },
	{ "tos", VXLAN | GRE, "vxlan and gre" },
	{ "remotes", VXLAN, "vxlan" },
	{ "vni", VXLAN, "vxlan" },
	{ "port", VXLAN, "vxlan" },
	{ "learning", VXLAN, "vxlan" },
	{ "key", GRE, "gre" },
	{ "ikey", GRE, "gre" },
	{ "okey", GRE, "gre" },
	{ "pmtudisc", GRE, "gre" },
	{ "fwmark", WIREGUARD | GRE, "wireguard and gre" },
	{ "rule_table", WIREGUARD | GRE, "wireguard and gre" },
	{ "private_key_file", WIREGUARD, "wireguard" },
	{ "listen_port", WIREGUARD, "wireguard" },
	{ "handshake_timeout", WIREGUARD, "wireguard" },
	{ "peers", WIREGUARD, "wireguard" },
};

static void check_belongs(struct loader *l, const config_setting_t *s, const struct conf_tunnel *t)
{
	for (size_t i = 0; i < sizeof(belongs) / sizeof(belongs[0]); i++) {
		if (!(belongs[i].types & 1u << t->type) && config_setting_get_member(s, belongs[i].setting))
			report_setting(&l->report, s, belongs[i].setting,
			               "is for tunnels of type %s: take it away", belongs[i].words);
	}
}

static void check_ends(struct loader *l, const config_setting_t *s, const struct conf_tunnel *t)
{
	const struct ip *local = &t->local, *remote = &t->remote;

	if (!config_setting_get_member(s, "remote") &&
	    (t->type != TUNNEL_VXLAN || !config_setting_get_member(s, "remotes")))
		report_setting(&l->report, s, "remote",
		               "is missing: needs the other end's address, such as \"192.0.2.1\"");
	if (remote->family && !is_host(remote))
		report_setting(&l->report, s, "remote",
		               "can be nobody's address: needs that of the other end");
	if (local->family && !is_host(local))
		report_setting(&l->report, s, "local",
		               "can be nobody's address: needs one of this host, or leave it out");
	if (!local->family || !remote->family)
		return;
	if (local->family != remote->family)
		report_setting(&l->report, s, "remote",
		               "is of another address family than local: both IPv4, or both IPv6");
	else if (ip_equal(local, remote))
		report_setting(&l->report, s, "remote", "is the same as local: needs that of the other end");
}

static bool has_ipv6(const struct conf_tunnel *t)
{
	for (size_t i = 0; i < t->n_addresses; i++) {
		if (t->addresses[i].address.family == IP_V6)
			return true;
	}
	return false;
}

static void check_link(struct loader *l, const config_setting_t *s, const struct conf_tunnel *t)
{
	if (t->mtu && t->mtu < IPV6_MIN_MTU && has_ipv6(t))
		report_setting(&l->report, s, "mtu",
		               "%u is too small for the IPv6 addresses: 0 (computed) or %d to 65535 bytes",
		               t->mtu, IPV6_MIN_MTU);
	if (t->name && t->interface && strcmp(t->name, t->interface) == 0)
		report_setting(&l->report, s, "interface", "is the tunnel itself: needs the underlay device");
	if (t->rule_table && !t->fwmark)
		report_setting(&l->report, s, "rule_table",
		               "needs fwmark too: it is the marked packets that are routed by it");
}

/* ---- one of several ---------------------------------------------------------------------------------- */

/* What the kernel tells VXLANs apart by. */
struct vxlan_key {
	uint32_t vni;
	uint16_t port;
	uint16_t family;
};

/* ... and GREs */
struct gre_key {
	struct ip local, remote;
	uint32_t ikey;
	bool ikey_set; /* a key of 0 is not the same as none */
};

struct tunnel_keys {
	struct seen *names, *vxlans, *gres, *ports;
};

static void check_vxlan(struct loader *l, config_setting_t *s, const struct conf_tunnel *t,
                        struct tunnel_keys *keys)
{
	struct vxlan_key key = { t->vni, t->port, t->n_remotes ? t->remotes[0].family : t->remote.family };
	config_setting_t *remotes = config_setting_get_member(s, "remotes");
	const struct ip *one = t->local.family ? &t->local : t->remote.family ? &t->remote : t->remotes;
	const config_setting_t *first;

	check_ends(l, s, t);
	for (size_t i = 0; i < t->n_remotes; i++) {
		const struct ip *a = &t->remotes[i];

		if (a->family && !is_host(a))
			report_setting(&l->report, item(remotes, i), NULL,
			               "can be nobody's address: needs that of an other end");
		else if (a->family && a->family != one->family)
			report_setting(&l->report, item(remotes, i), NULL,
			               "is of another address family: all ends IPv4, or all IPv6");
	}
	if (!config_setting_get_member(s, "vni"))
		report_setting(&l->report, s, "vni", "is missing: needs an integer, 1 to 16777215");
	first = key.vni ? seen_add(&keys->vxlans, &key, sizeof(key), s, &l->report) : NULL;
	if (first)
		report_setting(&l->report, s, "vni",
		               "%u on port %u is that of the tunnel in line %u: the kernel needs another vni "
		               "or port",
		               t->vni, t->port, config_setting_source_line(first));
}

static void check_gre(struct loader *l, const config_setting_t *s, const struct conf_tunnel *t,
                      struct tunnel_keys *keys)
{
	struct gre_key key;
	const config_setting_t *first;

	check_ends(l, s, t);
	memset(&key, 0, sizeof(key)); /* compared byte by byte */
	key.local = t->local;
	key.remote = t->remote;
	key.ikey = t->ikey;
	key.ikey_set = t->ikey_set;
	first = t->remote.family ? seen_add(&keys->gres, &key, sizeof(key), s, &l->report) : NULL;
	if (first)
		report_setting(&l->report, s, "remote",
		               "and local are those of the tunnel in line %u: the kernel needs another key",
		               config_setting_source_line(first));
}

/* ---- WireGuard --------------------------------------------------------------------------------------- */

/* The only peer of a tunnel that follows BGP is whatever next hop lies in the tunnel's networks. */
static void default_tunnel_address(struct loader *l, const struct conf_tunnel *t, struct conf_wg_peer *p)
{
	p->tunnel_address = load_alloc(l, t->n_addresses, sizeof(*p->tunnel_address));
	for (size_t i = 0; p->tunnel_address && i < t->n_addresses; i++) {
		const struct conf_address *a = &t->addresses[i];

		if (a->address.family)
			p->tunnel_address[p->n_tunnel_address++] = prefix_make(&a->address, a->len);
	}
}

static void check_wg_peer(struct loader *l, const config_setting_t *s, const struct conf_tunnel *t,
                          struct conf_wg_peer *p)
{
	if (!p->allowed_bgp && config_setting_get_member(s, "tunnel_address"))
		report_setting(&l->report, s, "tunnel_address",
		               "is for allowed_ips = \"bgp\": take it away, or add \"bgp\"");
	if (!p->allowed_bgp || p->n_tunnel_address)
		return;
	if (t->n_peers == 1)
		default_tunnel_address(l, t, p);
	else
		report_setting(&l->report, s, "tunnel_address",
		               "is missing: with several peers, \"bgp\" needs the address by which routes "
		               "lead to this one, such as \"172.16.234.2\"");
}

/* No two peers may have the same key, nor the same allowed IPs: the kernel would give them to the last. */
static void check_wg_unique(struct loader *l, const config_setting_t *s, const struct conf_wg_peer *p,
                            struct seen **public_keys, struct seen **allowed)
{
	const config_setting_t *first = NULL;
	char text[PREFIX_STRLEN];

	if (config_setting_get_member(s, "public_key"))
		first = seen_add(public_keys, p->public_key, sizeof(p->public_key), s, &l->report);
	if (first)
		report_taken(l, s, "public_key", first);
	for (size_t i = 0; i < p->n_allowed_ips; i++) {
		first = seen_add(allowed, &p->allowed_ips[i], sizeof(p->allowed_ips[i]), s, &l->report);
		if (first)
			report_setting(&l->report, s, "allowed_ips",
			               "%s is there twice: first in line %u; it can be one peer's only",
			               prefix_print(&p->allowed_ips[i], text),
			               config_setting_source_line(first));
	}
}

static void check_wireguard(struct loader *l, config_setting_t *s, const struct conf_tunnel *t,
                            struct tunnel_keys *keys)
{
	config_setting_t *list = config_setting_get_member(s, "peers");
	struct seen *public_keys = NULL, *allowed = NULL;
	const config_setting_t *first =
	        seen_add(&keys->ports, &t->listen_port, sizeof(t->listen_port), s, &l->report);

	if (!config_setting_get_member(s, "private_key_file"))
		report_setting(&l->report, s, "private_key_file",
		               "is missing: needs a file made by mcbgpd --genkey FILE");
	if (first)
		report_setting(&l->report, s, "listen_port",
		               "%u is that of the tunnel in line %u: each needs its own", t->listen_port,
		               config_setting_source_line(first));
	for (size_t i = 0; i < t->n_peers && !report_full(&l->report); i++) {
		if (!config_setting_is_group(item(list, i)))
			continue;
		check_wg_peer(l, item(list, i), t, &t->peers[i]);
		check_wg_unique(l, item(list, i), &t->peers[i], &public_keys, &allowed);
	}
	seen_free(&public_keys);
	seen_free(&allowed);
}

/* ---- all of them ------------------------------------------------------------------------------------- */

static bool has_type(const config_setting_t *s)
{
	const char *type;

	if (!config_setting_lookup_string(s, "type", &type))
		return false;
	return strcmp(type, "vxlan") == 0 || strcmp(type, "wireguard") == 0 || strcmp(type, "gre") == 0;
}

static void check_tunnel(struct loader *l, config_setting_t *s, const struct conf_tunnel *t,
                         struct tunnel_keys *keys)
{
	const config_setting_t *first = NULL;

	check_link(l, s, t);
	if (t->name)
		first = seen_add(&keys->names, t->name, strlen(t->name), s, &l->report);
	if (first)
		report_taken(l, s, "name", first);
	if (!has_type(s)) /* said by the reader of `type` */
		return;
	check_belongs(l, s, t);
	if (t->type == TUNNEL_VXLAN)
		check_vxlan(l, s, t, keys);
	else if (t->type == TUNNEL_GRE)
		check_gre(l, s, t, keys);
	else
		check_wireguard(l, s, t, keys);
}

void check_tunnels(struct loader *l)
{
	config_setting_t *list = config_setting_get_member(l->root, "tunnels");
	struct tunnel_keys keys = { 0 };

	for (size_t i = 0; i < l->conf->n_tunnels && !report_full(&l->report); i++) {
		if (config_setting_is_group(item(list, i)))
			check_tunnel(l, item(list, i), &l->conf->tunnels[i], &keys);
	}
	seen_free(&keys.names);
	seen_free(&keys.vxlans);
	seen_free(&keys.gres);
	seen_free(&keys.ports);
}

/* ---- static routes ---------------------------------------------------------------------------------- */

static void check_static(struct loader *l, const config_setting_t *s, const struct conf_static *r)
{
	bool interface = config_setting_get_member(s, "interface") != NULL;
	bool next_hop = config_setting_get_member(s, "next_hop") != NULL;
	int ways = interface + next_hop + r->blackhole + r->unreachable;

	if (r->onlink && !(interface && next_hop))
		report_setting(&l->report, s, "onlink", "needs next_hop, and the interface it is on");
	else if (r->onlink ? ways != 2 : ways != 1)
		report_setting(
		        &l->report, s, NULL,
		        "needs exactly one of interface, next_hop, blackhole = true and unreachable = true "
		        "(or next_hop and interface with onlink = true): it has %s",
		        ways ? "several" : "none");
	if (r->next_hop.family && !is_host(&r->next_hop))
		report_setting(&l->report, s, "next_hop", "can be nobody's address: needs that of a router");
	if (!r->prefix.addr.family)
		return;
	if (!prefix_is_unicast(&r->prefix))
		report_setting(&l->report, s, "prefix",
		               "is no destination of unicast packets, so there is no route to it");
	if (r->next_hop.family && r->next_hop.family != r->prefix.addr.family)
		report_setting(&l->report, s, "next_hop", "is of another address family than prefix");
}

void check_statics(struct loader *l)
{
	config_setting_t *list = config_setting_get_member(l->root, "static");
	struct seen *prefixes = NULL;

	for (size_t i = 0; i < l->conf->n_statics && !report_full(&l->report); i++) {
		const struct conf_static *r = &l->conf->statics[i];
		const config_setting_t *s = item(list, i), *first = NULL;

		if (!config_setting_is_group(s))
			continue;
		check_static(l, s, r);
		if (r->prefix.addr.family)
			first = seen_add(&prefixes, &r->prefix, sizeof(r->prefix), s, &l->report);
		if (first)
			report_taken(l, s, "prefix", first);
	}
	seen_free(&prefixes);
}
