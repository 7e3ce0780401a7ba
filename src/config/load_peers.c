/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: peers, and the groups they inherit from.
 *
 * A group is a peer without a name: router's settings, then its own. A peer begins with a copy of its group
 * (or with router's settings) and reads its own over it. What no setting says alone is checked on the result,
 * so that it does not matter who contributed what. */
#include "config/loader.h"

#include <net/if.h>
#include <stdlib.h>

static void peer_base(struct loader *l, struct conf_peer *p)
{
	const struct conf_router *r = &l->conf->router;

	*p = (struct conf_peer){ 0 };
	section_defaults(l, &schema_peer, p);
	p->local_as = r->as;
	p->hold_time = r->hold_time;
	p->keepalive = r->keepalive;
	p->connect_retry = r->connect_retry;
	p->graceful_restart = r->graceful_restart;
	p->restart_time = r->restart_time;
	p->graceful_restart_on_silence = r->graceful_restart_on_silence;
	p->long_lived_time = r->long_lived_time;
	p->long_lived_limit = r->long_lived_limit;
}

/* ---- groups ----------------------------------------------------------------------------------------- */

void read_group_map(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	(void)base;
	if (!config_setting_is_group(s)) {
		report_wrong_type(l, s, o);
		return;
	}
	l->groups = load_alloc(l, item_count(s), sizeof(*l->groups));
	for (size_t i = 0; l->groups && has_item(l, s, i); i++) {
		config_setting_t *m = item(s, i);
		struct conf_peer *g = &l->groups[l->n_groups++];

		peer_base(l, g);
		g->name = load_strdup(l, config_setting_name(m));
		if (!is_token(config_setting_name(m)))
			report_setting(&l->report, m, NULL, "the name is longer than 63 characters");
		if (config_setting_is_group(m))
			section_read(l, m, o->section, g);
		else
			report_setting(&l->report, m, NULL, "needs settings in { }");
	}
}

static const struct conf_peer *find_group(const struct loader *l, const char *name)
{
	for (size_t i = 0; i < l->n_groups; i++) {
		if (l->groups[i].name && strcmp(l->groups[i].name, name) == 0)
			return &l->groups[i];
	}
	return NULL;
}

static char *copy_string(struct loader *l, const char *text)
{
	return text ? load_strdup(l, text) : NULL;
}

/* What the peer @s begins with. */
static void inherit(struct loader *l, const config_setting_t *s, struct conf_peer *p)
{
	const config_setting_t *m = config_setting_get_member(s, "group");
	const char *name = m ? config_setting_get_string(m) : NULL;
	const struct conf_peer *g = name ? find_group(l, name) : NULL;
	struct nearest n = { .wanted = name };

	if (!g) {
		peer_base(l, p);
		if (!name) /* none, or of the wrong type, which its reader says */
			return;
		for (size_t i = 0; i < l->n_groups; i++)
			nearest_try(&n, l->groups[i].name);
		report_unknown_name(l, m, "group", &n);
		return;
	}
	*p = *g;
	p->name = NULL;
	p->description = copy_string(l, g->description);
	p->interface = copy_string(l, g->interface);
	p->password_file = copy_string(l, g->password_file);
}

/* ---- what no setting says alone --------------------------------------------------------------------- */

static bool has(const config_setting_t *s, const char *member)
{
	return config_setting_get_member(s, member);
}

void check_timers(struct loader *l, const config_setting_t *s, uint16_t hold_time, uint16_t keepalive)
{
	if (!hold_time || keepalive < hold_time)
		return;
	if (has(s, "keepalive"))
		report_setting(&l->report, s, "keepalive",
		               "%u is not less than hold_time %u: less, or 0 (a third of the hold time)",
		               keepalive, hold_time);
	else
		report_setting(
		        &l->report, s, "hold_time",
		        "%u is not more than keepalive %u, which is inherited: more, or set keepalive too",
		        hold_time, keepalive);
}

static void check_address(struct loader *l, const config_setting_t *s, const struct conf_peer *p)
{
	const struct ip *a = &p->address, *local = &p->local_address;
	uint8_t family = p->is_range ? p->range.addr.family : a->family;

	if (!has(s, "address") && !has(s, "range"))
		report_setting(&l->report, s, "address",
		               "is missing: needs an address such as \"192.0.2.1\", or range");
	else if (has(s, "address") && has(s, "range"))
		report_setting(&l->report, s, "range", "there is an address too: give one of the two");
	if (a->family && (ip_is_zero(a) || ip_is_multicast(a)))
		report_setting(&l->report, s, "address", "can be nobody's address: needs that of the peer");
	else if (a->family == IP_V6 && ip_is_link_local(a) && !p->interface)
		report_setting(&l->report, s, "address",
		               "is link-local: needs interface too, the link it is on");
	if (!local->family || !family)
		return;
	if (ip_is_zero(local) || ip_is_multicast(local))
		report_setting(&l->report, s, "local_address",
		               "can be nobody's address: needs one of this host, or leave it out");
	else if (local->family != family)
		report_setting(&l->report, s, "local_address",
		               "is of another address family than the peer's address");
	else if (ip_equal(a, local))
		report_setting(&l->report, s, "local_address",
		               "is the peer's address: needs one of this host");
}

static void check_range(struct loader *l, const config_setting_t *s, const struct conf_peer *p)
{
	const config_setting_t *group = p->group ? config_setting_lookup(l->root, "peer_groups") : NULL;
	const config_setting_t *of_group = group ? config_setting_get_member(group, p->group) : NULL;

	if (!p->is_range) {
		if (has(s, "max_peers"))
			report_setting(&l->report, s, "max_peers",
			               "is for a range of peers: take it away, or give a range");
		return;
	}
	if (!p->passive && (has(s, "passive") || (of_group && has(of_group, "passive"))))
		report_setting(&l->report, s, "passive",
		               "false is not allowed with a range, to which nobody can connect: true, or "
		               "leave it out");
}

static void check_reserved(struct loader *l, const config_setting_t *s, const struct conf_peer *p)
{
	static const char *const pseudo[] = { "device1", "direct1", "static1", "kernel4", "kernel6" };

	if (p->name && strcmp(p->name, "all") == 0)
		report_setting(&l->report, s, "name",
		               "\"all\" stands for every peer in commands: choose another name");
	for (size_t i = 0; p->name && i < sizeof(pseudo) / sizeof(pseudo[0]); i++) {
		if (strcmp(p->name, pseudo[i]) == 0)
			report_setting(&l->report, s, "name",
			               "\"%s\" is what commands show of mcbgpd itself: choose another name",
			               p->name);
	}
}

static void check_meaning(struct loader *l, const config_setting_t *s, const struct conf_peer *p)
{
	if (!p->remote_as && !has(s, "remote_as"))
		report_setting(&l->report, s, "remote_as",
		               "is missing: needs an AS number, here or in the peer's group");
	if (p->next_hop_self && p->next_hop_keep)
		report_setting(&l->report, s, has(s, "next_hop_keep") ? "next_hop_keep" : "next_hop_self",
		               "next_hop_self and next_hop_keep are both true: one of the two must be false");
	if (p->role_set && p->remote_as && p->remote_as == p->local_as)
		report_setting(&l->report, s, "role", "is for peers of another AS: take it away");
	if (p->long_lived_time && !p->graceful_restart && has(s, "long_lived_time"))
		report_setting(&l->report, s, "long_lived_time",
		               "needs graceful_restart, which is false: make that true, or take this away");
	check_reserved(l, s, p);
	check_timers(l, s, p->hold_time, p->keepalive);
}

/* Where a connection is, as seen from here. */
struct endpoint_key {
	struct prefix peer; /* a range, or an address with all its bits */
	struct ip local;
	char interface[IFNAMSIZ];
};

static struct prefix whereabouts(const struct conf_peer *p)
{
	return p->is_range ? p->range : prefix_make(&p->address, ip_bits(p->address.family));
}

static struct endpoint_key endpoint_of(const struct conf_peer *p)
{
	struct endpoint_key key;

	memset(&key, 0, sizeof(key)); /* compared byte by byte */
	key.peer = whereabouts(p);
	key.local = p->local_address;
	if (p->interface)
		strncpy(key.interface, p->interface, sizeof(key.interface) - 1);
	return key;
}

struct peer_keys {
	struct seen *names, *endpoints;
};

static void check_unique(struct loader *l, config_setting_t *s, const struct conf_peer *p,
                         struct peer_keys *keys)
{
	struct endpoint_key key = endpoint_of(p);
	const config_setting_t *first = NULL;

	if (p->name)
		first = seen_add(&keys->names, p->name, strlen(p->name), s, &l->report);
	if (first)
		report_taken(l, s, "name", first);
	if (!key.peer.addr.family)
		return;
	first = seen_add(&keys->endpoints, &key, sizeof(key), s, &l->report);
	if (first)
		report_setting(
		        &l->report, s, p->is_range ? "range" : "address",
		        "is that of the peer in line %u, with the same local_address and interface: who "
		        "connects from there could be either, so a peer is there once",
		        config_setting_source_line(first));
}

/* ---- peers ------------------------------------------------------------------------------------------ */

static void read_peer(struct loader *l, config_setting_t *s, const struct section *sec, struct conf_peer *p)
{
	inherit(l, s, p);
	section_read(l, s, sec, p);
	p->is_range = p->range.addr.family;
	check_range(l, s, p);
	if (p->is_range)
		p->passive = true;
	check_address(l, s, p);
	check_meaning(l, s, p);
}

void read_peers(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	struct peer_keys keys = { 0 };
	struct conf *c = base;

	if (!config_setting_is_list(s)) {
		report_wrong_type(l, s, o);
		return;
	}
	c->peers = load_alloc(l, item_count(s), sizeof(*c->peers));
	for (size_t i = 0; c->peers && has_item(l, s, i); i++) {
		config_setting_t *m = item(s, i);

		if (!config_setting_is_group(m)) {
			report_setting(&l->report, m, NULL, "needs settings in { }");
			continue;
		}
		read_peer(l, m, o->section, &c->peers[c->n_peers++]);
		check_unique(l, m, &c->peers[c->n_peers - 1], &keys);
	}
	seen_free(&keys.names);
	seen_free(&keys.endpoints);
}

/* Filters come before peers, since peers name filters; but filters name peers too. */
void collect_origins(struct loader *l)
{
	config_setting_t *groups = config_setting_get_member(l->root, "peer_groups");
	config_setting_t *peers = config_setting_get_member(l->root, "peers");

	for (size_t i = 0; groups && config_setting_is_group(groups) && has_item(l, groups, i); i++) {
		config_setting_t *m = item(groups, i);

		seen_add(&l->origins, config_setting_name(m), strlen(config_setting_name(m)), m, &l->report);
	}
	for (size_t i = 0; peers && config_setting_is_list(peers) && has_item(l, peers, i); i++) {
		config_setting_t *m = item(peers, i);
		const char *name;

		if (config_setting_is_group(m) && config_setting_lookup_string(m, "name", &name))
			seen_add(&l->origins, name, strlen(name), m, &l->report);
	}
}

/* ---- peers next to each other, and next to us ------------------------------------------------------- */

/* Peers by name, and the addresses that the file says are ours. */
struct known {
	struct seen *peers, *ours;
};

static void add_ours(struct loader *l, struct known *k, const struct ip *a)
{
	if (a->family && !ip_is_zero(a))
		seen_add(&k->ours, a, sizeof(*a), l->root, &l->report);
}

static void collect_ours(struct loader *l, struct known *k)
{
	const struct conf *c = l->conf;

	for (size_t i = 0; i < c->router.n_listen; i++)
		add_ours(l, k, &c->router.listen[i].address);
	for (size_t i = 0; i < c->n_tunnels; i++) {
		for (size_t n = 0; n < c->tunnels[i].n_addresses; n++)
			add_ours(l, k, &c->tunnels[i].addresses[n].address);
	}
	for (size_t i = 0; i < c->n_peers; i++)
		add_ours(l, k, &c->peers[i].local_address);
}

static bool listens_at(const struct conf_router *r, const struct ip *a, uint16_t port)
{
	for (size_t i = 0; i < r->n_listen; i++) {
		const struct conf_listen *at = &r->listen[i];

		if (at->port == port && at->address.family == a->family &&
		    (ip_is_zero(&at->address) || ip_equal(&at->address, a)))
			return true;
	}
	return false;
}

/* Another daemon of this host may be a peer: at another port, or as one that dials us. */
static void check_not_us(struct loader *l, const config_setting_t *s, const struct conf_peer *p,
                         struct known *k)
{
	if (p->is_range || p->passive || !seen_where(k->ours, &p->address, sizeof(p->address)))
		return;
	if (ip_equal(&p->address, &p->local_address)) /* check_address() has said so */
		return;
	if (listens_at(&l->conf->router, &p->address, p->port))
		report_setting(&l->report, s, "address",
		               "is our own, and we listen there at port %u: needs that of the peer", p->port);
}

/* Who dials in from a range is named RANGE_ADDRESS: that name must be free. */
static void check_not_dynamic(struct loader *l, const config_setting_t *s, const char *name, struct known *k)
{
	const char *end = strrchr(name, '_'), *text;
	const config_setting_t *of;
	char printed[IP_STRLEN];
	struct prefix range;
	struct ip a;

	if (!end || !ip_parse(end + 1, &a) || strcmp(ip_print(&a, printed), end + 1) != 0)
		return;
	of = seen_where(k->peers, name, (size_t)(end - name));
	if (!of || !config_setting_lookup_string(of, "range", &text) || !prefix_parse(text, true, &range) ||
	    !prefix_contains_ip(&range, &a))
		return;
	report_setting(&l->report, s, "name",
	               "\"%s\" is what %s of the range in line %u would be called: choose another name", name,
	               printed, config_setting_source_line(of));
}

/* Whether one listening socket may take connections of both: it has one password for an address. */
static bool share_a_listener(const struct conf_router *r, const struct conf_peer *a,
                             const struct conf_peer *b)
{
	const struct ip *x = &a->local_address, *y = &b->local_address;

	if (!x->family || !y->family || ip_equal(x, y))
		return true;
	for (size_t i = 0; i < r->n_listen; i++) {
		if (r->listen[i].address.family == x->family && ip_is_zero(&r->listen[i].address))
			return true;
	}
	return false;
}

static bool same_password(const struct conf_peer *a, const struct conf_peer *b)
{
	if (!a->password_file || !b->password_file)
		return a->password_file == b->password_file;
	return strcmp(a->password_file, b->password_file) == 0;
}

/* The kernel looks a password up by the address that a connection comes from, and by nothing else. */
static void check_password(struct loader *l, config_setting_t *peers, size_t i, struct seen **places)
{
	const struct conf_peer *p = &l->conf->peers[i], *first;
	const struct prefix place = whereabouts(p);
	config_setting_t *s = item(peers, i);
	const config_setting_t *where;

	if (!place.addr.family)
		return;
	where = seen_add(places, &place, sizeof(place), s, &l->report);
	if (!where)
		return;
	first = &l->conf->peers[config_setting_index(where)];
	if (!same_password(p, first) && share_a_listener(&l->conf->router, p, first))
		report_setting(
		        &l->report, s, "password_file",
		        "is not that of the peer in line %u, which has the same address: the kernel has "
		        "one password for an address, so give both the same",
		        config_setting_source_line(where));
}

static void check_within_signed(struct loader *l, config_setting_t *peers, size_t i, size_t range)
{
	const struct conf_peer *p = &l->conf->peers[i], *r = &l->conf->peers[range];
	const struct prefix place = whereabouts(p);

	if (i != range && !p->password_file && place.addr.family && prefix_contains(&r->range, &place) &&
	    place.len > r->range.len && share_a_listener(&l->conf->router, p, r))
		report_setting(&l->report, item(peers, i), "password_file",
		               "is missing: the kernel wants that of the range in line %u from everybody in "
		               "it, so give this one a password too, or make that range smaller",
		               config_setting_source_line(item(peers, range)));
}

static void check_passwords(struct loader *l, config_setting_t *peers)
{
	const struct conf *c = l->conf;
	struct seen *places = NULL;

	for (size_t i = 0; i < c->n_peers; i++)
		check_password(l, peers, i, &places);
	for (size_t range = 0; range < c->n_peers; range++) {
		if (!c->peers[range].is_range || !c->peers[range].password_file)
			continue;
		for (size_t i = 0; i < c->n_peers; i++)
			check_within_signed(l, peers, i, range);
	}
	seen_free(&places);
}

void check_peers(struct loader *l)
{
	config_setting_t *peers = config_setting_get_member(l->root, "peers");
	const struct conf *c = l->conf;
	struct known k = { 0 };

	if (!peers || c->n_peers != item_count(peers)) /* some are none, which has been said */
		return;
	check_passwords(l, peers);
	collect_ours(l, &k);
	for (size_t i = 0; i < c->n_peers; i++) {
		if (c->peers[i].name)
			seen_add(&k.peers, c->peers[i].name, strlen(c->peers[i].name), item(peers, i),
			         &l->report);
	}
	for (size_t i = 0; i < c->n_peers; i++) {
		check_not_us(l, item(peers, i), &c->peers[i], &k);
		if (c->peers[i].name)
			check_not_dynamic(l, item(peers, i), c->peers[i].name, &k);
	}
	seen_free(&k.peers);
	seen_free(&k.ours);
}
