# SPDX-License-Identifier: BSD-2-Clause
"""A table as the Internet has it, from an MRT file, into mcbgpd, BIRD 2 and FRR: what each makes of it is the same."""

import io
import struct

import mrt
import replay
from clusters import BIRD, Gateway
from internet import EXT_COMMUNITIES, UNKNOWN, Internet
from internet import SET as AS_SET
from lab import wait_until
from mrt import Peer
from speaker import AS_PATH, COMMUNITIES, LARGE, LOCAL_PREF, PARTIAL, TRANSITIVE
from speakers.frr import Frr

SEED, V4, V6 = 20261121, 50000, 10000
LOCAL = Peer(replay.ROUTER, replay.ROUTER, replay.AS)
FEEDS = (Peer("10.9.0.11", "10.9.0.11", 65011), Peer("10.9.0.12", "10.9.0.12", 4200000012))


# ---- the routers --------------------------------------------------------------------------------------------------

class Ours:
    def __init__(self, lab, place):
        peers = "".join(f'{{ name = "feed{n}"; address = "{feed.address}"; remote_as = {feed.asn}L; passive = true; '
                        f'families = [ "ipv4", "ipv6" ]; import = "all"; export = "none"; }}, '
                        for n, feed in enumerate(FEEDS))
        self.gateway = Gateway(lab, "mcbgpd", place.box, f"""
router = {{ id = "{replay.ROUTER}"; as = {replay.AS}; }};
peers = ( {peers} {{ name = "sink"; address = "{replay.SINK}"; remote_as = {replay.AS}; passive = true;
                     families = [ "ipv4", "ipv6" ]; import = "none"; export = "all"; }} );
kernel = {{ export = "none"; }};
""")

    def start(self):
        self.gateway.start()


class Bird:
    def __init__(self, lab, place):
        self.lab, self.box = lab, place.box
        feeds = "".join(f"""
protocol bgp feed{n} {{
	local {replay.ROUTER} as {replay.AS}; neighbor {feed.address} as {feed.asn}; passive on; deterministic med on;
	ipv4 {{ import all; export none; }};
	ipv6 {{ import all; export none; }};
}}""" for n, feed in enumerate(FEEDS))
        self.conf = lab.write("bird.conf", f"""
log stderr all;
router id {replay.ROUTER};
protocol device {{ }}
{feeds}
protocol bgp sink {{
	local {replay.ROUTER} as {replay.AS}; neighbor {replay.SINK} as {replay.AS}; passive on;
	ipv4 {{ import none; export all; }};
	ipv6 {{ import none; export all; }};
}}
""")

    def start(self):
        self.box.spawn("bird", [BIRD[2], "-f", "-c", self.conf, "-s", self.lab.path("bird.ctl")])


class FrrAlike(Frr):
    """As the tests of speakers start it, with a configuration of ours."""

    def __init__(self, lab, place):
        super().__init__(lab, place.box, place.others)

    def configuration(self):
        lines = [f"router bgp {replay.AS}", f" bgp router-id {replay.ROUTER}", " no bgp ebgp-requires-policy",
                 " no bgp default ipv4-unicast", " bgp deterministic-med", " bgp bestpath compare-routerid",
                 " coalesce-time 0"]
        for address, asn in [*[(feed.address, feed.asn) for feed in FEEDS], (replay.SINK, replay.AS)]:
            lines += [f" neighbor {address} remote-as {asn}", f" neighbor {address} passive",
                      f" neighbor {address} advertisement-interval 0"]
            for family in ("ipv4", "ipv6"):
                lines += [f" address-family {family} unicast", f"  neighbor {address} activate", " exit-address-family"]
        return "\n".join(lines) + "\n"


ROUTERS = {"mcbgpd": Ours, "BIRD": Bird, "FRR": FrrAlike}


# ---- where they may differ ----------------------------------------------------------------------------------------

LISTS = {COMMUNITIES: 4, EXT_COMMUNITIES: 8, LARGE: 12}     # bytes a value
GRACEFUL_SHUTDOWN = b"\xff\xff\0\0"


def _sorted(value, size):
    return b"".join(sorted(value[at:at + size] for at in range(0, len(value), size)))


def _communities_sorted(attributes):
    return tuple((flags, code, _sorted(value, LISTS[code]) if code in LISTS else value)
                 for flags, code, value in attributes)


def communities_are_sorted(prefix, ours, theirs):
    """RFC 1997, 4360 and 8092 speak of sets; we pass them on in the order in which they came."""
    return _communities_sorted(ours), _communities_sorted(theirs)


def _set_sorted(path):
    cursor, out = mrt.Cursor(path), b""
    while len(cursor):
        kind, count = cursor.unpack("BB")
        segment = cursor.take(4 * count)
        out += bytes([kind, count]) + (_sorted(segment, 4) if kind == AS_SET else segment)
    return out


def as_sets_are_sorted(prefix, ours, theirs):
    """RFC 4271 5.1.2: an AS_SET has no order; we pass it on as it came."""
    return tuple(tuple((flags, code, _set_sorted(value) if code == AS_PATH else value)
                       for flags, code, value in attributes) for attributes in (ours, theirs))


def _value(attributes, wanted):
    return next((value for _, code, value in attributes if code == wanted), b"")


def _is_leaving(attributes):
    value = _value(attributes, COMMUNITIES)
    return GRACEFUL_SHUTDOWN in [value[at:at + 4] for at in range(0, len(value), 4)]


class Leaving:
    """RFC 8326: we prefer anything else to a route with GRACEFUL_SHUTDOWN; a BIRD that has no filter for that does not
    look at it, and takes whichever feed's is better otherwise."""

    def __init__(self, feeds):
        self.feeds = feeds      # {prefix: attributes as told} of each

    def __call__(self, prefix, ours, theirs):
        said = [_communities_sorted(feed[prefix]) for feed in self.feeds if prefix in feed]
        plain = _communities_sorted(a for a in theirs if a[1] != LOCAL_PREF)
        if any(_is_leaving(attributes) for attributes in said) and plain in said:
            return ours, ours
        return ours, theirs


# ---- the test -----------------------------------------------------------------------------------------------------

def as_told(attributes):
    """What an internal peer hears of a route that an external one announced with @attributes."""
    preference = 0 if _is_leaving(attributes) else 100
    passed_on = [(flags | PARTIAL if code in UNKNOWN else flags, code, value) for flags, code, value in attributes]
    return tuple(sorted([*passed_on, (TRANSITIVE, LOCAL_PREF, struct.pack("!I", preference))], key=lambda a: a[1]))


def passed_on_as_said(told, feeds):
    """Each route that mcbgpd tells is one that a feed said, to the byte."""
    expected = [{prefix: as_told(attributes) for prefix, attributes in feed.items()} for feed in feeds]
    return (told.keys() == {prefix for feed in feeds for prefix in feed} and
            all(attributes in [feed.get(prefix) for feed in expected] for prefix, attributes in told.items()))


def settle(places, feeds, comparisons, leaving):
    """Until all three have made the same of what the feeds have said."""
    leaving.feeds = [{prefix: tuple((f | PARTIAL if code in UNKNOWN else f, code, v) for f, code, v in attributes)
                      for prefix, attributes in feed.items()} for feed in feeds]
    count, heard = len({prefix for feed in feeds for prefix in feed}), []

    def alike():
        told = {name: place.sink.told() for name, place in places.items()}
        heard[:] = [*heard[-1:], [place.sink.heard for place in places.values()]]
        if heard[0] != heard[-1] or any(len(table) != count for table in told.values()):
            return False        # not worth a look
        return (passed_on_as_said(told["mcbgpd"], feeds) and
                all([comparison.look(told["mcbgpd"], told[name]) for name, comparison in comparisons.items()]))

    try:
        wait_until(alike, 120, f"three tables of {count} prefixes alike")
    except AssertionError as late:
        counts = {name: len(place.sink.told()) for name, place in places.items()}
        reports = [f"{name}: {comparison.report()}" for name, comparison in comparisons.items()]
        raise AssertionError("\n".join([str(late), f"of {count} prefixes: {counts}", *reports])) from None


def test_three_routers_make_the_same_of_it(lab):
    internet, file = Internet.make(SEED, FEEDS, [replay.next_hop6(feed) for feed in FEEDS], V4, V6), io.BytesIO()
    mrt.write(file, internet.records(LOCAL))
    file.seek(0)
    feeds = replay.load(file)
    assert [feed.peer for feed in feeds] == list(FEEDS) and all(feed.later for feed in feeds)
    leaving = Leaving([])
    comparisons = {
        "BIRD": replay.Comparison({"communities": communities_are_sorted, "leaving": leaving}),
        "FRR": replay.Comparison({"communities": communities_are_sorted, "AS_SET": as_sets_are_sorted})}
    places = {name: replay.Place(lab, name.lower(), FEEDS) for name in ROUTERS}
    try:
        for name, router in ROUTERS.items():
            router(lab, places[name]).start()
            places[name].up()
        for place in places.values():
            for talker, feed in zip(place.feeds, feeds):
                talker.say(replay.announcements(feed.table.items()))
        settle(places, [replay.whole(feed.table) for feed in feeds], comparisons, leaving)
        for place in places.values():
            for talker, feed in zip(place.feeds, feeds):
                talker.say(feed.later)
        settle(places, [feed.at_last for feed in feeds], comparisons, leaving)
    finally:
        for place in places.values():
            place.close()
    for name, comparison in comparisons.items():
        assert comparison.needed == set(comparison.rules), f"{name} has become more like us: take its rules out"
