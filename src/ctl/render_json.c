/* SPDX-License-Identifier: BSD-2-Clause */
/* render_json.c - DOC: the same answers as one JSON document on one line.
 *
 *	{"<key>": [ … ]}, {"<key>": { … }} or {"result": {"code": N, "text": "…"}}; a refusal: {"error": { …
 *}}
 *
 * Things are written as they come, so that a document of a million routes is never held in memory. The keys
 * are a contract (mcbgpc(8)): added to, never changed. What is not known is left out. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/aspath.h"
#include "ctl/render.h"

/* Setting fails for lack of memory only, or for a NULL value: the key is then left out, and mem() notes it.
 */
static void mem(struct render *r, int rc)
{
	if (rc < 0)
		r->out->bad = true;
}

/** A peer may send what is not UTF-8, which JSON cannot carry: such bytes become '?'. */
static json_t *text_value(const char *s)
{
	json_t *v = json_string(s);
	char *copy;

	if (v)
		return v;
	copy = strdup(s);
	if (!copy)
		return NULL;
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	v = json_string(copy);
	free(copy);
	return v;
}

static void set_str(struct render *r, json_t *o, const char *key, const char *s)
{
	if (s && *s)
		mem(r, json_object_set_new(o, key, text_value(s)));
}

static void set_int(struct render *r, json_t *o, const char *key, uint64_t v)
{
	mem(r, json_object_set_new(o, key, json_integer((json_int_t)v)));
}

static void set_bool(struct render *r, json_t *o, const char *key, bool v)
{
	mem(r, json_object_set_new(o, key, json_boolean(v)));
}

static void set_ip(struct render *r, json_t *o, const char *key, const struct ip *a)
{
	char buf[IP_STRLEN];

	if (a->family)
		set_str(r, o, key, ip_print(a, buf));
}

static void set_id(struct render *r, json_t *o, const char *key, uint32_t id)
{
	struct ip a = ip_v4(id);

	set_ip(r, o, key, &a);
}

/** Microseconds as seconds, to the millisecond. */
static json_t *seconds(int64_t us)
{
	int64_t ms = us / 1000;

	return json_real((double)ms / 1000);
}

/** A moment as seconds since the epoch, with its fraction. */
static void set_time(struct render *r, json_t *o, const char *key, uint64_t us)
{
	int64_t at = r->clock.wall_us - (int64_t)(r->clock.mono_us - us);

	if (us)
		mem(r, json_object_set_new(o, key, seconds(at)));
}

/** Seconds until @us. */
static void set_left(struct render *r, json_t *o, const char *key, uint64_t us)
{
	uint64_t left = us > r->clock.mono_us ? us - r->clock.mono_us : 0;

	if (us)
		mem(r, json_object_set_new(o, key, seconds((int64_t)left)));
}

static json_t *set_object(struct render *r, json_t *o, const char *key)
{
	json_t *made = json_object();

	mem(r, json_object_set_new(o, key, made));
	return made;
}

static json_t *set_array(struct render *r, json_t *o, const char *key)
{
	json_t *made = json_array();

	mem(r, json_object_set_new(o, key, made));
	return made;
}

static void add_str(struct render *r, json_t *array, const char *s)
{
	mem(r, json_array_append_new(array, text_value(s)));
}

static int write_bytes(const char *bytes, size_t n, void *ctx)
{
	struct out *o = ctx;

	out_write(o, bytes, n);
	return o->bad ? -1 : 0;
}

static void write_value(struct render *r, json_t *v)
{
	if (!v || json_dump_callback(v, write_bytes, r->out, JSON_ENCODE_ANY | JSON_REAL_PRECISION(16)) < 0)
		r->out->bad = true;
	json_decref(v);
}

/** The next thing of the document's list, or its only one. */
static void emit(struct render *r, json_t *thing)
{
	if (r->listed++)
		out_printf(r->out, ", ");
	write_value(r, thing);
}

static void json_begin(struct render *r, const char *key, bool single)
{
	r->began = true;
	r->single = single;
	out_printf(r->out, "{\"%s\": %s", key, single ? "" : "[");
}

static void write_result(struct render *r, enum ctl_code code, const char *text)
{
	json_t *o = json_object();

	set_int(r, o, "code", code);
	mem(r, json_object_set_new(o, "text", text_value(text)));
	write_value(r, o);
}

static void json_end(struct render *r, enum ctl_code code, const char *text)
{
	bool refused = code >= CTL_REFUSED_MIN;

	r->ended = true;
	if (!r->began) {
		out_printf(r->out, refused ? "{\"error\": " : "{\"result\": ");
		write_result(r, code, text);
	} else {
		out_printf(r->out, r->single ? "" : "]");
		if (refused || *text) {
			out_printf(r->out, refused ? ", \"error\": " : ", \"result\": ");
			write_result(r, code, text);
		}
	}
	out_printf(r->out, "}\n");
}

static void no_heading(struct render *r)
{
	(void)r;
}

static void json_note(struct render *r, enum ctl_code code, const char *name, const char *text)
{
	json_t *o = json_object();

	if (!r->began)
		json_begin(r, "notes", false);
	set_str(r, o, "name", name);
	set_int(r, o, "code", code);
	set_str(r, o, "text", text);
	emit(r, o);
}

static void json_change(struct render *r, const struct ctl_change *c)
{
	json_t *o = json_object();

	if (!r->began)
		json_begin(r, "notes", false);
	set_int(r, o, "code", CTL_CHANGE);
	set_str(r, o, "kind", c->kind);
	set_str(r, o, "name", c->name);
	set_str(r, o, "setting", c->setting);
	set_str(r, o, "from", c->from);
	set_str(r, o, "to", c->to);
	set_str(r, o, "effect", c->effect);
	set_str(r, o, "text", c->text);
	emit(r, o);
}

static void json_help(struct render *r, const struct help_item *h)
{
	json_t *o = json_object();

	set_str(r, o, "words", h->words);
	set_str(r, o, "arguments", h->args);
	set_str(r, o, "help", h->text);
	emit(r, o);
}

static void json_completion(struct render *r, const char *word, const char *text)
{
	json_t *o = json_object();

	set_str(r, o, "word", word);
	set_str(r, o, "help", text);
	emit(r, o);
}

static void json_status(struct render *r, const struct ctl_status *s)
{
	json_t *o = json_object(), *fib = set_object(r, o, "kernel_routes");

	set_str(r, o, "version", s->version);
	set_str(r, o, "hostname", s->hostname);
	set_str(r, o, "configuration", s->file);
	set_id(r, o, "router_id", s->router_id);
	set_int(r, o, "as", s->as);
	set_str(r, o, "state", s->stopping ? "stopping" : "running");
	set_time(r, o, "now", r->clock.mono_us);
	set_time(r, o, "started", s->started_us);
	set_time(r, o, "configured", s->configured_us);
	set_left(r, o, "undone_in_s", s->confirm_us);
	set_bool(r, o, "nexthop_objects", s->nexthop_objects);
	set_bool(r, o, "recovering", s->adopting);
	set_int(r, fib, "installed", s->fib_installed);
	set_int(r, fib, "queued", s->fib_queued);
	set_int(r, fib, "failed", s->fib_failed);
	emit(r, o);
}

/* -- protocols -------------------------------------------------------------------------------- */

static void set_families(struct render *r, json_t *o, const char *key, uint32_t families)
{
	json_t *names = set_array(r, o, key);

	for (enum family f = 0; f < FAM_COUNT; f++)
		if (families & FAM_BIT(f))
			add_str(r, names, family_name(f));
}

static uint32_t add_path_families(const struct caps *c, enum add_path way)
{
	uint32_t families = 0;

	for (enum family f = 0; f < FAM_COUNT; f++)
		if (c->add_path[f] & way)
			families |= FAM_BIT(f);
	return families;
}

static void set_caps(struct render *r, json_t *parent, const char *key, const struct caps *c)
{
	json_t *o;

	if (!c)
		return;
	o = set_object(r, parent, key);
	set_families(r, o, "families", c->families);
	set_bool(r, o, "route_refresh", c->route_refresh);
	set_bool(r, o, "enhanced_refresh", c->enhanced_refresh);
	set_bool(r, o, "as4", c->as4);
	set_bool(r, o, "extended_message", c->ext_message);
	set_families(r, o, "extended_next_hop", c->ext_next_hop);
	set_families(r, o, "add_path_receive", add_path_families(c, ADD_PATH_RECEIVE));
	set_families(r, o, "add_path_send", add_path_families(c, ADD_PATH_SEND));
	set_bool(r, o, "graceful_restart", c->graceful_restart);
	if (c->graceful_restart)
		set_int(r, o, "restart_time_s", c->gr_time);
	set_bool(r, o, "long_lived_graceful_restart", c->llgr);
	if (c->role_set)
		set_int(r, o, "role", c->role);
	set_str(r, o, "hostname", c->fqdn);
	set_str(r, o, "software", c->software);
}

static void set_timers(struct render *r, json_t *parent, const struct ctl_bgp *b)
{
	json_t *o = set_object(r, parent, "timers");

	set_int(r, o, "hold_s", b->hold_time);
	set_left(r, o, "hold_left_s", b->hold_us);
	set_int(r, o, "keepalive_s", b->keepalive);
	set_left(r, o, "keepalive_left_s", b->keepalive_us);
	set_int(r, o, "connect_retry_s", b->connect_retry);
	set_left(r, o, "connect_retry_left_s", b->retry_us);
}

static void set_bgp(struct render *r, json_t *o, const struct ctl_proto *p, bool all)
{
	const struct ctl_bgp *b = p->bgp;
	char range[PREFIX_STRLEN];

	set_str(r, o, "bgp_state", render_bgp_state(p));
	if (b->is_range) {
		set_str(r, o, "neighbor_range", prefix_print(&b->range, range));
		set_int(r, o, "neighbors", b->n_dynamic);
	}
	set_ip(r, o, "neighbor_address", &b->neighbor);
	set_int(r, o, "neighbor_as", b->neighbor_as);
	set_int(r, o, "local_as", b->local_as);
	set_str(r, o, "last_error", b->last_error);
	set_bool(r, o, "policy_missing", b->policy_missing);
	if (!all)
		return;
	set_int(r, o, "neighbor_port", b->neighbor_port);
	if (b->neighbor_id)
		set_id(r, o, "neighbor_id", b->neighbor_id);
	set_ip(r, o, "local_address", &b->local);
	set_str(r, o, "interface", b->interface);
	set_bool(r, o, "passive", b->passive);
	set_time(r, o, "last_error_at", b->last_error_us);
	set_int(r, o, "sessions_ended", b->flaps);
	if (b->stale_us)
		set_time(r, o, "stale_until", b->stale_us);
	set_caps(r, o, "local_capabilities", b->ours);
	set_caps(r, o, "neighbor_capabilities", b->theirs);
	if (b->neg) {
		set_str(r, o, "session", b->neg->ibgp ? "internal" : "external");
		set_families(r, o, "negotiated_families", b->neg->families);
	}
	set_timers(r, o, b);
	set_str(r, o, "import", b->import);
	if (b->max_prefix) {
		set_int(r, o, "max_prefix", b->max_prefix);
		set_str(r, o, "max_prefix_action", b->max_prefix_action);
	}
}

static void set_routes(struct render *r, json_t *parent, const struct rib_peer *rib)
{
	json_t *all = set_object(r, parent, "routes");

	for (enum family f = 0; f < FAM_COUNT; f++) {
		json_t *o = set_object(r, all, family_name(f));
		struct rib_peer_stats s;

		rib_peer_stats(rib, f, &s);
		set_int(r, o, "received", s.received);
		set_int(r, o, "accepted", s.accepted);
		set_int(r, o, "filtered", s.filtered);
		set_int(r, o, "preferred", s.preferred);
		set_int(r, o, "exported", s.exported);
		set_int(r, o, "import_updates", s.import_updates);
		set_int(r, o, "import_withdraws", s.import_withdraws);
		set_int(r, o, "import_rejected", s.import_rejected);
		set_int(r, o, "import_filtered", s.import_filtered);
		set_int(r, o, "import_ignored", s.import_ignored);
		set_int(r, o, "export_updates", s.export_updates);
		set_int(r, o, "export_withdraws", s.export_withdraws);
		set_int(r, o, "export_rejected", s.export_rejected);
		set_int(r, o, "export_filtered", s.export_filtered);
		set_int(r, o, "export_accepted", s.export_accepted);
	}
}

static void json_protocol(struct render *r, const struct ctl_proto *p, bool all)
{
	json_t *o = json_object();

	set_str(r, o, "name", p->name);
	set_str(r, o, "protocol", render_proto_kind(p->kind));
	set_str(r, o, "table", render_proto_table(p));
	set_str(r, o, "state", render_proto_state(p->state));
	set_time(r, o, "since", p->since_us);
	set_str(r, o, "description", p->description);
	if (p->bgp)
		set_bgp(r, o, p, all);
	if (p->kind == CTL_PROTO_KERNEL)
		set_int(r, o, "exported", p->exported);
	if (all && (p->bgp || p->kind == CTL_PROTO_KERNEL))
		set_str(r, o, "export", p->bgp ? p->bgp->export : p->export);
	if (all && p->rib)
		set_routes(r, o, p->rib);
	emit(r, o);
}

/* -- routes ----------------------------------------------------------------------------------- */

/** As the configuration writes them: "65000:1", "1:2:3"; extended ones as BIRD prints them. */
static void print_community(enum community_kind kind, const uint8_t *value, char *buf, size_t size)
{
	struct reader r = rd_init(value, community_size(kind));
	uint32_t part[3];

	if (kind == COMMUNITY_EXT) {
		community_print(kind, value, buf, size);
		return;
	}
	for (unsigned i = 0; i < 3; i++)
		part[i] = kind == COMMUNITY_PLAIN ? rd_u16(&r) : rd_u32(&r);
	if (kind == COMMUNITY_PLAIN)
		snprintf(buf, size, "%" PRIu32 ":%" PRIu32, part[0], part[1]);
	else
		snprintf(buf, size, "%" PRIu32 ":%" PRIu32 ":%" PRIu32, part[0], part[1], part[2]);
}

static void set_communities(struct render *r, json_t *o, const char *key, enum community_kind kind,
                            struct blob list)
{
	json_t *values;
	char text[96];

	if (!list.len)
		return;
	values = set_array(r, o, key);
	for (uint32_t at = 0; at + community_size(kind) <= list.len; at += (uint32_t)community_size(kind)) {
		print_community(kind, list.p + at, text, sizeof(text));
		add_str(r, values, text);
	}
}

static void set_as_path(struct render *r, json_t *o, struct blob path)
{
	size_t need = aspath_print(path, NULL, 0) + 1;
	char *text = malloc(need);

	if (text)
		aspath_print(path, text, need);
	mem(r, text ? json_object_set_new(o, "as_path", json_string(text)) : -1);
	free(text);
}

static void set_clusters(struct render *r, json_t *o, struct blob list)
{
	json_t *ids;
	char text[IP_STRLEN];

	if (!list.len)
		return;
	ids = set_array(r, o, "cluster_list");
	for (uint32_t at = 0; at + 4 <= list.len; at += 4) {
		struct ip a = ip_from_bytes(IP_V4, list.p + at);

		add_str(r, ids, ip_print(&a, text));
	}
}

static void set_attrs(struct render *r, json_t *parent, const struct attrs *a, bool exported)
{
	json_t *o = set_object(r, parent, "attributes");

	if (attrs_has(a, BGP_ATTR_ORIGIN))
		set_str(r, o, "origin", render_origin(a->origin));
	if (attrs_has(a, BGP_ATTR_AS_PATH))
		set_as_path(r, o, a->as_path);
	if (attrs_has(a, BGP_ATTR_NEXT_HOP))
		set_ip(r, o, "next_hop", &a->next_hop);
	set_ip(r, o, "next_hop_link_local", &a->next_hop_ll);
	if (attrs_has(a, BGP_ATTR_MED))
		set_int(r, o, "med", a->med);
	if (attrs_has(a, BGP_ATTR_LOCAL_PREF) || !exported)
		set_int(r, o, "local_pref", attrs_local_pref(a));
	if (attrs_has(a, BGP_ATTR_ATOMIC_AGGREGATE))
		set_bool(r, o, "atomic_aggregate", true);
	if (attrs_has(a, BGP_ATTR_AGGREGATOR)) {
		set_int(r, o, "aggregator_as", a->aggregator_as);
		set_id(r, o, "aggregator_id", a->aggregator_id);
	}
	if (attrs_has(a, BGP_ATTR_ORIGINATOR_ID))
		set_id(r, o, "originator_id", a->originator_id);
	set_clusters(r, o, a->cluster_list);
	set_communities(r, o, "communities", COMMUNITY_PLAIN, a->communities);
	set_communities(r, o, "ext_communities", COMMUNITY_EXT, a->ext_communities);
	set_communities(r, o, "large_communities", COMMUNITY_LARGE, a->large_communities);
	if (attrs_has(a, BGP_ATTR_OTC))
		set_int(r, o, "otc", a->otc);
}

static void set_hop(struct render *r, json_t *o, const struct rib_path_view *v)
{
	const struct nexthop *nh = v->nexthop;
	uint32_t ifindex = nh ? nh->ifindex : v->ifindex;

	if (nh)
		set_ip(r, o, "next_hop", &nh->addr);
	if (nh && nh->why != NH_OK)
		return;
	if (nh)
		set_ip(r, o, "gateway", &nh->gateway);
	if (ifindex)
		set_str(r, o, "interface", r->backend->ifname(r->backend->ctx, ifindex));
}

static void set_reasons(struct render *r, json_t *o, const struct route_item *i)
{
	const struct rib_path_view *v = i->path;
	char buf[256];

	set_str(r, o, "refused", render_refused(v, buf, sizeof(buf)));
	set_str(r, o, "not_usable", render_not_eligible(v, buf, sizeof(buf)));
	if (!v->best && v->eligible)
		set_str(r, o, "lost_by", decision_rule_name(v->lost_by));
	set_str(r, o, "not_exported", i->withheld);
}

static void json_route(struct render *r, const struct route_item *i)
{
	const struct rib_path_view *v = i->path;
	const struct rib_peer_conf *peer = rib_peer_conf(v->peer);
	char prefix[PREFIX_STRLEN];
	json_t *o = json_object();

	set_str(r, o, "prefix", prefix_print(&v->prefix, prefix));
	set_str(r, o, "table", i->table);
	set_str(r, o, "type", v->kind == RIB_BLACKHOLE ? "blackhole" : "unicast");
	set_str(r, o, "protocol", peer->name);
	set_ip(r, o, "from", &peer->address);
	set_time(r, o, "since", v->since_us);
	set_bool(r, o, "best", v->best);
	set_bool(r, o, "multipath", v->multipath);
	set_bool(r, o, "usable", v->eligible);
	set_bool(r, o, "stale", v->stale);
	set_int(r, o, "preference", render_preference(v));
	if (v->path_id)
		set_int(r, o, "path_id", v->path_id);
	set_hop(r, o, v);
	if (peer->source == SOURCE_BGP || i->exported)
		set_attrs(r, o, i->attrs, i->exported);
	if (!i->exported)
		set_reasons(r, o, i);
	if (v->best && (i->all || i->of_fib)) {
		set_str(r, o, "kernel", render_fib_state(i->fib));
		set_str(r, o, "kernel_error", i->fib_why);
	}
	emit(r, o);
}

static void json_count(struct render *r, const struct route_count *c)
{
	json_t *o = json_object();

	set_str(r, o, "table", c->table);
	set_int(r, o, "shown", c->shown);
	set_int(r, o, "routes", c->routes);
	set_int(r, o, "networks", c->networks);
	emit(r, o);
}

/* -- tunnels, links, memory ------------------------------------------------------------------- */

static void set_addresses(struct render *r, json_t *o, const struct ctl_address *a, size_t n)
{
	json_t *list = set_array(r, o, "addresses");
	char text[IP_STRLEN + 4];

	for (size_t i = 0; i < n; i++) {
		ip_print(&a[i].address, text);
		snprintf(text + strlen(text), 5, "/%u", a[i].len);
		add_str(r, list, text);
	}
}

static void set_wireguard(struct render *r, json_t *parent, const struct ctl_tunnel *t)
{
	json_t *peers;

	set_str(r, parent, "public_key", t->public_key);
	if (t->listen_port)
		set_int(r, parent, "listen_port", t->listen_port);
	if (!t->n_wg_peers)
		return;
	peers = set_array(r, parent, "peers");
	for (size_t i = 0; i < t->n_wg_peers; i++) {
		const struct ctl_wg_peer *p = &t->wg_peers[i];
		json_t *o = json_object();

		set_str(r, o, "public_key", p->public_key);
		set_ip(r, o, "endpoint", &p->endpoint);
		set_int(r, o, "endpoint_port", p->endpoint_port);
		set_time(r, o, "handshake", p->handshake_us);
		set_int(r, o, "rx_bytes", p->rx_bytes);
		set_int(r, o, "tx_bytes", p->tx_bytes);
		set_int(r, o, "allowed_ips", p->n_allowed);
		mem(r, json_array_append_new(peers, o));
	}
}

static void json_tunnel(struct render *r, const struct ctl_tunnel *t, bool all)
{
	json_t *o = json_object(), *remotes;
	char text[IP_STRLEN];

	(void)all; /* JSON has the details always */
	set_str(r, o, "name", t->name);
	set_str(r, o, "type", t->type);
	set_str(r, o, "state", render_tunnel_state(t));
	set_str(r, o, "error", t->error);
	set_time(r, o, "since", t->since_us);
	set_ip(r, o, "local", &t->local);
	set_ip(r, o, "remote", &t->remote);
	remotes = set_array(r, o, "remotes");
	for (size_t i = 0; i < t->n_remotes; i++)
		add_str(r, remotes, ip_print(&t->remotes[i], text));
	if (t->vni)
		set_int(r, o, "vni", t->vni);
	if (t->port)
		set_int(r, o, "port", t->port);
	set_int(r, o, "mtu", t->mtu);
	set_int(r, o, "ifindex", t->ifindex);
	set_int(r, o, "rx_bytes", t->rx_bytes);
	set_int(r, o, "tx_bytes", t->tx_bytes);
	set_int(r, o, "rx_packets", t->rx_packets);
	set_int(r, o, "tx_packets", t->tx_packets);
	set_addresses(r, o, t->addresses, t->n_addresses);
	set_wireguard(r, o, t);
	emit(r, o);
}

static void json_interface(struct render *r, const struct ctl_interface *i)
{
	json_t *o = json_object();

	set_str(r, o, "name", i->name);
	set_str(r, o, "kind", i->kind);
	set_int(r, o, "ifindex", i->ifindex);
	set_int(r, o, "mtu", i->mtu);
	set_bool(r, o, "up", i->up);
	set_bool(r, o, "admin_up", i->admin_up);
	set_bool(r, o, "ours", i->ours);
	set_addresses(r, o, i->addresses, i->n_addresses);
	emit(r, o);
}

static void json_memory(struct render *r, const char *what, size_t bytes, size_t count)
{
	json_t *o = json_object();

	set_str(r, o, "what", what);
	set_int(r, o, "bytes", bytes);
	set_int(r, o, "objects", count);
	emit(r, o);
}

const struct render_ops render_json = {
	.begin = json_begin,
	.status = json_status,
	.protocol_heading = no_heading,
	.protocol = json_protocol,
	.route = json_route,
	.count = json_count,
	.tunnel_heading = no_heading,
	.tunnel = json_tunnel,
	.interface = json_interface,
	.memory_heading = no_heading,
	.memory = json_memory,
	.note = json_note,
	.change = json_change,
	.help = json_help,
	.completion = json_completion,
	.end = json_end,
};
