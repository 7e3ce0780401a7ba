# SPDX-License-Identifier: BSD-2-Clause
"""Peers that stay away: long-lived graceful restart (RFC 9494) as helper and as the one that restarts, with BIRD 2
and 1.6; and what silence counts as (RFC 8538)."""

import json
import signal
import struct
import time

import control
from clusters import BIRD
from lab import stays, wait_until
from speaker import AS_PATH, COMMUNITIES, OPEN, UPDATE, Speaker, attribute, capability, parse_update
from test_restart import BIRD_GR, PEER, capabilities, end_of_rib, forwarding, gr_capability, start, wait_route
from test_transport import pair   # noqa: F401 (a fixture)

LLGR_STALE, NO_LLGR = 0xffff0006, 0xffff0007
BIRD_LLGR = "graceful restart on; graceful restart time 2; long lived graceful restart on; long lived stale time 60;"


def llgr_capability(seconds=None, forwarding=True):
    """Without @seconds: knows of it, and asks for nothing."""
    if seconds is None:
        return capability(71)
    return capability(71, struct.pack("!HBB", 1, 1, 0x80 if forwarding else 0) + struct.pack("!I", seconds)[1:])


def llgr_of(peer):
    """What the gateway's capability says: None; or {(AFI, SAFI): (flags, seconds)}."""
    raw = peer.expect(OPEN)[10:]
    while raw:
        kind, size = raw[0], raw[1]
        value, raw = raw[2:2 + size], raw[2 + size:]
        while kind == 2 and value:
            code, length = value[0], value[1]
            body, value = value[2:2 + length], value[2 + length:]
            if code == 71:
                return {struct.unpack("!HB", body[i:i + 3]): (body[i + 3], int.from_bytes(body[i + 4:i + 7], "big"))
                        for i in range(0, len(body), 7)}
    return None


def keeper(lan, seconds=60, usual=0, address=PEER, asn=65001, **gr):
    """A peer whose routes are to be kept for @usual seconds as they are and @seconds as the last choice."""
    return (Speaker(lan.lan, address, asn).dial(lan.ADDRESS).establish(capabilities=capabilities(
        asn, gr_capability(seconds=usual, **gr), llgr_capability(seconds))))


def communities(*values):
    return attribute(COMMUNITIES, b"".join(struct.pack("!I", value) for value in values))


def json_protocol(lan, name):
    return json.loads(lan.gateway.mcbgpc("--json", "show", "protocols", "all", name).stdout)["protocols"][0]


class Ear:
    """The other peer, which remembers what it is told of every prefix."""

    def __init__(self, lan, *more):
        self.speaker = Speaker(lan.lan, "10.0.0.51", 65004).dial(lan.ADDRESS)
        self.speaker.establish(capabilities=capabilities(65004, *more))
        self.heard = {}
        self.told = []      # everything, in order: (prefix, communities), or None in place of them

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.speaker.close()

    def listen(self):
        """Takes in what is there."""
        try:
            while True:
                kind, body = self.speaker.read(0.2)
                if kind != UPDATE:
                    continue
                withdrawn, attributes, announced = parse_update(body)
                for prefix in withdrawn:
                    self.heard.pop(prefix, None)
                    self.told.append((prefix, None))
                for prefix in announced:
                    raw = attributes.get(COMMUNITIES, (0, b""))[1]
                    self.heard[prefix] = set(struct.unpack(f"!{len(raw) // 4}I", raw))
                    self.told.append((prefix, self.heard[prefix]))
        except TimeoutError:
            pass
        return self.heard


def test_llgr_is_offered_as_configured(lab):
    lan = start(lab, "long_lived_time = 3600;")
    with Speaker(lan.lan, PEER, 65001).dial(lan.ADDRESS) as peer:
        assert llgr_of(peer) == {(1, 1): (0, 3600)}
    with Speaker(lan.lan, "10.0.0.51", 65004).dial(lan.ADDRESS) as other:
        assert llgr_of(other) == {}, "knows of it, and asks for nothing"


def test_llgr_keeps_routes_as_the_last_choice(lab):
    """Marked for who knows the mark, withdrawn from who does not; not at all with NO_LLGR; to the End-of-RIB."""
    lan = start(lab)
    with Ear(lan, gr_capability(), llgr_capability()) as knows:
        peer = keeper(lan, usual=0)
        peer.announce("198.51.100.0/24", "203.0.113.0/24")
        peer.announce("192.0.2.0/24", communities=communities(NO_LLGR))
        wait_until(lambda: len(knows.listen()) == 3, 10, "all three")
        peer.close()
        wait_until(lambda: knows.listen() == {"198.51.100.0/24": {LLGR_STALE}, "203.0.113.0/24": {LLGR_STALE}}, 10, "marked")
        assert forwarding(lan) and forwarding(lan, "203.0.113.0/24") and not forwarding(lan, "192.0.2.0/24")
        shown = lan.gateway.ask("show protocols all peer").text
        assert "Neighbor GR:    Long-lived" in shown and "LL stale timer: " in shown
        assert json_protocol(lan, "peer")["long_lived_until_ipv4"] > time.time()
        assert json_protocol(lan, "other")["neighbor_capabilities"]["long_lived_graceful_restart"]
        assert "(65535,6)" in lan.gateway.ask("show route all 198.51.100.0/24").text
        with keeper(lan, restarting=True) as peer:
            peer.announce("198.51.100.0/24")
            wait_until(lambda: knows.listen() == {"198.51.100.0/24": set(), "203.0.113.0/24": {LLGR_STALE}}, 10, "one is back")
            end_of_rib(peer)
            wait_until(lambda: knows.listen() == {"198.51.100.0/24": set()}, 10, "the other has gone")
            assert "Long-lived graceful restart" in lan.gateway.ask("show protocols all peer").text


def test_llgr_is_not_for_those_who_do_not_know_it(lab):
    lan = start(lab)
    with Ear(lan, gr_capability()) as ignorant:
        peer = keeper(lan)
        peer.announce("198.51.100.0/24")
        wait_until(lambda: ignorant.listen() == {"198.51.100.0/24": set()}, 10, "the route")
        peer.close()
        wait_until(lambda: ignorant.listen() == {}, 10, "withdrawn")
        assert forwarding(lan)


def test_llgr_gives_way_to_any_other_route(lab):
    lan = start(lab)
    with Speaker(lan.lan, "10.0.0.51", 65004).dial(lan.ADDRESS).establish() as other:
        other.announce("198.51.100.0/24", as_path=attribute(AS_PATH, other.path(65004, 65005, 65006)))
        peer = keeper(lan)
        peer.announce("198.51.100.0/24")
        wait_until(lambda: lan.gateway.namespace.next_hops("198.51.100.0/24") == {PEER}, 10, "the shorter path")
        peer.close()
        wait_until(lambda: lan.gateway.namespace.next_hops("198.51.100.0/24") == {"10.0.0.51"}, 10, "the fresh one")
        assert "long-lived stale" in lan.gateway.ask("show route all 198.51.100.0/24").text
        other.withdraw("198.51.100.0/24")
        wait_until(lambda: lan.gateway.namespace.next_hops("198.51.100.0/24") == {PEER}, 10, "better than none")


def test_llgr_follows_the_usual_time_and_ends(lab):
    lan = start(lab, "long_lived_limit = 3;")
    with Ear(lan, gr_capability(), llgr_capability()) as knows:
        peer = keeper(lan, seconds=3600, usual=2)
        peer.announce("198.51.100.0/24")
        wait_until(lambda: knows.listen() == {"198.51.100.0/24": set()}, 10, "the route")
        peer.close()
        wait_until(lambda: knows.listen() == {}, 15, "after both times, of which the long one has a limit here")
        assert knows.told == [("198.51.100.0/24", set()), ("198.51.100.0/24", {LLGR_STALE}), ("198.51.100.0/24", None)]
        wait_route(lan, "198.51.100.0/24", False)
    log = lan.gateway.process.log()
    assert log.index("event=session.stale ") < log.index("event=session.long_lived ") < log.index("the long time is up")


def test_llgr_routes_leave_when_the_peer_has_not_kept_forwarding(lab):
    lan = start(lab)
    peer = keeper(lan)
    peer.announce("198.51.100.0/24")
    wait_route(lan, "198.51.100.0/24")
    peer.close()
    wait_until(lambda: "Long-lived" in lan.gateway.ask("show protocols all peer").text, 10, "kept for long")
    capabilities_now = capabilities(65001, gr_capability(seconds=0), llgr_capability(60, forwarding=False))
    with Speaker(lan.lan, PEER, 65001).dial(lan.ADDRESS).establish(capabilities=capabilities_now):
        wait_route(lan, "198.51.100.0/24", False)


def test_llgr_time_runs_on_through_a_session_that_does_not_say_all(lab):
    lan = start(lab)
    peer = keeper(lan)
    peer.announce("198.51.100.0/24", "203.0.113.0/24")
    wait_route(lan, "203.0.113.0/24")
    peer.close()
    wait_until(lambda: "Long-lived" in lan.gateway.ask("show protocols all peer").text, 10, "kept for long")
    peer = keeper(lan, restarting=True)
    peer.announce("203.0.113.0/24")
    wait_until(lambda: "(65535,6)" not in lan.gateway.ask("show route all 203.0.113.0/24").text, 10, "said again")
    peer.close()
    wait_until(lambda: "(65535,6)" in lan.gateway.ask("show route all 203.0.113.0/24").text, 10, "stale again")
    assert forwarding(lan) and forwarding(lan, "203.0.113.0/24")
    assert lan.gateway.process.log().count("event=session.long_lived ") == 1, "and no second long time"


def test_llgr_mark_of_a_peer_counts(lab):
    """What arrives with LLGR_STALE is the last choice here, and goes on with it."""
    lan = start(lab)
    with Ear(lan, gr_capability(), llgr_capability()) as knows, keeper(lan) as peer:
        peer.announce("198.51.100.0/24", communities=communities(LLGR_STALE))
        wait_until(lambda: knows.listen() == {"198.51.100.0/24": {LLGR_STALE}}, 10, "marked")
        assert "(100s) [AS65001i]" in lan.gateway.ask("show route 198.51.100.0/24").text, "as BIRD has it"
        knows.speaker.announce("198.51.100.0/24", as_path=attribute(AS_PATH, knows.speaker.path(65004, 65005, 65006)))
        wait_until(lambda: lan.gateway.namespace.next_hops("198.51.100.0/24") == {"10.0.0.51"}, 10, "any other is better")


def test_llgr_of_bird_killed_and_started_again(pair):
    """BIRD asks for it: its routes stay for longer than its restart time, and until it is back."""
    pair.start("", BIRD_LLGR)
    wait_until(pair.exchanged, 15, "routes")
    shown = pair.gateway.ask("show protocols all bird").text
    assert "LL stale time: 60" in shown
    there = lambda: bool(pair.ours_next_hops())     # noqa: E731
    wait_until(there, 5, "in the kernel")
    pair.bird.stop(signal.SIGKILL)
    wait_until(lambda: "Long-lived" in pair.gateway.ask("show protocols all bird").text, 15, "the long time")
    assert there()
    pair.start_bird(BIRD_LLGR, recovers=True)
    stays(there, 3, "while it comes back")
    wait_until(lambda: pair.exchanged() and "(65535,6)" not in pair.gateway.ask("show route all 203.0.113.0/24").text,
               15, "fresh again")


def test_bird_keeps_our_routes_for_long(pair):
    """We ask for it: killed, and away for longer than the restart time."""
    pair.start("restart_time = 2; long_lived_time = 60;", BIRD_GR + "long lived graceful restart aware;")
    wait_until(pair.exchanged, 15, "routes")
    bird = pair.lab.path("bird.ctl")
    shown = control.ask(bird, "show protocols all gate").text
    assert "LL stale time: 60" in shown
    pair.gateway.kill()
    marked = lambda: "(65535, 6)" in control.ask(bird, "show route all 198.51.100.0/24").text or \
        "(65535,6)" in control.ask(bird, "show route all 198.51.100.0/24").text       # noqa: E731
    wait_until(marked, 20, "BIRD keeps them as the last choice")
    pair.gateway.start()
    wait_until(lambda: pair.exchanged() and not marked(), 20, "fresh again")


def start_bird1(lan):
    """BIRD 1.6 at the place of the other peer, with graceful restart as Calico's has it."""
    path = lan.lab.write("bird1.conf", """
log stderr all;
router id 10.0.0.51;
protocol device { scan time 2; }
protocol bgp gate {
	local 10.0.0.51 as 65004; neighbor 10.0.0.1 as 65000;
	connect retry time 1; connect delay time 1; error wait time 1, 2;
	graceful restart; import all; export all;
}
""")
    lan.lan.spawn("bird1", [BIRD[1], "-f", "-c", path, "-s", lan.lab.path("bird1.ctl")])
    return lambda: control.ask(lan.lab.path("bird1.ctl"), "show route all 198.51.100.0/24").text


def test_llgr_mark_reaches_bird_1_6(lab):
    lan = start(lab)
    routes = start_bird1(lan)
    wait_until(lambda: "other" in lan.gateway.established(), 20, "BIRD 1.6 is up")
    assert "Long-lived graceful restart" in lan.gateway.ask("show protocols all other").text.split("Neighbor capabilities")[1]
    peer = keeper(lan)
    peer.announce("198.51.100.0/24")
    wait_until(lambda: "65000 65001" in routes(), 10, "the route")
    assert "(65535,6)" not in routes()
    peer.close()
    wait_until(lambda: "(65535,6)" in routes(), 10, "as the last choice")
    lan.gateway.ask("disable peer")
    wait_until(lambda: "65000 65001" not in routes(), 10, "gone")


# ---- silence -----------------------------------------------------------------------------------------------------

def silent_after_a_route(lan):
    peer = (Speaker(lan.lan, PEER, 65001).dial(lan.ADDRESS)
            .establish(hold_time=3, capabilities=capabilities(65001, gr_capability(notification=True))))
    peer.announce("198.51.100.0/24")
    wait_route(lan, "198.51.100.0/24")
    assert peer.expect_notification()[:2] == (4, 0)


def test_silence_is_no_restart(lab):
    """RFC 8538 would have it so; the setting says why not."""
    lan = start(lab)
    silent_after_a_route(lan)
    wait_route(lan, "198.51.100.0/24", False)


def test_silence_is_a_restart_where_it_is_to_be(lab):
    lan = start(lab, "graceful_restart_on_silence = true;")
    silent_after_a_route(lan)
    stays(lambda: forwarding(lan), 2, "kept")
    assert "Neighbor graceful restart active" in lan.gateway.ask("show protocols all peer").text
