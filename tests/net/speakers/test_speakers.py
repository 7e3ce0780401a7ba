# SPDX-License-Identifier: BSD-2-Clause
"""Each subject against each speaker; a row of doc/interop.md each.

Every one stands alone: it waits for what it needs and puts back what it changes.  A speaker that does not have a
subject says so, with a reason, in its `lacks`; where its OPEN can tell, that it does not is tested instead.
"""

import functools

import pytest

from lab import stays

from .router import BY_NAME
from .routes import (LONG, OURS, PLAIN, RICH, THEIRS, WITH_AS4, WITH_COMMUNITIES, WITH_EXT, WITH_LARGE, Path)

BULK = 100000
SUBJECTS = []


def subject(title, offered=None):
    """@offered: finds in a speaker's capabilities, and those of a session, whether it has it."""
    def wrap(test):
        @functools.wraps(test)
        def judged(rig):
            lack = rig.router.lacks.get(test.__name__)
            if not lack:
                test(rig)
            elif lack.proof:
                lack.proof(rig)
            else:
                assert not offered(rig.offers(up(rig, "paths"))), f"{rig.router.title} has it"
        judged.subject = title
        SUBJECTS.append(title)
        return judged
    return wrap


def sides(rig, session):
    """(what it announces, its announce(), its withdraw(), the other's table, how its paths arrive there)"""
    return ((THEIRS, rig.router.announce, rig.router.withdraw, rig.paths, rig.at_ours),
            (OURS, rig.announce, rig.withdraw, rig.router.paths, rig.at_theirs))


def up(rig, name):
    session = BY_NAME[name]
    if not rig.up(session):
        rig.router.hurry(session)
        rig.wait(lambda: rig.up(session), f"{name} is up")
    return session


def exchanged(rig, name, rows=None):
    """Both tables have the routes of @rows, with all that the feeds said of them.  Returns the session."""
    session = up(rig, name)
    rows = [n for n in range(len(RICH)) if n != LONG] if rows is None else rows
    for side, _, _, paths, arrives in sides(rig, session):
        prefixes = [session.rich(side)[n] for n in rows]
        want = {prefix: [arrives(session, path=RICH[n])] for prefix, n in zip(prefixes, rows)}
        rig.wait(lambda: len(paths(session, prefixes)) == len(want), f"{name}: all of {prefixes}")
        assert paths(session, prefixes) == want
    return session


# ---- sessions ----------------------------------------------------------------------------------------------------

@subject("session over IPv4, dialled by us")
def test_dialled(rig):
    exchanged(rig, "dialled", PLAIN)


@subject("session over IPv4, accepted from it")
def test_accepted(rig):
    exchanged(rig, "accepted", PLAIN)


@subject("session over IPv6, dialled by us")
def test_dialled6(rig):
    exchanged(rig, "dialled6", PLAIN)


@subject("session over IPv6, accepted from it")
def test_accepted6(rig):
    exchanged(rig, "accepted6", PLAIN)


@subject("TCP MD5, dialled by us")
def test_md5_dialled(rig):
    exchanged(rig, "md5_dialled", PLAIN)


@subject("TCP MD5, accepted from it")
def test_md5_accepted(rig):
    exchanged(rig, "md5_accepted", PLAIN)


@subject("TCP MD5 with another password: no session, and the cause is told")
def test_md5_wrong(rig):
    up(rig, "md5_accepted")
    dialled, accepted = BY_NAME["md5_wrong_dialled"], BY_NAME["md5_wrong_accepted"]
    rig.wait(lambda: "password" in rig.peer(dialled).get("last_attempt", ""), "the password is suspected")
    stays(lambda: not rig.up(dialled) and not rig.up(accepted), 1, "no session")


@subject("GTSM, dialled by us")
def test_near_dialled(rig):
    exchanged(rig, "near_dialled", PLAIN)


@subject("GTSM, accepted from it")
def test_near_accepted(rig):
    exchanged(rig, "near_accepted", PLAIN)


# ---- routes ------------------------------------------------------------------------------------------------------

@subject("IPv6 unicast, both ways, every attribute")
def test_ipv6(rig):
    exchanged(rig, "dialled6")
    exchanged(rig, "accepted6")


@subject("communities, both ways")
def test_communities(rig):
    exchanged(rig, "dialled", WITH_COMMUNITIES)


@subject("large communities, both ways")
def test_large_communities(rig):
    exchanged(rig, "dialled", WITH_LARGE)


@subject("extended communities, both ways")
def test_ext_communities(rig):
    exchanged(rig, "dialled", WITH_EXT)


@subject("4-byte AS numbers: ours, its own, and in paths", offered=lambda caps: caps["as4"])
def test_as4(rig):
    exchanged(rig, "dialled", WITH_AS4)
    assert rig.offers(BY_NAME["dialled"])["as4"]


@subject("our 2-byte AS number in place of the other, all attributes")
def test_second_as(rig):
    exchanged(rig, "accepted")


@subject("AS paths of 300 hops, both ways")
def test_long_path(rig):
    session = up(rig, "dialled")
    prefix = THEIRS.rich4[LONG]
    rig.wait(lambda: rig.paths(session, [prefix]), "the long path")
    assert rig.paths(session, [prefix]) == {prefix: [rig.at_ours(session, path=RICH[LONG])]}
    want = rig.at_theirs(session, path=RICH[LONG]).as_path
    rig.wait(lambda: rig.router.has_path(session, OURS.rich4[LONG], want), "the long path in its table")


@subject("a route withdrawn, both ways and families")
def test_withdraw(rig):
    for name in "dialled", "dialled6":
        session = up(rig, name)
        for side, announce, withdraw, paths, arrives in sides(rig, session):
            prefix = side.more6 if session.v6 else side.more4
            announce(prefix, Path())
            rig.wait(lambda: paths(session, [prefix]) == {prefix: [arrives(session)]}, f"{prefix} comes")
            withdraw(prefix)
            rig.wait(lambda: not paths(session, [prefix]), f"{prefix} goes")
            kept = session.rich(side)[0]
            assert paths(session, [kept]), "and nothing else"


# ---- refresh -----------------------------------------------------------------------------------------------------

def refreshed(rig, ask, counter):
    """@ask makes all routes of "accepted" go again in one direction, which @counter counts; nothing changes."""
    exchanged(rig, "accepted")
    session = BY_NAME["accepted"]
    before = rig.peer(session)["routes"]["ipv4"][counter]
    ask(session)
    rig.wait(lambda: rig.peer(session)["routes"]["ipv4"][counter] >= before + len(RICH), f"more of {counter}")
    exchanged(rig, "accepted")


@subject("route refresh, asked by us", offered=lambda caps: caps["route_refresh"])
def test_refresh_by_us(rig):
    refreshed(rig, lambda session: rig.gateway.ask(f"reload in {session.name}"), "import_updates")


@subject("route refresh, asked by it", offered=lambda caps: caps["route_refresh"])
def test_refresh_by_them(rig):
    refreshed(rig, rig.router.ask_refresh, "export_updates")


@subject("enhanced route refresh", offered=lambda caps: caps["enhanced_refresh"])
def test_enhanced_refresh(rig):
    assert rig.offers(up(rig, "accepted"))["enhanced_refresh"]
    test_refresh_by_us(rig)
    test_refresh_by_them(rig)


# ---- several paths -----------------------------------------------------------------------------------------------

def several(rig, side, announce, withdraw, paths, arrives):
    """Two paths come, one goes, the other stays."""
    session = up(rig, "paths")
    both = [arrives(session, n) for n in (0, 1)]
    order = functools.partial(sorted, key=lambda path: path.as_path)
    for feed in 0, 1:
        announce(side.twice, Path(), feed)
    rig.wait(lambda: order(paths(session, [side.twice]).get(side.twice, [])) == both, "both paths")
    withdraw(side.twice, 0)
    rig.wait(lambda: paths(session, [side.twice]).get(side.twice) == both[1:], "the second alone")
    withdraw(side.twice, 1)
    rig.wait(lambda: not paths(session, [side.twice]), "none")


@subject("ADD-PATH, several paths from it", offered=lambda caps: caps["add_path_send"])
def test_paths_from_them(rig):
    theirs, _ = sides(rig, BY_NAME["paths"])
    several(rig, *theirs)


@subject("ADD-PATH, several paths to it", offered=lambda caps: caps["add_path_receive"])
def test_paths_to_them(rig):
    _, ours = sides(rig, BY_NAME["paths"])
    several(rig, *ours)


# ---- the big table -----------------------------------------------------------------------------------------------

@pytest.mark.timeout(900)       # GoBGP and ExaBGP need a minute of processor time for both
@subject("100,000 prefixes from it, and all of them withdrawn")
def test_bulk_from_them(rig):
    exchanged(rig, "dialled", PLAIN)
    session = BY_NAME["dialled"]
    received = lambda: rig.peer(session)["routes"]["ipv4"]["received"]     # noqa: E731
    rig.router.make_room(session)
    before = received()
    rig.router.announce_bulk(BULK)
    rig.wait(lambda: received() == before + BULK, "all of it", 150)
    got = {p for p in rig.prefixes(session) if not p.startswith("10.")}
    assert got == THEIRS.bulk_prefixes(BULK)
    rig.router.withdraw_bulk(BULK)
    rig.wait(lambda: received() == before, "all gone", 150)


@pytest.mark.timeout(900)
@subject("100,000 prefixes to it, and all of them withdrawn")
def test_bulk_to_them(rig):
    exchanged(rig, "dialled", PLAIN)
    session = BY_NAME["dialled"]
    rig.router.make_room(session)
    before = rig.router.count(session)
    rig.feed[0].announce_bulk(OURS, BULK)
    rig.wait(lambda: rig.router.count(session) == before + BULK, "all of it", 150)
    got = {p for p in rig.router.prefixes(session) if not p.startswith("10.")}
    assert got == OURS.bulk_prefixes(BULK)
    rig.feed[0].withdraw_bulk(OURS, BULK)
    rig.wait(lambda: rig.router.count(session) == before, "all gone", 150)


# ---- how sessions end --------------------------------------------------------------------------------------------

@subject("shutdown communication, from us")
def test_shutdown_by_us(rig):
    session = exchanged(rig, "near_accepted", PLAIN)
    rig.gateway.ask(f'disable {session.name} "Wartung bis 15 Uhr, \u00a77"')
    try:
        rig.wait(lambda: "Wartung bis 15 Uhr, \u00a77" in rig.router.heard(session), "it shows our text")
    finally:
        rig.gateway.ask(f"enable {session.name}")


@subject("shutdown communication, from it")
def test_shutdown_by_them(rig):
    session = exchanged(rig, "near_dialled", PLAIN)
    rig.router.shut(session, "back at noon")
    try:
        rig.wait(lambda: "back at noon" in rig.peer(session).get("last_error", ""), "we show its text")
    finally:
        rig.router.open(session)


@subject("administrative reset, from us")
def test_reset_by_us(rig):
    session = exchanged(rig, "md5_accepted", PLAIN)
    before = rig.router.resets(session)
    rig.gateway.ask(f"restart {session.name}")
    rig.wait(lambda: rig.router.resets(session) > before, "it tells the cause")


@subject("administrative reset, from it")
def test_reset_by_them(rig):
    session = exchanged(rig, "near_dialled", PLAIN)
    rig.router.reset(session)
    rig.wait(lambda: "dministrative reset" in rig.peer(session).get("last_error", ""), "we tell the cause")


# ---- graceful restart --------------------------------------------------------------------------------------------

def routed(rig, prefix):
    """Whether our kernel has a route to something of the speaker's own."""
    return bool(rig.ours.routes("exact", prefix, "proto", "178"))


def forwarded(rig, prefix):
    """Whether a packet gets there, too."""
    return routed(rig, prefix) and rig.ours.ping(rig.address_in(prefix))


def always(condition, what):
    """For use within a wait: what must hold all the time."""
    assert condition, what
    return True


@subject("graceful restart: it is killed and comes back", offered=lambda caps: caps["graceful_restart"])
def test_they_restart(rig):
    for each in rig.settled:
        if not rig.up(each):
            rig.router.hurry(each)
    for each in rig.settled:
        rig.wait(lambda: rig.up(each), f"{each.name} is up")
    stay, go = THEIRS.own4
    rig.wait(lambda: forwarded(rig, stay) and routed(rig, go), "its own routes in the kernel")
    rig.router.kill()
    stays(lambda: forwarded(rig, stay) and routed(rig, go), 2, "while it is away")
    rig.router.own = [stay]
    rig.router.start()
    rig.wait(lambda: always(forwarded(rig, stay), "what it says stays") and not routed(rig, go),
             "what it no longer says goes")
    for each in rig.settled:        # in their own time: all of them dial at once
        rig.wait(lambda: rig.up(each), f"{each.name} is up")
    stays(lambda: forwarded(rig, stay), 1, "what it says stays")
    rig.router.own = THEIRS.own4
    rig.theirs_again()
    exchanged(rig, "dialled", PLAIN)


@subject("graceful restart: mcbgpd is killed and comes back", offered=lambda caps: caps["graceful_restart"])
def test_we_restart(rig):
    for each in rig.settled:
        if not rig.up(each):
            rig.router.hurry(each)
    for each in rig.settled:
        rig.wait(lambda: rig.up(each), f"{each.name} is up")
        exchanged(rig, each.name, PLAIN)
    session = BY_NAME["dialled"]
    stay, go = OURS.own4
    knows = lambda prefix: prefix in rig.router.paths(session, [prefix])      # noqa: E731
    there = lambda: knows(stay) and forwarded(rig, THEIRS.own4[0])      # noqa: E731
    rig.wait(lambda: there() and knows(go), "own routes on both sides")
    rig.gateway.kill()
    stays(lambda: there() and knows(go), 2, "while mcbgpd is away")
    rig.own, rig.sessions = [stay], rig.settled     # it would wait for the others
    rig.start_ours()
    rig.ours_again()
    for each in rig.settled:
        rig.router.hurry(each)
    rig.wait(lambda: always(there(), "what both say stays") and not knows(go), "what we no longer say goes")
    stays(there, 1, "what both say stays")
    exchanged(rig, "dialled", PLAIN)
    rig.settle_ours()
