# SPDX-License-Identifier: BSD-2-Clause
"""GRE over IPv4 and IPv6: what the kernel changes in place, what needs a new link, and that both were foretold."""

import re

import pytest
from clusters import Gateway
from conftest import labs
from lab import wait_until

BEFORE = {
    4: 'local = "203.0.113.1"; remote = "203.0.113.2"; ttl = 255; okey = 3;',
    6: 'local = "fd00::1"; remote = "fd00::2"; ttl = 255; okey = 3;',
}
# The family before, the settings after, what `ip -d link show` has then, whether the link stays.
CHANGES = {
    "remote": (4, 'local = "203.0.113.1"; remote = "203.0.113.9"; ttl = 255; okey = 3;', "remote 203.0.113.9 ", True),
    "local": (4, 'local = "203.0.113.5"; remote = "203.0.113.2"; ttl = 255; okey = 3;', "local 203.0.113.5 ", True),
    "no local": (4, 'remote = "203.0.113.2"; ttl = 255; okey = 3;', "local any ", True),
    "ttl": (4, BEFORE[4].replace("255", "9"), "ttl 9 ", True),
    "tos": (4, BEFORE[4] + " tos = 16;", "tos 0x10 ", True),
    "key of 0": (4, BEFORE[4].replace("okey = 3", "key = 0"), "ikey 0.0.0.0 okey 0.0.0.0 ", True),
    "two keys": (4, BEFORE[4].replace("okey = 3", "ikey = 5; okey = 6"), "ikey 0.0.0.5 okey 0.0.0.6 ", True),
    "path MTU": (4, BEFORE[4].replace("255", "0") + " pmtudisc = false;", "nopmtudisc ", True),
    "interface": (4, BEFORE[4] + ' interface = "u0";', "dev u0 ", True),
    "fwmark": (4, BEFORE[4] + " fwmark = 5;", "fwmark 0x5 ", True),
    "family": (4, BEFORE[6], "ip6gre remote fd00::2 ", False),
    "type": (4, 'type = "vxlan"; vni = 5; local = "203.0.113.1"; remote = "203.0.113.2";', "vxlan id 5 ", False),
    "remote6": (6, BEFORE[6].replace("::2", "::9"), "remote fd00::9 ", True),
    "local6": (6, BEFORE[6].replace("::1", "::5"), "local fd00::5 ", True),
    "ttl6": (6, BEFORE[6].replace("255", "9"), "hoplimit 9 ", True),
    "tos6": (6, BEFORE[6] + " tos = 16;", "tclass 0x10 ", True),
    "keys6": (6, BEFORE[6].replace("okey = 3", "key = 7"), "ikey 0.0.0.7 okey 0.0.0.7 ", True),
    "interface6": (6, BEFORE[6] + ' interface = "u0";', "dev u0 ", True),
    "family6": (6, BEFORE[4], "gre remote 203.0.113.2 ", False),
}


def conf(settings):
    kind = "" if "type" in settings else 'type = "gre"; '
    return f"""router = {{ id = "203.0.113.1"; as = 65001; }};
host = {{ rp_filter = "loose"; }};
tunnels = ( {{ name = "g0"; {kind}{settings} addresses = [ "172.17.1.1/24" ]; }} );"""


def build(lab):
    box = lab.namespace("ends")
    box.ip("link add u0 type dummy", "link set u0 up", "addr add 203.0.113.1/24 dev u0", "addr add 203.0.113.5/24 dev u0",
           "addr add fd00::1/64 dev u0 nodad", "addr add fd00::5/64 dev u0 nodad")
    gateway = Gateway(lab, "ends", box, conf(BEFORE[4]))
    gateway.start()
    return gateway


@pytest.fixture(scope="module")
def ends():
    yield from labs(build)


def shown(gateway):
    return gateway.namespace.run("ip", "-d", "link", "show", "g0").stdout


@pytest.mark.parametrize("family, settings, wanted, stays", CHANGES.values(), ids=CHANGES.keys())
def test_change_is_as_foretold(ends, family, settings, wanted, stays):
    box = ends.namespace
    ends.configure(conf(BEFORE[family]))
    assert ends.ask("configure").code == 3
    before = wait_until(lambda: box.link("g0"), 10, "the link")["ifindex"]
    ends.configure(conf(settings))
    plan = ends.ask("configure check").text
    assert ("the link is replaced" in plan) != stays, plan
    assert ends.ask("configure").code == 3
    wait_until(lambda: re.search(f"{wanted}", shown(ends)), 10, f"{wanted}, in {shown(ends)}")
    assert (box.link("g0")["ifindex"] == before) == stays
    assert "172.17.1.1" in [a["local"] for a in box.ip_json("addr show dev g0")[0]["addr_info"]]
    assert box.sysctl("ipv4.conf.g0.rp_filter") == "2"
