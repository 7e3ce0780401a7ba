# SPDX-License-Identifier: BSD-2-Clause
"""Two gateways with two VXLAN tunnels between them, a table of routes over both, and everything that can happen to
a host: after each fault the kernel has what the table has, prefix by prefix."""

import itertools
import random
import re
import signal
import time

import pytest

from clusters import Gateway
from lab import veth, wait_until
from test_fib import Feed, objects_flushed, prefixes

PINGED = "11.0.0.1" # within the first prefix of the table
CONF = """
router = {{ id = "10.0.{site}.1"; as = {asn}; listen = ( {{ address = "0.0.0.0"; port = 179; }} ); restart_time = 30; }};
log = {{ level = "info"; }};
tunnels = ( {tunnels} );
peers = ( {peers} );
direct = {{ interfaces = [ "lan0" ]; }};
kernel = {{ export = "all"; }};
{more}
"""
TUNNEL = """{{ name = "vx{i}"; type = "vxlan"; vni = {i}; port = 4789; local = "198.51.{i}.{here}"; remote = "198.51.{i}.{there}";
               addresses = [ "10.9.{i}.{here}/24" ]; }}"""
PEER = """{{ name = "far{i}"; address = "10.9.{i}.{there}"; remote_as = {asn}; connect_retry = 1; import = "all"; export = "all"; }}"""
FEED = """, { name = "feed"; address = "10.0.2.2"; remote_as = 65001; passive = true; import = "all"; export = "none"; }"""
KNOWN = "10.0.5.2"  # the client's other address: the far gateway has a static route to it
STATIC = """static = ( { prefix = "10.0.5.0/24"; next_hop = "10.9.1.1"; } );"""


class Mesh:
    """client - near - two tunnels - far - feed"""

    def __init__(self, lab):
        self.lab = lab
        self.near, self.far = (self._gateway(site, name) for site, name in ((1, "near"), (2, "far")))
        self.client, self.feed_host = lab.namespace("client"), lab.namespace("feed")
        for i in (1, 2):
            self.wire(i)
        for gateway, host, site in ((self.near, self.client, 1), (self.far, self.feed_host, 2)):
            veth(gateway.namespace, "lan0", host, "eth0")
            gateway.namespace.ip(f"addr add 10.0.{site}.1/24 dev lan0")
            host.ip(f"addr add 10.0.{site}.2/24 dev eth0", f"route add default via 10.0.{site}.1")
            gateway.namespace.sysctl("ipv4.ip_forward", 1)
            gateway.namespace.sysctl("ipv4.fib_multipath_hash_policy", 1)
            gateway.namespace.sysctl("ipv4.nexthop_compat_mode", 0)      # as a large host should have it
            for name in ("all", "default", "lan0", "eth1", "eth2"):
                gateway.namespace.sysctl(f"ipv4.conf.{name}.rp_filter", 0)
        self.feed_host.ip(f"addr add {PINGED}/32 dev lo")
        self.client.ip(f"addr add {KNOWN}/24 dev eth0")
        self.near.namespace.ip("addr add 10.0.5.1/24 dev lan0")
        self.near.start()
        self.far.start()
        self.feed = Feed(self.feed_host, "10.0.2.2", "10.0.2.1")

    def _gateway(self, site, name):
        other = 3 - site
        conf = CONF.format(site=site, asn=65100 + site,
                           tunnels=", ".join(TUNNEL.format(i=i, here=site, there=other) for i in (1, 2)),
                           peers=", ".join(PEER.format(i=i, there=other, asn=65100 + other) for i in (1, 2)) +
                           (FEED if site == 2 else ""), more=STATIC if site == 2 else "")
        return Gateway(self.lab, name, self.lab.namespace(name), conf)

    def wire(self, i, options=()):
        """The underlay of a tunnel; @options of the near end."""
        near, far = self.near.namespace, self.far.namespace
        near.ip(f"link add eth{i} {' '.join(options)} type veth peer name eth{i} netns {far.name}",
                f"link set eth{i} up", f"addr add 198.51.{i}.1/24 dev eth{i}")
        far.ip(f"link set eth{i} up", f"addr add 198.51.{i}.2/24 dev eth{i}")

    def shell(self, script, check=True):
        return self.near.namespace.run("sh", "-c", script, timeout=60, check=check)

    # ---- table = kernel ----------------------------------------------------------------------------

    def differences(self, gateway):
        """Prefixes whose gateways in the kernel of @gateway are not those of the table."""
        hops = {"10.9.1.2", "10.9.2.2"} if gateway is self.near else {"10.0.2.2"}
        objects = {o["id"]: o for o in gateway.namespace.ip_json("nexthop show")}
        right = {str(number) for number, o in objects.items()
                 if {objects.get(m["id"], {}).get("gateway") for m in o.get("group", [])} == hops or
                 ("group" not in o and {o.get("gateway")} == hops)}
        text = gateway.namespace.run("ip", "-o", "route", "show", "table", "main", "proto", "178", timeout=60).stdout
        found = dict(re.findall(r"^(1[1-9]\.\S+) nhid (\d+) ", text, re.M))
        return [p for p in self.feed.routes ^ found.keys()] + [p for p, number in found.items() if number not in right]

    def quiet(self):
        """Nothing is left to be done, as far as the near gateway knows: to look at a large table costs seconds."""
        status = self.near.ask("show status").text
        done, left = map(int, re.search(r"(\d+) installed, (\d+) queued", status).groups())
        return self.feed.up and left == 0 and done >= len(self.feed.routes)

    def settles(self, what, timeout=60):
        began = time.monotonic()
        wait_until(self.quiet, timeout, f"nothing is left to be done after: {what}")
        wait_until(lambda: not self.differences(self.near), timeout, f"table = kernel after: {what}")
        print(f"{len(self.feed.routes)} routes right {time.monotonic() - began:.1f} s after: {what}")

    def announce(self, n):
        self.feed.withdraw(self.feed.routes - set(prefixes(n)))
        self.feed.announce(set(prefixes(n)) - self.feed.routes)

    def shake(self, i):
        """Some of the table changes, whatever else goes on."""
        self.feed.withdraw(prefixes(100, 100 * i + 1))
        self.feed.announce(prefixes(100, 100 * i + 1))

    def close(self):
        self.feed.end()


@pytest.fixture(scope="module")
def mesh():
    from conftest import _labs

    def build(lab):
        lab.mesh = Mesh(lab)
        return lab.mesh
    for mesh in _labs(build):
        yield mesh
        mesh.close()


class Pings:
    """From the client through both gateways, a hundred a second, each with the time of its answer."""

    numbers = itertools.count()     # a log each

    def __init__(self, mesh, source="10.0.1.2"):
        wait_until(lambda: mesh.client.ping(PINGED, source=source), 20, "the far end answers")
        self.process = mesh.client.spawn(f"ping{next(self.numbers)}", ["ping", "-n", "-D", "-i", "0.01", "-I", source, PINGED])

    def outage(self, began):
        """The longest silence since @began, in seconds."""
        times = [float(t) for t in re.findall(r"^\[(\S+)\] \d+ bytes", self.process.log(), re.M)]
        after = [t for t in times if t >= began - 0.5]
        return max((b - a for a, b in zip(after, after[1:])), default=0.0)

    def answered_since(self, moment):
        times = re.findall(r"^\[(\S+)\] \d+ bytes", self.process.log()[-2000:], re.M)
        return bool(times) and float(times[-1]) > moment

    def counted(self):
        """How many were sent, how many of them lost."""
        self.process.stop(signal.SIGINT)
        sent, got = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", self.process.log()).groups())
        return sent, sent - got


# ---- a link flaps ----------------------------------------------------------------------------------------


def test_flap_of_both_links_at_once(mesh):
    """Down for 0.2 s, twenty times, the underlays and the tunnels themselves in turn. A second is the aim for what it
    costs; it is printed, that the routes return each time is asserted."""
    mesh.announce(1000)
    mesh.settles("the start")
    pings, outages = Pings(mesh), []
    for i in range(20):
        down, up = (" ".join(f"ip link set {'eth' if i % 2 else 'vx'}{n} {state};" for n in (1, 2)) for state in ("down", "up"))
        began = time.time()
        mesh.shell(f"{down} sleep 0.2; {up}")
        mesh.shake(i)
        ended = time.time()
        wait_until(lambda: pings.answered_since(ended + 0.1), 20, "packets flow again")     # noqa: B023
        outages.append(pings.outage(began))
    pings.counted()
    mesh.settles("both links flapped twenty times")
    print(f"both links down for 0.2 s: nothing arrived for {min(outages):.2f} to {max(outages):.2f} s, "
          f"{sum(o > 1 for o in outages)} of {len(outages)} above a second")


# ---- the daemon dies -------------------------------------------------------------------------------------


def test_fifty_times_kill_9(mesh):
    """At random points of its life, while routes come and go; forwarding goes on. That the way back does not depend on
    BGP is for the sake of kills that come before it has told its routes again: who is told of a second restart by then
    forgets what it kept through the first (RFC 4724 4.2)."""
    chance = random.Random(50)
    mesh.announce(1000)
    mesh.settles("the start")
    pings = Pings(mesh, KNOWN)
    for i in range(50):
        time.sleep(chance.random() * 0.3)
        mesh.shake(i % 9)
        mesh.near.kill()
        mesh.near.start(wait=chance.random() < 0.3)
    mesh.settles("fifty times kill -9")
    sent, lost = pings.counted()
    print(f"kill -9 fifty times: {sent} packets, {lost} lost")
    assert lost <= 1, "the last one may still be under way"


# ---- a large table through all of it -----------------------------------------------------------------------


def flapped(mesh):
    for i in range(20):
        link = ("eth1", "vx1", "eth2", "vx2")[i % 4]
        mesh.shell(f"ip link set {link} down; ip link set {link} up")
        mesh.shake(i)


def one_by_one(mesh):
    path = mesh.lab.write("routes.batch", "".join(f"route del {p} metric 32\n" for p in sorted(mesh.feed.routes)[::50]))
    mesh.shell(f"ip -force -batch {path}", check=False)


def flushed(mesh):
    mesh.shell("timeout 5 ip route flush proto 178", check=False)      # ours come back all the time


def events_lost(mesh):
    """More events than the socket holds, and among them the loss of ours."""
    log = mesh.near.process.log().count("event=link.events_lost")
    foreign = "\n".join(f"route add table 254 metric 7 blackhole 20.{i >> 8 & 255}.{i & 255}.{j}/32"
                        for i in range(300) for j in range(100))
    path = mesh.lab.write("foreign.batch", foreign + "\n")
    mesh.near.process.send(signal.SIGSTOP)
    mesh.shell(f"ip -batch {path}")
    one_by_one(mesh)
    flushed(mesh)
    mesh.near.process.send(signal.SIGCONT)
    mesh.shell(f"sed s/add/del/ {path} | ip -batch -")
    wait_until(lambda: mesh.near.process.log().count("event=link.events_lost") > log, 20, "the socket overran")


def tunnel_deleted(mesh):
    mesh.near.namespace.ip("link del vx1")


def underlay_replaced(mesh):
    mesh.near.namespace.ip("link del eth1")
    mesh.wire(1)


def ifindex_reused(mesh):
    """The tunnel is deleted, and while we are not looking another link has its interface index."""
    index = mesh.near.namespace.link("vx2")["ifindex"]
    mesh.near.process.send(signal.SIGSTOP)
    mesh.near.namespace.ip("link del vx2", f"link add other index {index} type veth peer name another", "link set other up",
                           "link set another up")
    mesh.near.process.send(signal.SIGCONT)
    wait_until(lambda: mesh.near.namespace.link("vx2"), 10, "the tunnel is back")
    mesh.near.namespace.ip("link del other")


def underlay_mtu_lowered(mesh):
    for mtu in (1400, 1500):
        mesh.near.namespace.ip(f"link set eth1 mtu {mtu}")
        wait_until(lambda: mesh.near.namespace.link("vx1")["mtu"] == mtu - 50, 10, "the tunnel follows")    # noqa: B023


def killed(mesh):
    mesh.near.kill()
    mesh.near.start()


FAULTS = [one_by_one, flushed, objects_flushed, events_lost, tunnel_deleted, underlay_replaced, ifindex_reused,
          underlay_mtu_lowered, flapped, killed]


def test_200000_routes_through_all_faults(mesh):
    mesh.announce(200000)
    mesh.settles("the start", 90)
    for fault in FAULTS:
        fault(mesh)
        mesh.settles(fault.__name__, 90)
    wait_until(lambda: not mesh.differences(mesh.far), 60, "nor has the far gateway lost anything")
    assert int(re.search(r"(\d+) failed", mesh.near.ask("show status").text).group(1)) == 0
