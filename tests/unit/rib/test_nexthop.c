/* SPDX-License-Identifier: BSD-2-Clause */
/* test_nexthop.c - resolution of next hops: one situation a row, the events that lead from one to another,
 * and random facts in random order against a model that scans lists. */
#include "rib/nexthop.h"
#include "unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct ip ip_of(const char *text)
{
	struct ip a = { 0 };

	ck_assert_msg(!*text || ip_parse(text, &a), "%s", text);
	return a;
}

static struct prefix prefix_of(const char *text)
{
	struct prefix p;

	ck_assert_msg(prefix_parse(text, true, &p), "%s", text);
	return p;
}

/* What the table reported, for those who count. */
struct report {
	unsigned n;
	nexthop_id id;
	struct nexthop nh;
};

static void on_changed(void *ctx, nexthop_id id, const struct nexthop *nh)
{
	struct report *r = ctx;

	r->n++;
	r->id = id;
	r->nh = *nh;
}

static struct nexthop_table *table_new(struct report *r)
{
	struct nexthop_table *t = nexthop_table_new(on_changed, r);

	ck_assert_ptr_nonnull(t);
	*r = (struct report){ 0 };
	return t;
}

/* "PREFIX via GATEWAY dev N metric M", as `ip route` would say it; via "": connected; dev 0: blackhole. */
struct route {
	const char *prefix, *via;
	uint32_t dev, metric;
};

static struct host_route host_route_of(const struct route *r)
{
	return (struct host_route){ prefix_of(r->prefix), ip_of(r->via), r->dev, r->metric };
}

static void route_set(struct nexthop_table *t, const struct route *r)
{
	struct host_route h = host_route_of(r);

	ck_assert_int_eq(nexthop_route_set(t, &h), 0);
}

static void route_del(struct nexthop_table *t, const struct route *r)
{
	struct prefix p = prefix_of(r->prefix);

	nexthop_route_del(t, &p, r->metric);
}

static void link_set(struct nexthop_table *t, uint32_t ifindex, bool up)
{
	ck_assert_int_eq(nexthop_link_set(t, ifindex, up), 0);
}

static void dead_set(struct nexthop_table *t, const char *addr, bool dead)
{
	struct ip a = ip_of(addr);

	ck_assert_int_eq(nexthop_dead_set(t, &a, NH_CAUSE_NEIGHBOR, dead), 0);
}

static void address_set(struct nexthop_table *t, const char *addr, bool present)
{
	struct ip a = ip_of(addr);

	ck_assert_int_eq(nexthop_address_set(t, &a, present), 0);
}

static nexthop_id get(struct nexthop_table *t, const char *addr, uint32_t scope)
{
	struct ip a = ip_of(addr);
	nexthop_id id = nexthop_get(t, &a, scope);

	ck_assert_uint_ne(id, 0);
	return id;
}

/* ---- situations ------------------------------------------------------------------------------- */

#define LAN                                \
	{                                  \
		"192.168.1.0/24", "", 1, 0 \
	}
#define VXLAN                                \
	{                                    \
		"192.168.234.0/24", "", 2, 0 \
	}
#define DEFAULT                                      \
	{                                            \
		"0.0.0.0/0", "192.168.1.254", 1, 100 \
	}
#define LAN6                                  \
	{                                     \
		"2001:db8:1::/64", "", 1, 256 \
	}
#define DEFAULT6                           \
	{                                  \
		"::/0", "fe80::1", 1, 1024 \
	}

/* Links 1 and 2 are up, 3 is down, 4 is unknown. */
static const struct {
	const char *what;
	struct route routes[5];
	const char *own, *dead; /* NULL: none */
	const char *addr;
	uint32_t scope;
	enum nexthop_why why;
	const char *gateway;
	uint32_t ifindex, metric;
	bool connected;
} cases[] = {
	{ "no routes at all", { { 0 } }, .addr = "10.0.0.1", .why = NH_NO_ROUTE },
	{ "routes elsewhere", { LAN, VXLAN }, .addr = "10.0.0.1", .why = NH_NO_ROUTE },
	{ "connected",
	  { LAN, VXLAN },
	  .addr = "192.168.234.2",
	  .gateway = "192.168.234.2",
	  .ifindex = 2,
	  .connected = true },
	{ "connected, with a metric of no account",
	  { { "192.168.1.0/24", "", 1, 100 } },
	  .addr = "192.168.1.7",
	  .gateway = "192.168.1.7",
	  .ifindex = 1,
	  .connected = true },
	{ "by a gateway",
	  { LAN, { "10.9.0.0/16", "192.168.1.254", 1, 20 } },
	  .addr = "10.9.1.1",
	  .gateway = "192.168.1.254",
	  .ifindex = 1,
	  .metric = 20 },
	{ "by the default route",
	  { LAN, DEFAULT },
	  .addr = "203.0.113.7",
	  .gateway = "192.168.1.254",
	  .ifindex = 1,
	  .metric = 100 },
	{ "the longest prefix",
	  { LAN,
	    VXLAN,
	    DEFAULT,
	    { "10.9.0.0/16", "192.168.1.254", 1, 1 },
	    { "10.9.1.0/24", "192.168.234.2", 2, 900 } },
	  .addr = "10.9.1.1",
	  .gateway = "192.168.234.2",
	  .ifindex = 2,
	  .metric = 900 },
	{ "the lowest metric",
	  { LAN,
	    VXLAN,
	    { "10.9.0.0/16", "192.168.1.254", 1, 20 },
	    { "10.9.0.0/16", "192.168.234.2", 2, 10 } },
	  .addr = "10.9.1.1",
	  .gateway = "192.168.234.2",
	  .ifindex = 2,
	  .metric = 10 },
	{ "the lowest metric though its link is down",
	  { LAN,
	    { "192.168.3.0/24", "", 3, 0 },
	    { "10.9.0.0/16", "192.168.3.1", 3, 10 },
	    { "10.9.0.0/16", "192.168.1.1", 1, 20 } },
	  .addr = "10.9.1.1",
	  .why = NH_LINK_DOWN },
	{ "blackhole",
	  { LAN, DEFAULT, { "10.9.0.0/16", "", 0, 0 } },
	  .addr = "10.9.1.1",
	  .why = NH_BLACKHOLE },
	{ "more specific than a blackhole",
	  { LAN, { "10.9.0.0/16", "", 0, 0 }, { "10.9.1.0/24", "192.168.1.1", 1, 5 } },
	  .addr = "10.9.1.1",
	  .gateway = "192.168.1.1",
	  .ifindex = 1,
	  .metric = 5 },
	{ "link down", { { "192.168.3.0/24", "", 3, 0 } }, .addr = "192.168.3.1", .why = NH_LINK_DOWN },
	{ "link unknown", { { "192.168.4.0/24", "", 4, 0 } }, .addr = "192.168.4.1", .why = NH_LINK_DOWN },
	{ "gateway's link down",
	  { { "192.168.3.0/24", "", 3, 0 }, { "10.0.0.0/8", "192.168.3.1", 3, 0 } },
	  .addr = "10.1.1.1",
	  .why = NH_LINK_DOWN },
	{ "gateway nowhere",
	  { { "10.0.0.0/8", "192.168.1.1", 1, 0 } },
	  .addr = "10.1.1.1",
	  .why = NH_BAD_GATEWAY },
	{ "gateway on another link",
	  { LAN, VXLAN, { "10.0.0.0/8", "192.168.1.1", 2, 0 } },
	  .addr = "10.1.1.1",
	  .why = NH_BAD_GATEWAY },
	{ "gateway behind a gateway",
	  { LAN, { "10.9.0.0/16", "192.168.1.1", 1, 0 }, { "10.0.0.0/8", "10.9.0.1", 1, 0 } },
	  .addr = "10.1.1.1",
	  .why = NH_BAD_GATEWAY },
	{ "gateway by itself",
	  { { "0.0.0.0/0", "10.0.0.1", 1, 0 } },
	  .addr = "10.0.0.2",
	  .why = NH_BAD_GATEWAY },
	{ "gateway on the link, whatever else leads to it",
	  { LAN, { "192.168.1.1/32", "192.168.1.254", 1, 0 }, { "10.0.0.0/8", "192.168.1.1", 1, 0 } },
	  .addr = "10.1.1.1",
	  .gateway = "192.168.1.1",
	  .ifindex = 1 },
	{ "gateway on two links: the route's own",
	  { LAN, { "192.168.1.0/24", "", 2, 5 }, { "10.0.0.0/8", "192.168.1.1", 2, 0 } },
	  .addr = "10.1.1.1",
	  .gateway = "192.168.1.1",
	  .ifindex = 2 },
	{ "our own address", { LAN }, .own = "192.168.1.10", .addr = "192.168.1.10", .why = NH_OWN_ADDRESS },
	{ "somebody's address",
	  { LAN },
	  .own = "192.168.1.10",
	  .addr = "192.168.1.1",
	  .gateway = "192.168.1.1",
	  .ifindex = 1,
	  .connected = true },
	{ "dead", { LAN }, .dead = "192.168.1.1", .addr = "192.168.1.1", .why = NH_DEAD },
	{ "dead, and no route", { { 0 } }, .dead = "192.168.1.1", .addr = "192.168.1.1", .why = NH_DEAD },
	{ "dead gateway", { LAN, DEFAULT }, .dead = "192.168.1.254", .addr = "10.1.1.1", .why = NH_DEAD },
	{ "dead, and our own",
	  { LAN },
	  .own = "192.168.1.1",
	  .dead = "192.168.1.1",
	  .addr = "192.168.1.1",
	  .why = NH_OWN_ADDRESS },
	{ "another is dead",
	  { LAN },
	  .dead = "192.168.1.2",
	  .addr = "192.168.1.1",
	  .gateway = "192.168.1.1",
	  .ifindex = 1,
	  .connected = true },
	{ "IPv6",
	  { LAN, LAN6 },
	  .addr = "2001:db8:1::7",
	  .gateway = "2001:db8:1::7",
	  .ifindex = 1,
	  .connected = true },
	{ "IPv6 by a link-local gateway",
	  { DEFAULT6 },
	  .addr = "2001:db8:9::7",
	  .gateway = "fe80::1",
	  .ifindex = 1,
	  .metric = 1024 },
	{ "IPv6 does not take IPv4's default",
	  { LAN, DEFAULT },
	  .addr = "2001:db8:9::7",
	  .why = NH_NO_ROUTE },
	{ "IPv4 by an IPv6 gateway",
	  { { "10.0.0.0/8", "fe80::1", 1, 3 } },
	  .addr = "10.1.1.1",
	  .gateway = "fe80::1",
	  .ifindex = 1,
	  .metric = 3 },
	{ "link-local",
	  { { 0 } },
	  .addr = "fe80::1",
	  .scope = 2,
	  .gateway = "fe80::1",
	  .ifindex = 2,
	  .connected = true },
	{ "link-local, link down", { { 0 } }, .addr = "fe80::1", .scope = 3, .why = NH_LINK_DOWN },
	{ "link-local, no scope",
	  { { "fe80::/64", "", 1, 256 }, DEFAULT6 },
	  .addr = "fe80::1",
	  .why = NH_NO_ROUTE },
	{ "link-local asks no route",
	  { { "fe80::/64", "", 1, 256 } },
	  .addr = "fe80::1",
	  .scope = 2,
	  .gateway = "fe80::1",
	  .ifindex = 2,
	  .connected = true },
	{ "link-local and dead",
	  { { 0 } },
	  .dead = "fe80::1",
	  .addr = "fe80::1",
	  .scope = 2,
	  .why = NH_DEAD },
	{ "IPv4 link-local by its route",
	  { { "169.254.10.0/30", "", 2, 0 } },
	  .addr = "169.254.10.1",
	  .gateway = "169.254.10.1",
	  .ifindex = 2,
	  .connected = true },
};

static void tell_routes(struct nexthop_table *t, int row)
{
	for (const struct route *r = cases[row].routes; r < cases[row].routes + 5 && r->prefix; r++)
		route_set(t, r);
}

static void tell_links(struct nexthop_table *t, int row)
{
	(void)row;
	link_set(t, 1, true);
	link_set(t, 2, true);
	link_set(t, 3, true);
	link_set(t, 3, false);
}

static void tell_addresses(struct nexthop_table *t, int row)
{
	if (cases[row].own)
		address_set(t, cases[row].own, true);
	if (cases[row].dead)
		dead_set(t, cases[row].dead, true);
}

static void ask_for(struct nexthop_table *t, int row)
{
	get(t, cases[row].addr, cases[row].scope);
}

static void (*const steps[])(struct nexthop_table *t, int row) = { tell_routes, tell_links, tell_addresses,
	                                                           ask_for };

static void check_case(const struct nexthop *nh, int row)
{
	struct ip gateway = cases[row].why == NH_OK ? ip_of(cases[row].gateway) : (struct ip){ 0 };

	ck_assert_msg(nh->why == cases[row].why, "%s: %s", cases[row].what, nexthop_why_text(nh->why));
	ck_assert_msg(ip_equal(&nh->gateway, &gateway), "%s", cases[row].what);
	ck_assert_uint_eq(nh->ifindex, cases[row].ifindex);
	ck_assert_uint_eq(nh->metric, cases[row].metric);
	ck_assert_int_eq(nh->connected, cases[row].connected);
	ck_assert_uint_eq(nh->refs, 1);
	ck_assert_uint_eq(nh->scope, cases[row].scope);
}

/* In each of the 24 orders in which routes, links, addresses and the question may come. */
START_TEST(situation)
{
	for (int order = 0; order < 256; order++) {
		unsigned seen = 0;
		struct report r;
		struct nexthop_table *t;

		for (int i = 0; i < 4; i++)
			seen |= 1u << (order >> 2 * i & 3);
		if (seen != 15)
			continue;
		t = table_new(&r);
		for (int i = 0; i < 4; i++)
			steps[order >> 2 * i & 3](t, _i);
		check_case(nexthop_at(t, nexthop_next(t, 0)), _i);
		nexthop_table_free(t);
	}
}
END_TEST

START_TEST(every_reason_has_words)
{
	for (unsigned w = NH_OK; w <= NH_BAD_GATEWAY; w++) {
		ck_assert_ptr_nonnull(nexthop_why_text(w));
		for (unsigned other = 0; other < w; other++)
			ck_assert_str_ne(nexthop_why_text(w), nexthop_why_text(other));
	}
}
END_TEST

/* ---- handles ---------------------------------------------------------------------------------- */

START_TEST(handles_are_counted)
{
	struct report r;
	struct nexthop_table *t = table_new(&r);
	nexthop_id a = get(t, "10.0.0.1", 0), b = get(t, "10.0.0.2", 0);

	ck_assert_uint_ne(a, b);
	ck_assert_uint_eq(get(t, "10.0.0.1", 0), a);
	ck_assert_uint_eq(get(t, "10.0.0.1", 0), a);
	ck_assert_uint_eq(nexthop_at(t, a)->refs, 3);
	ck_assert_uint_eq(nexthop_count(t), 2);
	for (int i = 0; i < 3; i++)
		nexthop_put(t, a);
	ck_assert_uint_eq(nexthop_count(t), 1);
	ck_assert_uint_eq(nexthop_next(t, 0), b);
	ck_assert_uint_eq(nexthop_next(t, b), 0);
	ck_assert_uint_eq(get(t, "10.0.0.3", 0), a); /* dense */
	nexthop_put(t, b);
	nexthop_table_free(t); /* one is still held */
	nexthop_table_free(NULL);
}
END_TEST

START_TEST(one_address_on_several_links)
{
	struct report r;
	struct nexthop_table *t = table_new(&r);
	nexthop_id id[4];

	link_set(t, 1, true);
	link_set(t, 3, true);
	for (uint32_t scope = 0; scope < 4; scope++)
		id[scope] = get(t, "fe80::1", scope);
	ck_assert_uint_eq(nexthop_count(t), 4);
	ck_assert_uint_eq(nexthop_at(t, id[1])->ifindex, 1);
	ck_assert_int_eq(nexthop_at(t, id[2])->why, NH_LINK_DOWN);
	ck_assert_uint_eq(nexthop_at(t, id[3])->ifindex, 3);
	nexthop_put(t, id[2]); /* from the middle of the chain */
	link_set(t, 1, false);
	ck_assert(r.n == 1 && r.id == id[1] && r.nh.why == NH_LINK_DOWN);
	dead_set(t, "fe80::1", true);
	ck_assert_uint_eq(r.n, 4);
	nexthop_put(t, id[0]);
	nexthop_put(t, id[3]);
	dead_set(t, "fe80::1", false);
	ck_assert(r.n == 5 && r.id == id[1] && r.nh.why == NH_LINK_DOWN);
	nexthop_put(t, id[1]);
	ck_assert_uint_eq(nexthop_count(t), 0);
	ck_assert_uint_eq(nexthop_next(t, 0), 0);
	nexthop_table_free(t);
}
END_TEST

/* ---- events ----------------------------------------------------------------------------------- */

/* One table, one next hop; each step is told once more, which must not be reported. */
struct scene {
	struct report r;
	struct nexthop_table *t;
	nexthop_id id;
};

static void scene_begin(struct scene *s, const char *addr)
{
	static const struct route lan = LAN, vxlan = VXLAN;

	s->t = table_new(&s->r);
	link_set(s->t, 1, true);
	link_set(s->t, 2, true);
	route_set(s->t, &lan);
	route_set(s->t, &vxlan);
	s->id = get(s->t, addr, 0);
	ck_assert_uint_eq(s->r.n, 0); /* nexthop_get() tells by returning */
}

/* Exactly one report since the last call, and this is what it said. */
static void expect(struct scene *s, enum nexthop_why why, uint32_t ifindex)
{
	ck_assert_uint_eq(s->r.n, 1);
	ck_assert_uint_eq(s->r.id, s->id);
	ck_assert_msg(s->r.nh.why == why, "%s", nexthop_why_text(s->r.nh.why));
	ck_assert_uint_eq(s->r.nh.ifindex, ifindex);
	s->r.n = 0;
}

static void expect_nothing(const struct scene *s)
{
	ck_assert_uint_eq(s->r.n, 0);
}

START_TEST(routes_come_and_go)
{
	static const struct route by_lan = { "10.9.0.0/16", "192.168.1.1", 1, 20 },
	                          better = { "10.9.0.0/16", "192.168.234.2", 2, 10 },
	                          elsewhere = { "10.8.0.0/16", "192.168.1.1", 1, 20 },
	                          longer = { "10.9.1.0/24", "", 0, 0 };
	struct scene s;

	scene_begin(&s, "10.9.1.1");
	route_set(s.t, &elsewhere);
	expect_nothing(&s);
	route_set(s.t, &by_lan);
	expect(&s, NH_OK, 1);
	route_set(s.t, &by_lan);
	expect_nothing(&s);
	route_set(s.t, &better);
	expect(&s, NH_OK, 2);
	route_del(s.t, &by_lan);
	expect_nothing(&s);
	route_set(s.t, &by_lan);
	expect_nothing(&s);
	route_set(s.t, &longer);
	expect(&s, NH_BLACKHOLE, 0);
	route_del(s.t, &longer);
	expect(&s, NH_OK, 2);
	route_del(s.t, &better);
	expect(&s, NH_OK, 1);
	route_del(s.t, &better);
	expect_nothing(&s);
	route_del(s.t, &by_lan);
	expect(&s, NH_NO_ROUTE, 0);
	nexthop_table_free(s.t);
}
END_TEST

START_TEST(a_route_changes_in_place)
{
	static const struct route first = { "10.9.0.0/16", "192.168.1.1", 1, 20 },
	                          other_gateway = { "10.9.0.0/16", "192.168.1.2", 1, 20 },
	                          other_link = { "10.9.0.0/16", "192.168.234.2", 2, 20 },
	                          blackhole = { "10.9.0.0/16", "", 0, 20 };
	struct scene s;

	scene_begin(&s, "10.9.1.1");
	route_set(s.t, &first);
	expect(&s, NH_OK, 1);
	route_set(s.t, &other_gateway);
	expect(&s, NH_OK, 1);
	route_set(s.t, &other_link);
	expect(&s, NH_OK, 2);
	route_set(s.t, &blackhole);
	expect(&s, NH_BLACKHOLE, 0);
	nexthop_table_free(s.t);
}
END_TEST

/* What carries a next hop behind a gateway is not within its prefix. */
START_TEST(the_gateway_comes_and_goes)
{
	static const struct route lan = LAN, lan_by_gateway = { "192.168.1.0/24", "192.168.234.2", 2, 0 },
	                          def = DEFAULT;
	struct scene s;

	scene_begin(&s, "10.9.1.1");
	route_set(s.t, &def);
	expect(&s, NH_OK, 1);
	route_del(s.t, &lan);
	expect(&s, NH_BAD_GATEWAY, 0);
	route_set(s.t, &lan);
	expect(&s, NH_OK, 1);
	route_set(s.t, &lan_by_gateway); /* was connected, is no longer */
	expect(&s, NH_BAD_GATEWAY, 0);
	route_set(s.t, &lan);
	expect(&s, NH_OK, 1);
	dead_set(s.t, "192.168.1.254", true);
	expect(&s, NH_DEAD, 0);
	dead_set(s.t, "192.168.1.254", true);
	expect_nothing(&s);
	dead_set(s.t, "192.168.1.254", false);
	expect(&s, NH_OK, 1);
	nexthop_table_free(s.t);
}
END_TEST

static void cause_set(struct scene *s, const char *addr, enum nexthop_cause cause, bool dead)
{
	struct ip a = ip_of(addr);

	ck_assert_int_eq(nexthop_dead_set(s->t, &a, cause, dead), 0);
}

/* The next hop itself, and the gateway to one. */
static const struct {
	const char *addr, *dies;
} mortals[] = {
	{ "192.168.234.2", "192.168.234.2" },
	{ "10.1.1.1", "192.168.1.254" },
};

START_TEST(what_one_cause_holds_dead_another_does_not_revive)
{
	const char *dies = mortals[_i].dies;
	uint32_t link = 2 - (uint32_t)_i;
	static const struct route way_out = DEFAULT;
	struct scene s;

	scene_begin(&s, mortals[_i].addr);
	if (_i == 1) {
		route_set(s.t, &way_out);
		expect(&s, NH_OK, 1);
	}
	cause_set(&s, dies, NH_CAUSE_TUNNEL, true);
	expect(&s, NH_DEAD_TUNNEL, 0);
	cause_set(&s, dies, NH_CAUSE_NEIGHBOR, false); /* never said so */
	expect_nothing(&s);
	cause_set(&s, dies, NH_CAUSE_NEIGHBOR, true);
	expect(&s, NH_DEAD, 0);
	cause_set(&s, dies, NH_CAUSE_SESSION, true);
	expect_nothing(&s);
	cause_set(&s, dies, NH_CAUSE_TUNNEL, false);
	expect_nothing(&s);
	cause_set(&s, dies, NH_CAUSE_NEIGHBOR, false);
	expect(&s, NH_DEAD_SESSION, 0);
	link_set(s.t, link, false);
	if (_i == 0)
		expect_nothing(&s); /* what is dead itself is not looked for */
	else
		expect(&s, NH_LINK_DOWN, 0);
	link_set(s.t, link, true);
	if (_i == 1)
		expect(&s, NH_DEAD_SESSION, 0);
	cause_set(&s, dies, NH_CAUSE_SESSION, false);
	expect(&s, NH_OK, link);
	nexthop_table_free(s.t);
}
END_TEST

START_TEST(links_and_addresses_come_and_go)
{
	struct scene s;

	scene_begin(&s, "192.168.234.2");
	link_set(s.t, 1, false);
	expect_nothing(&s);
	link_set(s.t, 2, false);
	expect(&s, NH_LINK_DOWN, 0);
	nexthop_link_del(s.t, 2);
	expect_nothing(&s);
	link_set(s.t, 2, true);
	expect(&s, NH_OK, 2);
	link_set(s.t, 2, true);
	expect_nothing(&s);
	nexthop_link_del(s.t, 2);
	expect(&s, NH_LINK_DOWN, 0);
	link_set(s.t, 2, true);
	expect(&s, NH_OK, 2);
	address_set(s.t, "192.168.234.2", true);
	expect(&s, NH_OWN_ADDRESS, 0);
	address_set(s.t, "192.168.234.2", true);
	expect_nothing(&s);
	dead_set(s.t, "192.168.234.2", true);
	expect_nothing(&s);
	address_set(s.t, "192.168.234.2", false);
	expect(&s, NH_DEAD, 0);
	address_set(s.t, "192.168.234.1", false); /* never was */
	dead_set(s.t, "192.168.234.1", false);
	expect_nothing(&s);
	nexthop_put(s.t, s.id); /* the death outlives the users */
	s.id = get(s.t, "192.168.234.2", 0);
	ck_assert_int_eq(nexthop_at(s.t, s.id)->why, NH_DEAD);
	nexthop_table_free(s.t);
}
END_TEST

START_TEST(resync)
{
	static const struct route lan = LAN, vxlan = VXLAN, def = DEFAULT,
	                          by_lan = { "10.9.0.0/16", "192.168.1.1", 1, 20 },
	                          by_vxlan = { "10.9.0.0/16", "192.168.234.2", 2, 10 };
	struct scene s;

	scene_begin(&s, "10.9.1.1");
	route_set(s.t, &def);
	expect(&s, NH_OK, 1);
	nexthop_sync_begin(s.t); /* the same again, and one more */
	route_set(s.t, &lan);
	route_set(s.t, &vxlan);
	route_set(s.t, &by_lan);
	route_set(s.t, &by_vxlan);
	route_set(s.t, &def);
	expect_nothing(&s);
	nexthop_sync_end(s.t);
	expect(&s, NH_OK, 2);
	nexthop_sync_begin(s.t);
	route_set(s.t, &lan);
	link_set(s.t, 2, false); /* acts at once */
	expect(&s, NH_LINK_DOWN, 0);
	nexthop_sync_begin(s.t); /* overrun: anew */
	route_set(s.t, &by_lan);
	route_set(s.t, &by_vxlan);
	route_del(s.t, &by_vxlan);
	expect_nothing(&s);
	nexthop_sync_end(s.t);
	expect(&s, NH_BAD_GATEWAY, 0); /* the LAN's route was not told anew */
	nexthop_sync_begin(s.t);
	nexthop_sync_end(s.t);
	expect(&s, NH_NO_ROUTE, 0);
	nexthop_sync_begin(s.t);
	nexthop_sync_end(s.t);
	expect_nothing(&s);
	nexthop_table_free(s.t);
}
END_TEST

/* ---- the model: lists, scanned ---------------------------------------------------------------- */

#define N_ADDRS  24
#define N_LINKS  4
#define N_ROUTES 40

struct model {
	struct nexthop_table *t;
	uint32_t seed;
	struct ip addr[N_ADDRS];                              /* some of them gateways, some link-local */
	bool own[N_ADDRS], dead[3][N_ADDRS], up[N_LINKS + 1]; /* dead: by cause */
	struct host_route route[N_ROUTES];
	bool route_in[N_ROUTES], route_told[N_ROUTES];
	bool syncing;
	nexthop_id id[N_ADDRS][N_LINKS + 1];
	struct nexthop seen[N_ADDRS * (N_LINKS + 1) + 1]; /* what was last returned or reported, by id */
	unsigned reports[N_ADDRS * (N_LINKS + 1) + 1];
};

static uint32_t draw(struct model *m, uint32_t below)
{
	m->seed = m->seed * 1664525u + 1013904223u;
	return (m->seed >> 8) % below;
}

static bool same_answer(const struct nexthop *a, const struct nexthop *b)
{
	return a->why == b->why && a->ifindex == b->ifindex && a->metric == b->metric &&
	       a->connected == b->connected && ip_equal(&a->gateway, &b->gateway);
}

static void model_changed(void *ctx, nexthop_id id, const struct nexthop *nh)
{
	struct model *m = ctx;

	ck_assert_msg(!same_answer(&m->seen[id], nh), "reported for nothing");
	m->seen[id] = *nh;
	m->reports[id]++;
}

/* Few addresses, close together, so that routes cover each other and gateways are next hops too. */
static void model_addresses(struct model *m)
{
	for (int i = 0; i < N_ADDRS; i++) {
		if (i % 3) {
			m->addr[i] = ip_v4(0x0a000000 | draw(m, 4) << 16 | draw(m, 4));
		} else {
			struct ip a = { .family = IP_V6, .b = { 0xfe, 0x80 } };

			if (i % 2)
				a.b[0] = 0x20;
			a.b[15] = (uint8_t)(1 + draw(m, 4));
			m->addr[i] = a;
		}
	}
}

static bool model_flag(const struct model *m, const bool *flags, const struct ip *a)
{
	for (int i = 0; i < N_ADDRS; i++) {
		if (flags[i] && ip_equal(&m->addr[i], a))
			return true;
	}
	return false;
}

/* NH_OK: it lives. */
static enum nexthop_why model_dead(const struct model *m, const struct ip *a)
{
	static const enum nexthop_why whys[] = { NH_DEAD, NH_DEAD_TUNNEL, NH_DEAD_SESSION };

	for (int cause = 0; cause < 3; cause++) {
		if (model_flag(m, m->dead[cause], a))
			return whys[cause];
	}
	return NH_OK;
}

static bool v6_link_local(const struct ip *a)
{
	return a->family == IP_V6 && ip_is_link_local(a);
}

static const struct host_route *model_route(const struct model *m, const struct ip *a)
{
	const struct host_route *best = NULL;

	for (int i = 0; i < N_ROUTES; i++) {
		const struct host_route *r = &m->route[i];

		if (!m->route_in[i] || !prefix_contains_ip(&r->prefix, a))
			continue;
		if (!best || r->prefix.len > best->prefix.len ||
		    (r->prefix.len == best->prefix.len && r->metric < best->metric))
			best = r;
	}
	return best;
}

static bool model_on_link(const struct model *m, const struct ip *a, uint32_t ifindex)
{
	bool found = v6_link_local(a);

	for (int i = 0; i < N_ROUTES; i++)
		found |= m->route_in[i] && !m->route[i].gateway.family && m->route[i].ifindex == ifindex &&
		         prefix_contains_ip(&m->route[i].prefix, a);
	return found;
}

static enum nexthop_why model_why(const struct model *m, const struct ip *a, uint32_t scope,
                                  const struct host_route *r)
{
	if (model_flag(m, m->own, a) && !scope)
		return NH_OWN_ADDRESS;
	if (model_dead(m, a))
		return model_dead(m, a);
	if (scope)
		return m->up[scope] ? NH_OK : NH_LINK_DOWN;
	if (v6_link_local(a) || !r)
		return NH_NO_ROUTE;
	if (!r->ifindex)
		return NH_BLACKHOLE;
	if (!m->up[r->ifindex])
		return NH_LINK_DOWN;
	if (r->gateway.family && model_dead(m, &r->gateway))
		return model_dead(m, &r->gateway);
	return r->gateway.family && !model_on_link(m, &r->gateway, r->ifindex) ? NH_BAD_GATEWAY : NH_OK;
}

static struct nexthop model_resolve(const struct model *m, const struct ip *a, uint32_t scope)
{
	const struct host_route *r = model_route(m, a);
	struct nexthop nh = { .why = model_why(m, a, scope, r) };

	if (nh.why != NH_OK)
		return nh;
	nh.connected = scope || !r->gateway.family;
	nh.gateway = nh.connected ? *a : r->gateway;
	nh.ifindex = scope ? scope : r->ifindex;
	nh.metric = nh.connected ? 0 : r->metric;
	return nh;
}

static void model_hold(struct model *m)
{
	uint32_t i = draw(m, N_ADDRS), scope = ip_is_link_local(&m->addr[i]) ? draw(m, N_LINKS + 1) : 0;
	nexthop_id *id = &m->id[i][scope];

	for (uint32_t twin = 0; twin < i; twin++) {
		if (ip_equal(&m->addr[twin], &m->addr[i]))
			return;
	}
	if (*id) {
		nexthop_put(m->t, *id);
		*id = 0;
		return;
	}
	*id = nexthop_get(m->t, &m->addr[i], scope);
	ck_assert(*id && *id < UNIT_COUNT(m->seen));
	m->seen[*id] = *nexthop_at(m->t, *id);
	m->reports[*id] = 0;
}

static void model_route_set(struct model *m, uint32_t i)
{
	static const uint8_t lens[] = { 0, 8, 14, 16, 31, 32, 64, 127, 128 };
	struct host_route *r = &m->route[i];
	const struct ip *a = &m->addr[draw(m, N_ADDRS)];
	uint32_t len = lens[draw(m, sizeof(lens))];

	*r = (struct host_route){ .prefix = prefix_make(
		                          a, (uint8_t)(len < ip_bits(a->family) ? len : ip_bits(a->family))),
		                  .metric = draw(m, 3),
		                  .ifindex = draw(m, N_LINKS + 1) };
	if (r->ifindex && draw(m, 2))
		r->gateway = m->addr[draw(m, N_ADDRS)];
	for (uint32_t twin = 0; twin < N_ROUTES; twin++) { /* the same key: replaced */
		if (twin != i && prefix_equal(&m->route[twin].prefix, &r->prefix) &&
		    m->route[twin].metric == r->metric)
			m->route_in[twin] = false;
	}
	ck_assert_int_eq(nexthop_route_set(m->t, r), 0);
	m->route_in[i] = m->route_told[i] = true;
}

static void model_route_flip(struct model *m)
{
	uint32_t i = draw(m, N_ROUTES);

	if (!m->route_in[i]) {
		model_route_set(m, i);
		return;
	}
	nexthop_route_del(m->t, &m->route[i].prefix, m->route[i].metric);
	m->route_in[i] = false;
}

static void model_sync(struct model *m)
{
	if (!m->syncing) {
		nexthop_sync_begin(m->t);
		memset(m->route_told, 0, sizeof(m->route_told));
		for (uint32_t i = 0; i < N_ROUTES; i++) {
			if (!m->route_in[i] || draw(m, 4) == 0)
				continue;
			ck_assert_int_eq(nexthop_route_set(m->t, &m->route[i]), 0);
			m->route_told[i] = true;
		}
	} else {
		memset(m->reports, 0, sizeof(m->reports));
		for (int i = 0; i < N_ROUTES; i++)
			m->route_in[i] &= m->route_told[i];
		nexthop_sync_end(m->t);
	}
	m->syncing = !m->syncing;
}

static void model_link(struct model *m)
{
	uint32_t i = 1 + draw(m, N_LINKS);

	m->up[i] = !m->up[i] && draw(m, 4);
	if (!m->up[i] && draw(m, 2))
		nexthop_link_del(m->t, i);
	else
		link_set(m->t, i, m->up[i]);
}

static void model_flip(struct model *m, bool *flags,
                       int (*set)(struct nexthop_table *, const struct ip *, bool))
{
	uint32_t i = draw(m, N_ADDRS);
	bool on = !model_flag(m, flags, &m->addr[i]) && draw(m, 3) == 0; /* mostly not */

	for (uint32_t twin = 0; twin < N_ADDRS; twin++) {
		if (ip_equal(&m->addr[twin], &m->addr[i]))
			flags[twin] = on;
	}
	ck_assert_int_eq(set(m->t, &m->addr[i], on), 0);
}

static int neighbor_dead(struct nexthop_table *t, const struct ip *a, bool dead)
{
	return nexthop_dead_set(t, a, NH_CAUSE_NEIGHBOR, dead);
}

static int tunnel_dead(struct nexthop_table *t, const struct ip *a, bool dead)
{
	return nexthop_dead_set(t, a, NH_CAUSE_TUNNEL, dead);
}

static int session_dead(struct nexthop_table *t, const struct ip *a, bool dead)
{
	return nexthop_dead_set(t, a, NH_CAUSE_SESSION, dead);
}

static void model_death(struct model *m)
{
	static int (*const set[])(struct nexthop_table *, const struct ip *,
	                          bool) = { neighbor_dead, tunnel_dead, session_dead };
	uint32_t cause = draw(m, 3);

	model_flip(m, m->dead[cause], set[cause]);
}

static void model_step(struct model *m)
{
	switch (draw(m, 16)) {
	case 0:
		model_flip(m, m->own, nexthop_address_set);
		break;
	case 1:
		model_death(m);
		break;
	case 2:
	case 3:
		model_link(m);
		break;
	case 4:
		model_sync(m);
		break;
	case 5:
	case 6:
	case 7:
		model_hold(m);
		break;
	default:
		model_route_flip(m);
	}
}

/* Every answer is the model's, and every change of it was reported, once. */
static void model_compare(const struct model *m)
{
	size_t held = 0;

	for (uint32_t i = 0; i < N_ADDRS; i++) {
		for (uint32_t scope = 0; scope <= N_LINKS; scope++) {
			nexthop_id id = m->id[i][scope];
			struct nexthop want;

			if (!id)
				continue;
			held++;
			want = model_resolve(m, &m->addr[i], scope);
			ck_assert_msg(same_answer(nexthop_at(m->t, id), &want), "%s, not %s",
			              nexthop_why_text(nexthop_at(m->t, id)->why),
			              nexthop_why_text(want.why));
			ck_assert(same_answer(&m->seen[id], &want));
			ck_assert_uint_le(m->reports[id], 1);
		}
	}
	ck_assert_uint_eq(nexthop_count(m->t), held);
}

static const uint32_t seeds[] = { 1, 22, 333, 4444 };

START_TEST(random_against_model)
{
	static struct model m;
	unsigned answers[NH_BAD_GATEWAY + 1] = { 0 };

	m = (struct model){ .seed = seeds[_i] };
	m.t = nexthop_table_new(model_changed, &m);
	model_addresses(&m);
	for (int step = 0; step < 10000; step++) {
		memset(m.reports, 0, sizeof(m.reports));
		model_step(&m);
		if (m.syncing)
			continue;
		model_compare(&m);
		for (nexthop_id id = nexthop_next(m.t, 0); id; id = nexthop_next(m.t, id))
			answers[nexthop_at(m.t, id)->why]++;
	}
	for (unsigned w = 0; w <= NH_BAD_GATEWAY; w++)
		ck_assert_msg(answers[w] > 100, "%s", nexthop_why_text(w));
	nexthop_table_free(m.t);
}
END_TEST

UNIT_MAIN("nexthop", UNIT_ROWS(situation, cases), UNIT(every_reason_has_words), UNIT(handles_are_counted),
          UNIT(one_address_on_several_links), UNIT(routes_come_and_go), UNIT(a_route_changes_in_place),
          UNIT(the_gateway_comes_and_goes),
          UNIT_ROWS(what_one_cause_holds_dead_another_does_not_revive, mortals),
          UNIT(links_and_addresses_come_and_go), UNIT(resync), UNIT_ROWS(random_against_model, seeds))
