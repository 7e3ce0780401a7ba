# SPDX-License-Identifier: BSD-2-Clause
"""Which paths go where: ADD-PATH both ways, reflection, roles, shares of an ECMP set, next hops behind routes of
our own.  BIRD 2 on a LAN around one gateway, 10.0.0.1."""

import contextlib
import json
import re
import subprocess

from clusters import BIRD, BIRDC, Gateway
from lab import stays, veth, wait_until

PREFIX = "10.77.0.0/24"


class Speaker2:
    """BIRD 2 at 10.0.0.HOST of the LAN; the only thing it says is @statics."""

    def __init__(self, lab, bridge, host, asn):
        self.lab, self.asn, self.address = lab, asn, f"10.0.0.{host}"
        self.name = f"bird{host}"
        self.namespace = lab.namespace(self.name)
        self.socket = lab.path(self.name + ".ctl")
        veth(self.namespace, "eth0", bridge, self.name)
        bridge.ip(f"link set {self.name} master br0")
        self.namespace.ip(f"addr add {self.address}/24 dev eth0")

    def start(self, channel="", statics="", extra="", gateway_as=65000, filters="export all;"):
        path = self.lab.write(self.name + ".conf", f"""
log stderr all;
router id {self.address};
protocol device {{ scan time 1; }}
protocol static {{ ipv4; {statics} }}
protocol bgp uplink {{
	local {self.address} as {self.asn}; neighbor 10.0.0.1 as {gateway_as};
	connect delay time 1; connect retry time 1; error wait time 1,2; {extra}
	ipv4 {{ import all; {filters} {channel} }};
}}
""")
        self.namespace.spawn(self.name, [BIRD[2], "-f", "-c", path, "-s", self.socket])

    def ask(self, command):
        return subprocess.run([BIRDC, "-s", self.socket, *command.split()],
                              capture_output=True, text=True).stdout

    def paths(self, prefix=PREFIX):
        """The AS paths of what came by BGP."""
        text = self.ask(f"show route protocol uplink all {prefix}")
        return sorted(re.findall(r"BGP.as_path: (.*)", text))


class Lan2:
    def __init__(self, lab, hosts):
        self.lab = lab
        self.box = lab.namespace("gateway")
        self.bridge = lab.namespace("lan")
        self.bridge.ip("link add br0 type bridge forward_delay 0", "link set br0 up")
        veth(self.box, "eth0", self.bridge, "gateway")
        self.bridge.ip("link set gateway master br0")
        self.box.ip("addr add 10.0.0.1/24 dev eth0")
        self.birds = [Speaker2(lab, self.bridge, host, asn) for host, asn in hosts]

    def start(self, peers, more=""):
        self.gateway = Gateway(self.lab, "gateway", self.box, f"""
router = {{ id = "10.0.0.1"; as = 65000; }};
log = {{ level = "debug"; }};
peer_groups = {{ all = {{ import = "all"; export = "all"; connect_retry = 1; }}; }};
peers = ( {", ".join(peers)} );
{more}
""")
        self.gateway.start()
        return self.birds

    def kernel(self, prefix=PREFIX):
        """{gateway: weight} of our route; None: it changed while we looked."""
        with contextlib.suppress(subprocess.CalledProcessError):
            return self._kernel(prefix)
        return None

    def _kernel(self, prefix):
        out = subprocess.run(["ip", "-n", self.box.name, "-j", "-d", "route", "show", prefix, "proto", "178"],
                             capture_output=True, text=True).stdout
        found = {}
        for route in json.loads(out or "[]"):
            objects = self.box.ip_json(f"nexthop show id {route['nhid']}") if "nhid" in route else [route]
            for entry in objects:
                for member, weight in self.box.members(entry).items():
                    hop = self.box.ip_json(f"nexthop show id {member}")[0]
                    found[hop["gateway"]] = weight
                if "gateway" in entry:
                    found[entry["gateway"]] = 1
                if route.get("type") == "blackhole" or entry.get("blackhole"):
                    found["blackhole"] = 1
        return found


def peer(host, asn, settings=""):
    return f'{{ name = "bird{host}"; address = "10.0.0.{host}"; remote_as = {asn}; group = "all"; {settings} }}'


def test_all_paths_reach_a_sink_that_takes_them(lab):
    lan = Lan2(lab, [(2, 65001), (3, 65002), (4, 65003), (5, 65003)])
    two, three, four, plain = lan.start([peer(2, 65001), peer(3, 65002), peer(4, 65003, 'add_path = "send";'), peer(5, 65003)])
    two.start(statics=f"route {PREFIX} blackhole;")
    three.start(statics=f"route {PREFIX} blackhole;")
    four.start("add paths rx;")
    plain.start()
    wait_until(lambda: four.paths() == ["65000 65001", "65000 65002"], 20, "both paths")
    wait_until(lambda: len(plain.paths()) == 1, 20, "one path for who takes one")
    shown = lambda name: sorted(re.findall(r"BGP.as_path: (.*)", lan.gateway.ask(f"show route export {name} all").text))   # noqa: E731
    assert shown("bird4") == four.paths() and shown("bird5") == plain.paths()
    two.ask("disable uplink")
    wait_until(lambda: four.paths() == ["65000 65002"], 10, "the other one")
    two.ask("enable uplink")
    wait_until(lambda: four.paths() == ["65000 65001", "65000 65002"], 20, "both again")


def test_several_paths_of_one_peer_form_an_ecmp_set(lab):
    """A route reflector of BIRD's kind: what 2 and 3 announce to it comes to us as two paths of one peer."""
    lan = Lan2(lab, [(2, 65000), (3, 65000), (4, 65000)])
    two, three, reflector = lan.start([peer(4, 65000, 'add_path = "receive";')])
    path = lab.write("reflector.conf", f"""
log stderr all;
router id {reflector.address};
protocol device {{ scan time 1; }}
template bgp inner {{
	local {reflector.address} as 65000; rr client;
	connect delay time 1; connect retry time 1; error wait time 1,2;
	ipv4 {{ import all; export all; add paths tx; }};
}}
protocol bgp up from inner {{ neighbor 10.0.0.1 as 65000; }}
protocol bgp c2 from inner {{ neighbor 10.0.0.2 as 65000; }}
protocol bgp c3 from inner {{ neighbor 10.0.0.3 as 65000; }}
""")
    reflector.namespace.spawn("reflector", [BIRD[2], "-f", "-c", path, "-s", reflector.socket])
    for bird in (two, three):
        conf = lab.write(bird.name + ".conf", f"""
log stderr all;
router id {bird.address};
protocol device {{ scan time 1; }}
protocol static {{ ipv4; route {PREFIX} blackhole; }}
protocol bgp up {{
	local {bird.address} as 65000; neighbor 10.0.0.4 as 65000;
	connect delay time 1; connect retry time 1; error wait time 1,2;
	ipv4 {{ import all; export all; }};
}}
""")
        bird.namespace.spawn(bird.name, [BIRD[2], "-f", "-c", conf, "-s", bird.socket])
    wait_until(lambda: lan.kernel() == {"10.0.0.2": 1, "10.0.0.3": 1}, 30, "both next hops from one session")
    two.ask("disable up")
    wait_until(lambda: lan.kernel() == {"10.0.0.3": 1}, 10, "one of the paths is withdrawn")


def test_reflection_to_clients(lab):
    lan = Lan2(lab, [(2, 65000), (3, 65000), (4, 65000)])
    client, other, stranger = lan.start([peer(2, 65000, "route_reflector_client = true;"), peer(3, 65000), peer(4, 65000)])
    client.start(statics=f"route {PREFIX} blackhole;")
    other.start()
    stranger.start(statics="route 10.78.0.0/24 blackhole;")
    wait_until(lambda: other.ask(f"show route all {PREFIX}").count("BGP.originator_id: 10.0.0.2") == 1, 20, "reflected")
    assert "BGP.cluster_list: 10.0.0.1" in other.ask(f"show route all {PREFIX}")
    wait_until(lambda: "BGP.next_hop: 10.0.0.4" in client.ask("show route all 10.78.0.0/24"), 20, "to the client")
    stays(lambda: "BGP" not in other.ask("show route all 10.78.0.0/24"), 1, "but not from one non-client to another")


def test_roles(lab):
    lan = Lan2(lab, [(2, 65001), (3, 65002), (4, 65003)])
    provider, other, customer = lan.start([
        peer(2, 65001, 'role = "customer";'), peer(3, 65002, 'role = "customer";'), peer(4, 65003, 'role = "provider";')])
    provider.start(statics=f"route {PREFIX} blackhole;", extra="local role provider;")
    other.start(extra="local role provider;")
    customer.start(statics="route 10.78.0.0/24 blackhole;", extra="local role customer;")
    wait_until(lambda: "BGP.otc: 65001" in customer.ask(f"show route all {PREFIX}"), 20, "to the customer, marked")
    wait_until(lambda: other.paths("10.78.0.0/24") == ["65000 65003"], 20, "the customer's to the providers")
    assert not other.paths(), "what a provider said is not for another"


def test_role_mismatch_is_told(lab):
    lan = Lan2(lab, [(2, 65001)])
    bird, = lan.start([peer(2, 65001, 'role = "customer";')])
    bird.start(extra="local role customer;")
    wait_until(lambda: "ole" in lan.gateway.protocols()["bird2"]["info"], 20, "the mismatch is in the Info column")


def test_weights_and_blackholes(lab):
    lan = Lan2(lab, [(2, 65001), (3, 65001)])
    two, three = lan.start([peer(2, 65001, 'import = "heavy";'), peer(3, 65001, 'import = "agreed";')],
                           'filters = { heavy = ( { set = { weight = 3; }; action = "accept"; } );'
                           ' agreed = ( { action = "accept"; } ); };')
    two.start(statics=f"route {PREFIX} blackhole;")
    three.start(statics=f"route {PREFIX} blackhole; route 10.78.0.4/32 blackhole;",
                filters="export filter { if net = 10.78.0.4/32 then bgp_community.add((65535,666)); accept; };")
    wait_until(lambda: lan.kernel() == {"10.0.0.2": 3, "10.0.0.3": 1}, 20, "shares of 3 and 1")
    wait_until(lambda: lan.kernel("10.78.0.4/32") == {"blackhole": 1}, 20, "dropped on request")
    stays(lambda: not two.paths("10.78.0.4/32"), 1, "and that stays here")


def test_graceful_shutdown_moves_the_traffic_first(lab):
    lan = Lan2(lab, [(2, 65001), (3, 65001), (4, 65002)])
    peers = [peer(2, 65001), peer(3, 65001), peer(4, 65002)]
    two, three, sink = lan.start(peers)
    for bird in (two, three):
        bird.start(statics=f"route {PREFIX} blackhole;")
    sink.start()
    wait_until(lambda: lan.kernel() == {"10.0.0.2": 1, "10.0.0.3": 1}, 20, "both")
    lan.gateway.configure(open(lan.gateway.conf_path).read().replace(
        peers[0], peer(2, 65001, "graceful_shutdown = true;")).replace(peers[2], peer(4, 65002, "graceful_shutdown = true;")))
    lan.gateway.reload()
    wait_until(lambda: lan.kernel() == {"10.0.0.3": 1}, 10, "the other one alone")
    wait_until(lambda: "(65535,0)" in sink.ask(f"show route all {PREFIX}"), 10, "and the sink is told")
    assert len(lan.gateway.established()) == 3


def test_next_hop_behind_a_route_of_ours(lab):
    """iBGP keeps next hops: 10.99.0.5 is reached by what another peer announces."""
    lan = Lan2(lab, [(2, 65000), (3, 65001)])
    inner, outer = lan.start([peer(2, 65000), peer(3, 65001)])
    inner.start(statics=f"route {PREFIX} blackhole;", filters="export filter { bgp_next_hop = 10.99.0.5; accept; };")
    wait_until(lambda: "bird2" in lan.gateway.established() and lan.gateway.has_route(PREFIX), 20, "the route")
    assert lan.kernel() == {}, "no way to its next hop"
    why = lambda: lan.gateway.ask(f"show route {PREFIX} all").text      # noqa: E731
    assert "Not usable: next hop 10.99.0.5: no route to it\n" in why() + "\n"
    outer.start(statics="route 10.99.0.0/24 blackhole;")
    wait_until(lambda: lan.kernel() == {"10.0.0.3": 1}, 20, "by way of the other peer")
    assert "Next hop: 10.99.0.5 lies behind 10.99.0.0/24" in why()
    outer.ask("disable uplink")
    wait_until(lambda: lan.kernel() == {}, 10, "gone with it")


def test_next_hop_behind_a_route_that_leads_nowhere(lab):
    """What is in our table but cannot be used is named, and why."""
    lan = Lan2(lab, [(2, 65000), (3, 65001)])
    inner, outer = lan.start([peer(2, 65000), peer(3, 65001)])
    inner.start(statics=f"route {PREFIX} blackhole; route 10.99.0.0/24 blackhole;", filters=f"""export filter {{
        if net = {PREFIX} then bgp_next_hop = 10.99.0.5; else bgp_next_hop = 10.98.0.5; accept; }};""")
    why = lambda: lan.gateway.ask(f"show route {PREFIX} all").text      # noqa: E731
    wait_until(lambda: "no route to it but 10.99.0.0/24 by BGP, which is not usable itself" in why(), 20, "the first reason")
    outer.start(statics="route 10.98.0.0/24 blackhole;")
    wait_until(lambda: lan.kernel("10.99.0.0/24") == {"10.0.0.3": 1}, 20, "one step is taken")
    wait_until(lambda: "by BGP, whose own next hop is not on a link or behind a route of the host" in why(), 10, "and no second")
    assert lan.kernel() == {}
