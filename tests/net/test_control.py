# SPDX-License-Identifier: BSD-2-Clause
"""The control socket: BIRD's protocol for BIRD's own client, and clients that misbehave."""

import json
import os
import re
import socket
import stat
import subprocess

import pytest

from clusters import BIRDC
from conftest import Lan
from control import Control, ask
from lab import wait_until
from speaker import Speaker


@pytest.fixture(scope="module")
def served(busy_lan):
    """A gateway with one session and two thousand routes."""
    prefixes = [f"100.{64 + i // 256}.{i % 256}.0/24" for i in range(2000)]
    with Speaker(busy_lan.lan, "10.0.0.5", 65001).dial(busy_lan.ADDRESS).establish(hold_time=0) as peer:
        for i in range(0, 2000, 500):
            peer.announce(*prefixes[i:i + 500])
        wait_until(lambda: busy_lan.gateway.has_route(prefixes[-1]), 10, "all routes")
        yield busy_lan


def birdc(gateway, *words):
    return subprocess.run([BIRDC, "-s", gateway.socket, *words], capture_output=True, text=True, timeout=30)


def test_greeting(served):
    with Control(served.gateway.socket) as control:
        assert control.greeting.code == 1
        assert re.fullmatch(r"BIRD 2\.0\.12 compatible mcbgpd \S+ ready\.", control.greeting.text)


def test_status(served):
    reply = served.gateway.ask("show status")
    assert [code for code, _ in reply.lines][0] == 1000 and reply.code == 13
    assert "Router ID is 10.0.0.1" in reply.text


def test_protocols_in_birds_columns(served):
    reply = served.gateway.ask("show protocols")
    assert reply.lines[0] == (2002, "Name       Proto      Table      State  Since         Info")
    row = next(line for code, line in reply.lines if "Established" in line)
    assert re.fullmatch(r"\S+ +BGP +--- +up +\d\d:\d\d:\d\d\.\d\d\d +Established *", row)
    row = next(line for code, line in reply.lines if line.startswith("device1"))
    assert re.fullmatch(r"device1    Device     ---        up     \d\d:\d\d:\d\d\.\d\d\d  ", row)
    assert reply.code == 0


def test_protocols_all(served):
    name = next(iter(served.gateway.established()))
    text = served.gateway.ask(f"show protocols all {name}").text
    for piece in ("  BGP state:          Established", "    Neighbor address: 10.0.0.5", "    Neighbor AS:      65001",
                  "    Local AS:         65000", "    Hold timer:", "    Keepalive timer:", "2000 imported", "Import updates"):
        assert piece in text, f"{piece!r} is missing in\n{text}"


def test_routes(served):
    gateway = served.gateway
    reply = gateway.ask("show route 100.64.7.0/24")
    lines = reply.text.splitlines()
    assert lines[0] == "Table master4:"
    assert re.match(r"100\.64\.7\.0/24 {8}unicast \[\S+ \S+\] \* \(100\) \[AS65001i\]", lines[1])
    assert lines[2] == "\tvia 10.0.0.5 on eth0"
    text = gateway.ask("show route 100.64.7.0/24 all").text
    for piece in ("\tType: BGP univ", "\tBGP.origin: IGP", "\tBGP.as_path: 65001", "\tBGP.next_hop: 10.0.0.5",
                  "\tBGP.local_pref: 100"):
        assert piece in text
    assert "100.64.7.0/24" in gateway.ask("show route for 100.64.7.99").text
    assert re.search(r"2000 of 2000 routes for 2000 networks in table master4", gateway.ask("show route count").text)
    assert gateway.ask("show route 9.9.9.0/24").code == 8001
    name = next(iter(gateway.established()))
    assert len(gateway.ask(f"show route protocol {name}").text.splitlines()) >= 4000
    assert gateway.ask("show route protocol nobody").code == 8003


def test_birdc_itself(served):
    for words, wanted in ((("show", "protocols"), "Established"), (("show", "status"), "Router ID"),
                          (("show", "route", "count"), "2000"), (("show", "route", "100.64.7.0/24", "all"), "BGP.as_path")):
        done = birdc(served.gateway, *words)
        assert done.returncode == 0 and wanted in done.stdout, done.stdout + done.stderr


def test_abbreviations_and_mistakes(served):
    gateway = served.gateway
    assert "Established" in gateway.ask("sh pr").text
    for nonsense in ("", "shew protocols", "show", "show protocols all nobody too many", "\x01\x02", "show route 300.0.0.0/8",
                     "show route 10.0.0.0/99", "disable", "configure sideways", "?" * 200):
        reply = gateway.ask(nonsense)
        assert nonsense == "" or reply.code >= 8000, f"{nonsense!r}: {reply!r}"


def test_json(served):
    gateway = served.gateway
    for command in ("status", "protocols", "protocols all", "route count", "tunnels", "route 100.64.7.0/24"):
        done = gateway.mcbgpc("--json", "show", *command.split())
        assert done.returncode == 0, done.stderr
        json.loads(done.stdout)
    assert "10.0.0.5" in gateway.mcbgpc("--json", "show", "route", "100.64.7.0/24").stdout


def test_exit_statuses_of_the_client(served, tmp_path):
    gateway = served.gateway
    assert gateway.mcbgpc("show", "status").returncode == 0
    refused = gateway.mcbgpc("disable", "nobody")
    assert refused.returncode == 1 and refused.stderr.strip() and not refused.stdout.strip()
    assert gateway.mcbgpc("--no-such-option").returncode == 2
    gateway_socket, gateway.socket = gateway.socket, str(tmp_path / "none")
    try:
        assert gateway.mcbgpc("show", "status").returncode == 3
    finally:
        gateway.socket = gateway_socket


def test_socket_is_not_for_everybody(served):
    assert stat.S_IMODE(os.stat(served.gateway.socket).st_mode) & 0o007 == 0


def silent(path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    client.settimeout(10)
    return client


def test_silent_clients_harm_nobody(served):
    clients = [silent(served.gateway.socket) for _ in range(50)]
    assert served.gateway.ask("show status").code == 13
    for client in clients:
        client.close()


def test_a_megabyte_without_a_newline_is_refused(served):
    client = silent(served.gateway.socket)
    try:
        for _ in range(256):
            client.sendall(b"x" * 4096)
    except OSError:
        pass                    # it hung up: just as well
    assert served.gateway.ask("show status").code == 13
    client.close()


def test_random_bytes_harm_nobody(served):
    for _ in range(20):
        client = silent(served.gateway.socket)
        client.sendall(os.urandom(2000) + b"\n" + b"\0" * 100 + b"\r\n\n\n")
        client.close()
    assert served.gateway.ask("show status").code == 13


def test_slow_reader_delays_nobody_and_gets_it_all(served):
    slow = silent(served.gateway.socket)
    slow.sendall(b"show route all\n")
    for _ in range(5):
        assert served.gateway.ask("show status").code == 13
    received = b""
    while b"\n0000 " not in received:
        data = slow.recv(3000)
        assert data, "the answer was cut off"
        received += data
    assert received.count(b"unicast") == 2000
    slow.close()


def test_clients_that_vanish_in_the_middle(served):
    for _ in range(20):
        client = silent(served.gateway.socket)
        client.sendall(b"show route all\n")
        client.recv(100)
        client.close()
    assert served.gateway.ask("show status").code == 13


def test_several_commands_in_one_packet(served):
    client = silent(served.gateway.socket)
    client.sendall(b"show status\nshow protocols\nshow status\n")
    received = b""
    while received.count(b"\n0013 ") < 2:
        data = client.recv(65536)
        assert data
        received += data
    assert b"Established" in received
    client.close()


def test_stale_socket_is_replaced_and_a_second_daemon_refused(lab):
    lan = Lan(lab)
    lan.gateway.start()
    lan.gateway.kill()
    assert os.path.exists(lan.gateway.socket)
    lan.gateway.start()
    with open(lan.gateway.conf_path, encoding="utf-8") as file:
        conf = file.read().replace("kernel = {", "kernel = { protocol = 179;")      # else the table keeps it out
    other = lab.write("second.conf", conf)
    command = [other if word == lan.gateway.conf_path else word for word in lan.gateway.process.child.args[4:]]
    second = lan.gateway.namespace.spawn("second", command)
    assert second.wait() == 3
    assert lan.gateway.socket in second.log()
    assert ask(lan.gateway.socket, "show status").code == 13, "the first one's socket must stay"
    lan.gateway.stop()
    assert not os.path.exists(lan.gateway.socket)
