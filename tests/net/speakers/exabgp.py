# SPDX-License-Identifier: BSD-2-Clause
"""ExaBGP: it has no table.  What it hears it tells its API process line by line, from which one is made here; what it
says is what its API process tells it to."""

import json
import os
import socket
import struct
import subprocess

from lab import wait_until

from .router import BY_NAME, FEED_AS, SESSIONS, THEIR_AS, THEIR_ID, Lack, Router, of_package, version_in
from .routes import THEIRS, Path, ext_bytes, ext_community

PYTHON = "/usr/bin/python3"     # the one that its package is for
ENVIRONMENT = {"PYTHONPATH": of_package("python3-exabgp", "usr/lib/python3/dist-packages"), "PYTHONDONTWRITEBYTECODE": "1",
               "exabgp.daemon.daemonize": "false", "exabgp.daemon.user": "root", "exabgp.daemon.drop": "false",
               "exabgp.log.destination": "stdout", "exabgp.log.level": "INFO", "exabgp.api.ack": "false",
               "exabgp.api.cli": "false"}
ORIGINS = {"igp": "IGP", "egp": "EGP", "incomplete": "Incomplete"}


def _has_one_text(rig):
    session = BY_NAME["near_dialled"]
    rig.wait(lambda: rig.up(session), "a session to end")
    rig.router.say(f"neighbor {session.ours} teardown 2")
    rig.wait(lambda: rig.peer(session).get("last_error", "") == "Received: Administrative shutdown: Administrative Shutdown",
             "the text that it always sends")


def _cannot_read_texts(rig):
    session = BY_NAME["near_accepted"]
    rig.wait(lambda: rig.up(session) and rig.router.count(session), "a session to end")
    rig.gateway.ask(f'disable {session.name} "back at noon"')
    rig.wait(lambda: not rig.router.count(session), "it is down")
    assert '"code": 6, "subcode": 2' not in rig.router.heard(session)
    rig.gateway.ask(f"enable {session.name}")


def _forgets_at_once(rig):
    """It says that the session is down; what its API process makes of that is its own affair."""
    session = BY_NAME["dialled"]
    rig.wait(lambda: rig.up(session) and rig.router.count(session), "routes")
    rig.gateway.kill()
    rig.wait(lambda: not rig.router.count(session), "none are left")
    rig.start_ours()
    rig.ours_again()
    rig.wait(lambda: rig.up(session), "back")


def _hangs_up(rig):
    """Graceful restart keeps its routes meanwhile."""
    session = BY_NAME["accepted"]
    rig.wait(lambda: rig.up(session) and rig.router.count(session), "a session to ask for a refresh on")
    offers = rig.offers(session)
    assert offers["route_refresh"] and offers["enhanced_refresh"]
    ended = rig.peer(session)["sessions_ended"]
    rig.gateway.ask(f"reload in {session.name}")
    rig.wait(lambda: rig.peer(session)["sessions_ended"] > ended, "the connection is closed")
    assert rig.peer(session)["last_error"].startswith("Socket: Connection")
    rig.wait(lambda: rig.up(session), "back")


HANGS_UP = Lack("offers both kinds of route refresh, and closes the connection when it is asked", _hangs_up)


class Exabgp(Router):
    title = product = "ExaBGP"
    slow = 2
    lacks = {"test_refresh_by_us": HANGS_UP, "test_enhanced_refresh": HANGS_UP,
             "test_shutdown_by_us": Lack("ends the session, and fails to read the text", _cannot_read_texts),
             "test_shutdown_by_them": Lack("has one text, which we show, and takes no other", _has_one_text),
             "test_we_restart": Lack("has no table in which routes could stay", _forgets_at_once)}

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.tables = {s.ours: {} for s in SESSIONS}        # {(prefix, path id): Path}
        self.notified = {s.ours: [] for s in SESSIONS}
        self.pipe = self.read = None

    @classmethod
    def version(cls):
        done = subprocess.run([PYTHON, "-P", "-m", "exabgp", "--version"], capture_output=True, text=True,
                              env={**os.environ, **ENVIRONMENT})
        return version_in(done.stdout)

    def _neighbor(self, s):
        """With graceful restart it closes sessions without a NOTIFICATION, so one pair is without."""
        families = f"{s.family} unicast;"
        statics = " ".join(f"route {prefix} next-hop self;" for prefix in self.own) if not s.v6 else ""
        return f"""
neighbor {s.ours} {{
	router-id {THEIR_ID}; local-address {s.theirs}; local-as {THEIR_AS}; peer-as {s.our_as}; hold-time 90;
	{"passive true; listen 179;" if s.dialled else "passive false; connect 179;"}
	{f"md5-password '{s.their_password}';" if s.their_password else ""}
	{"outgoing-ttl 255; incoming-ttl 255;" if s.near else ""}
	adj-rib-out true;
	capability {{ {"" if s.near else "graceful-restart 30;"} route-refresh enable; {"add-path send/receive;" if s.add_path else ""} }}
	family {{ {families} }}
	api {{ processes [ api ]; neighbor-changes; receive {{ parsed; update; notification; }} }}
	static {{ {statics} }}
}}"""

    def start(self):
        fifo, heard = self.lab.path(f"exabgp-{self.serial}.fifo"), self.lab.path(f"exabgp-{self.serial}.heard")
        os.mkfifo(fifo)
        open(heard, "w").close()
        script = self.lab.write("exabgp-api", f"#!/bin/sh\nexec 3<>{fifo}\ncat <&3 &\nexec cat >>{heard}\n")
        os.chmod(script, 0o755)
        conf = self.lab.write("exabgp.conf", f"process api {{ run {script}; encoder json; }}\n" +
                              "".join(self._neighbor(s) for s in SESSIONS) + "\n")
        self.spawn("exabgp", [PYTHON, "-P", "-m", "exabgp", conf], ENVIRONMENT)
        self.pipe, self.read = os.fdopen(os.open(fifo, os.O_RDWR), "w"), open(heard)

    # ---- what it says --------------------------------------------------------------------------------

    def say(self, *lines):
        self.pipe.write("".join(line + "\n" for line in lines))
        self.pipe.flush()

    def feed_up(self):
        """It is its own feed."""

    def feed_down(self):
        """It is its own feed."""

    def _sessions(self, prefix, feed):
        family = "ipv6" if ":" in prefix else "ipv4"
        return [s for s in SESSIONS if s.family == family and (s.add_path or not feed)]

    @staticmethod
    def _id(session, feed):
        return f" path-information 0.0.0.{feed + 1}" if session.add_path else ""

    def announce(self, prefix, path, feed=0):
        words = [f"origin {path.origin.lower()}", f"as-path [ {THEIR_AS} {FEED_AS['theirs'][feed]} {path.as_path} ]"]
        if path.communities:
            words.append(f"community [ {' '.join(path.communities)} ]")
        if path.large:
            words.append(f"large-community [ {' '.join(path.large)} ]")
        if path.ext:
            words.append(f"extended-community [ {' '.join('0x' + ext_bytes(c).hex() for c in path.ext)} ]")
        self.say(*[f"neighbor {s.ours} announce route {prefix} next-hop self{self._id(s, feed)} {' '.join(words)}"
                   for s in self._sessions(prefix, feed)])

    def withdraw(self, prefix, feed=0):
        self.say(*[f"neighbor {s.ours} withdraw route {prefix} next-hop self{self._id(s, feed)}"
                   for s in self._sessions(prefix, feed)])

    def _bulk(self, verb, count):
        session = BY_NAME["dialled"]
        prefixes = sorted(THEIRS.bulk_prefixes(count))
        for n, at in enumerate(range(0, count, 500)):
            self.say(f"neighbor {session.ours} {verb} attributes next-hop self origin igp as-path "
                     f"[ {THEIR_AS} {70000 + n} ] nlri {' '.join(prefixes[at:at + 500])}")

    def announce_bulk(self, count):
        self._bulk("announce", count)

    def withdraw_bulk(self, count):
        self._bulk("withdraw", count)

    # ---- what it hears -------------------------------------------------------------------------------

    def listen(self):
        while line := self.read.readline():
            event = json.loads(line, strict=False)      # it writes bytes as they came
            peer = event.get("neighbor", {}).get("address", {}).get("peer")
            if event["type"] == "state" and event["neighbor"]["state"] == "down":
                self.tables[peer].clear()
            elif event["type"] == "notification":
                self.notified[peer].append(json.dumps(event["neighbor"]["notification"], ensure_ascii=False))
            elif event["type"] == "update" and "update" in event["neighbor"]["message"]:
                self._update(self.tables[peer], event["neighbor"]["message"]["update"])

    @staticmethod
    def _update(table, update):
        for routes in update.get("withdraw", {}).values():
            for route in routes:
                table.pop((route["nlri"], route.get("path-information")), None)
        for hops in update.get("announce", {}).values():
            for hop, routes in hops.items():
                for route in routes if not hop.startswith("fe80:") else []:     # that comes with a global one
                    table[route["nlri"], route.get("path-information")] = (update["attribute"], hop)

    def paths(self, session, prefixes):
        self.listen()
        found = {}
        for (prefix, _), heard in sorted(self.tables[session.ours].items()):
            if prefix in prefixes:
                found.setdefault(prefix, []).append(_path(*heard))
        return found

    def prefixes(self, session):
        self.listen()
        return {prefix for prefix, _ in self.tables[session.ours]}

    def count(self, session):
        return len(self.prefixes(session))

    def ask_refresh(self, session):
        self.say(f"neighbor {session.ours} announce route-refresh {session.family} unicast")

    def reset(self, session):
        wait_until(lambda: self.count(session), 60, "it knows that the session is up")
        self.say(f"neighbor {session.ours} teardown 4")

    def heard(self, session):
        self.listen()
        return "\n".join(self.notified[session.ours])

    def resets(self, session):
        return self.heard(session).count('"code": 6, "subcode": 4')


def _heard(value):
    """An extended community from its eight bytes, since it words some of them wrongly."""
    kind, subtype, *rest = value.to_bytes(8, "big")
    rest = bytes(rest)
    admin, number = {0: lambda: struct.unpack("!HI", rest), 2: lambda: struct.unpack("!IH", rest),
                     1: lambda: (socket.inet_ntoa(rest[:4]), struct.unpack("!H", rest[4:])[0])}[kind]()
    return ext_community({2: "rt", 3: "ro"}[subtype], admin, number)


def _path(a, hop):
    return Path(as_path=" ".join(map(str, a.get("as-path", []))), origin=ORIGINS[a["origin"]], next_hop=hop, med=a.get("med"),
                communities=frozenset(":".join(map(str, c)) for c in a.get("community", [])),
                large=frozenset(":".join(map(str, c)) for c in a.get("large-community", [])),
                ext=frozenset(_heard(c["value"]) for c in a.get("extended-community", [])))
