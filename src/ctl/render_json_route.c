/* SPDX-License-Identifier: BSD-2-Clause */
/* render_json_route.c - `show route` in JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bgp/aspath.h"
#include "ctl/json_value.h"

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
	values = json_set_array(r, o, key);
	for (uint32_t at = 0; at + community_size(kind) <= list.len; at += (uint32_t)community_size(kind)) {
		print_community(kind, list.p + at, text, sizeof(text));
		json_add_str(r, values, text);
	}
}

static void set_as_path(struct render *r, json_t *o, struct blob path)
{
	size_t need = aspath_print(path, NULL, 0) + 1;
	char *text = malloc(need);

	if (text)
		aspath_print(path, text, need);
	json_mem(r, text ? json_object_set_new(o, "as_path", json_string(text)) : -1);
	free(text);
}

static void set_clusters(struct render *r, json_t *o, struct blob list)
{
	json_t *ids;
	char text[IP_STRLEN];

	if (!list.len)
		return;
	ids = json_set_array(r, o, "cluster_list");
	for (uint32_t at = 0; at + 4 <= list.len; at += 4) {
		struct ip a = ip_from_bytes(IP_V4, list.p + at);

		json_add_str(r, ids, ip_print(&a, text));
	}
}

void json_set_attrs(struct render *r, json_t *parent, const struct attrs *a, bool exported)
{
	json_t *o = json_set_object(r, parent, "attributes");

	if (attrs_has(a, BGP_ATTR_ORIGIN))
		json_set_str(r, o, "origin", render_origin(a->origin));
	if (attrs_has(a, BGP_ATTR_AS_PATH))
		set_as_path(r, o, a->as_path);
	if (attrs_has(a, BGP_ATTR_NEXT_HOP))
		json_set_ip(r, o, "next_hop", &a->next_hop);
	json_set_ip(r, o, "next_hop_link_local", &a->next_hop_ll);
	if (attrs_has(a, BGP_ATTR_MED))
		json_set_int(r, o, "med", a->med);
	if (attrs_has(a, BGP_ATTR_LOCAL_PREF) || !exported)
		json_set_int(r, o, "local_pref", attrs_local_pref(a));
	if (attrs_has(a, BGP_ATTR_ATOMIC_AGGREGATE))
		json_set_bool(r, o, "atomic_aggregate", true);
	if (attrs_has(a, BGP_ATTR_AGGREGATOR)) {
		json_set_int(r, o, "aggregator_as", a->aggregator_as);
		json_set_id(r, o, "aggregator_id", a->aggregator_id);
	}
	if (attrs_has(a, BGP_ATTR_ORIGINATOR_ID))
		json_set_id(r, o, "originator_id", a->originator_id);
	set_clusters(r, o, a->cluster_list);
	set_communities(r, o, "communities", COMMUNITY_PLAIN, a->communities);
	set_communities(r, o, "ext_communities", COMMUNITY_EXT, a->ext_communities);
	set_communities(r, o, "large_communities", COMMUNITY_LARGE, a->large_communities);
	if (attrs_has(a, BGP_ATTR_OTC))
		json_set_int(r, o, "otc", a->otc);
}

static void set_hop(struct render *r, json_t *o, const struct rib_path_view *v)
{
	const struct nexthop *nh = v->nexthop;
	uint32_t ifindex = nh ? nh->ifindex : v->ifindex;

	if (nh)
		json_set_ip(r, o, "next_hop", &nh->addr);
	if (nh && nh->why != NH_OK)
		return;
	if (nh)
		json_set_ip(r, o, "gateway", &nh->gateway);
	if (ifindex)
		json_set_str(r, o, "interface", r->backend->ifname(r->backend->ctx, ifindex));
}

/** The term of the import filter that decided, counted from 1 as people do. */
static void set_import_term(struct render *r, json_t *o, const struct route_item *i)
{
	const struct rib_peer_conf *from = rib_peer_conf(i->path->peer);
	int term = i->path->attrs ? i->import_term : i->path->filter_term;

	if (term < 0 || !from->import_filter)
		return;
	json_set_str(r, o, "import_filter", from->import_filter->name);
	json_set_int(r, o, "import_term", (uint64_t)term + 1);
}

static void set_export(struct render *r, json_t *o, const struct route_item *i)
{
	char buf[256];

	json_set_str(r, o, "not_exported", render_withheld(i, buf, sizeof(buf)));
	if (!i->toward || i->export.term < 0)
		return;
	json_set_str(r, o, "export_filter", i->toward->export_filter->name);
	json_set_int(r, o, "export_term", (uint64_t)i->export.term + 1);
}

static void set_reasons(struct render *r, json_t *o, const struct route_item *i)
{
	const struct rib_path_view *v = i->path;
	char buf[256];

	json_set_str(r, o, "refused", render_refused(v, buf, sizeof(buf)));
	set_import_term(r, o, i);
	json_set_str(r, o, "not_usable", render_not_eligible(r, v, buf, sizeof(buf)));
	if (!v->best && v->eligible)
		json_set_str(r, o, "lost_by", decision_rule_name(v->lost_by));
	if (!v->best && v->eligible && i->winner)
		json_set_str(r, o, "lost_to", rib_peer_conf(i->winner->peer)->name);
	if (i->second) {
		json_set_str(r, o, "won_by", decision_rule_name(i->second->lost_by));
		json_set_str(r, o, "won_over", rib_peer_conf(i->second->peer)->name);
	}
}

static const char *const kinds[] = {
	[RIB_UNICAST] = "unicast", [RIB_BLACKHOLE] = "blackhole", [RIB_UNREACHABLE] = "unreachable"
};

void json_adopted(struct render *r, const struct ctl_adopted *a)
{
	char prefix[PREFIX_STRLEN];
	json_t *o = json_object();

	json_set_str(r, o, "prefix", prefix_print(&a->prefix, prefix));
	json_set_str(r, o, "table", "fib");
	json_set_str(r, o, "type", kinds[a->kind]);
	json_set_bool(r, o, "adopted", true);
	json_set_str(r, o, "kernel", render_fib_state(CTL_FIB_INSTALLED));
	json_set_ip(r, o, "gateway", &a->gateway);
	if (a->ifindex)
		json_set_str(r, o, "interface", r->backend->ifname(r->backend->ctx, a->ifindex));
	json_emit(r, o);
}

void json_route(struct render *r, const struct route_item *i)
{
	const struct rib_path_view *v = i->path;
	const struct rib_peer_conf *peer = rib_peer_conf(v->peer);
	char prefix[PREFIX_STRLEN];
	json_t *o = json_object();

	json_set_str(r, o, "prefix", prefix_print(&v->prefix, prefix));
	json_set_str(r, o, "table", i->table);
	json_set_str(r, o, "type", kinds[v->kind]);
	json_set_str(r, o, "protocol", peer->name);
	json_set_ip(r, o, "from", &peer->address);
	json_set_time(r, o, "since", v->since_us);
	json_set_bool(r, o, "best", v->best);
	json_set_bool(r, o, "multipath", v->multipath);
	json_set_bool(r, o, "usable", v->eligible);
	json_set_bool(r, o, "stale", v->stale);
	json_set_int(r, o, "preference", render_preference(v));
	if (v->path_id)
		json_set_int(r, o, "path_id", v->path_id);
	set_hop(r, o, v);
	if (peer->source == SOURCE_BGP || i->exported)
		json_set_attrs(r, o, i->attrs, i->exported);
	if (!i->exported)
		set_reasons(r, o, i);
	set_export(r, o, i);
	if (v->best && (i->all || i->of_fib)) {
		json_set_str(r, o, "kernel", render_fib_state(i->fib));
		json_set_str(r, o, "kernel_error", i->fib_why);
	}
	json_emit(r, o);
}

void json_count(struct render *r, const struct route_count *c)
{
	json_t *o = json_object();

	json_set_str(r, o, "table", c->table);
	json_set_int(r, o, "shown", c->shown);
	json_set_int(r, o, "routes", c->routes);
	json_set_int(r, o, "networks", c->networks);
	json_emit(r, o);
}
