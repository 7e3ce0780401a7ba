# SPDX-License-Identifier: BSD-2-Clause
"""The same routes into several routers alike, and what each of them makes of it.

Every router is alone in a namespace, with the same address, the same AS and the same neighbours as the others have: two
external feeds, and an internal peer that is told the whole table, attributes as they are.  What those were told is
compared, prefix by prefix, byte by byte."""

import socket
import struct
import threading

import mrt
from lab import veth, wait_until
from speaker import NEXT_HOP, NOTIFICATION, OPTIONAL, UPDATE, Closed, Speaker, capability, message, update_body

MP_REACH, MP_UNREACH = 14, 15
ROUTER, ROUTER6, AS = "10.9.0.1", "fd09::1", 65000
SINK = "10.9.0.20"
ROOM = 4096 - 19 - 4        # of an UPDATE for prefixes and attributes


# ---- routes -> messages -------------------------------------------------------------------------------------------

def _nlri(prefixes):
    return [bytes([length]) + raw for _, length, raw in prefixes]


def _cut(pieces, room):
    """Runs of @pieces that fit @room bytes each."""
    run, size = [], 0
    for piece in pieces:
        if size + len(piece) > room:
            yield b"".join(run)
            run, size = [], 0
        run.append(piece)
        size += len(piece)
    if run:
        yield b"".join(run)


def _family(prefix):
    return struct.pack("!HB", 1 if prefix[0] == 4 else 2, 1)


def withdrawals(prefixes):
    """UPDATEs, headers included."""
    for n in (4, 6):
        some = [prefix for prefix in prefixes if prefix[0] == n]
        for run in _cut(_nlri(some), ROOM - 8):
            if n == 4:
                yield message(UPDATE, update_body(withdrawn=run))
            else:
                gone = mrt.join_attributes([(OPTIONAL, MP_UNREACH, _family(some[0]) + run)])
                yield message(UPDATE, update_body(gone))


def _with_mp_reach(attributes, prefix, next_hop, run):
    """The abbreviated MP_REACH_NLRI of a table (RFC 6396 4.3.4) in full, first as RFC 7606 5.1 asks."""
    reach = (OPTIONAL, MP_REACH, _family(prefix) + next_hop + b"\0" + run)
    return [reach, *[a for a in attributes if a[1] not in (MP_REACH, NEXT_HOP)]]


def announcements(routes):
    """UPDATEs for [(prefix, attributes)]: those with the same attributes share messages."""
    groups = {}
    for prefix, attributes in routes:
        groups.setdefault((prefix[0], attributes), []).append(prefix)
    for (family, attributes), prefixes in groups.items():
        packed = mrt.join_attributes(attributes)
        next_hop = next((value for _, code, value in attributes if code == MP_REACH), b"")
        for run in _cut(_nlri(prefixes), ROOM - len(packed) - 8):
            if family == 4:
                yield message(UPDATE, update_body(packed, run))
            else:
                full = mrt.join_attributes(_with_mp_reach(attributes, prefixes[0], next_hop, run))
                yield message(UPDATE, update_body(full))


# ---- messages -> routes -------------------------------------------------------------------------------------------

def _prefixes(raw, family):
    cursor = mrt.Cursor(raw)
    while len(cursor):
        yield mrt.take_prefix(cursor, family)


def apply_update(table, body):
    """What the UPDATE @body says, to {prefix: ((flags, code, value), ...)}; the next hop of any family is kept as
    NEXT_HOP's."""
    cursor = mrt.Cursor(body)
    withdrawn = cursor.take(cursor.number("H"))
    attributes = mrt.split_attributes(cursor.take(cursor.number("H")))
    for prefix in _prefixes(withdrawn, 4):
        table.pop(prefix, None)
    for _, code, value in attributes:
        if code == MP_UNREACH:
            for prefix in _prefixes(value[3:], 6):
                table.pop(prefix, None)
    plain = tuple(sorted((a for a in attributes if a[1] not in (MP_REACH, MP_UNREACH)), key=lambda a: a[1]))
    for prefix in _prefixes(cursor.take(len(cursor)), 4):
        table[prefix] = plain
    for _, code, value in attributes:
        if code == MP_REACH:
            reach = mrt.Cursor(value)
            reach.take(3)
            next_hop = reach.take(reach.number("B"))
            reach.take(1)
            whole = tuple(sorted((*plain, (0x40, NEXT_HOP, next_hop)), key=lambda a: a[1]))
            for prefix in _prefixes(reach.take(len(reach)), 6):
                table[prefix] = whole


# ---- who speaks ---------------------------------------------------------------------------------------------------

def _capabilities(asn):
    return (capability(1, b"\0\1\0\1") + capability(1, b"\0\2\0\1") + capability(2) +
            capability(65, struct.pack("!I", asn)))


class Talker:
    """A session without timers; what the other side says is read in a thread, so that it never waits for us."""

    def __init__(self, namespace, address, asn):
        self.speaker = Speaker(namespace, address, asn)
        self.table, self.lock, self.ended, self.heard = {}, threading.Lock(), None, 0
        self.thread = threading.Thread(target=self._listen, daemon=True)

    def up(self):
        wait_until(self._is_taken, 60, f"a session of {self.speaker.address} with {self.speaker.namespace.name}")
        self.speaker.socket.settimeout(None)
        self.thread.start()

    def _is_taken(self):
        """A router that has just started may accept the connection and refuse the session (FRR: FSM error)."""
        try:
            self.speaker.dial(ROUTER, patience=60)
            self.speaker.establish(hold_time=0, capabilities=_capabilities(self.speaker.asn))
        except (OSError, AssertionError, Closed):
            self.speaker.close()
            return False
        return True

    def _listen(self):
        try:
            while True:
                kind, body = self.speaker.read(timeout=None)
                if kind == UPDATE:
                    with self.lock:
                        apply_update(self.table, body)
                        self.heard += 1
                elif kind == NOTIFICATION:
                    self.ended = f"NOTIFICATION {body.hex()}"
        except (Closed, OSError, AssertionError, ValueError) as why:
            self.ended = self.ended or repr(why)

    def say(self, messages):
        self.speaker.send(b"".join(messages))

    def told(self):
        assert not self.ended, f"{self.speaker.address}: {self.ended}"
        with self.lock:
            return dict(self.table)

    def close(self):
        if self.thread.is_alive():
            self.speaker.socket.shutdown(socket.SHUT_RDWR)
            self.speaker.close()


class Place:
    """A router's namespace, and the one where its feeds and the internal peer sit."""

    def __init__(self, lab, name, feeds):
        self.box, self.others = lab.namespace(name), lab.namespace(name + "-feeds")
        veth(self.box, "eth0", self.others, "eth0")
        self.box.ip(f"addr add {ROUTER}/24 dev eth0", f"addr add {ROUTER6}/64 dev eth0 nodad")
        self.others.ip(f"addr add {SINK}/24 dev eth0",
                       *[line for feed in feeds for line in (f"addr add {feed.address}/24 dev eth0",
                                                             f"addr add {next_hop6(feed)}/64 dev eth0 nodad")])
        self.feeds = [Talker(self.others, feed.address, feed.asn) for feed in feeds]
        self.sink = Talker(self.others, SINK, AS)

    def up(self):
        for talker in (self.sink, *self.feeds):
            talker.up()

    def close(self):
        for talker in (self.sink, *self.feeds):
            talker.close()


def next_hop6(feed):
    """Of a feed, on the link that it shares with the router."""
    return f"fd09::{feed.address.split('.')[-1]}"


# ---- an MRT file as what feeds say --------------------------------------------------------------------------------

class Feed:
    """What one peer of a file says: @table, then @later, whole messages; @at_last: the table after them."""

    def __init__(self, peer):
        self.peer, self.table, self.later = peer, {}, []

    @property
    def at_last(self):
        table = whole(self.table)
        for raw in self.later:
            apply_update(table, raw[19:])
        return table


def whole(table):
    """As a receiver has it: in the order of the types, next hops of either family as NEXT_HOP."""
    return {prefix: tuple(sorted(((0x40, NEXT_HOP, value[1:]) if code == MP_REACH else (flags, code, value)
                                  for flags, code, value in attributes), key=lambda a: a[1]))
            for prefix, attributes in table.items()}


def load(stream):
    """The feeds of an MRT file."""
    feeds = []
    for record in mrt.read(stream):
        if isinstance(record, mrt.PeerIndex):
            feeds = [Feed(peer) for peer in record.peers]
        elif isinstance(record, mrt.Rib):
            for n, _, attributes in record.entries:
                feeds[n].table[record.prefix] = attributes
        else:
            for feed in feeds:
                if record.four_byte and feed.peer.address == record.peer.address:
                    feed.later.append(record.message)
    return feeds


# ---- who agrees with whom -----------------------------------------------------------------------------------------

class Comparison:
    """Two tables that should be the same but for what @rules explain: name -> (prefix, one, other) -> both again, the
    way in which they differ taken out."""

    def __init__(self, rules):
        self.rules, self.needed, self.differences = rules, set(), []

    def look(self, one, other):
        """Returns whether they are; @needed: the rules it took, at any time."""
        self.differences = []
        for prefix in one.keys() | other.keys():
            a, b = one.get(prefix), other.get(prefix)
            if a != b:
                self._explain(prefix, a, b)
        return not self.differences

    def _explain(self, prefix, a, b):
        took, left = set(), (a, b)
        for name, rule in self.rules.items():
            before, left = left, rule(prefix, *left) if None not in left else left
            if left != before:
                took.add(name)
            if left[0] == left[1]:
                self.needed |= took
                return
        self.differences.append((mrt.prefix_text(prefix), a, b))

    def report(self, most=5):
        lines = [f"{len(self.differences)} prefixes differ"]
        for prefix, a, b in sorted(self.differences)[:most]:
            lines.append(f"{prefix}: {sorted(set(a or ()) - set(b or ()))} against {sorted(set(b or ()) - set(a or ()))}")
        return "\n".join(lines)
