# SPDX-License-Identifier: BSD-2-Clause
"""BIRD 2, and BIRD 1.6, which is a program for each family."""

import re
import subprocess

import control
from clusters import BIRD

from .router import FEED_AS, OUR_AS, SESSIONS, THEIR_AS, THEIR_ID, Router, version_in
from .routes import LONG, RICH, THEIRS, bird_paths, bird_prefixes

LONG_PATH = f"{OUR_AS} {FEED_AS['ours'][0]} {RICH[LONG].as_path}"


class Bird2(Router):
    title, product = "BIRD 2", "BIRD"
    program = BIRD[2]

    @classmethod
    def version(cls):
        done = subprocess.run([cls.program, "--version"], capture_output=True, text=True)
        return version_in(done.stdout + done.stderr)

    def socket(self, session):
        return self.lab.path("bird.ctl")

    def protocol(self, session):
        s = session
        return f"""
protocol bgp s_{s.name} {{
	local {s.theirs} as {THEIR_AS}; neighbor {s.ours} as {s.our_as};
	connect retry time 1; connect delay time 1; error wait time 1, 2; startup hold time 10;
	{"passive on;" if s.dialled else ""}
	{f'password "{s.their_password}";' if s.their_password else ""}
	{"ttl security on;" if s.near else ""}
	graceful restart on; graceful restart time 30; enable extended messages on;
	{s.family} {{
		import all; export filter {"everything" if s.everything else "little"}{s.family[-1]};
		{"add paths on;" if s.add_path else ""}
	}};
}}"""

    def configuration(self):
        own = " ".join(f"route {prefix} blackhole;" for prefix in self.own)
        feeds = "\n".join(f"""
protocol bgp feed{n} {{
	local 10.2.0.1 as {THEIR_AS}; neighbor 10.2.0.{10 + n} as {asn}; passive on;
	ipv4 {{ import all; export none; }};
	ipv6 {{ import all; export none; }};
}}""" for n, asn in enumerate(FEED_AS["theirs"]))
        sessions = "\n".join(self.protocol(s) for s in SESSIONS)
        return f"""
log stderr all;
router id {THEIR_ID};
filter long4 {{ if bgp_path ~ [= {LONG_PATH} =] then accept; reject; }}
filter little4 {{ if net ~ [ {THEIRS.block4}+ ] then accept; reject; }}
filter everything4 {{ if net ~ [ {THEIRS.block4}+, {THEIRS.bulk_block}+ ] then accept; reject; }}
filter little6 {{ if net ~ [ {THEIRS.block6}+ ] then accept; reject; }}
protocol device {{ scan time 2; }}
protocol static {{ ipv4; {own} }}
{feeds}
{sessions}
"""

    def start(self):
        conf = self.lab.write("bird.conf", self.configuration())
        self.spawn("bird", [self.program, "-f", "-c", conf, "-s", self.socket(None)])

    def ask(self, session, command):
        return control.ask(self.socket(session), command).text

    def paths(self, session, prefixes):
        text = "\n".join(self.ask(session, f"show route protocol s_{session.name} all {prefix}") for prefix in prefixes)
        return bird_paths(text)

    def has_path(self, session, prefix, as_path):
        """It prints a thousand characters of a path, but its filter compares all of it."""
        assert as_path == LONG_PATH
        text = control.ask(self.socket(session), f"show route protocol s_{session.name} filter long4 {prefix}").text
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
