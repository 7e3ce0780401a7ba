# SPDX-License-Identifier: BSD-2-Clause
"""Routes of the configuration: each kind ends in the kernel as what it says."""

import pytest

from conftest import Lan
from lab import wait_until

STATICS = """
static = ( { prefix = "10.77.0.0/16"; next_hop = "203.0.113.9"; interface = "eth0"; onlink = true; },
           { prefix = "fd77::/32"; next_hop = "fd99::9"; interface = "eth0"; onlink = true; },
           { prefix = "10.78.0.0/16"; unreachable = true; },
           { prefix = "fd78::/32"; unreachable = true; },
           { prefix = "10.79.0.0/16"; blackhole = true; } );
"""


@pytest.mark.parametrize("objects", ["true", "false"])
def test_router_outside_of_the_links_network_and_unreachable(lab, objects):
    lan = Lan(lab, more=STATICS)
    box = lan.gateway.namespace
    conf = Lan.conf(more=STATICS)
    lan.gateway.configure(conf.replace("kernel = {", f"kernel = {{ nexthop_groups = {objects};"))
    lan.lan.ip("addr add 203.0.113.9/32 dev eth0", "addr add 10.77.0.1/32 dev lo", "addr add fd99::9/128 dev eth0 nodad",
               "addr add fd77::1/128 dev lo nodad", "addr add fd00:9::2/64 dev eth0 nodad")
    box.ip("addr add fd00:9::1/64 dev eth0 nodad")
    lan.gateway.start()

    def onlink():
        return [route for prefix in ("10.77.0.0/16", "fd77::/32")
                for route in box.ip_json(("-6 " if ":" in prefix else "") + f"route show exact {prefix} proto 178")
                if "onlink" in route["flags"] and route["gateway"] in ("203.0.113.9", "fd99::9")]
    wait_until(lambda: len(onlink()) == 2, 10, "routes by a router that no address of the link covers")
    wait_until(lambda: box.ping("10.77.0.1") and box.ping("fd77::1"), 10, "packets go there")
    shown = lan.gateway.ask("show route").text
    for prefix, kind in (("10.78.0.0/16", "unreachable"), ("fd78::/32", "unreachable"), ("10.79.0.0/16", "blackhole")):
        show = ("-6 " if ":" in prefix else "") + f"route show exact {prefix} proto 178"
        wait_until(lambda: [r["type"] for r in box.ip_json(show)] == [kind], 5, f"{prefix} is {kind}")     # noqa: B023
        assert any(line.split()[:2] == [prefix, kind] for line in shown.replace("1007-", " ").splitlines()), shown
    lan.lan.ip(f"route add 10.78.0.0/16 via {lan.ADDRESS}")
    box.sysctl("ipv4.ip_forward", 1)
    said = lan.lan.run("ping", "-n", "-c", "1", "-W", "5", "10.78.0.1").stdout
    assert "Destination Host Unreachable" in said, "the sender is told"
    box.ip("link set eth0 down")
    wait_until(lambda: not onlink(), 5, "the link is down")
    box.ip("link set eth0 up", "addr replace fd00:9::1/64 dev eth0 nodad")
    wait_until(lambda: len(onlink()) == 2, 5, "and up again")
