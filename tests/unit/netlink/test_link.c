/* SPDX-License-Identifier: BSD-2-Clause */
/* test_link.c - what the host has is told once, then every change, and what vanished in silence, too. */
#include "netlink/link.h"

#include "netlink/fib.h"
#include "unit/netlink/netns.h"
#include "unit/unit.h"

#include <net/if.h>

static struct loop *loop;
static struct link_watch *watch;
static char heard[1 << 16];

__attribute__((format(printf, 1, 2))) static void hear(const char *fmt, ...)
{
	size_t n = strlen(heard);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(heard + n, sizeof(heard) - n, fmt, ap);
	va_end(ap);
}

static void link_set(void *ctx, const struct link_info *l)
{
	(void)ctx;
	hear("link %s %s %s[%s] mtu %u%s\n", l->name, l->up ? "up" : "down", l->kind, l->alias, l->mtu,
	     l->up == l->was_up ? ""
	     : l->up            ? " came"
	                        : " went");
}

static void link_del(void *ctx, uint32_t ifindex, const char *name)
{
	(void)ctx;
	(void)ifindex;
	hear("no link %s\n", name);
}

static void address(const char *what, const struct ip *a, uint8_t len)
{
	char text[IP_STRLEN];

	hear("%s %s/%u\n", what, ip_print(a, text), len);
}

static void address_set(void *ctx, uint32_t ifindex, const struct ip *a, uint8_t len)
{
	(void)ctx;
	(void)ifindex;
	address("address", a, len);
}

static void address_del(void *ctx, uint32_t ifindex, const struct ip *a, uint8_t len)
{
	(void)ctx;
	(void)ifindex;
	address("no address", a, len);
}

static void route(const char *what, const struct link_route *r)
{
	char prefix[PREFIX_STRLEN], gateway[IP_STRLEN];

	hear("%s %s via %s if %s metric %u table %u%s\n", what, prefix_print(&r->prefix, prefix),
	     ip_print(&r->gateway, gateway), r->ifindex ? "yes" : "no", r->metric, r->table,
	     r->local ? " local" : "");
}

static void route_set(void *ctx, const struct link_route *r)
{
	(void)ctx;
	route("route", r);
}

static void route_del(void *ctx, const struct link_route *r)
{
	(void)ctx;
	route("no route", r);
}

static void own_route_lost(void *ctx, const struct prefix *p)
{
	char text[PREFIX_STRLEN];

	(void)ctx;
	hear("lost %s\n", prefix_print(p, text));
}

static void neighbor_state(void *ctx, uint32_t ifindex, const struct ip *a, bool failed)
{
	(void)ctx;
	(void)ifindex;
	address(failed ? "dead" : "alive", a, 0);
}

static void events_lost(void *ctx)
{
	(void)ctx;
	hear("events lost\n");
}

static void sync_begin(void *ctx)
{
	(void)ctx;
	hear("sync begin\n");
}

static void sync_end(void *ctx)
{
	(void)ctx;
	hear("sync end\n");
}

static void link_touched(void *ctx, uint32_t ifindex)
{
	char name[IF_NAMESIZE];

	(void)ctx;
	hear("touched %s\n", if_indextoname(ifindex, name) ? name : "?");
}

static void rule_del(void *ctx, uint8_t protocol)
{
	(void)ctx;
	hear("no rule of %u\n", protocol);
}

static void other_route(void *ctx)
{
	(void)ctx;
	hear("other route\n");
}

static const struct link_events events = { .link_set = link_set,
	                                   .link_del = link_del,
	                                   .address_set = address_set,
	                                   .address_del = address_del,
	                                   .route_set = route_set,
	                                   .route_del = route_del,
	                                   .own_route_lost = own_route_lost,
	                                   .neighbor_state = neighbor_state,
	                                   .link_touched = link_touched,
	                                   .rule_del = rule_del,
	                                   .other_route = other_route,
	                                   .events_lost = events_lost,
	                                   .sync_begin = sync_begin,
	                                   .sync_end = sync_end };

static bool has_heard(void *text)
{
	return strstr(heard, text) != NULL;
}

#define ck_heard(text)                                                                                   \
	ck_assert_msg(run_until(loop, has_heard, (char *)(text), 20000), "not heard: %s\nbut: %s", text, \
	              heard)
#define ck_not_heard(text)                                               \
	do {                                                             \
		run_until(loop, NULL, NULL, 30);                         \
		ck_assert_msg(!strstr(heard, text), "heard: %s", heard); \
	} while (0)

static void start(void)
{
	netns_enter();
	must("ip link add a0 type veth peer name a1 && ip link set a1 up && ip link set a0 up");
	must("ip addr add 10.1.0.1/24 dev a0 && ip -6 addr add fd01::1/64 dev a0 nodad");
	must("ip route add 10.50.0.0/16 via 10.1.0.2 metric 7");
	must("ip route add 10.51.0.0/16 via 10.1.0.2 proto 178 metric 32");
	loop = loop_new();
	ck_assert_int_eq(link_watch_new(loop, 178, 254, &events, NULL, &watch), 0);
	run_until(loop, NULL, NULL, 20);
}

static void finish(void)
{
	link_watch_free(watch);
	loop_free(loop);
}

START_TEST(tells_what_is_there)
{
	const struct link_info *l = NULL;
	unsigned n = 0;

	start();
	ck_heard("link a0 up veth[] mtu 1500");
	ck_heard("address 10.1.0.1/24");
	ck_heard("address fd01::1/64");
	ck_heard("route 10.1.0.0/24 via - if yes metric 0 table 254");
	ck_heard("route 10.1.0.1/32 via - if yes metric 0 table 255 local");
	ck_heard("route 10.50.0.0/16 via 10.1.0.2 if yes metric 7 table 254");
	ck_heard("route fd01::/64 via - if yes metric 256 table 254");
	ck_assert_ptr_null(strstr(heard, "10.51.0.0"));
	ck_assert_ptr_null(strstr(heard, "sync"));
	ck_assert_ptr_nonnull(link_by_name(watch, "a0"));
	ck_assert_ptr_eq(link_by_index(watch, if_nametoindex("a0")), link_by_name(watch, "a0"));
	ck_assert_ptr_null(link_by_name(watch, "nosuch"));
	while ((l = link_next(watch, l)))
		n++;
	ck_assert_uint_eq(n, 3);
	finish();
}
END_TEST

START_TEST(tells_changes)
{
	start();
	must("ip link add b0 mtu 1400 type veth peer name b1 && ip link set b0 alias mcbgpd && ip link set "
	     "b1 up");
	ck_heard("link b0 down veth[] mtu 1400"); /* the kernel does not announce an alias while the link is
	                                             down */
	must("ip link set b0 up");
	ck_heard("link b0 up veth[mcbgpd] mtu 1400");
	must("ip link set b1 down");
	heard[0] = '\0';
	ck_heard("link b0 down");
	must("ip link del b0");
	ck_heard("no link b0");
	must("ip addr add 10.2.0.1/24 dev a0 && ip addr del 10.2.0.1/24 dev a0");
	ck_heard("no address 10.2.0.1/24");
	must("ip route add blackhole 10.60.0.0/16");
	ck_heard("route 10.60.0.0/16 via - if no");
	must("ip route add 10.61.0.0/16 via inet6 fd01::2 dev a0");
	ck_heard("route 10.61.0.0/16 via fd01::2 if yes");
	must("ip route del 10.60.0.0/16");
	ck_heard("no route 10.60.0.0/16");
	must("ip route add 10.62.0.0/16 dev a0 table 77");
	ck_not_heard("10.62.0.0");
	ck_heard("other route");
	must("ip rule add fwmark 9 lookup 99 protocol 177 && ip rule del fwmark 9 lookup 99 protocol 177");
	ck_heard("no rule of 177");
	must("ip -6 rule add fwmark 9 lookup 99 protocol 176 && ip -6 rule del fwmark 9 lookup 99 protocol "
	     "176");
	ck_heard("no rule of 176");
	must("echo 2 >/proc/sys/net/ipv4/conf/a0/rp_filter");
	ck_heard("touched a0");
	heard[0] = '\0';
	must("ip link add v0 up type vxlan id 9 dstport 4789 local 10.1.0.1");
	ck_heard("touched v0"); /* its sysctls came with it */
	run_until(loop, NULL, NULL, 150);
	heard[0] = '\0';
	must("bridge fdb add 02:00:00:00:00:09 dev v0 dst 10.1.0.2");
	ck_not_heard("touched");
	must("bridge fdb append 00:00:00:00:00:00 dev v0 dst 10.1.0.2");
	ck_heard("touched v0");
	heard[0] = '\0';
	must("bridge fdb del 00:00:00:00:00:00 dev v0 dst 10.1.0.2");
	ck_heard("touched v0");
	must("ip neigh add 10.1.0.9 dev a0 lladdr 02:00:00:00:00:01 nud permanent && ip neigh change "
	     "10.1.0.9 dev a0 nud failed");
	ck_heard("alive 10.1.0.9");
	ck_heard("dead 10.1.0.9");
	finish();
}
END_TEST

/* Whoever waits for a link is told once, however often it changes otherwise. */
START_TEST(tells_when_a_link_comes_up)
{
	start();
	ck_heard("link a0 up veth[] mtu 1500 came");
	must("ip link set a0 mtu 1400");
	ck_heard("link a0 up veth[] mtu 1400\n");
	ck_assert_ptr_null(strstr(heard, "mtu 1400 came"));
	must("ip link set a0 down");
	ck_heard("link a0 down veth[] mtu 1400 went");
	must("ip link set a0 up");
	ck_heard("link a0 up veth[] mtu 1400 came");
	finish();
}
END_TEST

START_TEST(own_routes_of_others_making)
{
	start();
	must("ip route del 10.51.0.0/16 proto 178");
	ck_heard("lost 10.51.0.0/16");
	must("ip route add 10.52.0.0/16 via 10.1.0.2 metric 32 proto 178");
	ck_heard("lost 10.52.0.0/16");
	heard[0] = '\0';
	must("ip route replace 10.52.0.0/16 via 10.1.0.3 metric 32 proto static");
	ck_heard("lost 10.52.0.0/16");
	finish();
}
END_TEST

static void set_many(struct fib *fib, const struct fib_route *r)
{
	for (uint32_t i = 0; i < 200; i++) {
		struct ip a = ip_v4(0x0a460000u + (i << 8));
		struct prefix p = prefix_make(&a, 24);

		ck_assert_int_eq(fib_set(fib, &p, r), 0);
	}
}

static bool all_written(void *fib)
{
	struct fib_stats s;

	fib_stats(fib, &s);
	return s.routes_queued == 0;
}

/* Neither a few, which the loop writes, nor many, which the thread does. */
START_TEST(own_changes_are_not_echoed)
{
	struct fib_params params = { .table = 254, .metric = 32, .protocol = 178, .nexthop_groups = true };
	struct fib_hop hop = { .gateway = ip_v4(0x0a010002), .weight = 1 };
	struct fib_route r = { .kind = FIB_UNICAST, .hops = &hop, .n_hops = 1 };
	uint32_t ports[FIB_PORTS];
	struct fib *fib;
	struct prefix p;

	start();
	hop.ifindex = if_nametoindex("a0");
	ck_assert_int_eq(fib_open(loop, &params, &fib), 0);
	fib_port_ids(fib, ports);
	link_watch_ignore(watch, ports, FIB_PORTS);
	ck_assert(prefix_parse("10.70.0.0/16", true, &p));
	ck_assert_int_eq(fib_set(fib, &p, &r), 0);
	run_until(loop, NULL, NULL, 20);
	ck_assert_int_eq(fib_query(fib, &p, NULL), FIB_INSTALLED);
	ck_assert_int_eq(fib_set(fib, &p, NULL), 0);
	ck_not_heard("10.70.0.0");
	for (unsigned i = 0; i < 2; i++) {
		set_many(fib, &r);
		ck_assert(run_until(loop, all_written, fib, 20000));
		set_many(fib, NULL);
		ck_assert(run_until(loop, all_written, fib, 20000));
	}
	ck_not_heard("10.70.");
	fib_close(fib, true);
	ck_not_heard("10.51.0.0");
	finish();
}
END_TEST

START_TEST(routes_that_vanish_in_silence_are_found)
{
	start();
	heard[0] = '\0';
	must("ip link set a0 down");
	ck_heard("link a0 down");
	ck_heard("sync end");
	ck_assert_ptr_null(strstr(heard, "route 10.50.0.0/16"));
	must("ip link set a0 up");
	ck_heard("route 10.1.0.0/24");
	finish();
}
END_TEST

START_TEST(lost_events_lead_to_a_sync)
{
	start();
	heard[0] = '\0';
	/* Nobody listens while more happens than the queue holds. */
	must("seq 1 60000 | awk '{ printf \"route add 10.%%d.%%d.%%d/32 dev a0 metric 5\\n\", 100 + $1 / "
	     "65536, $1 / 256 %% 256, $1 %% 256 }' "
	     "| ip -batch -");
	run_until(loop, has_heard, (char *)"sync end", 5000);
	ck_assert_ptr_nonnull(strstr(heard, "events lost"));
	finish();
}
END_TEST

UNIT_MAIN("link", UNIT(tells_what_is_there), UNIT(tells_changes), UNIT(tells_when_a_link_comes_up),
          UNIT(own_routes_of_others_making), UNIT(own_changes_are_not_echoed),
          UNIT(routes_that_vanish_in_silence_are_found), UNIT(lost_events_lead_to_a_sync))
