# SPDX-License-Identifier: BSD-2-Clause
"""A configuration comes into force, is undone, is confirmed; what must be there before the daemon starts at all."""

import contextlib
import os
import signal
import socket

import pytest

from clusters import MCBGPD, Gateway
from lab import stays, wait_until

BASE = """router = {{
  id = "10.0.0.1";
  as = 65000;
  listen = ( {{ address = "127.0.0.1"; port = 11790; }} );
}};
peers = ( {{ name = "p"; address = "10.0.0.9"; remote_as = 65001; import = "all"; export = "all"; passive = true; }} );
static = ( {{ prefix = "{static}"; blackhole = true; }} );
"""


def conf(static, extra=""):
    return BASE.format(static=static) + extra


@pytest.fixture
def gateway(lab):
    gateway = Gateway(lab, "lone", conf=conf("198.51.100.0/24"))
    gateway.namespace.ip("link set lo up")
    gateway.start()
    yield gateway
    gateway.stop()


def has(gateway, prefix):
    return gateway.namespace.routes("exact", prefix, "proto", "178") != []


def load(gateway, static, command="configure"):
    gateway.configure(conf(static))
    reply = gateway.ask(command)
    assert reply.code == 3, reply


def test_undo_goes_back_and_forth(gateway):
    load(gateway, "203.0.113.0/24")
    wait_until(lambda: has(gateway, "203.0.113.0/24") and not has(gateway, "198.51.100.0/24"), 10, "the new static")
    assert gateway.ask("configure undo").code in (3, 21)
    wait_until(lambda: has(gateway, "198.51.100.0/24") and not has(gateway, "203.0.113.0/24"), 10, "the old static")


def test_unconfirmed_is_undone_and_confirmed_stays(gateway):
    load(gateway, "203.0.113.0/24", "configure timeout 1")
    wait_until(lambda: has(gateway, "203.0.113.0/24"), 10, "in force while it waits")
    wait_until(lambda: has(gateway, "198.51.100.0/24") and not has(gateway, "203.0.113.0/24"), 10, "undone by the timer")
    load(gateway, "203.0.113.0/24", "configure timeout 2")
    assert gateway.ask("configure confirm").code == 18
    stays(lambda: has(gateway, "203.0.113.0/24"), 3, "confirmed: it stays")
    assert gateway.ask("configure confirm").code == 19


def test_unconfirmed_is_never_what_is_undone_to(gateway):
    load(gateway, "203.0.113.0/24", "configure timeout 60")
    load(gateway, "192.0.2.0/24", "configure timeout 1")
    wait_until(lambda: has(gateway, "198.51.100.0/24"), 10, "back to what was confirmed, over both that were not")
    load(gateway, "203.0.113.0/24", "configure timeout 2")
    gateway.configure(conf("192.0.2.0/24"))
    gateway.reload()
    stays(lambda: not has(gateway, "203.0.113.0/24") or not has(gateway, "192.0.2.0/24"), 1, "one of them")
    wait_until(lambda: has(gateway, "192.0.2.0/24"), 10, "a reload without a time is for good")
    stays(lambda: has(gateway, "192.0.2.0/24"), 3, "the timer before is gone")


def test_direct_network_stays_as_long_as_one_address_has_it(lab):
    gateway = Gateway(lab, "direct", conf=conf("198.51.100.0/24", 'direct = { interfaces = [ "d*" ]; };\n'))
    box = gateway.namespace
    box.ip("link add d0 type veth peer name e0", "link set d0 up", "link set e0 up", "addr add 192.0.2.1/24 dev d0")
    gateway.start()
    shown = lambda: "direct1" in gateway.ask("show route 192.0.2.0/24").text
    wait_until(shown, 10, "the network of d0")
    box.ip("addr add 192.0.2.2/24 dev d0")
    box.ip("addr del 192.0.2.2/24 dev d0")
    stays(shown, 1, "the other address is still there")
    box.ip("addr del 192.0.2.1/24 dev d0")
    wait_until(lambda: not shown(), 10, "no address, no network")
    gateway.stop()


def test_no_start_without_the_right_to_change_routes(lab):
    gateway = Gateway(lab, "weak", conf=conf("198.51.100.0/24"))
    done = gateway.namespace.run("setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin",
                                 MCBGPD, "-c", gateway.conf_path, "-s", gateway.socket)
    assert done.returncode == 3 and "CAP_NET_ADMIN" in done.stderr, done


# ---- undone, confirmed, refused ------------------------------------------------------------------------------

def test_soft_is_taken_as_bird_takes_it(gateway):
    load(gateway, "203.0.113.0/24", "configure soft")
    wait_until(lambda: has(gateway, "203.0.113.0/24"), 10, "the new static")
    gateway.configure(conf("192.0.2.0/24"))
    assert gateway.ask("configure soft timeout 1").code == 3
    wait_until(lambda: has(gateway, "192.0.2.0/24") or has(gateway, "203.0.113.0/24"), 10, "in force")
    wait_until(lambda: has(gateway, "203.0.113.0/24") and not has(gateway, "192.0.2.0/24"), 10, "undone by the timer")


def test_check_says_what_would_change_and_changes_nothing(gateway):
    gateway.configure(conf("203.0.113.0/24").replace("passive = true", "hold_time = 30; passive = true"))
    reply = gateway.ask("configure check")
    assert [text for code, text in reply.lines if code == 1104] == [
        "peer p: hold_time 90 -> 30: the session is reset",
        "static route 198.51.100.0/24 is removed", "static route 203.0.113.0/24 is new"]
    assert reply.code == 20
    stays(lambda: has(gateway, "198.51.100.0/24") and not has(gateway, "203.0.113.0/24"), 1, "nothing changed")
    assert gateway.ask("configure undo").code == 19     # there is nothing to undo: nothing was taken over
    gateway.configure(conf("198.51.100.0/24"))
    assert [code for code, _ in gateway.ask("configure check").lines] == [2, 20]


def test_file_that_was_named_once_is_not_the_usual_one(gateway, lab):
    tried = lab.write("tried.conf", conf("203.0.113.0/24"))
    for command, file, static in ((f'configure "{tried}"', tried, "203.0.113.0/24"),
                                  ("configure", gateway.conf_path, "198.51.100.0/24")):
        reply = gateway.ask(command)
        assert reply.lines[0] == (2, f"Reading configuration from {file}") and reply.code == 3, reply
        assert f"Configuration is {file}" in gateway.ask("show status").text
        wait_until(lambda p=static: has(gateway, p), 10, "the static of that file")


def test_nothing_to_undo_or_to_confirm(gateway):
    assert gateway.ask("configure confirm").code == 19
    assert gateway.ask("configure undo").code == 19
    load(gateway, "203.0.113.0/24", "configure timeout 60")
    assert "203.0.113.0/24" in gateway.ask("show route").text
    assert gateway.ask("configure undo").code == 3      # before its time; and its timer is gone
    wait_until(lambda: has(gateway, "198.51.100.0/24"), 10, "the one before")
    assert gateway.ask("configure confirm").code == 19


def remove(path):
    os.unlink(path)


def cut(path):
    with open(path, "r+") as file:
        file.truncate(os.path.getsize(path) // 2)


def empty(path):
    with open(path, "w"):
        pass


def folder(path):
    os.unlink(path)
    os.mkdir(path)


def link_to_itself(path):
    os.unlink(path)
    os.symlink(path, path)


def bytes_of_anything(path):
    with open(path, "wb") as file:
        file.write(bytes(range(256)) * 64)


def includes_nothing(path):
    with open(path, "a") as file:
        file.write('@include "there-is-none.conf"\n')


@pytest.mark.parametrize("spoil", (remove, cut, empty, folder, link_to_itself, bytes_of_anything, includes_nothing))
def test_a_file_that_cannot_be_taken_changes_nothing(gateway, spoil):
    spoil(gateway.conf_path)
    for command in ("configure check", "configure", "configure timeout 1", "configure soft"):
        reply = gateway.ask(command)
        assert reply.code == 8002 and gateway.conf_path in reply.text, reply
    gateway.reload()
    wait_until(lambda: gateway.process.log().count("event=config.refused") == 4, 10, "SIGHUP is refused, too")
    stays(lambda: has(gateway, "198.51.100.0/24"), 1.5, "what was there is in force, and no timer is running")
    assert gateway.ask("show status").code == 13 and gateway.ask("configure confirm").code == 19


def test_what_the_kernel_refuses_is_named_and_the_rest_is_in_force(gateway):
    """A link of the tunnel's name is somebody else's: all but this tunnel comes, and goes again by undo."""
    box = gateway.namespace
    box.ip("link add theirs type veth peer name theirs2")
    tunnel = 'tunnels = ( { name = "theirs"; type = "vxlan"; vni = 5; remote = "192.0.2.77"; } );\n'
    gateway.configure(conf("203.0.113.0/24", tunnel))
    assert gateway.ask("configure").code == 3
    wait_until(lambda: has(gateway, "203.0.113.0/24"), 10, "the rest of the file")
    wait_until(lambda: "was not made by mcbgpd" in gateway.ask("show tunnels all").text, 10, "the tunnel's error in words")
    assert box.link("theirs")["linkinfo"]["info_kind"] == "veth"
    assert gateway.ask("configure undo").code == 3
    wait_until(lambda: has(gateway, "198.51.100.0/24") and not has(gateway, "203.0.113.0/24"), 10, "what was before")
    assert box.link("theirs")


# ---- the service manager ---------------------------------------------------------------------------------------

class Manager:
    """What a service manager is told, by its socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chmod(path, 0o666)
        self.said, self.all = [], []

    def hears(self, word):
        """Whether @word has come since the last call that found something."""
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                lines = self.socket.recv(4096).decode().split("\n")
                self.said += lines
                self.all += lines
        for i, line in enumerate(self.said):
            if line.startswith(word):
                del self.said[:i + 1]
                return line
        return None


def test_service_manager_is_told(lab):
    gateway = Gateway(lab, "served", conf=conf("198.51.100.0/24"))
    manager = Manager(lab.path("notify"))
    env = {"NOTIFY_SOCKET": lab.path("notify"), "WATCHDOG_USEC": "1000000"}
    gateway.process = gateway.namespace.spawn("served", [MCBGPD, "-c", gateway.conf_path, "-s", gateway.socket], env)
    gateway.process.orderly = True
    wait_until(lambda: manager.hears("READY=1"), 15, "ready")
    assert gateway.answers()                # and it is: who waits for that may ask
    for _ in range(3):
        wait_until(lambda: manager.hears("WATCHDOG=1"), 10, "the loop feeds the watchdog")
    gateway.configure(conf("203.0.113.0/24"))
    gateway.reload()
    wait_until(lambda: manager.hears("RELOADING=1"), 10, "a reload begins")
    wait_until(lambda: manager.hears("READY=1"), 10, "and ends")
    cut(gateway.conf_path)
    gateway.reload()
    wait_until(lambda: manager.hears("RELOADING=1"), 10, "one that is refused, too")
    wait_until(lambda: manager.hears("READY=1"), 10, "and ends")
    assert any(line.startswith("STATUS=") and "sessions established" in line for line in manager.all)
    gateway.process.send(signal.SIGTERM)
    wait_until(lambda: manager.hears("STOPPING=1"), 10, "it says that it ends")
    assert gateway.process.wait() == 0
