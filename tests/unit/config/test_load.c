/* SPDX-License-Identifier: BSD-2-Clause */
/* What the loader makes of a right file: every value in its place, defaults, inheritance, includes; and of
 * files that are none. */
#include "conf_lab.h"

#include "bgp/open.h"
#include "mcbgp/bgp.h"

static struct ip ip(const char *text)
{
	struct ip a;

	ck_assert_msg(ip_parse(text, &a), "%s", text);
	return a;
}

static struct prefix prefix(const char *text)
{
	struct prefix p;

	ck_assert_msg(prefix_parse(text, true, &p), "%s", text);
	return p;
}

#define ck_assert_ip(a, text) ck_assert(ip_equal((a), &(struct ip[]){ ip(text) }[0]))

/* ---- defaults --------------------------------------------------------------------------------------- */

START_TEST(defaults_of_sections)
{
	struct conf *c = lab_conf(HEAD);

	ck_assert_str_eq(c->file, LAB_FILE);
	ck_assert_uint_eq(c->router.id, 0xc0000201);
	ck_assert_uint_eq(c->router.cluster_id, c->router.id);
	ck_assert_uint_eq(c->router.as, 65001);
	ck_assert_uint_eq(c->router.n_listen, 2);
	ck_assert_ip(&c->router.listen[0].address, "0.0.0.0");
	ck_assert_ip(&c->router.listen[1].address, "::");
	ck_assert_uint_eq(c->router.listen[1].port, 179);
	ck_assert_uint_eq(c->router.hold_time, 90);
	ck_assert_uint_eq(c->router.keepalive, 0);
	ck_assert_uint_eq(c->router.connect_retry, 5);
	ck_assert(c->router.graceful_restart && c->router.multipath);
	ck_assert_uint_eq(c->router.restart_time, 120);
	ck_assert_int_eq(c->log.level, LOGL_INFO);
	ck_assert_int_eq(c->log.target, LOG_TARGET_STDERR);
	ck_assert_str_eq(c->control.socket, "/run/mcbgpd/mcbgpd.sock");
	ck_assert_str_eq(c->control.group, "mcbgpd");
	ck_assert(!c->control.group_set);
	ck_assert_int_eq(c->host.ip_forward, CONF_UNSET);
	ck_assert_int_eq(c->host.multipath_use_neigh, CONF_UNSET);
	ck_assert_int_eq(c->host.multipath_hash, -1);
	ck_assert_int_eq(c->host.rp_filter, -1);
	ck_assert_int_eq(c->kernel.export.kind, POLICY_ALL);
	ck_assert_uint_eq(c->kernel.table, 254);
	ck_assert_uint_eq(c->kernel.metric, 32);
	ck_assert_uint_eq(c->kernel.protocol, 178);
	ck_assert_uint_eq(c->kernel.multipath, 16);
	ck_assert(c->kernel.nexthop_groups);
	ck_assert_uint_eq(c->n_peers + c->n_tunnels + c->n_filters + c->n_statics + c->n_prefix_sets, 0);
	conf_free(c);
}
END_TEST

START_TEST(defaults_of_a_peer)
{
	struct conf *c = lab_conf(HEAD PEER(""));
	const struct conf_peer *p = &c->peers[0];

	ck_assert_uint_eq(c->n_peers, 1);
	ck_assert_str_eq(p->name, "a");
	ck_assert_ip(&p->address, "192.0.2.2");
	ck_assert_int_eq(p->local_address.family, IP_NONE);
	ck_assert(!p->is_range && !p->passive && p->enabled && p->enforce_first_as && p->graceful_restart);
	ck_assert(!p->next_hop_self && !p->next_hop_keep && !p->bfd && !p->ttl_security);
	ck_assert_ptr_null(p->group);
	ck_assert_ptr_null(p->description);
	ck_assert_ptr_null(p->interface);
	ck_assert_uint_eq(p->port, 179);
	ck_assert_uint_eq(p->remote_as, 65002);
	ck_assert_uint_eq(p->local_as, 65001);
	ck_assert_uint_eq(p->multihop, 0);
	ck_assert_uint_eq(p->families, FAM_BIT(FAM_IPV4));
	ck_assert_uint_eq(p->hold_time, 90);
	ck_assert_uint_eq(p->connect_retry, 5);
	ck_assert_uint_eq(p->restart_time, 120);
	ck_assert_uint_eq(p->max_prefix, 0);
	ck_assert_int_eq(p->max_prefix_action, MAX_PREFIX_RESTART);
	ck_assert_int_eq(p->import.kind, POLICY_UNSET);
	ck_assert_int_eq(p->export.kind, POLICY_UNSET);
	conf_free(c);
}
END_TEST

START_TEST(defaults_of_a_tunnel)
{
	struct conf *c = lab_conf(HEAD TUNNEL(""));
	const struct conf_tunnel *t = &c->tunnels[0];

	ck_assert_int_eq(t->type, TUNNEL_VXLAN);
	ck_assert_int_eq(t->local.family, IP_NONE);
	ck_assert_uint_eq(t->port, 4789);
	ck_assert_uint_eq(t->ttl + t->tos + t->mtu, 0);
	ck_assert(t->learning && t->persist);
	ck_assert_ptr_null(t->interface);
	conf_free(c);
}
END_TEST

/* ---- values ----------------------------------------------------------------------------------------- */

static const struct {
	const char *what, *as;
	uint32_t want;
} as_rows[] = {
	{ "an integer", "65002", 65002 },           { "the greatest that fits", "2147483647", 2147483647 },
	{ "with an L", "4200000001L", 4200000001 }, { "with two", "4200000001LL", 4200000001 },
	{ "a text", "`4200000001`", 4200000001 },   { "the greatest", "`4294967295`", 4294967295 },
	{ "asdot", "`64512.7`", 64512u << 16 | 7 }, { "asdot of a small one", "`0.65002`", 65002 },
	{ "hexadecimal", "0xfdea", 65002 },         { "hexadecimal with an L", "0xfde9fde9L", 0xfde9fde9 },
};

START_TEST(as_numbers)
{
	char text[256];
	struct conf *c;

	snprintf(text, sizeof(text), HEAD PEER_AS("%s"), as_rows[_i].as);
	c = lab_conf(text);
	ck_assert_msg(c->peers[0].remote_as == as_rows[_i].want, "%s", as_rows[_i].what);
	conf_free(c);
}
END_TEST

START_TEST(router_and_host)
{
	struct conf *c =
	        lab_conf("router = { id = `192.0.2.1`; as = `1.0`; cluster_id = `192.0.2.7`; hold_time = 0;"
	                 " keepalive = 10; connect_retry = 1; graceful_restart = false; restart_time = 0;"
	                 " multipath = false; listen = ( { address = `fd00::1`; port = 1179; } ); };"
	                 "log = { level = `debug`; target = `syslog`; };"
	                 "control = { socket = `/tmp/s`; group = `bgp`; readonly_socket = `/tmp/r`;"
	                 " readonly_group = `looks`; };"
	                 "host = { ip_forward = true; multipath_hash = `inner`; multipath_use_neigh = false;"
	                 " rp_filter = `loose`; };"
	                 "direct = { interfaces = [ `eth0`, `cali*` ]; };"
	                 "kernel = { export = `none`; table = 4294967295L; metric = 1; protocol = 5;"
	                 " multipath = 1; nexthop_groups = false; };");

	ck_assert_uint_eq(c->router.as, 65536);
	ck_assert_uint_eq(c->router.cluster_id, 0xc0000207);
	ck_assert_uint_eq(c->router.hold_time, 0);
	ck_assert_uint_eq(c->router.keepalive, 10);
	ck_assert(!c->router.graceful_restart && !c->router.multipath);
	ck_assert_uint_eq(c->router.n_listen, 1);
	ck_assert_ip(&c->router.listen[0].address, "fd00::1");
	ck_assert_uint_eq(c->router.listen[0].port, 1179);
	ck_assert_int_eq(c->log.level, LOGL_DEBUG);
	ck_assert_int_eq(c->log.target, LOG_TARGET_SYSLOG);
	ck_assert_str_eq(c->control.socket, "/tmp/s");
	ck_assert_str_eq(c->control.group, "bgp");
	ck_assert(c->control.group_set);
	ck_assert_str_eq(c->control.readonly_socket, "/tmp/r");
	ck_assert_str_eq(c->control.readonly_group, "looks");
	ck_assert_int_eq(c->host.ip_forward, CONF_ON);
	ck_assert_int_eq(c->host.multipath_use_neigh, CONF_OFF);
	ck_assert_int_eq(c->host.multipath_hash, 2);
	ck_assert_int_eq(c->host.rp_filter, 2);
	ck_assert_uint_eq(c->direct.n_interfaces, 2);
	ck_assert_str_eq(c->direct.interfaces[1], "cali*");
	ck_assert_int_eq(c->kernel.export.kind, POLICY_NONE);
	ck_assert_uint_eq(c->kernel.table, 4294967295);
	ck_assert_uint_eq(c->kernel.protocol, 5);
	ck_assert(!c->kernel.nexthop_groups);
	conf_free(c);
}
END_TEST

START_TEST(values_of_a_tunnel)
{
	struct conf *c =
	        lab_conf(HEAD TUNNEL("local = `192.0.2.8`; port = 4790; ttl = 255; tos = 16; mtu = 1450;"
	                             " learning = false; persist = false; interface = `eth0`;"
	                             " addresses = [ `192.168.234.1/24`, `fd00::1/64` ];"));
	const struct conf_tunnel *t = &c->tunnels[0];

	ck_assert_str_eq(t->name, "t0");
	ck_assert_ip(&t->local, "192.0.2.8");
	ck_assert_ip(&t->remote, "192.0.2.9");
	ck_assert_uint_eq(t->vni, 1);
	ck_assert_uint_eq(t->port, 4790);
	ck_assert_uint_eq(t->ttl, 255);
	ck_assert_uint_eq(t->tos, 16);
	ck_assert_uint_eq(t->mtu, 1450);
	ck_assert(!t->learning && !t->persist);
	ck_assert_str_eq(t->interface, "eth0");
	ck_assert_uint_eq(t->n_addresses, 2);
	ck_assert_ip(&t->addresses[0].address, "192.168.234.1");
	ck_assert_uint_eq(t->addresses[1].len, 64);
	conf_free(c);
}
END_TEST

START_TEST(static_routes)
{
	struct conf *c = lab_conf(HEAD "static = ( { prefix = `192.168.1.0/24`; interface = `eth0`; },"
	                               " { prefix = `10.0.0.0/8`; blackhole = true; },"
	                               " { prefix = `0.0.0.0/0`; next_hop = `192.0.2.3`; },"
	                               " { prefix = `11.0.0.0/8`; unreachable = true; },"
	                               " { prefix = `12.0.0.0/8`; next_hop = `192.0.2.3`; interface = `eth0`;"
	                               "   onlink = true; } );");

	ck_assert_uint_eq(c->n_statics, 5);
	ck_assert(c->statics[3].unreachable && !c->statics[3].blackhole);
	ck_assert(c->statics[4].onlink && !c->statics[2].onlink);
	ck_assert_str_eq(c->statics[4].interface, "eth0");
	ck_assert_str_eq(c->statics[0].interface, "eth0");
	ck_assert(c->statics[1].blackhole);
	ck_assert(prefix_equal(&c->statics[2].prefix, &(struct prefix[]){ prefix("0.0.0.0/0") }[0]));
	ck_assert_ip(&c->statics[2].next_hop, "192.0.2.3");
	conf_free(c);
}
END_TEST

/* ---- inheritance ------------------------------------------------------------------------------------ */

#define GROUP                                                                                               \
	"peer_groups = { g = { remote_as = 65003; local_as = 65009; port = 178; passive = true; "           \
	"description = `of g`;"                                                                             \
	" hold_time = 30; next_hop_self = true; max_prefix = 5000; max_prefix_action = `warn`; import = "   \
	"`all`;"                                                                                            \
	" families = `ipv4`; multihop = 2; ttl_security = true; password_file = `/p`; interface = `eth0`; " \
	"local_address = `192.0.2.1`; "                                                                     \
	"enforce_first_as = false;"                                                                         \
	" restart_time = 60; connect_retry = 7; export = `none`; enabled = false; }; };"

START_TEST(a_peer_inherits_from_its_group)
{
	struct conf *c = lab_conf(ROUTER("hold_time = 20; keepalive = 5; graceful_restart = false;") GROUP
	                          "peers = ( { name = `a`; address = `192.0.2.2`; group = `g`; } );");
	const struct conf_peer *p = &c->peers[0];

	ck_assert_str_eq(p->group, "g");
	ck_assert_uint_eq(p->remote_as, 65003);
	ck_assert_uint_eq(p->local_as, 65009);
	ck_assert_uint_eq(p->port, 178);
	ck_assert(p->passive && p->next_hop_self && !p->enabled && !p->enforce_first_as);
	ck_assert_str_eq(p->description, "of g");
	ck_assert_str_eq(p->interface, "eth0");
	ck_assert_ip(&p->local_address, "192.0.2.1");
	ck_assert_uint_eq(p->hold_time, 30);
	ck_assert_uint_eq(p->multihop, 2);
	ck_assert(p->ttl_security);
	ck_assert_str_eq(p->password_file, "/p");
	ck_assert_uint_eq(p->max_prefix, 5000);
	ck_assert_int_eq(p->max_prefix_action, MAX_PREFIX_WARN);
	ck_assert_int_eq(p->import.kind, POLICY_ALL);
	ck_assert_int_eq(p->export.kind, POLICY_NONE);
	ck_assert_uint_eq(p->restart_time, 60);
	ck_assert_uint_eq(p->connect_retry, 7);
	/* and from router what the group leaves open */
	ck_assert_uint_eq(p->keepalive, 5);
	ck_assert(!p->graceful_restart);
	conf_free(c);
}
END_TEST

START_TEST(a_peer_overrides_its_group)
{
	struct conf *c = lab_conf(
	        HEAD GROUP "peers = ( { name = `a`; address = `192.0.2.2`; group = `g`; remote_as = 65004;"
	                   " description = `of a`; passive = false; next_hop_self = false; },"
	                   " { name = `b`; address = `192.0.2.3`; group = `g`; } );");

	ck_assert_uint_eq(c->peers[0].remote_as, 65004);
	ck_assert_str_eq(c->peers[0].description, "of a");
	ck_assert(!c->peers[0].passive && !c->peers[0].next_hop_self);
	ck_assert_uint_eq(c->peers[0].port, 178);
	ck_assert_str_eq(c->peers[1].description, "of g");
	ck_assert(c->peers[1].passive);
	conf_free(c);
}
END_TEST

START_TEST(who_hears_what_and_how)
{
	struct conf *c = lab_conf(ROUTER(
	        "") "filters = { f = ( { match = { ext_community = `rt:65000:*`; }; set = { weight = 5;"
	            " add_ext_community = `link-bandwidth:65001:125000000`; next_hop = `fd00::1`; };"
	            " action = `accept`; } ); };"
	            "peers = ( { name = `a`; address = `fe80::2`; interface = `eth0`; remote_as = 65002;"
	            " families = [ `ipv4`, `ipv6` ]; add_path = `both`; role = `customer`; allow_own_as = 2; "
	            "as_override = true;"
	            " remove_private_as = true; graceful_shutdown = true; },"
	            " { name = `b`; range = `fd00::/64`; remote_as = 65001; local_as = 65001;"
	            " route_reflector_client = true; } );");
	const struct conf_peer *a = &c->peers[0], *b = &c->peers[1];
	const struct filter_term *t = conf_find_filter(c, "f")->terms;

	ck_assert_uint_eq(a->families, FAM_BIT(FAM_IPV4) | FAM_BIT(FAM_IPV6));
	ck_assert_uint_eq(a->add_path, ADD_PATH_BOTH);
	ck_assert_uint_eq(b->add_path, ADD_PATH_NONE);
	ck_assert(a->role_set && a->role == BGP_ROLE_CUSTOMER);
	ck_assert_uint_eq(a->allow_own_as, 2);
	ck_assert(a->as_override && a->remove_private_as && a->graceful_shutdown &&
	          !a->route_reflector_client);
	ck_assert(b->is_range && b->route_reflector_client && !b->role_set && !b->graceful_shutdown);
	ck_assert_uint_eq(t->match.communities[0].kind, COMMUNITY_EXT);
	ck_assert(t->set.weight_set && t->set.weight == 5);
	ck_assert_uint_eq(t->set.communities[COMMUNITY_EXT].n_add, 1);
	ck_assert_ip(&t->set.next_hop_addr, "fd00::1");
	conf_free(c);
}
END_TEST

START_TEST(a_range_is_passive)
{
	struct conf *c = lab_conf(
	        HEAD
	        "peers = ( { name = `a`; range = `192.0.2.0/24`; remote_as = 65002; max_peers = 7; } );");

	ck_assert(c->peers[0].is_range && c->peers[0].passive);
	ck_assert_uint_eq(c->peers[0].max_peers, 7);
	ck_assert_int_eq(c->peers[0].address.family, IP_NONE);
	conf_free(c);
}
END_TEST

START_TEST(one_address_from_two_of_ours)
{
	struct conf *c = lab_conf(
	        HEAD
	        "peers = ( { name = `a`; address = `192.0.2.2`; remote_as = 65002; },"
	        " { name = `b`; address = `192.0.2.2`; remote_as = 65002; local_address = `192.0.2.1`; } );");

	ck_assert_uint_eq(c->n_peers, 2);
	conf_free(c);
}
END_TEST

/* ---- filters ---------------------------------------------------------------------------------------- */

static const char *const filters_text =
        HEAD "prefix_sets = { pods = [ `10.232.64.0/18+` ]; services = [ `10.96.0.0/12`, "
             "`10.96.0.0/12{32,32}` ]; };"
             "peers = ( { name = `a`; address = `192.0.2.2`; remote_as = 65002; import = `f`; export = "
             "`none`; } );"
             "peer_groups = { calico = { }; };"
             "filters = { f = ("
             " { match = { prefix = [ `pods`, `services` ]; community = [ `65000:1`, `no-export` ]; "
             "large_community = `1:2:*`;"
             "   as_path = [ `^65002( |$)`, `^$` ]; peer = [ `a`, `calico` ]; source = [ `bgp`, `direct` ]; "
             "family = `ipv4`;"
             "   next_hop = [ `192.0.2.2`, `198.51.100.0/24` ]; origin = [ `igp`, `incomplete` ]; med = 100;"
             "   local_pref = ( 300, 4294967295L ); };"
             "   action = `reject`; },"
             " { set = { med = 0; local_pref = `4294967295`; origin = `egp`; add_community = [ `65000:1` ];"
             "   delete_community = [ `65000:*`, `65001:2` ]; set_large_community = [ `1:2:3`, `1:2:4` ]; "
             "prepend = 3;"
             "   next_hop = `192.0.2.3`; }; action = `accept`; },"
             " { set = { set_community = [ ]; next_hop = `self`; }; } ); };";

START_TEST(keys_of_a_match)
{
	struct conf *c = lab_conf(filters_text);
	const struct filter *f = conf_find_filter(c, "f");
	const struct filter_match *m = &f->terms[0].match;

	ck_assert_uint_eq(f->n_terms, 3);
	ck_assert(f->uses_prefix);
	ck_assert_ptr_eq(c->peers[0].import.filter, f);
	ck_assert_int_eq(c->peers[0].import.kind, POLICY_FILTER);
	ck_assert_ptr_null(conf_find_filter(c, "g"));
	ck_assert_uint_eq(m->n_prefix_sets, 2);
	ck_assert_ptr_eq(m->prefix_sets[1], c->prefix_sets[1].set);
	ck_assert_uint_eq(prefix_set_count(m->prefix_sets[1]), 2);
	ck_assert_uint_eq(m->n_communities, 3);
	ck_assert_int_eq(m->communities[2].kind, COMMUNITY_LARGE);
	ck_assert_uint_eq(m->n_as_paths, 2);
	ck_assert_uint_eq(m->n_peers, 2);
	ck_assert_str_eq(m->peers[1], "calico");
	ck_assert_uint_eq(m->sources, SOURCE_BIT(SOURCE_BGP) | SOURCE_BIT(SOURCE_DIRECT));
	ck_assert_uint_eq(m->families, FAM_BIT(FAM_IPV4));
	ck_assert_uint_eq(m->n_next_hops, 2);
	ck_assert_uint_eq(m->next_hops[0].len, 32);
	ck_assert_uint_eq(m->origins, 1 << BGP_ORIGIN_IGP | 1 << BGP_ORIGIN_INCOMPLETE);
	ck_assert_uint_eq(m->n_meds, 1);
	ck_assert_uint_eq(m->local_prefs[1], 4294967295);
	ck_assert_int_eq(f->terms[0].action, FILTER_REJECT);
	conf_free(c);
}
END_TEST

START_TEST(keys_of_a_set)
{
	struct conf *c = lab_conf(filters_text);
	const struct filter_term *t = conf_find_filter(c, "f")->terms;
	const struct filter_set *s = &t[1].set;

	ck_assert(!t[0].set.med_set && !t[0].set.local_pref_set && !t[0].set.origin_set);
	ck_assert(s->med_set && s->local_pref_set && s->origin_set);
	ck_assert_uint_eq(s->med, 0);
	ck_assert_uint_eq(s->local_pref, 4294967295);
	ck_assert_uint_eq(s->origin, BGP_ORIGIN_EGP);
	ck_assert_uint_eq(s->prepend, 3);
	ck_assert_uint_eq(s->next_hop, NEXT_HOP_ADDRESS);
	ck_assert_ip(&s->next_hop_addr, "192.0.2.3");
	ck_assert_uint_eq(s->communities[COMMUNITY_PLAIN].n_add, 1);
	ck_assert_uint_eq(s->communities[COMMUNITY_PLAIN].n_remove, 2);
	ck_assert(!s->communities[COMMUNITY_PLAIN].clear);
	ck_assert(s->communities[COMMUNITY_LARGE].clear);
	ck_assert_uint_eq(s->communities[COMMUNITY_LARGE].n_add, 2);
	ck_assert(t[2].set.communities[COMMUNITY_PLAIN].clear);
	ck_assert_uint_eq(t[2].set.communities[COMMUNITY_PLAIN].n_add, 0);
	ck_assert_uint_eq(t[2].set.next_hop, NEXT_HOP_SELF);
	ck_assert_int_eq(t[2].action, FILTER_CONTINUE);
	conf_free(c);
}
END_TEST

/* Another daemon of this host: at another port, or one that dials us; and names that only look taken. */
START_TEST(peers_beside_us)
{
	struct conf *c = lab_conf(
	        ROUTER("listen = ( { address = `192.0.2.1`; } );") "peers = ("
	                                                           "{ name = `a`; address = `192.0.2.1`; "
	                                                           "port = 178; remote_as = 65002; },"
	                                                           "{ name = `b`; address = `192.0.2.1`; "
	                                                           "local_address = `192.0.2.5`;"
	                                                           "  passive = true; remote_as = 65002; },"
	                                                           "{ name = `r`; range = `198.51.100.0/24`; "
	                                                           "remote_as = 65002; },"
	                                                           "{ name = `r_192.0.2.3`; address = "
	                                                           "`192.0.2.3`; remote_as = 65002; },"
	                                                           "{ name = `a_198.51.100.1`; address = "
	                                                           "`198.51.100.1`; remote_as = 65002; } );");

	ck_assert_uint_eq(c->n_peers, 5);
	conf_free(c);
}
END_TEST

/* Passwords that the kernel can tell apart; peers that we can. */
START_TEST(peers_beside_each_other)
{
	struct conf *c = lab_conf(ROUTER("listen = ( { address = `192.0.2.1`; }, { address = `192.0.2.5`; } "
	                                 ");") "peers = ("
	                                       "{ name = `r`; range = `192.0.2.0/24`; remote_as = 65002; "
	                                       "password_file = `/r`; },"
	                                       "{ name = `inner`; range = `192.0.2.0/28`; remote_as = 65002; "
	                                       "password_file = `/i`; },"
	                                       "{ name = `a`; address = `192.0.2.2`; local_address = "
	                                       "`192.0.2.1`; remote_as = 65002;"
	                                       "  password_file = `/a`; },"
	                                       "{ name = `b`; address = `192.0.2.2`; local_address = "
	                                       "`192.0.2.5`; remote_as = 65002;"
	                                       "  password_file = `/b`; },"
	                                       "{ name = `c`; address = `198.51.100.1`; remote_as = 65002; "
	                                       "password_file = `/c`; },"
	                                       "{ name = `d`; address = `198.51.100.1`; local_address = "
	                                       "`192.0.2.5`; remote_as = 65002;"
	                                       "  password_file = `/c`; },"
	                                       "{ name = `e`; address = `fe80::1`; interface = `eth0`; "
	                                       "remote_as = 65002; },"
	                                       "{ name = `f`; address = `fe80::1`; interface = `eth1`; "
	                                       "remote_as = 65002;"
	                                       "  send_hold_time = 3; } );");

	ck_assert_uint_eq(c->n_peers, 8);
	ck_assert_uint_eq(c->peers[6].send_hold_time, 0);
	ck_assert_uint_eq(c->peers[7].send_hold_time, 3);
	conf_free(c);
}
END_TEST

/* ---- texts that are easily cut wrongly -------------------------------------------------------------- */

static const struct {
	const char *what, *text;
} scan_rows[] = {
	{ "numbers in names and strings", "control = { socket = `/9999999999`; };\n" },
	{ "numbers in comments", "# 9999999999\n// 9999999999\n/* 9999999999\n9999999999 */\n" },
	{ "a quote in a comment", "# it`s\n" },
	{ "a comment in a string", "control = { socket = `/a#b//c/*d`; };\n" },
	{ "a backslash before a quote", "peers = ( { name = `a`; address = `192.0.2.2`; remote_as = 1;"
	                                " description = `x \\` y`; } );\n" },
	{ "strings side by side", "control = { socket = `/a`\n `b`; };\n" },
	{ "colons and commas for = and ;", "log : { level : `info`, };\n" },
	{ "no separators", "log = { level = `info` target = `stderr` }\n" },
};

START_TEST(scans_as_libconfig_does)
{
	char text[1024];
	struct conf *c;

	snprintf(text, sizeof(text), "%s%s", HEAD, scan_rows[_i].text);
	c = lab_load(text);
	ck_assert_msg(c != NULL, "%s: %s", scan_rows[_i].what, lab_errors);
	conf_free(c);
}
END_TEST

/* The third of five integers is too wide; what only looks like an integer does not count. */
START_TEST(finds_the_setting_of_a_wide_literal)
{
	struct conf *c = lab_load(
	        HEAD "filters = { f = ( { match = { med = ( 1, 0x10, 4294967295, 4L, -0 ); }; } ); };\n"
	             "x1 = 1.5; y-2 = -1e5; z_3 = +.5; w = [ 1., 2e+3 ];\n" PEER(
	                     "hold_time = 4294967386; port = 179;"));

	ck_assert_ptr_null(c);
	ck_assert_ptr_nonnull(strstr(lab_errors, "2: filters.f[0].match.med[2]: 4294967295 does not fit"));
	ck_assert_ptr_nonnull(strstr(lab_errors, "4: peers[0].hold_time: 4294967386 is not allowed"));
	ck_assert_ptr_null(strstr(lab_errors, "port"));
}
END_TEST

UNIT_MAIN("load", UNIT(peers_beside_us), UNIT(peers_beside_each_other), UNIT(defaults_of_sections),
          UNIT(defaults_of_a_peer), UNIT(defaults_of_a_tunnel), UNIT_ROWS(as_numbers, as_rows),
          UNIT(router_and_host), UNIT(values_of_a_tunnel), UNIT(static_routes),
          UNIT(a_peer_inherits_from_its_group), UNIT(a_peer_overrides_its_group),
          UNIT(who_hears_what_and_how), UNIT(a_range_is_passive), UNIT(one_address_from_two_of_ours),
          UNIT(keys_of_a_match), UNIT(keys_of_a_set), UNIT_ROWS(scans_as_libconfig_does, scan_rows),
          UNIT(finds_the_setting_of_a_wide_literal))
