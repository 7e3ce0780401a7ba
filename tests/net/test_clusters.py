# SPDX-License-Identifier: BSD-2-Clause
"""The main job: two clusters joined by two gateways, with each BIRD that Calico may be, iBGP and eBGP."""

import json

import control
from lab import wait_until


def test_every_session_is_up_as_both_sides_see_it(every_two_clusters):
    for cluster in every_two_clusters.clusters:
        assert len(cluster.gateway.established()) == 3
        for node in cluster.nodes:
            assert node.gateway_session()["info"].startswith("Established")


def test_pods_reach_pods_and_services_both_ways(every_two_clusters):
    unreached = [words for pod, address, words in every_two_clusters.journeys() if not pod.ping(address, count=2)]
    assert not unreached


def test_service_cidr_is_spread_over_all_nodes(every_two_clusters):
    for cluster in every_two_clusters.clusters:
        nodes = {node.address for node in cluster.nodes}
        assert cluster.gateway.namespace.next_hops(cluster.services) == nodes
        assert cluster.other.gateway.namespace.next_hops(cluster.services) == {cluster.tunnel}


def test_each_block_goes_to_its_own_node_though_all_announce_it(every_two_clusters):
    for cluster in every_two_clusters.clusters:
        for node in cluster.nodes:
            assert cluster.gateway.namespace.next_hops(node.block) == {node.address}


def test_routes_are_marked_and_use_nexthop_objects(every_two_clusters):
    for gateway in every_two_clusters.gateways:
        ours = gateway.namespace.routes("proto", "178")
        assert ours and all(route["metric"] == 32 for route in ours)
        assert all("nhid" in route for route in ours if "gateway" in route or "nexthops" in route)


def test_tunnel_is_as_configured(every_two_clusters):
    for cluster in every_two_clusters.clusters:
        link = cluster.gateway.namespace.link("vxlan-eth0")
        data = link["linkinfo"]["info_data"]
        assert link["linkinfo"]["info_kind"] == "vxlan" and "UP" in link["flags"]
        assert (data["id"], data["port"], data["ttl"], link["mtu"]) == (101, 4789, 255, 1450)
        assert (data["local"], data["remote"]) == (cluster.underlay, cluster.other.underlay)
        assert link["ifalias"] == "mcbgpd"
        addresses = cluster.gateway.namespace.ip_json("-4 addr show dev vxlan-eth0")[0]["addr_info"]
        assert [(a["local"], a["prefixlen"]) for a in addresses] == [(cluster.tunnel, 24)]


def test_host_settings_are_applied(every_two_clusters):
    for gateway in every_two_clusters.gateways:
        box = gateway.namespace
        assert box.sysctl("ipv4.ip_forward") == "1"
        assert box.sysctl("ipv4.fib_multipath_hash_policy") == "1"
        assert box.sysctl("ipv4.fib_multipath_use_neigh") == "1"
        assert box.sysctl("ipv4.conf.all.rp_filter") == "0"
        assert box.sysctl("ipv4.conf.vxlan-eth0.rp_filter") == "0"


def test_nodes_hear_the_gateway_as_next_hop_with_what_the_filters_set(every_two_clusters):
    for cluster in every_two_clusters.clusters:
        for node in cluster.nodes:
            text = control.ask(node.socket, f"show route {cluster.other.services} all").text
            assert f"BGP.next_hop: {cluster.gateway_address}" in text
            assert "BGP.med: 100" in text
            assert "(65000,1)" in text
            ases = text.split("BGP.as_path:")[1].splitlines()[0].split()
            assert ases[0] == str(cluster.gateway_as) and ases[-1] == str(cluster.other.node_as)


def test_import_filter_of_the_tunnel_prefers_its_own_community(every_two_clusters):
    for cluster in every_two_clusters.clusters:
        text = cluster.gateway.ask(f"show route {cluster.other.services} all").text
        assert "BGP.local_pref: 500" in text and "BGP.community: (65000,1)" in text


def test_client_shows_it_all(every_two_clusters):
    gateway = every_two_clusters.gateways[0]
    other = every_two_clusters.clusters[1]
    assert gateway.mcbgpc("show", "protocols").stdout.count("Established") == 3
    assert other.services in gateway.mcbgpc("show", "route").stdout
    assert "via 192.168.234.2" in gateway.mcbgpc("show", "route", "for", other.service).stdout
    assert "vxlan-eth0" in gateway.mcbgpc("sh", "tun").stdout
    for command in ("status", "protocols", "protocols all", "route", "route all", "route count", "tunnels"):
        done = gateway.mcbgpc("--json", "show", *command.split())
        assert done.returncode == 0, done.stderr
        json.loads(done.stdout)


def test_node_that_returns_is_used_again(every_two_clusters):
    cluster = every_two_clusters.clusters[0]
    node = cluster.nodes[1]
    box = cluster.gateway.namespace
    node.stop()
    try:
        wait_until(lambda: box.next_hops(cluster.services) == {cluster.nodes[0].address}, 15, "one node left")
    finally:
        node.start()
    every_two_clusters.ready()
    wait_until(lambda: len(box.next_hops(cluster.services)) == 2, 30, "both nodes again")
