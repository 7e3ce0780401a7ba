# SPDX-License-Identifier: BSD-2-Clause
"""MRT files (RFC 6396): tables (TABLE_DUMP_V2) and messages (BGP4MP), read with every length checked, and written.

What is read is a list of records; records of other kinds are passed over.  AS numbers have four bytes in all that is
kept here."""

import dataclasses
import ipaddress
import struct

TABLE_DUMP_V2, BGP4MP, BGP4MP_ET = 13, 16, 17
PEER_INDEX_TABLE, RIB_IPV4_UNICAST, RIB_IPV6_UNICAST = 1, 2, 4
MESSAGE, MESSAGE_AS4 = 1, 4
EXTENDED = 0x10
MP_REACH = 14
BITS = {4: 32, 6: 128}


class MrtError(ValueError):
    """The file is not what it says."""


class Cursor:
    """Bytes taken from the front, never past the end."""

    def __init__(self, raw):
        self.raw, self.at = raw, 0

    def __len__(self):
        return len(self.raw) - self.at

    def take(self, size):
        if size > len(self):
            raise MrtError(f"{size} bytes wanted at {self.at}, {len(self)} are left")
        self.at += size
        return self.raw[self.at - size:self.at]

    def unpack(self, form):
        return struct.unpack("!" + form, self.take(struct.calcsize("!" + form)))

    def number(self, form):
        return self.unpack(form)[0]


@dataclasses.dataclass(frozen=True)
class Peer:
    router_id: str
    address: str
    asn: int


@dataclasses.dataclass(frozen=True)
class PeerIndex:
    collector: str
    view: str
    peers: tuple


@dataclasses.dataclass(frozen=True)
class Rib:
    """@prefix: (4 or 6, length, the bytes that the length needs); @entries: ((peer index, time, attributes), ...)"""

    sequence: int
    prefix: tuple
    entries: tuple


@dataclasses.dataclass(frozen=True)
class Update:
    """A BGP message that came from a peer, header included."""

    peer: Peer
    local: Peer
    four_byte: bool
    message: bytes


# ---- attributes and prefixes, as UPDATEs and tables have them -----------------------------------------------------

def split_attributes(raw):
    """((flags without Extended Length, code, value), ...)"""
    cursor, found = Cursor(raw), []
    while len(cursor):
        flags, code = cursor.unpack("BB")
        value = cursor.take(cursor.number("H" if flags & EXTENDED else "B"))
        found.append((flags & ~EXTENDED, code, value))
    return tuple(found)


def join_attributes(attributes):
    out = b""
    for flags, code, value in attributes:
        if len(value) > 255:
            out += struct.pack("!BBH", flags | EXTENDED, code, len(value)) + value
        else:
            out += bytes([flags, code, len(value)]) + value
    return out


def take_prefix(cursor, family):
    length = cursor.number("B")
    if length > BITS[family]:
        raise MrtError(f"a prefix of {length} bits in IPv{family}")
    return family, length, cursor.take((length + 7) // 8)


def prefix_text(prefix):
    family, length, raw = prefix
    return f"{ipaddress.ip_address(raw.ljust(BITS[family] // 8, bytes(1)))}/{length}"


# ---- reading ------------------------------------------------------------------------------------------------------

def _address(cursor, v6):
    return str(ipaddress.ip_address(cursor.take(16 if v6 else 4)))


def _peer_index(cursor):
    collector = _address(cursor, False)
    view = cursor.take(cursor.number("H")).decode(errors="replace")
    peers = []
    for _ in range(cursor.number("H")):
        kind = cursor.number("B")
        router_id, address = _address(cursor, False), _address(cursor, kind & 1)
        peers.append(Peer(router_id, address, cursor.number("I" if kind & 2 else "H")))
    return PeerIndex(collector, view, tuple(peers))


def _rib(cursor, family, n_peers):
    sequence, prefix = cursor.number("I"), take_prefix(cursor, family)
    entries = []
    for _ in range(cursor.number("H")):
        peer, time = cursor.unpack("HI")
        if peer >= n_peers:
            raise MrtError(f"an entry of peer {peer}, where there are {n_peers}")
        entries.append((peer, time, split_attributes(cursor.take(cursor.number("H")))))
    return Rib(sequence, prefix, tuple(entries))


def _message(cursor, four_byte):
    peer_as, local_as, _, family = cursor.unpack("IIHH" if four_byte else "HHHH")
    if family not in (1, 2):
        raise MrtError(f"address family {family}")
    peer, local = _address(cursor, family == 2), _address(cursor, family == 2)
    raw = cursor.take(len(cursor))
    if len(raw) < 19 or struct.unpack("!H", raw[16:18])[0] != len(raw):
        raise MrtError(f"{len(raw)} bytes are no BGP message")
    return Update(Peer("0.0.0.0", peer, peer_as), Peer("0.0.0.0", local, local_as), four_byte, raw)


def read(stream):
    """The records of a binary stream, one by one; MrtError at the first byte that makes no sense."""
    peers = 0
    while head := stream.read(12):
        _, kind, subtype, length = Cursor(head).unpack("IHHI")
        body = stream.read(length)
        cursor = Cursor(body)
        if len(body) < length:
            raise MrtError(f"a record of {length} bytes, {len(body)} are left")
        if kind == BGP4MP_ET:
            cursor.take(4)      # microseconds
        record = None
        if kind == TABLE_DUMP_V2 and subtype == PEER_INDEX_TABLE:
            record = _peer_index(cursor)
            peers = len(record.peers)
        elif kind == TABLE_DUMP_V2 and subtype in (RIB_IPV4_UNICAST, RIB_IPV6_UNICAST):
            record = _rib(cursor, 4 if subtype == RIB_IPV4_UNICAST else 6, peers)
        elif kind in (BGP4MP, BGP4MP_ET) and subtype in (MESSAGE, MESSAGE_AS4):
            record = _message(cursor, subtype == MESSAGE_AS4)
        if record is None:
            continue
        if len(cursor):
            raise MrtError(f"{len(cursor)} bytes behind a record of type {kind}/{subtype}")
        yield record


# ---- writing ------------------------------------------------------------------------------------------------------

def _record(kind, subtype, body, time=0):
    return struct.pack("!IHHI", time, kind, subtype, len(body)) + body


def _packed(address):
    return ipaddress.ip_address(address).packed


def _write_index(index):
    view = index.view.encode()
    body = _packed(index.collector) + struct.pack("!H", len(view)) + view + struct.pack("!H", len(index.peers))
    for peer in index.peers:
        address = _packed(peer.address)
        body += (bytes([2 | (len(address) == 16)]) + _packed(peer.router_id) + address +
                 struct.pack("!I", peer.asn))
    return _record(TABLE_DUMP_V2, PEER_INDEX_TABLE, body)


def _write_rib(rib):
    family, length, raw = rib.prefix
    body = struct.pack("!IB", rib.sequence, length) + raw + struct.pack("!H", len(rib.entries))
    for peer, time, attributes in rib.entries:
        packed = join_attributes(attributes)
        body += struct.pack("!HIH", peer, time, len(packed)) + packed
    return _record(TABLE_DUMP_V2, RIB_IPV4_UNICAST if family == 4 else RIB_IPV6_UNICAST, body)


def _write_message(update):
    peer, local = _packed(update.peer.address), _packed(update.local.address)
    body = struct.pack("!IIHH" if update.four_byte else "!HHHH", update.peer.asn, update.local.asn, 0,
                       1 if len(peer) == 4 else 2)
    return _record(BGP4MP, MESSAGE_AS4 if update.four_byte else MESSAGE, body + peer + local + update.message)


def write(stream, records):
    writers = {PeerIndex: _write_index, Rib: _write_rib, Update: _write_message}
    for record in records:
        stream.write(writers[type(record)](record))
