# SPDX-License-Identifier: BSD-2-Clause
"""Peers that send what they must not: the exact NOTIFICATION (RFC 4271 6, RFC 6608) or RFC 7606's gentler answer.

All tests share one daemon that also holds a healthy session: whatever one peer sends, that one must not notice.
"""

import random
import struct
import time

import pytest

from lab import wait_until
from speaker import (AGGREGATOR, AS_PATH, ATOMIC, COMMUNITIES, KEEPALIVE, LARGE, LOCAL_PREF, MED, NEXT_HOP, NOTIFICATION,
                     OPEN, OPTIONAL, ORIGIN, PARTIAL, ROUTE_REFRESH, TRANSITIVE, UPDATE, Closed, Speaker,
                     attribute, capability, message, nlri, open_body, parse_update, update_body)

AS = 65001
ID = "10.9.9.9"


@pytest.fixture(scope="module")
def healthy(busy_lan):
    """A session beside all the trouble."""
    peer = Speaker(busy_lan.lan, busy_lan.RECEIVER, 65002).dial(busy_lan.ADDRESS).establish()
    yield peer
    peer.close()


@pytest.fixture
def peer(busy_lan, healthy):
    """A peer at an address that no test used before."""
    with Speaker(busy_lan.lan, f"10.0.0.{next(busy_lan.hosts)}", AS).dial(busy_lan.ADDRESS) as speaker:
        yield speaker
    assert busy_lan.gateway.process.alive()
    assert "receiver" in busy_lan.gateway.established(), "another peer's session fell"
    healthy.send(message(KEEPALIVE))


def open_with(**changes):
    return message(OPEN, open_body(AS, ID, **changes))


# ---- before the session is up: what is sent first, and the NOTIFICATION it earns ---------------------------

BEFORE = {
    "marker is not all ones": (message(OPEN, open_body(AS, ID), marker=b"\xff" * 15 + b"\xfe"), (1, 1)),
    "marker is zero": (message(OPEN, open_body(AS, ID), marker=b"\0" * 16), (1, 1)),
    "an HTTP request": (b"GET / HTTP/1.1\r\nHost: gateway.example\r\n\r\n", (1, 1)),
    "length 18": (message(OPEN, length=18), (1, 2)),
    "length 0": (message(OPEN, length=0), (1, 2)),
    "length 4097": (message(OPEN, b"\4" * 4078, length=4097), (1, 2)),
    "length 65535": (message(OPEN, length=65535), (1, 2)),
    "OPEN of 28 octets": (message(OPEN, open_body(AS, ID, parameters=b"")[:9]), (1, 2)),
    "KEEPALIVE of 20 octets": (message(KEEPALIVE, b"\0"), (1, 2)),
    "NOTIFICATION of 20 octets": (message(NOTIFICATION, b"\6"), (1, 2)),
    "UPDATE of 22 octets": (message(UPDATE, b"\0\0\0"), (1, 2)),
    "type 0": (message(0), (1, 3)),
    "type 6": (message(6), (1, 3)),
    "type 255": (message(255), (1, 3)),
    "version 3": (open_with(version=3), (2, 1)),
    "version 5": (open_with(version=5), (2, 1)),
    "another AS": (message(OPEN, open_body(65003, ID)), (2, 2)),
    "another AS in the capability": (open_with(capabilities=capability(65, struct.pack("!I", 65003))), (2, 2)),
    "AS 0": (message(OPEN, open_body(0, ID)), (2, 2)),
    "router id 0.0.0.0": (message(OPEN, open_body(AS, "0.0.0.0")), (2, 3)),
    "hold time 1": (open_with(hold_time=1), (2, 6)),
    "hold time 2": (open_with(hold_time=2), (2, 6)),
    "unknown optional parameter": (open_with(parameters=b"\x01\x02ab"), (2, 4)),
    "parameters run over the message": (message(OPEN, open_body(AS, ID, parameters=b"")[:9] + b"\x20\x02\x06"), (2, 0)),
    "parameter runs over the parameters": (open_with(parameters=b"\x02\x20\x01\x04"), (2, 0)),
    "capability runs over its parameter": (open_with(parameters=b"\x02\x04\x01\x20\x00\x01"), (2, 0)),
    "octets after the parameters": (message(OPEN, open_body(AS, ID, parameters=b"") + b"\x02\x00"), (2, 0)),
    "UPDATE before OPEN": (message(UPDATE, update_body()), (5, 1)),
    "KEEPALIVE before OPEN": (message(KEEPALIVE), (5, 1)),
    "ROUTE-REFRESH before OPEN": (message(ROUTE_REFRESH, b"\0\1\0\1"), (5, 1)),
    "UPDATE instead of KEEPALIVE": (open_with() + message(UPDATE, update_body()), (5, 2)),
    "a second OPEN": (open_with() + open_with(), (5, 2)),
}


@pytest.mark.parametrize("sent,expected", BEFORE.values(), ids=BEFORE.keys())
def test_before_the_session_is_up(peer, sent, expected):
    peer.send(sent)
    code, subcode, data = peer.expect_notification()
    assert (code, subcode) == expected
    if expected == (1, 2):
        assert data == sent[16:18], "the data is the erroneous length (RFC 4271 6.1)"
    if expected == (1, 3):
        assert data == sent[18:19], "the data is the erroneous type (RFC 4271 6.1)"
    if expected == (2, 1):
        assert data == b"\0\4", "the data is the version we speak (RFC 4271 6.2)"


def test_open_that_comes_octet_by_octet(peer):
    for octet in open_with() + message(KEEPALIVE):
        peer.send(bytes([octet]))
        time.sleep(0.002)
    peer.expect(OPEN)
    peer.expect(KEEPALIVE)


def test_hang_up_in_the_middle_of_open(peer, busy_lan):
    peer.send(open_with()[:25])
    peer.close()
    again = Speaker(busy_lan.lan, peer.address, AS).dial(busy_lan.ADDRESS).establish()
    again.close()


def test_notification_first_is_no_reason_to_answer(peer):
    peer.send(message(NOTIFICATION, b"\6\2"))
    with pytest.raises(Closed):
        while True:
            kind, _ = peer.read()
            assert kind == OPEN


# ---- in the session: what resets it ------------------------------------------------------------------------

GOOD = Speaker(None, "10.0.0.2", AS)     # for building attributes; the next hop is an address of the LAN

RESETS = {
    "marker": (message(KEEPALIVE, marker=b"\0" * 16), (1, 1)),
    "KEEPALIVE of 20 octets": (message(KEEPALIVE, b"\0"), (1, 2)),
    "type 77": (message(77), (1, 3)),
    "OPEN again": (message(OPEN, open_body(AS, ID)), (5, 3)),
    "withdrawn routes run over the message": (message(UPDATE, b"\xff\xff\0\0"), (3, 1)),
    "attributes run over the message": (message(UPDATE, b"\0\0\xff\xff"), (3, 1)),
    "NLRI of 33 bits": (message(UPDATE, update_body(GOOD.attributes(), b"\x21\xc6\x33\x64\0\0")), (3, 10)),
    "NLRI cut short": (message(UPDATE, update_body(GOOD.attributes(), b"\x18\xc6\x33")), (3, 10)),
    "withdrawn route of 33 bits": (message(UPDATE, update_body(withdrawn=b"\x21\xc6\x33\x64\0\0")), (3, None)),
    "unknown well-known attribute":
        (message(UPDATE, update_body(GOOD.attributes() + attribute(200, b"x", TRANSITIVE), nlri("198.51.100.0/24"))), (3, 2)),
    "MP_REACH_NLRI twice":
        (message(UPDATE, update_body(GOOD.attributes() + 2 * attribute(14, b"\0\1\1\4\x0a\0\0\2\0\x18\xc6\x33\x65", OPTIONAL),
                                     nlri("198.51.100.0/24"))), (3, 1)),
}


@pytest.mark.parametrize("sent,expected", RESETS.values(), ids=RESETS.keys())
def test_resets_the_session(peer, sent, expected):
    peer.establish()
    peer.send(sent)
    code, subcode, _ = peer.expect_notification()
    assert code == expected[0] and expected[1] in (None, subcode), f"got {code}/{subcode}"


# ---- in the session: RFC 7606's treat-as-withdraw and attribute discard ------------------------------------

SOURCE = b"\x0a\0\0\2"
FOREIGN = attribute(AS_PATH, GOOD.path(65009))     # well-formed, and refused all the same
WITHDRAWN = {
    "ORIGIN missing": dict(origin=None),
    "ORIGIN 3": dict(origin=attribute(ORIGIN, b"\3")),
    "ORIGIN of 2 octets": dict(origin=attribute(ORIGIN, b"\0\0")),
    "ORIGIN with optional flag": dict(origin=attribute(ORIGIN, b"\0", OPTIONAL | TRANSITIVE)),
    "AS_PATH missing": dict(as_path=None),
    "AS_PATH with segment type 9": dict(as_path=attribute(AS_PATH, b"\x09\1" + struct.pack("!I", AS))),
    "AS_PATH with an empty segment": dict(as_path=attribute(AS_PATH, GOOD.path(AS) + b"\2\0")),
    "AS_PATH segment overruns": dict(as_path=attribute(AS_PATH, b"\2\7" + struct.pack("!I", AS))),
    "AS_PATH with one octet left": dict(as_path=attribute(AS_PATH, GOOD.path(AS) + b"\2")),
    "AS_PATH begins with another AS": dict(as_path=FOREIGN),
    "AS_PATH with AS 0": dict(as_path=attribute(AS_PATH, GOOD.path(AS, 0))),
    "NEXT_HOP missing": dict(next_hop=None),
    "NEXT_HOP of 3 octets": dict(next_hop=attribute(NEXT_HOP, SOURCE[:3])),
    "NEXT_HOP of 5 octets": dict(next_hop=attribute(NEXT_HOP, SOURCE + b"\0")),
    "MED of 3 octets": dict(med=attribute(MED, b"\0\0\0")),
    "MED with wrong flags": dict(med=attribute(MED, b"\0\0\0\1", TRANSITIVE)),
    "COMMUNITIES of 3 octets": dict(community=attribute(COMMUNITIES, b"\0\1\0")),
    "COMMUNITIES empty": dict(community=attribute(COMMUNITIES, b"")),
    "LARGE_COMMUNITIES of 11 octets": dict(large=attribute(LARGE, b"\0" * 11)),
    "an attribute overruns the attributes": dict(last=bytes([OPTIONAL | TRANSITIVE, 99, 200, 1])),
    "a header without a length at the end": dict(last=bytes([OPTIONAL | TRANSITIVE, 99])),
}


def known(busy_lan, prefix):
    return busy_lan.gateway.has_route(prefix)


@pytest.mark.parametrize("changes", WITHDRAWN.values(), ids=WITHDRAWN.keys())
def test_treated_as_withdraw(peer, busy_lan, changes):
    peer.establish()
    peer.announce("198.51.100.0/24")
    wait_until(lambda: known(busy_lan, "198.51.100.0/24"), 10, "the good route is there")
    peer.announce("198.51.100.0/24", **changes)
    peer.announce("203.0.113.0/24")
    wait_until(lambda: known(busy_lan, "203.0.113.0/24"), 10, "the session goes on")
    assert not known(busy_lan, "198.51.100.0/24")
    name = f"lan_{peer.address}"
    text = busy_lan.gateway.ask(f"show protocols all {name}").text
    if f"event=update.fault peer={name} " in busy_lan.gateway.process.log():    # it was a fault, not a refusal
        assert "Faulty updates:   1 treated as withdraw, 0 with attributes discarded" in text
    else:
        assert "Faulty updates" not in text and changes["as_path"] == FOREIGN
    peer.withdraw("203.0.113.0/24")


DISCARDED = {
    "LOCAL_PREF from an external peer": dict(local_pref=attribute(LOCAL_PREF, b"\0\0\0\7")),
    "ATOMIC_AGGREGATE of 1 octet": dict(atomic=attribute(ATOMIC, b"\0")),
    "AGGREGATOR of 5 octets": dict(aggregator=attribute(AGGREGATOR, b"\0\0\0\0\0")),
    "ORIGIN twice": dict(again=attribute(ORIGIN, b"\0")),
    "COMMUNITIES twice": dict(one=attribute(COMMUNITIES, b"\xfd\xe8\0\1"), two=attribute(COMMUNITIES, b"\xfd\xe8\0\2")),
}


@pytest.mark.parametrize("changes", DISCARDED.values(), ids=DISCARDED.keys())
def test_attribute_is_discarded_and_the_route_stays(peer, busy_lan, changes):
    peer.establish()
    peer.announce("198.51.100.0/24", **changes)
    wait_until(lambda: known(busy_lan, "198.51.100.0/24"), 10, "the route is there all the same")
    text = busy_lan.gateway.ask("show route 198.51.100.0/24 all").text
    assert "BGP.local_pref: 7" not in text and "(65000,2)" not in text
    text = busy_lan.gateway.ask(f"show protocols all lan_{peer.address}").text
    assert "Faulty updates:   0 treated as withdraw, 1 with attributes discarded" in text
    peer.withdraw("198.51.100.0/24")


# ---- what is odd and yet right -----------------------------------------------------------------------------

def heard(peer, prefix, timeout=10):
    """The attributes with which @prefix reaches @peer."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        kind, body = peer.read(timeout)
        if kind == UPDATE:
            _, attributes, announced = parse_update(body)
            if prefix in announced:
                return attributes
    raise AssertionError(f"{prefix} was not announced")


def test_unknown_transitive_attribute_passes_with_partial(peer, healthy):
    peer.establish()
    peer.announce("192.0.2.0/25", odd=attribute(99, b"whatever", OPTIONAL | TRANSITIVE),
                  gone=attribute(98, b"not this", OPTIONAL))
    attributes = heard(healthy, "192.0.2.0/25")
    assert attributes[99] == (OPTIONAL | TRANSITIVE | PARTIAL, b"whatever")
    assert 98 not in attributes


def test_communities_pass_in_order(peer, healthy):
    peer.establish()
    communities = b"\xfd\xe8\0\1" + b"\xfd\xe8\0\2"
    large = struct.pack("!III", 4200000001, 1, 2)
    peer.announce("192.0.2.128/25", community=attribute(COMMUNITIES, communities), large=attribute(LARGE, large))
    attributes = heard(healthy, "192.0.2.128/25")
    assert attributes[COMMUNITIES] == (OPTIONAL | TRANSITIVE, communities)
    assert attributes[LARGE] == (OPTIONAL | TRANSITIVE, large)


def test_our_own_as_in_the_path_is_a_loop(peer, busy_lan, healthy):
    peer.establish()
    peer.announce("198.51.100.0/25", as_path=attribute(AS_PATH, peer.path(AS, 65000, 65005)))
    peer.announce("198.51.100.128/25")
    heard(healthy, "198.51.100.128/25")
    assert busy_lan.gateway.namespace.routes("exact", "198.51.100.0/25") == []


def test_peer_without_capabilities_is_a_peer(busy_lan, healthy):
    """An old speaker: two-byte AS numbers, and nothing offered."""
    with Speaker(busy_lan.lan, f"10.0.0.{next(busy_lan.hosts)}", AS, four_byte=False) as old:
        old.dial(busy_lan.ADDRESS).establish(capabilities=b"")
        old.announce("198.18.0.0/24", as_path=attribute(AS_PATH, old.path(AS, 23456)),
                     as4=attribute(17, b"\2\2" + struct.pack("!II", AS, 4200000001), OPTIONAL | TRANSITIVE))
        _, path = heard(healthy, "198.18.0.0/24")[AS_PATH]
        assert path == b"\2\3" + struct.pack("!III", 65000, AS, 4200000001)


def test_unknown_capability_is_ignored(peer):
    peer.establish(capabilities=capability(1, b"\0\1\0\1") + capability(65, struct.pack("!I", AS)) +
                   capability(239, b"\1\2\3") + capability(240))


def test_route_refresh_sends_everything_again(peer, healthy):
    peer.establish()
    peer.announce("198.19.0.0/24")
    heard(healthy, "198.19.0.0/24")
    healthy.send(message(ROUTE_REFRESH, b"\0\1\0\1"))
    heard(healthy, "198.19.0.0/24")


def test_stranger_is_turned_away(busy_lan, healthy):
    """From an address that no peer and no range has."""
    stranger = Speaker(busy_lan.lan, "10.0.9.2", AS).dial("10.0.9.1")
    with pytest.raises(Closed):
        while True:
            kind, body = stranger.read()
            assert (kind, body[:2]) == (NOTIFICATION, b"\6\5"), "at most Cease/Connection Rejected"


def test_noise(busy_lan, healthy):
    """Random octets, whole and behind a valid header, before and within a session."""
    noise = random.Random(4271)
    for round_ in range(40):
        with Speaker(busy_lan.lan, f"10.0.0.{next(busy_lan.hosts)}", AS).dial(busy_lan.ADDRESS) as peer:
            try:
                if round_ % 2:
                    peer.establish()
                for _ in range(20):
                    raw = noise.randbytes(noise.randrange(1, 300))
                    if round_ % 4 >= 2:
                        raw = message(noise.choice((OPEN, UPDATE, UPDATE, UPDATE, ROUTE_REFRESH)), raw)
                    peer.send(raw)
            except (OSError, Closed):
                pass        # it hung up on us, as it should
    assert busy_lan.gateway.process.alive()
    assert "receiver" in busy_lan.gateway.established()
    healthy.send(message(KEEPALIVE))
