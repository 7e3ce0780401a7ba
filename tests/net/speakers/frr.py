# SPDX-License-Identifier: BSD-2-Clause
"""FRR's bgpd, and zebra, from which it knows the links; it writes nothing into the kernel."""

import contextlib
import json
import os
import re
import subprocess

from lab import wait_until

from .router import FEED_AS, SESSIONS, THEIR_AS, THEIR_ID, Router, of_package, version_in
from .routes import THEIRS, Path, ext_community

ZEBRA, BGPD, VTYSH = (of_package("frr", path) for path in ("usr/lib/frr/zebra", "usr/lib/frr/bgpd", "usr/bin/vtysh"))
LIBRARIES = {"LD_LIBRARY_PATH": ":".join(
    [of_package("frr", "usr/lib/x86_64-linux-gnu/frr")] +
    [of_package(package, "usr/lib/x86_64-linux-gnu") for package in ("libyang2", "libjson-c5", "libc-ares2")])}
ORIGINS = {"incomplete": "Incomplete"}


def _documents(text):
    """JSON documents one after the other."""
    decoder, at = json.JSONDecoder(), 0
    while match := re.compile(r"\s*(?=[{\[])").match(text, at):
        document, at = decoder.raw_decode(text, match.end())
        yield document


class Frr(Router):
    title = product = "FRR"
    users = ("frr", "frrvty")

    @classmethod
    def version(cls):
        done = subprocess.run([BGPD, "--version"], capture_output=True, text=True, env={**os.environ, **LIBRARIES})
        return version_in(done.stdout)

    # ---- configuration -------------------------------------------------------------------------------

    @staticmethod
    def _neighbor(address, asn, local, out, family, more=(), family_more=()):
        head = [f"remote-as {asn}", f"update-source {local}", "timers connect 1", "advertisement-interval 0", *more]
        inner = ["activate", f"prefix-list {out} out", *family_more]
        lines = [f" neighbor {address} {line}" for line in head]
        for one in family:
            lines += [f" address-family {one} unicast", *[f"  neighbor {address} {line}" for line in inner],
                      " exit-address-family"]
        return lines

    def configuration(self):
        lines = [f"ip prefix-list little seq 5 permit {THEIRS.block4} le 32",
                 f"ip prefix-list everything seq 5 permit {THEIRS.block4} le 32",
                 f"ip prefix-list everything seq 6 permit {THEIRS.bulk_block} le 32",
                 "ip prefix-list none seq 5 deny any", "ipv6 prefix-list none seq 5 deny any",
                 f"ipv6 prefix-list little seq 5 permit {THEIRS.block6} le 128",
                 f"router bgp {THEIR_AS}", f" bgp router-id {THEIR_ID}", " no bgp ebgp-requires-policy",
                 " no bgp network import-check", " no bgp default ipv4-unicast", " coalesce-time 0",
                 " bgp log-neighbor-changes",
                 " bgp graceful-restart", " bgp graceful-restart preserve-fw-state"]
        for s in SESSIONS:
            more = ((["passive"] if s.dialled else []) + (["ttl-security hops 1"] if s.near else []) +
                    ([f"password {s.their_password}"] if s.their_password else []))
            lines += self._neighbor(s.ours, s.our_as, s.theirs, "everything" if s.everything else "little", [s.family],
                                    more, ["addpath-tx-all-paths"] if s.add_path else [])
        for n, asn in enumerate(FEED_AS["theirs"]):
            lines += self._neighbor(f"10.2.0.{10 + n}", asn, "10.2.0.1", "none", ["ipv4", "ipv6"], ["passive"])
        lines += [" address-family ipv4 unicast", *[f"  network {prefix}" for prefix in self.own], " exit-address-family"]
        return "\n".join(lines) + "\n"

    def start(self):
        folder = self.lab.path("frr")
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o777)
        conf, empty = self.lab.write("frr/frr.conf", self.configuration()), self.lab.write("frr/zebra.conf", "\n")
        self.lab.write("frr/vtysh.conf", "username root nopassword\n")      # else it asks PAM
        zserv = f"{folder}/zserv.api"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(zserv)
        common = ["-u", "root", "-g", "root", "-z", zserv, "-P", "0", "--vty_socket", folder, "--log", "stdout",
                  "--log-level", "informational"]
        self.spawn("zebra", [ZEBRA, *common, "-f", empty, "-i", f"{folder}/zebra-{self.serial}.pid"], LIBRARIES)
        wait_until(lambda: os.path.exists(zserv), 30, "zebra's socket")     # bgpd would try again after seconds only
        self.spawn("bgpd", [BGPD, *common, "-n", "-f", conf, "-i", f"{folder}/bgpd-{self.serial}.pid"], LIBRARIES)

    # ---- commands ------------------------------------------------------------------------------------

    def ask(self, *commands):
        words = [word for command in commands for word in ("-c", command)]
        folder = self.lab.path("frr")
        return self.run(VTYSH, "--config_dir", folder, "--vty_socket", folder, "-d", "bgpd", *words, env=LIBRARIES)

    def documents(self, *commands):
        return list(_documents(self.ask(*commands)))

    def paths(self, session, prefixes):
        found = {}
        for document in self.documents(*[f"show bgp {session.family} unicast {prefix} json" for prefix in prefixes]):
            paths = [_path(raw) for raw in document.get("paths", []) if raw["peer"]["peerId"] == session.ours]
            if paths:
                found[document["prefix"]] = paths
        return found

    def prefixes(self, session):
        table, = self.documents(f"show bgp ipv4 unicast neighbors {session.ours} routes json")
        return set(table["routes"])

    def count(self, session):
        table, = self.documents("show bgp ipv4 unicast summary json")
        return table["peers"][session.ours]["pfxRcd"]

    def ask_refresh(self, session):
        self.ask(f"clear bgp {session.family} unicast {session.ours} soft in")

    def _set(self, line):
        self.ask("configure terminal", f"router bgp {THEIR_AS}", line)

    def shut(self, session, text):
        self._set(f"neighbor {session.ours} shutdown message {text}")

    def open(self, session):
        self._set(f"no neighbor {session.ours} shutdown")

    def reset(self, session):
        self.ask(f"clear bgp {session.ours}")

    def heard(self, session):
        text = "".join(line for line in self.logs().splitlines(True)
                       if "%NOTIFICATION" in line and f": received from neighbor {session.ours} " in line)
        return re.sub(r"(?:\\x[0-9a-f]{2})+", lambda raw: bytes.fromhex(raw[0].replace("\\x", "")).decode(), text)

    def resets(self, session):
        return self.heard(session).count("dministrative Reset")


def _listed(raw, key):
    return frozenset(raw[key]["string"].split()) if key in raw else frozenset()


def _path(raw):
    return Path(as_path=raw["aspath"]["string"], origin=ORIGINS.get(raw["origin"], raw["origin"]),
                next_hop=raw["nexthops"][0]["ip"], med=raw.get("med"), communities=_listed(raw, "community"),
                large=_listed(raw, "largeCommunity"),
                ext=frozenset(ext_community(*item.split(":")) for item in _listed(raw, "extendedCommunity")))
