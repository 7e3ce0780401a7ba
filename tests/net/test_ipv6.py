# SPDX-License-Identifier: BSD-2-Clause
"""IPv6 routes, over either transport, with global and link-local next hops, and IPv4 routes whose next hop is
IPv6 (RFC 2545, 4760, 8950): between two BIRD 2 and the kernel.

    feed -- eth0 gateway eth1 -- sink

What feed announces must be in the gateway's kernel by way of feed and at sink by way of the gateway.
"""

import json
import re
import subprocess

import pytest

from clusters import BIRD, BIRDC, Gateway
from lab import veth, wait_until

ROUTES4 = ["10.77.1.0/24", "10.77.2.0/24"]
ROUTES6 = ["fd77:1::/64", "fd77:2::/48"]


class Bird:
    """BIRD 2 in a namespace of its own, with one session to the gateway."""

    def __init__(self, lab, name, asn, protocol, statics="", log=""):
        self.lab, self.name, self.asn = lab, name, asn
        self.namespace = lab.namespace(name)
        self.socket = lab.path(name + ".ctl")
        self.protocol, self.statics = protocol, statics

    def start(self):
        path = self.lab.write(self.name + ".conf", f"""
log stderr all;
router id 192.0.2.{self.asn % 250};
protocol device {{ scan time 1; }}
{self.statics}
{self.protocol}
""")
        self.namespace.spawn(self.name, [BIRD[2], "-f", "-c", path, "-s", self.socket])

    def ask(self, command):
        return subprocess.run([BIRDC, "-s", self.socket, *command.split()],
                              capture_output=True, text=True).stdout

    def has(self, prefix):
        """What BIRD knows of a route that came by BGP; "" when there is none."""
        text = self.ask(f"show route protocol uplink all {prefix}")
        return text if "BGP.next_hop" in text else ""


def statics():
    v4 = "".join(f"route {p} blackhole; " for p in ROUTES4)
    v6 = "".join(f"route {p} blackhole; " for p in ROUTES6)
    return f"protocol static {{ ipv4; {v4}}}\nprotocol static {{ ipv6; {v6}}}"


def bgp(asn, gateway, local="", channels="", extra=""):
    return (f"protocol bgp uplink {{ local {local} as {asn}; neighbor {gateway} as 65000; connect delay time 1;"
            f" connect retry time 1; error wait time 1,2; {extra} {channels} }}")


V4 = "ipv4 { import all; export all; };"
V6 = "ipv6 { import all; export all; };"
V4_BY_V6 = "ipv4 { import all; export all; extended next hop on; };"


def build(lab, feed_bgp, sink_bgp, peers):
    feed = Bird(lab, "feed", 65001, feed_bgp, statics())
    sink = Bird(lab, "sink", 65002, sink_bgp)
    box = lab.namespace("gateway")
    for side, (bird, net) in enumerate(((feed, "1"), (sink, "2"))):
        veth(box, f"eth{side}", bird.namespace, "eth0")
        box.ip(f"addr add 10.0.{net}.1/24 dev eth{side}", f"addr add fd00:{net}::1/64 dev eth{side} nodad",
               f"addr add fe80::1/64 dev eth{side} nodad")
        bird.namespace.ip(f"addr add 10.0.{net}.2/24 dev eth0", f"addr add fd00:{net}::2/64 dev eth0 nodad",
                          "addr add fe80::2/64 dev eth0 nodad")
    gateway = Gateway(lab, "gateway", box, f"""
router = {{ id = "10.0.1.1"; as = 65000; }};
log = {{ level = "debug"; }};
peer_groups = {{ all = {{ import = "all"; export = "all"; connect_retry = 1; }}; }};
peers = ( {peers} );
""")
    gateway.start()
    feed.start()
    sink.start()
    return feed, gateway, sink


def kernel_hops(gateway, prefix):
    """{(gateway, link)} of our route, through nexthop objects."""
    family = "-6" if ":" in prefix else "-4"
    out = subprocess.run(["ip", "-n", gateway.namespace.name, family, "-j", "-d", "route", "show", prefix, "proto", "178"],
                         capture_output=True, text=True).stdout
    found = set()
    for route in json.loads(out or "[]"):
        hops = [route]
        if "nhid" in route:
            hops = gateway.namespace.ip_json(f"nexthop show id {route['nhid']}")
            hops = [m for h in hops for m in ([h] if "group" not in h else [
                x for g in h["group"] for x in gateway.namespace.ip_json(f"nexthop show id {g['id']}")])]
        for hop in hops:
            via = hop.get("gateway") or hop.get("via", {}).get("host")
            if via:
                found.add((via, hop.get("dev")))
    return found


def next_hop(text):
    return re.search(r"BGP.next_hop: (.*)", text).group(1).split()


def test_ipv6_over_ipv6(lab):
    feed, gateway, sink = build(
        lab, bgp(65001, "fd00:1::1", "fd00:1::2", V6), bgp(65002, "fd00:2::1", "fd00:2::2", V6),
        """{ name = "feed"; address = "fd00:1::2"; remote_as = 65001; families = [ "ipv6" ]; group = "all"; },
           { name = "sinks"; range = "fd00:2::/64"; remote_as = 65002; families = [ "ipv6" ]; group = "all"; }""")
    for prefix in ROUTES6:
        wait_until(lambda p=prefix: sink.has(p), 20, f"{prefix} at the sink")
        assert kernel_hops(gateway, prefix) == {("fe80::2", "eth0")}, "by its link-local next hop"
        assert next_hop(sink.has(prefix)) == ["fd00:2::1", "fe80::1"]
        assert "BGP.as_path: 65000 65001" in sink.has(prefix)
    assert not sink.has(ROUTES4[0])


def test_ipv6_over_ipv4_takes_our_address_on_that_link(lab):
    feed, gateway, sink = build(
        lab, bgp(65001, "10.0.1.1", "10.0.1.2", V4 + V6), bgp(65002, "10.0.2.1", "10.0.2.2", V4 + V6),
        """{ name = "feed"; address = "10.0.1.2"; remote_as = 65001; families = [ "ipv4", "ipv6" ]; group = "all"; },
           { name = "sink"; address = "10.0.2.2"; remote_as = 65002; families = [ "ipv4", "ipv6" ]; group = "all"; }""")
    for prefix in ROUTES4:
        wait_until(lambda p=prefix: sink.has(p), 20, f"{prefix} at the sink")
        assert kernel_hops(gateway, prefix) == {("10.0.1.2", "eth0")}
    for prefix in ROUTES6:
        wait_until(lambda p=prefix: sink.has(p), 20, f"{prefix} at the sink")
        assert kernel_hops(gateway, prefix) <= {("fe80::2", "eth0"), ("fd00:1::2", "eth0")}
        assert next_hop(sink.has(prefix))[0] == "fd00:2::1"
    # another address: what was announced with the old one is announced anew
    gateway.namespace.ip("addr del fd00:2::1/64 dev eth1", "addr add fd00:2::9/64 dev eth1 nodad")
    wait_until(lambda: next_hop(sink.has(ROUTES6[0]) or "BGP.next_hop: -")[0] == "fd00:2::9", 20, "the new address")


def test_ipv4_by_ipv6_next_hops(lab):
    feed, gateway, sink = build(
        lab, bgp(65001, "fd00:1::1", "fd00:1::2", V4_BY_V6 + V6), bgp(65002, "fd00:2::1", "fd00:2::2", V4_BY_V6 + V6),
        """{ name = "feed"; address = "fd00:1::2"; remote_as = 65001; families = [ "ipv4", "ipv6" ]; group = "all"; },
           { name = "sink"; address = "fd00:2::2"; remote_as = 65002; families = [ "ipv4", "ipv6" ]; group = "all"; }""")
    for prefix in ROUTES4:
        wait_until(lambda p=prefix: sink.has(p), 20, f"{prefix} at the sink")
        assert kernel_hops(gateway, prefix) == {("fe80::2", "eth0")}
        assert next_hop(sink.has(prefix))[0] == "fd00:2::1"
    for prefix in ROUTES6:
        wait_until(lambda p=prefix: sink.has(p), 20, f"{prefix} at the sink")


def test_link_local_session(lab):
    feed, gateway, sink = build(
        lab, bgp(65001, "fe80::1%eth0", "fe80::2", V6, "interface \"eth0\";"), bgp(65002, "10.0.2.1", "10.0.2.2", V4 + V6),
        """{ name = "feed"; address = "fe80::2"; interface = "eth0"; remote_as = 65001; families = [ "ipv6" ]; group = "all"; },
           { name = "sink"; address = "10.0.2.2"; remote_as = 65002; families = [ "ipv4", "ipv6" ]; group = "all"; }""")
    for prefix in ROUTES6:
        wait_until(lambda p=prefix: sink.has(p), 20, f"{prefix} at the sink")
        assert kernel_hops(gateway, prefix) == {("fe80::2", "eth0")}


@pytest.mark.parametrize("lost", ["link", "session"])
def test_ipv6_routes_go_with_what_they_need(lab, lost):
    feed, gateway, sink = build(
        lab, bgp(65001, "fd00:1::1", "fd00:1::2", V6), bgp(65002, "fd00:2::1", "fd00:2::2", V6),
        """{ name = "feed"; address = "fd00:1::2"; remote_as = 65001; families = [ "ipv6" ]; group = "all"; },
           { name = "sink"; address = "fd00:2::2"; remote_as = 65002; families = [ "ipv6" ]; group = "all"; }""")
    wait_until(lambda: sink.has(ROUTES6[0]), 20, "the route at the sink")
    if lost == "link":
        feed.namespace.ip("link set eth0 down")
    else:
        feed.ask("disable uplink")
    wait_until(lambda: not sink.has(ROUTES6[0]), 10, "the route is withdrawn")
    wait_until(lambda: not kernel_hops(gateway, ROUTES6[0]), 10, "the route is out of the kernel")
