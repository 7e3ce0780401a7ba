# SPDX-License-Identifier: BSD-2-Clause
"""What an operator asks of a running gateway: why a route is where it is, what happens now, who may look, what is
logged.  The answers themselves are tested in tests/unit/ctl; here they are about real sessions and a real kernel."""

import grp
import json
import os
import pwd
import re
import socket
import stat
import subprocess

import pytest

from clusters import MCBGPC
from conftest import Lan
from control import Control
from lab import wait_until
from speaker import COMMUNITIES, MED, Speaker, attribute

PEERS = """
  { name = "receiver"; address = "10.0.0.200"; remote_as = 65002; group = "lan"; import = "pick"; export = "give"; },
  { name = "lan"; range = "10.0.0.0/24"; remote_as = 65001; group = "lan"; import = "pick"; max_peers = 250; }
"""
MORE = """
prefix_sets = { unwanted = [ "192.0.2.0/24+" ]; };
filters = {
  pick = ( { match = { prefix = [ "unwanted" ]; }; action = "reject"; },
           { set = { local_pref = 300; }; action = "accept"; } );
  give = ( { match = { community = [ "65000:1" ]; }; action = "accept"; } );
  unlike = ( { match = { med = [ 666 ]; }; action = "reject"; }, { action = "accept"; } );
};
"""
COMMUNITY = attribute(COMMUNITIES, bytes([0xfd, 0xe8, 0, 1]))


def conf(control=""):
    return (Lan.conf(PEERS, MORE).replace('kernel = { export = "all"; };', 'kernel = { export = "unlike"; };')
            .replace('log = { level = "debug"; };', 'log = { level = "warning"; };') + control)


@pytest.fixture
def office(lab):
    lan = Lan(lab)
    lan.gateway.configure(conf(f'control = {{ readonly_socket = "{lab.path("look.ctl")}"; readonly_group = "daemon"; }};\n'))
    lan.gateway.start()
    lan.look = lab.path("look.ctl")
    return lan


def speak(lan, address="10.0.0.5", asn=65001):
    return Speaker(lan.lan, address, asn).dial(lan.ADDRESS).establish(hold_time=0)


def test_which_term_decided_and_why_it_is_not_in_the_kernel(office):
    with speak(office) as one, speak(office, "10.0.0.200", 65002) as two:
        one.announce("100.64.0.0/24", communities=COMMUNITY)
        one.announce("100.64.1.0/24", med=attribute(MED, bytes([0, 0, 2, 154])))
        one.announce("192.0.2.0/25")
        two.announce("100.64.0.0/24", as_path=attribute(2, two.path(65002, 65009)))
        wait_until(lambda: "3 of" in office.gateway.ask("show route count table master4").text, 20, "all routes")
        text = office.gateway.ask("show route 100.64.0.0/24 all").text
        assert "\tFilter: term 2 of import filter pick accepts it" in text
        assert "\tDecision: best, by AS path length; next is by receiver" in text
        assert "\tDecision: not best, by AS path length; best is by lan_10.0.0.5" in text
        wait_until(lambda: "\tKernel: installed" in office.gateway.ask("show route 100.64.0.0/24 all").text, 10, "installed")
        text = office.gateway.ask("show route 100.64.1.0/24 all").text
        assert "\tKernel: absent, not exported: refused by filter unlike, term 1" in text
        text = office.gateway.ask("show route filtered").text
        assert "192.0.2.0/25" in text and "\tFilter: term 1 of import filter pick rejects it" in text
        text = office.gateway.ask("show route export receiver all").text
        assert "100.64.0.0/24" in text and "\tFilter: term 1 of export filter give accepts it" in text
        text = office.gateway.ask("show route noexport receiver 100.64.1.0/24 all").text
        assert "\tNot exported: no term of the export filter accepts it" in text
        assert office.gateway.ask("show route where community = 65000:1").text.count("unicast") == 1
        assert office.gateway.ask("show route where peer = lan and med = 666").text.count("unicast") == 1


def test_filter_on_a_made_up_route(office):
    gateway = office.gateway
    text = gateway.ask("test filter give 10.1.0.0/16 community 65000:1").text
    assert "Accepted by term 1" in text
    assert "Rejected by term 1" in gateway.ask("test filter pick 192.0.2.128/25").text
    text = gateway.ask('test filter pick 10.1.0.0/16 as_path "65001 65002"').text
    assert "BGP.local_pref: 300" in text and "BGP.as_path: 65001 65002" in text
    assert "match: prefix unwanted" in gateway.ask("show filters pick").text
    assert gateway.ask("test filter all 10.1.0.0/16").text.startswith("all is no filter, but the policy")
    assert gateway.ask("show tunnels nix").text == "No tunnel nix; the configuration has none"


def test_neighbors_of_next_hops(office):
    with speak(office) as one:
        one.announce("100.64.0.0/24")
        wait_until(lambda: office.gateway.has_route("100.64.0.0/24"), 10, "the route")
        rows = wait_until(lambda: [line for line in office.gateway.ask("show neighbors").text.splitlines()
                                   if line.startswith("10.0.0.5 ")], 10, "its next hop")
        hop, neighbor, link, state, address = rows[0].split()
        assert (hop, neighbor, link) == ("10.0.0.5", "10.0.0.5", "eth0")
        assert address == office.lan.link("eth0")["address"]
        assert state in ("REACHABLE", "STALE", "DELAY", "PROBE")


# ---- monitor ---------------------------------------------------------------------------------------------

class Monitor:
    """Lines of a monitor, as they come."""

    def __init__(self, path, request):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.settimeout(20)
        self.stream = self.socket.makefile("rb")
        assert b"ready" in self.stream.readline()
        self.socket.sendall(request.encode() + b"\n")
        self.first = self.line()

    def line(self):
        line = self.stream.readline().decode()
        assert line.endswith("\n"), "it ended"
        return line.rstrip("\n")

    def until(self, *pieces):
        """The first line that has all of them."""
        while True:
            line = self.line()
            if all(piece in line for piece in pieces):
                return line

    def close(self):
        self.stream.close()
        self.socket.close()


def test_monitor_sees_sessions_and_routes(office):
    monitor = Monitor(office.gateway.socket, "monitor")
    assert monitor.first == "2106-Events as they happen; a further line ends them"
    with speak(office) as one:
        monitor.until("event=session.up", "peer=lan_10.0.0.5")
        one.announce("100.64.0.0/24")
        line = monitor.until("event=route.best", "prefix=100.64.0.0/24")
        assert "peer=lan_10.0.0.5" in line and "gateway=10.0.0.5" in line and "interface=eth0" in line
        with speak(office, "10.0.0.200", 65002) as two:
            two.announce("100.64.0.0/24", "100.64.9.0/24")
            monitor.until("event=route.best", "prefix=100.64.9.0/24", "peer=receiver")
            one.withdraw("100.64.0.0/24")
            monitor.until("event=route.best", "prefix=100.64.0.0/24", "peer=receiver", "was=lan_10.0.0.5")
            two.withdraw("100.64.0.0/24")
            monitor.until("event=route.gone", "prefix=100.64.0.0/24", "was=receiver")
    monitor.until("event=session.down", "peer=")
    monitor.socket.sendall(b"\nshow status\n")
    monitor.until("0000 ")
    monitor.until("1000-")
    monitor.close()


def test_monitor_of_one_peer_and_kind(office):
    monitor = Monitor(office.gateway.socket, "monitor sessions peer receiver")
    with speak(office), speak(office, "10.0.0.200", 65002):
        line = monitor.until("event=session.up")
        assert "peer=receiver" in line
    line = monitor.until("event=session.down")
    assert "peer=receiver" in line
    monitor.close()


def test_monitor_by_the_client_is_a_document_each(office):
    client = subprocess.Popen([MCBGPC, "-s", office.gateway.socket, "--json", "monitor", "routes"], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert json.loads(client.stdout.readline()) == {"monitor": {"kind": "routes"}}
        with speak(office) as one:
            one.announce("100.64.0.0/24")
            document = json.loads(client.stdout.readline())
            assert document["event"] == "route.best" and document["level"] == "info" and document["time"] > 1e9
            assert document["fields"]["prefix"] == "100.64.0.0/24" and document["fields"]["peer"] == "lan_10.0.0.5"
    finally:
        client.terminate()
        client.communicate()


def test_monitor_that_reads_nothing_harms_nobody(office):
    monitor = Monitor(office.gateway.socket, "monitor routes")
    with speak(office) as one:
        for i in range(40):
            prefixes = [f"100.{64 + i}.{j}.0/24" for j in range(250)]
            one.announce(*prefixes)
        wait_until(lambda: "10000 of" in office.gateway.ask("show route count table master4").text, 60, "all routes")
        monitor.socket.sendall(b"\n")
        told = lost = 0
        while True:
            line = monitor.line()
            told += "event=route.best" in line
            match = re.search(r"(\d+) events lost", line)
            lost += int(match[1]) if match else 0
            if line.startswith("0000 "):
                break
        assert told + lost == 10000 and lost > 0
    monitor.close()


def test_monitor_ends_with_the_daemon(office):
    monitor = Monitor(office.gateway.socket, "monitor")
    assert office.gateway.stop() == 0
    monitor.until("0000 ")
    assert monitor.stream.readline() == b""
    monitor.close()


# ---- who may do what, and what is logged -----------------------------------------------------------------

def test_second_socket_is_for_looking(office):
    status = os.stat(office.look)
    assert stat.S_IMODE(status.st_mode) == 0o660
    assert grp.getgrgid(status.st_gid).gr_name == "daemon"
    with Control(office.look) as client:
        assert client.ask("show protocols").code == 0
        for command in ("disable receiver", "configure", "down", "log level debug", "reload all", "graceful restart"):
            reply = client.ask(command)
            assert reply.code == 8007 and "may only look" in reply.text, command
    done = subprocess.run([MCBGPC, "-s", office.look, "disable", "receiver"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "may only look" in done.stderr
    assert office.gateway.ask("disable receiver").code == 0
    assert office.gateway.stop() == 0
    assert not os.path.exists(office.look)


def test_sockets_are_nobody_elses(office):
    """Somebody who is in neither group gets to neither socket, who is in one to that one."""
    greeting = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(s.recv(99))"
    nobody = pwd.getpwnam("nobody")
    os.chmod(office.lab.dir, 0o755)

    def greeted(path, *groups):
        done = subprocess.run(["/usr/bin/python3", "-c", greeting, path], capture_output=True, text=True, timeout=30, cwd="/",
                              user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=groups)
        assert done.returncode == 0 or "PermissionError" in done.stderr, done.stderr
        return "ready" in done.stdout

    daemon = grp.getgrnam("daemon").gr_gid
    assert not greeted(office.gateway.socket) and not greeted(office.look)
    assert not greeted(office.gateway.socket, daemon) and greeted(office.look, daemon)


def test_level_of_one_peer(office):
    gateway = office.gateway
    assert gateway.ask("log peer receiver debug").code == 0

    def logged(address, asn):
        before = len(gateway.process.log())
        with speak(office, address, asn):
            wait_until(lambda: any(f.endswith(address) or f == "receiver" for f in gateway.established()), 10, "the session")
        wait_until(lambda: not gateway.established(), 10, "its end")
        return gateway.process.log()[before:]

    assert "event=session.up peer=receiver" in logged("10.0.0.200", 65002)
    assert "event=session.up" not in logged("10.0.0.5", 65001)
    assert gateway.ask("log peer receiver default").code == 0
    assert "event=session.up" not in logged("10.0.0.200", 65002)
    assert gateway.ask("log peer nobody debug").code == 8003


def test_level_of_a_peer_of_a_range_with_a_long_name(lab):
    """The name of a range may have 63 characters, and those of its peers have their address too."""
    lan = Lan(lab, peers=f"""{{ name = "{'n' * 63}"; range = "10.0.0.0/24"; remote_as = 65001; group = "lan"; }}""")
    lan.gateway.start()
    name = "n" * 63 + "_10.0.0.5"
    with speak(lan):
        wait_until(lambda: name in lan.gateway.established(), 10, "the session")
        answer = lan.gateway.ask(f"log peer {name} debug")
        assert answer.code == 0, answer.text


# ---- the client ------------------------------------------------------------------------------------------

def test_answers_end_early_without_a_word(office):
    with speak(office) as one:
        one.announce(*[f"100.64.{i}.0/24" for i in range(250)])
        wait_until(lambda: office.gateway.has_route("100.64.249.0/24"), 10, "all routes")
        script = f'for i in $(seq 20); do {MCBGPC} -s {office.gateway.socket} show route all; done | head -n 1'
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60)
        assert (done.stdout, done.stderr) == ("Table master4:\n", "")


def test_consistent_answer_while_the_table_changes(office):
    """A prefix that stays is shown exactly once, whatever else comes and goes meanwhile."""
    stays = [f"100.64.{i}.0/24" for i in range(250)]
    with speak(office) as one:
        one.announce(*stays)
        wait_until(lambda: office.gateway.has_route(stays[-1]), 10, "all routes")
        slow = socket.socket(socket.AF_UNIX)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(office.gateway.socket)
        slow.settimeout(20)
        slow.sendall(b"show route all\n" * 20)
        received = b""
        for i in range(20):
            goes = [f"99.{i}.{j}.0/24" for j in range(100)]
            one.announce(*goes)
            received += slow.recv(10000)
            one.withdraw(*goes)
        while received.count(b"\n0000 ") < 20:
            data = slow.recv(65536)
            assert data
            received += data
        slow.close()
    for answer in received.decode().split("\n0000 ")[:20]:
        shown = re.findall(r"^.?(?:1007-)?(100\.64\.\d+\.0/24) ", answer, re.M)
        assert sorted(shown) == sorted(stays)
