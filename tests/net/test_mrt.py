# SPDX-License-Identifier: BSD-2-Clause
"""The reader of MRT files: what the writer writes comes back, and a broken file is an error in words, never anything
else."""

import io
import random
import struct

import pytest

import mrt
import replay
from internet import Internet
from mrt import Peer

FEEDS = (Peer("10.9.0.11", "10.9.0.11", 65011), Peer("10.9.0.12", "fd09::12", 4200000012))
LOCAL = Peer("10.9.0.1", "10.9.0.1", 65000)


def records():
    made = Internet.make(1, FEEDS[:1] * 2, ["fd09::11", "fd09::12"], 60, 20)
    return [mrt.PeerIndex("192.0.2.1", "a view", FEEDS), *list(made.records(LOCAL))[1:],
            mrt.Update(Peer("0.0.0.0", "fd09::12", 65012), Peer("0.0.0.0", "fd09::1", 65000), False,
                       next(replay.withdrawals([(4, 8, b"\x0a")])))]


def written(some):
    file = io.BytesIO()
    mrt.write(file, some)
    return file.getvalue()


def parsed(raw):
    return list(mrt.read(io.BytesIO(raw)))


def test_what_is_written_is_read():
    some = records()
    back = parsed(written(some))
    assert len(back) == len(some)
    for one, other in zip(some, back):
        if isinstance(one, mrt.Update):     # the router's id is not in there
            assert one.message == other.message and one.four_byte == other.four_byte
            assert (one.peer.address, one.peer.asn) == (other.peer.address, other.peer.asn)
        else:
            assert one == other


def test_microseconds_and_other_kinds_are_passed_over():
    message = written(records()[-1:])
    body = message[12:]
    longer = struct.pack("!IHHI", 0, mrt.BGP4MP_ET, mrt.MESSAGE, 4 + len(body)) + bytes(4) + body
    state_change = struct.pack("!IHHI", 0, mrt.BGP4MP, 5, 3) + b"abc"
    assert parsed(state_change + longer) == parsed(message)


def test_a_cut_file_is_an_error_at_any_byte():
    raw = written(records())
    whole = len(parsed(raw))
    ends, at = {0}, 0
    while at < len(raw):
        at += 12 + struct.unpack("!I", raw[at + 8:at + 12])[0]
        ends.add(at)
    assert len(ends) == whole + 1
    for cut in range(0, min(len(raw), 4000)):
        if cut in ends:
            assert len(parsed(raw[:cut])) < whole
        else:
            with pytest.raises(mrt.MrtError):
                parsed(raw[:cut])


def test_any_other_byte_is_an_error_in_words_or_another_file():
    raw, random_ = written(records()), random.Random(7)
    errors = 0
    for _ in range(2000):
        broken = bytearray(raw)
        for _ in range(random_.randrange(1, 4)):
            broken[random_.randrange(len(broken))] = random_.getrandbits(8)
        try:
            parsed(bytes(broken))
        except mrt.MrtError as why:
            errors += 1
            assert str(why)
    assert errors > 100


@pytest.mark.parametrize("what, record", {
    "an entry of peer": mrt.Rib(0, (4, 8, b"\x0a"), ((9, 0, ()),)),
    "a prefix of 33 bits": mrt.Rib(0, (4, 33, bytes(5)), ()),
    "are no BGP message": mrt.Update(LOCAL, LOCAL, True, b"\xff" * 19),
}.items())
def test_what_makes_no_sense_is_named(what, record):
    with pytest.raises(mrt.MrtError, match=what):
        parsed(written([mrt.PeerIndex("192.0.2.1", "", FEEDS), record]))


def test_messages_say_what_the_table_has():
    """RIB entries become UPDATEs, with prefixes of each set together, and those the same table again."""
    table = Internet.make(2, FEEDS[:1], ["fd09::11"], 300, 100).tables[0]
    back, messages = {}, list(replay.announcements(table.items()))
    for raw in messages:
        assert len(raw) <= 4096
        replay.apply_update(back, raw[19:])
    assert back == replay.whole(table) and len(messages) < len(table)
    for raw in replay.withdrawals(table):
        replay.apply_update(back, raw[19:])
    assert back == {}
