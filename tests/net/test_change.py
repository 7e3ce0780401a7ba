# SPDX-License-Identifier: BSD-2-Clause
"""What a change of each setting costs, against what happens: sessions with BIRD, links, routes, packets."""

import contextlib
import grp
import json
import os
import re
import socket
import subprocess
import threading
import time
from datetime import datetime

import changes
import control
import pytest
from clusters import BIRD, Gateway
from lab import stays, veth, wait_until

MANUAL = changes.manual()
BIRDS = 20          # peers at a time
INTERNAL = 2        # the last of them are of our AS


def test_every_setting_has_a_change():
    """A new setting needs a row in changes.py; one that is not built needs none yet."""
    have = {row.setting for row in changes.ROWS} | changes.OTHER_KERNEL
    assert len(MANUAL) > 100
    assert set(MANUAL) - have - {"peers.bfd.interval", "peers.bfd.multiplier"} == set()


class Stream:
    """Numbered datagrams to an echo behind the gateway, until it is told to end: what is lost is counted."""

    def __init__(self, source, target, address):
        self.echo = target.socket(kind=socket.SOCK_DGRAM)
        self.echo.bind((address, 7))
        self.out = source.socket(kind=socket.SOCK_DGRAM)
        self.out.connect((address, 7))
        self.sent, self.back, self.ending = 0, set(), False
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self._echo, self._send, self._hear)]
        for s in (self.echo, self.out):
            s.settimeout(0.2)
        for thread in self.threads:
            thread.start()

    def _echo(self):
        while not self.ending:
            try:
                data, whence = self.echo.recvfrom(64)
                self.echo.sendto(data, whence)
            except OSError:
                continue

    def _send(self):
        while not self.ending:
            try:
                self.out.send(str(self.sent).encode())
            except OSError:
                pass                # no route: lost
            self.sent += 1
            time.sleep(0.02)

    def _hear(self):
        while not self.ending:
            try:
                self.back.add(int(self.out.recv(64)))
            except OSError:
                continue

    def lost_after(self, first):
        """Numbers from @first on that are not back though later ones are, or have had their time."""
        last = self.sent
        wait_until(lambda: max(self.back, default=-1) >= last, 10, "packets pass")
        time.sleep(0.2)
        return sorted(set(range(first, last)) - self.back)

    def close(self):
        self.ending = True
        for thread in self.threads:
            thread.join()
        self.echo.close()
        self.out.close()


class World:
    """A gateway with a LAN of BIRDs, a pod, and another BIRD at the far end of a VXLAN.

        pod --- gateway --- lan: n1 .. n20, each a BIRD
                   ||          `--- apart: anchor and n19
                  far (VXLAN)

    A BIRD refuses routes by addresses of its own host: what others are to hear is announced from `apart`.
    """

    ANCHOR_ROUTE = "10.77.0.0/24"
    FAR_ROUTE = "10.78.0.0/24"

    def __init__(self, lab):
        self.lab = lab
        box, self.lan, self.apart, self.far, self.pod = (
            lab.namespace(n) for n in ("gateway", "lan", "apart", "far", "pod"))
        self.lan.ip("link add br0 type bridge forward_delay 0", "link set br0 up")
        for end, link, port in ((box, "lan0", "gateway"), (self.apart, "eth0", "apart")):
            veth(end, link, self.lan, port)
            self.lan.ip(f"link set {port} master br0")
        veth(box, "wan0", self.far, "eth0")
        veth(box, "pod0", self.pod, "eth0")
        box.ip("addr add 10.0.0.1/16 dev lan0", "addr add 10.9.0.1/24 dev wan0", "addr add 10.9.0.3/24 dev wan0",
               "addr add 10.1.0.1/24 dev pod0")
        self.lan.ip(*[f"addr add 10.0.{n}.{10 + i}/16 dev br0" for i in range(1, BIRDS + 1) for n in (0, 2)
                      if i != BIRDS - 1])
        self.apart.ip("addr add 10.0.0.10/16 dev eth0", f"addr add 10.0.0.{9 + BIRDS}/16 dev eth0",
                      "addr add 10.77.0.1/32 dev lo", "route add 10.1.0.0/24 via 10.0.0.1")
        self.far.ip("addr add 10.9.0.2/24 dev eth0",
                    "link add vx0 type vxlan id 100 dstport 4789 local 10.9.0.2 remote 10.9.0.1",
                    "addr add 10.8.0.2/24 dev vx0", "link set vx0 up", "addr add 10.78.0.1/32 dev lo",
                    "route add 10.1.0.0/24 via 10.8.0.1")
        box.sysctl("ipv4.ip_forward", 1)
        self.pod.ip("addr add 10.1.0.2/24 dev eth0", "route add default via 10.1.0.1")
        self.password = lab.write("password", "secret\n")
        os.chmod(self.password, 0o600)
        self.said = ""
        self.birds = {}
        self.rows = []
        self.gateway = Gateway(lab, "gateway", box, self.conf(False))

    def start(self):
        self.gateway.start()
        self.bird(0, "anchor", self.apart, "10.0.0.10", changes.BASE_AS, "")
        self.bird("far", "far", self.far, "10.8.0.2", 65300, "")

    # ---- BIRDs ---------------------------------------------------------------------------------------

    def bird(self, i, name, namespace, address, asn, more):
        gateway = "10.8.0.1" if i == "far" else "10.0.0.1"
        net = "10.78.0.0/24" if i == "far" else f"10.77.{i}.0/24"
        routes = [net] if i == "far" else [net, f"10.79.{i}.0/24"] if asn == changes.GATEWAY_AS else [
            net, f"10.79.{i}.0/24", "10.81.0.0/24"]
        prepends = f"if net ~ [ 10.79.0.0/16+ ] then bgp_path.prepend({changes.GATEWAY_AS});\n"
        if i == 0:
            routes += [f"10.80.{k}.0/24" for k in range(1, BIRDS + 1)]
            prepends += "".join(f"if net = 10.80.{k}.0/24 then bgp_path.prepend({changes.BASE_AS + k});\n"
                                for k in range(1, BIRDS + 1))
        if "rs client" in more:
            prepends += "bgp_path.prepend(64997);\n"
        text = f"""
log stderr all;
router id {address};
timeformat protocol iso long ms;
protocol device {{ scan time 2; }}
protocol static {{ ipv4; {" ".join(f"route {r} blackhole;" for r in routes)} }}
filter to_gateway {{
	if source != RTS_STATIC then reject;
	bgp_community.add((65100,1));
	bgp_large_community.add((65100,1,1));
	bgp_ext_community.add((rt,65100,1));
	bgp_med = 7;
	{prepends}
	accept;
}}
protocol bgp uplink {{
	local {address} as {asn};
	neighbor {gateway} as {changes.GATEWAY_AS};
	strict bind; direct;
	connect delay time 1; connect retry time 1; error wait time 1,1;
	{more}
	ipv4 {{ import all; export filter to_gateway; gateway recursive; }};
}}
"""
        path = self.lab.write(f"{name}.conf", text)
        sock = self.lab.path(f"{name}.sock")
        if i in self.birds:
            self.birds[i][0].stop()
        self.birds[i] = (namespace.spawn(name, [BIRD[2], "-f", "-c", path, "-s", sock]), sock, text)

    def session(self, i):
        """(state, since) of the session, as its BIRD has them; None: it does not answer yet."""
        try:
            for code, line in control.ask(self.birds[i][1], "show protocols").lines:
                if code == 1002 and line.startswith("uplink "):
                    return "Established" in line, datetime.fromisoformat(" ".join(line.split()[4:6])).timestamp()
        except (OSError, ConnectionError):
            return None
        return None

    def reset(self, i, before):
        """Its session is another than when session() said @before: BIRD's clock may err by a millisecond."""
        now = self.session(i)
        return now is None or now[0] != before[0] or abs(now[1] - before[1]) > 0.02

    def up(self, i):
        session = self.session(i)
        return session is not None and session[0]

    def wait_for_sessions(self):
        """First as we see them: a BIRD may not have heard yet that its session of before is over."""
        wait_until(lambda: len(self.gateway.established()) == len(self.birds), 60, "every session of ours")
        for i in self.birds:
            wait_until(lambda i=i: self.up(i), 60, f"BIRD {i} has its session")

    def heard(self, i):
        return control.ask(self.birds[i][1], "show route all protocol uplink").text

    def announced(self, i, prefix):
        """The next hop of @prefix, as we tell it to that BIRD; None: we do not."""
        return self.attribute(i, prefix, "next_hop")

    def attribute(self, i, prefix, name):
        found = re.search(rf"BGP\.{name}: (.*)", control.ask(self.birds[i][1], f"show route {prefix} all protocol uplink").text)
        return found[1].strip() if found else None

    def cluster_list(self):
        """As the second BIRD of our AS hears the routes of the first."""
        return self.attribute(BIRDS, f"10.77.{BIRDS - 1}.0/24", "cluster_list")

    # ---- the gateway -----------------------------------------------------------------------------------

    def conf(self, after):
        pick = lambda row: row.after if after else row.before
        usual = {"router.id": '"10.0.0.1"', "router.as": "65000", "router.connect_retry": "1", "log.level": '"info"'}
        one = {r.setting: pick(r) for _, r in self.numbered() if r in changes.SECTIONS}
        one = {("router.listen" if s.startswith("router.listen") else s): v for s, v in one.items()}
        sections = {}
        for name, value in {**usual, **one}.items():
            section, setting = name.split(".")
            if value is not None:
                sections.setdefault(section, []).append(f"{setting} = {value};".replace("{dir}", self.lab.dir))
        statics = any(r.setting.startswith("static.") and after for _, r in self.numbered())
        peers, filters, tunnels, taken = [], [], [], set()
        for i, row in self.numbered():
            if row in changes.SECTIONS:
                continue
            number = {"i": i, "host": 10 + i, "remote": self.asn(i), "password": self.password, "vni": 200 + i}
            fill = lambda text: re.sub(r"\{(\w+)\}", lambda m: str(number.get(m[1], m[0])), text).replace('n@', f'n{i}')
            if row in changes.PEERS + changes.FILTERS:
                taken.add(i)
            if row in changes.PEERS:
                peers.append(self.peer(i, row, fill(pick(row)), fill(row.always)))
            elif row in changes.FILTERS:
                filters.append(f"f{i} = {fill(pick(row))};")
                peers.append(self.peer(i, row, f'import = "f{i}";', ""))
            elif row in changes.TUNNELS:
                tunnels.append(self.tunnel(i, row, fill(pick(row))))
        peers += [self.peer(i, None, "", "") for i in range(1, BIRDS + 1) if i not in taken]
        text = "\n".join(f"{s} = {{ {' '.join(v)} }};" for s, v in sections.items())
        return f"""{text}
tunnels = ( {{ name = "t0"; type = "vxlan"; vni = 100; local = "10.9.0.1"; remote = "10.9.0.2"; port = 4789;
  addresses = [ "10.8.0.1/24" ]; mtu = 1400; {self.traffic_tunnel(after)} }}{"".join(", " + t for t in tunnels)} );
prefix_sets = {{ pods = [ "10.77.0.0/16+" ]; elsewhere = [ "10.99.0.0/16" ]; ecmp = [ "10.81.0.0/24" ]; }};
filters = {{ {" ".join(filters)}
  by_group = ( {{ match = {{ peer = "watched"; }}; action = "reject"; }}, {{ action = "accept"; }} );
  not_81 = ( {{ match = {{ prefix = "ecmp"; }}; action = "reject"; }}, {{ action = "accept"; }} ); }};
peer_groups = {{ watched = {{ }}; steady = {{ hold_time = 90; keepalive = 30; connect_retry = 1; graceful_restart = true;
  graceful_restart_on_silence = false; long_lived_time = 0; long_lived_limit = 3600; restart_time = 120; import = "all"; export = "all"; }}; }};
peers = ( {{ name = "anchor"; address = "10.0.0.10"; remote_as = {changes.BASE_AS}; group = "steady"; }},
  {{ name = "far"; address = "10.8.0.2"; remote_as = 65300; group = "steady"; }},
  {", ".join(peers)} );
static = ( {changes.STATICS[statics]} );
"""

    def traffic_tunnel(self, after):
        """What packets pass through is changed along with the others, in all that the kernel changes in place."""
        if not after or not any(row in changes.TUNNELS for _, row in self.numbered()):
            return "ttl = 64;"
        return "ttl = 65; tos = 16; learning = false; persist = false;"

    @staticmethod
    def asn(i):
        return changes.BASE_AS + i if i <= BIRDS - INTERNAL else changes.GATEWAY_AS

    def peer(self, i, row, text, always):
        usual = {"name": f'"n{i}"', "remote_as": self.asn(i), "import": '"all"', "export": '"all"'}
        usual.update({"range": f'"10.0.2.{10 + i}/32"'} if row is not None and row.kind == "range"
                     else {"address": f'"10.0.0.{10 + i}"'})
        if i == BIRDS - 1:
            usual["route_reflector_client"] = "true"
        left = {k: v for k, v in usual.items() if not re.search(rf"\b{k} =", text)}
        return "{ " + " ".join(f"{k} = {v};" for k, v in left.items()) + f" {text} {always} }}"

    def numbered(self):
        """(number of its peer, tunnel or filter, row)"""
        return [(i, row) for i, row in enumerate(self.rows, 1) if row]

    def tunnel(self, i, row, text):
        usual = {"name": f'"t{i}"', "type": '"vxlan"', "vni": 200 + i}
        if row.name != "remotes":
            usual["remote"] = '"10.9.0.8"'
        left = {k: v for k, v in usual.items() if not re.search(rf"\b{k} =", text)}
        return "{ " + " ".join(f"{k} = {v};" for k, v in left.items()) + f" {text} {row.always} }}"

    # ---- what is seen ------------------------------------------------------------------------------------

    def kernel(self, prefix):
        return self.gateway.namespace.routes("exact", prefix, "proto", "178")

    def shown(self, prefix):
        """As ip(8) shows it."""
        return self.gateway.namespace.run("ip", "route", "show", "exact", prefix).stdout

    def via(self, prefix, link):
        return f"dev {link}" in self.shown(prefix)

    def weights(self, prefix):
        """Of the next hops of @prefix in the kernel that get packets."""
        box, shown = self.gateway.namespace, self.kernel(prefix)
        if not shown:
            return []
        if "nhid" not in shown[0]:
            return [hop.get("weight", 1) for hop in shown[0].get("nexthops", [{}])]
        with contextlib.suppress(subprocess.CalledProcessError, IndexError):    # another by now
            nexthop = box.ip_json(f"nexthop show id {shown[0]['nhid']}")[0]
            return list(box.members(nexthop).values()) if "group" in nexthop else [1]
        return []

    def route(self, prefix):
        return self.gateway.ask(f"show route {prefix}").text

    def protocol(self, i):
        return self.gateway.ask(f"show protocols all n{i}").text

    def imported(self, i):
        done = self.gateway.mcbgpc("--json", "show", "route", f"10.77.{i}.0/24", "all")
        routes = json.loads(done.stdout).get("routes", [])
        found = dict(routes[0]["attributes"]) if routes else {}
        if found.get("as_path", "").endswith(str(self.asn(i))):
            found["as_path"] = found["as_path"].replace(str(self.asn(i)), "@")
        return found

    def listens(self, address, port):
        with self.gateway.namespace.socket() as s:
            return s.connect_ex((address, port)) == 0

    def links(self):
        return {link["ifname"]: link["ifindex"] for link in self.gateway.namespace.ip_json("link show type vxlan")}

    # ---- a round -------------------------------------------------------------------------------------------

    def load(self, after):
        """Check, compare the plan, take it over.  @return the items of the plan."""
        self.gateway.configure(self.conf(after))
        done = self.gateway.mcbgpc("--json", "configure", "check")
        assert done.returncode == 0, done.stdout
        items = {(n["kind"], n.get("name"), n.get("setting"), n["effect"])
                 for n in json.loads(done.stdout)["notes"] if n["code"] == 1104}
        reply = self.gateway.ask("configure")
        assert reply.code == 3, reply
        self.said = reply.text
        return items

    def prepare(self, rows):
        """Everything as before the change, every BIRD up."""
        self.rows = rows
        for i in range(1, BIRDS + 1):
            row = rows[i - 1] if i <= len(rows) else None
            address = f"10.0.2.{10 + i}" if row is not None and row.kind == "range" else f"10.0.0.{10 + i}"
            more = row.bird if row is not None else ""
            if i not in self.birds or (address, more) != self.birds[i][3:]:
                self.bird(i, f"n{i}", self.apart if i == BIRDS - 1 else self.lan, address, self.asn(i), more)
                self.birds[i] += (address, more)
        self.load(False)
        self.wait_for_sessions()
        wait_until(lambda: self.weights("10.81.0.0/24"), 30, "a route with several next hops")
        wait_until(lambda: self.announced(BIRDS, self.ANCHOR_ROUTE) and self.announced(1, self.ANCHOR_ROUTE), 30,
                   "routes are everywhere")
        wait_until(lambda: self.kernel(self.FAR_ROUTE), 30, "the route to the far end")


@pytest.fixture(scope="module")
def world():
    from conftest import _labs

    def build(lab):
        world = World(lab)
        world.start()
        return world
    yield from _labs(build)


def plan_of(row, i):
    """What `configure check` is to say of @row."""
    section = row.setting.rsplit(".", 1)[0]
    cost = MANUAL[row.setting]
    if row.plan:
        return {tuple(part and part.format(i=i) for part in item) for item in row.plan}
    if row in changes.FILTERS:
        return {("filter", f"f{i}", None, cost)}
    if row in changes.PEERS:
        return {("peer", f"n{i}", row.name, cost)}
    if row in changes.TUNNELS:
        return {("tunnel", f"t{i}", row.name, cost)}
    return {(section, None, row.name, cost)}


def change(world, rows):
    """All of @rows at once: the plan, the sessions, what is to be seen, and not a packet lost."""
    world.prepare([row if row and row.setting in MANUAL else None for row in rows])
    streams = [Stream(world.pod, world.apart, "10.77.0.1"), Stream(world.pod, world.far, "10.78.0.1")]
    try:
        for stream in streams:
            wait_until(lambda s=stream: s.back, 20, "packets pass")
        first = [stream.sent for stream in streams]
        before = {i: world.session(i) for i in world.birds}
        links = world.links()
        planned = world.load(True)
        traffic = {item for item in planned if item[1] == "t0"}
        assert traffic <= {("tunnel", "t0", s, "none" if s == "persist" else "link")
                           for s in ("ttl", "tos", "learning", "persist")}
        wanted = set().union(*(plan_of(row, i) for i, row in world.numbered()))
        assert planned - traffic == wanted
        judge(world, before, links)
        for stream, n in zip(streams, first):
            assert stream.lost_after(n) == []
    finally:
        for stream in streams:
            stream.close()


def judge(world, before, links):
    for i, row in world.numbered():
        if row in changes.PEERS and MANUAL[row.setting] == "session":
            wait_until(lambda i=i: world.reset(i, before[i]), 30, f"{row.setting}: the session is reset")
        if row.seen:
            wait_until(lambda i=i, row=row: row.seen(world, i), 30, f"{row.setting}: {row.after} is seen")
    reset = {i for i, row in world.numbered() if row in changes.PEERS and MANUAL[row.setting] == "session"}
    kept = {i for i in world.birds if i not in reset}
    assert [dict(world.numbered()).get(i, i) for i in kept if world.reset(i, before[i])] == []
    judge_links(world, links)


def judge_links(world, before):
    after = world.links()
    assert after["t0"] == before["t0"]
    for i, row in world.numbered():
        if row not in changes.TUNNELS:
            continue
        name = f"t{i}" if row.name != "name" else f"u{i}"
        if MANUAL[row.setting] == "link_replaced":
            assert after[name] not in before.values(), row.setting
        else:
            assert after[name] == before[name], row.setting


def rounds(rows, size):
    return [rows[n:n + size] for n in range(0, len(rows), size)]


EXTERNAL = [row for row in changes.PEERS if row.kind != "internal"]
PEER_ROUNDS = rounds(EXTERNAL, BIRDS - INTERNAL)


@pytest.mark.parametrize("rows", PEER_ROUNDS, ids=lambda rows: f"{rows[0].name}-{rows[-1].name}")
def test_peers(world, rows):
    change(world, rows)


@pytest.mark.parametrize("rows", rounds(changes.FILTERS, BIRDS - INTERNAL), ids=lambda rows: rows[0].setting)
def test_filters(world, rows):
    change(world, rows)


def test_a_peer_of_our_own_as(world):
    change(world, [None] * (BIRDS - 1) + [row for row in changes.PEERS if row.kind == "internal"])


def test_tunnels(world):
    change(world, changes.TUNNELS)


@pytest.mark.parametrize("rows", changes.GLOBAL, ids=lambda rows: rows[0].setting)
def test_sections(world, rows):
    change(world, rows)


@pytest.mark.parametrize("rows", changes.INHERITED, ids=lambda rows: rows[0].setting)
def test_defaults_of_peers(world, rows):
    """What inherits them follows, and nobody else."""
    world.prepare(rows)
    before = {i: world.session(i) for i in world.birds}
    planned = world.load(True)
    assert planned == {("peer", f"n{i}", row.name, MANUAL[row.setting]) for i in range(1, BIRDS + 1) for row in rows}
    if MANUAL[rows[0].setting] == "session":
        for i in range(1, BIRDS + 1):
            wait_until(lambda i=i: world.reset(i, before[i]), 30, f"{rows}: session {i} is reset")
    else:
        stays(lambda: not any(world.reset(i, before[i]) for i in world.birds), 1, "no session is reset")
    assert not world.reset(0, before[0]) and not world.reset("far", before["far"])


def test_settings_that_waited_are_in_force_after_a_start(world):
    rows = [row for row in changes.SECTIONS if row.setting in MANUAL and MANUAL[row.setting] == "start"]
    assert len(rows) >= 6
    world.prepare(rows)
    world.load(True)
    box = world.gateway.namespace
    other_table = lambda: box.run("ip", "route", "show", "table", "100", "exact", world.ANCHOR_ROUTE).stdout
    assert world.kernel(world.ANCHOR_ROUTE) and not other_table()
    assert world.gateway.stop() == 0
    world.gateway.start()
    route = wait_until(other_table, 60, "a route in the other table")
    assert "proto 179" in route and "metric 33" in route and "nhid" not in route
    assert os.stat(world.gateway.socket).st_gid == grp.getgrnam("daemon").gr_gid
    assert world.gateway.stop() == 0
    world.rows = []
    world.gateway.configure(world.conf(False))
    world.gateway.start()


@pytest.mark.parametrize("rows", changes.IDENTITY, ids=lambda rows: rows[0].setting)
def test_identity_resets_every_session(world, rows):
    world.prepare(rows)
    before = {i: world.session(i) for i in world.birds}
    assert ("router", None, rows[0].name, "sessions") in world.load(True)
    for i in world.birds:
        wait_until(lambda i=i: world.reset(i, before[i]), 30, f"{rows}: session {i} is reset")
