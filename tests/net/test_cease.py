# SPDX-License-Identifier: BSD-2-Clause
"""How sessions end on purpose: the subcode of each command (RFC 4486), words for people both ways (RFC 9003), and
the Hard Reset where the peer would keep routes otherwise (RFC 8538)."""

import struct

import pytest

import control
from conftest import Lan
from lab import wait_until
from speaker import AS_PATH, Speaker, attribute, capability
from test_transport import Pair, pair   # noqa: F401 (a fixture)

PEER, NODE = "10.0.0.50", "10.0.0.77"
TEXT = "back at noon, Łódź"
COMMUNICATION = bytes([len(TEXT.encode())]) + TEXT.encode()
FEW = 'max_prefix = 1; max_prefix_action = "restart";'


def peers(more=""):
    return (f'{{ name = "peer"; address = "{PEER}"; remote_as = 65001; group = "lan"; {more} }},'
            '{ name = "nodes"; range = "10.0.0.64/26"; remote_as = 65001; group = "lan"; },'
            '{ name = "other"; address = "10.0.0.51"; remote_as = 65004; group = "lan"; }')


def ask(command):
    return lambda lan, peer: lan.gateway.ask(command)


def reload(more="", gone=""):
    def act(lan, _):
        lan.gateway.configure(lan.conf(peers(more).replace(gone, "") if gone else peers(more)))
        lan.gateway.reload()
    return act


def stop(lan, _):
    assert lan.gateway.stop() == 0


def announce_too_much(_, peer):
    peer.announce("198.51.100.0/24", "203.0.113.0/24", as_path=attribute(AS_PATH, peer.path(65001)))


GONE = peers().split(",{")[0] + ","
WAYS = {
    "disable": (ask("disable peer"), 2, b""),
    "disable with words": (ask(f'disable peer "{TEXT}"'), 2, COMMUNICATION),
    "disable all": (ask("disable all"), 2, b""),
    "restart": (ask("restart peer"), 4, b""),
    "restart with words": (ask(f'restart peer "{TEXT}"'), 4, COMMUNICATION),
    "down": (ask("down"), 2, b""),
    "SIGTERM": (stop, 2, b""),
    "graceful restart without a peer that keeps routes": (ask("graceful restart"), 4, b""),
    "no longer configured": (reload(gone=GONE), 3, b""),
    "disabled in the file": (reload("enabled = false;"), 2, b""),
    "another setting of the session": (reload('families = [ "ipv4", "ipv6" ];'), 6, b""),
    "too many prefixes": (announce_too_much, 1, struct.pack("!HBI", 1, 1, 1)),
}
NOT_FINAL = {"another setting of the session"}     # the session comes back at once, so its routes may stay


def start(lab):
    lan = Lan(lab, peers=peers(FEW))
    lan.gateway.start()
    return lan


def _may_end(lan, way):
    if way in ("down", "graceful restart without a peer that keeps routes", "SIGTERM"):
        lan.gateway.process.orderly = False     # it has ended already, as it was told to


@pytest.mark.parametrize("way", WAYS)
def test_subcode(lab, way):
    act, subcode, data = WAYS[way]
    lan = start(lab)
    with Speaker(lan.lan, PEER, 65001).dial(lan.ADDRESS).establish() as peer:
        wait_until(lambda: "peer" in lan.gateway.established(), 10, "up")
        _may_end(lan, way)
        act(lan, peer)
        assert peer.expect_notification() == (6, subcode, data)


@pytest.mark.parametrize("way", [way for way in WAYS if not way.startswith("graceful")])
def test_hard_reset(lab, way):
    """The same for one that would keep our routes through a NOTIFICATION, unless it is told not to."""
    act, subcode, data = WAYS[way]
    wanted = (6, subcode, data) if way in NOT_FINAL else (6, 9, bytes([6, subcode]) + data)
    lan = start(lab)
    offer = (capability(1, b"\0\1\0\1") + capability(65, struct.pack("!I", 65001)) +
             capability(64, struct.pack("!HHBB", 0x4000 | 120, 1, 1, 0x80)))
    with Speaker(lan.lan, PEER, 65001).dial(lan.ADDRESS).establish(capabilities=offer) as peer:
        wait_until(lambda: "peer" in lan.gateway.established(), 10, "up")
        _may_end(lan, way)
        act(lan, peer)
        assert peer.expect_notification() == wanted


@pytest.mark.parametrize("command, subcode, data", [("disable nodes", 2, b""), (f'disable nodes "{TEXT}"', 2, COMMUNICATION),
                                                    (f"restart nodes_{NODE}", 4, b"")])
def test_peers_of_a_range(lab, command, subcode, data):
    lan = start(lab)
    with Speaker(lan.lan, NODE, 65001).dial(lan.ADDRESS).establish() as node:
        wait_until(lambda: f"nodes_{NODE}" in lan.gateway.established(), 10, "up")
        lan.gateway.ask(command)
        assert node.expect_notification() == (6, subcode, data)


def test_words_from_bird_and_to_bird(pair):   # noqa: F811
    bird = pair.lab.path("bird.ctl")
    pair.start("")
    wait_until(pair.exchanged, 15, "up")
    control.ask(bird, f'disable gate "{TEXT}"')
    wait_until(lambda: f"Received: Administrative shutdown: {TEXT}" in pair.gateway.protocols()["bird"]["info"], 10,
               "what BIRD's operator says")
    control.ask(bird, "enable gate")
    wait_until(pair.exchanged, 15, "up again")
    line = pair.gateway.protocols()["bird"]["info"]
    assert line == "Established", "no old error beside a session that is up"
    assert TEXT in pair.gateway.ask("show protocols all bird").text, "but in its details"
    pair.gateway.ask(f'disable bird "{TEXT}"')
    wait_until(lambda: f'Administrative shutdown: "{TEXT}"' in pair.bird.log(), 10, "what ours says")
    pair.gateway.ask("enable bird")
    wait_until(pair.exchanged, 15, "up again")
