# SPDX-License-Identifier: BSD-2-Clause
"""A change of every setting of mcbgpd.conf, and where it is to be seen.

The manual page says what a change of each setting costs; a unit test holds it against the option table.  Here
every setting has a row: what it is changed from and to, and how one sees that the new value is in force.
test_change.py makes these changes while packets pass and sessions are up, and compares what happens with what
the manual page says; tests/vm does so for the links that only another kernel has.
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(__file__))

from clusters import ROOT  # noqa: E402

COSTS = {
    "nothing is disturbed": "none",
    "routes are evaluated again": "routes",
    "the session is reset": "session",
    "every session is reset": "sessions",
    "the link is changed in place": "link",
    "the link is replaced": "link_replaced",
    "needs a start of the daemon": "start",
}


def manual():
    """{"section.setting": cost} of all settings that are built, as mcbgpd.conf(5) has them."""
    with open(os.path.join(ROOT, "man/mcbgpd.conf.5"), encoding="utf-8") as page:
        text = page.read()
    costs = {}
    for section in re.split(r"^\.Ss ", text, flags=re.M)[1:]:
        name = section.split("\n", 1)[0]
        for entry in re.split(r"^\.It Ic ", section, flags=re.M)[1:]:
            change = re.search(r"^Change: (.*)\.$", entry, re.M)
            if change and "\nNot built yet." not in entry:
                costs[f"{name}.{entry.split(chr(10), 1)[0]}"] = COSTS[change[1]]
    return costs


class Row:
    """@setting goes from the text @before to the text @after.  @seen(world, index) is true once it did."""

    def __init__(self, setting, before, after, seen=None, **more):
        self.setting, self.before, self.after, self.seen = setting, before, after, seen
        self.name = setting.rsplit(".", 1)[1]
        self.always = more.get("always", "")    # what else its peer or tunnel says, before and after
        self.bird = more.get("bird", "")        # what else the peer's BIRD says in its protocol
        self.kind = more.get("kind", "external")
        self.plan = more.get("plan")            # what `configure check` says instead of the setting

    def __repr__(self):
        return self.setting


# ---- peers: one of its own for each ---------------------------------------------------------------------

def peer_row(name, before, after, seen=None, **more):
    return Row("peers." + name, before, after, seen, **more)


BASE_AS = 65100
GATEWAY_AS = 65000
BY_GROUP = 'import = "by_group";'


def has(prefix):
    return lambda world, i: world.kernel(prefix.format(i=i))


def lacks(prefix):
    return lambda world, i: not world.kernel(prefix.format(i=i))


def tells(text):
    """Its BIRD has a route of ours with @text in its attributes."""
    return lambda world, i: text in world.heard(i)


def shows(text):
    return lambda world, i: text in world.protocol(i)


PEERS = [
    peer_row("name", 'name = "n{i}";', 'name = "m{i}";', plan={("peer", "n{i}", None, "removed"),
                                                                ("peer", "m{i}", None, "added")}),
    peer_row("address", 'address = "10.0.0.{host}";', 'address = "10.0.1.{host}";'),
    peer_row("range", 'range = "10.0.2.{host}/32";', 'range = "10.0.2.0/24";', kind="range"),
    peer_row("max_peers", "max_peers = 5;", "max_peers = 6;", kind="range"),
    peer_row("group", BY_GROUP, BY_GROUP + ' group = "watched";', lacks("10.77.{i}.0/24")),
    peer_row("remote_as", "remote_as = {remote};", "remote_as = 64999;"),
    peer_row("local_as", "", "local_as = 64998;"),
    peer_row("local_address", "", 'local_address = "10.0.0.1";'),
    peer_row("port", "", "port = 1179;"),
    peer_row("interface", "", 'interface = "lan0";'),
    peer_row("passive", "", "passive = true;"),
    peer_row("multihop", "", "multihop = 2;"),
    # What such a BIRD has begun half lasts while it sends again what we did not hear, ever more rarely. It is started
    # anew, its text being another.
    peer_row("ttl_security", "", "ttl_security = true;", bird='description "too near";'),
    peer_row("password_file", "", 'password_file = "{password}";', bird='description "unsigned";'),
    peer_row("families", "", 'families = [ "ipv4", "ipv6" ];'),
    peer_row("hold_time", "hold_time = 90;", "hold_time = 60;"),
    peer_row("keepalive", "", "keepalive = 7;"),
    peer_row("send_hold_time", "", "send_hold_time = 500;"),
    peer_row("connect_retry", "", "connect_retry = 9;"),
    peer_row("graceful_restart", "graceful_restart = true;", "graceful_restart = false;"),
    peer_row("restart_time", "restart_time = 120;", "restart_time = 60;"),
    peer_row("graceful_restart_on_silence", "", "graceful_restart_on_silence = true;"),
    peer_row("long_lived_time", "", "long_lived_time = 60;"),
    peer_row("long_lived_limit", "", "long_lived_limit = 60;"),
    peer_row("next_hop_self", "", "next_hop_self = true;", lambda w, i: w.announced(i, w.ANCHOR_ROUTE) == "10.0.0.1"),
    peer_row("next_hop_keep", "", "next_hop_keep = true;", lambda w, i: w.announced(i, w.FAR_ROUTE) == "10.8.0.2"),
    peer_row("import", "", 'import = "none";', lacks("10.77.{i}.0/24")),
    peer_row("export", "", 'export = "none";', lambda w, i: w.announced(i, w.ANCHOR_ROUTE) is None),
    peer_row("max_prefix", "", "max_prefix = 1000;"),
    peer_row("max_prefix_action", "max_prefix = 1000;", 'max_prefix = 1000; max_prefix_action = "warn";'),
    peer_row("enforce_first_as", "", "enforce_first_as = false;", has("10.77.{i}.0/24"), bird="rs client;"),
    peer_row("enabled", "", "enabled = false;"),
    peer_row("description", "", 'description = "changed";', shows("changed")),
    peer_row("route_reflector_client", "", "route_reflector_client = true;", kind="internal"),
    peer_row("add_path", "", 'add_path = "both";'),
    peer_row("allow_own_as", "", "allow_own_as = 1;", has("10.79.{i}.0/24")),
    peer_row("as_override", "", "as_override = true;", lambda w, i: w.announced(i, f"10.80.{i}.0/24") is not None),
    peer_row("remove_private_as", "", "remove_private_as = true;",
             lambda w, i: w.attribute(i, w.ANCHOR_ROUTE, "as_path") == str(GATEWAY_AS)),
    peer_row("role", "", 'role = "peer";'),
    peer_row("graceful_shutdown", "", "graceful_shutdown = true;", tells("(65535,0)")),
    peer_row("bfd", "", "bfd = true;"),
]

# ---- filters: each the import filter of a peer of its own ----------------------------------------------------

ACCEPT = '{ action = "accept"; }'


def match_row(name, before, after):
    """It matches nothing of the peer's, then its route."""
    terms = '( {{ match = {{ {} = {}; }}; action = "reject"; }}, ' + ACCEPT.replace("{", "{{").replace("}", "}}") + " )"
    return Row("filters.match." + name, terms.format(name, before), terms.format(name, after), lacks("10.77.{i}.0/24"))


def set_row(name, before, after, key, want, seen=None):
    """@key of the peer's route is @want then."""
    terms = '( {{ set = {{ {} = {}; }}; action = "accept"; }} )'
    return Row("filters.set." + name, terms.format(name, before), terms.format(name, after),
               seen or (lambda w, i: w.imported(i).get(key) == want))


def edit_row(name, key, before, after, want):
    return set_row(name, before, after, key, want)


FILTERS = [     # weight beside what leaves the ECMP set as it is
    set_row("weight", 1, 5, None, None, lambda w, i: 5 in w.weights("10.81.0.0/24")),
    Row("filters.match", f"( {ACCEPT} )", '( { match = { family = "ipv4"; }; action = "reject"; } )', lacks("10.77.{i}.0/24")),
    Row("filters.set", f"( {ACCEPT} )", '( { set = { med = 3; }; action = "accept"; } )',
        lambda w, i: w.imported(i).get("med") == 3),
    Row("filters.action", f"( {ACCEPT} )", '( { action = "reject"; } )', lacks("10.77.{i}.0/24")),
    match_row("prefix", '"elsewhere"', '"pods"'),
    match_row("community", '"65100:9"', '"65100:1"'),
    match_row("large_community", '"65100:1:9"', '"65100:1:1"'),
    match_row("ext_community", '"rt:65100:9"', '"rt:65100:1"'),
    match_row("as_path", '"^64999$"', '"^651[0-9][0-9]$"'),
    match_row("peer", '"anchor"', '"n@"'),
    match_row("source", '"static"', '"bgp"'),
    match_row("family", '"ipv6"', '"ipv4"'),
    match_row("next_hop", '"192.0.2.0/24"', '"10.0.0.0/24"'),
    match_row("origin", '"incomplete"', '"igp"'),
    match_row("med", "8", "7"),
    match_row("local_pref", "99", "100"),
    set_row("med", 1, 2, "med", 2),
    set_row("prepend", 0, 1, "as_path", f"{GATEWAY_AS} @"),
    set_row("local_pref", 200, 300, "local_pref", 300),
    set_row("origin", '"igp"', '"egp"', "origin", "EGP"),
    edit_row("add_community", "communities", '"65100:2"', '"65100:3"', ["65100:1", "65100:3"]),
    edit_row("delete_community", "communities", '"65100:2"', '"65100:1"', None),
    edit_row("set_community", "communities", '"65100:2"', '"65100:3"', ["65100:3"]),
    edit_row("add_large_community", "large_communities", '"65100:1:2"', '"65100:1:3"', ["65100:1:1", "65100:1:3"]),
    edit_row("delete_large_community", "large_communities", '"65100:1:2"', '"65100:1:1"', None),
    edit_row("set_large_community", "large_communities", '"65100:1:2"', '"65100:1:3"', ["65100:1:3"]),
    edit_row("add_ext_community", "ext_communities", '"rt:65100:2"', '"rt:65100:3"', ["(rt, 65100, 1)", "(rt, 65100, 3)"]),
    edit_row("delete_ext_community", "ext_communities", '"rt:65100:2"', '"rt:65100:1"', None),
    edit_row("set_ext_community", "ext_communities", '"rt:65100:2"', '"rt:65100:3"', ["(rt, 65100, 3)"]),
    set_row("next_hop", '"10.0.0.251"', '"10.0.0.252"', "next_hop", "10.0.0.252"),
]

# ---- tunnels: VXLAN of its own for each -----------------------------------------------------------------------


def tunnel_row(name, before, after, seen=None, **more):
    return Row("tunnels." + name, before, after, seen, **more)


TUNNELS = [
    tunnel_row("name", 'name = "t{i}";', 'name = "u{i}";', plan={("tunnel", "t{i}", None, "removed"),
                                                                  ("tunnel", "u{i}", None, "added")}),
    tunnel_row("local", 'local = "10.9.0.1";', 'local = "10.9.0.3";'),
    tunnel_row("remote", 'remote = "10.9.0.7";', 'remote = "10.9.0.8";'),
    tunnel_row("remotes", 'remotes = [ "10.9.0.8" ];', 'remotes = [ "10.9.0.8", "10.9.0.9" ];'),
    tunnel_row("addresses", 'addresses = [ "10.7.{i}.1/24" ];', 'addresses = [ "10.7.{i}.1/24", "10.7.{i}.2/32" ];'),
    tunnel_row("mtu", "mtu = 1400;", "mtu = 1300;"),
    tunnel_row("ttl", "ttl = 64;", "ttl = 65;"),
    tunnel_row("tos", "tos = 0;", "tos = 16;"),
    tunnel_row("interface", 'interface = "wan0";', 'interface = "lan0";'),
    tunnel_row("persist", "", "persist = false;"),
    tunnel_row("vni", "vni = {vni};", "vni = 99{i};"),
    tunnel_row("port", "", "port = 4790;"),
    tunnel_row("learning", "", "learning = false;"),
]

# ---- one of a kind: a section each ------------------------------------------------------------------------------


def sysctl(name, value):
    return lambda world, i: world.gateway.namespace.sysctl(name) == value


def listens(address, port):
    return lambda world, i: world.listens(address, port)


LISTEN = '( { address = "0.0.0.0"; }, { address = "127.0.0.1"; port = 1790; } )'

# Rounds of what can be told apart.  None: the setting is not there.
GLOBAL = [
    [
        Row("router.listen", LISTEN, LISTEN[:-1] + ', { address = "127.0.0.2"; port = 1790; } )',
            listens("127.0.0.2", 1790), plan={("router", None, "listen", "none")}),
        Row("router.cluster_id", '"10.0.0.1"', '"10.0.0.99"', lambda w, i: w.cluster_list() == "10.0.0.99"),
        Row("router.multipath", "true", "false", lambda w, i: len(w.weights("10.81.0.0/24")) == 1),
        Row("log.level", '"info"', '"debug"'),
        Row("control.socket", '"/run/mcbgpd/a.sock"', '"/run/mcbgpd/b.sock"'),
        Row("control.readonly_socket", None, '"{dir}/readonly.sock"', lambda w, i: "control.readonly_socket" in w.said),
        Row("control.readonly_group", None, '"daemon"', lambda w, i: "control.readonly_group" in w.said),
        Row("control.group", '"root"', '"daemon"', lambda w, i: "control.group" in w.said),
        Row("host.ip_forward", None, "true", sysctl("ipv6.conf.all.forwarding", "1")),
        Row("host.multipath_hash", '"l3"', '"l4"', sysctl("ipv4.fib_multipath_hash_policy", "1")),
        Row("host.multipath_use_neigh", "false", "true", sysctl("ipv4.fib_multipath_use_neigh", "1")),
        Row("host.rp_filter", '"off"', '"loose"', sysctl("ipv4.conf.all.rp_filter", "2")),
        Row("direct.interfaces", '[ "nothing*" ]', '[ "pod*" ]', lambda w, i: "direct1" in w.route("10.1.0.0/24")),
        Row("static.prefix", None, None, has("10.90.1.0/24"),
            plan={("static route", "10.90.0.0/24", None, "removed"), ("static route", "10.90.1.0/24", None, "added")}),
        Row("static.blackhole", None, None, lambda w, i: w.via("10.91.0.0/24", "lan0"),
            plan={("static route", "10.91.0.0/24", "blackhole", "routes"),
                  ("static route", "10.91.0.0/24", "interface", "routes")}),
        Row("static.interface", None, None, lambda w, i: w.via("10.92.0.0/24", "wan0"),
            plan={("static route", "10.92.0.0/24", "interface", "routes")}),
        Row("static.onlink", None, None, has("10.94.0.0/24"),
            plan={("static route", "10.94.0.0/24", "onlink", "routes"),
                  ("static route", "10.94.0.0/24", "interface", "routes")}),
        Row("static.unreachable", None, None, lambda w, i: "unreachable" in w.shown("10.95.0.0/24"),
            plan={("static route", "10.95.0.0/24", "unreachable", "routes"),
                  ("static route", "10.95.0.0/24", "blackhole", "routes")}),
        Row("static.next_hop", None, None, lambda w, i: "10.0.0.250" in w.gateway.namespace.next_hops("10.93.0.0/24"),
            plan={("static route", "10.93.0.0/24", "next_hop", "routes")}),
    ],
    [
        Row("router.listen.address", LISTEN, LISTEN.replace("127.0.0.1", "127.0.0.3"), listens("127.0.0.3", 1790),
            plan={("router", None, "listen[1].address", "none")}),
        Row("kernel.multipath", "16", "2", lambda w, i: len(w.weights("10.81.0.0/24")) == 2),
        Row("kernel.table", "254", "100", lambda w, i: "kernel.table" in w.said),
        Row("kernel.metric", "32", "33", lambda w, i: "kernel.metric" in w.said),
        Row("kernel.protocol", "178", "179", lambda w, i: "kernel.protocol" in w.said),
        Row("kernel.nexthop_groups", "true", "false", lambda w, i: "kernel.nexthop_groups" in w.said),
    ],
    [
        Row("router.listen.port", LISTEN, LISTEN.replace("1790", "1791"), listens("127.0.0.1", 1791),
            plan={("router", None, "listen[1].port", "none")}),
        Row("log.target", '"stderr"', '"syslog"'),
        Row("kernel.export", '"all"', '"not_81"', lacks("10.81.0.0/24")),
    ],
]

STATICS = {
    False: """{ prefix = "10.90.0.0/24"; blackhole = true; }, { prefix = "10.91.0.0/24"; blackhole = true; },
  { prefix = "10.92.0.0/24"; interface = "lan0"; }, { prefix = "10.93.0.0/24"; next_hop = "10.0.0.249"; },
  { prefix = "10.94.0.0/24"; next_hop = "10.200.0.1"; }, { prefix = "10.95.0.0/24"; blackhole = true; }""",
    True: """{ prefix = "10.90.1.0/24"; blackhole = true; }, { prefix = "10.91.0.0/24"; interface = "lan0"; },
  { prefix = "10.92.0.0/24"; interface = "wan0"; }, { prefix = "10.93.0.0/24"; next_hop = "10.0.0.250"; },
  { prefix = "10.94.0.0/24"; next_hop = "10.200.0.1"; interface = "lan0"; onlink = true; },
  { prefix = "10.95.0.0/24"; unreachable = true; }""",
}

# Defaults of `router`, in rounds: told of each peer that inherits them, and done to each.
INHERITED = [
    [Row("router.keepalive", "0", "5"), Row("router.connect_retry", "1", "2"),
     Row("router.graceful_restart_on_silence", "false", "true"), Row("router.long_lived_limit", "1000", "2000")],
    [Row("router.long_lived_time", "0", "60")],
    [Row("router.hold_time", "90", "60")],
    [Row("router.graceful_restart", "true", "false")],
    [Row("router.restart_time", "120", "60")],
]

# Every session at once.
IDENTITY = [[Row("router.id", '"10.0.0.1"', '"10.0.0.2"')], [Row("router.as", "65000", "65009")]]

# Links of tests/vm: see test_change.py there.
OTHER_KERNEL = {
    "tunnels.type", "tunnels.key", "tunnels.ikey", "tunnels.okey", "tunnels.pmtudisc", "tunnels.private_key_file",
    "tunnels.listen_port", "tunnels.fwmark", "tunnels.rule_table", "tunnels.peers", "tunnels.peers.public_key",
    "tunnels.peers.endpoint", "tunnels.peers.keepalive", "tunnels.peers.allowed_ips", "tunnels.peers.tunnel_address",
    "tunnels.peers.preshared_key_file", "tunnels.handshake_timeout",
}

SECTIONS = [row for part in GLOBAL + INHERITED + IDENTITY for row in part]
ROWS = PEERS + FILTERS + TUNNELS + SECTIONS
