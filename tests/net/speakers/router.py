# SPDX-License-Identifier: BSD-2-Clause
"""What every speaker is asked to do, in words common to all; bird.py, frr.py and so on say it in each one's own."""

import contextlib
import dataclasses
import os
import re
import signal
import subprocess

from clusters import PEERS

from .routes import THEIRS, Feed

OUR_AS, OUR_SECOND_AS, THEIR_AS = 4200000001, 65010, 4200000002
OUR_ID, THEIR_ID = "10.0.1.1", "10.0.1.2"
FEED_AS = {"ours": (65101, 65102), "theirs": (65201, 65202)}
PASSWORD = "correct-horse-battery-staple"


@dataclasses.dataclass(frozen=True)
class Session:
    """One of several between the same two speakers, each with a pair of addresses of its own."""

    name: str
    number: int
    dialled: bool = True        # by us; else by them
    v6: bool = False
    our_as: int = OUR_AS
    password: str = ""
    their_password: str = ""
    near: bool = False          # GTSM
    add_path: bool = False
    everything: bool = False    # the big table too

    @property
    def ours(self):
        return f"fd00:{self.number}::1" if self.v6 else f"10.0.{self.number}.1"

    @property
    def theirs(self):
        return f"fd00:{self.number}::2" if self.v6 else f"10.0.{self.number}.2"

    @property
    def family(self):
        return "ipv6" if self.v6 else "ipv4"

    def rich(self, side):
        return side.rich6 if self.v6 else side.rich4


def _signed(name, number, dialled):
    return Session(name, number, dialled, password=PASSWORD, their_password=PASSWORD)


SESSIONS = [
    Session("dialled", 1, everything=True),
    Session("accepted", 2, dialled=False, our_as=OUR_SECOND_AS),
    Session("dialled6", 3, v6=True),
    Session("accepted6", 4, dialled=False, v6=True),
    _signed("md5_dialled", 5, True),
    _signed("md5_accepted", 6, False),
    Session("md5_wrong_dialled", 7, password=PASSWORD, their_password="wrong"),
    Session("md5_wrong_accepted", 8, dialled=False, password=PASSWORD, their_password="wrong"),
    Session("near_dialled", 9, near=True),
    Session("near_accepted", 10, dialled=False, near=True),
    Session("paths", 11, dialled=False, add_path=True),
]
BY_NAME = {session.name: session for session in SESSIONS}


@dataclasses.dataclass(frozen=True)
class Lack:
    """A subject that a speaker does not have: why, and a test that it does not, given the rig.  Without one, the
    capabilities that it offers must not have it."""

    reason: str
    proof: object = None


def of_package(package, path):
    return os.path.join(PEERS, package, path)


class Router:
    """A speaker in @namespace with all of SESSIONS; @feeds are addresses whence routes are fed to it."""

    title = product = ""    # unique; as its version follows it
    lacks = {}              # name of a test -> Lack
    users = ()              # that it looks for in passwd
    slow = 1                # times the patience

    def __init__(self, lab, namespace, feeds):
        self.lab, self.namespace, self.feeds = lab, namespace, feeds
        self.processes = []
        self.serial = 0
        self.own = THEIRS.own4

    @classmethod
    def version(cls):
        raise NotImplementedError

    def start(self):
        """With what self.own has; again after kill()."""
        raise NotImplementedError

    def paths(self, session, prefixes):
        """{prefix: [Path]} of what came by that session, those of @prefixes that are there."""
        raise NotImplementedError

    def has_path(self, session, prefix, as_path):
        """Whether it came with exactly that AS path, however long."""
        return [path.as_path for path in self.paths(session, [prefix]).get(prefix, [])] == [as_path]

    def prefixes(self, session):
        """The set of all IPv4 prefixes that came by that session."""
        raise NotImplementedError

    def count(self, session):
        """How many those are."""
        raise NotImplementedError

    def ask_refresh(self, session):
        """Soft reconfiguration inbound: it sends ROUTE-REFRESH."""
        raise NotImplementedError

    def shut(self, session, text):
        """Administrative shutdown with a text (RFC 9003)."""
        raise NotImplementedError

    def open(self, session):
        """And up again."""
        raise NotImplementedError

    def reset(self, session):
        """Administrative reset."""
        raise NotImplementedError

    def hurry(self, session):
        """Ends its waiting after an error, where that can be long."""

    def heard(self, session):
        """What it tells of the last NOTIFICATIONs that it received there."""
        raise NotImplementedError

    def resets(self, session):
        """How often it has told of an administrative reset by us."""
        raise NotImplementedError

    def logs(self):
        return "".join(process.log() for process in self.processes)

    # ---- shared --------------------------------------------------------------------------------------

    def spawn(self, name, argv, env=None):
        """Each start has a log of its own."""
        self.serial += 1
        if self.users:
            argv = ["unshare", "-m", "sh", "-c", self._imagine_users() + 'exec "$@"', name, *argv]
        process = self.namespace.spawn(f"{name}-{self.serial}", argv, env)
        self.processes.append(process)
        return process

    def _imagine_users(self):
        """What its package would have added to passwd and group, bound over them for it alone."""
        binds = ""
        os.makedirs(self.lab.path("empty"), exist_ok=True)
        for file, line in (("passwd", "{0}:x:{1}:{1}::{2}:/bin/false\n"), ("group", "{0}:x:{1}:root\n")):
            with open(f"/etc/{file}", encoding="utf-8") as known:
                others = [entry for entry in known if entry.split(":")[0] not in self.users]
            own = [line.format(user, 64510 + n, self.lab.path("empty")) for n, user in enumerate(self.users)]
            binds += f"mount --bind {self.lab.write(file, ''.join(others + own))} /etc/{file} && "
        return binds

    def run(self, *argv, env=None, timeout=60):
        done = subprocess.run(["ip", "netns", "exec", self.namespace.name, *argv], capture_output=True, text=True,
                              timeout=timeout, env={**os.environ, **(env or {})})
        if done.returncode:
            raise RuntimeError(f"{' '.join(argv)}: {done.stdout}{done.stderr}")
        return done.stdout

    def kill(self):
        """-9, all of it at once: whatever runs in its namespace."""
        listed = subprocess.run(["ip", "netns", "pids", self.namespace.name], capture_output=True, text=True, check=True)
        for pid in listed.stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        for process in self.processes:
            process.wait()

    # ---- its routes come from two scripted peers, where it has a table -----------------------------------

    def new_feeds(self, address):
        return [Feed(self.feeds, f"10.2.0.{10 + n}", f"fd02::{10 + n}", asn).up(address)
                for n, asn in enumerate(FEED_AS["theirs"])]

    def feed_up(self):
        self.feed = self.new_feeds("10.2.0.1")

    def feed_down(self):
        for feed in self.feed:
            feed.close()

    def announce(self, prefix, path, feed=0):
        self.feed[feed].announce_path(prefix, path)

    def withdraw(self, prefix, feed=0):
        self.feed[feed].withdraw_prefix(prefix)

    def announce_bulk(self, count):
        self.feed[0].announce_bulk(THEIRS, count)

    def make_room(self, session):
        """Before the big table goes over that session: where others would make it slow, they are closed."""

    def withdraw_bulk(self, count):
        self.feed[0].withdraw_bulk(THEIRS, count)


def version_in(text):
    return re.search(r"\d+(\.\d+)+", text)[0]
