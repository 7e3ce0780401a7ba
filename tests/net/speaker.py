# SPDX-License-Identifier: BSD-2-Clause
"""A scripted BGP peer: it sends exactly the bytes a test says, right or wrong, and reads what comes back."""

import contextlib
import ipaddress
import socket
import struct
import time

OPEN, UPDATE, NOTIFICATION, KEEPALIVE, ROUTE_REFRESH = 1, 2, 3, 4, 5
MARKER = b"\xff" * 16
OPTIONAL, TRANSITIVE, PARTIAL, EXTENDED = 0x80, 0x40, 0x20, 0x10
ORIGIN, AS_PATH, NEXT_HOP, MED, LOCAL_PREF, ATOMIC, AGGREGATOR, COMMUNITIES, LARGE = 1, 2, 3, 4, 5, 6, 7, 8, 32


def message(kind, body=b"", length=None, marker=MARKER):
    return marker + struct.pack("!HB", 19 + len(body) if length is None else length, kind) + body


def capability(code, value=b""):
    return bytes([code, len(value)]) + value


def open_body(asn, router_id, hold_time=90, version=4, capabilities=None, parameters=None):
    if parameters is None:
        if capabilities is None:
            capabilities = (capability(1, b"\0\1\0\1") + capability(2) +
                            capability(65, struct.pack("!I", asn)))
        parameters = bytes([2, len(capabilities)]) + capabilities if capabilities else b""
    return (struct.pack("!BHH", version, asn if asn < 65536 else 23456, hold_time) +
            ipaddress.ip_address(router_id).packed + bytes([len(parameters)]) + parameters)


def attribute(code, value, flags=None):
    if flags is None:
        flags = {MED: OPTIONAL, AGGREGATOR: OPTIONAL | TRANSITIVE, COMMUNITIES: OPTIONAL | TRANSITIVE,
                 LARGE: OPTIONAL | TRANSITIVE}.get(code, TRANSITIVE)
    if len(value) > 255:
        return struct.pack("!BBH", flags | EXTENDED, code, len(value)) + value
    return bytes([flags, code, len(value)]) + value


def nlri(*prefixes):
    out = b""
    for prefix in prefixes:
        network = ipaddress.ip_network(prefix)
        out += bytes([network.prefixlen]) + network.network_address.packed[:(network.prefixlen + 7) // 8]
    return out


def update_body(attributes=b"", announced=b"", withdrawn=b""):
    return (struct.pack("!H", len(withdrawn)) + withdrawn +
            struct.pack("!H", len(attributes)) + attributes + announced)


class Closed(Exception):
    """The other side closed the connection."""


class Speaker:
    """@namespace and @address: where it sits; the AS it says it is."""

    def __init__(self, namespace, address, asn, router_id=None, four_byte=True):
        self.namespace = namespace
        self.address = address
        self.asn = asn
        self.router_id = router_id or address
        self.four_byte = four_byte
        self.small_buffer = False   # take little of what comes while nobody reads it
        self.socket = None
        self.buffer = b""

    def dial(self, address, port=179, patience=10):
        """Connects; keeps trying for @patience seconds, since a peer may be backing off."""
        deadline = time.monotonic() + patience
        while True:
            self.socket = self.namespace.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
            self.socket.settimeout(10)
            if self.small_buffer:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self.socket.bind((self.address, 0))
            try:
                self.socket.connect((address, port))
                self.buffer = b""
                return self
            except OSError:
                self.socket.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def accept(self, port=179, timeout=30):
        """Waits for the other side to dial in."""
        with self.namespace.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.address, port))
            listener.listen(8)
            listener.settimeout(timeout)
            self.socket, _ = listener.accept()
            self.socket.settimeout(10)
            self.buffer = b""
        return self

    def close(self):
        if self.socket:
            self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, raw):
        self.socket.sendall(raw)

    def send_open(self, **changes):
        self.send(message(OPEN, open_body(self.asn, self.router_id, **changes)))

    def _fill(self, size):
        while len(self.buffer) < size:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError as reset:
                raise Closed from reset
            if not data:
                raise Closed
            self.buffer += data

    def read(self, timeout=10):
        """The next message: (type, body)."""
        self.socket.settimeout(timeout)
        self._fill(19)
        length, kind = struct.unpack("!HB", self.buffer[16:19])
        assert self.buffer[:16] == MARKER and 19 <= length <= 4096, f"not a BGP header: {self.buffer[:19].hex()}"
        self._fill(length)
        body, self.buffer = self.buffer[19:length], self.buffer[length:]
        return kind, body

    def expect(self, kind, timeout=10):
        """Reads until a message of @kind, passing over KEEPALIVEs and UPDATEs; returns its body."""
        while True:
            got, body = self.read(timeout)
            if got == kind:
                return body
            assert got in (KEEPALIVE, UPDATE), f"wanted type {kind}, got {got}: {body.hex()}"

    def expect_notification(self, timeout=10):
        """(code, subcode, data), and that the connection then closes."""
        while True:
            kind, body = self.read(timeout)
            if kind == NOTIFICATION:
                break
        with contextlib.suppress(Closed):
            raise AssertionError(f"something follows the NOTIFICATION: {self.read(timeout)}")
        return body[0], body[1], body[2:]

    def establish(self, **changes):
        """Both OPENs, both KEEPALIVEs."""
        self.send_open(**changes)
        self.expect(OPEN)
        self.send(message(KEEPALIVE))
        self.expect(KEEPALIVE)
        return self

    # ---- routes --------------------------------------------------------------------------------------

    def path(self, *ases):
        width = "!I" if self.four_byte else "!H"
        return bytes([2, len(ases)]) + b"".join(struct.pack(width, a) for a in ases) if ases else b""

    def attributes(self, **changes):
        """A good set, ascending; a keyword replaces one by raw bytes (whole attribute), None leaves it out."""
        usual = {"origin": attribute(ORIGIN, b"\0"),
                 "as_path": attribute(AS_PATH, self.path(self.asn)),
                 "next_hop": attribute(NEXT_HOP, socket.inet_aton(self.address))}
        return b"".join(part for part in {**usual, **changes}.values() if part)

    def announce(self, *prefixes, **changes):
        self.send(message(UPDATE, update_body(self.attributes(**changes), nlri(*prefixes))))

    def withdraw(self, *prefixes):
        self.send(message(UPDATE, update_body(withdrawn=nlri(*prefixes))))


def parse_update(body):
    """(withdrawn prefixes, {attribute code: (flags, value)}, announced prefixes) of an IPv4 UPDATE."""
    def prefixes(raw):
        found = []
        while raw:
            octets = (raw[0] + 7) // 8
            address = raw[1:1 + octets].ljust(4, b"\0")
            found.append(f"{socket.inet_ntoa(address)}/{raw[0]}")
            raw = raw[1 + octets:]
        return found

    size = struct.unpack("!H", body[:2])[0]
    withdrawn, body = body[2:2 + size], body[2 + size:]
    size = struct.unpack("!H", body[:2])[0]
    raw, announced = body[2:2 + size], body[2 + size:]
    attributes = {}
    while raw:
        flags, code = raw[0], raw[1]
        if flags & EXTENDED:
            length, start = struct.unpack("!H", raw[2:4])[0], 4
        else:
            length, start = raw[2], 3
        attributes[code] = (flags, raw[start:start + length])
        raw = raw[start + length:]
    return prefixes(withdrawn), attributes, prefixes(announced)
