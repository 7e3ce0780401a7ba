/* SPDX-License-Identifier: BSD-2-Clause */
/* What the loader refuses: for each mistake the line, the setting, what is wrong and what would be right. */
#include "conf_lab.h"

#define LATER    "not built yet: a later version of mcbgpd brings it"
#define AS_RANGE "1 to 4294967295; above 2147483647 write 4200000001L or `4200000001`"
#define AN_AS    "an AS number, 1 to 4294967295; above 2147483647 as 4200000001L or `4200000001`; or `64512.7`"

#define ID_ERROR                                                                                         \
	"1: router.id: is no address that a host can have (RFC 6286 allows it, other speakers do not): " \
	"needs "                                                                                         \
	"an IPv4 address such as `192.0.2.1`"

static const struct {
	const char *what, *text, *errors;
} rows[] = {
	{ "unknown section", HEAD "peer = ();", "2: peer: unknown setting: the nearest known is `peers`" },
	{ "unknown setting of a peer", HEAD PEER("hold_tme = 9;"),
	  "2: peers[0].hold_tme: unknown setting: the nearest known is `hold_time`" },
	{ "unknown setting of a group", HEAD "peer_groups = { g = { adress = `192.0.2.2`; }; };",
	  "2: peer_groups.g.adress: unknown setting: the nearest known is `port`" },
	{ "settings of peers only are unknown in groups",
	  HEAD "peer_groups = { g = { range = `192.0.2.0/24`; }; };",
	  "2: peer_groups.g.range: is for single peers: set it in peers, not in a group" },
	{ "unknown setting of a match", HEAD MATCH("comunity = `65000:1`"),
	  "2: filters.f[0].match.comunity: unknown setting: the nearest known is `community`" },
	{ "a text for an integer", HEAD PEER("hold_time = `90`;"),
	  "2: peers[0].hold_time: found a text in quotes, needs an integer, 0 (no timers) or 3 to 65535 "
	  "seconds" },
	{ "a fraction for an integer", HEAD PEER("hold_time = 9.5;"),
	  "2: peers[0].hold_time: found a number with a fraction, needs an integer, 0 (no timers) or 3 to "
	  "65535 seconds" },
	{ "a boolean for an integer", HEAD PEER("hold_time = true;"),
	  "2: peers[0].hold_time: found true or false, needs an integer, 0 (no timers) or 3 to 65535 "
	  "seconds" },
	{ "an array for an integer", HEAD PEER("hold_time = [ 9 ];"),
	  "2: peers[0].hold_time: found an array [ ], needs an integer, 0 (no timers) or 3 to 65535 "
	  "seconds" },
	{ "an integer for a boolean", HEAD PEER("passive = 1;"),
	  "2: peers[0].passive: found an integer, needs true or false" },
	{ "an integer for a text", HEAD PEER("description = 1;"),
	  "2: peers[0].description: found an integer, needs a text in quotes" },
	{ "a list for a section", HEAD "kernel = ();", "2: kernel: found a list ( ), needs settings in { }" },
	{ "a section for a list", HEAD "tunnels = { };",
	  "2: tunnels: found settings in { }, needs a list of settings, ( { }, { } )" },
	{ "a text for a list", HEAD "peers = `x`;",
	  "2: peers: found a text in quotes, needs a list of settings, ( { }, { } )" },
	{ "a text in a list of sections", HEAD "peers = ( `x` );", "2: peers[0]: needs settings in { }" },
	{ "a text in a list of tunnels", HEAD "tunnels = ( `x` );",
	  "2: tunnels[0]: found a text in quotes, needs settings in { }" },
	{ "a text in a list of static routes", HEAD "static = ( `x` );",
	  "2: static[0]: found a text in quotes, needs settings in { }" },
	{ "a text for a group", HEAD "peer_groups = { g = `x`; };",
	  "2: peer_groups.g: needs settings in { }" },
	{ "a text for the groups", HEAD "peer_groups = `x`;",
	  "2: peer_groups: found a text in quotes, needs named settings, { NAME = { }; }" },
	{ "a section for a prefix set", HEAD "prefix_sets = { s = { }; };",
	  "2: prefix_sets.s: found settings in { }, needs patterns such as [ `10.0.0.0/8+` ]" },
	{ "an integer in a prefix set", HEAD "prefix_sets = { s = [ 1 ]; };",
	  "2: prefix_sets.s[0]: needs a pattern in quotes, such as `10.0.0.0/8+`" },
	{ "a list for the prefix sets", HEAD "prefix_sets = ( );",
	  "2: prefix_sets: found a list ( ), needs named sets, { NAME = [ `192.0.2.0/24+` ]; }" },
	{ "a list for the filters", HEAD "filters = ( );",
	  "2: filters: found a list ( ), needs named lists of terms, { NAME = ( { } ); }" },
	{ "a section for a filter", HEAD "filters = { f = { }; };",
	  "2: filters.f: needs a list of terms, ( { }, { } )" },
	{ "a text for a term", HEAD "filters = { f = ( `accept` ); };",
	  "2: filters.f[0]: needs a term, { match = { }; set = { }; action = `accept`; }" },
	{ "a text for a match", HEAD "filters = { f = ( { match = `x`; } ); };",
	  "2: filters.f[0].match: found a text in quotes, needs settings in { }" },
	{ "hold time below 3", HEAD PEER("hold_time = 2;"),
	  "2: peers[0].hold_time: 2 is not allowed: 0 (no timers) or 3 to 65535 seconds" },
	{ "hold time above 65535", HEAD PEER("hold_time = 65536;"),
	  "2: peers[0].hold_time: 65536 is not allowed: 0 (no timers) or 3 to 65535 seconds" },
	{ "hold time below 0", HEAD PEER("hold_time = -1;"),
	  "2: peers[0].hold_time: -1 is not allowed: 0 (no timers) or 3 to 65535 seconds" },
	{ "the same of router", ROUTER("hold_time = 1;"),
	  "1: router.hold_time: 1 is not allowed: 0 (no timers) or 3 to 65535 seconds" },
	{ "keepalive not below the hold time", HEAD PEER("hold_time = 9; keepalive = 9;"),
	  "2: peers[0].keepalive: 9 is not less than hold_time 9: less, or 0 (a third of the hold time)" },
	{ "the hold time inherited", HEAD PEER("keepalive = 90;"),
	  "2: peers[0].keepalive: 90 is not less than hold_time 90: less, or 0 (a third of the hold time)" },
	{ "the keepalive inherited", ROUTER("keepalive = 30;") "\n" PEER("hold_time = 9;"),
	  "2: peers[0].hold_time: 9 is not more than keepalive 30, which is inherited: more, or set "
	  "keepalive too" },
	{ "timers of router", ROUTER("hold_time = 9; keepalive = 9;"),
	  "1: router.keepalive: 9 is not less than hold_time 9: less, or 0 (a third of the hold time)" },
	{ "port 0", HEAD PEER("port = 0;"), "2: peers[0].port: 0 is not allowed: 1 to 65535" },
	{ "port 65536", HEAD PEER("port = 65536;"), "2: peers[0].port: 65536 is not allowed: 1 to 65535" },
	{ "an AS number wrapped to a negative one", HEAD PEER_AS("4200000001"),
	  "2: peers[0].remote_as: 4200000001 does not fit into 32 bits with a sign: write 4200000001L or "
	  "`4200000001`" },
	{ "an AS number wrapped to a good one", HEAD PEER_AS("4295031808"),
	  "2: peers[0].remote_as: 4295031808 is not allowed: " AS_RANGE },
	{ "an AS number in hexadecimal that wraps", HEAD PEER_AS("0xfde9fde9"),
	  "2: peers[0].remote_as: 0xfde9fde9 does not fit into 32 bits with a sign: write 0xfde9fde9L or "
	  "`4259970537`" },
	{ "an AS number beyond 64 bits", HEAD PEER_AS("99999999999999999999L"),
	  "2: peers[0].remote_as: 99999999999999999999 is not allowed: " AS_RANGE },
	{ "a negative AS number", HEAD PEER_AS("-5"), "2: peers[0].remote_as: -5 is not allowed: " AS_RANGE },
	{ "AS 0", HEAD PEER_AS("0"), "2: peers[0].remote_as: 0 is not allowed: " AS_RANGE },
	{ "AS 4294967296", HEAD PEER_AS("4294967296L"),
	  "2: peers[0].remote_as: 4294967296 is not allowed: " AS_RANGE },
	{ "AS_TRANS", HEAD PEER_AS("23456"),
	  "2: peers[0].remote_as: 23456 is not allowed: it stands for AS numbers that old speakers cannot "
	  "write (RFC 6793); give the real one" },
	{ "an AS number that is none", HEAD PEER_AS("`AS65002`"),
	  "2: peers[0].remote_as: `AS65002` is no AS number: needs " AN_AS },
	{ "asdot beyond 16 bits", HEAD PEER_AS("`1.65536`"),
	  "2: peers[0].remote_as: `1.65536` is no AS number: needs " AN_AS },
	{ "asdot without a half", HEAD PEER_AS("`1.`"),
	  "2: peers[0].remote_as: `1.` is no AS number: needs " AN_AS },
	{ "an AS number as a fraction", HEAD PEER_AS("1.5"),
	  "2: peers[0].remote_as: found a number with a fraction, needs " AN_AS },
	{ "no AS number", HEAD "peers = ( { name = `a`; address = `192.0.2.2`; } );",
	  "2: peers[0].remote_as: is missing: needs an AS number, here or in the peer's group" },
	{ "a wrapped integer that is no AS number", HEAD SET("local_pref = 4294967295"),
	  "2: filters.f[0].set.local_pref: 4294967295 does not fit into 32 bits with a sign: write "
	  "4294967295L or `4294967295`" },
	{ "a wrapped integer in an array", HEAD MATCH("med = [ 1, 4294967296 ]"),
	  "2: filters.f[0].match.med[1]: 4294967296 is not allowed: 0 to 4294967295" },
	{ "a wrapped integer out of range however written", HEAD PEER("hold_time = 4294967386;"),
	  "2: peers[0].hold_time: 4294967386 is not allowed: 0 (no timers) or 3 to 65535 seconds" },
	{ "a number as a text, out of range", HEAD SET("local_pref = `4294967296`"),
	  "2: filters.f[0].set.local_pref: 4294967296 is not allowed: 0 to 4294967295" },
	{ "a number as a text that is none", HEAD SET("local_pref = `1x`"),
	  "2: filters.f[0].set.local_pref: `1x` is no number: needs an integer, 0 to 4294967295" },
	{ "no id", "router = { as = 65001; };",
	  "1: router.id: is missing (BGP identifier): needs an IPv4 address such as `192.0.2.1`" },
	{ "no router", "", "1: router: is missing (who we are): needs settings in { }" },
	{ "an id that is no address", "router = { id = `r1`; as = 65001; };",
	  "1: router.id: `r1` is no address: needs an IPv4 address such as `192.0.2.1`" },
	{ "an IPv6 id", "router = { id = `fd00::1`; as = 65001; };",
	  "1: router.id: `fd00::1` is not allowed: needs an IPv4 address such as `192.0.2.1`" },
	{ "id 0.0.0.0", "router = { id = `0.0.0.0`; as = 65001; };",
	  "1: router.id: `0.0.0.0` is not allowed: needs an IPv4 address such as `192.0.2.1`" },
	{ "an id of many", "router = { id = `224.0.0.5`; as = 65001; };", ID_ERROR },
	{ "an id of everybody", "router = { id = `255.255.255.255`; as = 65001; };", ID_ERROR },
	{ "an id of nobody else", "router = { id = `127.0.0.1`; as = 65001; };", ID_ERROR },
	{ "a relative socket path", HEAD "control = { socket = `mcbgpd.sock`; };",
	  "2: control.socket: `mcbgpd.sock` is relative: needs a path that begins with /" },
	{ "a relative path of the second socket", HEAD "control = { readonly_socket = `looks.sock`; };",
	  "2: control.readonly_socket: `looks.sock` is relative: needs a path that begins with /" },
	{ "two sockets in one place", HEAD "control = { socket = `/s`; readonly_socket = `/s`; };",
	  "2: control.readonly_socket: is the path of socket already: needs another one" },
	{ "a group of no socket", HEAD "control = { readonly_group = `looks`; };",
	  "2: control.readonly_group: means nothing without readonly_socket: set that too, or leave it out" },
	{ "the table of local addresses", HEAD "kernel = { table = 255; };",
	  "2: kernel.table: 255 is the kernel's own table of local addresses: needs another, 254 is the main "
	  "one" },
	{ "a peer named as the kernel's protocol", HEAD PEER_NAMED("kernel4"),
	  "2: peers[0].name: `kernel4` is what commands show of mcbgpd itself: choose another name" },
	{ "a peer named as that of static routes", HEAD PEER_NAMED("static1"),
	  "2: peers[0].name: `static1` is what commands show of mcbgpd itself: choose another name" },
	{ "a peer named as one of a range",
	  HEAD "peers = ( { name = `n_192.0.2.7`; address = `192.0.2.2`; remote_as = 65002; },\n"
	       "{ name = `n`; range = `192.0.2.0/24`; remote_as = 65002; } );",
	  "2: peers[0].name: `n_192.0.2.7` is what 192.0.2.7 of the range in line 3 would be called: choose "
	  "another name" },
	{ "a peer where we listen", ROUTER("listen = ( { address = `192.0.2.2`; } );") "\n" PEER(""),
	  "2: peers[0].address: is our own, and we listen there at port 179: needs that of the peer" },
	{ "a peer at the address of a tunnel",
	  HEAD PEER("") "\ntunnels = ( { name = `t`; type = `gre`; remote = `192.0.2.9`; addresses = [ "
	                "`192.0.2.2/24` ]; } );",
	  "2: peers[0].address: is our own, and we listen there at port 179: needs that of the peer" },
	{ "an empty list to listen", ROUTER("listen = ( );"),
	  "1: router.listen: is empty: needs a list such as ( { address = `0.0.0.0`; } ), or leave it out" },
	{ "listen twice",
	  ROUTER("listen = ( { address = `192.0.2.1`; }, { address = `192.0.2.1`; port = 179; } );"),
	  "1: router.listen[1]: port 179 of this address is taken by router.listen[0]: take one of the two "
	  "away" },
	{ "listen on all and on one",
	  ROUTER("listen = ( { address = `0.0.0.0`; }, { address = `192.0.2.1`; } );"),
	  "1: router.listen[1]: port 179 of this address is taken by router.listen[0]: take one of the two "
	  "away" },
	{ "listen without address", ROUTER("listen = ( { port = 1179; } );"),
	  "1: router.listen[0].address: is missing (where connections are taken): needs an address such as "
	  "`192.0.2.1`" },
	{ "listen on a group", ROUTER("listen = ( { address = `224.0.0.1`; } );"),
	  "1: router.listen[0].address: can be nobody's address: needs one of this host" },
	{ "an unknown log level", HEAD "log = { level = `notice`; };",
	  "2: log.level: `notice` is not allowed: needs `error`, `warning`, `info` or `debug`" },
	{ "an unknown log target", HEAD "log = { target = `file`; };",
	  "2: log.target: `file` is not allowed: needs `stderr`, `syslog` or `journal`" },
	{ "an empty socket path", HEAD "control = { socket = ``; };",
	  "2: control.socket: is empty: give it a value or leave it out" },
	{ "a long socket path",
	  HEAD "control = { socket = "
	       "`/"
	       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	       "xxxxxxxxxxxxxx`; };",
	  "2: control.socket: is longer than the 107 bytes that the path of a socket may have" },
	{ "metrics", HEAD "metrics = { listen = `127.0.0.1:9179`; };", "2: metrics: " LATER },
	{ "an unknown hash", HEAD "host = { multipath_hash = `l5`; };",
	  "2: host.multipath_hash: `l5` is not allowed: needs `l3`, `l4` or `inner`" },
	{ "a peer without name", HEAD "peers = ( { address = `192.0.2.2`; remote_as = 65002; } );",
	  "2: peers[0].name: is missing (name of the peer): needs a name in quotes, at most 63 printable "
	  "characters without "
	  "blanks" },
	{ "a peer named with a blank", HEAD PEER_NAMED("a b"),
	  "2: peers[0].name: `a b` is not allowed: needs a name in quotes, at most 63 printable characters "
	  "without blanks" },
	{ "a peer named with 64 bytes",
	  HEAD PEER_NAMED("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
	  "2: peers[0].name: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` is not "
	  "allowed: needs a name in quotes, at most 63 printable characters without blanks" },
	{ "a peer named all", HEAD PEER_NAMED("all"),
	  "2: peers[0].name: `all` stands for every peer in commands: choose another name" },
	{ "a peer without address", HEAD "peers = ( { name = `a`; remote_as = 65002; } );",
	  "2: peers[0].address: is missing: needs an address such as `192.0.2.1`, or range" },
	{ "a peer with address and range", HEAD PEER("range = `192.0.2.0/24`;"),
	  "2: peers[0].range: there is an address too: give one of the two" },
	{ "a peer at no address", HEAD PEER_AT("node1"),
	  "2: peers[0].address: `node1` is no address: needs an address such as `192.0.2.1`" },
	{ "a peer at 0.0.0.0", HEAD PEER_AT("0.0.0.0"),
	  "2: peers[0].address: can be nobody's address: needs that of the peer" },
	{ "a peer at a link-local address", HEAD PEER_AT("fe80::2"),
	  "2: peers[0].address: is link-local: needs interface too, the link it is on" },
	{ "local address of the other family", HEAD PEER("local_address = `fd00::1`;"),
	  "2: peers[0].local_address: is of another address family than the peer's address" },
	{ "local address is the peer's", HEAD PEER("local_address = `192.0.2.2`;"),
	  "2: peers[0].local_address: is the peer's address: needs one of this host" },
	{ "local address 0.0.0.0", HEAD PEER("local_address = `0.0.0.0`;"),
	  "2: peers[0].local_address: can be nobody's address: needs one of this host, or leave it out" },
	{ "two peers of one name",
	  HEAD "peers = ( { name = `a`; address = `192.0.2.2`; remote_as = 65002; },"
	       "\n"
	       "{ name = `a`; address = `192.0.2.3`; remote_as = 65002; } );",
	  "3: peers[1].name: is there twice: first in line 2; take one away or change it" },
	{ "two peers at one address",
	  HEAD "peers = ( { name = `a`; address = `192.0.2.2`; remote_as = 65002; },"
	       "\n"
	       "{ name = `b`; address = `192.0.2.2`; remote_as = 65003; } );",
	  "3: peers[1].address: is that of the peer in line 2, with the same local_address and interface: "
	  "who "
	  "connects from there could be either, so a peer is there once" },
	{ "two peers at one address with two passwords",
	  HEAD "peers = ( { name = `a`; address = `192.0.2.2`; remote_as = 65002; password_file = `/a`; },"
	       "\n"
	       "{ name = `b`; address = `192.0.2.2`; local_address = `192.0.2.1`; remote_as = 65003;"
	       "  password_file = `/b`; } );",
	  "3: peers[1].password_file: is not that of the peer in line 2, which has the same address: the "
	  "kernel has one password for an address, so give both the same" },
	{ "two peers at one address, one with a password",
	  HEAD "peers = ( { name = `a`; address = `192.0.2.2`; remote_as = 65002; interface = `eth0`; },"
	       "\n"
	       "{ name = `b`; address = `192.0.2.2`; interface = `eth1`; remote_as = 65003;"
	       "  password_file = `/b`; } );",
	  "3: peers[1].password_file: is not that of the peer in line 2, which has the same address: the "
	  "kernel has one password for an address, so give both the same" },
	{ "a peer without password in a range with one",
	  HEAD "peers = ( { name = `a`; range = `192.0.2.0/24`; remote_as = 65002; password_file = `/a`; },"
	       "\n"
	       "{ name = `b`; address = `192.0.2.2`; remote_as = 65003; } );",
	  "3: peers[1].password_file: is missing: the kernel wants that of the range in line 2 from "
	  "everybody in it, so give this one a password too, or make that range smaller" },
	{ "a range without password in a range with one",
	  HEAD "peers = ( { name = `a`; range = `192.0.2.0/25`; remote_as = 65002; },"
	       "\n"
	       "{ name = `b`; range = `192.0.2.0/24`; remote_as = 65003; password_file = `/a`; } );",
	  "2: peers[0].password_file: is missing: the kernel wants that of the range in line 3 from "
	  "everybody in it, so give this one a password too, or make that range smaller" },
	{ "a send hold time below 3", HEAD PEER("send_hold_time = 2;"),
	  "2: peers[0].send_hold_time: 2 is not allowed: 0 (480 s, or twice the hold time if that is more) "
	  "or "
	  "3 to 65535 seconds" },
	{ "two peers of one range",
	  HEAD "peers = ( { name = `a`; range = `192.0.2.0/24`; remote_as = 65002; },"
	       "\n"
	       "{ name = `b`; range = `192.0.2.0/24`; remote_as = 65003; } );",
	  "3: peers[1].range: is that of the peer in line 2, with the same local_address and interface: who "
	  "connects from there could be either, so a peer is there once" },
	{ "a range with bits beyond its length",
	  HEAD "peers = ( { name = `a`; range = `192.0.2.1/24`; remote_as = 65002; } );",
	  "2: peers[0].range: `192.0.2.1/24` has bits set beyond its length: `192.0.2.0/24` would be right" },
	{ "a range that is none",
	  HEAD "peers = ( { name = `a`; range = `192.0.2.0/33`; remote_as = 65002; } );",
	  "2: peers[0].range: `192.0.2.0/33` is no prefix: needs a prefix such as `192.0.2.0/24`" },
	{ "a range that is not passive",
	  HEAD "peers = ( { name = `a`; range = `192.0.2.0/24`; remote_as = 65002; passive = false; } );",
	  "2: peers[0].passive: false is not allowed with a range, to which nobody can connect: true, or "
	  "leave it out" },
	{ "a range whose group is not passive",
	  HEAD "peer_groups = { g = { passive = false; }; };"
	       "\n"
	       "peers = ( { name = `a`; range = `192.0.2.0/24`; remote_as = 65002; group = `g`; } );",
	  "3: peers[0].passive: false is not allowed with a range, to which nobody can connect: true, or "
	  "leave it out" },
	{ "max_peers without a range", HEAD PEER("max_peers = 5;"),
	  "2: peers[0].max_peers: is for a range of peers: take it away, or give a range" },
	{ "an unknown group",
	  HEAD "peer_groups = { calico = { }; };"
	       "\n" PEER("group = `calcio`;"),
	  "3: peers[0].group: there is no group `calcio`: the nearest is `calico`" },
	{ "an unknown group where there is none", HEAD PEER("group = `calico`;"),
	  "2: peers[0].group: there is no group `calico`: none is defined" },
	{ "an unknown filter",
	  HEAD "filters = { ecmp = ( ); };"
	       "\n" PEER("import = `emcp`;"),
	  "3: peers[0].import: there is no filter `emcp`: the nearest is `ecmp`" },
	{ "an unknown filter where there is none", HEAD "kernel = { export = `x`; };",
	  "2: kernel.export: there is no filter `x`: none is defined" },
	{ "next_hop_self and next_hop_keep", HEAD PEER("next_hop_self = true; next_hop_keep = true;"),
	  "2: peers[0].next_hop_keep: next_hop_self and next_hop_keep are both true: one of the two must be "
	  "false" },
	{ "one of the group, one of the peer",
	  HEAD "peer_groups = { g = { next_hop_keep = true; }; };"
	       "\n" PEER("group = `g`; next_hop_self = true;"),
	  "3: peers[0].next_hop_self: next_hop_self and next_hop_keep are both true: one of the two must be "
	  "false" },
	{ "multihop 256", HEAD PEER("multihop = 256;"),
	  "2: peers[0].multihop: 256 is not allowed: 1 to 255 hops" },
	{ "an unknown action at max_prefix", HEAD PEER("max_prefix_action = `stop`;"),
	  "2: peers[0].max_prefix_action: `stop` is not allowed: needs `restart`, `disable` or `warn`" },
	{ "control characters in a description", HEAD PEER("description = `a\\nb`;"),
	  "2: peers[0].description: `a?b` has control characters in it: needs a text in quotes" },
	{ "a role within the AS", HEAD PEER("local_as = 65002; role = `peer`;"),
	  "2: peers[0].role: is for peers of another AS: take it away" },
	{ "no family", HEAD PEER("families = [ ];"),
	  "2: peers[0].families: is empty: needs any of `ipv4` or `ipv6`, or leave it out" },
	{ "a long name of an interface", HEAD PEER("interface = `abcdefghijklmnop`;"),
	  "2: peers[0].interface: `abcdefghijklmnop` is not allowed: needs a name of a link in quotes, at "
	  "most 15 characters without blanks or `/`" },
	{ "bfd", HEAD PEER("bfd = true;"), "2: peers[0].bfd: " LATER },
	{ "bfd with settings", HEAD PEER("bfd = { interval = 100; };"), "2: peers[0].bfd: " LATER },
	{ "a tunnel of an unknown type", HEAD "tunnels = ( { name = `t0`; type = `vxlam`; } );",
	  "2: tunnels[0].type: `vxlam` is not allowed: needs `vxlan`, `wireguard` or `gre`" },
	{ "a tunnel without anything", HEAD "tunnels = ( { } );",
	  "2: tunnels[0].name: is missing (name of the link): needs a name of a link in quotes, at most 15 "
	  "characters without "
	  "blanks or `/`\n"
	  "2: tunnels[0].type: is missing (encapsulation): needs `vxlan`, `wireguard` or "
	  "`gre`" },
	{ "a tunnel whose name is too long", HEAD TUNNEL_NAMED("abcdefghijklmnop"),
	  "2: tunnels[0].name: `abcdefghijklmnop` is not allowed: needs a name of a link in quotes, at most "
	  "15 characters without blanks or `/`" },
	{ "a tunnel whose name has a slash", HEAD TUNNEL_NAMED("a/b"),
	  "2: tunnels[0].name: `a/b` is not allowed: needs a name of a link in quotes, at most 15 characters "
	  "without blanks or `/`" },
	{ "a tunnel whose name has a blank", HEAD TUNNEL_NAMED("a b"),
	  "2: tunnels[0].name: `a b` is not allowed: needs a name of a link in quotes, at most 15 characters "
	  "without blanks or `/`" },
	{ "vni 0", HEAD "tunnels = ( { name = `t0`; type = `vxlan`; vni = 0; remote = `192.0.2.9`; } );",
	  "2: tunnels[0].vni: 0 is not allowed: 1 to 16777215" },
	{ "vni 16777216",
	  HEAD "tunnels = ( { name = `t0`; type = `vxlan`; vni = 16777216; remote = `192.0.2.9`; } );",
	  "2: tunnels[0].vni: 16777216 is not allowed: 1 to 16777215" },
	{ "mtu 575", HEAD TUNNEL("mtu = 575;"),
	  "2: tunnels[0].mtu: 575 is not allowed: 0 (computed) or 576 to 65535 bytes" },
	{ "mtu 65536", HEAD TUNNEL("mtu = 65536;"),
	  "2: tunnels[0].mtu: 65536 is not allowed: 0 (computed) or 576 to 65535 bytes" },
	{ "mtu too small for IPv6", HEAD TUNNEL("mtu = 1279; addresses = [ `fd00::1/64` ];"),
	  "2: tunnels[0].mtu: 1279 is too small for the IPv6 addresses: 0 (computed) or 1280 to 65535 "
	  "bytes" },
	{ "ttl 256", HEAD TUNNEL("ttl = 256;"),
	  "2: tunnels[0].ttl: 256 is not allowed: 0 (the kernel's choice) or 1 to 255" },
	{ "tos 256", HEAD TUNNEL("tos = 256;"), "2: tunnels[0].tos: 256 is not allowed: 0 to 255" },
	{ "local and remote of two families", HEAD TUNNEL("local = `fd00::1`;"),
	  "2: tunnels[0].remote: is of another address family than local: both IPv4, or both IPv6" },
	{ "local and remote the same", HEAD TUNNEL("local = `192.0.2.9`;"),
	  "2: tunnels[0].remote: is the same as local: needs that of the other end" },
	{ "remote a group",
	  HEAD "tunnels = ( { name = `t0`; type = `vxlan`; vni = 1; remote = `239.0.0.1`; } );",
	  "2: tunnels[0].remote: can be nobody's address: needs that of the other end" },
	{ "an address without length", HEAD TUNNEL("addresses = [ `10.0.0.1` ];"),
	  "2: tunnels[0].addresses[0]: `10.0.0.1` has no length: write `10.0.0.1/24`, or what its network "
	  "has" },
	{ "an address that is its network", HEAD TUNNEL("addresses = [ `10.0.0.0/24` ];"),
	  "2: tunnels[0].addresses[0]: `10.0.0.0/24` is the network itself, not an address in it: needs "
	  "addresses with lengths such as [ `192.0.2.1/24` ]" },
	{ "an address that is none", HEAD TUNNEL("addresses = [ `10.0.0/24` ];"),
	  "2: tunnels[0].addresses[0]: `10.0.0/24` is no address with a length: needs addresses with lengths "
	  "such as [ `192.0.2.1/24` ]" },
	{ "no addresses in the array", HEAD TUNNEL("addresses = [ ];"),
	  "2: tunnels[0].addresses: is empty: needs addresses with lengths such as [ `192.0.2.1/24` ], or "
	  "leave it out" },
	{ "the underlay is the tunnel", HEAD TUNNEL("interface = `t0`;"),
	  "2: tunnels[0].interface: is the tunnel itself: needs the underlay device" },
	{ "two tunnels of one name",
	  HEAD "tunnels = ( { name = `t0`; type = `vxlan`; vni = 1; remote = `192.0.2.9`; },"
	       "\n"
	       "{ name = `t0`; type = `vxlan`; vni = 2; remote = `192.0.2.9`; } );",
	  "3: tunnels[1].name: is there twice: first in line 2; take one away or change it" },
	{ "two tunnels of one VNI",
	  HEAD "tunnels = ( { name = `t0`; type = `vxlan`; vni = 1; remote = `192.0.2.9`; },"
	       "\n"
	       "{ name = `t1`; type = `vxlan`; vni = 1; remote = `192.0.2.8`; } );",
	  "3: tunnels[1].vni: 1 on port 4789 is that of the tunnel in line 2: the kernel needs another vni "
	  "or port" },
	{ "a pattern with bits beyond its length", HEAD "prefix_sets = { s = [ `10.232.64.1/18+` ]; };",
	  "2: prefix_sets.s[0]: `10.232.64.1/18+` has bits set beyond its length: `10.232.64.0/18+` would be "
	  "right" },
	{ "a pattern out of order", HEAD "prefix_sets = { s = [ `10.0.0.0/8{24,16}` ]; };",
	  "2: prefix_sets.s[0]: `10.0.0.0/8{24,16}`: {from,to} is the wrong way round: the smaller length "
	  "comes first" },
	{ "a pattern that is none", HEAD "prefix_sets = { s = [ `10.0.0.0/8*` ]; };",
	  "2: prefix_sets.s[0]: `10.0.0.0/8*`: not a prefix: an address and a length, such as 10.0.0.0/8" },
	{ "an unknown prefix set",
	  HEAD "prefix_sets = { pods = [ `10.0.0.0/8` ]; };"
	       "\n" MATCH("prefix = [ `pod` ]"),
	  "3: filters.f[0].match.prefix[0]: there is no prefix set `pod`: the nearest is `pods`" },
	{ "an unknown prefix set where there is none", HEAD MATCH("prefix = [ `pods` ]"),
	  "2: filters.f[0].match.prefix[0]: there is no prefix set `pods`: none is defined" },
	{ "a prefix in place of a set", HEAD MATCH("prefix = [ `10.0.0.0/8+` ]"),
	  "2: filters.f[0].match.prefix[0]: `10.0.0.0/8+` is a prefix: give it a name in prefix_sets and "
	  "write the name here" },
	{ "no prefix set in the array", HEAD MATCH("prefix = [ ]"),
	  "2: filters.f[0].match.prefix: is empty: needs names of prefix_sets such as [ `pods` ], or leave "
	  "it out" },
	{ "a community that is none", HEAD MATCH("community = [ `65000` ]"),
	  "2: filters.f[0].match.community[0]: `65000`: not a community: two numbers up to 65535 such as "
	  "65000:1, '*' for any, or a name such as no-export" },
	{ "a community out of range", HEAD MATCH("community = [ `65536:1` ]"),
	  "2: filters.f[0].match.community[0]: `65536:1`: not a community: two numbers up to 65535 such as "
	  "65000:1, '*' for any, or a name such as no-export" },
	{ "a pattern where a value is needed", HEAD SET("add_community = [ `65000:*` ]"),
	  "2: filters.f[0].set.add_community[0]: `65000:*` is a pattern, not a value: needs communities such "
	  "as [ `65000:1` ]" },
	{ "nothing to add", HEAD SET("add_community = [ ]"),
	  "2: filters.f[0].set.add_community: is empty: needs communities such as [ `65000:1` ], or leave it "
	  "out" },
	{ "a large community that is none", HEAD SET("delete_large_community = [ `1:2` ]"),
	  "2: filters.f[0].set.delete_large_community[0]: `1:2`: not a large community: three numbers up to "
	  "4294967295 such as 64512:1:2, '*' for any" },
	{ "an expression that is none", HEAD MATCH("as_path = `(65001`"),
	  "2: filters.f[0].match.as_path: `(65001` is no regular expression: '(' without ')': needs one such "
	  "as `^65001( |$)`" },
	{ "an unknown peer in a match", HEAD PEER("") "\n" MATCH("peer = [ `b` ]"),
	  "3: filters.f[0].match.peer[0]: there is no peer or group `b`: the nearest is `a`" },
	{ "an unknown source", HEAD MATCH("source = `ospf`"),
	  "2: filters.f[0].match.source: `ospf` is not allowed: needs any of `bgp`, `static` or `direct`" },
	{ "an unknown family", HEAD MATCH("family = `ipx`"),
	  "2: filters.f[0].match.family: `ipx` is not allowed: needs any of `ipv4` or `ipv6`" },
	{ "an unknown origin", HEAD SET("origin = `bgp`"),
	  "2: filters.f[0].set.origin: `bgp` is not allowed: needs `igp`, `egp` or `incomplete`" },
	{ "a next hop with bits beyond its length", HEAD MATCH("next_hop = `192.0.2.1/24`"),
	  "2: filters.f[0].match.next_hop: `192.0.2.1/24` has bits set beyond its length: `192.0.2.0/24` "
	  "would be right" },
	{ "a link-local next hop", HEAD SET("next_hop = `fe80::1`"),
	  "2: filters.f[0].set.next_hop: `fe80::1` is link-local, which means nothing to a peer on another "
	  "link: needs `self`, `keep` or an address" },
	{ "next hop 0.0.0.0", HEAD SET("next_hop = `0.0.0.0`"),
	  "2: filters.f[0].set.next_hop: `0.0.0.0` can be nobody's address: needs `self`, `keep` or an "
	  "address" },
	{ "a next hop that is none", HEAD SET("next_hop = `me`"),
	  "2: filters.f[0].set.next_hop: `me` is no address: needs `self`, `keep` or an address" },
	{ "prepend 256 times", HEAD SET("prepend = 256"),
	  "2: filters.f[0].set.prepend: 256 is not allowed: 0 to 255 times" },
	{ "a MED below 0", HEAD SET("med = -1"),
	  "2: filters.f[0].set.med: -1 is not allowed: 0 to 4294967295" },
	{ "an unknown action", HEAD "filters = { f = ( { action = `drop`; } ); };",
	  "2: filters.f[0].action: `drop` is not allowed: needs `accept`, `reject` or `continue`" },
	{ "a filter named all", HEAD "filters = { all = ( ); };",
	  "2: filters.all: `all` and `none` have a meaning of their own: choose another name" },
	{ "a static route by nothing", HEAD STATIC("prefix = `10.0.0.0/8`"),
	  "2: static[0]: needs exactly one of interface, next_hop, blackhole = true and unreachable = true "
	  "(or next_hop and interface with onlink = true): it has none" },
	{ "a static route by two",
	  HEAD STATIC("prefix = `10.0.0.0/8`; blackhole = true; next_hop = `192.0.2.3`"),
	  "2: static[0]: needs exactly one of interface, next_hop, blackhole = true and unreachable = true "
	  "(or next_hop and interface with onlink = true): it has several" },
	{ "a static route that is no blackhole", HEAD STATIC("prefix = `10.0.0.0/8`; blackhole = false"),
	  "2: static[0]: needs exactly one of interface, next_hop, blackhole = true and unreachable = true "
	  "(or next_hop and interface with onlink = true): it has none" },
	{ "a static route by two that have no use for each other",
	  HEAD STATIC("prefix = `10.0.0.0/8`; blackhole = true; unreachable = true"),
	  "2: static[0]: needs exactly one of interface, next_hop, blackhole = true and unreachable = true "
	  "(or next_hop and interface with onlink = true): it has several" },
	{ "a router and a link without onlink",
	  HEAD STATIC("prefix = `10.0.0.0/8`; interface = `eth0`; next_hop = `192.0.2.3`"),
	  "2: static[0]: needs exactly one of interface, next_hop, blackhole = true and unreachable = true "
	  "(or next_hop and interface with onlink = true): it has several" },
	{ "onlink and a blackhole",
	  HEAD STATIC("prefix = `10.0.0.0/8`; interface = `eth0`; "
	              "next_hop = `192.0.2.3`; onlink = true; blackhole = true"),
	  "2: static[0]: needs exactly one of interface, next_hop, blackhole = true and unreachable = true "
	  "(or next_hop and interface with onlink = true): it has several" },
	{ "onlink on no link", HEAD STATIC("prefix = `10.0.0.0/8`; next_hop = `192.0.2.3`; onlink = true"),
	  "2: static[0].onlink: needs next_hop, and the interface it is on" },
	{ "a static route without prefix", HEAD STATIC("blackhole = true"),
	  "2: static[0].prefix: is missing (destination): needs a prefix such as `192.0.2.0/24`" },
	{ "a static route with bits beyond its length",
	  HEAD STATIC("prefix = `10.0.0.1/8`; blackhole = true"),
	  "2: static[0].prefix: `10.0.0.1/8` has bits set beyond its length: `10.0.0.0/8` would be right" },
	{ "a static route to groups", HEAD STATIC("prefix = `224.0.0.0/4`; blackhole = true"),
	  "2: static[0].prefix: is no destination of unicast packets, so there is no route to it" },
	{ "a static route by a router of the other family",
	  HEAD STATIC("prefix = `10.0.0.0/8`; next_hop = `fd00::1`"),
	  "2: static[0].next_hop: is of another address family than prefix" },
	{ "two static routes to one prefix",
	  HEAD "static = ( { prefix = `10.0.0.0/8`; blackhole = true; },"
	       "\n"
	       "{ prefix = `10.0.0.0/8`; interface = `eth0`; } );",
	  "3: static[1].prefix: is there twice: first in line 2; take one away or change it" },
	{ "direct without interfaces", HEAD "direct = { };",
	  "2: direct.interfaces: is missing (links whose prefixes are taken into the table): needs names or "
	  "shell patterns of links such as [ `eth0`, "
	  "`cali*` ]" },
	{ "direct with none", HEAD "direct = { interfaces = [ ]; };",
	  "2: direct.interfaces: is empty: needs names or shell patterns of links such as [ `eth0`, `cali*` "
	  "]" },
	{ "table 0", HEAD "kernel = { table = 0; };", "2: kernel.table: 0 is not allowed: 1 to 4294967295" },
	{ "a protocol number of the kernel's own", HEAD "kernel = { protocol = 2; };",
	  "2: kernel.protocol: 2 is not allowed: 5 to 255" },
	{ "an ECMP set of none", HEAD "kernel = { multipath = 0; };",
	  "2: kernel.multipath: 0 is not allowed: 1 to 256 next hops" },
	{ "a missing semicolon",
	  HEAD "log = { level = `info` target = `stderr` }"
	       "\n"
	       "kernel = { ;",
	  "3: syntax error: look for a missing ; or , or bracket, here or on the line before, or a , too "
	  "many" },
	{ "a comma too many", HEAD "peers = ( 1, );",
	  "2: syntax error: look for a missing ; or , or bracket, here or on the line before, or a , too "
	  "many" },
	{ "a setting twice", HEAD "log = { level = `info`; level = `debug`; };",
	  "2: duplicate setting name: a setting may be there once" },
	{ "types mixed in an array", HEAD "x = [ 1, `a` ];",
	  "2: mismatched element type in array: all values in [ ] must be of one type, numbers all with an L "
	  "or all without; in ( ) they may "
	  "differ" },
	{ "a string that is not closed", HEAD "log = { level = `info; };",
	  "2: the string that begins here is never closed: write ` at its end" },
	{ "a comment that is not closed",
	  HEAD ""
	       "\n"
	       "/* log = { };",
	  "3: the comment that begins here is never closed: write */" },
	{ "brackets without end", HEAD "x = (((((((((((((((((((((((((((((((((",
	  "2: brackets are nested more than 32 deep" },
	{ "errors in the order of lines",
	  HEAD "kernel = { table = 0; };"
	       "\n"
	       "x = 1;"
	       "\n" PEER("port = 0;") "\n"
	                              "log = { level = 1; };",
	  "2: kernel.table: 0 is not allowed: 1 to 4294967295\n"
	  "3: x: unknown setting: the nearest known is `log`\n"
	  "4: peers[0].port: 0 is not allowed: 1 to 65535\n"
	  "5: log.level: found an integer, needs `error`, `warning`, `info` or `debug`" },
};

START_TEST(refuses)
{
	lab_refuse(rows[_i].what, rows[_i].text, rows[_i].errors);
}
END_TEST

UNIT_MAIN("refuse", UNIT_ROWS(refuses, rows))
