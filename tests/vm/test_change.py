# SPDX-License-Identifier: BSD-2-Clause
"""What a change costs of the settings that only WireGuard and GRE have: the link stays, or is another."""

import json

import changes
import pytest
import wireguard
from clusters import Gateway
from conftest import labs
from lab import wait_until

MANUAL = changes.manual()


class Links:
    """A gateway with a link for each setting that changes."""

    def __init__(self, lab):
        self.lab = lab
        self.keys = [wireguard.key(lab, f"key{i}") for i in range(4)]
        self.psk = wireguard.psk(lab, "shared")
        box = lab.namespace("gateway")
        box.ip("link add wan0 type dummy", "link set wan0 up", "addr add 203.0.113.1/24 dev wan0")
        self.changes = self.table()
        self.gateway = Gateway(lab, "gateway", box, self.conf(0))
        self.gateway.start()

    def table(self):
        """setting -> (before, after) of a tunnel without its name, and the setting that the plan names."""
        peer = f'public_key = "{self.keys[1][1]}";'
        routed = 'allowed_ips = "bgp"; tunnel_address = "10.7.{}.2";'

        def gre(i, text):
            return f'type = "gre"; remote = "203.0.113.{10 + i}"; {text}'

        def wg(i, text, peers=f"{{ {peer} }}", key=0):
            port = "" if "listen_port" in text else f"listen_port = {7000 + i};"
            return (f'type = "wireguard"; private_key_file = "{self.keys[key][0]}"; {port} addresses = [ "10.7.{i}.1/24" ];'
                    f" {text} peers = ( {peers} );")

        def one(i, text):
            return wg(i, "", f"{{ {peer if 'public_key' not in text else ''} {text} }}")
        return {
            "type": (f'type = "vxlan"; vni = 1; remote = "203.0.113.10";', gre(0, ""), "type"),
            "key": (gre(1, "key = 1;"), gre(1, "key = 2;"), "ikey"),
            "ikey": (gre(2, "ikey = 1;"), gre(2, "ikey = 2;"), "ikey"),
            "okey": (gre(3, ""), gre(3, "okey = 2;"), "okey"),
            "pmtudisc": (gre(4, "ttl = 0; pmtudisc = true;"), gre(4, "ttl = 0; pmtudisc = false;"), "pmtudisc"),
            "private_key_file": (wg(5, ""), wg(5, "", key=2), "private_key_file"),
            "listen_port": (wg(6, "listen_port = 7106;"), wg(6, "listen_port = 7206;"), "listen_port"),
            "fwmark": (wg(7, "fwmark = 1;"), wg(7, "fwmark = 2;"), "fwmark"),
            "rule_table": (wg(8, "fwmark = 3; rule_table = 100;"), wg(8, "fwmark = 3; rule_table = 101;"), "rule_table"),
            "handshake_timeout": (wg(16, "handshake_timeout = 200;"), wg(16, "handshake_timeout = 300;"), "handshake_timeout"),
            "peers": (wg(9, ""), wg(9, "", f'{{ {peer} }}, {{ public_key = "{self.keys[2][1]}"; }}'), "peers"),
            "peers.public_key": (wg(10, ""), one(10, f'public_key = "{self.keys[3][1]}";'), "peers[0].public_key"),
            "peers.endpoint": (one(11, 'endpoint = "203.0.113.9:1";'), one(11, 'endpoint = "203.0.113.9:2";'),
                               "peers[0].endpoint"),
            "peers.keepalive": (one(12, "keepalive = 20;"), one(12, "keepalive = 21;"), "peers[0].keepalive"),
            "peers.allowed_ips": (one(13, 'allowed_ips = "10.0.0.0/8";'), one(13, 'allowed_ips = "10.0.0.0/9";'),
                                  "peers[0].allowed_ips"),
            "peers.tunnel_address": (one(14, routed.format(14)), one(14, routed.format(14).replace(".2\"", ".3\"")),
                                     "peers[0].tunnel_address"),
            "peers.preshared_key_file": (one(15, ""), one(15, f'preshared_key_file = "{self.psk}";'),
                                         "peers[0].preshared_key_file"),
        }

    def conf(self, which):
        links = [f'{{ name = "t{i}"; {change[which]} }}' for i, change in enumerate(self.changes.values())]
        return f"""router = {{ id = "203.0.113.1"; as = 65000; }};
tunnels = ( {", ".join(links)} );
"""

    def links(self):
        return {link["ifname"]: link["ifindex"] for link in self.gateway.namespace.ip_json("link show")}


@pytest.fixture(scope="module")
def links():
    yield from labs(Links)


def test_every_setting_that_is_left_to_here_is_here(links):
    built = {setting for setting in changes.OTHER_KERNEL if setting in MANUAL}
    assert {f"tunnels.{name}" for name in links.changes} == built


def test_links_change_as_the_manual_says(links):
    wanted = [f"t{i}" for i in range(len(links.changes))]
    wait_until(lambda: set(wanted) <= set(links.links()), 60, "every link")
    before = links.links()
    links.gateway.configure(links.conf(1))
    planned = {(n["name"], n["setting"]): n["effect"]
               for n in json.loads(links.gateway.mcbgpc("--json", "configure", "check").stdout)["notes"] if n["code"] == 1104}
    assert links.gateway.ask("configure").code == 3
    after = links.links()
    for i, (name, change) in enumerate(links.changes.items()):
        cost = MANUAL[f"tunnels.{name}"]
        assert planned[f"t{i}", change[2]] == cost, name
        assert (after[f"t{i}"] == before[f"t{i}"]) == (cost != "link_replaced"), name


def test_new_values_are_in_the_kernel(links):
    box, number = links.gateway.namespace, {name: i for i, name in enumerate(links.changes)}
    dev = lambda name: wireguard.device(box, f"t{number[name]}")
    peer = lambda name: wireguard.peers(box, f"t{number[name]}")
    gre = lambda name: box.link(f"t{number[name]}")["linkinfo"]["info_data"]
    first = links.keys[1][1]
    assert (gre("key")["ikey"], gre("key")["okey"]) == ("0.0.0.2", "0.0.0.2")
    assert gre("ikey")["ikey"] == "0.0.0.2" and gre("okey")["okey"] == "0.0.0.2" and not gre("pmtudisc").get("pmtudisc")
    assert dev("private_key_file")["public"] == links.keys[2][1]
    assert dev("listen_port")["port"] == 7206 and int(dev("fwmark")["fwmark"], 0) == 2
    assert "lookup 101" in box.run("ip", "rule").stdout and "lookup 100" not in box.run("ip", "rule").stdout
    assert set(peer("peers")) == {first, links.keys[2][1]} and set(peer("peers.public_key")) == {links.keys[3][1]}
    assert peer("peers.endpoint")[first]["endpoint"] == "203.0.113.9:2"
    assert peer("peers.keepalive")[first]["keepalive"] == "21"
    assert peer("peers.allowed_ips")[first]["allowed"] == {"10.0.0.0/9"}
    assert peer("peers.tunnel_address")[first]["allowed"] == {"10.7.14.3/32"}
    assert peer("peers.preshared_key_file")[first]["preshared"] != "(none)"
