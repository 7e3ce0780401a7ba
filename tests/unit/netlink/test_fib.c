/* SPDX-License-Identifier: BSD-2-Clause */
/* test_fib.c - the kernel's table follows what is wanted, whatever is done to it from outside. */
#include "unit/netlink/fibtest.h"

START_TEST(installs_each_kind)
{
	start();
	want("10.100.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	want("10.101.0.0/16", "a0", "10.1.0.2", "10.1.0.3", NULL);
	want("10.102.0.0/16", "a0", "", NULL, NULL);
	want("fd10::/32", "a0", "fd01::2", "fd01::3", NULL);
	want("10.104.0.0/16", "a0", "fd01::2", NULL, NULL); /* RFC 8950 */
	want_kind("10.105.0.0/16", FIB_BLACKHOLE);
	want_kind("fd11::/32", FIB_UNREACHABLE);
	settle();
	ck_assert_uint_eq(stats().routes_installed, 7);
	ck_assert_ptr_nonnull(
	        strstr(sh("ip route show 10.100.0.0/16"), "via 10.1.0.2 dev a0 proto 178 metric 32"));
	ck_assert_ptr_nonnull(strstr(sh("ip route show 10.101.0.0/16"), "nexthop via 10.1.0.3 dev a0"));
	ck_assert_ptr_nonnull(strstr(sh("ip route show 10.102.0.0/16"), "dev a0 proto 178 scope link"));
	ck_assert_ptr_nonnull(strstr(sh("ip -6 route show fd10::/32"), "nexthop via fd01::3 dev a0"));
	ck_assert_ptr_nonnull(strstr(sh("ip route show 10.104.0.0/16"), "via inet6 fd01::2"));
	ck_assert_ptr_nonnull(strstr(sh("ip route show 10.105.0.0/16"), "blackhole 10.105.0.0/16 proto 178"));
	ck_assert_ptr_nonnull(strstr(sh("ip -6 route show fd11::/32"), "unreachable fd11::/32"));
	finish();
}
END_TEST

START_TEST(objects_are_shared_and_go_when_unused)
{
	start();
	ck_assert(stats().nexthop_objects);
	want("10.100.0.0/16", "a0", "10.1.0.2", "10.1.0.3", NULL);
	want("10.101.0.0/16", "a0", "10.1.0.3", "10.1.0.2", "10.1.0.3");
	settle();
	ck_assert_uint_eq(stats().nexthops, 2);
	ck_assert_uint_eq(stats().groups, 1);
	want("10.100.0.0/16", "a0", "10.1.0.4", NULL, NULL);
	want("10.101.0.0/16", "a0", "10.1.0.4", NULL, NULL);
	settle();
	ck_assert_uint_eq(stats().nexthops, 1);
	ck_assert_uint_eq(stats().groups, 0);
	ck_assert_int_eq(lines("ip nexthop show proto 178"), 1);
	ck_assert_int_eq(lines("ip route show via 10.1.0.4"), 2);
	want_none("10.100.0.0/16");
	want_none("10.101.0.0/16");
	settle();
	ck_assert_int_eq(lines("ip nexthop show proto 178"), 0);
	finish();
}
END_TEST

START_TEST(latest_wish_wins)
{
	start();
	for (unsigned i = 0; i < 100; i++) {
		want("10.100.0.0/16", "a0", i % 2 ? "10.1.0.2" : "10.1.0.3", NULL, NULL);
		if (i % 3 == 0)
			want_none("10.100.0.0/16");
	}
	want("10.100.0.0/16", "a0", "10.1.0.9", NULL, NULL);
	settle();
	ck_assert_int_eq(lines("ip route show via 10.1.0.9"), 1);
	ck_assert_uint_eq(stats().requests, 1);
	finish();
}
END_TEST

static const struct {
	const char *add, *del, *proto;
} conflicts[] = {
	{ "ip route add 10.100.0.0/16 via 10.1.0.7 metric 32 proto static",
	  "ip route del 10.100.0.0/16 metric 32", "static" },
	{ "ip route add blackhole 10.100.0.0/16 metric 32", "ip route del blackhole 10.100.0.0/16 metric 32",
	  "boot" },
	{ "ip -6 route add fd10::/32 via fd01::7 metric 32 proto 99", "ip -6 route del fd10::/32 metric 32",
	  "99" },
};

START_TEST(foreign_route_is_a_conflict_and_stays)
{
	struct prefix p;
	const char *why, *family = strstr(conflicts[_i].add, "-6") ? "-6" : "-4",
	                 *text = family[1] == '6' ? "fd10::/32" : "10.100.0.0/16";

	start();
	must("%s", conflicts[_i].add);
	want(text, "a0", family[1] == '6' ? "fd01::2" : "10.1.0.2", NULL, NULL);
	settle();
	p = pfx(text);
	ck_assert_int_eq(fib_query(fib, &p, &why), FIB_FAILED);
	ck_assert_msg(strstr(why, "in the way (proto ") && strstr(why, conflicts[_i].proto), "%s", why);
	ck_assert_ptr_null(strstr(sh("ip %s route show %s", family, text), "178"));
	must("%s", conflicts[_i].del);
	fib_retry(fib, &p);
	settle();
	ck_assert_int_eq(fib_query(fib, &p, &why), FIB_INSTALLED);
	ck_assert_ptr_null(why);
	finish();
}
END_TEST

static const bool certain[] = { true, false };

/* As link events tell it. A replacement would have hit the foreign route. */
START_TEST(foreign_route_put_in_front_of_ours_stays)
{
	struct prefix p = pfx("10.100.0.0/16");

	start();
	want("10.100.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	settle();
	must("ip route prepend 10.100.0.0/16 via 10.1.0.7 metric 32 proto static");
	fib_foreign(fib, &p, 254, 77, true); /* of another metric: nothing of ours */
	fib_foreign(fib, &p, 254, 32, certain[_i]);
	want("10.100.0.0/16", "a0", "10.1.0.3", NULL, NULL);
	settle();
	ck_assert_int_eq(state("10.100.0.0/16"), FIB_FAILED);
	ck_assert_int_eq(lines("ip route show 10.100.0.0/16 proto static"), 1);
	ck_assert_int_eq(lines("ip route show 10.100.0.0/16 proto 178"), 0);
	must("ip route del 10.100.0.0/16 proto static");
	fib_retry(fib, &p);
	settle();
	ck_assert_int_eq(lines("ip route show 10.100.0.0/16 via 10.1.0.3 proto 178"), 1);
	must("ip route append 10.100.0.0/16 via 10.1.0.7 metric 32 proto static");
	fib_foreign(fib, &p, 254, 32, false); /* perhaps in front; it is not */
	want("10.100.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	settle();
	ck_assert_int_eq(state("10.100.0.0/16"), FIB_INSTALLED);
	ck_assert_int_eq(lines("ip route show 10.100.0.0/16 proto static"), 1);
	must("ip route del 10.100.0.0/16 proto static");
	finish();
}
END_TEST

START_TEST(foreign_route_of_other_metric_is_no_matter)
{
	start();
	must("ip route add 10.100.0.0/16 via 10.1.0.7 metric 7");
	want("10.100.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	settle();
	ck_assert_int_eq(lines("ip route show 10.100.0.0/16"), 2);
	want_none("10.100.0.0/16");
	settle();
	ck_assert_int_eq(lines("ip route show 10.100.0.0/16"), 1);
	finish();
}
END_TEST

START_TEST(own_route_in_the_way_is_adopted)
{
	start();
	must("ip route add 10.100.0.0/16 via 10.1.0.7 metric 32 proto 178");
	want("10.100.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	settle();
	ck_assert_int_eq(state("10.100.0.0/16"), FIB_INSTALLED);
	ck_assert_int_eq(lines("ip route show 10.100.0.0/16"), 1);
	ck_assert_int_eq(lines("ip route show via 10.1.0.2"), 1);
	finish();
}
END_TEST

START_TEST(deleted_by_hand_comes_back)
{
	struct prefix p = pfx("10.100.0.0/16");

	start();
	want("10.100.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	want("10.101.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	want("10.102.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	settle();
	flush_by_hand();
	fib_lost(fib, &p); /* told */
	settle();
	ck_assert_int_eq(lines("ip route show proto 178"), 1);
	want_none("10.101.0.0/16");                          /* not told: there is nothing to delete */
	want("10.102.0.0/16", "a0", "10.1.0.3", NULL, NULL); /* nor to replace */
	settle();
	ck_assert_int_eq(state("10.101.0.0/16"), FIB_ABSENT);
	ck_assert_int_eq(lines("ip route show proto 178"), 2);
	finish();
}
END_TEST

START_TEST(resync_puts_back_and_removes)
{
	start();
	want("10.100.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	want("10.101.0.0/16", "a0", "10.1.0.2", "10.1.0.3", NULL);
	want("fd10::/32", "a0", "fd01::2", NULL, NULL);
	settle();
	flush_by_hand();
	must("ip route add 10.99.0.0/16 dev a0 proto 178 metric 32");  /* unwanted */
	must("ip route add 10.98.0.0/16 dev a0 proto 178 metric 77");  /* not even our metric */
	must("ip route add 10.101.0.0/16 dev b0 proto 178 metric 32"); /* ours, altered */
	fib_resync(fib);
	settle();
	ck_assert_int_eq(lines("ip -4 route show proto 178"), 4); /* two routes, one with two hops */
	ck_assert_int_eq(lines("ip -6 route show proto 178"), 1);
	ck_assert_int_eq(lines("ip route show 10.99.0.0/16; ip route show 10.98.0.0/16"), 0);
	ck_assert_ptr_nonnull(strstr(sh("ip route show 10.101.0.0/16"), "nexthop via 10.1.0.3"));
	finish();
}
END_TEST

static bool audited(void *before)
{
	return stats().audits > *(uint64_t *)before;
}

/* @return how many differences one audit finds. */
static uint64_t audit(void)
{
	struct fib_stats before = stats();

	fib_audit(fib);
	ck_assert(run_until(loop, audited, &before.audits, 5000));
	return stats().audit_found - before.audit_found;
}

START_TEST(audit_finds_what_no_event_told)
{
	start();
	want("10.100.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	want("10.101.0.0/16", "a0", "10.1.0.2", "10.1.0.3", NULL);
	want("10.102.0.0/16", "b0", "10.2.0.2", NULL, NULL);
	want("fd10::/32", "a0", "fd01::2", NULL, NULL);
	settle();
	ck_assert_uint_eq(audit(), 0);
	must("sysctl -qw net.ipv4.nexthop_compat_mode=0");
	must("ip route del 10.100.0.0/16 proto 178 && ip -6 route del fd10::/32 proto 178"); /* missing */
	must("ip route add 10.99.0.0/16 dev a0 proto 178 metric 32");                        /* unwanted */
	must("ip route replace 10.102.0.0/16 dev b0 proto 178 metric 32");                   /* altered */
	must("ip route add 10.98.0.0/16 dev a0 proto 99 metric 32");                         /* foreign */
	ck_assert_uint_eq(audit(), 4);
	settle();
	ck_assert_int_eq(lines("ip route show proto 178; ip -6 route show proto 178"), 4);
	ck_assert_int_eq(lines("ip route show 10.99.0.0/16"), 0);
	ck_assert_int_eq(lines("ip route show 10.98.0.0/16"), 1);
	ck_assert_uint_eq(audit(), 0);
	finish();
}
END_TEST

START_TEST(audit_takes_no_change_of_ours_for_a_difference)
{
	static const char *const gateways[] = { "10.1.0.2", "10.1.0.3", "10.1.0.4" };
	struct fib_stats before;
	char prefix[32];

	start();
	before = stats();
	for (unsigned round = 0; round < 60; round++) {
		for (unsigned i = round % 5; i < 3000; i += 1 + round % 4) {
			snprintf(prefix, sizeof(prefix), "10.%u.%u.0/24", 100 + i / 256, i % 256);
			if ((i + round) % 4)
				want(prefix, "a0", gateways[round % 3], NULL, NULL);
			else
				want_none(prefix);
		}
		fib_audit(fib);
		run_until(loop, NULL, NULL, 7 + round % 30);
	}
	settle();
	ck_assert_uint_gt(stats().audits, before.audits + 5);
	ck_assert_uint_eq(stats().audit_found, before.audit_found);
	ck_assert_uint_eq(audit(), 0);
	finish();
}
END_TEST

static const struct fib_params modes[] = {
	{ .table = 254, .metric = 32, .protocol = 178, .nexthop_groups = true },
	{ .table = 254, .metric = 32, .protocol = 178, .nexthop_groups = false },
	{ .table = 1000, .metric = 32, .protocol = 178, .nexthop_groups = true },
	{ .table = 254, .metric = 0, .protocol = 178, .nexthop_groups = true },
};

START_TEST(next_run_adopts)
{
	params = modes[_i];
	start();
	want("10.100.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	want("10.101.0.0/16", "a0", "10.1.0.2", "10.1.0.3", NULL);
	want("10.102.0.0/16", "b0", "10.2.0.2", NULL, NULL);
	want("10.103.0.0/16", "b0", "", NULL, NULL);
	want("fd10::/32", "a0", "fd01::2", "fd01::3", NULL);
	want("fd11::/32", "b0", "fd02::2", NULL, NULL);
	want_kind("10.104.0.0/16", FIB_BLACKHOLE);
	want_kind("fd12::/32", FIB_BLACKHOLE);
	settle();
	ck_assert_uint_eq(stats().routes_installed, 8);
	fib_close(fib, false);
	open_fib();
	ck_assert_uint_eq(stats().routes_installed, 8);
	want("10.100.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	want("10.101.0.0/16", "a0", "10.1.0.2", "10.1.0.3", NULL);
	want("10.103.0.0/16", "b0", "", NULL, NULL);
	want("fd10::/32", "a0", "fd01::2", "fd01::3", NULL);
	want_kind("10.104.0.0/16", FIB_BLACKHOLE);
	want_kind("fd12::/32", FIB_BLACKHOLE);
	settle();
	ck_assert_uint_eq(stats().requests, 0); /* all as it should be: no gap, not even a replacement */
	ck_assert_uint_eq(stats().routes_installed, 8);
	fib_adopt_end(fib);
	settle();
	ck_assert_uint_eq(stats().routes_installed, 6);
	ck_assert_uint_eq(stats().requests, 2);
	ck_assert_int_eq(lines("ip route show table all proto 178 | grep 10.102; ip -6 route show table all "
	                       "| grep fd11"),
	                 0);
	ck_assert_int_eq(lines("ip nexthop show proto 178 | grep 10.2.0.2"), 0);
	finish();
}
END_TEST

START_TEST(routes_of_another_metric_or_table_are_cleared)
{
	start();
	want("10.100.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	settle();
	fib_close(fib, false);
	params.metric = 99;
	params.table = 300;
	open_fib();
	want("10.100.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	settle();
	ck_assert_int_eq(lines("ip route show table all proto 178"), 2);
	fib_adopt_end(fib);
	settle();
	ck_assert_int_eq(lines("ip route show table all proto 178"), 1);
	ck_assert_int_eq(lines("ip route show table 300 metric 99"), 1);
	finish();
}
END_TEST

START_TEST(without_nexthop_objects)
{
	uint32_t index;

	params.nexthop_groups = false;
	start();
	index = ifindex("a0");
	ck_assert(!stats().nexthop_objects);
	want("10.100.0.0/16", "a0", "10.1.0.2", "10.1.0.3", NULL);
	want("10.101.0.0/16", "a0", "fd01::2", NULL, NULL);
	want("fd10::/32", "a0", "fd01::2", "fd01::3", NULL);
	settle();
	ck_assert_int_eq(lines("ip nexthop show"), 0);
	ck_assert_ptr_nonnull(strstr(sh("ip route show 10.100.0.0/16"), "nexthop via 10.1.0.3"));
	ck_assert_ptr_nonnull(strstr(sh("ip route show 10.101.0.0/16"), "via inet6 fd01::2"));
	ck_assert_ptr_nonnull(strstr(sh("ip -6 route show fd10::/32"), "nexthop via fd01::3"));
	want("fd10::/32", "a0", "fd01::2", NULL, NULL);
	ck_assert_uint_eq(judge("10.1.0.2"), 1);
	settle();
	ck_assert_ptr_null(strstr(sh("ip route show 10.100.0.0/16"), "10.1.0.2"));
	ck_assert_int_eq(lines("ip -6 route show fd10::/32"), 1);
	must("ip link set a0 down && ip link set a0 up && ip -6 addr replace fd01::1/64 dev a0 nodad");
	fib_link_changed(fib, index);
	settle();
	ck_assert_uint_eq(stats().routes_installed, 3);
	ck_assert_int_eq(lines("ip route show proto 178; ip -6 route show proto 178"), 3);
	finish();
}
END_TEST

START_TEST(twenty_thousand)
{
	struct fib_hop hops[2];
	struct fib_route r = { .kind = FIB_UNICAST, .hops = hops, .n_hops = 2 };
	uint64_t began;

	start();
	hops[0] = (struct fib_hop){ .gateway = ip("10.1.0.2"), .ifindex = ifindex("a0"), .weight = 1 };
	hops[1] = (struct fib_hop){ .gateway = ip("10.2.0.2"), .ifindex = ifindex("b0"), .weight = 1 };
	began = loop_clock();
	for (uint32_t i = 0; i < 20000; i++) {
		struct ip a = ip_v4(0x0b000000u + (i << 8));
		struct prefix p = prefix_make(&a, 24);

		r.n_hops = 1 + i % 2;
		ck_assert_int_eq(fib_set(fib, &p, &r), 0);
	}
	settle();
	printf("# 20000 routes in %u ms\n", (unsigned)((loop_clock() - began) / 1000));
	ck_assert_uint_eq(stats().routes_installed, 20000);
	ck_assert_int_eq(lines("ip route show proto 178 | grep -v nexthop"), 20000);
	flush_by_hand();
	must("ip link set a0 down && ip link set a0 up");
	fib_link_changed(fib, ifindex("a0"));
	fib_resync(fib);
	settle();
	ck_assert_int_eq(lines("ip route show proto 178 | grep -v nexthop"), 20000);
	for (uint32_t i = 0; i < 20000; i += 2) {
		struct ip a = ip_v4(0x0b000000u + (i << 8));
		struct prefix p = prefix_make(&a, 24);

		ck_assert_int_eq(fib_set(fib, &p, NULL), 0);
	}
	settle();
	ck_assert_int_eq(lines("ip route show proto 178 | grep -v nexthop"), 10000);
	finish();
}
END_TEST

UNIT_MAIN("fib", UNIT(installs_each_kind), UNIT(objects_are_shared_and_go_when_unused),
          UNIT(latest_wish_wins), UNIT_ROWS(foreign_route_is_a_conflict_and_stays, conflicts),
          UNIT_ROWS(foreign_route_put_in_front_of_ours_stays, certain),
          UNIT(foreign_route_of_other_metric_is_no_matter), UNIT(own_route_in_the_way_is_adopted),
          UNIT(deleted_by_hand_comes_back), UNIT(audit_finds_what_no_event_told),
          UNIT(audit_takes_no_change_of_ours_for_a_difference), UNIT(resync_puts_back_and_removes),
          UNIT_ROWS(next_run_adopts, modes), UNIT(routes_of_another_metric_or_table_are_cleared),
          UNIT(without_nexthop_objects), UNIT(twenty_thousand))
