# SPDX-License-Identifier: BSD-2-Clause
"""What carries a session: TCP MD5, TTL security, multihop, the link it is bound to; readers that are slow."""

import os
import time

import pytest

import control
from clusters import BIRD, Gateway
from lab import stays, veth, wait_until
from speaker import AS_PATH, KEEPALIVE, UPDATE, Closed, Speaker, attribute, message, parse_update

PASSWORD = "correct horse battery staple"


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

    def start(self, peer, bird="", where='address = "10.0.0.2";', extra=""):
        self.configure(peer, where)
        self.gateway.start()
        self.start_bird(bird, extra)

    def configure(self, peer, where='address = "10.0.0.2";'):
        self.gateway.configure(f"""
router = {{ id = "10.0.0.1"; as = 65000; }};
log = {{ level = "debug"; }};
peers = ( {{ name = "bird"; {where} remote_as = 65001; import = "all"; export = "all"; connect_retry = 1; {peer} }} );
kernel = {{ export = "all"; }};
static = ( {{ prefix = "198.51.100.0/24"; blackhole = true; }} );
""")

    def start_bird(self, bird, extra="", recovers=False):
        """@recovers: it tells its peers that it has kept forwarding."""
        path = self.lab.write("bird.conf", f"""
log stderr all;
router id 10.0.0.2;
protocol device {{ scan time 2; }}
protocol static {{ ipv4; route 203.0.113.0/24 via 10.0.0.2; }}
protocol bgp gate {{
	local 10.0.0.2 as 65001; neighbor 10.0.0.1 as 65000;
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
    assert "x" * 81 not in pair.gateway.process.log()
    os.chmod(pair.secret(), 0o600)
    pair.bird.stop()
    pair.start_bird(f'password "{PASSWORD}";')
    pair.gateway.reload()
    wait_until(pair.exchanged, 15, "a session once the file is mended")


@pytest.mark.parametrize("ours, theirs", [("passive = true;", ""), ("", "passive on;")], ids=["accepted", "dialled"])
def test_ttl_security_with_bird(pair, ours, theirs):
    pair.start(f"ttl_security = true; {ours}", f"ttl security on; {theirs}")
    wait_until(pair.exchanged, 15, "routes with TTL 255")


def test_ttl_security_drops_what_comes_from_afar(pair):
    """BIRD without TTL security sends TTL 1."""
    pair.start("ttl_security = true; passive = true;")
    stays(lambda: not pair.up(), 4, "no session")


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
    assert "event=session.refused" in gateway.process.log()


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
