# SPDX-License-Identifier: BSD-2-Clause
"""Two clusters by two tunnels at once, WireGuard and VXLAN, of which WireGuard takes three quarters; then it dies."""

import re

import pytest
import wireguard
from clusters import TwoClusters, mcbgpd_conf
from conftest import labs
from lab import veth, wait_until

SECURE = {1: "172.16.234.1", 2: "172.16.234.2"}     # addresses in the WireGuard tunnel
UNDERLAY = {1: "198.51.100.1", 2: "198.51.100.2"}   # and below it
SHORT = "handshake_timeout = 10;"                   # of keys that live for 120 s


def conf(topology, cluster, timeout=""):
    """The cluster's usual configuration, and a second tunnel with a session of its own.  No hold timer is to find out
    before the handshake does."""
    me, far = cluster.index, cluster.other.index
    tunnel = f"""{{ name = "wg0"; type = "wireguard"; private_key_file = "{topology.keys[me][0]}"; {timeout}
    addresses = [ "{SECURE[me]}/24" ];
    peers = ( {{ public_key = "{topology.keys[far][1]}"; endpoint = "{UNDERLAY[far]}:51820"; keepalive = 5;
                allowed_ips = "bgp"; }} ); }},"""
    session = f"""{{ name = "secure{far}"; address = "{SECURE[far]}"; local_address = "{SECURE[me]}";
            remote_as = {cluster.other.gateway_as}; next_hop_self = true; hold_time = 240;
            import = "heavy"; export = "tunnel_export"; }},"""
    filters = """heavy = ( { set = { local_pref = 500; weight = 3; }; action = "accept"; } );
  light = ( { set = { local_pref = 500; weight = 1; }; action = "accept"; } );"""
    text = mcbgpd_conf(cluster).replace("listen = (", f'listen = ( {{ address = "{SECURE[me]}"; port = 179; }},')
    text = text.replace('import = "tunnel_import"', 'import = "light"')
    for begin, more in (("tunnels = (", tunnel), ("\npeers = (", session), ("filters = {", filters)):
        assert begin in text
        text = text.replace(begin, f"{begin}\n  {more}")
    return re.sub(r"hold_time = 9; keepalive = 3;(\s+)import = \"light\"", r'hold_time = 240;\1import = "light"', text)


def build(lab):
    topology = TwoClusters(lab, nodes=1)
    topology.wan = lab.namespace("wan")     # what is taken out here, neither end is told of
    topology.wan.ip("link add br0 type bridge forward_delay 0", "link set br0 up")
    topology.keys = {c.index: wireguard.key(lab, f"gateway{c.index}") for c in topology.clusters}
    for cluster in topology.clusters:
        box = cluster.gateway.namespace
        veth(box, "wan1", topology.wan, f"port{cluster.index}")
        topology.wan.ip(f"link set port{cluster.index} master br0")
        box.ip(f"addr add {UNDERLAY[cluster.index]}/24 dev wan1")
        cluster.gateway.configure(conf(topology, cluster))
    topology.start()
    topology.ready(90, sessions=3)
    return topology


@pytest.fixture(scope="module")
def clusters():
    yield from labs(build)


def route(cluster):
    """To the other cluster's services: the nexthop object, and the weight of each next hop."""
    box = cluster.gateway.namespace
    found = [r for r in box.routes("exact", cluster.other.services, "proto", "178") if "nhid" in r]
    if len(found) != 1:
        return None, {}
    number = found[0]["nhid"]
    hops = {}
    for nexthop in box.ip_json(f"nexthop show id {number}"):
        for member, weight in (box.members(nexthop) or {number: 1}).items():
            for hop in box.ip_json(f"nexthop show id {member}"):
                hops[hop["gateway"]] = weight
    return number, hops


def both(cluster):
    far = cluster.other
    return {SECURE[far.index]: 3, far.tunnel: 1}


def watched(box, name):
    """What the kernel tells of next hops and routes from now on, in a log."""
    monitor = box.spawn(name, ["ip", "monitor", "nexthop", "route"])
    marker = "192.0.2.9"
    wait_until(lambda: box.ip(f"route add {marker} dev lo", f"route del {marker} dev lo") or marker in monitor.log(), 20,
               "it listens")
    return monitor


def configure(clusters, timeout=""):
    for cluster in clusters.clusters:
        cluster.gateway.configure(conf(clusters, cluster, timeout))
        assert cluster.gateway.ask("configure").code == 3


def test_both_tunnels_share_the_traffic_by_weight(clusters):
    for cluster in clusters.clusters:
        wait_until(lambda c=cluster: route(c)[1] == both(c), 20, "two next hops, three to one")
    assert not [words for pod, address, words in clusters.journeys() if not pod.ping(address, count=5)]


def test_silent_peer_takes_its_next_hops_along_and_brings_them_back(clusters):
    before = {c.index: wait_until(lambda c=c: route(c)[1] == both(c) and route(c)[0], 20, "both")
              for c in clusters.clusters}
    watch = {c.index: watched(c.gateway.namespace, f"watch{c.index}") for c in clusters.clusters}
    clusters.wan.ip("link set port2 nomaster")
    configure(clusters, SHORT)
    for cluster in clusters.clusters:
        alone = {cluster.other.tunnel}
        wait_until(lambda c=cluster: set(route(c)[1]) == alone, 40, "the next hop by WireGuard is gone")
        events = watch[cluster.index].log()
        assert re.search(rf"^id {before[cluster.index]} group \d+ ", events, re.M), f"the group was to change:\n{events}"
        gateway = cluster.gateway
        log = gateway.process.log()
        assert re.search(r"level=warning event=tunnel.peer_dead tunnel=wg0 peer=\S+ handshake_timeout_s=10", log)
        assert f"event=tunnel.next_hop_dead tunnel=wg0 address={SECURE[cluster.other.index]}" in log
        assert "dead: its next hops are not used" in gateway.mcbgpc("show", "tunnels", "all", "wg0").stdout
        assert f"secure{cluster.other.index}" in gateway.established(), "no hold timer was to be needed"
    assert not [words for pod, address, words in clusters.journeys() if not pod.ping(address, count=5)]

    # A peer that is no longer configured takes its marks along; made anew, it has no keys and must shake hands.
    second = clusters.clusters[1]
    text = conf(clusters, second, SHORT)
    stranger = wireguard.key(clusters.lab, "stranger")[1]
    second.gateway.configure(text.replace(clusters.keys[1][1], stranger))
    assert second.gateway.ask("configure").code == 3
    wait_until(lambda: "event=tunnel.next_hop_alive" in second.gateway.process.log(), 20, "the mark goes with the peer")
    second.gateway.configure(text)
    assert second.gateway.ask("configure").code == 3
    clusters.wan.ip("link set port2 master br0")
    first, address = clusters.clusters[0].gateway, SECURE[2]
    wait_until(lambda: first.namespace.ping(address) and "event=tunnel.next_hop_alive" in first.process.log(), 60,
               "alive by the next handshake")
    assert "event=tunnel.peer_alive tunnel=wg0" in first.process.log()
    configure(clusters)
    for cluster in clusters.clusters:
        wait_until(lambda c=cluster: route(c)[1] == both(c), 30, "both again")
        assert '"dead": false' in cluster.gateway.mcbgpc("--json", "show", "tunnels", "wg0").stdout
    assert not [words for pod, address, words in clusters.journeys() if not pod.ping(address, count=5)]
