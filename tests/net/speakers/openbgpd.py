# SPDX-License-Identifier: BSD-2-Clause
"""OpenBGPD."""

import json
import os
import re
import subprocess

from .router import BY_NAME, FEED_AS, SESSIONS, THEIR_AS, THEIR_ID, Lack, Router, of_package, version_in
from .routes import THEIRS, Path, ext_community

BGPD, BGPCTL = of_package("openbgpd", "usr/sbin/bgpd"), of_package("openbgpd", "usr/sbin/bgpctl")
ORIGINS = {"incomplete": "Incomplete"}


def _no_keys_where_it_listens(rig):
    """Its kernel drops our signed SYN as one that nobody here expects to be signed."""
    rig.wait(lambda: re.search(r"TcpExtTCPMD5Unexpected +[1-9]", rig.theirs.run("nstat", "-az").stdout), "a SYN dropped")
    assert not rig.up(BY_NAME["md5_dialled"])


def _refuses_refreshes(rig):
    session = BY_NAME["accepted"]
    rig.wait(lambda: rig.up(session), "a session to ask for a refresh on")
    rig.gateway.ask(f"reload in {session.name}")
    rig.wait(lambda: "route refresh: AID IPv4 unicast not negotiated" in rig.router.heard(session), "it refuses")
    assert rig.offers(session)["route_refresh"]


def _wants_no_time_to_restart(rig):
    rig.wait(lambda: rig.up(BY_NAME["dialled"]), "a session whose OPEN can be looked at")
    assert rig.offers(BY_NAME["dialled"])["restart_time_s"] == 0


REFRESH = Lack("offers route refresh, but takes every request for one of a family that is not negotiated", _refuses_refreshes)


class Openbgpd(Router):
    title = product = "OpenBGPD"
    users = ("_openbgpd",)
    lacks = {"test_md5_dialled": Lack("has no keys on its listening socket on Linux", _no_keys_where_it_listens),
             "test_refresh_by_us": REFRESH, "test_enhanced_refresh": REFRESH,
             "test_they_restart": Lack("helps others to restart, and asks for no time to do so itself",
                                       _wants_no_time_to_restart)}

    @classmethod
    def version(cls):
        done = subprocess.run([BGPD, "-V"], capture_output=True, text=True)
        return version_in(done.stdout + done.stderr)

    def configuration(self):
        lines = [f"AS {THEIR_AS}", f"router-id {THEIR_ID}", "fib-update no", f'socket "{self.socket}"',
                 "reject as-set no", *[f"network {prefix}" for prefix in self.own]]
        for s in SESSIONS:
            lines += [f"neighbor {s.ours} {{", f"remote-as {s.our_as}", f"local-address {s.theirs}", f'descr "{s.name}"',
                      "announce enhanced refresh yes", "announce restart yes"]
            lines += ["passive"] * s.dialled + ["ttl-security yes"] * s.near
            lines += [f"tcp md5sig password {s.their_password}"] if s.their_password else []
            lines += ["announce add-path recv yes", "announce add-path send all"] if s.add_path else []
            lines += ["}"]
        for n, asn in enumerate(FEED_AS["theirs"]):
            lines += [f"neighbor 10.2.0.{10 + n} {{", f"remote-as {asn}", "local-address 10.2.0.1", "passive",
                      "announce IPv4 unicast", "announce IPv6 unicast", "}"]
        lines += ["allow from any"]
        for s in SESSIONS:
            blocks = [THEIRS.block6 if s.v6 else THEIRS.block4] + ([THEIRS.bulk_block] if s.everything else [])
            lines += [f"allow to {s.ours} prefix {block} or-longer" for block in blocks]
        return "\n".join(lines) + "\n"

    @property
    def socket(self):
        return self.lab.path("openbgpd.sock")

    def start(self):
        conf = self.lab.write("openbgpd.conf", self.configuration())
        os.chmod(conf, 0o600)
        self.spawn("openbgpd", [BGPD, "-d", "-v", "-f", conf])

    # ---- commands ------------------------------------------------------------------------------------

    def ask(self, *words):
        return self.run(BGPCTL, "-s", self.socket, *words)

    def rib(self, session, *words):
        return json.loads(self.ask("-j", "show", "rib", "neighbor", session.ours, *words)).get("rib", [])

    def paths(self, session, prefixes):
        found = {}
        for raw in self.rib(session, "detail"):
            if raw["prefix"] in prefixes:
                found.setdefault(raw["prefix"], []).append(_path(raw))
        return found

    def prefixes(self, session):
        return {raw["prefix"] for raw in self.rib(session)}

    def neighbor(self, session):
        text = self.ask("-j", "show", "neighbor", session.ours)
        return json.loads(re.sub(r"\\(?=[0-7]{3})", r"\\\\", text))["neighbors"][0]   # octal numbers are not JSON's

    def count(self, session):
        return self.neighbor(session)["stats"]["prefixes"]["received"]

    def ask_refresh(self, session):
        self.ask("neighbor", session.ours, "refresh")

    def shut(self, session, text):
        self.ask("neighbor", session.ours, "down", text)

    def open(self, session):
        self.ask("neighbor", session.ours, "up")

    def reset(self, session):
        self.ask("neighbor", session.ours, "clear")

    def hurry(self, session):
        """Else it dials again only after two minutes."""
        if self.neighbor(session)["state"] != "Established":
            self.ask("neighbor", session.ours, "down")
            self.ask("neighbor", session.ours, "up")

    def heard(self, session):
        """Its log, which writes what is not ASCII as octal numbers."""
        text = "".join(line for line in self.logs().splitlines(True) if f"({session.name})" in line)
        return re.sub(r"(?:\\[0-7]{3})+", lambda raw: bytes(int(n, 8) for n in raw[0].split("\\")[1:]).decode(), text)

    def resets(self, session):
        return self.heard(session).count("received notification: Cease, administrative reset")


def _path(raw):
    return Path(as_path=raw["aspath"], origin=ORIGINS.get(raw["origin"], raw["origin"]), next_hop=raw["exit_nexthop"],
                med=raw["metric"] or None, communities=frozenset(raw.get("communities", [])),
                large=frozenset(raw.get("large_communities", [])),
                ext=frozenset(ext_community(*item.replace(" ", ":").split(":"))
                              for item in raw.get("extended_communities", [])))
