# SPDX-License-Identifier: BSD-2-Clause
"""BIRD 2, and BIRD 1.6, which is a program for each family."""

import re
import subprocess

import control
from clusters import BIRD

from .router import FEED_AS, OUR_AS, SESSIONS, THEIR_AS, THEIR_ID, Router, version_in
from .routes import LONG, RICH, THEIRS, bird_paths, bird_prefixes

LONG_PATH = f"{OUR_AS} {FEED_AS['ours'][0]} {RICH[LONG].as_path}"
HEAD = f"""
log stderr all;
router id {THEIR_ID};
protocol device {{ scan time 2; }}
"""
FILTERS = {
    "ipv4": f"""
filter same_path {{ if bgp_path ~ [= {LONG_PATH} =] then accept; reject; }}
filter little_ipv4 {{ if net ~ [ {THEIRS.block4}+ ] then accept; reject; }}
filter everything_ipv4 {{ if net ~ [ {THEIRS.block4}+, {THEIRS.bulk_block}+ ] then accept; reject; }}
""",
    "ipv6": f"filter little_ipv6 {{ if net ~ [ {THEIRS.block6}+ ] then accept; reject; }}\n"}


def _session(s, channel):
    """@channel: what makes a channel, where there are such, of the settings in it."""
    inner = (f"import all; export filter {'everything' if s.everything else 'little'}_{s.family}; "
             + ("add paths on;" if s.add_path else ""))
    return f"""
protocol bgp s_{s.name} {{
	local {s.theirs} as {THEIR_AS}; neighbor {s.ours} as {s.our_as};
	connect retry time 1; connect delay time 1; error wait time 1, 2; startup hold time 10;
	graceful restart on; graceful restart time 30;
	{"passive on;" if s.dialled else ""}
	{f'password "{s.their_password}";' if s.their_password else ""}
	{"ttl security on;" if s.near else ""}
	{channel(s, inner)}
}}"""


class Bird(Router):
    """What both have: the language of commands and filters."""

    product = "BIRD"
    program = ""

    @classmethod
    def version(cls):
        done = subprocess.run([cls.program, "--version"], capture_output=True, text=True)
        return version_in(done.stdout + done.stderr)

    def socket(self, session):
        raise NotImplementedError

    def statics(self):
        return " ".join(f"route {prefix} blackhole;" for prefix in self.own)

    def ask(self, session, command):
        return control.ask(self.socket(session), command).text

    def paths(self, session, prefixes):
        text = "\n".join(self.ask(session, f"show route protocol s_{session.name} all {prefix}") for prefix in prefixes)
        return bird_paths(text)

    def has_path(self, session, prefix, as_path):
        """It prints a thousand characters of a path, but its filter compares all of it."""
        assert as_path == LONG_PATH
        text = control.ask(self.socket(session), f"show route protocol s_{session.name} filter same_path {prefix}").text
        return bird_prefixes(text) == {prefix}

    def prefixes(self, session):
        return bird_prefixes(self.ask(session, f"show route protocol s_{session.name}"))

    def count(self, session):
        return int(re.search(r"^(\d+) of", self.ask(session, f"show route protocol s_{session.name} count"), re.M)[1])

    def ask_refresh(self, session):
        self.ask(session, f"reload in s_{session.name}")

    def shut(self, session, text):
        self.ask(session, f'disable s_{session.name} "{text}"')

    def open(self, session):
        self.ask(session, f"enable s_{session.name}")

    def heard(self, session):
        return "".join(line for line in self.logs().splitlines(True) if f" s_{session.name}: " in line)

    def resets(self, session):
        return self.heard(session).count("Administrative reset")

    def reset(self, session):
        self.ask(session, f"restart s_{session.name}")


class Bird2(Bird):
    title = "BIRD 2"
    program = BIRD[2]

    def socket(self, session):
        return self.lab.path("bird.ctl")

    def start(self):
        feeds = "".join(f"""
protocol bgp feed{n} {{
	local 10.2.0.1 as {THEIR_AS}; neighbor 10.2.0.{10 + n} as {asn}; passive on;
	ipv4 {{ import all; export none; }};
	ipv6 {{ import all; export none; }};
}}""" for n, asn in enumerate(FEED_AS["theirs"]))
        channel = lambda s, inner: f"enable extended messages on; {s.family} {{ {inner} }};"        # noqa: E731
        text = (HEAD + "".join(FILTERS.values()) + f"protocol static {{ ipv4; {self.statics()} }}" + feeds +
                "".join(_session(s, channel) for s in SESSIONS) + "\n")
        conf = self.lab.write("bird.conf", text)
        self.spawn("bird", [self.program, "-f", "-c", conf, "-s", self.socket(None)])


class Bird1(Bird):
    title = "BIRD 1.6"
    program = BIRD[1]
    PROGRAMS = {"ipv4": BIRD[1], "ipv6": BIRD[1] + "6"}

    def socket(self, session):
        return self.lab.path(f"bird-{session.family}.ctl")

    def start(self):
        """Two daemons; sessions and feeds of IPv6 routes are those over IPv6."""
        for family, program in self.PROGRAMS.items():
            near, far = ("fd02::1", "fd02::") if family == "ipv6" else ("10.2.0.1", "10.2.0.")
            feeds = "".join(f"""
protocol bgp feed{n} {{
	local {near} as {THEIR_AS}; neighbor {far}{10 + n} as {asn}; passive on;
	import all; export none;
}}""" for n, asn in enumerate(FEED_AS["theirs"]))
            statics = f"protocol static {{ {self.statics()} }}" if family == "ipv4" else ""
            text = (HEAD + FILTERS[family] + statics + feeds +
                    "".join(_session(s, lambda s, inner: inner) for s in SESSIONS if s.family == family) + "\n")
            conf = self.lab.write(f"bird-{family}.conf", text)
            self.spawn(f"bird-{family}", [program, "-f", "-c", conf, "-s", self.lab.path(f"bird-{family}.ctl")])

    def feed_up(self):
        super().feed_up()
        self.feed6 = self.new_feeds("fd02::1")

    def feed_down(self):
        for feed in self.feed + self.feed6:
            feed.close()

    def announce(self, prefix, path, feed=0):
        (self.feed6 if ":" in prefix else self.feed)[feed].announce_path(prefix, path)

    def withdraw(self, prefix, feed=0):
        (self.feed6 if ":" in prefix else self.feed)[feed].withdraw_prefix(prefix)
