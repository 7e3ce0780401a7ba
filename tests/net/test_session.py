# SPDX-License-Identifier: BSD-2-Clause
"""Sessions against a scripted peer: timers, collision, who dials, policy's default, packing."""

import json
import socket
import struct
import time

import pytest

from conftest import Lan
from lab import stays, wait_until
from speaker import (AS_PATH, KEEPALIVE, MED, NEXT_HOP, NOTIFICATION, OPEN, UPDATE, Closed, Speaker, attribute, capability,
                     message, parse_update)
from test_transport import beating

PEER = "10.0.0.50"


def start(lab, peer="", more=""):
    lan = Lan(lab, peers=f"""{{ name = "peer"; address = "{PEER}"; remote_as = 65001; group = "lan"; {peer} }},
                             {{ name = "other"; address = "10.0.0.51"; remote_as = 65004; group = "lan"; }}""", more=more)
    lan.gateway.start()
    return lan


def speaker(lan, address=PEER, asn=65001, **options):
    return Speaker(lan.lan, address, asn, **options)


def test_silent_peer_is_given_up_after_the_hold_time(lab):
    lan = start(lab, "hold_time = 3; keepalive = 1;")
    with speaker(lan).dial(lan.ADDRESS).establish() as peer:
        begun = time.monotonic()
        code, subcode, _ = peer.expect_notification(timeout=10)
        assert (code, subcode) == (4, 0)
        assert time.monotonic() - begun >= 2.5, "too early"
    assert "Hold timer expired" in lan.gateway.protocols()["peer"]["info"]


def test_hold_time_is_the_smaller_one(lab):
    lan = start(lab)
    with speaker(lan).dial(lan.ADDRESS).establish(hold_time=3) as peer:
        begun = time.monotonic()
        assert peer.expect_notification(timeout=15)[:2] == (4, 0)
        assert time.monotonic() - begun < 15


def test_hold_time_0_means_no_keepalives(lab):
    lan = start(lab, "hold_time = 3;")
    with speaker(lan).dial(lan.ADDRESS).establish(hold_time=0):
        stays(lambda: "peer" in lan.gateway.established(), 5, "a session without timers lives on")


def test_keepalives_keep_it(lab):
    lan = start(lab, "hold_time = 3; keepalive = 1;")
    with speaker(lan).dial(lan.ADDRESS).establish() as peer:
        for _ in range(5):
            while peer.read(timeout=3)[0] != KEEPALIVE:
                pass
            peer.send(message(KEEPALIVE))
        assert "peer" in lan.gateway.established()


def test_active_peer_is_dialled_at_its_port_again_and_again(lab):
    lan = start(lab, "passive = false; port = 178; connect_retry = 1;")
    for _ in range(2):
        with speaker(lan).accept(port=178) as peer:
            peer.establish()
            wait_until(lambda: "peer" in lan.gateway.established(), 5, "up")


def test_passive_peer_is_not_dialled(lab):
    lan = start(lab, "passive = true; connect_retry = 1;")
    with pytest.raises(TimeoutError):
        speaker(lan).accept(timeout=4)


def test_configured_local_address_is_the_source(lab):
    lan = start(lab, 'passive = false; connect_retry = 1; local_address = "10.0.0.1";')
    with speaker(lan).accept() as peer:
        assert peer.socket.getpeername()[0] == "10.0.0.1"


def collide(lab, router_id):
    """Both sides dial; OPENs cross.  Returns (dialled by us, dialled by the gateway)."""
    lan = start(lab, "passive = false; connect_retry = 1;")
    theirs = speaker(lan, router_id=router_id).accept()
    ours = speaker(lan, router_id=router_id).dial(lan.ADDRESS)
    theirs.expect(OPEN)
    ours.expect(OPEN)
    theirs.send_open()
    theirs.expect(KEEPALIVE)        # that one is in OpenConfirm
    ours.send_open()
    return lan, ours, theirs


def test_collision_with_a_higher_id_keeps_the_connection_of_the_peer(lab):
    lan, ours, theirs = collide(lab, "10.0.0.250")
    assert theirs.expect_notification()[:2] == (6, 7)
    ours.expect(KEEPALIVE)
    ours.send(message(KEEPALIVE))
    wait_until(lambda: "peer" in lan.gateway.established(), 5, "up")
    ours.close()


def test_collision_with_a_lower_id_keeps_the_connection_of_the_gateway(lab):
    lan, ours, theirs = collide(lab, "1.1.1.1")
    assert ours.expect_notification()[:2] == (6, 7)
    theirs.send(message(KEEPALIVE))
    wait_until(lambda: "peer" in lan.gateway.established(), 5, "up")
    theirs.close()


def test_second_connection_does_not_disturb_an_established_session(lab):
    lan = start(lab)
    with speaker(lan).dial(lan.ADDRESS).establish(), speaker(lan).dial(lan.ADDRESS) as second:
        second.send_open()
        with pytest.raises(Closed):
            while True:
                kind, body = second.read()
                assert kind == OPEN or (kind == NOTIFICATION and body[0] == 6)
        assert "peer" in lan.gateway.established()


def test_ebgp_without_policy_takes_and_sends_nothing_and_says_so(lab):
    """RFC 8212."""
    lan = Lan(lab, peers=f'{{ name = "peer"; address = "{PEER}"; remote_as = 65001; passive = true; }},'
                         '{ name = "other"; address = "10.0.0.51"; remote_as = 65004; group = "lan"; }')
    lan.gateway.start()
    with speaker(lan).dial(lan.ADDRESS).establish() as peer, \
            speaker(lan, "10.0.0.51", 65004).dial(lan.ADDRESS).establish() as other:
        peer.announce("198.51.100.0/24")
        other.announce("203.0.113.0/24")
        wait_until(lambda: lan.gateway.has_route("203.0.113.0/24"), 5, "the other's route")
        assert lan.gateway.namespace.routes("exact", "198.51.100.0/24") == []
        with pytest.raises(TimeoutError):
            while True:
                kind, body = peer.read(timeout=2)
                assert kind != UPDATE or not parse_update(body)[2], "something was exported"
        assert "8212" in lan.gateway.ask("show protocols all peer").text


def test_export_to_ebgp_prepends_and_drops_what_is_not_for_others(lab):
    lan = start(lab)
    with speaker(lan).dial(lan.ADDRESS).establish() as peer, \
            speaker(lan, "10.0.0.51", 65004).dial(lan.ADDRESS).establish() as other:
        peer.announce("198.51.100.0/24", med=attribute(MED, b"\0\0\0\7"))
        withdrawn, attributes, announced = update_with(other, "198.51.100.0/24")
        assert attributes[AS_PATH][1] == b"\2\2" + struct.pack("!II", 65000, 65001)
        assert MED not in attributes, "a MED is for the neighbor it was meant for (RFC 4271 5.1.4)"
        assert 5 not in attributes, "LOCAL_PREF goes to internal peers only"
        assert attributes[NEXT_HOP][1] == socket.inet_aton(PEER), "third-party next hop on the same LAN"
        peer.withdraw("198.51.100.0/24")
        assert withdrawal_of(other, "198.51.100.0/24")


def test_routes_of_a_peer_that_goes_are_withdrawn_from_the_others(lab):
    lan = start(lab)
    with speaker(lan, "10.0.0.51", 65004).dial(lan.ADDRESS).establish() as other:
        peer = speaker(lan).dial(lan.ADDRESS).establish()
        peer.announce("198.51.100.0/24", "203.0.113.0/24")
        update_with(other, "198.51.100.0/24")
        peer.close()
        assert withdrawal_of(other, "198.51.100.0/24")
    wait_until(lambda: not lan.gateway.namespace.routes("proto", "178"), 5, "the kernel's are gone")


def test_prefixes_that_share_attributes_share_messages(lab):
    lan = start(lab)
    prefixes = [f"100.{64 + i // 256}.{i % 256}.0/24" for i in range(2000)]
    with speaker(lan).dial(lan.ADDRESS).establish() as peer, \
            speaker(lan, "10.0.0.51", 65004).dial(lan.ADDRESS).establish() as other:
        for i in range(0, 2000, 500):
            peer.announce(*prefixes[i:i + 500])
        seen, messages = set(), 0
        while len(seen) < len(prefixes):
            kind, body = other.read()
            if kind == UPDATE:
                announced = parse_update(body)[2]
                messages += bool(announced)
                seen |= set(announced)
        assert seen == set(prefixes)
        assert messages <= 40, "2,000 prefixes fit 4 octets each into a few messages"
    wait_until(lambda: len(lan.gateway.namespace.routes("proto", "178")) == 0, 10, "all gone with the peer")


def test_peer_that_does_not_read_delays_nobody(lab):
    """Its socket fills; the other peer and the operator go on."""
    lan = start(lab)
    stuck = speaker(lan, "10.0.0.51", 65004)
    stuck.dial(lan.ADDRESS).establish()
    with speaker(lan).dial(lan.ADDRESS).establish() as peer:
        prefixes = [f"100.{64 + i // 256}.{i % 256}.0/24" for i in range(5000)]
        for round_ in range(20):
            for i in range(0, 5000, 500):
                peer.announce(*prefixes[i:i + 500], med=attribute(MED, struct.pack("!I", round_)),
                              as_path=attribute(AS_PATH, peer.path(65001, 65100 + round_)))
        peer.announce("198.51.100.0/24")
        wait_until(lambda: lan.gateway.has_route("198.51.100.0/24"), 20, "the last route arrived")
        assert "peer" in lan.gateway.established()
    stuck.close()


def flood(feed, rounds=20):
    """More than a socket holds, for whoever reads nothing."""
    prefixes = [f"100.{64 + i // 256}.{i % 256}.0/24" for i in range(5000)]
    for round_ in range(rounds):
        for i in range(0, 5000, 500):
            feed.announce(*prefixes[i:i + 500], med=attribute(MED, struct.pack("!I", round_)),
                          as_path=attribute(AS_PATH, feed.path(feed.asn, 65100 + round_)))


@pytest.mark.parametrize("rounds", [20, 1], ids=["more than the socket takes", "all in the kernel"])
def test_peer_that_speaks_but_reads_nothing_is_given_up(lab, rounds):
    """RFC 9687: long after its hold time, since it is alive; but not never: by our timer, or, where the kernel has
    taken all that there was to say, by the kernel's."""
    lan = start(lab, "send_hold_time = 10;")
    stuck = speaker(lan)
    stuck.small_buffer = True
    with speaker(lan, "10.0.0.51", 65004).dial(lan.ADDRESS).establish() as feed, stuck:
        stuck.dial(lan.ADDRESS).establish(hold_time=3)
        with beating(stuck):
            begun = time.monotonic()
            flood(feed, rounds)
            feed.announce("198.51.100.0/24")
            wait_until(lambda: lan.gateway.has_route("198.51.100.0/24"), 20, "the feed is heard to its end")
            wait_until(lambda: "peer" not in lan.gateway.established(), 60, "the stuck one is given up")
            assert time.monotonic() - begun >= 10, "before its time"
        assert "other" in lan.gateway.established()
        text = lan.gateway.ask("show protocols all peer").text
        assert "BGP Error: Send hold timer expired" in text or (rounds == 1 and "Socket: Connection timed out" in text)


def test_max_prefix_ends_the_session_with_cease(lab):
    lan = start(lab, 'max_prefix = 3; max_prefix_action = "restart";')
    with speaker(lan).dial(lan.ADDRESS).establish() as peer:
        peer.announce("100.64.1.0/24", "100.64.2.0/24", "100.64.3.0/24", "100.64.4.0/24")
        assert peer.expect_notification()[:2] == (6, 1)


def test_what_a_peer_says_of_itself_is_shown(lab):
    """Hostname and software version, made fit for a terminal; one that lies about its length is left out."""
    lan = start(lab)

    def shown(*more):
        known = capability(1, b"\0\1\0\1") + capability(65, struct.pack("!I", 65001))
        with speaker(lan).dial(lan.ADDRESS).establish(capabilities=known + b"".join(more)):
            theirs = lan.gateway.ask("show protocols all peer").text.split("Neighbor capabilities")[1]
            data = json.loads(lan.gateway.mcbgpc("--json", "show", "protocols", "all", "peer").stdout)
            return theirs, data["protocols"][0]["neighbor_capabilities"]

    text, data = shown(capability(73, b"\5node1\7example"), capability(75, b"\x0aBIRD\x1b[2J 2"))
    assert "Hostname: node1.example\n" in text and "Software version: BIRD?[2J 2\n" in text
    assert data["hostname"] == "node1.example" and data["software"] == "BIRD?[2J 2"
    text, data = shown(capability(73, b"\xffnode1"), capability(75, b"\xffBIRD"))
    assert "Hostname" not in text and "Software" not in text
    assert "hostname" not in data and "software" not in data


def test_max_prefix_lowered_below_what_is_there_acts_at_once(lab):
    """And who had too many is refused for a while, which is shown, unless more is allowed again."""
    lan = start(lab, "max_prefix = 9;")

    def limit(before, after):
        lan.gateway.configure(open(lan.gateway.conf_path).read().replace(f"max_prefix = {before};", f"max_prefix = {after};"))
        lan.gateway.reload()

    with speaker(lan).dial(lan.ADDRESS).establish() as peer:
        peer.announce("100.64.1.0/24", "100.64.2.0/24", "100.64.3.0/24")
        wait_until(lambda: lan.gateway.has_route("100.64.3.0/24"), 10, "three routes")
        limit(9, 3)
        stays(lambda: "peer" in lan.gateway.established(), 1, "as many as it may have")
        limit(3, 2)
        assert peer.expect_notification()[:2] == (6, 1)
    assert "refused for" in lan.gateway.protocols()["peer"]["info"]
    assert "Refused for:" in lan.gateway.ask("show protocols all peer").text
    with speaker(lan).dial(lan.ADDRESS) as again:
        assert again.expect_notification()[:2] == (6, 5)
    limit(2, 4)
    assert "Refused for:" not in lan.gateway.ask("show protocols all peer").text
    with speaker(lan).dial(lan.ADDRESS).establish():
        wait_until(lambda: "peer" in lan.gateway.established(), 10, "taken again")


def test_range_takes_many_but_not_more_than_it_may(lab):
    lan = Lan(lab, peers='{ name = "lan"; range = "10.0.0.0/24"; remote_as = 65001; group = "lan"; max_peers = 3; }')
    lan.gateway.start()
    peers = [speaker(lan, f"10.0.0.{host}").dial(lan.ADDRESS).establish() for host in (11, 12, 13)]
    wait_until(lambda: len(lan.gateway.established()) == 3, 5, "three peers")
    with speaker(lan, "10.0.0.14").dial(lan.ADDRESS) as fourth, pytest.raises((Closed, AssertionError)):
        fourth.send_open()
        while True:
            kind, body = fourth.read()
            assert kind == NOTIFICATION and body[0] == 6
    peers.pop().close()
    wait_until(lambda: len(lan.gateway.established()) == 2, 5, "one left")
    peers.append(speaker(lan, "10.0.0.14").dial(lan.ADDRESS).establish())
    for peer in peers:
        peer.close()


def test_filters_decide_what_enters(lab):
    lan = start(lab, 'import = "picky";', """
        prefix_sets = { wanted = [ "100.64.0.0/10{24,28}" ]; };
        filters = { picky = (
            { match = { community = [ "65001:666" ]; }; action = "reject"; },
            { match = { prefix = [ "wanted" ]; as_path = [ "^65001( 65002)?$" ]; };
              set = { local_pref = 777; add_community = [ "65000:7" ]; };
              action = "accept"; } ); };""")
    with speaker(lan).dial(lan.ADDRESS).establish() as peer:
        peer.announce("100.64.1.0/24")
        peer.announce("100.64.0.0/16", "198.51.100.0/24")
        peer.announce("100.64.2.0/24", bad=attribute(8, struct.pack("!HH", 65001, 666)))
        peer.announce("100.64.3.0/24", as_path=attribute(AS_PATH, peer.path(65001, 65003)))
        peer.announce("100.64.4.0/28", as_path=attribute(AS_PATH, peer.path(65001, 65002)))
        box = lan.gateway.namespace
        wait_until(lambda: {r["dst"] for r in box.routes("proto", "178")} == {"100.64.1.0/24", "100.64.4.0/28"}, 5,
                   "exactly what the filter lets in")
        text = lan.gateway.ask("show route 100.64.1.0/24 all").text
        assert "BGP.local_pref: 777" in text and "(65000,7)" in text


def test_next_hop_that_is_nowhere_is_not_used(lab):
    lan = start(lab)
    with speaker(lan).dial(lan.ADDRESS).establish() as peer:
        peer.announce("198.51.100.0/24", next_hop=attribute(NEXT_HOP, socket.inet_aton("172.31.255.1")))
        peer.announce("203.0.113.0/24")
        box = lan.gateway.namespace
        wait_until(lambda: box.next_hops("203.0.113.0/24") == {PEER}, 5, "the good one is there")
        assert box.routes("exact", "198.51.100.0/24") == []
        box.ip("addr add 172.31.255.2/24 dev eth0")
        wait_until(lambda: box.next_hops("198.51.100.0/24") == {"172.31.255.1"}, 5, "resolved by the new address")
        box.ip("addr del 172.31.255.2/24 dev eth0")
        wait_until(lambda: box.routes("exact", "198.51.100.0/24") == [], 5, "and gone with it")


def test_static_and_blackhole_routes(lab):
    lan = start(lab, more="""static = ( { prefix = "100.64.0.0/24"; next_hop = "10.0.0.77"; },
                                        { prefix = "100.64.1.0/24"; blackhole = true; },
                                        { prefix = "100.64.2.0/24"; interface = "eth0"; } );""")
    box = lan.gateway.namespace
    with speaker(lan).dial(lan.ADDRESS).establish() as peer:
        announced = set()
        while not {"100.64.0.0/24", "100.64.1.0/24", "100.64.2.0/24"} <= announced:
            kind, body = peer.read()
            if kind == UPDATE:
                announced |= set(parse_update(body)[2])
    wait_until(lambda: box.next_hops("100.64.0.0/24") == {"10.0.0.77"}, 5, "by next hop")
    assert box.routes("exact", "100.64.1.0/24")[0].get("type") == "blackhole"
    on_link = box.routes("exact", "100.64.2.0/24")
    assert on_link[0].get("dev") == "eth0" and "gateway" not in on_link[0]


def update_with(peer, prefix):
    while True:
        kind, body = peer.read()
        if kind == UPDATE and prefix in parse_update(body)[2]:
            return parse_update(body)


def withdrawal_of(peer, prefix):
    while True:
        kind, body = peer.read()
        if kind == UPDATE and prefix in parse_update(body)[0]:
            return True
