# SPDX-License-Identifier: BSD-2-Clause
"""GoBGP."""

import ipaddress
import json
import subprocess

from lab import stays, wait_until

from .router import BY_NAME, FEED_AS, SESSIONS, THEIR_AS, THEIR_ID, Lack, Router, of_package, version_in
from .routes import ORIGINS, THEIRS, Path, ext_community

GOBGPD, GOBGP = of_package("gobgpd", "usr/bin/gobgpd"), of_package("gobgpd", "usr/bin/gobgp")

ESTABLISHED = 6
EXT = {2: "rt", 3: "ro"}


def _table(head, **settings):
    """A table of TOML; names of settings with - for _."""
    lines = [f"{key.replace('_', '-')} = {json.dumps(value)}" for key, value in settings.items()]
    return "\n".join([head, *lines])


def _prefixes(name, *blocks):
    lines = ["[[defined-sets.prefix-sets]]", f'prefix-set-name = "{name}"']
    for block in blocks:
        network = ipaddress.ip_network(block)
        lines += ["[[defined-sets.prefix-sets.prefix-list]]", f'ip-prefix = "{block}"',
                  f'masklength-range = "{network.prefixlen}..{network.max_prefixlen}"']
    return "\n".join(lines)


def _statement(name, neighbors, prefixes, action):
    lines = ["[[policy-definitions.statements]]", f'name = "{name}"',
             "[policy-definitions.statements.conditions.match-neighbor-set]", f'neighbor-set = "{neighbors}"']
    if prefixes:
        lines += ["[policy-definitions.statements.conditions.match-prefix-set]", f'prefix-set = "{prefixes}"']
    return "\n".join([*lines, "[policy-definitions.statements.actions]", f'route-disposition = "{action}"'])


def _asks_nobody(rig):
    session = BY_NAME["dialled"]
    rig.wait(lambda: rig.up(session) and rig.router.count(session), "routes to be asked for again")
    sent = lambda: rig.peer(session)["routes"]["ipv4"]["export_updates"]        # noqa: E731
    before = sent()
    rig.router.ask_refresh(session)
    stays(lambda: sent() == before, 2, "it asks for nothing")


class Gobgp(Router):
    title = product = "GoBGP"
    slow = 2                # it dials every ten seconds
    lacks = {"test_enhanced_refresh": Lack("does not have enhanced route refresh (RFC 7313)"),
             "test_refresh_by_them": Lack("never asks: it keeps what it has heard, and looks through that again", _asks_nobody)}

    @classmethod
    def version(cls):
        return version_in(subprocess.run([GOBGPD, "--version"], capture_output=True, text=True).stdout)

    # ---- configuration -------------------------------------------------------------------------------

    @staticmethod
    def _neighbor(address, asn, local, families, passive, password="", near=False, add_path=False):
        parts = [_table("[[neighbors]]"),
                 _table("[neighbors.config]", neighbor_address=address, peer_as=asn,
                        **({"auth_password": password} if password else {})),
                 _table("[neighbors.timers.config]", connect_retry=1),
                 _table("[neighbors.transport.config]", local_address=local, passive_mode=passive),
                 _table("[neighbors.graceful-restart.config]", enabled=True, restart_time=30, deferral_time=3)]
        if near:
            parts.append(_table("[neighbors.ttl-security.config]", enabled=True, ttl_min=255))
        for family in families:
            parts += [_table("[[neighbors.afi-safis]]"),
                      _table("[neighbors.afi-safis.config]", afi_safi_name=f"{family}-unicast"),
                      _table("[neighbors.afi-safis.mp-graceful-restart.config]", enabled=True)]
            if add_path:
                parts.append(_table("[neighbors.afi-safis.add-paths.config]", receive=True, send_max=8))
        return parts

    def configuration(self):
        names = {name: [s for s in SESSIONS if (s.family, s.everything) == key] for name, key in
                 (("little4", ("ipv4", False)), ("everything4", ("ipv4", True)), ("little6", ("ipv6", False)))}
        feeds = [f"10.2.0.{10 + n}" for n in range(len(FEED_AS["theirs"]))]
        parts = [_table("[global.config]", **{"as": THEIR_AS}, router_id=THEIR_ID, local_address_list=["0.0.0.0", "::"]),
                 _table("[global.apply-policy.config]", export_policy_list=["out"], default_export_policy="reject-route",
                        default_import_policy="accept-route"),
                 _prefixes("little4", THEIRS.block4), _prefixes("everything4", THEIRS.block4, THEIRS.bulk_block),
                 _prefixes("little6", THEIRS.block6)]
        for name, sessions in names.items():
            hosts = [f"{s.ours}/{128 if s.v6 else 32}" for s in sessions]
            parts.append(_table("[[defined-sets.neighbor-sets]]", neighbor_set_name=name, neighbor_info_list=hosts))
        parts.append(_table("[[policy-definitions]]", name="out"))
        parts += [_statement(name, name, name, "accept-route") for name in names]
        for s in SESSIONS:
            parts += self._neighbor(s.ours, s.our_as, s.theirs, [s.family], s.dialled, s.their_password, s.near, s.add_path)
        for address, asn in zip(feeds, FEED_AS["theirs"]):
            parts += self._neighbor(address, asn, "10.2.0.1", ["ipv4", "ipv6"], True)
        return "\n".join(parts) + "\n"

    def start(self):
        conf = self.lab.write("gobgpd.toml", self.configuration())
        self.spawn("gobgpd", [GOBGPD, "-f", conf, "--log-plain", "--pprof-disable", *(["-r"] if self.serial else [])])
        wait_until(self._answers, 30, "gobgpd answers")
        for prefix in self.own:
            self.ask("global", "rib", "add", prefix)

    def _answers(self):
        return self.namespace.run(GOBGP, "global").returncode == 0

    # ---- commands ------------------------------------------------------------------------------------

    def ask(self, *words):
        return self.run(GOBGP, *words)

    def rib(self, session):
        return json.loads(self.ask("-j", "neighbor", session.ours, "adj-in", "-a", session.family) or "{}")

    def paths(self, session, prefixes):
        table = self.rib(session)
        return {prefix: [_path(raw) for raw in table[prefix]] for prefix in prefixes if prefix in table}

    def prefixes(self, session):
        return set(self.rib(session))

    def neighbor(self, session):
        return json.loads(self.ask("-j", "neighbor", session.ours))

    def count(self, session):
        return int(self.neighbor(session)["afi_safis"][0]["state"].get("received", 0))

    def ask_refresh(self, session):
        self.ask("neighbor", session.ours, "softresetin")

    def shut(self, session, text):
        self.ask("neighbor", session.ours, "shutdown", "--reason", text)

    def open(self, session):
        self.hurry(session)

    def reset(self, session):
        self.ask("neighbor", session.ours, "reset")

    def hurry(self, session):
        """Else it is idle for half a minute after a reset."""
        if self.neighbor(session)["state"]["session_state"] != ESTABLISHED:
            self.ask("neighbor", session.ours, "disable")
            self.ask("neighbor", session.ours, "enable")

    def make_room(self, session):
        for other in SESSIONS:
            if other is not session:
                self.ask("neighbor", other.ours, "disable")

    def heard(self, session):
        return "".join(line for line in self.logs().splitlines(True) if f"Key={session.ours} " in line)

    def resets(self, session):
        return self.heard(session).count("dministrative reset")


def _path(raw):
    a = {attribute["type"]: attribute for attribute in raw["attrs"]}
    plain, large, ext = a.get(8, {}).get("communities", []), a.get(32, {}).get("value", []), a.get(16, {}).get("value", [])
    return Path(as_path=" ".join(str(n) for segment in a[2]["as_paths"] for n in segment["asns"]),
                origin=ORIGINS[a[1]["value"]], next_hop=a.get(3, a.get(14))["nexthop"], med=a.get(4, {}).get("metric"),
                communities=frozenset(f"{n >> 16}:{n & 0xffff}" for n in plain),
                large=frozenset(f"{c['ASN']}:{c['LocalData1']}:{c['LocalData2']}" for c in large),
                ext=frozenset(_ext(c) for c in ext))


def _ext(raw):
    admin, value = raw["value"].split(":")
    if raw["type"] == 2:        # a 4-byte AS number, in halves
        high, low = admin.split(".")
        admin = int(high) << 16 | int(low)
    return ext_community(EXT[raw["subtype"]], admin, value)
