/* SPDX-License-Identifier: BSD-2-Clause */
/* What a change of the configuration costs: for each setting of a peer, tunnel and static route. */
#include "config/diff.h"

#include "conf_lab.h"
#include "config/schema.h"

#define SAME    (1u << PEER_SAME)
#define POLICY  (1u << PEER_POLICY)
#define RUNTIME (1u << PEER_RUNTIME)
#define RESET   (1u << PEER_RESET)

#define FILTERS                                                                                              \
	"prefix_sets = { s = [ `10.0.0.0/8` ]; s2 = [ `10.0.0.0/8` ]; };"                                    \
	"filters = { f = ( { match = { prefix = `s`; }; action = `accept`; } );"                             \
	" same = ( { match = { prefix = `s2`; }; action = `accept`; } ); g = ( { action = `accept`; } ); };" \
	"peer_groups = { calico = { port = 178; }; };"
#define ONE(settings) HEAD FILTERS "peers = ( { name = `a`; remote_as = 65002; " settings " } );"
#define A(settings)   ONE("address = `192.0.2.2`; " settings)

static const struct {
	const char *what, *old, *new;
	unsigned want;
} rows[] = {
	{ "nothing", A(""), A(""), SAME },
	{ "a default written out", A(""), A("hold_time = 90; port = 179; passive = false; local_as = 65001;"),
	  SAME },
	{ "a default of router written out", A(""), ROUTER("hold_time = 90;") FILTERS PEER(""), SAME },
	{ "another setting of router", A(""), ROUTER("connect_retry = 9;") FILTERS PEER("connect_retry = 5;"),
	  SAME },
	{ "a number written otherwise", A("hold_time = 9;"), A("hold_time = 0x9L;"), SAME },
	{ "address", A(""), ONE("address = `192.0.2.3`;"), RESET },
	{ "range", ONE("range = `192.0.2.0/24`;"), ONE("range = `192.0.2.0/25`;"), RESET },
	{ "max_peers", ONE("range = `192.0.2.0/24`;"), ONE("range = `192.0.2.0/24`; max_peers = 5;"),
	  RUNTIME },
	{ "address to range", A("passive = true;"), ONE("range = `192.0.2.2/32`;"), RESET },
	{ "group of the same settings", A("port = 178;"), A("group = `calico`;"), POLICY },
	{ "group of others", A(""), A("group = `calico`;"), POLICY | RESET },
	{ "remote_as", A(""), HEAD FILTERS PEER_AS("65003"), RESET },
	{ "another peer", A(""), A("}, { name = `b`; address = `192.0.2.9`; remote_as = 1;"), SAME },
	{ "local_as", A(""), A("local_as = 65009;"), RESET },
	{ "local_address", A(""), A("local_address = `192.0.2.1`;"), RESET },
	{ "port", A(""), A("port = 178;"), RESET },
	{ "interface", A(""), A("interface = `eth0`;"), RESET },
	{ "interface to another", A("interface = `eth1`;"), A("interface = `eth0`;"), RESET },
	{ "passive", A(""), A("passive = true;"), RUNTIME },
	{ "multihop", A(""), A("multihop = 64;"), RESET },
	{ "ttl_security", A(""), A("ttl_security = true;"), RESET },
	{ "password_file", A(""), A("password_file = `/x`;"), RESET },
	{ "hold_time", A(""), A("hold_time = 9;"), RESET },
	{ "hold_time of router", A(""), ROUTER("hold_time = 9;") FILTERS PEER(""), RESET },
	{ "keepalive", A(""), A("keepalive = 3;"), RUNTIME },
	{ "send_hold_time", A(""), A("send_hold_time = 30;"), RUNTIME },
	{ "connect_retry", A(""), A("connect_retry = 3;"), RUNTIME },
	{ "graceful_restart", A(""), A("graceful_restart = false;"), RESET },
	{ "restart_time", A(""), A("restart_time = 60;"), RESET },
	{ "graceful_restart_on_silence", A(""), A("graceful_restart_on_silence = true;"), RUNTIME },
	{ "long_lived_time", A(""), A("long_lived_time = 3600;"), RESET },
	{ "long_lived_limit", A(""), A("long_lived_limit = 60;"), RUNTIME },
	{ "next_hop_self", A(""), A("next_hop_self = true;"), POLICY },
	{ "next_hop_keep", A(""), A("next_hop_keep = true;"), POLICY },
	{ "import", A(""), A("import = `all`;"), POLICY },
	{ "export", A("export = `all`;"), A("export = `none`;"), POLICY },
	{ "to a filter", A("export = `all`;"), A("export = `f`;"), POLICY },
	{ "to another filter", A("import = `f`;"), A("import = `g`;"), POLICY },
	{ "to a filter that does the same", A("import = `f`;"), A("import = `same`;"), SAME },
	{ "max_prefix", A(""), A("max_prefix = 5;"), RUNTIME },
	{ "max_prefix_action", A(""), A("max_prefix_action = `warn`;"), RUNTIME },
	{ "enforce_first_as", A(""), A("enforce_first_as = false;"), POLICY },
	{ "route_reflector_client", A(""), A("route_reflector_client = true;"), RESET },
	{ "add_path", A(""), A("add_path = `receive`;"), RESET },
	{ "allow_own_as", A(""), A("allow_own_as = 1;"), POLICY },
	{ "as_override", A(""), A("as_override = true;"), POLICY },
	{ "remove_private_as", A(""), A("remove_private_as = true;"), POLICY },
	{ "graceful_shutdown", A(""), A("graceful_shutdown = true;"), POLICY },
	{ "role", A(""), A("role = `peer`;"), RESET },
	{ "role that is 0", A(""), A("role = `provider`;"), RESET },
	{ "role to another", A("role = `provider`;"), A("role = `peer`;"), RESET },
	{ "enabled", A(""), A("enabled = false;"), RESET },
	{ "description", A(""), A("description = `x`;"), RUNTIME },
	{ "no description", A("description = `x`;"), A(""), RUNTIME },
	{ "two at once", A(""), A("description = `x`; import = `all`;"), RUNTIME | POLICY },
	{ "id of router", A(""), "router = { id = `192.0.2.5`; as = 65001; };" FILTERS PEER(""), RESET },
	{ "as of router", A("local_as = 65001;"),
	  "router = { id = `192.0.2.1`; as = 65005; };" FILTERS PEER("local_as = 65001;"), RESET },
};

START_TEST(cost_for_a_peer)
{
	struct conf *a = lab_conf(rows[_i].old), *b = lab_conf(rows[_i].new);
	unsigned there = diff_peer(&a->peers[0], &b->peers[0], a, b);
	unsigned back = diff_peer(&b->peers[0], &a->peers[0], b, a);

	ck_assert_msg(there == rows[_i].want, "%s: %#x", rows[_i].what, there);
	ck_assert_msg(back == rows[_i].want, "%s, back: %#x", rows[_i].what, back);
	conf_free(a);
	conf_free(b);
}
END_TEST

/* Each setting that a peer may have has a row above, or none that could change. */
START_TEST(every_setting_of_a_peer_has_a_row)
{
	for (size_t i = 0; i < schema_peer.n; i++) {
		const struct option *o = &schema_peer.options[i];
		bool found = o->later || strcmp(o->name, "name") == 0 || strcmp(o->name, "families") == 0;

		for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
			found |= strncmp(rows[r].what, o->name, strlen(o->name)) == 0;
		ck_assert_msg(found, "%s", o->name);
	}
}
END_TEST

static const struct {
	const char *what, *new;
	bool same;
} tunnels[] = {
	{ "nothing", TUNNEL(""), true },
	{ "defaults written out", TUNNEL("port = 4789; learning = true; ttl = 0;"), true },
	{ "port", TUNNEL("port = 4790;"), false },
	{ "vni", "tunnels = ( { name = `t0`; type = `vxlan`; vni = 2; remote = `192.0.2.9`; } );", false },
	{ "remote", "tunnels = ( { name = `t0`; type = `vxlan`; vni = 1; remote = `192.0.2.8`; } );", false },
	{ "local", TUNNEL("local = `192.0.2.1`;"), false },
	{ "addresses", TUNNEL("addresses = [ `10.0.0.1/24` ];"), false },
	{ "mtu", TUNNEL("mtu = 1400;"), false },
	{ "ttl", TUNNEL("ttl = 1;"), false },
	{ "tos", TUNNEL("tos = 1;"), false },
	{ "interface", TUNNEL("interface = `eth0`;"), false },
	{ "persist", TUNNEL("persist = false;"), false },
	{ "learning", TUNNEL("learning = false;"), false },
};

START_TEST(tunnel_changes)
{
	char text[512];
	struct conf *a = lab_conf(HEAD TUNNEL("")), *b;

	snprintf(text, sizeof(text), HEAD "%s", tunnels[_i].new);
	b = lab_conf(text);
	ck_assert_msg(diff_tunnel_same(&a->tunnels[0], &b->tunnels[0]) == tunnels[_i].same, "%s",
	              tunnels[_i].what);
	ck_assert_msg(diff_tunnel_same(&b->tunnels[0], &a->tunnels[0]) == tunnels[_i].same, "%s",
	              tunnels[_i].what);
	conf_free(a);
	conf_free(b);
}
END_TEST

START_TEST(tunnel_addresses)
{
	struct conf *a = lab_conf(HEAD TUNNEL("addresses = [ `10.0.0.1/24`, `10.0.1.1/24` ];"));
	struct conf *b = lab_conf(HEAD TUNNEL("addresses = [ `10.0.0.1/24`, `10.0.1.1/25` ];"));

	ck_assert(diff_tunnel_same(&a->tunnels[0], &a->tunnels[0]));
	ck_assert(!diff_tunnel_same(&a->tunnels[0], &b->tunnels[0]));
	conf_free(a);
	conf_free(b);
}
END_TEST

#define TUNS(a)        "tunnels = ( " a " );"
#define VX(settings)   TUNS("{ name = `t0`; type = `vxlan`; vni = 1; " settings " }")
#define GRE_(settings) TUNS("{ name = `t0`; type = `gre`; " settings " }")
#define WG_KEY         "public_key = `AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=`; "
#define WG_(settings)  TUNS("{ name = `t0`; type = `wireguard`; private_key_file = `/k`; " settings " }")
#define WGP_(settings) WG_("peers = ( { " WG_KEY settings " } );")
#define FAR            "remote = `192.0.2.9`; "
#define FAR6           "remote = `fd00::9`; "

/* What is said of a tunnel: each setting that differs, with "!" behind one that forces a new link. */
static const struct {
	const char *old, *new, *settings;
	enum link_fate there, back;
} fates[] = {
	{ VX(FAR), VX(FAR), "", LINK_KEPT, LINK_KEPT },
	{ "", VX(FAR), "", LINK_CREATED, LINK_REMOVED },
	{ "", "", "", LINK_KEPT, LINK_KEPT },
	{ VX(FAR), VX(FAR "persist = false;"), "persist ", LINK_KEPT, LINK_KEPT },
	{ VX(FAR), VX(FAR "ttl = 9; tos = 4; mtu = 1400; learning = false; interface = `eth0`;"),
	  "mtu ttl tos interface learning ", LINK_CHANGED, LINK_CHANGED },
	{ VX(FAR), VX("remote = `192.0.2.8`; addresses = `10.0.0.1/24`;"), "remote addresses ", LINK_CHANGED,
	  LINK_CHANGED },
	{ VX(FAR), VX(FAR "port = 4790; ttl = 9;"), "ttl port! ", LINK_REPLACED, LINK_REPLACED },
	{ VX(FAR), TUNS("{ name = `t0`; type = `vxlan`; vni = 2; " FAR "}"), "vni! ", LINK_REPLACED,
	  LINK_REPLACED },
	{ VX(FAR), VX(FAR6), "remote! ", LINK_REPLACED, LINK_REPLACED },
	{ VX(FAR "local = `192.0.2.1`;"), VX(FAR), "local! ", LINK_REPLACED, LINK_CHANGED },
	{ VX(FAR), VX("remotes = `192.0.2.8`;"), "remote! remotes ", LINK_REPLACED, LINK_CHANGED },
	{ VX("remotes = `192.0.2.8`;"), VX("remotes = [ `192.0.2.8`, `192.0.2.7` ];"), "remotes ",
	  LINK_CHANGED, LINK_CHANGED },
	{ VX("remotes = `192.0.2.8`;"), VX("remotes = `fd00::8`;"), "remotes! ", LINK_REPLACED,
	  LINK_REPLACED },
	{ VX(FAR), GRE_(FAR), "type! vni! ", LINK_REPLACED, LINK_REPLACED },
	{ GRE_(FAR), GRE_(FAR "key = 0;"), "ikey okey ", LINK_CHANGED, LINK_CHANGED },
	{ GRE_(FAR "okey = 7;"), GRE_(FAR "okey = 7; ikey = 0;"), "ikey ", LINK_CHANGED, LINK_CHANGED },
	{ GRE_(FAR "key = 7;"), GRE_(FAR "ikey = 7; okey = 7;"), "", LINK_KEPT, LINK_KEPT },
	{ GRE_(FAR), GRE_("remote = `192.0.2.8`; ttl = 9; pmtudisc = false; fwmark = 1; rule_table = 2;"),
	  "remote ttl pmtudisc fwmark rule_table ", LINK_CHANGED, LINK_CHANGED },
	{ GRE_(FAR), GRE_(FAR6), "remote! ", LINK_REPLACED, LINK_REPLACED },
	{ GRE_(FAR "local = `192.0.2.1`;"), GRE_(FAR), "local ", LINK_CHANGED, LINK_CHANGED },
	{ WG_(""), WG_("listen_port = 51821; fwmark = 1; handshake_timeout = 0;"),
	  "listen_port handshake_timeout fwmark ", LINK_CHANGED, LINK_CHANGED },
	{ WG_(""), TUNS("{ name = `t0`; type = `wireguard`; private_key_file = `/l`; }"), "private_key_file ",
	  LINK_CHANGED, LINK_CHANGED },
	{ WG_(""), WGP_(""), "peers ", LINK_CHANGED, LINK_CHANGED },
	{ WGP_(""), WGP_("endpoint = `192.0.2.9:1`; keepalive = 5;"), "peers ", LINK_CHANGED, LINK_CHANGED },
	{ WGP_("allowed_ips = `10.0.0.0/8`;"), WGP_("allowed_ips = [ `10.0.0.0/8`, `bgp` ];"), "peers ",
	  LINK_CHANGED, LINK_CHANGED },
};

static void add_setting(void *ctx, const char *setting, enum link_fate fate)
{
	char *text = ctx;

	ck_assert_int_le(fate, LINK_REPLACED);
	strcat(strcat(text, setting), fate == LINK_REPLACED ? "! " : " ");
}

START_TEST(fate_of_a_link)
{
	char old[1024], new[1024], said[256] = "", unused[256] = "";
	const struct conf_tunnel *x, *y;
	struct conf *a, *b;

	snprintf(old, sizeof(old), HEAD "%s", fates[_i].old);
	snprintf(new, sizeof(new), HEAD "%s", fates[_i].new);
	a = lab_conf(old);
	b = lab_conf(new);
	x = a->n_tunnels ? a->tunnels : NULL;
	y = b->n_tunnels ? b->tunnels : NULL;
	ck_assert_msg(diff_tunnel(x, y, add_setting, said) == fates[_i].there, "%s", fates[_i].new);
	ck_assert_str_eq(said, fates[_i].settings);
	ck_assert_msg(diff_tunnel(y, x, add_setting, unused) == fates[_i].back, "%s, back", fates[_i].new);
	ck_assert_int_eq(diff_tunnel(x, y, NULL, NULL), fates[_i].there);
	conf_free(a);
	conf_free(b);
}
END_TEST

/* Each setting of a tunnel differs in one of the rows, so that none is forgotten. */
START_TEST(every_setting_of_a_tunnel_has_a_fate)
{
	for (size_t i = 0; i < schema_tunnel.n; i++) {
		const struct option *o = &schema_tunnel.options[i];
		bool found = strcmp(o->name, "name") == 0 || strcmp(o->name, "key") == 0;

		for (size_t r = 0; r < sizeof(fates) / sizeof(fates[0]); r++)
			found |= strstr(fates[r].settings, o->name) != NULL;
		ck_assert_msg(found, "%s", o->name);
	}
}
END_TEST

static const struct {
	const char *what, *new;
	bool same;
} statics[] = {
	{ "nothing", STATIC("prefix = `10.0.0.0/8`; interface = `eth0`"), true },
	{ "prefix", STATIC("prefix = `10.0.0.0/9`; interface = `eth0`"), false },
	{ "interface", STATIC("prefix = `10.0.0.0/8`; interface = `eth1`"), false },
	{ "next_hop", STATIC("prefix = `10.0.0.0/8`; next_hop = `192.0.2.1`"), false },
	{ "blackhole", STATIC("prefix = `10.0.0.0/8`; blackhole = true"), false },
	{ "unreachable", STATIC("prefix = `10.0.0.0/8`; unreachable = true"), false },
	{ "onlink",
	  STATIC("prefix = `10.0.0.0/8`; interface = `eth0`; next_hop = `192.0.2.1`; onlink = true"), false },
};

START_TEST(static_changes)
{
	char text[512];
	struct conf *a = lab_conf(HEAD STATIC("prefix = `10.0.0.0/8`; interface = `eth0`")), *b;

	snprintf(text, sizeof(text), HEAD "%s", statics[_i].new);
	b = lab_conf(text);
	ck_assert_msg(diff_static_same(&a->statics[0], &b->statics[0]) == statics[_i].same, "%s",
	              statics[_i].what);
	conf_free(a);
	conf_free(b);
}
END_TEST

UNIT_MAIN("diff", UNIT_ROWS(cost_for_a_peer, rows), UNIT(every_setting_of_a_peer_has_a_row),
          UNIT_ROWS(tunnel_changes, tunnels), UNIT(tunnel_addresses), UNIT_ROWS(fate_of_a_link, fates),
          UNIT(every_setting_of_a_tunnel_has_a_fate), UNIT_ROWS(static_changes, statics))
