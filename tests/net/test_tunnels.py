# SPDX-License-Identifier: BSD-2-Clause
"""VXLAN, the tunnel that every kernel has: over IPv6, to several ends at once, narrowed, meddled with, left behind."""

import re

import pytest

from clusters import Gateway, TwoClusters, mcbgpd_conf
from lab import transfer, veth, wait_until

SIZE = 4 << 20


# ---- the main job over an IPv6 underlay, as wide as that allows --------------------------------------

def underlay6(cluster):
    return f"2001:db8:0:1::{cluster.index}"


@pytest.fixture
def clusters6(lab):
    topology = TwoClusters(lab)
    for cluster in topology.clusters:
        cluster.gateway.namespace.ip(f"addr add {underlay6(cluster)}/64 dev wan0 nodad")
        text, far = mcbgpd_conf(cluster), cluster.other
        text = text.replace(f'local = "{cluster.underlay}"; remote = "{far.underlay}"; ttl = 255; mtu = 1450;',
                            f'local = "{underlay6(cluster)}"; remote = "{underlay6(far)}"; ttl = 255;')
        cluster.gateway.configure(text)
    topology.start()
    topology.ready()
    return topology


def narrow(topology, wan, tunnel):
    for gateway in topology.gateways:
        gateway.namespace.ip(f"link set wan0 mtu {wan}")
    for gateway in topology.gateways:
        wait_until(lambda g=gateway: g.namespace.link("vxlan-eth0")["mtu"] == tunnel, 20, f"an MTU of {tunnel}")


def transfers(topology, mtu):
    for cluster in topology.clusters:
        pod, far = cluster.nodes[0].pod, cluster.other.nodes[1]
        assert pod.link("eth0")["mtu"] == 1500
        assert transfer(pod, far.pod, far.pod_address, SIZE) == SIZE
        assert f" mtu {mtu}" in pod.run("ip", "route", "get", far.pod_address).stdout


def test_main_job_over_ipv6_and_large_transfers_while_the_underlay_is_narrowed(clusters6):
    for gateway in clusters6.gateways:
        link = gateway.namespace.link("vxlan-eth0")
        assert "remote6" in link["linkinfo"]["info_data"] and link["mtu"] == 1500 - 70
    assert not [words for pod, address, words in clusters6.journeys() if not pod.ping(address, count=2)]
    transfers(clusters6, 1430)
    narrow(clusters6, 1400, 1330)
    transfers(clusters6, 1330)
    clusters6.ready()


# ---- three gateways on one VXLAN: head-end replication -----------------------------------------------

HUB = (1, 2, 3)


def hub_conf(i):
    ends = ", ".join(f'"203.0.113.{k}"' for k in HUB if k != i)
    peers = ", ".join(f"""{{ name = "gateway{k}"; address = "192.168.234.{k}"; local_address = "192.168.234.{i}";
        remote_as = {65000 + k}; hold_time = 9; next_hop_self = true; import = "all"; export = "all"; }}"""
                      for k in HUB if k != i)
    return f"""router = {{ id = "192.168.234.{i}"; as = {65000 + i}; }};
host = {{ ip_forward = true; rp_filter = "loose"; }};
tunnels = ( {{ name = "vx0"; type = "vxlan"; vni = 7; local = "203.0.113.{i}"; remotes = [ {ends} ];
  addresses = [ "192.168.234.{i}/24" ]; }} );
peers = ( {peers} );
direct = {{ interfaces = [ "lan0" ]; }};
kernel = {{ export = "all"; }};"""


@pytest.fixture
def hub(lab):
    wan = lab.namespace("wan")
    wan.ip("link add br0 type bridge forward_delay 0", "link set br0 up")
    gateways = {}
    for i in HUB:
        box = lab.namespace(f"gateway{i}")
        veth(box, "wan0", wan, f"port{i}")
        wan.ip(f"link set port{i} master br0")
        box.ip(f"addr add 203.0.113.{i}/24 dev wan0", "link add lan0 type bridge", "link set lan0 up",
               f"addr add 10.{i}.0.1/16 dev lan0", "link add far0 type veth peer name far1", "link set far0 up master lan0",
               "link set far1 up")
        gateways[i] = Gateway(lab, f"gateway{i}", box, hub_conf(i))
        gateways[i].start()
    for gateway in gateways.values():
        wait_until(lambda g=gateway: len(g.established()) == 2, 60, f"{gateway.name}: both sessions")
    return gateways


def floods(box):
    lines = box.run("bridge", "fdb", "show", "dev", "vx0", check=True).stdout
    return sorted(re.findall(r"^00:00:00:00:00:00 dst (\S+)", lines, re.M))


def test_three_gateways_on_one_vxlan(hub):
    for i in HUB:
        for k in HUB:
            if i == k:
                continue
            box = hub[i].namespace
            wait_until(lambda: box.next_hops(f"10.{k}.0.0/16") == {f"192.168.234.{k}"}, 20, "the route")
            assert box.ping(f"10.{k}.0.1", count=2, source=f"10.{i}.0.1")


def test_far_end_that_somebody_takes_away_is_put_back(hub):
    gateway, box = hub[1], hub[1].namespace
    wanted = ["203.0.113.2", "203.0.113.3"]
    box.run("bridge", "fdb", "del", "00:00:00:00:00:00", "dev", "vx0", "dst", wanted[1], check=True)
    wait_until(lambda: floods(box) == wanted, 10, "both ends")
    box.run("bridge", "fdb", "append", "00:00:00:00:00:00", "dev", "vx0", "dst", "203.0.113.99", check=True)
    wait_until(lambda: floods(box) == wanted, 10, "those two only")
    log = gateway.process.log()
    assert f"level=warning event=tunnel.remote_restored tunnel=vx0 what={wanted[1]}" in log
    assert "level=warning event=tunnel.remote_removed tunnel=vx0 what=203.0.113.99" in log


# ---- one link: what is done to it, and what is left of it --------------------------------------------

ONE = """router = {{ id = "192.0.2.1"; as = 65001; }};
host = {{ rp_filter = "loose"; }};
tunnels = ( {{ name = "vx0"; type = "vxlan"; vni = 7; local = "192.0.2.1"; remote = "192.0.2.2"; ttl = 64;
  addresses = [ "172.16.1.1/24" ]; {more} }} );"""


@pytest.fixture
def one(lab):
    box = lab.namespace("one")
    box.ip("link add u0 type veth peer name u1", "link set u0 up", "link set u1 up", "addr add 192.0.2.1/24 dev u0")
    gateway = Gateway(lab, "one", box, ONE.format(more=""))
    gateway.start()
    return gateway


def seen(box):
    link = box.link("vx0")
    addresses = [a["local"] for shown in box.ip_json("-4 addr show dev vx0") for a in shown["addr_info"]]
    return (link["mtu"], link.get("ifalias"), "UP" in link["flags"], link["linkinfo"]["info_data"]["ttl"],
            addresses, box.sysctl("ipv4.conf.vx0.rp_filter"), floods(box))


MEDDLING = {
    "down": "link set vx0 down",
    "address gone": "addr flush dev vx0",
    "address added": "addr add 172.16.2.1/24 dev vx0",
    "mtu": "link set vx0 mtu 1000",
    "alias": "link set vx0 alias mine",
    "ttl": "link set vx0 type vxlan ttl 3",
    "remote": "link set vx0 type vxlan remote 192.0.2.3",
    "deleted": "link del vx0",
}


def test_what_somebody_does_to_the_link_is_undone_and_told(one):
    box = one.namespace
    before = wait_until(lambda: box.link("vx0") and seen(box), 10, "the link")
    assert before == (1450, "mcbgpd", True, 64, ["172.16.1.1"], "2", ["192.0.2.2"])
    for what, command in MEDDLING.items():
        told = len(one.process.log())
        box.ip(command)
        wait_until(lambda: box.link("vx0") and seen(box) == before, 10, f"{what}: as it was")
        assert re.search(r"event=tunnel\.\w+ tunnel=vx0", one.process.log()[told:]), what


@pytest.mark.parametrize("persist", ["true", "false"])
def test_link_stays_behind_or_not(one, persist):
    box = one.namespace
    before = box.link("vx0")["ifindex"]
    one.configure(ONE.format(more=f"persist = {persist};"))
    assert one.ask("configure").code == 3
    assert box.link("vx0")["ifindex"] == before
    assert one.stop() == 0
    left = box.link("vx0")
    assert left["ifindex"] == before if persist == "true" else left is None
    one.start()
    assert box.link("vx0")["ifalias"] == "mcbgpd" and (box.link("vx0")["ifindex"] == before) == (persist == "true")


def test_plan_of_a_reload_names_each_tunnel_and_what_becomes_of_it(one):
    box = one.namespace
    before = box.link("vx0")["ifindex"]
    more = '{ name = "vx1"; type = "vxlan"; vni = 8; local = "192.0.2.1"; remote = "192.0.2.2"; }'
    text = ONE.format(more="")
    for changed, words in ((text.replace("ttl = 64", "ttl = 9"), ["vx0", "ttl 64 -> 9", "changed in place"]),
                           (text.replace("vni = 7", "vni = 9"), ["vx0", "vni 7 -> 9", "the link is replaced"]),
                           (text.replace("tunnels = (", f"tunnels = ( {more},"), ["vx1", "is new: its link is made"]),
                           (text.replace("vx0", "vx2"), ["tunnel vx0 is removed", "tunnel vx2 is new"])):
        one.configure(changed)
        plan = one.ask("configure check").text
        assert not [word for word in words if word not in plan], plan
    assert box.link("vx0")["ifindex"] == before and not box.link("vx2")
