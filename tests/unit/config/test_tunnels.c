/* SPDX-License-Identifier: BSD-2-Clause */
/* Tunnels of every type: what is taken, and what is refused with the line, the mistake and the mend. */
#include "conf_lab.h"

#define KEY1      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="
#define KEY2      "AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define TUNS(t)   HEAD "tunnels = ( " t " );"
#define VXLAN(m)  "{ name = `vx`; type = `vxlan`; vni = 1; " m " }"
#define GRE(m)    "{ name = `g`; type = `gre`; remote = `192.0.2.9`; " m " }"
#define WG(m)     "{ name = `w`; type = `wireguard`; private_key_file = `/k`; " m " }"
#define WGP(p)    WG("peers = ( " p " );")
#define PEER1(m)  "{ public_key = `" KEY1 "`; " m " }"
#define PEER2(m)  "{ public_key = `" KEY2 "`; " m " }"
#define AN_END    "is missing: needs the other end's address, such as `192.0.2.1`"
#define HOST_PORT "is no host with a port: needs a host and a port such as `192.0.2.1:51820`"

START_TEST(wireguard)
{
	struct conf *c = lab_conf(
	        TUNS("{ name = `wg0`; type = `wireguard`; private_key_file = `/etc/k`; fwmark = 0xffffffffL;"
	             " rule_table = 101; listen_port = 51821; addresses = [ `172.16.234.1/24` ]; peers = "
	             "( " PEER1("endpoint = `[2001:db8::7]:51820`; keepalive = 25; allowed_ips = [ `bgp`, "
	                        "`10.0.0.0/8` ];"
	                        " tunnel_address = [ `172.16.234.2`, `fd00::2` ]; preshared_key_file = "
	                        "`/etc/psk`;") ", " PEER2("endpoint = `gw.example.org:1`; allowed_ips = "
	                                                  "`::/0`;") " ); }"));
	const struct conf_tunnel *t = &c->tunnels[0];
	const struct conf_wg_peer *p = t->peers;

	ck_assert_int_eq(t->type, TUNNEL_WIREGUARD);
	ck_assert_str_eq(t->private_key_file, "/etc/k");
	ck_assert_uint_eq(t->fwmark, 0xffffffff);
	ck_assert_uint_eq(t->rule_table, 101);
	ck_assert_uint_eq(t->listen_port, 51821);
	ck_assert_uint_eq(t->n_peers, 2);
	ck_assert_uint_eq(t->handshake_timeout, 180);
	ck_assert_uint_eq(p[0].public_key[31], 1);
	ck_assert_uint_eq(p[1].public_key[0], 2);
	ck_assert_str_eq(p[0].endpoint, "[2001:db8::7]:51820");
	ck_assert_uint_eq(p[0].keepalive, 25);
	ck_assert(p[0].allowed_bgp && !p[1].allowed_bgp);
	ck_assert_uint_eq(p[0].n_allowed_ips, 1);
	ck_assert_uint_eq(p[0].n_tunnel_address, 2);
	ck_assert_uint_eq(p[0].tunnel_address[1].len, 128);
	ck_assert_str_eq(p[0].preshared_key_file, "/etc/psk");
	ck_assert_uint_eq(p[1].n_allowed_ips, 1);
	ck_assert_uint_eq(p[1].allowed_ips[0].len, 0);
	conf_free(c);
}
END_TEST

START_TEST(only_peer_that_follows_bgp_is_the_network)
{
	struct conf *c = lab_conf(TUNS(
	        WG("addresses = [ `172.16.234.1/24` ]; peers = ( " PEER1("allowed_ips = `bgp`;") " );")));
	const struct conf_wg_peer *p = c->tunnels[0].peers;

	ck_assert_uint_eq(p->n_tunnel_address, 1);
	ck_assert_uint_eq(p->tunnel_address[0].len, 24);
	ck_assert_uint_eq(ip_to_v4(&p->tunnel_address[0].addr), 0xac10ea00);
	conf_free(c);
}
END_TEST

START_TEST(gre)
{
	struct conf *c = lab_conf(TUNS(GRE("key = 7; okey = 4294967295L; ttl = 255; pmtudisc = false;")));
	const struct conf_tunnel *t = &c->tunnels[0];

	ck_assert_int_eq(t->type, TUNNEL_GRE);
	ck_assert(t->ikey_set && t->okey_set && !t->pmtudisc);
	ck_assert_uint_eq(t->ikey, 7);
	ck_assert_uint_eq(t->okey, 4294967295);
	conf_free(c);
	c = lab_conf(TUNS(GRE("ikey = 0;")));
	ck_assert(c->tunnels[0].ikey_set && !c->tunnels[0].okey_set && c->tunnels[0].pmtudisc);
	conf_free(c);
	c = lab_conf(TUNS(GRE("") ", { name = `h`; type = `gre`; remote = `192.0.2.9`; key = 0; }"));
	ck_assert(!c->tunnels[0].ikey_set && c->tunnels[1].ikey_set); /* two tunnels to the kernel */
	conf_free(c);
}
END_TEST

START_TEST(replication)
{
	struct conf *c = lab_conf(TUNS(VXLAN("remotes = [ `192.0.2.8`, `192.0.2.9` ];")));

	ck_assert_uint_eq(c->tunnels[0].n_remotes, 2);
	ck_assert_uint_eq(ip_to_v4(&c->tunnels[0].remotes[1]), 0xc0000209);
	conf_free(c);
}
END_TEST

static const struct {
	const char *what, *text, *errors;
} rows[] = {
	{ "vxlan without an end", TUNS(VXLAN("")), "2: tunnels[0].remote: " AN_END },
	{ "gre without an end", TUNS("{ name = `g`; type = `gre`; }"), "2: tunnels[0].remote: " AN_END },
	{ "remotes of two families", TUNS(VXLAN("remotes = [ `192.0.2.9`, `fd00::1` ];")),
	  "2: tunnels[0].remotes[1]: is of another address family: all ends IPv4, or all IPv6" },
	{ "remotes of another family than local", TUNS(VXLAN("local = `fd00::1`; remotes = `192.0.2.9`;")),
	  "2: tunnels[0].remotes: is of another address family: all ends IPv4, or all IPv6" },
	{ "a group among remotes", TUNS(VXLAN("remotes = [ `239.0.0.1` ];")),
	  "2: tunnels[0].remotes[0]: can be nobody's address: needs that of an other end" },
	{ "vni of a gre", TUNS(GRE("vni = 1;")),
	  "2: tunnels[0].vni: is for tunnels of type vxlan: take it away" },
	{ "remote of a wireguard", TUNS(WG("remote = `192.0.2.1`;")),
	  "2: tunnels[0].remote: is for tunnels of type vxlan and gre: take it away" },
	{ "key of a vxlan", TUNS(VXLAN("remote = `192.0.2.1`; key = 1;")),
	  "2: tunnels[0].key: is for tunnels of type gre: take it away" },
	{ "fwmark of a vxlan", TUNS(VXLAN("remote = `192.0.2.1`; fwmark = 1;")),
	  "2: tunnels[0].fwmark: is for tunnels of type wireguard and gre: take it away" },
	{ "key too large", TUNS(GRE("key = 4294967296L;")),
	  "2: tunnels[0].key: 4294967296 is not allowed: 0 to 4294967295" },
	{ "two gres alike", TUNS(GRE("") ", { name = `h`; type = `gre`; remote = `192.0.2.9`; }"),
	  "2: tunnels[1].remote: and local are those of the tunnel in line 2: the kernel needs another key" },
	{ "a rule without a mark", TUNS(GRE("rule_table = 100;")),
	  "2: tunnels[0].rule_table: needs fwmark too: it is the marked packets that are routed by it" },
	{ "no private key", TUNS("{ name = `w`; type = `wireguard`; }"),
	  "2: tunnels[0].private_key_file: is missing: needs a file made by mcbgpd --genkey FILE" },
	{ "dead before it could shake hands", TUNS(WG("handshake_timeout = 9;")),
	  "2: tunnels[0].handshake_timeout: 9 is not allowed: 0 (never) or 10 to 65535 seconds" },
	{ "handshakes of a gre", TUNS(GRE("handshake_timeout = 180;")),
	  "2: tunnels[0].handshake_timeout: is for tunnels of type wireguard: take it away" },
	{ "two wireguards on one port",
	  TUNS(WG("") ", { name = `x`; type = `wireguard`; private_key_file = `/k`; }"),
	  "2: tunnels[1].listen_port: 51820 is that of the tunnel in line 2: each needs its own" },
	{ "a peer without a key", TUNS(WGP("{ }")),
	  "2: tunnels[0].peers[0].public_key: is missing (of the other side, base64): needs a key in base64, "
	  "44 characters in quotes" },
	{ "a key too short", TUNS(WGP("{ public_key = `AAAA`; }")),
	  "2: tunnels[0].peers[0].public_key: `AAAA` is no key: needs a key in base64, 44 characters in "
	  "quotes" },
	{ "a key that is no base64",
	  TUNS(WGP("{ public_key = `!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=`; }")),
	  "2: tunnels[0].peers[0].public_key: `!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=` is no key: "
	  "needs "
	  "a key in base64, 44 characters in quotes" },
	{ "two peers with one key", TUNS(WGP(PEER1("") ", " PEER1(""))),
	  "2: tunnels[0].peers[1].public_key: is there twice: first in line 2; take one away or change it" },
	{ "allowed twice",
	  TUNS(WGP(PEER1("allowed_ips = `10.0.0.0/8`;") ", " PEER2("allowed_ips = `10.0.0.0/8`;"))),
	  "2: tunnels[0].peers[1].allowed_ips: 10.0.0.0/8 is there twice: first in line 2; it can be one "
	  "peer's only" },
	{ "an allowed word", TUNS(WGP(PEER1("allowed_ips = `ospf`;"))),
	  "2: tunnels[0].peers[0].allowed_ips: `ospf` is no prefix: needs prefixes such as [ `192.0.2.0/24` "
	  "], "
	  "or `bgp`, or both" },
	{ "whose routes are which", TUNS(WGP(PEER1("allowed_ips = `bgp`;") ", " PEER2(""))),
	  "2: tunnels[0].peers[0].tunnel_address: is missing: with several peers, `bgp` needs the address by "
	  "which routes lead to this one, such as `172.16.234.2`" },
	{ "an address for nothing", TUNS(WGP(PEER1("tunnel_address = `172.16.234.2`;"))),
	  "2: tunnels[0].peers[0].tunnel_address: is for allowed_ips = `bgp`: take it away, or add `bgp`" },
	{ "no port", TUNS(WGP(PEER1("endpoint = `192.0.2.1`;"))),
	  "2: tunnels[0].peers[0].endpoint: `192.0.2.1` " HOST_PORT },
	{ "port 0", TUNS(WGP(PEER1("endpoint = `192.0.2.1:0`;"))),
	  "2: tunnels[0].peers[0].endpoint: `192.0.2.1:0` " HOST_PORT },
	{ "port 65536", TUNS(WGP(PEER1("endpoint = `h.org:65536`;"))),
	  "2: tunnels[0].peers[0].endpoint: `h.org:65536` " HOST_PORT },
	{ "IPv6 without brackets", TUNS(WGP(PEER1("endpoint = `fd00::1:51820`;"))),
	  "2: tunnels[0].peers[0].endpoint: `fd00::1:51820` " HOST_PORT },
	{ "no host", TUNS(WGP(PEER1("endpoint = `:51820`;"))),
	  "2: tunnels[0].peers[0].endpoint: `:51820` " HOST_PORT },
	{ "an address that is none", TUNS(WGP(PEER1("endpoint = `192.0.2:51820`;"))),
	  "2: tunnels[0].peers[0].endpoint: `192.0.2:51820` " HOST_PORT },
	{ "a host with a blank", TUNS(WGP(PEER1("endpoint = `a b:51820`;"))),
	  "2: tunnels[0].peers[0].endpoint: `a b:51820` " HOST_PORT },
};

START_TEST(refused)
{
	lab_refuse(rows[_i].what, rows[_i].text, rows[_i].errors);
}
END_TEST

UNIT_MAIN("tunnels", UNIT(wireguard), UNIT(only_peer_that_follows_bgp_is_the_network), UNIT(gre),
          UNIT(replication), UNIT_ROWS(refused, rows))
