/* SPDX-License-Identifier: BSD-2-Clause */
/* test_commands.c - requests and their answers: layouts as BIRD 2.0.12 has them, abbreviations, refusals,
 * actions, JSON. */
#include "ctl/commands.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "unit/ctl/answer.h"
#include "unit/unit.h"

static const struct {
	const char *line, *want;
} layouts[] = {
	{ "show status", "1000-BIRD 2.0.12 compatible mcbgpd 9.9\n"
	                 "1011-Router ID is 10.0.0.1\n"
	                 " Hostname is gw1\n"
	                 " Current server time is 2026-01-02 03:04:05.678\n"
	                 " Last reboot on 2026-01-02 02:04:05.678\n"
	                 " Last reconfiguration on 2026-01-02 03:03:05.678\n"
	                 " AS is 65001\n"
	                 " Configuration is /tmp/tried.conf\n"
	                 " Kernel routes use nexthop objects\n"
	                 " Kernel routes: 0 installed, 0 queued, 0 failed\n"
	                 " Kernel audits: 7 completed, 2 differences found, last on 2026-01-02 03:03:05.678\n"
	                 " Kernel repairs: 3 routes put back, full comparisons: 1\n"
	                 " Kernel refusals: 1 exists, 2 missing, 3 busy, 4 no room, 5 other\n"
	                 "0013 Daemon is up and running\n" },
	{ "show protocols",
	  "2002-Name       Proto      Table      State  Since         Info\n"
	  "1002-device1    Device     ---        up     03:04:04.678  \n"
	  " kernel4    Kernel     master4    up     03:04:04.678  \n"
	  " node1      BGP        ---        up     03:03:55.678  Established   \n"
	  " node2      BGP        ---        start  2025-12-30    Active        Socket: Connection refused\n"
	  "0000 \n" },
	{ "show protocols \"node*\"",
	  "2002-Name       Proto      Table      State  Since         Info\n"
	  "1002-node1      BGP        ---        up     03:03:55.678  Established   \n"
	  " node2      BGP        ---        start  2025-12-30    Active        Socket: Connection refused\n"
	  "0000 \n" },
	{ "show protocols all node1",
	  "2002-Name       Proto      Table      State  Since         Info\n"
	  "1002-node1      BGP        ---        up     03:03:55.678  Established   \n"
	  "1006-  Description:    the first node\n"
	  "   BGP state:          Established\n"
	  "     Neighbor address: 10.0.0.2\n"
	  "     Neighbor AS:      65002\n"
	  "     Local AS:         65001\n"
	  "     Neighbor ID:      10.0.0.2\n"
	  "     Local capabilities\n"
	  "       Multiprotocol\n"
	  "         AF announced: ipv4\n"
	  "       Route refresh\n"
	  "       4-octet AS numbers\n"
	  "     Neighbor capabilities\n"
	  "       Multiprotocol\n"
	  "         AF announced: ipv4\n"
	  "       Route refresh\n"
	  "       4-octet AS numbers\n"
	  "     Session:          external AS4\n"
	  "     Source address:   10.0.0.1\n"
	  "     Hold timer:       185.545/240\n"
	  "     Keepalive timer:  75.192/80\n"
	  "   Channel ipv4\n"
	  "     State:          UP\n"
	  "     Table:          master4\n"
	  "     Preference:     100\n"
	  "     Input filter:   imp\n"
	  "     Output filter:  ACCEPT\n"
	  "     Receive limit:  100\n"
	  "       Action:       disable\n"
	  "     Routes:         2 imported, 0 filtered, 1 exported, 1 preferred\n"
	  "     Route change stats:     received   rejected   filtered    ignored   accepted\n"
	  "       Import updates:              2          0          0          0          2\n"
	  "       Import withdraws:            0          0        ---          0          0\n"
	  "       Export updates:              3          0          2        ---          1\n"
	  "       Export withdraws:            0        ---        ---        ---          0\n"
	  "     BGP Next hop:   10.0.0.1\n"
	  " \n"
	  "0000 \n" },
	{ "show protocols all node2", "2002-Name       Proto      Table      State  Since         Info\n"
	                              "1002-node2      BGP        ---        start  2025-12-30    Active     "
	                              "   Socket: Connection refused\n"
	                              "1006-  BGP state:          Active\n"
	                              "     Neighbor address: 10.0.0.3\n"
	                              "     Neighbor port:    178\n"
	                              "     Neighbor AS:      65003\n"
	                              "     Local AS:         65001\n"
	                              "     Connect delay:    2.427/5\n"
	                              "     Last error:       Socket: Connection refused\n"
	                              "   Channel ipv4\n"
	                              "     State:          DOWN\n"
	                              "     Table:          master4\n"
	                              "     Preference:     100\n"
	                              "     Input filter:   ACCEPT\n"
	                              "     Output filter:  REJECT\n"
	                              " \n"
	                              "0000 \n" },
	{ "show route",
	  "1007-Table master4:\n"
	  " 10.66.0.0/18         blackhole [static1 03:04:00.678] * (200)\n"
	  " 10.77.1.0/24         unicast [node1 03:04:00.678] * (100) [AS65002i]\n"
	  " \tvia 10.0.0.2 on eth0\n"
	  "                      unicast [node2 03:04:00.678] (100) [AS65009i]\n"
	  " \tvia 10.0.0.3 on eth0\n"
	  " 10.77.2.0/24         unreachable [node1 03:04:00.678 from 10.0.0.2] (100/-) [AS65002i]\n"
	  "0000 \n" },
	{ "show route 10.77.1.0/24 all",
	  "1007-Table master4:\n"
	  " 10.77.1.0/24         unicast [node1 03:04:00.678] * (100) [AS65002i]\n"
	  " \tvia 10.0.0.2 on eth0\n"
	  "1008-\tType: BGP univ\n"
	  "1012-\tBGP.origin: IGP\n"
	  " \tBGP.as_path: 65002\n"
	  " \tBGP.next_hop: 10.0.0.2\n"
	  " \tBGP.local_pref: 100\n"
	  " \tBGP.community: (65000,1) (65535,65281)\n"
	  " \tFilter: term 2 of import filter imp accepts it\n"
	  " \tDecision: best, by AS path length; next is by node2\n"
	  " \tKernel: installed\n"
	  "1007-                     unicast [node2 03:04:00.678] (100) [AS65009i]\n"
	  " \tvia 10.0.0.3 on eth0\n"
	  "1008-\tType: BGP univ\n"
	  "1012-\tBGP.origin: IGP\n"
	  " \tBGP.as_path: 65003 65009\n"
	  " \tBGP.next_hop: 10.0.0.3\n"
	  " \tBGP.local_pref: 100\n"
	  " \tDecision: not best, by AS path length; best is by node1\n"
	  "0000 \n" },
	{ "show route 10.77.2.0/24 all",
	  "1007-Table master4:\n"
	  " 10.77.2.0/24         unreachable [node1 03:04:00.678 from 10.0.0.2] (100/-) [AS65002i]\n"
	  "1008-\tType: BGP univ\n"
	  "1012-\tBGP.origin: IGP\n"
	  " \tBGP.as_path: 65002\n"
	  " \tBGP.next_hop: 192.0.2.99\n"
	  " \tBGP.local_pref: 100\n"
	  " \tFilter: term 2 of import filter imp accepts it\n"
	  " \tNot usable: next hop 192.0.2.99: no route to it\n"
	  "0000 \n" },
	{ "show route for 10.77.1.200 primary",
	  "1007-Table master4:\n"
	  " 10.77.1.0/24         unicast [node1 03:04:00.678] * (100) [AS65002i]\n"
	  " \tvia 10.0.0.2 on eth0\n"
	  "0000 \n" },
	{ "show route for 10.77.1.128/25 protocol node2",
	  "1007-Table master4:\n"
	  " 10.77.1.0/24         unicast [node2 03:04:00.678] (100) [AS65009i]\n"
	  " \tvia 10.0.0.3 on eth0\n"
	  "0000 \n" },
	{ "show route for 10.77.2.1 count", "1007-1 of 1 routes for 1 networks in table master4\n0000 \n" },
	{ "show route count", "1007-4 of 4 routes for 3 networks in table master4\n"
	                      " 0 of 0 routes for 0 networks in table master6\n"
	                      "0014 Total: 4 of 4 routes for 3 networks in 2 tables\n" },
	{ "show route count protocol node2 table master4",
	  "1007-1 of 4 routes for 3 networks in table master4\n0000 \n" },
	{ "show route export node2", "1007-Table master4:\n"
	                             " 10.66.0.0/18         blackhole [static1 03:04:00.678] * (200)\n"
	                             "0000 \n" },
	{ "show route noexport node1 10.77.1.0/24 all",
	  "1007-Table master4:\n"
	  " 10.77.1.0/24         unicast [node1 03:04:00.678] * (100) [AS65002i]\n"
	  " \tvia 10.0.0.2 on eth0\n"
	  "1008-\tType: BGP univ\n"
	  "1012-\tBGP.origin: IGP\n"
	  " \tBGP.as_path: 65002\n"
	  " \tBGP.next_hop: 10.0.0.2\n"
	  " \tBGP.local_pref: 100\n"
	  " \tBGP.community: (65000,1) (65535,65281)\n"
	  " \tFilter: term 2 of import filter imp accepts it\n"
	  " \tDecision: best, by AS path length; next is by node2\n"
	  " \tNot exported: the best path is its own\n"
	  " \tKernel: installed\n"
	  "0000 \n" },
	{ "show route table master6", "1007-Table master6:\n0000 \n" },
	{ "show route filtered", "0000 \n" },
	{ "show route table fib 10.66.0.0/18",
	  "1007-Table fib:\n"
	  " 10.66.0.0/18         blackhole [static1 03:04:00.678] * (200)\n"
	  "1012-\tKernel: installed\n"
	  "0000 \n" },
	{ "show interfaces", "1001-eth0 up (index=1)\n"
	                     "1004-\tAdminUp LinkUp MTU=1500 Kind=veth\n"
	                     "1003-\t10.0.0.1/24\n"
	                     "0000 \n" },
	{ "show interfaces summary", "2005-Interface  State  IPv4 address       IPv6 address\n"
	                             "1005-eth0       up     10.0.0.1/24        \n"
	                             "0000 \n" },
	{ "show neighbors",
	  "2107-Next hop                  Neighbor                  Interface    State       Address\n"
	  "1107-10.0.0.2                  10.0.0.2                  eth0         REACHABLE   "
	  "02:00:5e:10:00:01\n"
	  " 10.0.0.3                  -                         -            the neighbor does not answer  "
	  "Dead\n"
	  "0000 \n" },
	{ "show bfd sessions", "1020-bfd1:\n IP address                Interface  State      Since         "
	                       "Interval  Timeout\n0000 \n" },
	{ "show tunnels",
	  "2101-Name            Type      State  Since        MTU   Local           Remote          Info\n"
	  "1101-vxlan-eth0      vxlan     up     03:04:04.678 1450  192.168.1.10    203.0.113.7     vni 101 "
	  "port 4789 \n"
	  " wg0             wireguard error               1420  -               -               port 51820 "
	  "peers 1 dead 1 handshake 03:04:00.678 its key file can be read by others: chmod 600\n"
	  "0000 \n" },
	{ "show tunnels wg0 all",
	  "2101-Name            Type      State  Since        MTU   Local           Remote          Info\n"
	  "1101-wg0             wireguard error               1420  -               -               port "
	  "51820 peers 1 dead 1 handshake 03:04:00.678 its key file can be read by others: chmod 600\n"
	  "1102-  Received:    0 bytes, 0 packets\n"
	  "   Sent:        0 bytes, 0 packets\n"
	  "   Public key:  b3Vycw==\n"
	  "   Peer:        cGVlcg==\n"
	  "     Endpoint:  203.0.113.7 port 51820\n"
	  "     Handshake: 03:04:00.678 (dead: its next hops are not used)\n"
	  "     Received:  100 bytes\n"
	  "     Sent:      200 bytes\n"
	  "     Allowed:   2 prefixes\n"
	  "0000 \n" },
	{ "help show st", "1103-show status\n \tversion, router id, times, state\n0000 \n" },
	{ "show st ?", "1103-show status\n \tversion, router id, times, state\n0000 \n" },
	{ "complete \"show pro\"", "1103-protocols\tpeers and their sessions\n0000 \n" },
	{ "complete \"disable no\"", "1103-node1\t\n node2\t\n0000 \n" },
	{ "complete \"show tunnels \"", "1103-all\twith all details\n vxlan-eth0\t\n wg0\t\n0000 \n" },
	{ "complete \"nonsense x\"", "0000 \n" },
};

START_TEST(layout)
{
	start();
	ck_assert_str_eq(answer(layouts[_i].line), layouts[_i].want);
}
END_TEST

static const struct {
	const char *line, *same_as;
} abbreviations[] = {
	{ "s s", "show status" },
	{ "sh pr", "show protocols" },
	{ "show prot all node1", "show protocols all node1" },
	{ "sh r 10.77.1.0/24 al", "show route 10.77.1.0/24 all" },
	{ "sh ro fo 10.77.1.1 pri", "show route for 10.77.1.1 primary" },
	{ "\tshow   status \r", "show status" },
	{ "sh t vxlan-eth0", "show tunnels vxlan-eth0" },
	{ "co ch", "configure check" }, /* the hidden `complete` is in nobody's way */
};

START_TEST(abbreviation)
{
	char *want;

	start();
	want = strdup(answer(abbreviations[_i].same_as));
	ck_assert_str_eq(answer(abbreviations[_i].line), want);
	free(want);
}
END_TEST

static const struct {
	const char *line;
	unsigned code;
	const char *piece; /* of the text */
} refusals[] = {
	{ "", CTL_PARSE_ERROR, "a command is expected" },
	{ "show", CTL_PARSE_ERROR, "status, protocols, route" },
	{ "shew protocols", CTL_PARSE_ERROR, "did you mean show?" },
	{ "show protocls", CTL_PARSE_ERROR, "did you mean protocols?" },
	{ "r node1", CTL_PARSE_ERROR, "r may mean: restart, reload" },
	{ "\"show\" status", CTL_PARSE_ERROR, "unknown" },
	{ "disable \"", CTL_PARSE_ERROR, "quote" },
	{ "show status now", CTL_PARSE_ERROR, "takes no argument" },
	{ "show protocols all node1 node2", CTL_PARSE_ERROR, "one name is enough" },
	{ "show protocols nodee1", CTL_NO_PROTOCOL, "did you mean node1?" },
	{ "show protocols \"x*\"", CTL_NO_PROTOCOL, "No protocols match" },
	{ "show tunnels vxlan-eth1", CTL_NOT_FOUND, "did you mean vxlan-eth0?" },
	{ "show route 9.9.9.0/24", CTL_NOT_FOUND, "Network not found" },
	{ "show route for 9.9.9.9", CTL_NOT_FOUND, "Network not found" },
	{ "show route 10.77.1.1/24", CTL_PARSE_ERROR, "host bits" },
	{ "show route 300.0.0.0/8", CTL_PARSE_ERROR, "neither a keyword nor a prefix: 300.0.0.0/8" },
	{ "show route 10.0.0.0/99", CTL_PARSE_ERROR, "10.0.0.0/99" },
	{ "show route 10.0.0.0/8 11.0.0.0/8", CTL_PARSE_ERROR, "enough" },
	{ "show route f", CTL_PARSE_ERROR, "several" },
	{ "show route for", CTL_PARSE_ERROR, "for what?" },
	{ "show route protocol", CTL_PARSE_ERROR, "missing" },
	{ "show route protocol nobody", CTL_NO_PROTOCOL, "nobody" },
	{ "show route export kernel4", CTL_PARSE_ERROR, "no peer" },
	{ "show route export node1 noexport node1", CTL_PARSE_ERROR, "once" },
	{ "show route table nix", CTL_PARSE_ERROR, "master4, master6 or fib" },
	{ "show route 10.77.1.0/24 table master6", CTL_PARSE_ERROR, "not of that table" },
	{ "show bfd sessions now", CTL_PARSE_ERROR, "takes no argument" },
	{ "show neighbors eth0", CTL_PARSE_ERROR, "takes no argument" },
	{ "diagnose", CTL_NOT_BUILT, "diagnose: not built yet" },
	{ "monitor everything", CTL_PARSE_ERROR, "not: everything" },
	{ "monitor routes tunnels", CTL_PARSE_ERROR, "not: tunnels" },
	{ "monitor peer", CTL_PARSE_ERROR, "not: peer" },
	{ "monitor peer nobody", CTL_NO_PROTOCOL, "nobody" },
	{ "restrict me", CTL_PARSE_ERROR, "takes no argument" },
	{ "log peer node1", CTL_PARSE_ERROR, "NAME error" },
	{ "log peer node1 loud", CTL_PARSE_ERROR, "NAME error" },
	{ "log peer nodee1 info", CTL_NO_PROTOCOL, "did you mean node1?" },
	{ "log peer kernel4 info", CTL_DENIED, "it is no peer" },
	{ "disable", CTL_PARSE_ERROR, "whom?" },
	{ "disable nobody", CTL_NO_PROTOCOL, "No protocol nobody" },
	{ "disable node1 \"a\" \"b\"", CTL_PARSE_ERROR, "one name" },
	{ "disable kernel4", CTL_DENIED, "kernel4: cannot" },
	{ "reload kernel4", CTL_RELOAD_FAILED, "kernel4: reload failed" },
	{ "restart \"x*\"", CTL_NO_PROTOCOL, "No protocols match" },
	{ "configure sideways", CTL_PARSE_ERROR, "not: sideways" },
	{ "configure check undo", CTL_PARSE_ERROR, "not: undo" },
	{ "configure soft undo", CTL_PARSE_ERROR, "not: undo" },
	{ "configure timeout -5", CTL_PARSE_ERROR, "not: -5" },
	{ "log level", CTL_PARSE_ERROR, "error, warning, info or debug" },
	{ "log level loud", CTL_PARSE_ERROR, "error, warning, info or debug" },
	{ "down now", CTL_PARSE_ERROR, "takes no argument" },
	{ "help nothing", CTL_NOT_FOUND, "no command begins with nothing" },
	{ "\x01\x02", CTL_PARSE_ERROR, "unknown: ??" },
};

START_TEST(refusal)
{
	char code[8];
	const char *text;

	start();
	text = answer(refusals[_i].line);
	snprintf(code, sizeof(code), "%04u ", refusals[_i].code);
	ck_assert_msg(strncmp(text, code, 5) == 0, "%s: %s", refusals[_i].line, text);
	ck_assert_msg(strstr(text, refusals[_i].piece) != NULL, "%s: %s", refusals[_i].line, text);
	ck_assert_msg(strchr(text, '\n')[1] == '\0', "one line: %s", text);
	ck_assert(!daemon_.stopped && !daemon_.act[0]);
}
END_TEST

START_TEST(actions)
{
	start();
	ck_assert_str_eq(answer("disable node2 \"for an hour\""), "0009-node2: disabled\n0000 \n");
	ck_assert_str_eq(daemon_.act, "1 node2 for an hour");
	ck_assert_str_eq(answer("disable node2"), "0008-node2: already disabled\n0000 \n");
	ck_assert_str_eq(answer("enable \"node*\""), "0011-node1: enabled\n node2: enabled\n0000 \n");
	ck_assert_str_eq(answer("enable node2"), "0010-node2: already enabled\n0000 \n");
	ck_assert_str_eq(answer("restart all"), "0012-node1: restarted\n node2: restarted\n0000 \n");
	ck_assert_str_eq(answer("reload in node1"), "0015-node1: reloading\n0000 \n");
	ck_assert_str_eq(daemon_.act, "4 node1 -");
	ck_assert_str_eq(answer("reload out node1"), "0015-node1: reloading\n0000 \n");
	ck_assert_str_eq(daemon_.act, "5 node1 -");
	ck_assert_str_eq(answer("log level debug"), "0000 \n");
	ck_assert_int_eq(daemon_.level, LOGL_DEBUG);
	ck_assert_str_eq(answer("log peer node1 debug"), "0000 \n");
	ck_assert_str_eq(daemon_.act, "log node1 3");
	ck_assert_str_eq(answer("log peer node1 default"), "0000 \n");
	ck_assert_str_eq(daemon_.act, "log node1 default");
	daemon_.full = true;
	ck_assert_ptr_nonnull(strstr(answer("log peer node1 info"), "8007 64 peers have a level"));
	ck_assert_str_eq(answer("graceful restart"), "0025 Graceful restart requested\n");
	ck_assert(daemon_.stopped && daemon_.kept_routes);
	ck_assert_str_eq(answer("down"), "0007 Shutdown requested\n");
	ck_assert(daemon_.stopped && !daemon_.kept_routes);
}
END_TEST

static const struct {
	const char *line;
	enum ctl_configured answer;
	const char *want;
	enum ctl_configure configured;
	unsigned timeout_s;
} configures[] = {
	{ "configure", CTL_CONF_DONE, "0002-Reading configuration from /etc/mcbgpd.conf\n0003 Reconfigured\n",
	  CTL_CONF_APPLY, 0 },
	{ "configure \"/tmp/x\"", CTL_CONF_DONE,
	  "0002-Reading configuration from /tmp/x\n0003 Reconfigured\n", CTL_CONF_APPLY, 0 },
	{ "configure check", CTL_CONF_DONE,
	  "0002-Reading configuration from /etc/mcbgpd.conf\n0020 Configuration OK\n", CTL_CONF_CHECK, 0 },
	{ "configure timeout", CTL_CONF_DONE,
	  "0002-Reading configuration from /etc/mcbgpd.conf\n0022-Undo scheduled in 300 s\n0003 "
	  "Reconfigured\n",
	  CTL_CONF_APPLY, 300 },
	{ "configure timeout 7", CTL_CONF_DONE,
	  "0002-Reading configuration from /etc/mcbgpd.conf\n0022-Undo scheduled in 7 s\n0003 Reconfigured\n",
	  CTL_CONF_APPLY, 7 },
	{ "configure soft", CTL_CONF_DONE,
	  "0002-Reading configuration from /etc/mcbgpd.conf\n0003 Reconfigured\n", CTL_CONF_APPLY, 0 },
	{ "configure soft \"/tmp/x\" timeout 7", CTL_CONF_DONE,
	  "0002-Reading configuration from /tmp/x\n0022-Undo scheduled in 7 s\n0003 Reconfigured\n",
	  CTL_CONF_APPLY, 7 },
	{ "configure undo", CTL_CONF_DONE, "0021-Undo requested\n0003 Reconfigured\n", CTL_CONF_UNDO, 0 },
	{ "configure confirm", CTL_CONF_DONE, "0018 Reconfiguration confirmed\n", CTL_CONF_CONFIRM, 0 },
	{ "configure confirm", CTL_CONF_NOTHING, "0019 Nothing to do\n", CTL_CONF_CONFIRM, 0 },
	{ "configure", CTL_CONF_BAD,
	  "0002-Reading configuration from /etc/mcbgpd.conf\n"
	  "8002-mcbgpd.conf:3: router.as: is missing\n"
	  " mcbgpd.conf:7: peers[0].port: 70000 is above 65535\n"
	  "8002 Configuration is wrong, nothing was changed\n",
	  CTL_CONF_APPLY, 0 },
};

START_TEST(settings_that_wait_for_a_restart)
{
	start();
	daemon_.pending = "kernel.table: still 254: 100 needs a restart";
	ck_assert_str_eq(answer("configure"), "0002-Reading configuration from /etc/mcbgpd.conf\n"
	                                      "0100-kernel.table: still 254: 100 needs a restart\n"
	                                      "0003 Reconfigured\n");
	ck_assert_ptr_null(strstr(answer("configure check"), "restart"));
}
END_TEST

START_TEST(plan_of_a_change)
{
	const struct ctl_change change = {
		"peer", "node2", "hold_time", "90", "30", "session", "peer node2: hold_time 90 -> 30: reset"
	};

	start();
	daemon_.change = &change;
	ck_assert_str_eq(answer("configure check"), "0002-Reading configuration from /etc/mcbgpd.conf\n"
	                                            "1104-peer node2: hold_time 90 -> 30: reset\n"
	                                            "0020 Configuration OK\n");
	ck_assert_ptr_nonnull(
	        strstr(answer("json configure check"),
	               "{\"code\": 1104, \"kind\": \"peer\", \"name\": \"node2\", \"setting\": "
	               "\"hold_time\", \"from\": \"90\", \"to\": \"30\", \"effect\": \"session\", "
	               "\"text\": \"peer node2: hold_time 90 -> 30: reset\"}"));
	ck_assert_ptr_null(strstr(answer("configure"), "1104"));
}
END_TEST

START_TEST(configure)
{
	start();
	daemon_.answer = configures[_i].answer;
	ck_assert_str_eq(answer(configures[_i].line), configures[_i].want);
	ck_assert_int_eq(daemon_.configured, configures[_i].configured);
	ck_assert_uint_eq(daemon_.timeout_s, configures[_i].timeout_s);
}
END_TEST

/** A peer's words may not end our lines, nor drive the operator's terminal. */
START_TEST(hostile_texts)
{
	const char *text;

	start();
	daemon_.error = "Received: gone\n0000 \x1b[2Jhere";
	text = answer("show protocols node2");
	ck_assert_ptr_nonnull(strstr(text, "Received: gone?0000 ?[2Jhere\n0000 \n"));
	daemon_.error = "\xff\xfe not UTF-8 \"\\";
	text = answer("json show protocols node2");
	ck_assert_ptr_nonnull(strstr(text, "\"last_error\": \"?? not UTF-8 \\\"\\\\\""));
}
END_TEST

/** Why the session ended and why there is no new one are two things; neither hides the other. */
START_TEST(end_and_attempt_are_both_shown)
{
	const char *text;

	start();
	daemon_.error = "Received: Administrative shutdown: back at noon";
	daemon_.attempt = "Socket: Connection refused";
	text = answer("show protocols node2");
	ck_assert_ptr_nonnull(strstr(text,
	                             "Active        Received: Administrative shutdown: back at noon; Socket: "
	                             "Connection refused\n"));
	text = answer("show protocols all node2");
	ck_assert_ptr_nonnull(
	        strstr(text, "Last error:       Received: Administrative shutdown: back at noon\n"));
	ck_assert_ptr_nonnull(strstr(text, "Last attempt:     Socket: Connection refused since "));
	text = answer("json show protocols all node2");
	ck_assert_ptr_nonnull(
	        strstr(text, "\"last_error\": \"Received: Administrative shutdown: back at noon\""));
	ck_assert_ptr_nonnull(strstr(text, "\"last_attempt\": \"Socket: Connection refused\""));
	ck_assert_ptr_nonnull(strstr(text, "\"last_attempt_at\": "));
}
END_TEST

START_TEST(kernel_faults_in_figures)
{
	json_t *doc, *routes, *audits;
	int exists, no_room, put_back, completed, differences;

	start();
	doc = json_loads(answer("json show status"), 0, NULL);
	routes = json_object_get(json_object_get(doc, "status"), "kernel_routes");
	audits = json_object_get(json_object_get(doc, "status"), "kernel_audits");
	ck_assert_int_eq(json_unpack(routes, "{s:i, s:{s:i, s:i}}", "put_back", &put_back, "refused",
	                             "exists", &exists, "no_room", &no_room),
	                 0);
	ck_assert_int_eq(
	        json_unpack(audits, "{s:i, s:i}", "completed", &completed, "differences", &differences), 0);
	ck_assert(put_back == 3 && exists == 1 && no_room == 4 && completed == 7 && differences == 2);
	ck_assert_ptr_nonnull(json_object_get(audits, "last"));
	json_decref(doc);
}
END_TEST

START_TEST(kernel_failure)
{
	start();
	daemon_.fib = CTL_FIB_FAILED;
	ck_assert_ptr_nonnull(strstr(answer("show route 10.77.1.0/24 all"),
	                             " \tKernel: failed, another route is in the way\n"));
	daemon_.fib = CTL_FIB_ABSENT;
	ck_assert_str_eq(answer("show route table fib"), "1007-Table fib:\n0000 \n");
}
END_TEST

/** A previous run's, which no peer has confirmed yet: more of them than one piece of an answer. */
START_TEST(adopted_routes_are_shown_as_such)
{
	const char *text;
	json_t *doc, *routes;

	start();
	daemon_.fib = CTL_FIB_ABSENT;
	daemon_.n_adopted = 3;
	ck_assert_str_eq(answer("show route table fib"),
	                 "1007-Table fib:\n"
	                 " 10.67.0.0/24         unicast [adopted] until its peer is back\n"
	                 " \tvia 10.0.0.2 on eth0\n"
	                 " 10.67.1.0/24         blackhole [adopted] until its peer is back\n"
	                 " 10.67.2.0/24         unicast [adopted] until its peer is back\n"
	                 " \tvia 10.0.0.2 on eth0\n"
	                 "0000 \n");
	ck_assert_ptr_null(strstr(answer("show route"), "adopted"));
	daemon_.n_adopted = 3000;
	text = answer("json show route table fib");
	doc = json_loads(text, 0, NULL);
	routes = json_object_get(doc, "routes");
	ck_assert_uint_eq(json_array_size(routes), 3000);
	ck_assert(json_is_true(json_object_get(json_array_get(routes, 2999), "adopted")));
	json_decref(doc);
}
END_TEST

/** birdc takes no line above 4095 bytes. */
START_TEST(long_lists_are_wrapped)
{
	uint8_t values[4 * 2000];
	const char *text;
	size_t found = 0;

	start();
	memset(values, 0xff, sizeof(values));
	fake_announce(daemon_.node1, "10.77.3.0/24", 0, 0x0a000002, (struct blob){ values, sizeof(values) });
	fake_settle(&daemon_);
	text = answer("show route 10.77.3.0/24 all");
	for (const char *p = text; *p; p = strchr(p, '\n') + 1)
		ck_assert_uint_lt((size_t)(strchr(p, '\n') - p), 4095);
	for (const char *p = text; (p = strstr(p, "(65535,65535)")); p++)
		found++;
	ck_assert_uint_eq(found, 2000);
}
END_TEST

/** The peer asked for goes while its routes are shown. */
START_TEST(protocol_goes_meanwhile)
{
	start();
	out_fini(&out);
	ck_assert(request_begin(&request, &daemon_.backend, "show route protocol node2", &out));
	daemon_.gone = true;
	while (request_more(&request))
		;
	request_end(&request);
	out_write(&out, "", 1);
	ck_assert_ptr_nonnull(strstr(out_head(&out), "8003 The protocol has gone"));
}
END_TEST

/** Routes come and go between pieces: each that stays is shown once, in order. */
START_TEST(table_changes_meanwhile)
{
	char prefix[32];
	const char *last = NULL;
	size_t last_len = 0;
	unsigned shown = 0;

	start();
	for (unsigned i = 0; i < 500; i++) {
		snprintf(prefix, sizeof(prefix), "100.%u.%u.0/24", 64 + i / 250, i % 250);
		fake_announce(daemon_.node1, prefix, 0, 0x0a000002, (struct blob){ 0 });
	}
	fake_settle(&daemon_);
	out_fini(&out);
	ck_assert(request_begin(&request, &daemon_.backend, "show route", &out));
	request_more(&request);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(prefix, sizeof(prefix), "99.%u.%u.0/24", i / 250, i % 250);
		fake_announce(daemon_.node1, prefix, 0, 0x0a000002, (struct blob){ 0 });
	}
	fake_settle(&daemon_);
	while (request_more(&request)) {
		ck_assert_uint_lt(out.len - last_len, 32768);
		last_len = out.len;
	}
	request_end(&request);
	out_write(&out, "", 1);
	for (const char *p = out_head(&out); (p = strstr(p, "\n 100.")); p++, shown++)
		last = p;
	ck_assert_uint_eq(shown, 500);
	ck_assert_int_eq(strncmp(last, "\n 100.65.249.0/24", 17), 0);
}
END_TEST

static const char *const documents[] = {
	"json show status",
	"json show protocols",
	"json show protocols all",
	"json show route",
	"json show route all",
	"json show route count",
	"json show tunnels all",
	"json show interfaces",
	"json show memory",
	"json show neighbors",
	"json show bfd sessions",
	"json show filters",
	"json test filter imp 10.0.0.0/8",
	"json disable node2",
	"json configure check",
	"json configure confirm",
	"json help",
	"json complete \"show \"",
	"json down",
	"json nonsense",
	"json show route 9.9.9.9",
	"json",
};

START_TEST(json_document)
{
	json_t *doc;
	const char *text;
	size_t len;

	start();
	text = answer(documents[_i]);
	len = strlen(text);
	ck_assert_ptr_eq(strchr(text, '\n'), text + len - 1); /* one line */
	doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(json_is_object(doc), "%s: %s", documents[_i], text);
	json_decref(doc);
}
END_TEST

START_TEST(json_contents)
{
	json_t *doc, *route;

	start();
	doc = json_loads(answer("json show route 10.77.1.0/24 all"), 0, NULL);
	route = json_array_get(json_object_get(doc, "routes"), 0);
	ck_assert_uint_eq(json_array_size(json_object_get(doc, "routes")), 2);
	ck_assert_str_eq(json_string_value(json_object_get(route, "prefix")), "10.77.1.0/24");
	ck_assert_str_eq(json_string_value(json_object_get(route, "kernel")), "installed");
	ck_assert_str_eq(json_string_value(json_array_get(
	                         json_object_get(json_object_get(route, "attributes"), "communities"), 0)),
	                 "65000:1");
	json_decref(doc);
	doc = json_loads(answer("json disable nobody"), 0, NULL);
	ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(doc, "error"), "code")),
	                 CTL_NO_PROTOCOL);
	json_decref(doc);
}
END_TEST

UNIT_MAIN("commands", UNIT_ROWS(layout, layouts), UNIT_ROWS(abbreviation, abbreviations),
          UNIT_ROWS(refusal, refusals), UNIT(actions), UNIT(settings_that_wait_for_a_restart),
          UNIT_ROWS(configure, configures), UNIT(plan_of_a_change), UNIT(hostile_texts),
          UNIT(end_and_attempt_are_both_shown), UNIT(kernel_faults_in_figures), UNIT(kernel_failure),
          UNIT(adopted_routes_are_shown_as_such), UNIT(long_lists_are_wrapped), UNIT(protocol_goes_meanwhile),
          UNIT(table_changes_meanwhile), UNIT_ROWS(json_document, documents), UNIT(json_contents))
