# SPDX-License-Identifier: BSD-2-Clause
"""The main job over each tunnel that this machine's own kernel may not have, over both underlays."""

import re

import pytest
import wireguard
from clusters import TwoClusters, mcbgpd_conf
from conftest import labs
from lab import transfer, wait_until


def underlay(cluster, version):
    return cluster.underlay if version == 4 else f"2001:db8:0:1::{cluster.index}"


def wireguard_tunnel(topology, cluster, version):
    lab, other = topology.lab, cluster.other
    if not hasattr(topology, "keys"):
        topology.keys = {c.index: wireguard.key(lab, f"gateway{c.index}") for c in topology.clusters}
        topology.psk = wireguard.psk(lab, "tunnel")
    far = underlay(other, version) if version == 4 else f"[{underlay(other, version)}]"
    return f"""type = "wireguard"; private_key_file = "{topology.keys[cluster.index][0]}"; listen_port = 51820; fwmark = 7;
    peers = ( {{ public_key = "{topology.keys[other.index][1]}"; preshared_key_file = "{topology.psk}";
                endpoint = "{far}:51820"; keepalive = 25; allowed_ips = [ "0.0.0.0/0", "::/0" ]; }} );"""


def gre_tunnel(topology, cluster, version):
    return f"""type = "gre"; local = "{underlay(cluster, version)}"; remote = "{underlay(cluster.other, version)}";
    ttl = 255; key = 7;"""


SIZE = 2 << 20

# The MTU of the underlay, 1500, less outer IP header, the tunnel's own headers, and the key of GRE.
VARIANTS = {
    "wireguard-ipv4": (wireguard_tunnel, 4, "wireguard", 1500 - 60),
    "wireguard-ipv6": (wireguard_tunnel, 6, "wireguard", 1500 - 80),
    "gre-ipv4": (gre_tunnel, 4, "gre", 1500 - 24 - 4),
    "gre-ipv6": (gre_tunnel, 6, "ip6gre", 1500 - 44 - 4),
}


def build(lab):
    topology = TwoClusters(lab, nodes=1)
    for cluster in topology.clusters:
        cluster.gateway.namespace.ip(f"addr add {underlay(cluster, 6)}/64 dev wan0 nodad")
    topology.start()
    topology.ready(90)
    return topology


@pytest.fixture(scope="module")
def topology():
    yield from labs(build)


@pytest.fixture(scope="module", params=VARIANTS.values(), ids=VARIANTS.keys())
def clusters(request, topology):
    """The same clusters all the time: each tunnel takes the place of the one before by a reload."""
    tunnel, version, topology.kind, topology.mtu = request.param
    for cluster in topology.clusters:
        made = f'tunnels = ( {{ name = "tun0"; addresses = [ "{cluster.tunnel}/24" ]; {tunnel(topology, cluster, version)} }} );'
        cluster.gateway.configure(re.sub(r"tunnels = \(.*?\n\);", lambda _: made, mcbgpd_conf(cluster), flags=re.S))
        assert cluster.gateway.ask("configure").code == 3
    for cluster in topology.clusters:
        box, far = cluster.gateway.namespace, cluster.other.tunnel
        wait_until(lambda: box.link("tun0")["linkinfo"]["info_kind"] == topology.kind and box.ping(far), 60, "the new tunnel")
    for node in topology.nodes:
        node.pod.ip("route flush cache")    # the path MTU that was learned by the tunnel before
    topology.ready(90)
    return topology


def test_pods_reach_pods_and_services_both_ways(clusters):
    assert not [words for pod, address, words in clusters.journeys() if not pod.ping(address, count=2)]


def test_tunnel_is_of_its_kind_and_exactly_as_wide_as_the_underlay_allows(clusters):
    for gateway in clusters.gateways:
        link = gateway.namespace.link("tun0")
        assert (link["linkinfo"]["info_kind"], link["mtu"], link["ifalias"]) == (clusters.kind, clusters.mtu, "mcbgpd")


def test_packet_of_that_size_passes_unfragmented(clusters):
    first, second = clusters.clusters
    fits = str(clusters.mtu - 28)       # ICMP and IPv4 headers
    done = first.gateway.namespace.run("ping", "-n", "-q", "-c", "1", "-W", "5", "-M", "do", "-s", fits, second.tunnel)
    assert done.returncode == 0, done.stdout + done.stderr


def test_large_transfer_arrives_though_the_pods_are_wider_than_the_tunnel(clusters):
    """Whole packets of the pods do not fit: the gateways say so by ICMP, and the pods make them smaller."""
    for cluster in clusters.clusters:
        pod, far = cluster.nodes[0].pod, cluster.other.nodes[0]
        assert pod.link("eth0")["mtu"] == 1500 > clusters.mtu
        assert transfer(pod, far.pod, far.pod_address, SIZE) == SIZE
        assert f" mtu {clusters.mtu}" in pod.run("ip", "route", "get", far.pod_address).stdout


def test_mtu_follows_the_underlay(clusters):
    for cluster in clusters.clusters:
        box = cluster.gateway.namespace
        box.ip("link set wan0 mtu 1400")
        wait_until(lambda: box.link("tun0")["mtu"] == clusters.mtu - 100, 20, "the tunnel is narrower")
        box.ip("link set wan0 mtu 1500")
        wait_until(lambda: box.link("tun0")["mtu"] == clusters.mtu, 20, "and wide again")


def test_too_narrow_for_ipv6_is_an_error_in_words_until_the_underlay_is_wider(clusters):
    cluster = clusters.clusters[0]
    gateway, box = cluster.gateway, cluster.gateway.namespace
    with open(gateway.conf_path) as file:
        conf = file.read()
    box.ip("link set wan0 mtu 1290")
    try:
        gateway.configure(conf.replace(f'"{cluster.tunnel}/24"', f'"{cluster.tunnel}/24", "fd16::1/64"', 1))
        gateway.reload()
        words = f"the underlay leaves {clusters.mtu - 210} bytes, and its IPv6 addresses need 1280"
        wait_until(lambda: words in gateway.ask("show tunnels").text, 20, words)
        box.ip("link set wan0 mtu 1500")
        wait_until(lambda: "underlay" not in gateway.ask("show tunnels").text, 20, "no error")
        wait_until(lambda: "fd16::1" in [a["local"] for a in box.ip_json("addr show dev tun0")[0]["addr_info"]], 20, "its address")
    finally:
        box.ip("link set wan0 mtu 1500")
        gateway.configure(conf)
        gateway.reload()
    wait_until(lambda: "fd16::1" not in gateway.ask("show tunnels all").text, 20, "as it was")
    clusters.ready(60)


def test_secrets_are_nowhere_to_be_seen(clusters):
    if clusters.kind != "wireguard":
        return
    paths = [path for path, _ in clusters.keys.values()] + [clusters.psk]
    for path in paths:
        with open(path) as file:
            secret = file.read().strip()
        for gateway in clusters.gateways:
            assert secret not in gateway.process.log()
            assert secret not in gateway.mcbgpc("--json", "show", "tunnels", "all").stdout
