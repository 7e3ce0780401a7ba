/* SPDX-License-Identifier: BSD-2-Clause */
/* test_tunnel.c - the links follow the configuration, whatever is done to them from outside. */
#include "tunnel/tunnel.h"

#include "config/diff.h"
#include "netlink/link.h"
#include "netlink/sysctl.h"
#include "unit/netlink/netns.h"
#include "unit/unit.h"

static struct loop *loop;
static struct tunnels *tunnels;
static struct link_watch *watch;
static struct conf_host host = { CONF_UNSET, CONF_UNSET, -1, 2 };
static struct conf_address addresses[] = { { { IP_V4, { 192, 168, 234, 1 } }, 24 },
	                                   { { IP_V6, { 0xfd, 0xaa, [15] = 1 } }, 64 } };
static struct conf_tunnel wanted[2];

/* -- as the daemon connects them ---------------------------------------------------------------- */

static void link_set(void *ctx, const struct link_info *l)
{
	const struct tunnel_link t = { l->ifindex, l->name, l->kind, l->alias, l->mtu, l->up, l->admin_up };

	(void)ctx;
	tunnels_link_set(tunnels, &t);
	tunnels_underlay_changed(tunnels);
}

static void link_del(void *ctx, uint32_t ifindex, const char *name)
{
	(void)ctx;
	tunnels_link_del(tunnels, ifindex, name);
}

static void address_set(void *ctx, uint32_t ifindex, const struct ip *a, uint8_t len)
{
	(void)ctx;
	tunnels_address_set(tunnels, ifindex, a, len);
}

static void address_del(void *ctx, uint32_t ifindex, const struct ip *a, uint8_t len)
{
	(void)ctx;
	tunnels_address_del(tunnels, ifindex, a, len);
}

static void route_changed(void *ctx, const struct link_route *r)
{
	(void)ctx;
	(void)r;
	tunnels_underlay_changed(tunnels);
}

static void own_route_lost(void *ctx, const struct prefix *p)
{
	(void)ctx;
	(void)p;
}

static void link_touched(void *ctx, uint32_t ifindex)
{
	(void)ctx;
	tunnels_touched(tunnels, ifindex);
}

static void rule_del(void *ctx, uint8_t protocol)
{
	(void)ctx;
	tunnels_rule_del(tunnels, protocol);
}

static void other_route(void *ctx)
{
	(void)ctx;
	tunnels_underlay_changed(tunnels);
}

static const struct link_events events = { .link_set = link_set,
	                                   .link_del = link_del,
	                                   .address_set = address_set,
	                                   .address_del = address_del,
	                                   .route_set = route_changed,
	                                   .route_del = route_changed,
	                                   .own_route_lost = own_route_lost,
	                                   .link_touched = link_touched,
	                                   .rule_del = rule_del,
	                                   .other_route = other_route };

/* -- helpers ------------------------------------------------------------------------------------ */

static struct ip ip(const char *text)
{
	struct ip a;

	ck_assert_msg(ip_parse(text, &a), "%s", text);
	return a;
}

static char logged[1 << 16];

static void keep_log(void *ctx, enum log_level level, const char *event, const struct kv *kv, size_t n)
{
	size_t used = strlen(logged);

	(void)ctx;
	log_format(logged + used, sizeof(logged) - used - 1, level, event, kv, n);
	strcat(logged, "\n");
}

static void start(void)
{
	netns_enter();
	log_set_sink(keep_log, NULL);
	must("ip link add u0 type veth peer name u1 && ip link set u1 up && ip link set u0 up");
	must("ip addr add 192.0.2.1/24 dev u0 && ip -6 addr add fd00::1/64 dev u0 nodad");
	loop = loop_new();
	ck_assert_int_eq(tunnels_new(loop, sysctl_set, &tunnels), 0);
	ck_assert_int_eq(link_watch_new(loop, 178, 254, &events, NULL, &watch), 0);
	wanted[0] = (struct conf_tunnel){ .name = (char *)"vx0",
		                          .type = TUNNEL_VXLAN,
		                          .vni = 101,
		                          .port = 4789,
		                          .local = ip("192.0.2.1"),
		                          .remote = ip("192.0.2.2"),
		                          .ttl = 255,
		                          .learning = true,
		                          .persist = true,
		                          .addresses = addresses,
		                          .n_addresses = 2 };
	wanted[1] = wanted[0];
	wanted[1].name = (char *)"vx.1";
	wanted[1].vni = 102;
	wanted[1].port = 4790;
	wanted[1].n_addresses = 0;
	wanted[1].persist = false;
}

static void finish(void)
{
	link_watch_free(watch);
	tunnels_free(tunnels, true);
	loop_free(loop);
}

static void apply(size_t n)
{
	ck_assert_uint_eq(tunnels_apply(tunnels, wanted, n, &host), 0);
	run_until(loop, NULL, NULL, 30);
}

static bool shell_true(void *cmd)
{
	return system(cmd) == 0;
}

#define ck_becomes(cmd)                                                                             \
	ck_assert_msg(run_until(loop, shell_true, (char *)(cmd), 20000), "never true: %s\n%s", cmd, \
	              sh("ip -d addr"))
#define ck_holds(cmd) ck_assert_msg(system(cmd) == 0, "not true: %s\n%s", cmd, sh("ip -d addr"))

/* -- tests -------------------------------------------------------------------------------------- */

START_TEST(creates)
{
	struct tunnel_view v;

	start();
	apply(2);
	ck_holds("ip -d link show vx0 | grep -q 'vxlan id 101 remote 192.0.2.2 local 192.0.2.1 .*dstport "
	         "4789 .*ttl 255'");
	ck_holds("ip link show vx0 | grep -q 'alias mcbgpd'");
	ck_holds("ip link show vx0 | grep -q 'mtu 1450'"); /* 1500 less 50 */
	ck_holds("ip -d link show vx.1 | grep -q 'vxlan id 102 .*dstport 4790'");
	ck_holds("ip addr show vx0 | grep -q '192.168.234.1/24'");
	ck_holds("ip addr show vx0 | grep -q 'fdaa::1/64.* nodad'");
	ck_holds("ip link show up | grep -q vx0:");
	ck_holds("test $(cat /proc/sys/net/ipv4/conf/vx0/rp_filter) = 2");
	ck_holds("test $(cat /proc/sys/net/ipv4/conf/vx.1/rp_filter) = 2");
	ck_assert_uint_eq(tunnels_count(tunnels), 2);
	tunnels_view(tunnels, 0, &v);
	ck_assert_int_eq(v.state, TUNNEL_UP);
	ck_assert_ptr_null(v.error);
	ck_assert_uint_eq(v.mtu, 1450);
	finish();
	ck_holds("ip link show vx0 >/dev/null");
	ck_holds("! ip link show vx.1 2>/dev/null");
}
END_TEST

START_TEST(ipv6_underlay)
{
	start();
	wanted[0].local = ip("fd00::1");
	wanted[0].remote = ip("fd00::2");
	apply(1);
	ck_holds("ip -d link show vx0 | grep -q 'remote fd00::2 local fd00::1'");
	ck_holds("ip link show vx0 | grep -q 'mtu 1430'");
	finish();
}
END_TEST

START_TEST(unchanged_is_not_touched)
{
	start();
	must("echo 1 >/proc/sys/net/ipv6/conf/default/addr_gen_mode"); /* no address of the kernel's own */
	apply(1);
	run_until(loop, NULL, NULL, 1500); /* what the kernel says of a new link, it says by now */
	must("ip -ts monitor link address > monitored & echo $! > monitor.pid; sleep 0.2");
	apply(1);
	tunnels_free(tunnels, false); /* a restart */
	ck_assert_int_eq(tunnels_new(loop, sysctl_set, &tunnels), 0);
	apply(1);
	must("sleep 0.1; kill $(cat monitor.pid)");
	ck_assert_msg(system("! grep -q vx0 monitored") == 0, "%s", sh("cat monitored"));
	must("rm -f monitored monitor.pid");
	finish();
}
END_TEST

static void set_remote(void)
{
	wanted[0].remote = ip("192.0.2.9");
}
static void set_local(void)
{
	wanted[0].local = ip("192.0.2.1");
	wanted[0].local.b[3] = 7;
}
static void set_ttl(void)
{
	wanted[0].ttl = 12;
}
static void set_tos(void)
{
	wanted[0].tos = 16;
}
static void set_learning(void)
{
	wanted[0].learning = false;
}
static void set_interface(void)
{
	wanted[0].interface = (char *)"u0";
}
static void set_mtu(void)
{
	wanted[0].mtu = 1300;
}
static void set_address(void)
{
	wanted[0].n_addresses = 1;
}
static void set_vni(void)
{
	wanted[0].vni = 7;
}
static void set_port(void)
{
	wanted[0].port = 4799;
}
static void set_family(void)
{
	wanted[0].local = ip("fd00::1");
	wanted[0].remote = ip("fd00::2");
}
static void set_no_local(void)
{
	wanted[0].local = (struct ip){ 0 };
}

static const struct {
	void (*set)(void);
	bool in_place;
	const char *then;
} changes[] = {
	{ set_remote, true, "ip -d link show vx0 | grep -q 'remote 192.0.2.9 '" },
	{ set_local, true, "ip -d link show vx0 | grep -q 'local 192.0.2.7 '" },
	{ set_ttl, true, "ip -d link show vx0 | grep -q 'ttl 12 '" },
	{ set_tos, true, "ip -d link show vx0 | grep -q 'tos 0x10 '" },
	{ set_learning, true, "ip -d link show vx0 | grep -q nolearning" },
	{ set_interface, true, "ip -d link show vx0 | grep -q 'dev u0'" },
	{ set_mtu, true, "ip link show vx0 | grep -q 'mtu 1300'" },
	{ set_address, true, "! ip addr show vx0 | grep -q fdaa::" },
	{ set_vni, false, "ip -d link show vx0 | grep -q 'id 7 '" },
	{ set_port, false, "ip -d link show vx0 | grep -q 'dstport 4799 '" },
	{ set_family, false, "ip -d link show vx0 | grep -q 'remote fd00::2 '" },
	{ set_no_local, false, "! ip -d link show vx0 | grep -q ' local '" },
};

START_TEST(change_in_place_or_replace)
{
	struct conf_tunnel old;
	enum link_fate said;
	unsigned before;

	start();
	apply(1);
	before = if_nametoindex("vx0");
	old = wanted[0];
	changes[_i].set();
	said = diff_tunnel(&old, &wanted[0], NULL, NULL);
	apply(1);
	ck_holds(changes[_i].then);
	ck_assert_msg((before == if_nametoindex("vx0")) == changes[_i].in_place, "%s", changes[_i].then);
	ck_assert_msg(said == (changes[_i].in_place ? LINK_CHANGED : LINK_REPLACED), "%s", changes[_i].then);
	ck_holds("ip link show vx0 | grep -q 'alias mcbgpd'");
	ck_holds("ip link show up | grep -q vx0:");
	ck_holds("ip addr show vx0 | grep -q '192.168.234.1/24'");
	finish();
}
END_TEST

#define FLOODS_TO(addresses)                                                                               \
	"test \"$(bridge fdb show dev vx0 | grep ^00:00:00:00:00:00 | sed 's/.*dst //; s/ .*//' | sort | " \
	"xargs)\" = '" addresses "'"

static const struct {
	const char *do_it, *then, *event;
} faults[] = {
	{ "ip link del vx0",
	  "ip link show up 2>/dev/null | grep -q vx0: && ip addr show vx0 | grep -q 192.168.234.1/24",
	  "tunnel.created_again" },
	{ "ip link set vx0 down", "ip link show up | grep -q vx0: && ip addr show vx0 | grep -q fdaa::1",
	  "tunnel.restored" },
	{ "ip addr flush dev vx0",
	  "ip addr show vx0 | grep -q 192.168.234.1/24 && ip addr show vx0 | grep -q fdaa::1",
	  "tunnel.address_restored" },
	{ "ip addr del 192.168.234.1/24 dev vx0", "ip addr show vx0 | grep -q 192.168.234.1/24",
	  "tunnel.address_restored" },
	{ "ip addr add 198.51.100.1/24 dev vx0", "! ip addr show vx0 | grep -q 198.51.100.1",
	  "tunnel.address_removed" },
	{ "ip link set vx0 mtu 1200", "ip link show vx0 | grep -q 'mtu 1450'", "tunnel.mtu" },
	{ "ip link set vx0 alias other", "ip link show vx0 | grep -q 'alias mcbgpd'", "tunnel.restored" },
	{ "ip link set vx0 type vxlan ttl 9", "ip -d link show vx0 | grep -q 'ttl 255'", "tunnel.changed" },
	{ "ip link set vx0 type vxlan remote 192.0.2.9", FLOODS_TO("192.0.2.2"), "tunnel.changed" },
	{ "bridge fdb del 00:00:00:00:00:00 dev vx0 dst 192.0.2.2", FLOODS_TO("192.0.2.2"),
	  "tunnel.remote_restored" },
	{ "bridge fdb append 00:00:00:00:00:00 dev vx0 dst 192.0.2.7", FLOODS_TO("192.0.2.2"),
	  "tunnel.remote_removed" },
	{ "echo 1 >/proc/sys/net/ipv4/conf/vx0/rp_filter", "grep -q 2 /proc/sys/net/ipv4/conf/vx0/rp_filter",
	  "tunnel.restored" },
	{ "ip rule del fwmark 7 table 107", "ip rule | grep -q 'fwmark 0x7 lookup 107'",
	  "tunnel.rule_restored" },
	{ "ip -6 rule del fwmark 7 table 107", "ip -6 rule | grep -q 'fwmark 0x7 lookup 107'",
	  "tunnel.rule_restored" },
	{ "ip link set vx0 down && ip link set vx0 name vy0",
	  "ip link show up 2>/dev/null | grep -q vx0:", "tunnel.removed_renamed" },
	{ "ip link set u0 mtu 1400", "ip link show vx0 | grep -q 'mtu 1350'", "tunnel.mtu" },
	{ "ip route add 192.0.2.2 dev u0 mtu 1380", "ip link show vx0 | grep -q 'mtu 1330'", "tunnel.mtu" },
	{ "ip route add 192.0.2.0/24 dev u0 table 107 mtu 1370", "ip link show vx0 | grep -q 'mtu 1320'",
	  "tunnel.mtu" },
	{ "ip link del vx0 && ip link add vx0 type bridge && sleep 0.2 && ip link del vx0",
	  "ip -d link show vx0 2>/dev/null | grep -q vxlan", "tunnel.created_again" },
};

START_TEST(put_back)
{
	uint64_t began;

	start();
	wanted[0].fwmark = 7; /* what the loader refuses for a VXLAN serves here: the rules are the same */
	wanted[0].rule_table = 107;
	apply(1);
	run_until(loop, NULL, NULL, 150);
	logged[0] = '\0';
	must("%s", faults[_i].do_it);
	began = loop_clock();
	ck_becomes(faults[_i].then);
	printf("# %s: %u ms\n", faults[_i].do_it, (unsigned)((loop_clock() - began) / 1000));
	ck_assert_msg(strstr(logged, faults[_i].event), "%s: %s", faults[_i].do_it, logged);
	finish();
}
END_TEST

/* What nobody told of is found when events were lost. */
START_TEST(lost_events)
{
	start();
	wanted[0].fwmark = 7;
	wanted[0].rule_table = 107;
	apply(1);
	run_until(loop, NULL, NULL, 150);
	link_watch_free(watch);
	watch = NULL;
	must("ip addr del 192.168.234.1/24 dev vx0 && ip rule del fwmark 7 table 107");
	run_until(loop, NULL, NULL, 100);
	ck_holds("! ip addr show vx0 | grep -q 192.168.234.1/24");
	tunnels_events_lost(tunnels);
	ck_becomes("ip addr show vx0 | grep -q 192.168.234.1/24 && ip rule | grep -q 'lookup 107'");
	finish();
}
END_TEST

static const char *const strangers[] = {
	"ip link add vx0 type bridge",
	"ip link add vx0 type vxlan id 9 remote 192.0.2.9 dstport 4789",
};

START_TEST(foreign_link_is_an_error_and_stays)
{
	struct tunnel_view v;
	unsigned index;

	start();
	must("%s", strangers[_i]);
	index = if_nametoindex("vx0");
	ck_assert_uint_eq(tunnels_apply(tunnels, wanted, 1, &host), 1);
	run_until(loop, NULL, NULL, 50);
	tunnels_view(tunnels, 0, &v);
	ck_assert_int_eq(v.state, TUNNEL_ERROR);
	ck_assert_msg(strstr(v.error, "was not made by mcbgpd"), "%s", v.error);
	ck_assert_uint_eq(index, if_nametoindex("vx0"));
	ck_holds("! ip addr show vx0 | grep -q 192.168.234.1");
	must("ip link del vx0");
	ck_becomes("ip -d link show vx0 2>/dev/null | grep -q 'id 101'");
	finish();
}
END_TEST

START_TEST(missing_underlay_is_an_error_until_it_comes)
{
	struct tunnel_view v;

	start();
	wanted[0].interface = (char *)"late0";
	ck_assert_uint_eq(tunnels_apply(tunnels, wanted, 1, &host), 1);
	tunnels_view(tunnels, 0, &v);
	ck_assert_str_eq(v.error, "its underlay interface late0 does not exist");
	must("ip link add late0 type bridge");
	ck_becomes("ip -d link show vx0 2>/dev/null | grep -q 'dev late0'");
	finish();
}
END_TEST

static struct ip ends[3];

static void set_remotes(size_t n)
{
	wanted[0].remote = (struct ip){ 0 };
	wanted[0].remotes = ends;
	wanted[0].n_remotes = n;
	ends[0] = ip("192.0.2.2");
	ends[1] = ip("192.0.2.3");
	ends[2] = ip("192.0.2.4");
}

START_TEST(floods_to_several_ends)
{
	start();
	set_remotes(3);
	apply(1);
	ck_holds(FLOODS_TO("192.0.2.2 192.0.2.3 192.0.2.4"));
	ck_holds("ip link show vx0 | grep -q 'mtu 1450'");
	apply(1);
	ck_holds(FLOODS_TO("192.0.2.2 192.0.2.3 192.0.2.4"));
	set_remotes(2);
	apply(1);
	ck_holds(FLOODS_TO("192.0.2.2 192.0.2.3"));
	must("bridge fdb add 02:00:00:00:00:01 dev vx0 dst 192.0.2.9"); /* learned, or somebody's: stays */
	apply(1);
	ck_holds("bridge fdb show dev vx0 | grep -q 192.0.2.9");
	must("ip link del vx0");
	ck_becomes("ip link show vx0 2>/dev/null >&2 && " FLOODS_TO("192.0.2.2 192.0.2.3"));
	finish();
}
END_TEST

START_TEST(too_narrow_for_ipv6_is_an_error_in_words)
{
	struct tunnel_view v;

	start();
	must("ip link set u0 mtu 1320");
	ck_assert_uint_eq(tunnels_apply(tunnels, wanted, 1, &host), 1);
	tunnels_view(tunnels, 0, &v);
	ck_assert_int_eq(v.state, TUNNEL_ERROR);
	ck_assert_msg(strstr(v.error, "leaves 1270 bytes, and its IPv6 addresses need 1280"), "%s", v.error);
	must("ip link set u0 mtu 1330");
	ck_becomes("ip link show vx0 | grep -q 'mtu 1280' && ip addr show vx0 | grep -q fdaa::1");
	must("ip link set u0 mtu 1300");
	wanted[0].n_addresses = 1;
	apply(1);
	ck_holds("ip link show vx0 | grep -q 'mtu 1250'");
	finish();
}
END_TEST

START_TEST(rules_for_marked_packets)
{
	start();
	must("ip rule add fwmark 9 lookup 109");
	wanted[0].fwmark = 7;
	wanted[0].rule_table = 107;
	apply(1);
	ck_holds("ip rule | grep -q 'fwmark 0x7 lookup 107'");
	ck_holds("ip -6 rule | grep -q 'fwmark 0x7 lookup 107'");
	apply(1);
	ck_holds("test $(ip rule | grep -c 'lookup 107') = 1");
	wanted[0].rule_table = 108;
	apply(1);
	ck_holds("! ip rule | grep -q 'lookup 107'");
	ck_holds("ip rule | grep -q 'fwmark 0x7 lookup 108'");
	wanted[0].persist = false;
	finish();
	ck_holds("! ip rule | grep -q 'lookup 108'");
	ck_holds("ip rule | grep -q 'lookup 109'");
}
END_TEST

START_TEST(removed_from_the_configuration)
{
	start();
	apply(2);
	must("ip link add other type vxlan id 9 remote 192.0.2.9 dstport 4789");
	must("ip link add br9 type bridge && ip link set br9 alias mcbgpd");
	apply(1);
	ck_holds("ip link show vx0 >/dev/null");
	ck_holds("! ip link show vx.1 2>/dev/null");
	ck_holds("ip link show other >/dev/null && ip link show br9 >/dev/null");
	apply(0);
	ck_holds("! ip link show vx0 2>/dev/null");
	finish();
}
END_TEST

static struct prefix prefix(const char *text)
{
	struct prefix p;

	ck_assert_msg(prefix_parse(text, false, &p), "%s", text);
	return p;
}

/* Whose next hops die with a WireGuard peer: the longest match, as the device itself sends. */
START_TEST(peer_behind_a_gateway)
{
	struct prefix all[] = { prefix("0.0.0.0/0"), prefix("::/0") };
	struct prefix some[] = { prefix("172.16.0.0/16"), prefix("fd00::2/128") };
	struct prefix one[] = { prefix("172.16.234.3/32") };
	struct conf_wg_peer peers[] = {
		{ .allowed_ips = all, .n_allowed_ips = 2 },
		{ .allowed_ips = some, .n_allowed_ips = 2 },
		{ .allowed_bgp = true, .tunnel_address = one, .n_tunnel_address = 1 }
	};
	struct conf_tunnel t = { .type = TUNNEL_WIREGUARD, .peers = peers, .n_peers = 3 };
	const struct {
		const char *gateway;
		size_t peer;
	} rows[] = { { "192.0.2.1", 0 },
		     { "172.16.234.2", 1 },
		     { "172.16.234.3", 2 },
		     { "fd00::2", 1 },
		     { "fd00::3", 0 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ip a = ip(rows[i].gateway);

		ck_assert_msg(tunnel_peer_by_gateway(&t, &a) == rows[i].peer, "%s", rows[i].gateway);
	}
	t.peers = &peers[2];
	t.n_peers = 1;
	ck_assert_uint_eq(tunnel_peer_by_gateway(&t, &all[0].addr), 1); /* nobody's */
}
END_TEST

UNIT_MAIN("tunnel", UNIT(creates), UNIT(ipv6_underlay), UNIT(unchanged_is_not_touched),
          UNIT_ROWS(change_in_place_or_replace, changes), UNIT_ROWS(put_back, faults), UNIT(lost_events),
          UNIT_ROWS(foreign_link_is_an_error_and_stays, strangers),
          UNIT(missing_underlay_is_an_error_until_it_comes), UNIT(floods_to_several_ends),
          UNIT(too_narrow_for_ipv6_is_an_error_in_words), UNIT(rules_for_marked_packets),
          UNIT(removed_from_the_configuration), UNIT(peer_behind_a_gateway))
