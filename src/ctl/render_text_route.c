/* SPDX-License-Identifier: BSD-2-Clause */
/* render_text_route.c - `show route` in BIRD's layout: paths, their attributes, and why they are what they
 * are. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/aspath.h"
#include "ctl/render_text.h"
#include "lib/text.h"

#define WRAP 1000u /* columns of a long list; birdc takes no line above 4095 */

/** "TAB name: value value …", broken at blanks into lines of WRAP columns, further ones indented once more.
 */
static void attribute(struct render *r, const char *name, const char *value)
{
	const char *indent = "\tBGP.";
	const char *colon = ": ";

	while (strlen(value) > WRAP) {
		size_t n = WRAP;

		while (n && value[n] != ' ')
			n--;
		if (!n)
			n = WRAP;
		text_line(r, CTL_ROUTE_ATTRIBUTES, "%s%s%s%.*s", indent, name, colon, (int)n, value);
		value += n + (value[n] == ' ');
		indent = "\t\t";
		name = colon = "";
	}
	text_line(r, CTL_ROUTE_ATTRIBUTES, "%s%s%s%s", indent, name, colon, value);
}

static void community_attribute(struct render *r, const char *name, enum community_kind kind,
                                struct blob list)
{
	struct out o = { 0 };
	char value[96];

	for (uint32_t at = 0; at + community_size(kind) <= list.len; at += (uint32_t)community_size(kind)) {
		community_print(kind, list.p + at, value, sizeof(value));
		out_printf(&o, "%s%s", at ? " " : "", value);
	}
	if (o.len && !o.bad)
		attribute(r, name, out_head(&o));
	out_fini(&o);
}

static void as_path_attribute(struct render *r, struct blob path)
{
	size_t need = aspath_print(path, NULL, 0) + 1;
	char *text = malloc(need);

	if (!text) {
		r->out->bad = true;
		return;
	}
	aspath_print(path, text, need);
	attribute(r, "as_path", text);
	free(text);
}

static void cluster_attribute(struct render *r, struct blob list)
{
	struct out o = { 0 };
	char id[IP_STRLEN];

	for (uint32_t at = 0; at + 4 <= list.len; at += 4) {
		struct ip a = ip_from_bytes(IP_V4, list.p + at);

		out_printf(&o, "%s%s", at ? " " : "", ip_print(&a, id));
	}
	if (o.len && !o.bad)
		attribute(r, "cluster_list", out_head(&o));
	out_fini(&o);
}

/** Those we carry without knowing them: flags, type, length, value each (struct attrs). */
static void unknown_attributes(struct render *r, struct blob b)
{
	struct reader all = rd_init(b.p, b.len);

	while (rd_left(&all)) {
		uint8_t flags = rd_u8(&all), type = rd_u8(&all);
		struct reader value = rd_sub(&all, rd_u16(&all));
		struct out o = { 0 };
		char name[32];

		if (all.bad)
			return;
		(void)flags; /* always optional transitive, Partial */
		snprintf(name, sizeof(name), "%02x [t]", type);
		while (rd_left(&value))
			out_printf(&o, "%02x ", rd_u8(&value));
		attribute(r, name, o.len && !o.bad ? out_head(&o) : "");
		out_fini(&o);
	}
}

static void number_attribute(struct render *r, const struct attrs *a, unsigned type, const char *name,
                             uint32_t value)
{
	if (attrs_has(a, type))
		text_line(r, CTL_ROUTE_ATTRIBUTES, "\tBGP.%s: %" PRIu32, name, value);
}

void text_attributes(struct render *r, const struct attrs *a, bool exported)
{
	char ip[IP_STRLEN], ll[IP_STRLEN];

	if (attrs_has(a, BGP_ATTR_ORIGIN))
		attribute(r, "origin", render_origin(a->origin));
	if (attrs_has(a, BGP_ATTR_AS_PATH))
		as_path_attribute(r, a->as_path);
	if (attrs_has(a, BGP_ATTR_NEXT_HOP))
		text_line(r, CTL_ROUTE_ATTRIBUTES, "\tBGP.next_hop: %s%s%s", ip_print(&a->next_hop, ip),
		          a->next_hop_ll.family ? " " : "",
		          a->next_hop_ll.family ? ip_print(&a->next_hop_ll, ll) : "");
	number_attribute(r, a, BGP_ATTR_MED, "med", a->med);
	if (attrs_has(a, BGP_ATTR_LOCAL_PREF) || !exported) /* here it counts even when it was not sent */
		text_line(r, CTL_ROUTE_ATTRIBUTES, "\tBGP.local_pref: %" PRIu32, attrs_local_pref(a));
	if (attrs_has(a, BGP_ATTR_ATOMIC_AGGREGATE))
		attribute(r, "atomic_aggr", "");
	if (attrs_has(a, BGP_ATTR_AGGREGATOR))
		text_line(r, CTL_ROUTE_ATTRIBUTES, "\tBGP.aggregator: %s AS%" PRIu32,
		          text_id(a->aggregator_id, ip), a->aggregator_as);
	community_attribute(r, "community", COMMUNITY_PLAIN, a->communities);
	if (attrs_has(a, BGP_ATTR_ORIGINATOR_ID))
		attribute(r, "originator_id", text_id(a->originator_id, ip));
	cluster_attribute(r, a->cluster_list);
	community_attribute(r, "ext_community", COMMUNITY_EXT, a->ext_communities);
	community_attribute(r, "large_community", COMMUNITY_LARGE, a->large_communities);
	number_attribute(r, a, BGP_ATTR_OTC, "otc", a->otc);
	unknown_attributes(r, a->unknown);
}

/** By which rule the best path won, or the path lost, and against whose. */
static void decision(struct render *r, const struct route_item *i)
{
	const struct rib_path_view *v = i->path;

	if (!v->best && i->winner)
		text_line(r, CTL_ROUTE_ATTRIBUTES, "\tDecision: not best, by %s; best is by %s%s",
		          decision_rule_name(v->lost_by), rib_peer_conf(i->winner->peer)->name,
		          v->multipath ? "; shares the traffic" : "");
	else if (!v->best)
		text_line(r, CTL_ROUTE_ATTRIBUTES, "\tDecision: not yet made");
	else if (i->second)
		text_line(r, CTL_ROUTE_ATTRIBUTES, "\tDecision: best, by %s; next is by %s",
		          decision_rule_name(i->second->lost_by), rib_peer_conf(i->second->peer)->name);
	else
		text_line(r, CTL_ROUTE_ATTRIBUTES, "\tDecision: best, the only one");
}

static void refusal(struct render *r, const struct route_item *i)
{
	char buf[256];

	if (render_refused(i->path, buf, sizeof(buf)))
		text_line(r, CTL_ROUTE_ATTRIBUTES, "\tFilter: %s", buf);
}

static void own_way(struct render *r, const struct nexthop *nh)
{
	const struct prefix way = prefix_make(&nh->addr, nh->own_len);
	char addr[IP_STRLEN], by[PREFIX_STRLEN];

	text_line(r, CTL_ROUTE_ATTRIBUTES, "\tNext hop: %s lies behind %s", ip_print(&nh->addr, addr),
	          prefix_print(&way, by));
}

/** Behind what BIRD says: why the path is where it is. */
static void reasons(struct render *r, const struct route_item *i)
{
	const struct rib_path_view *v = i->path;
	char buf[256];

	refusal(r, i);
	if (i->import_term >= 0)
		text_line(r, CTL_ROUTE_ATTRIBUTES, "\tFilter: term %d of import filter %s accepts it",
		          i->import_term + 1, rib_peer_conf(v->peer)->import_filter->name);
	if (v->nexthop && v->nexthop->why == NH_OK && v->nexthop->recursive)
		own_way(r, v->nexthop);
	if (render_not_eligible(r, v, buf, sizeof(buf)))
		text_line(r, CTL_ROUTE_ATTRIBUTES, "\tNot usable: %s", buf);
	else if (v->attrs)
		decision(r, i);
}

/** What the policy towards the peer that was asked about makes of it. */
static void export_policy(struct render *r, const struct route_item *i)
{
	char buf[256];

	if (render_withheld(i, buf, sizeof(buf)))
		text_line(r, CTL_ROUTE_ATTRIBUTES, "\tNot exported: %s", buf);
	else if (i->toward && i->export.term >= 0)
		text_line(r, CTL_ROUTE_ATTRIBUTES, "\tFilter: term %d of export filter %s accepts it",
		          i->export.term + 1, i->toward->export_filter->name);
}

static void kernel_state(struct render *r, const struct route_item *i)
{
	text_line(r, CTL_ROUTE_ATTRIBUTES, "\tKernel: %s%s%s", render_fib_state(i->fib),
	          i->fib_why ? ", " : "", i->fib_why ? i->fib_why : "");
}

/** " (100/10) [AS65001i]": preference, stale mark, metric of the next hop, where the route began. */
static void rank(const struct route_item *i, char *buf, size_t size)
{
	const struct rib_path_view *v = i->path;
	bool bgp = rib_peer_conf(v->peer)->source == SOURCE_BGP;
	struct text t = text_init(buf, size);
	uint32_t origin;

	text_char(&t, '(');
	text_u32(&t, render_preference(v));
	if (v->stale)
		text_char(&t, 's');
	if (v->nexthop && v->nexthop->why != NH_OK) {
		text_str(&t, "/-");
	} else if (v->nexthop && v->nexthop->metric) {
		text_char(&t, '/');
		text_u32(&t, v->nexthop->metric);
	}
	text_char(&t, ')');
	if (!bgp)
		return;
	text_str(&t, " [");
	origin = aspath_origin(i->attrs->as_path);
	if (origin) {
		text_str(&t, "AS");
		text_u32(&t, origin);
	}
	text_char(&t, i->attrs->origin <= BGP_ORIGIN_INCOMPLETE ? "ie?"[i->attrs->origin] : '?');
	text_char(&t, ']');
}

static const char *route_kind(const struct rib_path_view *v)
{
	if (v->kind != RIB_UNICAST)
		return v->kind == RIB_BLACKHOLE ? "blackhole" : "unreachable";
	return v->eligible || !v->attrs ? "unicast" : "unreachable";
}

static void hop(struct render *r, const struct rib_path_view *v)
{
	const struct nexthop *nh = v->nexthop;
	uint32_t ifindex = nh ? nh->ifindex : v->ifindex;
	const char *name = r->backend->ifname(r->backend->ctx, ifindex);
	char addr[IP_STRLEN];

	if (v->kind != RIB_UNICAST || (!v->eligible && v->attrs))
		return;
	if (!nh && v->ifindex)
		text_line(r, CTL_ROUTE, "\tdev %s", name ? name : "?");
	else if (nh && nh->why == NH_OK)
		text_line(r, CTL_ROUTE, "\tvia %s on %s", ip_print(&nh->gateway, addr), name ? name : "?");
}

/** " from 10.0.0.9" when the neighbor that told us is not the gateway. */
static void told_by(const struct route_item *i, char *buf, size_t size)
{
	const struct rib_path_view *v = i->path;
	const struct ip *peer = &rib_peer_conf(v->peer)->address;
	const struct ip *via =
	        v->nexthop && v->nexthop->why == NH_OK ? &v->nexthop->gateway : &v->in->next_hop;
	char addr[IP_STRLEN];

	buf[0] = '\0';
	if (peer->family && !ip_equal(peer, via))
		snprintf(buf, size, " from %s", ip_print(peer, addr));
}

void text_table(struct render *r, const char *name)
{
	if (r->table && strcmp(r->table, name) == 0)
		return;
	if (r->table)
		text_line(r, CTL_ROUTE, "%s", "");
	text_line(r, CTL_ROUTE, "Table %s:", name);
	r->table = name;
}

void text_route(struct render *r, const struct route_item *i)
{
	static const char *const types[] = {
		[SOURCE_BGP] = "BGP", [SOURCE_STATIC] = "static", [SOURCE_DIRECT] = "device"
	};
	const struct rib_path_view *v = i->path;
	const struct rib_peer_conf *peer = rib_peer_conf(v->peer);
	char prefix[PREFIX_STRLEN], since[TIME_STRLEN], from[64], ranked[64];

	text_table(r, i->table);
	told_by(i, from, sizeof(from));
	rank(i, ranked, sizeof(ranked));
	text_line(r, CTL_ROUTE, "%-20s %s [%s %s%s]%s %s", i->first ? prefix_print(&v->prefix, prefix) : "",
	          route_kind(v), peer->name, render_time(r, v->since_us, since), from, v->best ? " *" : "",
	          ranked);
	hop(r, v);
	if (i->all) {
		text_line(r, CTL_ROUTE_TYPE, "\tType: %s univ", types[peer->source]);
		if (peer->source == SOURCE_BGP || i->exported)
			text_attributes(r, i->attrs, i->exported);
		if (!i->exported)
			reasons(r, i);
		export_policy(r, i);
	} else if (i->filtered) {
		refusal(r, i);
	}
	if (v->best && (i->of_fib || (i->all && !i->exported)))
		kernel_state(r, i);
}

void text_adopted(struct render *r, const struct ctl_adopted *a)
{
	static const char *const kinds[] = {
		[RIB_UNICAST] = "unicast", [RIB_BLACKHOLE] = "blackhole", [RIB_UNREACHABLE] = "unreachable"
	};
	const char *link = a->ifindex ? r->backend->ifname(r->backend->ctx, a->ifindex) : NULL;
	char prefix[PREFIX_STRLEN], addr[IP_STRLEN];

	text_table(r, "fib");
	text_line(r, CTL_ROUTE, "%-20s %s [adopted] until its peer is back", prefix_print(&a->prefix, prefix),
	          kinds[a->kind]);
	if (a->gateway.family)
		text_line(r, CTL_ROUTE, "\tvia %s on %s", ip_print(&a->gateway, addr), link ? link : "?");
	else if (a->ifindex)
		text_line(r, CTL_ROUTE, "\tdev %s", link ? link : "?");
}

void text_count(struct render *r, const struct route_count *c)
{
	text_line(r, CTL_ROUTE, "%zu of %zu routes for %zu networks in table %s", c->shown, c->routes,
	          c->networks, c->table);
}
