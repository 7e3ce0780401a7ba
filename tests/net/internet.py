# SPDX-License-Identifier: BSD-2-Clause
"""A table of routes shaped like the Internet's, and what happens to it, made from a seed: prefix lengths, AS paths,
communities as a route collector sees them, one set of attributes to about six prefixes, and now and then the odd one:
AS_SETs, AS numbers of four bytes in all places, unknown attributes, more communities than fit a short length."""

import dataclasses
import ipaddress
import random
import struct

from mrt import PeerIndex, Rib, Update
from replay import announcements, withdrawals
from speaker import (AGGREGATOR, AS_PATH, ATOMIC, COMMUNITIES, LARGE, MED, NEXT_HOP, OPTIONAL, ORIGIN, PARTIAL,
                     TRANSITIVE)

EXT_COMMUNITIES, MP_REACH = 16, 14
SEQUENCE, SET = 2, 1
GRACEFUL_SHUTDOWN = 0xffff0000
UNKNOWN = (99, 200)          # attributes that nobody knows

# prefix length -> of a thousand prefixes
LENGTHS = {4: {24: 600, 22: 115, 23: 105, 21: 45, 20: 40, 19: 30, 16: 20, 18: 15, 17: 10, 15: 6, 14: 5, 13: 4, 12: 3,
               11: 1, 8: 1},
           6: {48: 480, 32: 170, 44: 90, 40: 80, 36: 60, 46: 40, 29: 35, 33: 20, 47: 15, 28: 5, 24: 3, 64: 2}}


def _pick(random_, weights):
    return random_.choices(list(weights), weights.values())[0]


def _prefixes(random_, family, count):
    """Different ones, in no order; with many of the longer ones inside of shorter ones."""
    found = set()
    bits = 32 if family == 4 else 128
    while len(found) < count:
        length = _pick(random_, LENGTHS[family])
        if family == 4:
            address = random_.randrange(20, 120) << 24 | random_.getrandbits(24)
        else:
            address = 0x2a00 << 112 | random_.getrandbits(24) << 88 | random_.getrandbits(88)
        address = address >> bits - length << bits - length
        found.add((family, length, address.to_bytes(bits // 8, "big")[:(length + 7) // 8]))
    return random_.sample(sorted(found), count)


class _Attributes:
    """Random sets of one feed."""

    def __init__(self, random_, peer, next_hop6):
        self.random, self.peer, self.next_hop6 = random_, peer, next_hop6
        self.pool = [random_.randrange(1, 23000) if random_.random() < .6 else random_.randrange(131072, 400000)
                     for _ in range(3000)]

    def _path(self):
        length = _pick(self.random, {1: 2, 2: 10, 3: 22, 4: 26, 5: 18, 6: 10, 7: 5, 8: 3, 9: 2, 10: 1, 12: 1})
        path = [self.peer.asn, *self.random.choices(self.pool, k=length - 1)]
        if self.random.random() < .15:      # somebody prepends
            at = self.random.randrange(len(path))
            path[at:at] = [path[at]] * self.random.randrange(1, 6)
        value = bytes([SEQUENCE, len(path)]) + b"".join(struct.pack("!I", asn) for asn in path)
        if self.random.random() < .01:
            value += bytes([SET, 2]) + b"".join(struct.pack("!I", self.random.choice(self.pool)) for _ in range(2))
        return value

    def _communities(self):
        count = _pick(self.random, {1: 10, 2: 20, 4: 30, 8: 20, 15: 10, 30: 2, 80: 1})
        values = [self.random.choice(self.pool) % 65000 << 16 | self.random.randrange(1, 3000) for _ in range(count)]
        if self.random.random() < .002:
            values.append(GRACEFUL_SHUTDOWN)
        return b"".join(struct.pack("!I", value) for value in dict.fromkeys(values))

    def _large(self):
        return b"".join(struct.pack("!III", self.random.choice(self.pool), self.random.randrange(100),
                                    self.random.getrandbits(32)) for _ in range(self.random.randrange(1, 6)))

    def _ext(self):
        return b"".join(self.random.choice((b"\0\2", b"\0\3")) + struct.pack("!HI", self.random.randrange(1, 64000),
                                                                         self.random.getrandbits(32))
                        for _ in range(self.random.randrange(1, 4)))

    def make(self, family):
        often = self.random.random
        found = [(TRANSITIVE, ORIGIN, bytes([_pick(self.random, {0: 85, 1: 1, 2: 14})])),
                 (TRANSITIVE, AS_PATH, self._path())]
        if family == 4:
            found.append((TRANSITIVE, NEXT_HOP, ipaddress.ip_address(self.peer.address).packed))
        if often() < .35:
            found.append((OPTIONAL, MED, struct.pack("!I", self.random.choice((0, 1, 10, 50, 100, 2 ** 32 - 1)))))
        if often() < .05:
            found.append((TRANSITIVE, ATOMIC, b""))
        if often() < .08:
            found.append((OPTIONAL | TRANSITIVE, AGGREGATOR,
                          struct.pack("!II", self.random.choice(self.pool), self.random.getrandbits(32))))
        if often() < .7:
            found.append((OPTIONAL | TRANSITIVE, COMMUNITIES, self._communities()))
        if family == 6:
            found.append((OPTIONAL, MP_REACH, bytes([16]) + ipaddress.ip_address(self.next_hop6).packed))
        if often() < .1:
            found.append((OPTIONAL | TRANSITIVE, EXT_COMMUNITIES, self._ext()))
        if often() < .15:
            found.append((OPTIONAL | TRANSITIVE, LARGE, self._large()))
        if often() < .005:
            found.append((OPTIONAL | TRANSITIVE | self.random.choice((0, PARTIAL)), self.random.choice(UNKNOWN),
                          self.random.randbytes(self.random.choice((0, 4, 20, 300)))))
        return tuple(found)

    def for_prefixes(self, prefixes):
        """{prefix: attributes}: a set serves one prefix or some, six on average."""
        found, left = {}, list(prefixes)
        while left:
            family = left[-1][0]
            attributes = self.make(family)
            for _ in range(min(len(left), _pick(self.random, {1: 35, 2: 20, 4: 15, 8: 15, 20: 12, 40: 3}))):
                if left[-1][0] != family:
                    break
                found[left.pop()] = attributes
        return found


@dataclasses.dataclass
class Internet:
    """What feeds say first, and what they say then: [(prefix, attributes; None: gone)]."""

    peers: tuple
    tables: list    # of each feed: {prefix: attributes}
    changes: list

    @classmethod
    def make(cls, seed, peers, next_hops6, v4, v6):
        random_ = random.Random(seed)
        prefixes = _prefixes(random_, 4, v4) + _prefixes(random_, 6, v6)
        tables, changes = [], []
        for n, (peer, next_hop6) in enumerate(zip(peers, next_hops6)):
            make = _Attributes(random_, peer, next_hop6)
            mine = prefixes if n == 0 else [prefix for prefix in prefixes if random_.random() < .6]
            table = make.for_prefixes(mine)
            gone = random_.sample(mine, len(mine) // 5)
            again = {**make.for_prefixes(sorted(random_.sample(gone, len(gone) // 3))),
                     **make.for_prefixes(sorted(random_.sample(mine, len(mine) // 8)))}
            tables.append(table)
            changes.append([*[(prefix, None) for prefix in gone], *again.items()])
        return cls(tuple(peers), tables, changes)

    def records(self, local):
        """As a collector at @local would have written it: the tables, then the messages."""
        yield PeerIndex(local.router_id, "made up", self.peers)
        for sequence, prefix in enumerate(sorted({prefix for table in self.tables for prefix in table})):
            yield Rib(sequence, prefix, tuple((n, 0, table[prefix]) for n, table in enumerate(self.tables)
                                              if prefix in table))
        for peer, changes in zip(self.peers, self.changes):
            gone = [prefix for prefix, attributes in changes if attributes is None]
            said = [(prefix, attributes) for prefix, attributes in changes if attributes is not None]
            for message in [*withdrawals(gone), *announcements(said)]:
                yield Update(peer, local, True, message)
