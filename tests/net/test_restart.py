# SPDX-License-Identifier: BSD-2-Clause
"""Sessions that end and come back: graceful restart as helper and as the one that restarts, refreshes with a
beginning and an end, how long the way back takes."""

import os
import signal
import struct
import time

import pytest

import control
from clusters import PEERS
from conftest import Lan
from lab import stays, wait_until
from speaker import KEEPALIVE, NOTIFICATION, OPEN, ROUTE_REFRESH, UPDATE, Speaker, capability, message, parse_update
from test_transport import PASSWORD, Pair, pair   # noqa: F401 (a fixture)

PEER = "10.0.0.50"
BIRD_GR = "graceful restart on; graceful restart time 20;"


def gr_capability(seconds=20, restarting=False, forwarding=True, notification=False):
    head = seconds | (0x8000 if restarting else 0) | (0x4000 if notification else 0)
    return capability(64, struct.pack("!HHBB", head, 1, 1, 0x80 if forwarding else 0))


def capabilities(asn, *more):
    return (capability(1, b"\0\1\0\1") + capability(2) + capability(65, struct.pack("!I", asn)) + b"".join(more))


def start(lab, peer="", more=""):
    lan = Lan(lab, peers=f"""{{ name = "peer"; address = "{PEER}"; remote_as = 65001; group = "lan"; {peer} }},
                             {{ name = "other"; address = "10.0.0.51"; remote_as = 65004; group = "lan"; }}""", more=more)
    lan.gateway.start()
    return lan


def restarter(lan, **gr):
    return (Speaker(lan.lan, PEER, 65001).dial(lan.ADDRESS)
            .establish(capabilities=capabilities(65001, gr_capability(**gr))))


def end_of_rib(peer):
    peer.send(message(UPDATE, b"\0\0\0\0"))


def wait_route(lan, prefix, there=True, timeout=5):
    wait_until(lambda: bool(lan.gateway.namespace.next_hops(prefix)) == there, timeout,
               f"{prefix} {'in' if there else 'out of'} the kernel")


def forwarding(lan, prefix="198.51.100.0/24"):
    return bool(lan.gateway.namespace.next_hops(prefix))


# ---- as helper ---------------------------------------------------------------------------------------------------

def test_routes_stay_until_end_of_rib(lab):
    lan = start(lab)
    peer = restarter(lan)
    peer.announce("198.51.100.0/24", "203.0.113.0/24")
    end_of_rib(peer)
    wait_route(lan, "203.0.113.0/24")
    peer.close()
    stays(lambda: forwarding(lan), 2, "routes stay while the peer is away")
    assert "Neighbor graceful restart active" in lan.gateway.ask("show protocols all peer").text
    with restarter(lan, restarting=True) as peer:
        peer.announce("198.51.100.0/24")
        stays(lambda: forwarding(lan, "203.0.113.0/24"), 1, "until End-of-RIB")
        end_of_rib(peer)
        wait_route(lan, "203.0.113.0/24", False)
        assert forwarding(lan)


def test_routes_leave_when_the_time_is_up(lab):
    lan = start(lab)
    peer = restarter(lan, seconds=3)
    peer.announce("198.51.100.0/24")
    wait_route(lan, "198.51.100.0/24")
    peer.close()
    stays(lambda: forwarding(lan), 2, "for three seconds")
    wait_route(lan, "198.51.100.0/24", False)


def test_routes_leave_when_the_peer_has_not_kept_forwarding(lab):
    lan = start(lab)
    peer = restarter(lan)
    peer.announce("198.51.100.0/24")
    wait_route(lan, "198.51.100.0/24")
    peer.close()
    with restarter(lan, restarting=True, forwarding=False):
        wait_route(lan, "198.51.100.0/24", False, 1)


def test_routes_leave_with_a_notification(lab):
    lan = start(lab)
    with restarter(lan) as peer:
        peer.announce("198.51.100.0/24")
        wait_route(lan, "198.51.100.0/24")
        peer.send(message(NOTIFICATION, b"\6\4"))
        wait_route(lan, "198.51.100.0/24", False, 1)


def test_routes_stay_through_a_notification_where_both_know_how(lab):
    """RFC 8538."""
    lan = start(lab)
    with restarter(lan, notification=True) as peer:
        peer.announce("198.51.100.0/24")
        wait_route(lan, "198.51.100.0/24")
        peer.send(message(NOTIFICATION, b"\6\4"))
        stays(lambda: forwarding(lan), 2, "Administrative Reset keeps routes")
    with restarter(lan, notification=True) as peer:
        stays(lambda: forwarding(lan), 1, "until End-of-RIB")
        peer.send(message(NOTIFICATION, b"\6\x09\6\2"))
        wait_route(lan, "198.51.100.0/24", False, 1)
    assert "Administrative shutdown" in lan.gateway.ask("show protocols all peer").text


def test_disable_is_a_hard_reset_where_the_peer_would_keep_routes(lab):
    lan = start(lab)
    with restarter(lan, notification=True) as peer:
        lan.gateway.ask('disable peer "back at noon"')
        assert peer.expect_notification() == (6, 9, b"\6\2\x0cback at noon")


def test_disable_ends_stale_routes(lab):
    lan = start(lab)
    peer = restarter(lan)
    peer.announce("198.51.100.0/24")
    wait_route(lan, "198.51.100.0/24")
    peer.close()
    stays(lambda: forwarding(lan), 1, "stale")
    lan.gateway.ask("disable peer")
    wait_route(lan, "198.51.100.0/24", False, 1)


def test_new_connection_while_established_means_a_restart(lab):
    lan = start(lab)
    old = restarter(lan)
    old.announce("198.51.100.0/24")
    wait_route(lan, "198.51.100.0/24")
    time.sleep(1)       # no longer one that crossed the first
    with restarter(lan, restarting=True) as peer:
        stays(lambda: forwarding(lan) and "peer" in lan.gateway.established(), 1, "taken over")
        end_of_rib(peer)
        wait_route(lan, "198.51.100.0/24", False)
        assert lan.gateway.ask("show protocols all peer").text.count("Established")
    old.close()


def test_new_connection_that_says_nothing_changes_nothing(lab):
    lan = start(lab)
    with restarter(lan) as peer:
        peer.announce("198.51.100.0/24")
        wait_route(lan, "198.51.100.0/24")
        with Speaker(lan.lan, PEER, 65001).dial(lan.ADDRESS):
            stays(lambda: forwarding(lan) and "peer" in lan.gateway.established(), 2, "undisturbed")
        peer.announce("203.0.113.0/24")
        wait_route(lan, "203.0.113.0/24")


def test_bird_killed_and_started_again(pair):
    """Its routes are never out of the kernel."""
    pair.start("", BIRD_GR)
    wait_until(pair.exchanged, 15, "routes")
    there = lambda: bool(pair.ours_next_hops())     # noqa: E731
    wait_until(there, 5, "in the kernel")
    pair.bird.stop(signal.SIGKILL)
    stays(there, 3, "while BIRD is away")
    pair.start_bird(BIRD_GR, recovers=True)
    stays(there, 3, "and when it comes back")
    wait_until(pair.exchanged, 10, "back")


def test_host_that_takes_no_connections_does_not_keep_its_routes(pair):
    """The time it asks for is two minutes; who restarts a process is back within twenty seconds."""
    pair.start("", "graceful restart on; graceful restart time 120;")
    wait_until(pair.exchanged, 15, "routes")
    wait_until(pair.ours_next_hops, 5, "in the kernel")
    pair.bird.stop(signal.SIGKILL)
    stays(pair.ours_next_hops, 10, "a restart may take that long")
    wait_until(lambda: not pair.gateway.has_route("203.0.113.0/24"), 40, "no restart does")
    assert 'why="it takes no connections"' in pair.gateway.process.log()


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_link_that_goes_takes_stale_routes_along(pair, side):
    pair.start("", BIRD_GR)
    wait_until(pair.exchanged, 15, "routes")
    pair.bird.stop(signal.SIGKILL)
    wait_until(lambda: "graceful restart active" in pair.gateway.ask("show protocols all bird").text, 10, "stale")
    getattr(pair, side).ip("link set eth0 down")
    wait_until(lambda: not pair.ours.routes("exact", "203.0.113.0/24"), 5, "out of the kernel with the link")
    wait_until(lambda: not pair.gateway.has_route("203.0.113.0/24"), 12, "and out of the table")


def test_dead_host_does_not_keep_its_routes(pair):
    """BIRD's process goes first, then its host: nobody answers there any more."""
    pair.start("", BIRD_GR)
    wait_until(pair.exchanged, 15, "routes")
    pair.bird.stop(signal.SIGKILL)
    pair.theirs.ip("addr flush dev eth0")
    wait_until(lambda: not pair.gateway.has_route("203.0.113.0/24"), 12, "stale routes leave early")


# ---- as the one that restarts ------------------------------------------------------------------------------------

def open_of(peer):
    """(R bit, N bit, seconds, F bit) of the gateway's graceful restart capability."""
    body = peer.expect(OPEN)
    raw = body[10:]
    while raw:
        kind, size = raw[0], raw[1]
        value, raw = raw[2:2 + size], raw[2 + size:]
        while kind == 2 and value:
            code, length = value[0], value[1]
            if code == 64:
                head, _, _, flags = struct.unpack("!HHBB", value[2:8])
                return bool(head & 0x8000), bool(head & 0x4000), head & 0xfff, bool(flags & 0x80)
            value = value[2 + length:]
    return None


def test_restart_is_told_and_end_of_rib_waits(lab):
    lan = start(lab, more='static = ( { prefix = "192.0.2.0/24"; blackhole = true; } );')
    with Speaker(lan.lan, PEER, 65001).dial(lan.ADDRESS) as peer:
        assert open_of(peer) == (False, True, 120, False)
    wait_until(lambda: lan.gateway.namespace.routes("exact", "192.0.2.0/24"), 5, "the static route")
    lan.gateway.kill()
    lan.gateway.start()
    with Speaker(lan.lan, PEER, 65001).dial(lan.ADDRESS) as peer:
        assert open_of(peer) == (True, True, 120, True)
        peer.send_open(capabilities=capabilities(65001, gr_capability()))
        peer.expect(KEEPALIVE)
        peer.send(message(KEEPALIVE))
        seen = []
        with Speaker(lan.lan, "10.0.0.51", 65004).dial(lan.ADDRESS).establish() as other:
            other.announce("203.0.113.0/24")
            peer.socket.settimeout(2)
            try:
                while True:
                    kind, body = peer.read(2)
                    if kind == UPDATE:
                        seen.append(body)
            except TimeoutError:
                pass
            assert b"\0\0\0\0" not in seen, "End-of-RIB before everybody has told us what it has"
            other.send(message(UPDATE, b"\0\0\0\0"))
            peer.send(message(UPDATE, b"\0\0\0\0"))
            while peer.expect(UPDATE) != b"\0\0\0\0":
                pass


def test_kill_9_keeps_our_routes_at_bird(pair):
    pair.start("", BIRD_GR)
    wait_until(pair.exchanged, 15, "routes")
    bird = pair.lab.path("bird.ctl")
    there = lambda: "198.51.100.0/24" in control.ask(bird, "show route").text       # noqa: E731
    pair.gateway.kill()
    stays(there, 2, "BIRD keeps them")
    assert pair.ours_next_hops(), "and so does the kernel"
    pair.gateway.start()
    stays(lambda: there() and pair.ours_next_hops(), 4, "through all of it")
    wait_until(pair.exchanged, 10, "back")


def test_graceful_restart_command(pair):
    pair.start("", BIRD_GR)
    wait_until(pair.exchanged, 15, "routes")
    bird = pair.lab.path("bird.ctl")
    there = lambda: "198.51.100.0/24" in control.ask(bird, "show route").text       # noqa: E731
    pair.gateway.ask("graceful restart")
    assert pair.gateway.process.wait() == 0
    stays(lambda: there() and pair.ours_next_hops(), 2, "routes stay on both sides")
    pair.gateway.start()
    stays(lambda: there() and pair.ours_next_hops(), 4, "through all of it")


def test_what_left_the_file_goes_at_once_and_a_peers_route_waits_and_is_shown(lab):
    statics = """{ prefix = "192.0.2.0/25"; blackhole = true; }, { prefix = "192.0.2.128/25"; unreachable = true; },
                 { prefix = "198.18.0.0/24"; interface = "eth0"; },"""
    kept = '{ prefix = "198.18.1.0/24"; interface = "eth0"; }, { prefix = "198.18.2.0/24"; blackhole = true; }'
    lan = start(lab, more=f"static = ( {statics} {kept} );")
    box = lan.gateway.namespace
    ours = lambda: {r["dst"] for r in box.routes("proto", "178")}     # noqa: E731
    peer = restarter(lan)
    peer.announce("203.0.113.0/24")
    stay = {"198.18.1.0/24", "198.18.2.0/24", "203.0.113.0/24"}
    wait_until(lambda: ours() == stay | {"192.0.2.0/25", "192.0.2.128/25", "198.18.0.0/24"}, 10, "all of them")
    lan.gateway.kill()
    peer.close()
    with open(lan.gateway.conf_path, encoding="utf-8") as file:
        conf = file.read().replace(statics, "")
    lan.gateway.configure(conf)
    lan.gateway.start()
    wait_until(lambda: ours() == stay, 10, "no peer can have brought the others")
    stays(lambda: ours() == stay, 2, "while the peer may still come back")
    shown = lan.gateway.ask("show route table fib").text
    assert "203.0.113.0/24       unicast [adopted] until its peer is back" in shown and shown.count("adopted") == 1
    assert f"via {PEER} on eth0" in shown
    with restarter(lan) as peer:
        peer.announce("203.0.113.0/24")
        wait_until(lambda: "[peer " in lan.gateway.ask("show route table fib").text, 10, "confirmed")
        assert "adopted" not in lan.gateway.ask("show route table fib").text
        assert ours() == stay


def second(lan):
    """Another daemon in the same namespace, but for its control socket the same."""
    command = lan.gateway.process.child.args[4:]
    command[command.index("-s") + 1] += ".second"
    return lan.gateway.namespace.spawn("second", command)


def test_second_daemon_would_remove_our_routes_and_is_refused(lab):
    lan = start(lab, more='static = ( { prefix = "192.0.2.0/24"; blackhole = true; } );')
    there = lambda: bool(lan.gateway.namespace.routes("exact", "192.0.2.0/24"))     # noqa: E731
    wait_until(there, 5, "our route")
    for _ in range(5):          # who asks leaves no trace
        other = second(lan)
        assert other.wait() == 3
        assert f'protocol=178 pid={lan.gateway.process.child.pid} mend="stop it, or give one' in other.log()
    assert there()
    for _ in range(10):         # a lock that is left behind would keep the next one out
        lan.gateway.kill()
        lan.gateway.start()
    assert there()


def test_name_of_the_lock_taken_by_any_other_user_keeps_nobody_out(lab):
    lan = Lan(lab)
    squatter = lan.gateway.namespace.spawn("squatter", [
        "python3", "-c", "import os, socket; os.setuid(65534); s = socket.socket(socket.AF_UNIX); "
        "s.bind('\\0mcbgpd-fib-178'); s.listen(); print('ready', flush=True); s.accept(); s.accept()"])
    wait_until(lambda: "ready" in squatter.log(), 10, "the name is taken")
    lan.gateway.start()
    assert "event=fib.lock_taken name=mcbgpd-fib-178 uid=65534" in lan.gateway.process.log()
    squatter.stop()


# ---- refreshes ---------------------------------------------------------------------------------------------------

def refresh(kind):
    return message(ROUTE_REFRESH, struct.pack("!HBB", 1, kind, 1))


def next_of(peer, *kinds, timeout=5):
    while True:
        kind, body = peer.read(timeout)
        if kind in kinds:
            return kind, body


def test_refresh_is_demarcated_both_ways(lab):
    lan = start(lab, more='static = ( { prefix = "192.0.2.0/24"; blackhole = true; } );')
    peer = Speaker(lan.lan, PEER, 65001).dial(lan.ADDRESS)
    with peer.establish(capabilities=capabilities(65001, capability(70))):
        while next_of(peer, UPDATE)[1] != b"\0\0\0\0":
            pass
        peer.send(refresh(0))
        assert next_of(peer, UPDATE, ROUTE_REFRESH) == (ROUTE_REFRESH, struct.pack("!HBB", 1, 1, 1))
        kind, body = next_of(peer, UPDATE, ROUTE_REFRESH)
        assert kind == UPDATE and parse_update(body)[2] == ["192.0.2.0/24"]
        assert next_of(peer, UPDATE, ROUTE_REFRESH) == (ROUTE_REFRESH, struct.pack("!HBB", 1, 2, 1))
        peer.announce("198.51.100.0/24", "203.0.113.0/24")
        wait_route(lan, "203.0.113.0/24")
        peer.send(refresh(1))
        peer.announce("198.51.100.0/24")
        stays(lambda: forwarding(lan, "203.0.113.0/24"), 1, "until the end of the refresh")
        peer.send(refresh(2))
        wait_route(lan, "203.0.113.0/24", False)
        assert forwarding(lan)


# ---- the way back ------------------------------------------------------------------------------------------------

def test_capabilities_that_are_refused_are_left_out(lab):
    """RFC 5492: first those that the peer names, then all."""
    lan = start(lab, "passive = false; connect_retry = 1;")
    for data, want in (b"\x40\0", "no graceful restart"), (b"", "none at all"):
        with Speaker(lan.lan, PEER, 65001).accept(timeout=5) as peer:
            body = peer.expect(OPEN)
            assert body[9], "capabilities are offered"
            peer.send(message(NOTIFICATION, b"\2\7" + data))
    with Speaker(lan.lan, PEER, 65001, four_byte=False).accept(timeout=5) as peer:
        assert peer.expect(OPEN)[9] == 0, want
        peer.send_open(capabilities=b"")
        peer.expect(KEEPALIVE)
        peer.send(message(KEEPALIVE))
        wait_until(lambda: "peer" in lan.gateway.established(), 5, "up without capabilities")


def test_peer_that_restarts_is_back_soon(pair):
    """A second from when it listens again is the aim, however long it was away; how long it took is printed."""
    pair.start("", "passive on;")
    wait_until(pair.exchanged, 15, "routes")
    for away in 0, 3, 8:
        pair.bird.stop(signal.SIGKILL)
        time.sleep(away)
        pair.start_bird("passive on;")
        begun = time.monotonic()
        wait_until(pair.up, 10, f"back after {away} s")
        print(f"back {time.monotonic() - begun:.1f} s after it listens again, {away} s after it went")


# ---- FRR ---------------------------------------------------------------------------------------------------------

BGPD = f"{PEERS}/frr/usr/lib/frr/bgpd"
LIBRARIES = ":".join([f"{PEERS}/frr/usr/lib/x86_64-linux-gnu/frr",
                      *(f"{PEERS}/{package}/usr/lib/x86_64-linux-gnu" for package in ("libyang2", "libjson-c5", "libc-ares2"))])


def frr_users(pair):
    """What its package would have added to passwd and group, bound over them for FRR alone."""
    binds = []
    for file, line in (("passwd", "{0}:x:49{1}:49{1}::/:/bin/false\n"), ("group", "{0}:x:49{1}:root\n")):
        with open(f"/etc/{file}", encoding="utf-8") as known:
            others = [entry for entry in known if not entry.startswith(("frr:", "frrvty:"))]
        text = "".join(others + [line.format(name, i) for i, name in enumerate(("frr", "frrvty"))])
        binds.append(f"mount --bind {pair.lab.write(file, text)} /etc/{file}")
    return " && ".join(binds)


def start_frr(pair, serial):
    conf = pair.lab.write("frr.conf", f"""
router bgp 65001
 bgp router-id 10.0.0.2
 no bgp ebgp-requires-policy
 no bgp network import-check
 bgp graceful-restart
 bgp graceful-restart preserve-fw-state
 neighbor 10.0.0.1 remote-as 65000
 neighbor 10.0.0.1 password {PASSWORD.replace(" ", "_")}
 neighbor 10.0.0.1 ttl-security hops 1
 neighbor 10.0.0.1 timers connect 1
 address-family ipv4 unicast
  network 203.0.113.0/24
 exit-address-family
""")
    os.makedirs(pair.lab.path("frr"), exist_ok=True)
    os.chmod(pair.lab.path("frr"), 0o777)
    return pair.theirs.spawn(f"frr{serial}", ["unshare", "-m", "sh", "-c", f'{frr_users(pair)} && exec "$@"', "frr",
                                              BGPD, "-u", "root", "-g", "root", "-Z", "-f", conf,
                                              "-i", pair.lab.path(f"frr/pid{serial}"),
                                              "--vty_socket", pair.lab.path("frr"), "-P", "0", "--log", "stdout"],
                             env={"LD_LIBRARY_PATH": LIBRARIES})


def test_frr_signed_and_near_is_killed_and_started_again(pair):
    secret = pair.secret(PASSWORD.replace(" ", "_"))
    pair.configure(f'password_file = "{secret}"; ttl_security = true;')
    pair.gateway.start()
    frr = start_frr(pair, 1)
    wait_until(pair.ours_next_hops, 20, "a route of FRR in the kernel")
    frr.stop(signal.SIGKILL)
    stays(pair.ours_next_hops, 3, "while FRR is away")
    start_frr(pair, 2)
    stays(pair.ours_next_hops, 5, "and when it comes back")
    wait_until(pair.up, 10, "back")
