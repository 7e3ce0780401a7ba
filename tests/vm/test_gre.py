# SPDX-License-Identifier: BSD-2-Clause
"""GRE over IPv4 and IPv6: what the kernel changes in place, what needs a new link, and that both were foretold."""

from clusters import Gateway
from lab import wait_until

V4 = 'local = "203.0.113.1"; remote = "203.0.113.2"; ttl = 255; okey = 3;'
V6 = 'local = "fd00::1"; remote = "fd00::2"; ttl = 255; okey = 3;'
# One change after the other: the settings, what `ip -d link show` has then, whether the link stays.
CHANGES = (
    (V4.replace("113.2", "113.9"), "remote 203.0.113.9 ", True),
    (V4.replace("113.1", "113.5"), "local 203.0.113.5 ", True),
    (V4.replace('local = "203.0.113.1";', ""), "local any ", True),
    (V4.replace("255", "9"), "ttl 9 ", True),
    (V4 + " tos = 16;", "tos 0x10 ", True),
    (V4.replace("okey = 3", "key = 0"), "ikey 0.0.0.0 okey 0.0.0.0 ", True),
    (V4.replace("okey = 3", "ikey = 5; okey = 6"), "ikey 0.0.0.5 okey 0.0.0.6 ", True),
    (V4.replace("255", "0") + " pmtudisc = false;", "nopmtudisc ", True),
    (V4 + ' interface = "u0";', "dev u0 ", True),
    (V4 + " fwmark = 5;", "fwmark 0x5 ", True),
    (V6, "ip6gre remote fd00::2 ", False),
    (V6.replace("::2", "::9"), "remote fd00::9 ", True),
    (V6.replace("::1", "::5"), "local fd00::5 ", True),
    (V6.replace("255", "9"), "hoplimit 9 ", True),
    (V6 + " tos = 16;", "tclass 0x10 ", True),
    (V6.replace("okey = 3", "key = 7"), "ikey 0.0.0.7 okey 0.0.0.7 ", True),
    (V6 + ' interface = "u0";', "dev u0 ", True),
    (V4, "gre remote 203.0.113.2 ", False),
    ('type = "vxlan"; vni = 5; local = "203.0.113.1"; remote = "203.0.113.2";', "vxlan id 5 ", False),
    (V4, "gre remote 203.0.113.2 ", False),
)


def conf(settings):
    kind = "" if "type" in settings else 'type = "gre"; '
    return f"""router = {{ id = "203.0.113.1"; as = 65001; }};
host = {{ rp_filter = "loose"; }};
tunnels = ( {{ name = "g0"; {kind}{settings} addresses = [ "172.17.1.1/24" ]; }} );"""


def shown(box):
    return box.run("ip", "-d", "link", "show", "g0").stdout


def test_each_change_is_as_foretold(lab):
    box = lab.namespace("ends")
    box.ip("link add u0 type dummy", "link set u0 up", "addr add 203.0.113.1/24 dev u0", "addr add 203.0.113.5/24 dev u0",
           "addr add fd00::1/64 dev u0 nodad", "addr add fd00::5/64 dev u0 nodad")
    gateway = Gateway(lab, "ends", box, conf(V4))
    gateway.start()
    before = wait_until(lambda: box.link("g0"), 10, "the link")["ifindex"]
    for settings, wanted, stays in CHANGES:
        gateway.configure(conf(settings))
        plan = gateway.ask("configure check").text
        assert ("the link is replaced" in plan) != stays and "tunnel g0: " in plan, f"{wanted}: {plan}"
        assert gateway.ask("configure").code == 3
        wait_until(lambda: wanted in shown(box), 10, f"{wanted}, in {shown(box)}")
        after = box.link("g0")["ifindex"]
        assert (after == before) == stays, wanted
        before = after
        if not stays:
            assert "172.17.1.1" in [a["local"] for a in box.ip_json("addr show dev g0")[0]["addr_info"]], wanted
            assert box.sysctl("ipv4.conf.g0.rp_filter") == "2", wanted
