# SPDX-License-Identifier: BSD-2-Clause
"""mcbgpd and one speaker, with all sessions of SESSIONS between them, and feeds behind both.

    feeds -- 10.1.0.0/24 -- mcbgpd -- 10.0.N.0/24, fd00:N::/64 -- speaker -- 10.2.0.0/24 -- feeds

What the feeds of one side say must be what the other side shows.
"""

import json
import os

from clusters import Gateway
from lab import veth, wait_until

from .router import FEED_AS, OUR_AS, OUR_ID, SESSIONS, THEIR_AS
from .routes import OURS, RICH, THEIRS, Feed, Path, bird_prefixes


def _secret(lab, session):
    path = lab.write(session.name + ".key", session.password + "\n")
    os.chmod(path, 0o600)
    return path


def _peer(lab, s):
    return (f'{{ name = "{s.name}"; group = "theirs"; address = "{s.theirs}"; local_address = "{s.ours}"; '
            f'families = [ "{s.family}" ]; '
            # FRR does not dial one whose restart it waits for, until that time is up
            + ("" if s.dialled else "passive = true; restart_time = 5; ")
            + (f"local_as = {s.our_as}L; " if s.our_as != OUR_AS else "")
            + (f'password_file = "{_secret(lab, s)}"; ' if s.password else "")
            + ("ttl_security = true; " if s.near else "")
            + ('add_path = "both"; ' if s.add_path else "")
            + f'export = "{"everything" if s.everything else "little"}"; }}')


class Rig:
    def __init__(self, lab, router):
        self.lab = lab
        self.ours, self.theirs, self.behind = (lab.namespace(name) for name in ("ours", "theirs", "feeds"))
        for box in self.ours, self.theirs:
            box.sysctl("ipv6.conf.default.accept_dad", 0)       # an address that appears late resets BIRD 1.6's sessions
        veth(self.ours, "eth0", self.theirs, "eth0")
        veth(self.ours, "eth1", self.behind, "eth1")
        veth(self.theirs, "eth1", self.behind, "eth2")
        for box, attribute in ((self.ours, "ours"), (self.theirs, "theirs")):
            box.ip(*[f"addr add {getattr(s, attribute)}/{64 if s.v6 else 24} dev eth0{' nodad' if s.v6 else ''}"
                     for s in SESSIONS])
        for box, net, link in ((self.ours, 1, "eth1"), (self.theirs, 2, "eth2")):
            box.ip(f"addr add 10.{net}.0.1/24 dev eth1", f"addr add fd0{net}::1/64 dev eth1 nodad")
            self.behind.ip(*[f"addr add 10.{net}.0.{10 + n}/24 dev {link}" for n in (0, 1)],
                           *[f"addr add fd0{net}::{10 + n}/64 dev {link} nodad" for n in (0, 1)])
        self.theirs.ip(f"addr add {self.address_in(THEIRS.own4[0])}/32 dev lo")
        self.own, self.sessions = OURS.own4, SESSIONS
        self.gateway = Gateway(lab, "gateway", self.ours)
        self.router = router(lab, self.theirs, self.behind)
        # those that come up: the same password on both sides, and the speaker has what it takes
        self.settled = [s for s in SESSIONS if s.password == s.their_password and f"test_{s.name}" not in router.lacks]

    @staticmethod
    def address_in(prefix):
        return prefix.replace(".0/24", ".1")

    def configuration(self):
        feeds = ", ".join(f'{{ name = "feed{n}"; address = "10.1.0.{10 + n}"; remote_as = {asn}; passive = true; '
                          f'families = [ "ipv4", "ipv6" ]; import = "all"; export = "none"; }}'
                          for n, asn in enumerate(FEED_AS["ours"]))
        static = ", ".join(f'{{ prefix = "{prefix}"; blackhole = true; }}' for prefix in self.own)
        return f"""
router = {{ id = "{OUR_ID}"; as = {OUR_AS}L; }};
log = {{ level = "info"; }};
prefix_sets = {{
  ours = [ "{OURS.block4}+", "{OURS.block6}+" ];
  ours_all = [ "{OURS.block4}+", "{OURS.block6}+", "{OURS.bulk_block}+" ];
  theirs = [ "{THEIRS.block4}+", "{THEIRS.block6}+" ];
}};
filters = {{
  little = ( {{ match = {{ prefix = [ "ours" ]; }}; action = "accept"; }} );
  everything = ( {{ match = {{ prefix = [ "ours_all" ]; }}; action = "accept"; }} );
  kernel = ( {{ match = {{ prefix = [ "ours", "theirs" ]; }}; action = "accept"; }} );
}};
peer_groups = {{ theirs = {{ remote_as = {THEIR_AS}L; import = "all"; connect_retry = 1; }}; }};
peers = ( {", ".join(_peer(self.lab, s) for s in self.sessions)}, {feeds} );
static = ( {static} );
kernel = {{ export = "kernel"; }};
"""

    def start(self):
        self.start_ours()
        self.router.start()
        self.ours_again()
        self.theirs_again()

    def ours_again(self):
        """Our feeds say all that they have, to an mcbgpd that has just started."""
        self.feed = [Feed(self.behind, f"10.1.0.{10 + n}", f"fd01::{10 + n}", asn).up("10.1.0.1")
                     for n, asn in enumerate(FEED_AS["ours"])]
        self._announce_rich(OURS, self.announce)
        for feed in self.feed:
            feed.end_of_rib()

    def theirs_again(self):
        self.router.feed_up()
        self._announce_rich(THEIRS, self.router.announce)

    @staticmethod
    def _announce_rich(side, announce):
        for n, path in enumerate(RICH):
            announce(side.rich4[n], path)
            announce(side.rich6[n], path)

    def settle_ours(self):
        """The configuration of the beginning."""
        self.own, self.sessions = OURS.own4, SESSIONS
        self.gateway.configure(self.configuration())
        assert self.gateway.ask("configure").code < 8000

    def start_ours(self):
        """As the one that restarts, it says all that it has once everybody whom it knows has."""
        self.gateway.configure(self.configuration())
        self.gateway.start()

    def announce(self, prefix, path, feed=0):
        self.feed[feed].announce_path(prefix, path)

    def withdraw(self, prefix, feed=0):
        self.feed[feed].withdraw_prefix(prefix)

    def close(self):
        for feed in self.feed:
            feed.close()
        self.router.feed_down()

    def wait(self, condition, what, timeout=30):
        return wait_until(condition, timeout * self.router.slow, f"{self.router.title}: {what}")

    # ---- what mcbgpd shows ---------------------------------------------------------------------------

    def json(self, command):
        done = self.gateway.mcbgpc("--json", *command.split())
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return json.loads(done.stdout)

    def peer(self, session):
        return self.json(f"show protocols all {session.name}")["protocols"][0]

    def offers(self, session):
        """The capabilities that the speaker's OPEN had."""
        return self.peer(session)["neighbor_capabilities"]

    def up(self, session):
        return session.name in self.gateway.established()

    def paths(self, session, prefixes):
        """{prefix: [Path]} of what came by that session, those of @prefixes that are there."""
        found = {}
        for route in self.json(f"show route protocol {session.name} all")["routes"]:
            if route["prefix"] in prefixes:
                found.setdefault(route["prefix"], []).append(_path(route["attributes"]))
        return found

    def prefixes(self, session):
        """The set of all IPv4 prefixes that came by that session."""
        return bird_prefixes(self.gateway.ask(f"show route protocol {session.name} table master4").text)

    # ---- what is expected ----------------------------------------------------------------------------

    def at_theirs(self, session, number=0, path=Path()):
        """How a path of our feed @number arrives at the speaker."""
        return path.via(FEED_AS["ours"][number], "").via(session.our_as, session.ours)

    def at_ours(self, session, number=0, path=Path()):
        return path.via(FEED_AS["theirs"][number], "").via(THEIR_AS, session.theirs)


def _path(a):
    return Path(as_path=a.get("as_path", ""), origin=a["origin"], next_hop=a.get("next_hop", ""), med=a.get("med"),
                communities=frozenset(a.get("communities", [])), large=frozenset(a.get("large_communities", [])),
                ext=frozenset(item.strip("()") for item in a.get("ext_communities", [])))
