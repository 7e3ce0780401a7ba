/* SPDX-License-Identifier: BSD-2-Clause */
/* test_fib_hops.c - next hops come and go, by events and by other hands: routes follow, none is lost. */
#include "netlink/link.h"
#include "netlink/rtmsg.h"

#include <linux/nexthop.h>

#include "unit/netlink/fibtest.h"

START_TEST(nexthop_objects_deleted_by_hand_come_back)
{
	start();
	want("10.100.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	want("10.101.0.0/16", "a0", "10.1.0.2", "10.1.0.3", NULL);
	want("fd10::/32", "a0", "fd01::2", "fd01::3", NULL);
	settle();
	must("ip nexthop flush proto 178 >/dev/null");
	ck_assert_int_eq(lines("ip route show proto 178"), 0);
	settle();
	ck_assert_uint_eq(stats().put_back, 3);
	ck_assert_int_eq(lines("ip nexthop show proto 178"), 6);
	ck_assert_int_eq(lines("ip route show proto 178"), 4);
	ck_assert_int_eq(lines("ip -6 route show proto 178"), 3);
	finish();
}
END_TEST

START_TEST(nexthop_object_altered_by_hand_is_mended)
{
	const char *id;
	char text[16];

	start();
	want("10.100.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	settle();
	id = strstr(sh("ip nexthop show proto 178"), "id ");
	ck_assert_ptr_nonnull(id);
	snprintf(text, sizeof(text), "%d", atoi(id + 3));
	must("ip nexthop replace id %s via 10.1.0.77 dev a0 proto 178", text);
	settle();
	ck_assert_int_eq(lines("ip route show via 10.1.0.2"), 1);
	finish();
}
END_TEST

START_TEST(link_flap_puts_routes_back)
{
	uint32_t index;

	start();
	index = ifindex("a0");
	want("10.100.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	want("10.101.0.0/16", "a0", "10.1.0.2", "10.1.0.3", NULL);
	want("10.102.0.0/16", "b0", "10.2.0.2", NULL, NULL);
	want("fd10::/32", "a0", "fd01::2", NULL, NULL);
	settle();
	must("ip link set a0 down");
	fib_link_changed(fib, index);
	settle();
	ck_assert_int_eq(state("10.100.0.0/16"), FIB_FAILED);
	ck_assert_int_eq(state("10.102.0.0/16"), FIB_INSTALLED);
	must("ip link set a0 up && ip -6 addr replace fd01::1/64 dev a0 nodad");
	fib_link_changed(fib, index);
	settle();
	ck_assert_uint_eq(stats().routes_installed, 4);
	ck_assert_int_eq(lines("ip route show proto 178"), 5);
	ck_assert_int_eq(lines("ip -6 route show proto 178"), 1);
	/* Down and up before we look. */
	must("ip link set a0 down && ip link set a0 up && ip -6 addr replace fd01::1/64 dev a0 nodad");
	fib_link_changed(fib, index);
	settle();
	ck_assert_uint_eq(stats().routes_installed, 4);
	ck_assert_int_eq(lines("ip route show proto 178"), 5);
	ck_assert_int_eq(lines("ip -6 route show proto 178"), 1);
	finish();
}
END_TEST

START_TEST(group_survives_the_loss_of_a_member)
{
	struct fib_hop hops[2];
	struct fib_route r = { .kind = FIB_UNICAST, .hops = hops, .n_hops = 2 };
	struct prefix p = pfx("10.100.0.0/16");
	uint32_t index;

	start();
	index = ifindex("a0");
	hops[0] = (struct fib_hop){ .gateway = ip("10.1.0.2"), .ifindex = index, .weight = 1 };
	hops[1] = (struct fib_hop){ .gateway = ip("10.2.0.2"), .ifindex = ifindex("b0"), .weight = 3 };
	ck_assert_int_eq(fib_set(fib, &p, &r), 0);
	settle();
	ck_assert_ptr_nonnull(strstr(sh("ip route show 10.100.0.0/16"), "dev b0 weight 3"));
	must("ip link set a0 down");
	fib_link_changed(fib, index);
	settle();
	ck_assert_int_eq(state("10.100.0.0/16"), FIB_INSTALLED);
	must("ip link set a0 up");
	fib_link_changed(fib, index);
	settle();
	ck_assert_ptr_nonnull(strstr(sh("ip route show 10.100.0.0/16"), "via 10.1.0.2"));
	ck_assert_uint_eq(stats().put_back, 0);
	finish();
}
END_TEST

START_TEST(device_deleted_and_created_anew)
{
	start();
	want("10.100.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	settle();
	{
		uint32_t old = ifindex("a0");

		must("ip link del a0");
		fib_link_changed(fib, old);
		settle();
		ck_assert_int_eq(state("10.100.0.0/16"), FIB_FAILED);
	}
	up("a0");
	must("ip addr add 10.1.0.1/24 dev a0");
	want("10.100.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	settle();
	ck_assert_int_eq(state("10.100.0.0/16"), FIB_INSTALLED);
	ck_assert_int_eq(lines("ip nexthop show proto 178"), 1);
	finish();
}
END_TEST

START_TEST(dead_member_leaves_its_groups_at_once)
{
	char prefix[32];
	uint64_t before;

	start();
	for (unsigned i = 0; i < 200; i++) {
		snprintf(prefix, sizeof(prefix), "10.100.%u.0/24", i);
		want(prefix, "a0", "10.1.0.2", "10.1.0.3", NULL);
	}
	settle();
	before = stats().requests;
	ck_assert_uint_eq(judge("10.1.0.2"), 1);
	ck_assert_int_eq(lines("ip route show proto 178 | grep -wF 'via 10.1.0.2'"),
	                 0); /* no turn of the loop in between */
	ck_assert_int_eq(lines("ip route show 10.100.7.0/24 | grep -wF 'via 10.1.0.3'"), 1);
	want("10.200.0.0/16", "a0", "10.1.0.2", "10.1.0.4",
	     NULL); /* a new group with a member that is dead */
	settle();
	ck_assert_ptr_null(strstr(sh("ip route show 10.200.0.0/16"), "10.1.0.2"));
	ck_assert_uint_eq(judge(""), 0);
	ck_assert_int_eq(lines("ip route show proto 178 | grep -wF 'via 10.1.0.2'"), 201);
	ck_assert_uint_eq(stats().requests, before + 1);
	finish();
}
END_TEST

/* A node that leaves and returns: its group is held by nobody when it comes back. */
START_TEST(returns_while_no_route_holds_its_group)
{
	start();
	want("10.100.0.0/16", "a0", "10.1.0.2", "10.1.0.3", NULL);
	settle();
	ck_assert_uint_eq(judge("10.1.0.3"), 1);
	want("10.100.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	ck_assert_uint_eq(judge(""), 0);
	want("10.100.0.0/16", "a0", "10.1.0.2", "10.1.0.3", NULL);
	settle();
	ck_assert_int_eq(lines("ip route show 10.100.0.0/16 | grep -wF 'via 10.1.0.3'"), 1);
	finish();
}
END_TEST

/* A next hop on its own, and where to go when it is dead. */
static void want_with_spare(const char *prefix)
{
	const struct fib_hop hops[] = {
		{ .gateway = ip("10.1.0.2"), .ifindex = ifindex("a0"), .weight = 1 },
		{ .gateway = ip("10.2.0.2"), .ifindex = ifindex("b0"), .weight = 1, .spare = true },
	};
	const struct fib_route r = { .hops = hops, .n_hops = 2 };
	struct prefix p = pfx(prefix);

	ck_assert_int_eq(fib_set(fib, &p, &r), 0);
}

START_TEST(spare_takes_over_at_once)
{
	char prefix[32];
	uint64_t before;

	start();
	for (unsigned i = 0; i < 200; i++) {
		snprintf(prefix, sizeof(prefix), "10.100.%u.0/24", i);
		want_with_spare(prefix);
	}
	settle();
	ck_assert_int_eq(lines("ip route show proto 178 | grep -wF 'via 10.1.0.2 dev a0'"), 200);
	before = stats().requests;
	ck_assert_uint_eq(judge("10.1.0.2"), 1);
	ck_assert_int_eq(lines("ip route show proto 178 | grep -wF 'via 10.2.0.2 dev b0'"), 200);
	ck_assert_uint_eq(judge("10.2.0.2"), 1); /* the first is back, and the spare out of use anyway */
	ck_assert_int_eq(lines("ip route show proto 178 | grep -wF 'via 10.1.0.2 dev a0'"), 200);
	fib_audit(fib);
	settle();
	ck_assert_uint_eq(stats().audit_found, 0);
	ck_assert_uint_eq(stats().requests, before);
	finish();
}
END_TEST

/* A next hop's carrier is gone: the kernel itself takes the spare, before we hear of it. */
START_TEST(routes_outlive_the_carrier_of_their_next_hop)
{
	char prefix[32];
	uint64_t before;

	start();
	for (unsigned i = 0; i < 200; i++) {
		snprintf(prefix, sizeof(prefix), "10.100.%u.0/24", i);
		want_with_spare(prefix);
	}
	settle();
	for (unsigned i = 0; i < 200; i += 20) { /* in reserve it gets nothing */
		ck_assert_ptr_nonnull(strstr(sh("ip route get 10.100.%u.1", i), "dev a0"));
	}
	ck_assert_int_eq(lines("ip nexthop bucket show | grep -o 'nhid [0-9]*' | sort -u"), 1);
	ck_assert_ptr_nonnull(strstr(sh("ip nexthop show proto 178"), ",255/")); /* what any kernel takes */
	before = stats().requests;
	must("ip link set a0p down");
	ck_assert_int_eq(lines("ip route show proto 178 | grep -wF 'via 10.2.0.2 dev b0'"), 200);
	fib_link_changed(fib, ifindex("a0"));
	settle();
	must("ip link set a0p up");
	fib_link_changed(fib, ifindex("a0"));
	settle();
	ck_assert_ptr_nonnull(strstr(sh("ip route get 10.100.7.1"), "dev a0"));
	fib_audit(fib);
	settle();
	ck_assert_uint_eq(stats().audit_found, 0);
	ck_assert_uint_eq(stats().requests, before); /* for no route, out or back */
	ck_assert_uint_eq(stats().put_back, 0);
	finish();
}
END_TEST

/* The shares of an ECMP set are as before with a spare behind it, which a next run recognizes. */
START_TEST(a_spare_takes_no_share)
{
	struct fib_hop hops[] = {
		{ .gateway = ip("10.1.0.2"), .weight = 3 },
		{ .gateway = ip("10.1.0.3"), .weight = 1 },
		{ .gateway = ip("10.2.0.2"), .weight = 1, .spare = true },
	};
	const struct fib_route r = { .hops = hops, .n_hops = 3 };
	struct prefix p = pfx("10.100.0.0/16");
	uint64_t before;

	start();
	hops[0].ifindex = hops[1].ifindex = ifindex("a0");
	hops[2].ifindex = ifindex("b0");
	ck_assert_int_eq(fib_set(fib, &p, &r), 0);
	settle();
	sh("ip nexthop bucket show | grep -o 'nhid [0-9]*' | sort | uniq -c | awk '{ print $1 }' | sort -n | "
	   "xargs");
	ck_assert_str_eq(netns_out, "16 48\n");
	ck_assert_uint_eq(judge("10.1.0.2"), 1); /* neither does it when those that are left weigh less */
	ck_assert_int_eq(lines("ip nexthop bucket show | grep -o 'nhid [0-9]*' | sort -u"), 1);
	ck_assert_uint_eq(judge(""), 0);
	fib_close(fib, false);
	open_fib();
	before = stats().requests;
	ck_assert_int_eq(fib_set(fib, &p, &r), 0);
	fib_adopt_end(fib);
	settle();
	ck_assert_uint_eq(stats().requests, before);
	ck_assert_int_eq(lines("ip nexthop show proto 178 | grep group"), 1);
	ck_assert_uint_eq(judge("10.2.0.2"),
	                  1); /* without the spare one it is no less adopted for what it is */
	fib_close(fib, false);
	open_fib();
	run_until(loop, NULL, NULL, 50);
	sh("ip nexthop bucket show | grep -o 'nhid [0-9]*' | sort | uniq -c | awk '{ print $1 }' | sort -n | "
	   "xargs");
	ck_assert_str_eq(netns_out, "16 48\n");
	fib_adopt_end(fib);
	settle();
	finish();
}
END_TEST

/* -- together with the events, as the daemon connects them -------------------------------------- */

static void on_link(void *ctx, const struct link_info *l)
{
	(void)ctx;
	fib_link_changed(fib, l->ifindex);
}

static void on_link_gone(void *ctx, uint32_t index, const char *name)
{
	(void)ctx;
	(void)name;
	fib_link_changed(fib, index);
}

static void on_address(void *ctx, uint32_t index, const struct ip *a, uint8_t len)
{
	(void)ctx;
	(void)a;
	(void)len;
	fib_link_changed(fib, index);
}

static void on_route(void *ctx, const struct link_route *r)
{
	(void)ctx;
	fib_retry(fib, &r->prefix);
}

static void on_lost(void *ctx, const struct prefix *p)
{
	(void)ctx;
	fib_lost(fib, p);
}

static void on_events_lost(void *ctx)
{
	(void)ctx;
	fib_resync(fib);
}

static void nothing(void *ctx)
{
	(void)ctx;
}

static const struct link_events events = { .link_set = on_link,
	                                   .link_del = on_link_gone,
	                                   .address_set = on_address,
	                                   .address_del = on_address,
	                                   .route_set = on_route,
	                                   .route_del = on_route,
	                                   .own_route_lost = on_lost,
	                                   .events_lost = on_events_lost,
	                                   .sync_begin = nothing,
	                                   .sync_end = nothing };

/* Prefix @i of a table whose every odd route has two ways out. */
static void want_nth(uint32_t i, const char *gateway)
{
	struct ip a = ip_v4(0x0b000000u + (i << 8));
	struct prefix p = prefix_make(&a, 24);
	struct fib_hop hops[2] = { { .gateway = ip(gateway), .ifindex = ifindex("a0"), .weight = 1 },
		                   { .gateway = ip("10.2.0.2"), .ifindex = ifindex("b0"), .weight = 1 } };
	struct fib_route r = { .kind = FIB_UNICAST, .hops = hops, .n_hops = 1 + i % 2 };

	ck_assert_int_eq(fib_set(fib, &p, &r), 0);
}

static bool all_installed(void *n)
{
	struct fib_stats s = stats();

	return s.routes_installed == *(uint64_t *)n && s.routes_queued == 0;
}

START_TEST(ends_right_whatever_happens)
{
	static const char *const faults[] = {
		"ip link set a0 down; ip link set a0 up", "ip nexthop flush proto 178 >/dev/null",
		"ip link set b0 down; sleep 0.01; ip link set b0 up",
		"ip route show 11.0.3.0/24 | grep -q . && ip route del 11.0.3.0/24 proto 178",
		"ip addr flush dev a0; ip addr add 10.1.0.1/24 dev a0"
	};
	uint32_t ports[FIB_PORTS];
	struct link_watch *watch;
	uint64_t n = 2000;

	start();
	ck_assert_int_eq(link_watch_new(loop, params.protocol, params.table, &events, NULL, &watch), 0);
	fib_port_ids(fib, ports);
	link_watch_ignore(watch, ports, FIB_PORTS);
	for (unsigned round = 0; round < 25; round++) {
		for (uint32_t i = round % 3; i < n; i += 1 + round % 4)
			want_nth(i, round % 2 ? "10.1.0.2" : "10.1.0.3");
		run_until(loop, NULL, NULL, round % 5);
		(void)!system(faults[round % 5]);
		run_until(loop, NULL, NULL, round % 7);
	}
	for (uint32_t i = 0; i < n; i++)
		want_nth(i, "10.1.0.9");
	ck_assert(run_until(loop, all_installed, &n, 10000));
	run_until(loop, NULL, NULL, 300); /* nothing is still to come */
	ck_assert(all_installed(&n));
	ck_assert_int_eq(lines("ip route show proto 178 | grep -v nexthop"), (int)n);
	ck_assert_int_eq(lines("ip route show proto 178 | grep -wF 'via 10.1.0.9'"), (int)n);
	ck_assert_int_eq(lines("ip route show proto 178 | grep -wF 'via 10.2.0.2'"), (int)n / 2);
	link_watch_free(watch);
	finish();
}
END_TEST

/* -- other hands between any two steps of ours --------------------------------------------------- */

/* What happens to the objects of the routes below, in the order of the digits of a number. The deletions are
 * by hand, behind the FIB's back; what it hears of them it hears in WORK, when it works, while a judgement
 * writes groups at once, whatever has not been heard of yet. */
enum { DELETE_A, DELETE_B, DELETE_C, DELETE_GROUPS, JUDGE_A_DEAD, JUDGE_ALL_ALIVE, WISH, WORK, ACTS };

#define GATEWAY_A "10.1.0.2"
#define GATEWAY_B "10.1.0.3"
#define GATEWAY_C "10.2.0.2"

static struct nls *hand;

struct object {
	uint32_t id;
	struct ip gateway; /* IP_NONE: a group */
	size_t n;          /* members of a group */
	uint32_t member[8];
};
static struct object objects[32];
static size_t n_objects;

static void note_object(void *ctx, const struct nlmsghdr *h)
{
	struct object *o = &objects[n_objects];
	struct nh_msg m;

	(void)ctx;
	ck_assert(nh_parse(h, &m) && m.protocol == 178 && m.n_group <= 8 && n_objects++ < 32);
	*o = (struct object){ .id = m.id, .gateway = m.hop.gateway, .n = m.n_group };
	for (size_t i = 0; i < m.n_group; i++)
		o->member[i] = m.group[i].id;
}

static void dump_by_hand(uint16_t type, const void *header, size_t len, nls_msg_fn msg, void *ctx)
{
	int rc;

	ck_assert_int_eq(nls_dump(hand, type, header, len), 0);
	while ((rc = nls_dump_step(hand, msg, ctx)) > 0)
		;
	ck_assert_int_eq(rc, 0);
}

static void look_at_objects(void)
{
	const struct nhmsg all = { 0 };

	n_objects = 0;
	dump_by_hand(RTM_GETNEXTHOP, &all, sizeof(all), note_object, NULL);
}

static const struct object *object_by_id(uint32_t id)
{
	for (size_t i = 0; i < n_objects; i++) {
		if (objects[i].id == id)
			return &objects[i];
	}
	return NULL;
}

static void gone_already(void *ctx, uint32_t index, int err, const char *text)
{
	(void)ctx;
	(void)index;
	ck_assert_msg(err == -ENOENT, "%s", text);
}

/* "": all groups. */
static void delete_by_hand(const char *gateway)
{
	struct ip a = ip(gateway);

	look_at_objects();
	for (size_t i = 0; i < n_objects; i++) {
		if (ip_equal(&objects[i].gateway, &a))
			nh_put_delete(nls_request(hand, RTM_DELNEXTHOP, 0), objects[i].id);
	}
	ck_assert_int_eq(nls_send(hand, gone_already, NULL), 0);
}

/* Which of A, B and C a route leads to, as bits; 0: to nothing that there is. */
static unsigned ways(uint32_t nh_id)
{
	static const char *const gateways[] = { GATEWAY_A, GATEWAY_B, GATEWAY_C };
	const struct object *o = object_by_id(nh_id);
	unsigned found = 0;

	for (size_t i = 0; o && i < o->n; i++)
		found |= ways(o->member[i]);
	for (unsigned i = 0; o && !o->n && i < 3; i++) {
		struct ip a = ip(gateways[i]);

		if (ip_equal(&o->gateway, &a))
			found |= 1u << i;
	}
	return found;
}

/* Ways of 10.100.0.0/16 … 10.104.0.0/16; the last one's spare is C, which stands by in its group. */
static const unsigned wanted_ways[] = { 1, 3, 7, 6, 5 };
#define N_WANTED 5u

static void note_ways(void *ctx, const struct nlmsghdr *h)
{
	unsigned *found = ctx;
	struct rt_msg m;

	if (rt_parse(h, &m) && m.protocol == 178 && m.prefix.addr.b[1] - 100u < N_WANTED)
		found[m.prefix.addr.b[1] - 100u] = ways(m.nh_id);
}

static bool as_wanted(void *ctx)
{
	const struct rtmsg all = { .rtm_family = AF_INET };
	unsigned found[N_WANTED] = { 0 };

	(void)ctx;
	look_at_objects();
	dump_by_hand(RTM_GETROUTE, &all, sizeof(all), note_ways, found);
	return memcmp(found, wanted_ways, sizeof(found)) == 0 && settled(NULL);
}

static void want_all_ways(void)
{
	struct fib_hop hops[] = { { .gateway = ip(GATEWAY_A), .ifindex = ifindex("a0"), .weight = 1 },
		                  { .gateway = ip(GATEWAY_B), .ifindex = ifindex("a0"), .weight = 1 },
		                  { .gateway = ip(GATEWAY_C), .ifindex = ifindex("b0"), .weight = 1 } };
	const struct {
		const char *prefix;
		size_t first, n;
	} some[] = {
		{ "10.100.0.0/16", 0, 1 },
		{ "10.101.0.0/16", 0, 2 },
		{ "10.102.0.0/16", 0, 3 },
		{ "10.103.0.0/16", 1, 2 },
	};
	struct prefix p;

	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		p = pfx(some[i].prefix);
		ck_assert_int_eq(
		        fib_set(fib, &p,
		                &(struct fib_route){ .hops = hops + some[i].first, .n_hops = some[i].n }),
		        0);
	}
	p = pfx("10.104.0.0/16");
	hops[1] = hops[2];
	hops[1].spare = true;
	ck_assert_int_eq(fib_set(fib, &p, &(struct fib_route){ .hops = hops, .n_hops = 2 }), 0);
}

static void act(unsigned what)
{
	switch (what) {
	case DELETE_A:
		delete_by_hand(GATEWAY_A);
		break;
	case DELETE_B:
		delete_by_hand(GATEWAY_B);
		break;
	case DELETE_C:
		delete_by_hand(GATEWAY_C);
		break;
	case DELETE_GROUPS:
		delete_by_hand("");
		break;
	case JUDGE_A_DEAD:
		(void)judge(GATEWAY_A);
		break;
	case JUDGE_ALL_ALIVE:
		(void)judge("");
		break;
	case WISH:
		want("10.100.0.0/16", "a0", GATEWAY_B, NULL, NULL);
		want_none("10.101.0.0/16");
		break;
	default:
		run_until(loop, NULL, NULL, 1);
	}
}

static void acts_in_order(unsigned order, unsigned n)
{
	uint64_t began;

	for (unsigned i = 0, rest = order; i < n; i++, rest /= ACTS)
		act(rest % ACTS);
	(void)judge("");
	want_all_ways();
	began = loop_clock();
	ck_assert_msg(run_until(loop, as_wanted, NULL, 20000), "after %u acts, the order %u", n, order);
	if (loop_clock() - began > 1000000)
		printf("# order %u of %u acts took %u ms\n", order, n,
		       (unsigned)((loop_clock() - began) / 1000));
}

/* Each order of three acts, and many of eight. */
START_TEST(routes_are_whole_after_objects_deleted_in_any_order)
{
	uint32_t random = 1;

	start();
	ck_assert_int_eq(nls_open(&hand), 0);
	want_all_ways();
	ck_assert(run_until(loop, as_wanted, NULL, 5000));
	for (unsigned order = 0; order < ACTS * ACTS * ACTS; order++)
		acts_in_order(order, 3);
	for (unsigned i = 0; i < 600; i++) {
		random = random * 1664525u + 1013904223u;
		acts_in_order(random >> 8, 8);
	}
	ck_assert_uint_eq(stats().audit_found, 0);
	nls_close(hand);
	finish();
}
END_TEST

UNIT_MAIN("fib_hops", UNIT(nexthop_objects_deleted_by_hand_come_back),
          UNIT(nexthop_object_altered_by_hand_is_mended), UNIT(link_flap_puts_routes_back),
          UNIT(group_survives_the_loss_of_a_member), UNIT(returns_while_no_route_holds_its_group),
          UNIT(device_deleted_and_created_anew), UNIT(dead_member_leaves_its_groups_at_once),
          UNIT(spare_takes_over_at_once), UNIT(routes_outlive_the_carrier_of_their_next_hop),
          UNIT(a_spare_takes_no_share), UNIT(routes_are_whole_after_objects_deleted_in_any_order),
          UNIT(ends_right_whatever_happens))
