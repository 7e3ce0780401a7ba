# SPDX-License-Identifier: BSD-2-Clause
"""What carries a session: TCP MD5, TTL security, multihop, the link it is bound to; readers that are slow."""

import contextlib
import json
import os
import re
import signal
import socket
import threading
import time

import pytest

import control
from clusters import BIRD, Gateway
from conftest import Lan
from lab import stays, veth, wait_until
from speaker import AS_PATH, KEEPALIVE, NOTIFICATION, OPEN, UPDATE, Closed, Speaker, attribute, message, open_body, parse_update

PASSWORD = "correct horse battery staple"


@contextlib.contextmanager
def beating(speaker, interval=0.5):
    """@speaker sends KEEPALIVEs meanwhile, whatever else it does or does not do."""
    ended = threading.Event()

    def beat():
        with contextlib.suppress(OSError):      # the other side ended it
            while not ended.wait(interval):
                speaker.send(message(KEEPALIVE))

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Pair:
    """mcbgpd, 10.0.0.1, AS 65000, and BIRD 2, 10.0.0.2, AS 65001, on one cable."""

    def __init__(self, lab):
        self.lab = lab
        self.ours = lab.namespace("ours")
        self.theirs = lab.namespace("theirs")
        veth(self.ours, "eth0", self.theirs, "eth0")
        self.ours.ip("addr add 10.0.0.1/24 dev eth0")
        self.theirs.ip("addr add 10.0.0.2/24 dev eth0", "addr add 10.0.0.3/24 dev eth0")
        self.gateway = Gateway(lab, "gateway", self.ours)

    def start(self, peer, bird="", where='address = "10.0.0.2";', extra="", **settings):
        self.configure(peer, where, **settings)
        self.gateway.start()
        self.start_bird(bird, extra)

    def configure(self, peer, where='address = "10.0.0.2";', others="", asn=65001, retry=1):
        self.peer, self.where = peer, where
        self.gateway.configure(f"""
router = {{ id = "10.0.0.1"; as = 65000; }};
log = {{ level = "debug"; }};
peers = ( {{ name = "bird"; {where} remote_as = {asn}; import = "all"; export = "all"; connect_retry = {retry}; {peer} }}
          {others} );
kernel = {{ export = "all"; }};
static = ( {{ prefix = "198.51.100.0/24"; blackhole = true; }} );
""")

    def add_peer(self, other):
        self.configure(self.peer, self.where, others=", " + other)
        self.gateway.reload()
        wait_until(lambda: "config.applied" in self.gateway.process.log(), 10, "the new configuration")

    def start_bird(self, bird, extra="", asn=65001, recovers=False):
        """@recovers: it tells its peers that it has kept forwarding."""
        path = self.lab.write("bird.conf", f"""
log stderr all;
router id 10.0.0.2;
protocol device {{ scan time 2; }}
protocol static {{ ipv4; route 203.0.113.0/24 via 10.0.0.2; }}
protocol bgp gate {{
	local 10.0.0.2 as {asn}; neighbor 10.0.0.1 as 65000;
	connect retry time 1; connect delay time 1; error wait time 1, 2;
	{bird}
	ipv4 {{ import all; export all; }};
}}
{extra}""")
        self.bird = self.theirs.spawn("bird", [BIRD[2], "-f", *(["-R"] if recovers else []),
                                               "-c", path, "-s", self.lab.path("bird.ctl")])

    def secret(self, text=PASSWORD, mode=0o600, name="secret"):
        path = self.lab.write(name, text + "\n")
        os.chmod(path, mode)
        return path

    def up(self):
        names = self.gateway.established()
        return any(name.startswith("bird") for name in names)

    def ours_next_hops(self):
        return self.ours.next_hops("203.0.113.0/24")

    def exchanged(self):
        return (self.up() and self.gateway.has_route("203.0.113.0/24") and
                "198.51.100.0/24" in control.ask(self.lab.path("bird.ctl"), "show route").text)


@pytest.fixture
def pair(lab):
    return Pair(lab)


@pytest.mark.parametrize("ours, theirs", [("passive = true;", ""), ("", "passive on;"), ("", "")],
                         ids=["accepted", "dialled", "both"])
def test_md5_with_bird(pair, ours, theirs):
    pair.start(f'password_file = "{pair.secret()}"; {ours}', f'password "{PASSWORD}"; {theirs}')
    wait_until(pair.exchanged, 15, "routes over a signed session")
    assert PASSWORD not in pair.gateway.process.log()


def test_md5_of_a_range_with_bird(pair):
    pair.start(f'password_file = "{pair.secret()}";', f'password "{PASSWORD}";', where='range = "10.0.0.0/28";')
    wait_until(pair.exchanged, 15, "routes over a signed session")


@pytest.mark.parametrize("bird", ["", 'password "another";'], ids=["unsigned", "wrong"])
def test_md5_refuses_what_is_not_signed_so(pair, bird):
    pair.start(f'password_file = "{pair.secret()}"; passive = true;', bird)
    stays(lambda: not pair.up(), 4, "no session")


def test_md5_wrong_password_is_suspected_in_words_and_dialled_ever_more_rarely(pair):
    """The kernel of either side drops what the other says, so that all there is to see is silence."""
    pair.start(f'password_file = "{pair.secret()}";', 'password "another"; passive on;')
    wait_until(lambda: "perhaps the peer has another password" in pair.gateway.protocols()["bird"]["info"], 20, "said")
    document = json.loads(pair.gateway.mcbgpc("--json", "show", "protocols", "all", "bird").stdout)
    assert "Connection timed out" in document["protocols"][0]["last_attempt"]
    assert "last_error" not in document["protocols"][0], "there was no session"
    pair.bird.stop()
    pair.start_bird(f'password "{PASSWORD}";')      # and it dials in
    wait_until(pair.exchanged, 15, "whoever dials in with the right password is taken at once")
    assert "perhaps" not in pair.gateway.ask("show protocols all bird").text


@pytest.mark.parametrize("secret, bird, word, key", [
    (True, 'password "another";', "signed with another password", "wrong"),
    (True, "", "not signed", "missing"),
    (False, f'password "{PASSWORD}";', "signed, where there is no password_file", "unexpected")],
    ids=["wrong", "unsigned", "signed"])
def test_md5_drops_are_counted_where_one_looks_for_a_passive_peer(pair, secret, bird, word, key):
    """The kernel drops its SYNs, so that nobody sees it come."""
    pair.start((f'password_file = "{pair.secret()}"; ' if secret else "") + "passive = true;", "passive on;")

    def shown():
        return [line for line in pair.gateway.ask("show protocols all bird").text.splitlines() if "TCP MD5:" in line]

    assert shown() == [], "nobody has dialled"
    pair.bird.stop()
    pair.start_bird(bird)
    wait_until(shown, 15, "what was dropped")
    assert re.search(f"[1-9][0-9]* (segments )?{word}", shown()[0]), shown()
    document = json.loads(pair.gateway.mcbgpc("--json", "show", "protocols", "all", "bird").stdout)
    assert document["protocols"][0]["md5_dropped"][key] > 0
    pair.bird.stop()
    pair.start_bird(f'password "{PASSWORD}";' if secret else "")
    wait_until(pair.exchanged, 15, "routes over a session")
    assert shown() == [], "it has a session"


def test_md5_of_two_peers_at_one_address(pair):
    """The kernel has one key for it, which stays while one of them is left."""
    secret = pair.secret()
    pair.ours.ip("addr add 10.0.0.4/24 dev eth0")
    pair.configure(f'password_file = "{secret}"; local_address = "10.0.0.1"; passive = true;',
                   others=f""", {{ name = "twin"; address = "10.0.0.2"; local_address = "10.0.0.4"; remote_as = 65001;
                                  passive = true; password_file = "{secret}"; import = "all"; }}""")
    pair.gateway.start()
    pair.start_bird(f'password "{PASSWORD}";', f"""
protocol bgp twin {{ local 10.0.0.2 as 65001; neighbor 10.0.0.4 as 65000; connect delay time 1; connect retry time 1;
	error wait time 1, 2; password "{PASSWORD}"; ipv4 {{ import none; export none; }}; }}""")
    wait_until(lambda: {"bird", "twin"} <= pair.gateway.established(), 15, "each has its session")
    pair.configure(pair.peer, pair.where)
    pair.gateway.reload()
    wait_until(lambda: "twin" not in pair.gateway.protocols(), 10, "one is gone")
    pair.gateway.ask("restart bird")
    wait_until(pair.exchanged, 15, "the other is taken, signed")
    control.ask(pair.lab.path("bird.ctl"), "restart gate")
    wait_until(lambda: "Received" in pair.gateway.ask("show protocols all bird").text, 15, "ended by BIRD")
    wait_until(pair.exchanged, 15, "and again")


def test_md5_password_changes_with_a_reload(pair):
    path = pair.secret("first")
    pair.start(f'password_file = "{path}";', f'password "{PASSWORD}";')
    stays(lambda: not pair.up(), 2, "no session")
    pair.secret()
    pair.gateway.reload()
    wait_until(pair.exchanged, 15, "routes over a signed session")


@pytest.mark.parametrize("mode, text", [(0o644, PASSWORD), (0o620, PASSWORD), (0o600, ""), (0o600, "x" * 81)],
                         ids=["readable", "writable", "empty", "long"])
def test_md5_file_that_cannot_be_used_means_no_session(pair, mode, text):
    """Neither dialled nor accepted, signed or not."""
    pair.start(f'password_file = "{pair.secret(text, mode)}";')
    stays(lambda: not pair.up(), 3, "no session")
    assert "event=peer.password" in pair.gateway.process.log()
    assert "Error: password_file cannot be used: " in pair.gateway.protocols()["bird"]["info"]
    assert "x" * 81 not in pair.gateway.process.log()
    os.chmod(pair.secret(), 0o600)
    pair.bird.stop()
    pair.start_bird(f'password "{PASSWORD}";')
    pair.gateway.reload()
    wait_until(pair.exchanged, 15, "a session once the file is mended")


def test_ttl_security_on_one_side_is_suspected_in_words(pair):
    pair.start("ttl_security = true;", "passive on;")
    wait_until(lambda: "perhaps the peer has no ttl_security" in pair.gateway.protocols()["bird"]["info"], 20, "said")


@pytest.mark.parametrize("ours, theirs", [("passive = true;", ""), ("", "passive on;")], ids=["accepted", "dialled"])
def test_ttl_security_with_bird(pair, ours, theirs):
    pair.start(f"ttl_security = true; {ours}", f"ttl security on; {theirs}")
    wait_until(pair.exchanged, 15, "routes with TTL 255")


def test_ttl_security_drops_what_comes_from_afar(pair):
    """BIRD without TTL security sends TTL 1."""
    pair.start("ttl_security = true; passive = true;")
    wait_until(lambda: "peer bird has ttl_security, and this came with TTL 1 instead of 255 or more" in
               pair.gateway.process.log(), 15, "why")
    stays(lambda: not pair.up(), 3, "no session")


@pytest.mark.parametrize("where, ours, theirs", [
    ('address = "10.0.0.2";', "10.0.0.1", "10.0.0.2"), ('address = "fd00::2";', "fd00::1", "fd00::2"),
    ('range = "10.0.0.0/24";', "10.0.0.1", "10.0.0.2")], ids=["ipv4", "ipv6", "range"])
def test_ttl_security_leaves_no_time_to_speak_from_afar(pair, where, ours, theirs):
    """All at once behind the handshake, so that it waits to be read when we first look at the socket."""
    pair.ours.ip("addr add fd00::1/64 dev eth0 nodad")
    pair.theirs.ip("addr add fd00::2/64 dev eth0 nodad")
    pair.configure("ttl_security = true; passive = true;", where)
    pair.gateway.start()
    near, far = 255, 64

    def burst(ttl):
        speaker = Speaker(pair.theirs, theirs, 65001, router_id="10.0.0.2")
        with ttl_of(speaker, ttl).dial(ours):
            speaker.send(message(OPEN, open_body(65001, "10.0.0.2")) + message(KEEPALIVE))
            try:
                first, _ = speaker.read()
            except Closed:
                return "refused"
            return {OPEN: "taken", NOTIFICATION: "refused"}[first]

    assert [burst(far) for _ in range(10)] == ["refused"] * 10
    assert "event=session.up" not in pair.gateway.process.log()
    assert "and this came with TTL 64 instead of 255 or more" in pair.gateway.process.log()
    assert burst(near) == "taken"


def ttl_of(speaker, ttl):
    """@speaker, what it sends having that TTL from the first packet on."""
    make = speaker.namespace.socket

    class Namespace:
        @staticmethod
        def socket(family):
            made = make(family)
            set_ttl(made, ttl)
            return made

    speaker.namespace = Namespace
    return speaker


def set_ttl(made, ttl):
    if made.family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
    else:
        made.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)


def test_ttl_security_taken_back_ends_half_a_session(pair):
    """The peer hears us and we do not hear it, so that it waits for what comes next.  That we give up must reach it."""
    pair.configure("ttl_security = true; passive = true;")
    pair.gateway.start()
    pair.gateway.process.send(signal.SIGSTOP)       # nothing is said before it is too far away
    with ttl_of(Speaker(pair.theirs, "10.0.0.2", 65001), 255).dial("10.0.0.1") as speaker:
        set_ttl(speaker.socket, 1)
        pair.gateway.process.send(signal.SIGCONT)
        wait_until(lambda: re.search(r":179 .*timer:\(on,[^,]*,[3-9]\)", pair.ours.run("ss", "-tno").stdout), 30,
                   "half a session, on which we have sent several times what nobody seems to acknowledge")
        pair.configure("passive = true;")
        pair.gateway.reload()
        speaker.socket.settimeout(45)
        with pytest.raises(Closed):     # with our NOTIFICATION or without
            while True:
                speaker.read(45)


def test_ttl_security_over_hops(pair):
    pair.start("ttl_security = true; multihop = 3;", "multihop 3; ttl security on;")
    wait_until(pair.up, 15, "a session over as many hops")


@pytest.mark.parametrize("ours, theirs", [("passive = true;", ""), ("", "passive on;")], ids=["accepted", "dialled"])
def test_multihop_through_a_router(lab, ours, theirs):
    pair = Pair(lab)
    router = lab.namespace("router")
    pair.ours.ip("link del eth0")
    veth(pair.ours, "eth0", router, "left")
    veth(router, "right", pair.theirs, "eth0")
    router.sysctl("ipv4.ip_forward", 1)
    router.ip("addr add 10.0.1.254/24 dev left", "addr add 10.0.0.254/24 dev right")
    pair.ours.ip("addr add 10.0.1.1/24 dev eth0", "route add default via 10.0.1.254")
    pair.theirs.ip("addr add 10.0.0.2/24 dev eth0", "route add default via 10.0.0.254")
    pair.start(f'multihop = 2; local_address = "10.0.1.1"; {ours}')
    pair.bird.stop()
    path = pair.lab.path("bird.conf")
    with open(path) as file:
        text = file.read().replace("neighbor 10.0.0.1 as 65000;", f"neighbor 10.0.1.1 as 65000; multihop 2; {theirs}")
    pair.lab.write("bird.conf", text)
    pair.bird = pair.theirs.spawn("bird", [BIRD[2], "-f", "-c", path, "-s", pair.lab.path("bird.ctl")])
    wait_until(pair.up, 15, "a session through a router")


def two_links(lab):
    """The peer is behind eth1, and the same address can be reached by eth0 too."""
    ours, theirs = lab.namespace("ours"), lab.namespace("theirs")
    veth(ours, "eth0", theirs, "eth0")
    veth(ours, "eth1", theirs, "eth1")
    ours.ip("addr add 10.0.0.1/24 dev eth0", "addr add 10.0.1.1/24 dev eth1")
    theirs.ip("addr add 10.0.0.2/24 dev eth0", "addr add 10.0.1.2/24 dev eth1")
    for box in ours, theirs:
        for link in "all", "default", "eth0", "eth1":
            box.sysctl(f"ipv4.conf.{link}.rp_filter", 0)
    gateway = Gateway(lab, "gateway", ours, """
router = { id = "10.0.0.1"; as = 65000; };
log = { level = "debug"; };
peers = ( { name = "peer"; address = "10.0.1.2"; interface = "eth1"; remote_as = 65001; import = "all";
            export = "all"; passive = true; } );
""")
    gateway.start()
    return gateway, theirs


def test_peer_bound_to_a_link_is_taken_by_that_link_only(lab):
    gateway, theirs = two_links(lab)
    with Speaker(theirs, "10.0.1.2", 65001).dial("10.0.1.1").establish():
        assert "peer" in gateway.established()
    theirs.ip("route replace 10.0.1.1/32 dev eth0")     # the long way round: in by eth0
    with Speaker(theirs, "10.0.1.2", 65001).dial("10.0.1.1") as wrong:
        with pytest.raises(Closed):
            while True:
                wrong.read()
    assert "peer peer expects connections over eth1" in gateway.process.log()


TWINS = """
{ name = "first"; address = "fe80::1"; interface = "eth0"; group = "routers"; },
{ name = "second"; address = "fe80::1"; interface = "eth1"; group = "routers"; }"""


@pytest.mark.parametrize("peers, dialled", [(TWINS, False), (TWINS, True), ('{ name = "any"; range = "fe80::/64"; group = "routers"; }', False)],
                         ids=["accepted", "dialled", "of a range"])
def test_one_link_local_address_on_two_links(lab, peers, dialled):
    """Two routers that are both fe80::1, each on a link of its own, told apart by that."""
    ours, theirs = lab.namespace("ours"), lab.namespace("theirs")
    for link in "eth0", "eth1":
        veth(ours, link, theirs, link)
        ours.ip(f"addr add fe80::a/64 dev {link} nodad")
        theirs.ip(f"addr add fe80::1/64 dev {link} nodad")
    gateway = Gateway(lab, "gateway", ours, f"""
router = {{ id = "10.0.0.1"; as = 65000; }};
log = {{ level = "debug"; }};
peer_groups = {{ routers = {{ import = "all"; export = "all"; connect_retry = 1; {"" if dialled else "passive = true;"} remote_as = 65001;
                             families = [ "ipv6" ]; }}; }};
peers = ( {peers} );
kernel = {{ export = "all"; }};
""")
    gateway.start()
    path = lab.write("bird.conf", f"""
log stderr all;
router id 10.0.0.2;
protocol device {{ scan time 2; }}
protocol static {{ ipv6; route 2001:db8:1::/48 blackhole; route 2001:db8:2::/48 blackhole; }}
template bgp gate {{ connect retry time 1; connect delay time 1; error wait time 1, 2; direct;
	{'passive on;' if dialled else ''} }}
protocol bgp one from gate {{ local fe80::1 as 65001; neighbor fe80::a%eth0 as 65000;
	ipv6 {{ import all; export where net = 2001:db8:1::/48; next hop self; }}; }}
protocol bgp two from gate {{ local fe80::1 as 65001; neighbor fe80::a%eth1 as 65000;
	ipv6 {{ import all; export where net = 2001:db8:2::/48; next hop self; }}; }}
""")
    bird = theirs.spawn("bird", [BIRD[2], "-f", "-c", path, "-s", lab.path("bird.ctl")])
    wait_until(lambda: gateway.established() in ({"first", "second"}, {"any_fe80::1%eth0", "any_fe80::1%eth1"}), 20, "both")
    links = lambda prefix: {route.get("dev") for route in ours.ip_json(f"-6 route show {prefix}")}    # noqa: E731
    wait_until(lambda: links("2001:db8:1::/48") == {"eth0"} and links("2001:db8:2::/48") == {"eth1"}, 10,
               "each one's route over its own link")
    assert bird.alive() and "event=session.refused" not in gateway.process.log()


def test_peer_that_connects_to_another_address_is_told_apart_from_a_stranger(pair):
    pair.ours.ip("addr add 10.0.0.4/24 dev eth0")
    pair.start('local_address = "10.0.0.4"; passive = true;')
    wait_until(lambda: "peer bird expects connections to 10.0.0.4" in pair.gateway.process.log(), 15, "why")
    assert "no peer has this address" not in pair.gateway.process.log()


def test_wrong_as_is_said_with_its_number_on_both_sides(pair):
    pair.start("local_as = 65009; passive = true;")
    wait_until(lambda: "Received: Bad peer AS: we say 65009" in pair.gateway.protocols()["bird"]["info"], 15, "ours")
    pair.configure("passive = true;", asn=65007)
    pair.gateway.reload()
    wait_until(lambda: "BGP Error: Bad peer AS: it says 65001, expected 65007" in
               pair.gateway.protocols()["bird"]["info"], 15, "theirs")


def test_data_that_is_never_acknowledged_ends_the_session(lab):
    """TCP_USER_TIMEOUT alone: this session has no hold timer, and what it hears of is its own data."""
    lan = Lan(lab, peers='{ name = "peer"; address = "10.0.0.50"; remote_as = 65001; group = "lan"; hold_time = 4; },'
                         '{ name = "feed"; address = "10.0.0.51"; remote_as = 65004; group = "lan"; }')
    lan.gateway.start()
    with Speaker(lan.lan, "10.0.0.50", 65001) as mute, Speaker(lan.lan, "10.0.0.51", 65004) as feed:
        feed.dial(lan.ADDRESS).establish()
        mute.dial(lan.ADDRESS).establish(hold_time=0)
        mute.expect(UPDATE)
        time.sleep(1)       # acknowledged, too
        lan.lan.ip("rule add from 10.0.0.50 blackhole")     # it hears us; what it answers goes nowhere
        stays(lambda: "peer" in lan.gateway.established(), 6, "nothing is sent, nothing is missed")
        begun = time.monotonic()
        feed.announce("198.51.100.0/24")
        wait_until(lambda: "peer" not in lan.gateway.established(), 40, "the dead path is noticed")
        assert time.monotonic() - begun >= 3.5, "too early"
        assert "Socket: Connection timed out" in lan.gateway.ask("show protocols all peer").text


def test_peer_that_stands_still_with_a_full_socket_is_given_up_and_taken_back(pair):
    """Its kernel is alive and acknowledges, its process is stopped, and there is more for it than a socket holds."""
    pair.start("hold_time = 6; keepalive = 2;")
    with Speaker(pair.theirs, "10.0.0.3", 65003) as feed:
        pair.add_peer('{ name = "feed"; address = "10.0.0.3"; remote_as = 65003; import = "all"; passive = true; }')
        feed.dial("10.0.0.1").establish()
        wait_until(pair.exchanged, 15, "up")
        pair.bird.send(signal.SIGSTOP)
        try:
            with beating(feed):
                for i in range(4000):
                    path = attribute(AS_PATH, feed.path(65003, *[4200000000 + i] * 240))
                    feed.announce(f"100.{i >> 8 & 255}.{i & 255}.0/24", as_path=path)
                wait_until(lambda: not pair.up(), 30, "given up")
                assert "Hold timer expired" in pair.gateway.ask("show protocols all bird").text
                assert "feed" in pair.gateway.established()
        finally:
            pair.bird.send(signal.SIGCONT)
        with beating(feed):
            wait_until(pair.exchanged, 30, "back")


def test_slow_reader_gets_everything(lan):
    """More than the daemon is willing to hold for one peer: the rest waits in the table until there is room."""
    lan.gateway.start()
    count, long = 9000, 240
    with Speaker(lan.lan, lan.RECEIVER, 65002) as reader, Speaker(lan.lan, "10.0.0.2", 65001) as feed:
        reader.small_buffer = True
        reader.dial(lan.ADDRESS).establish()
        feed.dial(lan.ADDRESS).establish()
        feed.socket.settimeout(60)
        for i in range(count):
            path = attribute(AS_PATH, feed.path(65001, *[4200000000 + i] * long))
            feed.announce(f"100.{i >> 8 & 255}.{i & 255}.0/24", as_path=path)
            if i % 1000 == 0:
                feed.send(message(KEEPALIVE))
                reader.send(message(KEEPALIVE))
        time.sleep(2)
        assert "receiver" in lan.gateway.established()
        missing = {f"100.{i >> 8 & 255}.{i & 255}.0/24" for i in range(count)}
        while missing:
            kind, body = reader.read(timeout=20)
            if kind == UPDATE:
                missing -= set(parse_update(body)[2])
