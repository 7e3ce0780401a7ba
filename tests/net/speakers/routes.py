# SPDX-License-Identifier: BSD-2-Clause
"""The routes that are exchanged, one form for what every speaker says of a path, and the peer that feeds them in."""

import contextlib
import dataclasses
import ipaddress
import re
import select
import socket
import struct
import threading
import time

from speaker import AS_PATH, COMMUNITIES, KEEPALIVE, LARGE, MED, NEXT_HOP, OPTIONAL, ORIGIN, TRANSITIVE, UPDATE, Closed, Speaker
from speaker import attribute, capability, message, nlri, update_body

MP_REACH, MP_UNREACH, EXT = 14, 15, 16
ORIGINS = ("IGP", "EGP", "Incomplete")


@dataclasses.dataclass(frozen=True)
class Path:
    """@as_path: numbers with blanks between; @ext: as BIRD words them, "rt, 65000, 1"."""

    as_path: str = ""
    origin: str = "IGP"
    next_hop: str = ""
    communities: frozenset = frozenset()
    large: frozenset = frozenset()
    ext: frozenset = frozenset()
    med: int | None = None

    def via(self, asn, next_hop, **changes):
        """As it arrives behind a speaker of AS @asn that says itself is the next hop."""
        return dataclasses.replace(self, as_path=f"{asn} {self.as_path}".strip(), next_hop=next_hop, **changes)


def ext_community(kind, admin, value):
    """One name for one community: @kind as BIRD, FRR, OpenBGPD, GoBGP, or ExaBGP call it."""
    kind = {"target": "rt", "origin": "ro", "soo": "ro"}.get(kind.lower(), kind.lower())
    return f"{kind}, {admin}, {value}"


# ---- what is announced -------------------------------------------------------------------------------------------

def _some(*values):
    return frozenset(values)


RICH = [
    Path(),
    Path(origin="Incomplete", communities=_some("65000:1", "1:65535", "65535:65533")),
    Path(communities=frozenset(f"64{n:03}:{n}" for n in range(40))),
    Path(large=_some("4294967295:1:0", "65000:4294967295:4294967295")),
    Path(ext=_some("rt, 65000, 100", "ro, 65000, 4200000000", "rt, 10.9.8.7, 7", "rt, 4200000005, 9")),
    Path(origin="EGP", as_path="4200000100 23457 4294967294 65000"),
    Path(as_path=" ".join(str(100 + n) for n in range(299))),       # with the feed's own: two segments
    Path(as_path="4200000300 4200000300", communities=_some("65001:2"), large=_some("1:2:3"), ext=_some("rt, 1, 1")),
]
LONG = 6                    # longer than some speakers print
PLAIN, WITH_COMMUNITIES, WITH_LARGE, WITH_EXT, WITH_AS4 = (0,), (1, 2, 7), (3, 7), (4, 7), (5, 7)


class Side:
    """Prefixes of one side, all in blocks that the other side's filters know."""

    def __init__(self, second, bulk):
        self.block4, self.block6 = f"10.{second}.0.0/16", f"fd{second}::/32"
        self.rich4 = [f"10.{second}.{n}.0/24" for n in range(len(RICH))]
        self.rich6 = [f"fd{second}:0:{n + 1}::/48" for n in range(len(RICH))]
        self.twice = f"10.{second}.100.0/24"        # announced by both feeds
        self.more4 = f"10.{second}.101.0/24"        # announced when a test says so
        self.more6 = f"fd{second}:0:101::/48"
        self.own4 = [f"10.{second}.20{n}.0/24" for n in (0, 1)]     # the speaker's own, without any feed
        self.bulk_block = bulk
        self.bulk_first = int(ipaddress.ip_network(bulk).network_address)

    def bulk(self, count):
        """(address, length) of @count prefixes, /17 to /24, as many of each length as a real table has."""
        for n in range(count):
            zeros = 7 if n == 0 else min(7, (n & -n).bit_length() - 1)
            yield self.bulk_first + (n << 8), 24 - zeros

    def bulk_prefixes(self, count):
        return {f"{socket.inet_ntoa(struct.pack('!I', address))}/{length}" for address, length in self.bulk(count)}


OURS, THEIRS = Side(60, "20.0.0.0/7"), Side(70, "30.0.0.0/7")


# ---- as bytes ----------------------------------------------------------------------------------------------------

def _as_path(text):
    """Segments of 255, the last one first in being short."""
    numbers = [int(n) for n in text.split()]
    raw = b""
    for at in range(0, len(numbers), 255):
        part = numbers[at:at + 255]
        raw += bytes([2, len(part)]) + struct.pack(f"!{len(part)}I", *part)
    return attribute(AS_PATH, raw)


def ext_bytes(text):
    kind, admin, value = text.split(", ")
    subtype = {"rt": 2, "ro": 3}[kind]
    if "." in admin:
        return bytes([1, subtype]) + socket.inet_aton(admin) + struct.pack("!H", int(value))
    if int(admin) > 65535:
        return bytes([2, subtype]) + struct.pack("!IH", int(admin), int(value))
    return bytes([0, subtype]) + struct.pack("!HI", int(admin), int(value))


def attributes(path, next_hop=None):
    """Without NEXT_HOP where @next_hop is None."""
    raw = attribute(ORIGIN, bytes([ORIGINS.index(path.origin)])) + _as_path(path.as_path)
    if next_hop:
        raw += attribute(NEXT_HOP, socket.inet_aton(next_hop))
    if path.med is not None:
        raw += attribute(MED, struct.pack("!I", path.med))
    if path.communities:
        raw += attribute(COMMUNITIES, b"".join(struct.pack("!HH", *map(int, c.split(":"))) for c in sorted(path.communities)))
    if path.ext:
        raw += attribute(EXT, b"".join(sorted(map(ext_bytes, path.ext))), OPTIONAL | TRANSITIVE)
    if path.large:
        raw += attribute(LARGE, b"".join(struct.pack("!III", *map(int, c.split(":"))) for c in sorted(path.large)))
    return raw


class Feed(Speaker):
    """Feeds routes in, and takes no notice of what it hears; a thread keeps its session alive."""

    def __init__(self, namespace, address, address6, asn):
        super().__init__(namespace, address, asn)
        self.address4, self.address6 = address, address6
        self.lock = threading.Lock()

    def send(self, raw):
        with self.lock:
            super().send(raw)

    def _live(self):
        said = time.monotonic()
        with contextlib.suppress(OSError, ValueError):      # closed, by either side
            while True:
                if select.select([self.socket], [], [], 5)[0] and not self.socket.recv(65536):
                    return
                if time.monotonic() > said + 20:
                    self.send(message(KEEPALIVE))
                    said = time.monotonic()

    def up(self, address, patience=20):
        self.address = self.address6 if ":" in address else self.address4
        hello = {"capabilities": capability(1, b"\0\1\0\1") + capability(1, b"\0\2\0\1") +
                 capability(2) + capability(65, struct.pack("!I", self.asn))}
        deadline = time.monotonic() + patience
        while True:
            try:
                self.dial(address, patience=patience).establish(**hello)
                threading.Thread(target=self._live, daemon=True).start()
                return self
            except (AssertionError, Closed):    # it is not ready yet, and says so
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def announce_path(self, prefix, path):
        path = dataclasses.replace(path, as_path=f"{self.asn} {path.as_path}".strip())
        if ":" in prefix:
            hop = ipaddress.ip_address(self.address6).packed
            reach = attribute(MP_REACH, struct.pack("!HBB", 2, 1, 16) + hop + b"\0" + nlri(prefix), OPTIONAL)
            self.send(message(UPDATE, update_body(attributes(path) + reach)))
        else:
            self.send(message(UPDATE, update_body(attributes(path, self.address4), nlri(prefix))))

    def withdraw_prefix(self, prefix):
        if ":" in prefix:
            gone = attribute(MP_UNREACH, struct.pack("!HB", 2, 1) + nlri(prefix), OPTIONAL)
            self.send(message(UPDATE, update_body(gone)))
        else:
            self.send(message(UPDATE, update_body(withdrawn=nlri(prefix))))

    def end_of_rib(self):
        self.send(message(UPDATE, update_body()))
        self.send(message(UPDATE, update_body(attribute(MP_UNREACH, struct.pack("!HB", 2, 1), OPTIONAL))))

    def _bulk(self, side, count):
        """NLRI, a thousand prefixes a piece: each is four bytes."""
        raw = b"".join(bytes([length]) + struct.pack("!I", address)[:3] for address, length in side.bulk(count))
        return [raw[at:at + 3900] for at in range(0, len(raw), 3900)]

    def announce_bulk(self, side, count):
        for n, part in enumerate(self._bulk(side, count)):
            path = attributes(Path(f"{self.asn} {70000 + n}"), self.address4)
            self.send(message(UPDATE, update_body(path, part)))

    def withdraw_bulk(self, side, count):
        for part in self._bulk(side, count):
            self.send(message(UPDATE, update_body(withdrawn=part)))


# ---- BIRD's words, which mcbgpd's are too ------------------------------------------------------------------------

def bird_prefixes(text):
    """Of `show route`: the set of prefixes."""
    return set(re.findall(r"^([0-9a-f.:]+/\d+) ", text, re.M))


def _listed(text, separator):
    return frozenset(separator.join(re.split(r",\s*", item)) for item in re.findall(r"\(([^)]*)\)", text))


def bird_paths(text):
    """Of `show route all`: {prefix: [Path]}."""
    found, prefix = {}, None
    for line in text.splitlines():
        head = re.match(r"([0-9a-f.:]+/\d+)?\s.*\[\S+ [^]]*\]", line)
        if head:
            prefix = head[1] or prefix
            found.setdefault(prefix, []).append({})
        elif line.strip().startswith("BGP."):
            key, _, value = line.strip()[4:].partition(": ")
            found[prefix][-1][key] = value.strip()
    return {prefix: [_bird_path(raw) for raw in paths] for prefix, paths in found.items()}


def _bird_path(raw):
    return Path(as_path=raw.get("as_path", ""), origin=raw.get("origin", ""),
                next_hop=raw.get("next_hop", "").split(" ")[0],
                communities=_listed(raw.get("community", ""), ":"), large=_listed(raw.get("large_community", ""), ":"),
                ext=_listed(raw.get("ext_community", ""), ", "), med=int(raw["med"]) if "med" in raw else None)
