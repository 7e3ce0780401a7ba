/* SPDX-License-Identifier: BSD-2-Clause */
/* The plan of a reload: which differences are told, with which values and which cost. */
#include "config/plan.h"

#include "conf_lab.h"

static char told[LAB_BYTES];

static void on_item(void *ctx, const struct plan_item *i)
{
	size_t used = strlen(told);

	(void)ctx;
	ck_assert_ptr_nonnull(i->kind);
	ck_assert_ptr_nonnull(i->effect);
	ck_assert((i->setting == NULL) == (i->from == NULL) && (i->from == NULL) == (i->to == NULL));
	snprintf(told + used, sizeof(told) - used, "%s\n", i->text);
}

#define NODES                                                                                              \
	"filters = { f = ( { action = `accept`; } ); g = ( { action = `reject`; } ); };"                   \
	"peers = ( { name = `a`; address = `192.0.2.2`; remote_as = 65002; import = `f`; export = `f`; }," \
	" { name = `b`; address = `192.0.2.3`; remote_as = 65002; import = `f`; export = `all`; } );"
#define NODES_OTHER_FILTER                                                                                   \
	"filters = { f = ( { set = { med = 5; }; action = `accept`; } ); g = ( { action = `reject`; } ); };" \
	"peers = ( { name = `a`; address = `192.0.2.2`; remote_as = 65002; import = `f`; export = `f`; },"   \
	" { name = `b`; address = `192.0.2.3`; remote_as = 65002; import = `f`; export = `all`; } );"
#define GRE(settings) "tunnels = ( { name = `g0`; type = `gre`; remote = `192.0.2.9`; " settings " } );"
#define KEY           "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="
#define OTHER_KEY     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI="
#define WG(key, settings)                                                                   \
	"tunnels = ( { name = `wg0`; type = `wireguard`; private_key_file = `/k`; peers = " \
	"( { public_key = `" key "`; " settings " } ); } );"

static const struct {
	const char *what, *old, *new, *want;
} rows[] = {
	{ "nothing", HEAD PEER(""), HEAD PEER(""), "" },
	{ "a default written out", HEAD PEER(""), HEAD PEER("hold_time = 90; connect_retry = 5;"), "" },
	{ "a session parameter", HEAD PEER(""), HEAD PEER("hold_time = 30;"),
	  "peer a: hold_time 90 -> 30: the session is reset\n" },
	{ "a default of router is told of the peers", HEAD PEER(""), ROUTER("hold_time = 30;") PEER(""),
	  "peer a: hold_time 90 -> 30: the session is reset\n" },
	{ "a timer with a word for 0", HEAD PEER("keepalive = 3;"), HEAD PEER(""),
	  "peer a: keepalive 3 -> a third of the hold time: nothing is disturbed\n" },
	{ "a keyword that was not there", HEAD PEER(""), HEAD PEER("role = `provider`;"),
	  "peer a: role none -> provider: the session is reset\n" },
	{ "words", HEAD PEER(""), HEAD PEER("families = [ `ipv4`, `ipv6` ];"),
	  "peer a: families [ipv4] -> [ipv4, ipv6]: the session is reset\n" },
	{ "a policy", HEAD PEER(""), HEAD PEER("import = `all`;"),
	  "peer a: import unset -> all: routes are evaluated again\n" },
	{ "an address", HEAD PEER(""), HEAD PEER("local_address = `192.0.2.1`;"),
	  "peer a: local_address none -> 192.0.2.1: the session is reset\n" },
	{ "peers come and go", HEAD PEER(""), HEAD PEER_NAMED("b"),
	  "peer a is removed: its session ends\npeer b is new\n" },
	{ "the router's id", HEAD PEER(""), "router = { id = `192.0.2.7`; as = 65001; };" PEER(""),
	  "router: id 192.0.2.1 -> 192.0.2.7: every session is reset\n"
	  "router: cluster_id 192.0.2.1 -> 192.0.2.7: routes are evaluated again\n" },
	{ "one of a list", ROUTER("listen = ( { address = `192.0.2.1`; } );"),
	  ROUTER("listen = ( { address = `192.0.2.1`; port = 178; } );"),
	  "router: listen[0].port 179 -> 178: nothing is disturbed\n" },
	{ "more of a list", ROUTER("listen = ( { address = `192.0.2.1`; } );"),
	  ROUTER("listen = ( { address = `192.0.2.1`; }, { address = `192.0.2.1`; port = 178; } );"),
	  "router: listen 1 -> 2 of them: nothing is disturbed\n" },
	{ "a filter that two use", HEAD NODES, HEAD NODES_OTHER_FILTER,
	  "filter f changed: routes of 2 peers are evaluated again\n" },
	{ "a filter that nobody uses", HEAD MATCH("med = 1"), HEAD MATCH("med = 2"),
	  "filter f changed: nothing is disturbed\n" },
	{ "a filter of the kernel", HEAD MATCH("med = 1") "kernel = { export = `f`; };",
	  HEAD MATCH("med = 2") "kernel = { export = `f`; };",
	  "filter f changed: routes of the kernel are evaluated again\n" },
	{ "filters come and go", HEAD MATCH("med = 1"), HEAD "filters = { g = ( { } ); };",
	  "filter f is removed\nfilter g is new\n" },
	{ "a prefix set", HEAD "prefix_sets = { s = [ `10.0.0.0/8` ]; };",
	  HEAD "prefix_sets = { s = [ `10.0.0.0/9` ]; };",
	  "prefix set s changed: filters that use it follow\n" },
	{ "a VXLAN's number", HEAD TUNNEL(""),
	  HEAD "tunnels = ( { name = `t0`; type = `vxlan`; vni = 2; remote = `192.0.2.9`; } );",
	  "tunnel t0: vni 1 -> 2: the link is replaced\n" },
	{ "a VXLAN's width", HEAD TUNNEL(""), HEAD TUNNEL("mtu = 1400; tos = 4;"),
	  "tunnel t0: mtu computed -> 1400: the link is changed in place\n"
	  "tunnel t0: tos 0 -> 4: the link is changed in place\n" },
	{ "a VXLAN that is to forget its own end", HEAD TUNNEL("local = `192.0.2.1`;"), HEAD TUNNEL(""),
	  "tunnel t0: local 192.0.2.1 -> none: the link is replaced\n" },
	{ "a GRE that is to forget its own end", HEAD GRE("local = `192.0.2.1`;"), HEAD GRE(""),
	  "tunnel g0: local 192.0.2.1 -> none: the link is changed in place\n" },
	{ "another family underneath", HEAD GRE(""),
	  HEAD "tunnels = ( { name = `g0`; type = `gre`; remote = `2001:db8::9`; } );",
	  "tunnel g0: remote 192.0.2.9 -> 2001:db8::9: the link is replaced\n" },
	{ "a key that was not there", HEAD GRE(""), HEAD GRE("key = 0;"),
	  "tunnel g0: ikey none -> 0: the link is changed in place\n"
	  "tunnel g0: okey none -> 0: the link is changed in place\n" },
	{ "addresses", HEAD TUNNEL("addresses = [ `10.0.0.1/24` ];"),
	  HEAD TUNNEL("addresses = [ `10.0.0.1/24`, `10.0.1.1/24` ];"),
	  "tunnel t0: addresses [10.0.0.1/24] -> [10.0.0.1/24, 10.0.1.1/24]: the link is changed in "
	  "place\n" },
	{ "a WireGuard peer", HEAD WG(KEY, "allowed_ips = `10.0.0.0/8`;"),
	  HEAD WG(OTHER_KEY, "allowed_ips = [ `10.0.0.0/8`, `bgp` ];"),
	  "tunnel wg0: peers[0].public_key " KEY " -> " OTHER_KEY ": the link is changed in place\n"
	  "tunnel wg0: peers[0].allowed_ips [10.0.0.0/8] -> bgp [10.0.0.0/8]: the link is changed in "
	  "place\n" },
	{ "static routes", HEAD STATIC("prefix = `10.0.0.0/8`; interface = `eth0`"),
	  HEAD STATIC("prefix = `10.0.0.0/8`; next_hop = `192.0.2.7`"),
	  "static route 10.0.0.0/8: interface eth0 -> none: routes are evaluated again\n"
	  "static route 10.0.0.0/8: next_hop none -> 192.0.2.7: routes are evaluated again\n" },
	{ "other static routes", HEAD STATIC("prefix = `10.0.0.0/8`; blackhole = true"),
	  HEAD STATIC("prefix = `11.0.0.0/8`; blackhole = true"),
	  "static route 10.0.0.0/8 is removed\nstatic route 11.0.0.0/8 is new\n" },
	{ "patterns of links", HEAD "direct = { interfaces = [ `eth0` ]; };",
	  HEAD "direct = { interfaces = [ `eth*` ]; };",
	  "direct: interfaces [eth0] -> [eth*]: routes are evaluated again\n" },
	{ "sysctls", HEAD, HEAD "host = { ip_forward = true; rp_filter = `loose`; };",
	  "host: ip_forward left as the host has it -> true: nothing is disturbed\n"
	  "host: rp_filter left as the host has it -> loose: nothing is disturbed\n" },
	{ "what waits for a start", HEAD, HEAD "kernel = { table = 100; }; control = { group = `g`; };",
	  "control: group mcbgpd -> g: needs a start of the daemon\n"
	  "kernel: table 254 -> 100: needs a start of the daemon\n" },
};

START_TEST(differences)
{
	struct conf *a = lab_conf(rows[_i].old), *b = lab_conf(rows[_i].new);
	char want[4096];
	size_t lines = 0;

	snprintf(want, sizeof(want), "%s", rows[_i].want);
	for (const char *p = want; (p = strchr(p, '\n')); p++)
		lines++;
	told[0] = '\0';
	ck_assert_uint_eq(plan_tell(a, b, on_item, NULL), lines);
	ck_assert_msg(strcmp(told, want) == 0, "%s:\n%sinstead of\n%s", rows[_i].what, told, want);
	told[0] = '\0';
	ck_assert_msg(plan_tell(b, b, on_item, NULL) == 0, "%s: the same to itself:\n%s", rows[_i].what,
	              told);
	conf_free(a);
	conf_free(b);
}
END_TEST

START_TEST(many_elements_are_counted)
{
	struct conf *a = lab_conf(HEAD "direct = { interfaces = [ `a` ]; };");
	struct conf *b =
	        lab_conf(HEAD "direct = { interfaces = [ `a`, `b`, `c`, `d`, `e`, `f`, `g`, `h` ]; };");

	told[0] = '\0';
	plan_tell(a, b, on_item, NULL);
	ck_assert_str_eq(told, "direct: interfaces [a] -> [a, b, c, d, e, f and 2 more]: "
	                       "routes are evaluated again\n");
	conf_free(a);
	conf_free(b);
}
END_TEST

START_TEST(only_what_waits_is_pending)
{
	struct conf *a = lab_conf(HEAD PEER(""));
	struct conf *b = lab_conf(HEAD PEER("hold_time = 9;") "kernel = { table = 100; multipath = 4; };");

	told[0] = '\0';
	ck_assert_uint_eq(plan_pending(a, b, on_item, NULL), 1);
	ck_assert_str_eq(told, "kernel: table 254 -> 100: needs a start of the daemon\n");
	conf_free(a);
	conf_free(b);
}
END_TEST

UNIT_MAIN("plan", UNIT_ROWS(differences, rows), UNIT(many_elements_are_counted),
          UNIT(only_what_waits_is_pending))
