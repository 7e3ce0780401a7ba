/* SPDX-License-Identifier: BSD-2-Clause */
/* fibtest.h - a FIB between two links, a0 and b0, in a network namespace of the test's own: what is wanted in
 * short words, and what ip(8) says of it. */
#ifndef TESTS_UNIT_NETLINK_FIBTEST_H
#define TESTS_UNIT_NETLINK_FIBTEST_H

#include "netlink/fib.h"

#include <net/if.h>

#include "unit/netlink/netns.h"
#include "unit/unit.h"

static struct loop *loop;
static struct fib *fib;
static struct fib_params params = { .table = 254, .metric = 32, .protocol = 178, .nexthop_groups = true };

static inline struct prefix pfx(const char *text)
{
	struct prefix p;

	ck_assert_msg(prefix_parse(text, true, &p), "%s", text);
	return p;
}

static inline struct ip ip(const char *text)
{
	struct ip a = { 0 };

	ck_assert_msg(!*text || ip_parse(text, &a), "%s", text);
	return a;
}

static inline uint32_t ifindex(const char *name)
{
	return if_nametoindex(name);
}

/* Up to three gateways on @dev; "" for the link itself, NULL ends. */
static inline void want(const char *prefix, const char *dev, const char *g1, const char *g2, const char *g3)
{
	const char *gateways[] = { g1, g2, g3 };
	struct fib_hop hops[3];
	struct fib_route r = { .kind = FIB_UNICAST, .hops = hops };
	struct prefix p = pfx(prefix);

	for (; r.n_hops < 3 && gateways[r.n_hops]; r.n_hops++)
		hops[r.n_hops] = (struct fib_hop){ .gateway = ip(gateways[r.n_hops]),
			                           .ifindex = ifindex(dev),
			                           .weight = 1 };
	ck_assert_int_eq(fib_set(fib, &p, &r), 0);
}

static inline void want_kind(const char *prefix, enum fib_kind kind)
{
	struct fib_route r = { .kind = kind };
	struct prefix p = pfx(prefix);

	ck_assert_int_eq(fib_set(fib, &p, &r), 0);
}

static inline void want_none(const char *prefix)
{
	struct prefix p = pfx(prefix);

	ck_assert_int_eq(fib_set(fib, &p, NULL), 0);
}

static inline bool settled(void *ctx)
{
	struct fib_stats s;

	(void)ctx;
	fib_stats(fib, &s);
	return s.routes_queued == 0;
}

static inline void settle(void)
{
	run_until(loop, NULL, NULL, 5);
	ck_assert(run_until(loop, settled, NULL, 20000));
	run_until(loop, NULL, NULL, 5);
}

static inline enum fib_state state(const char *prefix)
{
	struct prefix p = pfx(prefix);

	return fib_query(fib, &p, NULL);
}

static inline struct fib_stats stats(void)
{
	struct fib_stats s;

	fib_stats(fib, &s);
	return s;
}

static inline bool is_alive(void *dead, const struct ip *gateway, uint32_t index)
{
	(void)index;
	return !ip_equal(dead, gateway);
}

/* All are alive but @gateway; "" for none. */
static inline size_t judge(const char *gateway)
{
	struct ip dead = ip(gateway);

	return fib_members_judge(fib, is_alive, &dead);
}

static inline int lines(const char *cmd)
{
	return atoi(sh("{ %s; } | wc -l", cmd));
}

static inline void up(const char *dev)
{
	must("ip link add %s type veth peer name %sp && ip link set %sp up && ip link set %s up", dev, dev,
	     dev, dev);
}

/* With compat mode on, the kernel refuses what ip(8) asks for: it repeats the whole route, gateways and
 * nexthop id. */
static inline void flush_by_hand(void)
{
	must("sysctl -qw net.ipv4.nexthop_compat_mode=0");
	must("ip route flush proto 178 && ip -6 route flush proto 178");
	must("sysctl -qw net.ipv4.nexthop_compat_mode=1");
}

static inline void open_fib(void)
{
	ck_assert_int_eq(fib_open(loop, &params, &fib), 0);
}

static inline void start(void)
{
	netns_enter();
	up("a0");
	up("b0");
	must("ip addr add 10.1.0.1/24 dev a0 && ip -6 addr add fd01::1/64 dev a0 nodad");
	must("ip addr add 10.2.0.1/24 dev b0 && ip -6 addr add fd02::1/64 dev b0 nodad");
	loop = loop_new();
	open_fib();
	fib_adopt_end(fib);
	run_until(loop, NULL, NULL, 5);
}

static inline void finish(void)
{
	fib_close(fib, true);
	ck_assert_int_eq(lines("ip route show table all proto 178; ip -6 route show table all proto 178"), 0);
	ck_assert_int_eq(lines("ip nexthop show proto 178"), 0);
	loop_free(loop);
}

#endif
