# SPDX-License-Identifier: BSD-2-Clause
"""Several WireGuard tunnels to one gateway on ports N and N+1, each by a network card of its own: marked packets take
the table of their card, and routes are spread over all of the tunnels."""

import pytest
import wireguard
from clusters import Gateway
from conftest import labs
from lab import veth, wait_until

FAR = {1: 2, 2: 1}
CARDS = (0, 1)


def tunnel(spread, i, card):
    return f"""{{ name = "wg{card}"; type = "wireguard"; private_key_file = "{spread.keys[i][card][0]}";
    listen_port = {51820 + card}; fwmark = {card + 1}; rule_table = {101 + card}; addresses = [ "172.16.{card}.{i}/24" ];
    peers = ( {{ public_key = "{spread.keys[FAR[i]][card][1]}"; endpoint = "198.51.100.{FAR[i]}:{51820 + card}";
                keepalive = 5; allowed_ips = "bgp"; }} ); }}"""


def session(i, card):
    return f"""{{ name = "by{card}"; address = "172.16.{card}.{FAR[i]}"; local_address = "172.16.{card}.{i}";
    remote_as = {65000 + FAR[i]}; next_hop_self = true; hold_time = 30; import = "all"; export = "all"; }}"""


def conf(spread, i):
    return f"""router = {{ id = "198.51.100.{i}"; as = {65000 + i}; }};
host = {{ ip_forward = true; multipath_hash = "l4"; rp_filter = "off"; }};
tunnels = ( {", ".join(tunnel(spread, i, card) for card in CARDS)} );
peers = ( {", ".join(session(i, card) for card in CARDS)} );
direct = {{ interfaces = [ "lan0" ]; }};
kernel = {{ export = "all"; }};"""


class Spread:
    def __init__(self, lab):
        self.lab = lab
        self.keys = {i: [wireguard.key(lab, f"gateway{i}-{card}") for card in CARDS] for i in FAR}
        boxes = {i: lab.namespace(f"spread{i}") for i in FAR}
        for card in CARDS:
            veth(boxes[1], f"wan{card}", boxes[2], f"wan{card}")
        self.gateways = {}
        for i, box in boxes.items():
            box.ip(f"addr add 198.51.100.{i}/32 dev lo", "link add lan0 type dummy", "link set lan0 up",
                   f"addr add 10.{i}.0.1/16 dev lan0")
            for card in CARDS:      # what the tables hold is the host's business
                box.sysctl(f"ipv4.conf.wan{card}.rp_filter", 0)
                box.ip(f"addr add 203.0.113.{16 * card + i}/28 dev wan{card}",
                       f"route add 198.51.100.{FAR[i]} via 203.0.113.{16 * card + FAR[i]} src 198.51.100.{i} table {101 + card}")
            box.sysctl("ipv4.conf.all.rp_filter", 0)
            self.gateways[i] = Gateway(lab, f"spread{i}", box, conf(self, i))

    def sent(self, i, card):
        link = self.gateways[i].namespace.ip_json(f"-s link show wan{card}")
        return link[0]["stats64"]["tx"]["packets"]


def build(lab):
    spread = Spread(lab)
    for gateway in spread.gateways.values():
        gateway.start()
    for i, gateway in spread.gateways.items():
        wait_until(lambda: len(gateway.established()) == len(CARDS), 60, f"{gateway.name}: both sessions")
    return spread


@pytest.fixture(scope="module")
def spread():
    yield from labs(build)


def test_route_is_spread_over_both_tunnels(spread):
    for i, gateway in spread.gateways.items():
        wanted = {f"172.16.{card}.{FAR[i]}" for card in CARDS}
        wait_until(lambda: gateway.namespace.next_hops(f"10.{FAR[i]}.0.0/16") == wanted, 20, "both next hops")
        assert gateway.namespace.ping(f"10.{FAR[i]}.0.1", count=4, source=f"10.{i}.0.1")


def test_outer_packets_take_the_card_of_their_mark(spread):
    box = spread.gateways[1].namespace
    for card in CARDS:
        before = [spread.sent(1, c) for c in CARDS]
        done = box.run("ping", "-n", "-q", "-i", "0.01", "-c", "60", "-W", "2", f"172.16.{card}.2")
        assert done.returncode == 0, done.stdout
        grown = [spread.sent(1, c) - before[c] for c in CARDS]
        assert grown[card] >= 60 > 30 > grown[1 - card], grown


def test_mtu_is_that_of_the_card_by_which_the_marked_packets_go(spread):
    box = spread.gateways[1].namespace
    box.ip("link set wan1 mtu 1400")
    try:
        wait_until(lambda: box.link("wg1")["mtu"] == 1340, 20, "narrower")
        assert box.link("wg0")["mtu"] == 1440
    finally:
        box.ip("link set wan1 mtu 1500")
    wait_until(lambda: box.link("wg1")["mtu"] == 1440, 20, "wide again")


def rules(box, family):
    return {(r["fwmark"], r["table"]) for r in box.ip_json(f"{family} rule show") if "fwmark" in r}


def test_rules_are_put_back_and_go_with_the_tunnel(spread):
    gateway = spread.gateways[1]
    box = gateway.namespace
    wanted = {("0x1", "101"), ("0x2", "102")}
    for family in ("-4", "-6"):
        assert rules(box, family) == wanted
        box.run("ip", family, "rule", "del", "fwmark", "2", check=True)
        wait_until(lambda: rules(box, family) == wanted, 10, "the rule")
    assert gateway.process.log().count("level=warning event=tunnel.rule_restored tunnel=wg1 fwmark=2 table=102") == 2
    text = conf(spread, 1)
    gateway.configure(text.replace(", " + tunnel(spread, 1, 1), "").replace(", " + session(1, 1), ""))
    assert gateway.ask("configure").code == 3
    wait_until(lambda: rules(box, "-4") == rules(box, "-6") == {("0x1", "101")}, 10, "that of the other tunnel stays")
    assert not box.link("wg1")
    gateway.configure(text)
    assert gateway.ask("configure").code == 3
    wait_until(lambda: rules(box, "-4") == rules(box, "-6") == wanted and box.link("wg1"), 10, "both again")
