# SPDX-License-Identifier: BSD-2-Clause
"""What breaks in operation: a node, a gateway, the underlay; and what must never be touched meanwhile."""

import signal
import time

import pytest

import control
from clusters import HOLD_TIME
from conftest import Lan
from lab import stays, wait_until

SLACK = 3       # seconds that a loaded machine may add to what the protocol promises


@pytest.fixture(autouse=True)
def converged(two_clusters):
    """Each test begins with everything up, whatever the one before it broke."""
    two_clusters.ready()
    yield


def reach(two_clusters):
    return [words for pod, address, words in two_clusters.journeys() if not pod.ping(address, count=2)]


def test_dead_node_leaves_the_ecmp_set_within_the_hold_time(two_clusters):
    cluster = two_clusters.clusters[0]
    dead, alive = cluster.nodes
    box = cluster.gateway.namespace
    dead.fail()
    try:
        wait_until(lambda: box.next_hops(cluster.services) == {alive.address}, HOLD_TIME + SLACK,
                   "the dead node is out of the ECMP set")
        for node in cluster.other.nodes:
            assert node.pod.ping(cluster.service, count=3)
    finally:
        dead.recover()
    wait_until(lambda: box.next_hops(cluster.services) == {dead.address, alive.address}, 60,
               "the node is back in the ECMP set")


def test_node_whose_bird_is_killed_forwards_on(two_clusters):
    """RFC 4724: the node is alive, its BIRD will be back."""
    cluster = two_clusters.clusters[1]
    both = {node.address for node in cluster.nodes}
    killed = cluster.nodes[0]
    killed.process.stop(signal.SIGKILL)
    try:
        stays(lambda: cluster.gateway.namespace.next_hops(cluster.services) == both, HOLD_TIME,
              "both nodes share the traffic")
    finally:
        killed.start()
    two_clusters.ready()
    assert cluster.gateway.namespace.next_hops(cluster.services) == both


def test_underlay_that_is_cut_takes_the_routes_and_brings_them_back(two_clusters):
    first = two_clusters.clusters[0]
    box = first.gateway.namespace
    box.ip("link set wan0 down")
    try:
        wait_until(lambda: not box.next_hops(first.other.services), HOLD_TIME + SLACK,
                   "routes through the dead tunnel are gone")
        wait_until(lambda: first.other.services not in {r["dst"] for r in first.nodes[0].namespace.routes()},
                   HOLD_TIME + SLACK, "nodes no longer have them")
    finally:
        box.ip("link set wan0 up")
    two_clusters.ready()
    assert not reach(two_clusters)


def test_gateway_that_is_stopped_says_so_and_cleans_up(two_clusters):
    cluster = two_clusters.clusters[0]
    gateway, box = cluster.gateway, cluster.gateway.namespace
    tunnel = box.link("vxlan-eth0")["ifindex"]
    assert gateway.stop() == 0
    assert box.routes("proto", "178") == []
    assert box.ip_json("nexthop show proto 178") == []
    assert box.link("vxlan-eth0")["ifindex"] == tunnel
    for node in cluster.nodes:
        wait_until(lambda n=node: "Administrative shutdown" in n.gateway_session()["info"], 10,
                   "the node knows that the shutdown was meant")
    gateway.start()
    two_clusters.ready()
    assert box.link("vxlan-eth0")["ifindex"] == tunnel, "the tunnel was to be adopted"
    assert not reach(two_clusters)


def test_gateway_that_is_killed_leaves_its_routes_and_adopts_them(two_clusters):
    cluster = two_clusters.clusters[0]
    gateway, box = cluster.gateway, cluster.gateway.namespace
    tunnel = box.link("vxlan-eth0")["ifindex"]
    watch = box.spawn("route-monitor", ["ip", "monitor", "route"])
    gateway.kill()
    kept = {r["dst"] for r in box.routes("proto", "178")}
    assert {cluster.services, cluster.other.services} <= kept
    box.ip(f"route add 198.51.100.0/24 via {cluster.nodes[0].address} proto 178 metric 32")
    gateway.start()
    two_clusters.ready()
    wait_until(lambda: box.routes("exact", "198.51.100.0/24") == [], 70, "what nobody announces any more is gone")
    watch.stop()
    assert f"Deleted {cluster.services}" not in watch.log(), "a gap in forwarding"
    assert box.link("vxlan-eth0")["ifindex"] == tunnel
    assert {r["dst"] for r in box.routes("proto", "178")} == kept
    assert not reach(two_clusters)


def test_what_is_foreign_stays(two_clusters):
    cluster = two_clusters.clusters[1]
    gateway, box = cluster.gateway, cluster.gateway.namespace
    node = cluster.nodes[0].address
    box.ip("link add vxlan-foreign type vxlan id 77 dstport 4777 local " + cluster.underlay,
           "link set vxlan-foreign up",
           f"route add 198.51.100.0/24 via {node} proto static metric 32",
           f"route add {cluster.services} via {node} proto static metric 5",
           f"nexthop add id 4000 via {node} dev eth0 proto static",
           "rule add fwmark 9 table 99")
    try:
        seen = {"link": box.link("vxlan-foreign"), "rules": box.ip_json("rule show")}
        assert gateway.stop() == 0
        gateway.start()
        two_clusters.ready()
        gateway.reload()
        stays(lambda: len(gateway.established()) == 3, 2, "sessions survive a reload without a change")
        assert box.link("vxlan-foreign")["ifindex"] == seen["link"]["ifindex"]
        assert "UP" in box.link("vxlan-foreign")["flags"]
        assert box.ip_json("rule show") == seen["rules"]
        assert len(box.routes("exact", "198.51.100.0/24", "proto", "static")) == 1
        assert len(box.routes("exact", cluster.services, "proto", "static")) == 1
        assert box.ip_json("nexthop show id 4000")
    finally:
        box.ip("link del vxlan-foreign", "route del 198.51.100.0/24 proto static metric 32",
               f"route del {cluster.services} proto static metric 5", "nexthop del id 4000",
               "rule del fwmark 9 table 99")


def test_foreign_link_of_a_tunnels_name_is_left_alone_and_named(lab):
    lan = Lan(lab, more="""tunnels = ( { name = "vx0"; type = "vxlan"; vni = 5; local = "10.0.0.1";
                           remote = "10.0.0.99"; addresses = [ "10.9.0.1/24" ]; } );""")
    box = lan.gateway.namespace
    box.ip("link add vx0 type vxlan id 42 dstport 4444 local 10.0.0.1 remote 10.0.0.98")
    before = box.link("vx0")
    lan.gateway.start(wait=False)
    wait_until(lambda: "vx0" in lan.gateway.process.log(), 10, "the log names the link")
    time.sleep(1)
    assert box.link("vx0") == before
    lan.gateway.process.orderly = False     # whether it goes on without the tunnel is its own decision


def test_session_between_gateways_survives_both_dialling(two_clusters):
    """Neither gateway is passive: collisions must end in one session, again and again."""
    first, second = two_clusters.gateways
    for _ in range(3):
        assert first.ask("restart gateway2").lines[0][0] == 12
        assert second.ask("restart gateway1").lines[0][0] == 12
        two_clusters.ready()
    stays(lambda: "gateway2" in first.established() and "gateway1" in second.established(), HOLD_TIME // 3 + 1,
          "one session stays")
    assert not reach(two_clusters)


def test_disabled_peer_stays_down_until_enabled(two_clusters):
    cluster = two_clusters.clusters[0]
    gateway = cluster.gateway
    assert gateway.ask("disable gateway2").lines[0][0] == 9
    wait_until(lambda: not gateway.namespace.next_hops(cluster.other.services), 10, "its routes are gone")
    wait_until(lambda: "Administrative" in cluster.other.gateway.protocols()["gateway1"]["info"], 10,
               "the other side is told")
    assert gateway.ask("disable gateway2").lines[0][0] == 8
    assert gateway.ask("enable gateway2").lines[0][0] == 11
    two_clusters.ready()
    assert control.ask(gateway.socket, "disable nobody").code == 8003


def test_disabled_range_takes_nobody(two_clusters):
    gateway = two_clusters.clusters[0].gateway
    nodes = lambda: [name for name in gateway.established() if name.startswith("nodes_")]
    wait_until(lambda: len(nodes()) == 2, 60, "both nodes")
    assert gateway.ask("disable nodes").lines[0][0] == 9
    wait_until(lambda: not nodes(), 5, "their sessions end")
    stays(lambda: not nodes(), 8, "and nobody comes back, though they dial")
    assert gateway.ask("enable nodes").lines[0][0] == 11
    two_clusters.ready(90)
