# SPDX-License-Identifier: BSD-2-Clause
"""A configuration comes into force, is undone, is confirmed; what must be there before the daemon starts at all."""

import pytest

from clusters import MCBGPD, Gateway
from lab import stays, wait_until

BASE = """router = {{
  id = "10.0.0.1";
  as = 65000;
  listen = ( {{ address = "127.0.0.1"; port = 11790; }} );
}};
peers = ( {{ name = "p"; address = "10.0.0.9"; remote_as = 65001; import = "all"; export = "all"; passive = true; }} );
static = ( {{ prefix = "{static}"; blackhole = true; }} );
"""


def conf(static, extra=""):
    return BASE.format(static=static) + extra


@pytest.fixture
def gateway(lab):
    gateway = Gateway(lab, "lone", conf=conf("198.51.100.0/24"))
    gateway.namespace.ip("link set lo up")
    gateway.start()
    yield gateway
    gateway.stop()


def has(gateway, prefix):
    return gateway.namespace.routes("exact", prefix, "proto", "178") != []


def load(gateway, static, command="configure"):
    gateway.configure(conf(static))
    reply = gateway.ask(command)
    assert reply.code == 3, reply


def test_undo_goes_back_and_forth(gateway):
    load(gateway, "203.0.113.0/24")
    wait_until(lambda: has(gateway, "203.0.113.0/24") and not has(gateway, "198.51.100.0/24"), 10, "the new static")
    assert gateway.ask("configure undo").code in (3, 21)
    wait_until(lambda: has(gateway, "198.51.100.0/24") and not has(gateway, "203.0.113.0/24"), 10, "the old static")


def test_unconfirmed_is_undone_and_confirmed_stays(gateway):
    load(gateway, "203.0.113.0/24", "configure timeout 1")
    wait_until(lambda: has(gateway, "203.0.113.0/24"), 10, "in force while it waits")
    wait_until(lambda: has(gateway, "198.51.100.0/24") and not has(gateway, "203.0.113.0/24"), 10, "undone by the timer")
    load(gateway, "203.0.113.0/24", "configure timeout 2")
    assert gateway.ask("configure confirm").code == 18
    stays(lambda: has(gateway, "203.0.113.0/24"), 3, "confirmed: it stays")
    assert gateway.ask("configure confirm").code == 19


def test_unconfirmed_is_never_what_is_undone_to(gateway):
    load(gateway, "203.0.113.0/24", "configure timeout 60")
    load(gateway, "192.0.2.0/24", "configure timeout 1")
    wait_until(lambda: has(gateway, "198.51.100.0/24"), 10, "back to what was confirmed, over both that were not")
    load(gateway, "203.0.113.0/24", "configure timeout 2")
    gateway.configure(conf("192.0.2.0/24"))
    gateway.reload()
    stays(lambda: not has(gateway, "203.0.113.0/24") or not has(gateway, "192.0.2.0/24"), 1, "one of them")
    wait_until(lambda: has(gateway, "192.0.2.0/24"), 10, "a reload without a time is for good")
    stays(lambda: has(gateway, "192.0.2.0/24"), 3, "the timer before is gone")


def test_direct_network_stays_as_long_as_one_address_has_it(lab):
    gateway = Gateway(lab, "direct", conf=conf("198.51.100.0/24", 'direct = { interfaces = [ "d*" ]; };\n'))
    box = gateway.namespace
    box.ip("link add d0 type veth peer name e0", "link set d0 up", "link set e0 up", "addr add 192.0.2.1/24 dev d0")
    gateway.start()
    shown = lambda: "direct1" in gateway.ask("show route 192.0.2.0/24").text
    wait_until(shown, 10, "the network of d0")
    box.ip("addr add 192.0.2.2/24 dev d0")
    box.ip("addr del 192.0.2.2/24 dev d0")
    stays(shown, 1, "the other address is still there")
    box.ip("addr del 192.0.2.1/24 dev d0")
    wait_until(lambda: not shown(), 10, "no address, no network")
    gateway.stop()


def test_no_start_without_the_right_to_change_routes(lab):
    gateway = Gateway(lab, "weak", conf=conf("198.51.100.0/24"))
    done = gateway.namespace.run("setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin",
                                 MCBGPD, "-c", gateway.conf_path, "-s", gateway.socket)
    assert done.returncode == 3 and "CAP_NET_ADMIN" in done.stderr, done
