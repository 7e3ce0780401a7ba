# SPDX-License-Identifier: BSD-2-Clause
"""BIRD's own client and exporter on our socket, and on that of a BIRD 2 with the same peers and routes: what scripts
cut out of the answers is the same, byte by byte.  Times and ports are replaced, routes sorted; where we differ on
purpose is listed here, line by line."""

import http.client
import os
import re
import socket
import subprocess

import pytest

import control
from clusters import BIRD, BIRDC, PEERS, Gateway
from lab import Lab, veth, wait_until
from speaker import COMMUNITIES, MED, Speaker, attribute

EXPORTER = os.path.join(PEERS, "prometheus-bird-exporter/usr/bin/prometheus-bird-exporter")

PREFIXES = [f"100.64.{i}.0/24" for i in range(20)]
BOTH = PREFIXES[:5]             # announced by the second peer too, by a longer path
FILTERED = "192.0.2.0/24"

CONF = """
router = { id = "10.0.0.1"; as = 65000; listen = ( { address = "0.0.0.0"; } ); graceful_restart = false; };
prefix_sets = { unwanted = [ "192.0.2.0/24" ]; };
filters = { imp = ( { match = { prefix = [ "unwanted" ]; }; action = "reject"; }, { action = "accept"; } ); };
peers = (
  { name = "node1"; address = "10.0.0.2"; local_address = "10.0.0.1"; remote_as = 65001; passive = true;
    hold_time = 90; import = "imp"; export = "all"; description = "the first node"; },
  { name = "node2"; address = "10.0.0.3"; local_address = "10.0.0.1"; remote_as = 65002; passive = true;
    hold_time = 90; import = "imp"; export = "all"; },
  { name = "node3"; address = "10.0.0.4"; local_address = "10.0.0.1"; remote_as = 65003; passive = true;
    import = "all"; export = "none"; },
  { name = "node4"; address = "10.0.0.5"; remote_as = 65004; enabled = false; import = "all"; export = "all"; }
);
static = ( { prefix = "10.66.0.0/18"; blackhole = true; } );
kernel = { export = "all"; };
"""

BIRD_CONF = """
log stderr all;
router id 10.0.0.1;
filter imp { if net = 192.0.2.0/24 then reject; accept; }
protocol device device1 { }
protocol kernel kernel4 { ipv4 { import none; export all; }; }
protocol kernel kernel6 { ipv6 { import none; export all; }; }
protocol static static1 { ipv4; route 10.66.0.0/18 blackhole; }
template bgp node { local 10.0.0.1 as 65000; passive on; hold time 90; graceful restart off;
  ipv4 { import keep filtered; import filter imp; export all; }; }
protocol bgp node1 from node { description "the first node"; neighbor 10.0.0.2 as 65001; }
protocol bgp node2 from node { neighbor 10.0.0.3 as 65002; }
protocol bgp node3 from node { neighbor 10.0.0.4 as 65003; ipv4 { import all; export none; }; }
protocol bgp node4 from node { disabled; passive off; neighbor 10.0.0.5 as 65004; ipv4 { import all; export all; }; }
"""


class Side:
    """A router, 10.0.0.1, and two scripted peers that tell it the same on both sides."""

    def __init__(self, lab, name):
        self.box = lab.namespace(name)
        self.box.sysctl("ipv6.conf.default.disable_ipv6", 1)     # link-local addresses differ
        self.lan = lab.namespace(name + "-lan")
        veth(self.box, "eth0", self.lan, "eth0")
        self.box.ip("addr add 10.0.0.1/24 dev eth0")
        self.lan.ip("addr add 10.0.0.2/24 dev eth0", "addr add 10.0.0.3/24 dev eth0")
        self.socket = lab.path(name + ".ctl")
        self.speakers = []

    def answers(self):
        try:
            return control.ask(self.socket, "show status").code == 13
        except OSError:
            return False

    def talk(self):
        first = Speaker(self.lan, "10.0.0.2", 65001).dial("10.0.0.1").establish(hold_time=0)
        first.announce(*PREFIXES, FILTERED, med=attribute(MED, bytes([0, 0, 0, 50])),
                       communities=attribute(COMMUNITIES, bytes([0xfd, 0xe8, 0, 1, 0xfd, 0xe8, 0, 2])))
        wait_until(lambda: "21 of 21" in self.birdc("show route count table master4"), 20, "its routes are there")
        second = Speaker(self.lan, "10.0.0.3", 65002).dial("10.0.0.1").establish(hold_time=0)
        second.announce(*BOTH, as_path=attribute(2, second.path(65002, 65009)))
        self.speakers = [first, second]
        wait_until(lambda: "26 of 26" in self.birdc("show route count table master4"), 20, "all routes are there")
        wait_until(lambda: "21 exported" in self.birdc("show protocols all node2"), 20, "all routes went out")

    def birdc(self, command):
        done = subprocess.run([BIRDC, "-s", self.socket, *command.split()], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def sides():
    with Lab() as lab:
        ours, birds = Side(lab, "ours"), Side(lab, "bird")
        gateway = Gateway(lab, "gateway", ours.box, CONF)
        ours.socket = gateway.socket
        gateway.start()
        birds.box.spawn("bird", [BIRD[2], "-f", "-c", lab.write("bird.conf", BIRD_CONF), "-s", birds.socket])
        wait_until(birds.answers, 15, "BIRD answers")
        for side in (ours, birds):
            side.talk()
        yield ours, birds
        for side in (ours, birds):
            for speaker in side.speakers:
                speaker.close()
        wrong = lab.finish()
        assert not wrong, "\n".join(wrong)


# ---- what may differ -------------------------------------------------------------------------------------

# Lines that only we have: reasons, and what BIRD's answer to `show status` has no place for.
OURS_ONLY = re.compile(r"""\tFilter: | \tDecision: | \tKernel: | \ *Extended\ message$      # a capability
                           | AS\ is\  | Configuration\ is\  | Kernel\  | .*Graceful\ restart\ recovery """, re.X)
TIME = re.compile(r"\d\d:\d\d:\d\d\.\d\d\d")
DATE = re.compile(r"\d\d\d\d-\d\d-\d\d ")


def normal(text):
    """Times replaced, width kept; lines of ours alone left out."""
    lines = [DATE.sub("DATE ", TIME.sub("HH:MM:SS.mmm", line)) for line in text.splitlines()]
    return [line for line in lines if not OURS_ONLY.match(line)]


def comparable(lines):
    """Route change statistics count other things where BIRD asks its own filter about its own route: of those lines
    the columns are compared, and the last number (accepted) of peers."""
    out, peer = [], False
    for line in lines:
        if re.match(r"\S", line):
            peer = " BGP " in line
        if re.match(r"      (Import|Export) (updates|withdraws):", line):
            columns = [line[i:i + 11] for i in range(25, 80, 11)]
            assert len(line) == 80 and all(re.fullmatch(r" {1,10}(\d+|---)", column) for column in columns), line
            line = line[:25] + (columns[4] if peer else "")
        out.append(line)
    return out


def blocks(text):
    """Lines of `show route`, those of a prefix together, sorted: tables have no order of their own."""
    found = []
    for line in normal(text)[1:]:
        if re.match(r"[\d:.]+/", line) or not found:
            found.append([])
        found[-1].append(line)
    return sorted(found)


# ---- the same, byte by byte ------------------------------------------------------------------------------

def test_show_protocols(sides):
    ours, birds = (normal(side.birdc("show protocols"))[1:] for side in sides)
    assert ours == birds
    assert len(ours) == 9 and sum("Established" in line for line in ours) == 2


@pytest.mark.parametrize("name", ["", " node1", " node2", " node3", " node4", " static1", " kernel4", " device1"])
def test_show_protocols_all(sides, name):
    ours, birds = (comparable(normal(side.birdc("show protocols all" + name))[1:]) for side in sides)
    assert ours == [line for line in birds if not OURS_ONLY.match(line)]
    assert len(ours) > 1


@pytest.mark.parametrize("command", [
    "show route", "show route all", "show route primary", "show route 100.64.1.0/24", "show route 100.64.1.0/24 all",
    "show route for 100.64.1.3", "show route for 100.64.1.3 all", "show route protocol node2", "show route protocol static1",
    "show route protocol node1 primary all", "show route table master4", "show route table master6", "show route export node2",
    "show route noexport node2", "show route count", "show route primary count", "show route protocol node1 count",
    "show route table master4 count"])      # of one prefix BIRD counts nothing at all
def test_show_route(sides, command):
    ours, birds = (blocks(side.birdc(command)) for side in sides)
    assert ours == birds
    if "count" not in command and "master6" not in command and "noexport" not in command:
        assert any("via" in line or "blackhole" in line for block in ours for line in block)


def test_show_status(sides):
    ours, birds = (normal(side.birdc("show status"))[1:] for side in sides)
    names = [line.split(" mcbgpd ")[0] if " mcbgpd " in line else line for line in ours]
    assert [line.replace(" compatible", "") for line in names] == birds


def test_interfaces_summary(sides):
    ours, birds = (side.birdc("show interfaces summary").splitlines()[1:] for side in sides)
    assert ours == birds


@pytest.mark.parametrize("command", ["disable node3", "disable node3", "restart node3", "enable node3", "enable node3",
                                     "restart node3", "reload node1", "reload in node2", "reload out node2",
                                     'disable "node3*"', "enable node3", "restrict"])
def test_actions(sides, command):
    replies = [control.ask(side.socket, command) for side in sides]
    assert replies[0].lines == replies[1].lines


def test_refusals_have_the_same_codes(sides):
    for command in ("show route 9.9.9.0/24", "show route for 9.9.9.9", "configure confirm"):
        replies = [control.ask(side.socket, command) for side in sides]
        assert replies[0].lines == replies[1].lines, command
    for side in sides:
        with control.Control(side.socket) as client:
            assert client.ask("restrict").lines == [(16, "Access restricted")]
            assert client.ask("disable node3").code == 8007


def test_birdc_restricted(sides):
    for side in sides:
        done = subprocess.run([BIRDC, "-r", "-s", side.socket, "disable", "node3"],
                              capture_output=True, text=True, timeout=30)
        assert "Access denied" in done.stdout
        done = subprocess.run([BIRDC, "-r", "-s", side.socket, "show", "protocols", "node3"],
                              capture_output=True, text=True, timeout=30)
        assert "Passive" in done.stdout


# ---- others that speak with BIRD -------------------------------------------------------------------------

def scrape(side, port):
    exporter = side.box.spawn(f"exporter-{port}", [EXPORTER, "-bird.v2", "-bird.socket", side.socket,
                                                   "-web.listen-address", f"127.0.0.1:{port}"])

    def page():
        with side.box.entered():
            try:
                client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                client.request("GET", "/metrics")
                return client.getresponse().read().decode()
            except OSError:
                return ""
    try:
        text = wait_until(page, 20, "the exporter serves")
    finally:
        exporter.stop()
    found = {}
    for line in text.splitlines():
        match = re.match(r"(bird_\w+)\{(.*)\} (\S+)$", line)
        if match:
            found[match[1], match[2]] = float(match[3])
    return found


def test_prometheus_exporter(sides):
    ours, birds = scrape(sides[0], 9324), scrape(sides[1], 9325)
    assert {key for key in ours} == {key for key in birds}, "metrics and their labels"
    compared = 0
    for (metric, labels), value in ours.items():
        if metric == "bird_protocol_uptime":
            assert 0 <= value < 3600
        elif "update" not in metric and "withdraw" not in metric:
            assert value == birds[metric, labels], (metric, labels)
            compared += 1
    assert compared > 30
    of = {metric: value for (metric, labels), value in ours.items() if 'name="node1"' in labels}
    assert of["bird_protocol_up"] == 1
    assert of["bird_protocol_prefix_import_count"] == 20
    assert of["bird_protocol_prefix_filter_count"] == 1
    assert of["bird_protocol_prefix_export_count"] == 1


def test_looking_glass(sides):
    """As a web looking glass does it: one connection, the greeting skipped, lines read until the last one."""
    answers = []
    for side in sides:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(20)
        client.connect(side.socket)
        client.sendall(b"restrict\nshow route for 100.64.1.3 all\n")
        received = b""
        while received.count(b"\n0000 ") < 1:
            data = client.recv(4096)
            assert data, received
            received += data
        client.close()
        text = received.decode()
        assert re.match(r"0001 BIRD 2\.0\.12 .*ready\.\n0016 Access restricted\n1007-Table master4:\n", text)
        answers.append(re.findall(r"BGP\.as_path: ([\d ]+)", text))
    assert answers[0] == answers[1] == ["65001", "65002 65009"]
