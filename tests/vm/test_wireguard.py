# SPDX-License-Identifier: BSD-2-Clause
"""WireGuard devices against the real kernel: what is configured is what there is, and stays."""

import os
import time

import pytest
import wireguard
from clusters import Gateway
from conftest import labs
from lab import stays, veth, wait_until

MESH = (1, 2, 3)
NAMED_HOST = "gateway2.example.org"


class Mesh:
    """Three gateways on one underlay, each with one WireGuard device for all of the others."""

    def __init__(self, lab):
        self.lab = lab
        self.keys = {i: wireguard.key(lab, f"gateway{i}") for i in MESH}
        wan = lab.namespace("wan")
        wan.ip("link add br0 type bridge forward_delay 0", "link set br0 up")
        self.gateways = {}
        for i in MESH:
            box = lab.namespace(f"gateway{i}")
            veth(box, "wan0", wan, f"gateway{i}")
            wan.ip(f"link set gateway{i} master br0")
            box.ip(f"addr add 203.0.113.{i}/24 dev wan0", "link add lan0 type dummy", "link set lan0 up",
                   f"addr add 10.{i}.0.1/16 dev lan0")
            self.gateways[i] = Gateway(lab, f"gateway{i}", box, self.conf(i))

    def conf(self, i, extra=""):
        others = [k for k in MESH if k != i]
        peers = ", ".join(f"""{{ public_key = "{self.keys[k][1]}"; endpoint = "203.0.113.{k}:51820"; keepalive = 5;
            allowed_ips = "bgp"; tunnel_address = "172.16.234.{k}"; }}""" for k in others)
        sessions = ", ".join(f"""{{ name = "gateway{k}"; address = "172.16.234.{k}"; local_address = "172.16.234.{i}";
            remote_as = {65000 + k}; hold_time = 9; next_hop_self = true; import = "all"; export = "all"; }}"""
                             for k in others)
        return f"""
router = {{ id = "172.16.234.{i}"; as = {65000 + i}; }};
host = {{ ip_forward = true; rp_filter = "strict"; }};
tunnels = ( {{ name = "wg0"; type = "wireguard"; private_key_file = "{self.keys[i][0]}"; listen_port = 51820;
  addresses = [ "172.16.234.{i}/24" ]; peers = ( {peers} ); }} );
peers = ( {sessions} );
direct = {{ interfaces = [ "lan0" ]; }};
kernel = {{ export = "all"; }};
{extra}"""

    def ready(self):
        for gateway in self.gateways.values():
            wait_until(lambda g=gateway: len(g.established()) == 2, 60, f"{gateway.name}: both sessions")
        for i in MESH:
            wait_until(lambda i=i: self.allowed(i) == self.wanted(i), 30, f"allowed IPs of gateway {i}")

    def allowed(self, i):
        have = wireguard.peers(self.gateways[i].namespace, "wg0")
        return {k: have.get(self.keys[k][1], {}).get("allowed") for k in MESH if k != i}

    @staticmethod
    def wanted(i):
        return {k: {f"172.16.234.{k}/32", f"10.{k}.0.0/16"} for k in MESH if k != i}


def start(lab):
    mesh = Mesh(lab)
    for gateway in mesh.gateways.values():
        gateway.start()
    mesh.ready()
    return mesh


@pytest.fixture(scope="module")
def mesh():
    yield from labs(start)


def test_everybody_reaches_everybody_on_one_device(mesh):
    for i in MESH:
        for k in MESH:
            assert i == k or mesh.gateways[i].namespace.ping(f"10.{k}.0.1", count=2, source=f"10.{i}.0.1")


def test_rp_filter_is_set_on_the_device_after_it_was_made(mesh):
    for gateway in mesh.gateways.values():
        assert gateway.namespace.sysctl("ipv4.conf.wg0.rp_filter") == "1"


def test_allowed_ips_follow_a_route_that_goes_and_comes(mesh):
    second = mesh.gateways[2].namespace
    second.ip("addr del 10.2.0.1/16 dev lan0", "addr add 10.22.0.1/16 dev lan0")
    try:
        wait_until(lambda: mesh.allowed(1)[2] == {"172.16.234.2/32", "10.22.0.0/16"}, 20, "the new prefix, not the old")
        assert mesh.allowed(1)[3] == mesh.wanted(1)[3]
    finally:
        second.ip("addr del 10.22.0.1/16 dev lan0", "addr add 10.2.0.1/16 dev lan0")
    mesh.ready()


def test_killed_daemon_leaves_no_gap(mesh):
    first = mesh.gateways[1]
    first.kill()
    assert mesh.allowed(1) == mesh.wanted(1)
    first.start()
    stays(lambda: mesh.allowed(1) == mesh.wanted(1), 3, "allowed IPs from before the kill")
    mesh.ready()
    assert first.namespace.ping("10.2.0.1", source="10.1.0.1")


def test_lost_peer_and_device_are_put_back(mesh):
    first = mesh.gateways[1]
    first.namespace.ip("link del wg0")
    wait_until(lambda: first.namespace.link("wg0") and "UP" in first.namespace.link("wg0")["flags"], 10, "the device")
    mesh.ready()
    assert first.namespace.ping("10.3.0.1", source="10.1.0.1", count=2)


# What somebody does by wg(8) or ip(8), and what the log says of it.
MEDDLING = {
    "device": (["wg set wg0 listen-port 1234 fwmark 9"], "event=tunnel.changed tunnel=wg0 what=listen_port"),
    "key": (["wg set wg0 private-key {key}", "ip link set wg0 mtu 1300"], "event=tunnel.changed tunnel=wg0 what=private_key_file"),
    "peers": (["wg set wg0 peer {far} remove", "wg set wg0 peer {stranger} allowed-ips 10.3.0.0/16"],
              "event=tunnel.changed tunnel=wg0 what=peers"),
    "settings of a peer": (["wg set wg0 peer {far} persistent-keepalive 77 preshared-key {key} allowed-ips 10.99.0.0/16"],
                           "event=tunnel.changed tunnel=wg0 what=preshared_key_file"),
    "allowed IPs": (["wg set wg0 peer {far} allowed-ips 10.99.0.0/16"], "event=tunnel.changed tunnel=wg0 what=allowed_ips"),
    "down": (["ip link set wg0 down"], "event=tunnel.restored tunnel=wg0 what=up"),
    "address": (["ip addr flush dev wg0"], "event=tunnel.address_restored tunnel=wg0 what=172.16.234.1"),
    "mtu": (["ip link set wg0 mtu 1300"], "event=tunnel.mtu tunnel=wg0 from=1300 to=1440"),
}


def settings(mesh):
    """All that is to be as it was: the device, its peers without what flows, the link, its addresses."""
    box = mesh.gateways[1].namespace
    link = box.link("wg0")
    peers = {key: (p["allowed"], p["keepalive"], p["preshared"]) for key, p in wireguard.peers(box, "wg0").items()}
    addresses = [(a["local"], a["prefixlen"]) for a in box.ip_json("-4 addr show dev wg0")[0]["addr_info"]]
    return wireguard.device(box, "wg0"), peers, link["mtu"], "UP" in link["flags"], addresses


@pytest.mark.parametrize("commands, told", MEDDLING.values(), ids=MEDDLING.keys())
def test_what_somebody_does_to_the_device_is_undone_and_told(mesh, commands, told):
    first = mesh.gateways[1]
    stranger = wireguard.key(mesh.lab, f"stranger{len(os.listdir(mesh.lab.dir))}")
    wait_until(lambda: mesh.allowed(1) == mesh.wanted(1), 30, "allowed IPs")
    before = settings(mesh)
    seen = len(first.process.log())
    for command in commands:
        command = command.format(far=mesh.keys[2][1], key=stranger[0], stranger=stranger[1])
        first.namespace.run(*command.split(), check=True)
    wait_until(lambda: settings(mesh) == before and told in first.process.log()[seen:], 60, f"as it was, and {told}")


def test_changed_settings_are_changed_in_place(mesh):
    first = mesh.gateways[1]
    before = first.namespace.link("wg0")["ifindex"]
    conf = mesh.conf(1)
    first.configure(conf.replace("listen_port = 51820;", "listen_port = 51999; fwmark = 77; rule_table = 177;"))
    first.reload()
    wait_until(lambda: wireguard.device(first.namespace, "wg0")["port"] == 51999, 10, "the port")
    assert wireguard.device(first.namespace, "wg0")["fwmark"] == "0x4d"
    rules = [(r.get("fwmark"), r.get("table")) for r in first.namespace.ip_json("rule show")]
    assert ("0x4d", "177") in rules
    assert first.namespace.link("wg0")["ifindex"] == before
    assert len(first.established()) == 2
    first.configure(conf)
    first.reload()
    wait_until(lambda: wireguard.device(first.namespace, "wg0")["port"] == 51820, 10, "the port")
    assert not [r for r in first.namespace.ip_json("rule show") if r.get("fwmark")]
    mesh.ready()


def test_public_key_and_handshake_are_shown(mesh):
    text = mesh.gateways[1].mcbgpc("show", "tunnels", "all").stdout
    assert mesh.keys[1][1] in text and mesh.keys[2][1] in text


def test_key_that_others_can_read_is_refused_until_mended(mesh):
    first = mesh.gateways[1]
    path = mesh.keys[1][0]
    os.chmod(path, 0o644)
    first.reload()
    wait_until(lambda: "can be read or written by others" in first.ask("show tunnels all").text, 10, "the error")
    os.chmod(path, 0o600)
    first.reload()
    wait_until(lambda: "can be read" not in first.ask("show tunnels all").text, 10, "no error")
    mesh.ready()


def test_endpoint_by_name_is_asked_for_again_when_there_is_no_handshake(lab):
    boxes = [lab.namespace("named1"), lab.namespace("named2")]
    veth(boxes[0], "wan0", boxes[1], "wan0")
    keys = [wireguard.key(lab, f"named{i}") for i in (1, 2)]
    hosts = f"/etc/netns/{boxes[0].name}/hosts"
    os.makedirs(os.path.dirname(hosts))

    def name_is(address):
        with open(hosts, "w") as file:
            file.write(f"{address} {NAMED_HOST}\n")

    name_is("203.0.113.99")
    gateways = []
    for i, far in ((1, f'endpoint = "{NAMED_HOST}:51820"; keepalive = 1;'), (2, "")):
        boxes[i - 1].ip(f"addr add 203.0.113.{i}/24 dev wan0")
        gateways.append(Gateway(lab, f"named{i}", boxes[i - 1], f"""
router = {{ id = "172.16.1.{i}"; as = 65001; }};
tunnels = ( {{ name = "wg0"; type = "wireguard"; private_key_file = "{keys[i - 1][0]}"; addresses = [ "172.16.1.{i}/24" ];
  peers = ( {{ public_key = "{keys[2 - i][1]}"; allowed_ips = [ "0.0.0.0/0" ]; {far} }} ); }} );"""))
        gateways[-1].start()
    peer = lambda: wireguard.peers(boxes[0], "wg0")[keys[1][1]]
    wait_until(lambda: peer()["endpoint"] == "203.0.113.99:51820", 10, "the first address of the name")
    name_is("203.0.113.2")
    wait_until(lambda: peer()["endpoint"] == "203.0.113.2:51820", 40, "the second address of the name")
    wait_until(lambda: peer()["handshake"] > 0, 20, "a handshake")
    assert boxes[0].ping("172.16.1.2")
    assert time.time() - peer()["handshake"] < 60


def test_thousands_of_allowed_ips_fit(lab):
    box = lab.namespace("many")
    path, _ = wireguard.key(lab, "many")
    _, public = wireguard.key(lab, "far")
    prefixes = [f"10.{n // 256}.{n % 256}.0/24" for n in range(6000)]
    listed = ", ".join(f'"{p}"' for p in prefixes)
    conf = """
router = { id = "172.16.1.1"; as = 65001; };
tunnels = ( { name = "wg0"; type = "wireguard"; private_key_file = "%s"; addresses = [ "172.16.1.1/24" ];
  peers = ( { public_key = "%s"; allowed_ips = [ %s ]; } ); } );"""
    gateway = Gateway(lab, "many", box, conf % (path, public, listed))
    gateway.start()
    assert wireguard.peers(box, "wg0")[public]["allowed"] == set(prefixes)
    gateway.configure(conf % (path, public, '"10.0.0.0/24"'))
    gateway.reload()
    wait_until(lambda: wireguard.peers(box, "wg0")[public]["allowed"] == {"10.0.0.0/24"}, 20, "one left")
