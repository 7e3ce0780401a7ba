# SPDX-License-Identifier: BSD-2-Clause
"""What is measured.  A scenario is a class; its cases are variants of it, each a row of its table in RESULTS.md."""

import contextlib
import json
import os
import subprocess
import threading
import time

import daemons
from daemons import Peer, Setup
from place import BUILD, laboratory
from rig import Failed, Program, Rig

SECONDS = int(os.environ.get("MCBGP_BENCH_SECONDS", 120))    # longer than this, and a step has failed


@contextlib.contextmanager
def cost(rig, into, name):
    """Processor time of the daemon meanwhile, in seconds."""
    before = rig.cpu()
    yield
    into[name] = rig.cpu() - before


def feeds(n, first=1):
    return [Peer(f"feed{i}", f"10.0.1.{i}", "feed", 64600 + i) for i in range(first, first + n)]


def sinks(n):
    return [Peer(f"sink{i}", f"10.0.2.{i}", "sink", 65100 + i) for i in range(1, n + 1)]


class Scenario:
    name = title = about = ""
    target = ""                 # what mcbgpd is to reach, in words
    cases = {}                  # name: arguments of measure()
    units = {}                  # metric: unit; the first is the one that is plotted
    needs_fib = False

    @classmethod
    def daemons(cls, candidates, routes):
        return [d for d in candidates if (d.fib or not cls.needs_fib) and d.most_routes >= routes]

    def measure(self, daemon, **case):
        """One measurement; @return metrics.  Raises Failed when there is no figure."""
        raise NotImplementedError


class Table(Scenario):
    name = "table"
    title = "One feed to one sink"
    target = "at most half of BIRD 2; fewer bytes a route than BIRD 2, then 64"
    about = ("Both sessions are up, then the feed announces N prefixes (6 to a set of attributes, random order), and "
             "later withdraws them all. Time from the first byte written to the last prefix heard by the sink.")
    cases = {f"{n:,}": {"routes": n} for n in (10_000, 100_000, 500_000, 1_000_000)}
    units = {"announce": "s", "withdraw": "s", "announce CPU": "s", "withdraw CPU": "s", "peak memory": "MB",
             "memory a route": "bytes"}

    def measure(self, daemon, routes, share=6, order="random"):
        out = {}
        with Rig(daemon, Setup([*feeds(1), *sinks(1)])) as rig:
            rig.prepare(routes, share, order)
            rig.load.do("routes", "feed1", 0, routes)
            rig.start()
            rig.connect()
            rig.settle()
            empty = rig.memory("RssAnon")
            with cost(rig, out, "announce CPU"):
                out["announce"], = rig.load.step(SECONDS, "announce feed1", f"announced sink1 {routes}").reached
            rig.check_heard("sink1", 0, routes)
            out["memory a route"] = (rig.memory("RssAnon") - empty) / routes
            with cost(rig, out, "withdraw CPU"):
                out["withdraw"], = rig.load.step(SECONDS, "withdraw feed1", f"withdrawn sink1 {routes}").reached
            out["peak memory"] = rig.memory("VmHWM") / 1e6
        return out


class Sharing(Table):
    name = "sharing"
    target = ""
    title = "Attributes shared by more or fewer prefixes"
    about = ("As above. An Internet table has about 6 prefixes to a set of attributes, a cluster about 60; the best "
             "case is one set for all, the other one sorted by address.")
    cases = {f"{n:,}, {what}": {"routes": n, "share": share, "order": order}
             for n in (100_000, 500_000)
             for what, share, order in (("1:6", 6, "random"), ("1:60", 60, "random"), ("one set", 0, "random"),
                                        ("one set, sorted", 0, "sorted"))}


class BareWriter(daemons.Daemon):
    """Stands in a column of its own where the kernel's limit is to be seen."""

    name, title = "limit", "bare writer"

    @classmethod
    def version(cls):
        return os.uname().release


class Kernel(Scenario):
    name = "kernel"
    title = "The kernel's limit"
    about = ("bench/fibwrite: prepared requests in batches of 1,000, plain routes (gateway and interface) or routes "
             "that name a nexthop object (ids), without acknowledgement, with one a batch, with one a request.")
    cases = {f"{n:,} {how}": {"routes": n, "kind": kind, "acks": acks}
             for n in (10_000, 100_000, 500_000, 1_000_000)
             for how, kind, acks in (("plain", "plain", "none"), ("ids", "nexthop", "none"),
                                     ("ids, ack a batch", "nexthop", "last"), ("ids, ack each", "nexthop", "all"))}
    units = {"add a route": "µs", "delete a route": "µs", "add": "s", "delete": "s"}

    @classmethod
    def daemons(cls, candidates, routes):
        return [BareWriter]

    def measure(self, daemon, routes, kind="nexthop", acks="last"):
        with laboratory.Lab() as lab:
            gateway, net = lab.namespace("gw"), lab.namespace("net")
            laboratory.veth(gateway, "eth0", net, "eth0")
            gateway.ip(f"address add {daemons.ADDRESS}/16 dev eth0")
            done = subprocess.run([os.path.join(BUILD, "bench/fibwrite"), gateway.name, "eth0", "10.0.1.1",
                                   str(routes), kind, "1000", acks], capture_output=True, text=True)
        if done.returncode:
            raise Failed(done.stderr.strip())
        took = json.loads(done.stdout)
        return {**took, "add a route": took["add"] / routes * 1e6, "delete a route": took["delete"] / routes * 1e6}


class Fib(Scenario):
    name = "fib"
    title = "One feed to one sink and to the kernel"
    target = "kernel within 1.15 of the bare writer; sink as in `table`, whatever the kernel takes"
    about = ("As `table`, with every route written to the kernel. The kernel's times end when a sample of 1,000 routes "
             "is there (gone); a dump then counts all. The bare writer sends prepared requests with nexthop ids, 1,000 "
             "a sendmsg with one acknowledgement, and does nothing else.")
    cases = Table.cases
    units = {"kernel": "s", "sink": "s", "kernel withdraw": "s", "sink withdraw": "s", "announce CPU": "s",
             "withdraw CPU": "s", "peak memory": "MB"}
    needs_fib = True

    @classmethod
    def daemons(cls, candidates, routes):
        return [*super().daemons(candidates, routes), BareWriter]

    def measure(self, daemon, routes):
        if daemon is BareWriter:
            limit = Kernel().measure(daemon, routes)
            return {"kernel": limit["add"], "kernel withdraw": limit["delete"]}
        out = {}
        with Rig(daemon, Setup([*feeds(1), *sinks(1)], fib=True)) as rig:
            rig.prepare(routes)
            rig.load.do("routes", "feed1", 0, routes)
            rig.start()
            rig.connect()
            rig.settle()
            with cost(rig, out, "announce CPU"):
                out["sink"], out["kernel"] = rig.load.step(
                    SECONDS, "announce feed1", f"announced sink1 {routes}", f"kernel 0 {routes} 1").reached
            rig.check_heard("sink1", 0, routes)
            rig.check_kernel(routes)
            with cost(rig, out, "withdraw CPU"):
                out["sink withdraw"], out["kernel withdraw"] = rig.load.step(
                    SECONDS, "withdraw feed1", f"withdrawn sink1 {routes}", f"kernel 0 {routes} 0").reached
            rig.check_kernel(0)
            out["peak memory"] = rig.memory("VmHWM") / 1e6
        return out


class Fanout(Scenario):
    name = "fanout"
    title = "One feed to 50 sinks"
    target = "a quarter of BIRD 2's time, less CPU than FRR"
    about = "100,000 prefixes, all sinks alike; until the last of them has heard the last prefix."
    cases = {"100,000 to 50": {"routes": 100_000, "n": 50}}
    units = {"announce": "s", "announce CPU": "s", "withdraw": "s", "withdraw CPU": "s", "peak memory": "MB"}

    @classmethod
    def daemons(cls, candidates, routes):
        return super().daemons(candidates, routes * 10)     # what fifty sinks cost those who do not group them

    def measure(self, daemon, routes, n):
        out = {}
        with Rig(daemon, Setup([*feeds(1), *sinks(n)])) as rig:
            rig.prepare(routes)
            rig.load.do("routes", "feed1", 0, routes)
            rig.start()
            rig.connect()
            rig.settle()
            with cost(rig, out, "announce CPU"):
                out["announce"], = rig.load.step(SECONDS, "announce feed1", f"announced sink* {routes}").reached
            rig.check_heard("sink*", 0, routes)
            with cost(rig, out, "withdraw CPU"):
                out["withdraw"], = rig.load.step(SECONDS, "withdraw feed1", f"withdrawn sink* {routes}").reached
            out["peak memory"] = rig.memory("VmHWM") / 1e6
        return out


class Nodes(Scenario):
    name = "nodes"
    title = "50 feeds to one sink"
    target = "at most half of BIRD 2"
    about = ("50 feeds of 2,000 prefixes each, as a cluster's nodes after the gateway's restart: all connect at once "
             "and announce as soon as they are up. From the first SYN to the last prefix at the sink, which is up "
             "before.")
    cases = {"50 × 2,000": {"routes": 100_000, "n": 50}}
    units = {"all heard": "s", "CPU": "s"}

    def measure(self, daemon, routes, n):
        out = {}
        each = routes // n
        with Rig(daemon, Setup([*feeds(n), *sinks(1)])) as rig:
            rig.prepare(routes, 60)
            for i in range(n):
                rig.load.do("routes", f"feed{i + 1}", i * each, each)
            rig.start()
            rig.connect("sink1")
            rig.settle()
            with cost(rig, out, "CPU"):
                out["all heard"], = rig.load.step(SECONDS, "join feed*", f"announced sink1 {n * each}").reached
            rig.check_heard("sink1", 0, n * each)
        return out


class Sessions(Scenario):
    name = "sessions"
    title = "200 sessions at once"
    about = "200 peers connect at once; until the last session is established on both sides. No routes."
    cases = {"200": {"n": 200}}
    units = {"all up": "s", "CPU": "s", "peak memory": "MB"}

    def measure(self, daemon, n):
        out = {}
        with Rig(daemon, Setup([Peer(f"feed{i}", f"10.0.{1 + i // 250}.{1 + i % 250}", "feed", 64512 + i)
                                for i in range(n)])) as rig:
            rig.prepare(1)
            rig.start()
            rig.connect("feed0")
            rig.settle()
            with cost(rig, out, "CPU"):
                out["all up"], = rig.load.step(SECONDS, "connect feed[1-9]*", "up feed*").reached
            out["peak memory"] = rig.memory("VmHWM") / 1e6
        return out


class Multipath(Scenario):
    name = "multipath"
    title = "The same prefixes from 4 feeds"
    about = ("Four feeds announce the same 100,000 prefixes at once, equal but for their next hops; all four are to be "
             "used. Until the last UPDATE at the sink, and until every (sampled) route in the kernel has four next "
             "hops.")
    cases = {"4 × 100,000": {"routes": 100_000}}
    units = {"kernel": "s", "sink": "s", "CPU": "s", "peak memory": "MB"}
    needs_fib = True

    def measure(self, daemon, routes):
        out = {}
        with Rig(daemon, Setup([*feeds(4), *sinks(1)], fib=True, multipath=4)) as rig:
            rig.prepare(routes)
            for i in range(1, 5):
                rig.load.do("routes", f"feed{i}", 0, routes)
            rig.start()
            rig.connect()
            rig.settle()
            with cost(rig, out, "CPU"):
                _, out["kernel"], out["sink"] = rig.load.step(
                    SECONDS, "announce feed*", f"announced sink1 {routes}", f"kernel 0 {routes} 4",
                    "quiet sink1 1000").reached
            rig.check_kernel(routes)
            out["peak memory"] = rig.memory("VmHWM") / 1e6
        return out


class Churn(Scenario):
    name = "churn"
    title = "Steady churn"
    target = "0.5 ms for one prefix"
    about = ("100,000 routes are in place, also in the kernel; then single routes change attributes and next hop at a "
             "steady rate, each in its own UPDATE. Delay from the feed's write to the sink's read, and to the kernel's "
             "event.")
    cases = {"1,000/s for 30 s": {"routes": 100_000, "rate": 1000, "seconds": 30},
             "20/s for 10 s": {"routes": 100_000, "rate": 20, "seconds": 10}}
    units = {"sink p99": "ms", "sink p50": "ms", "kernel p50": "ms", "kernel p99": "ms", "worst at sink": "ms",
             "CPU": "%", "lost": ""}
    needs_fib = True

    def measure(self, daemon, routes, rate, seconds):
        out = {}
        with Rig(daemon, Setup([*feeds(1), *sinks(1)], fib=True)) as rig:
            rig.prepare(routes)
            rig.load.do("routes", "feed1", 0, routes)
            rig.start()
            rig.connect()
            rig.settle()
            rig.load.step(SECONDS, "announce feed1", f"announced sink1 {routes}", f"kernel 0 {routes} 1")
            rig.settle()
            with cost(rig, out, "CPU"):
                churn = rig.load.step(seconds + 10, f"churn feed1 sink1 {rate} {seconds} 0 {routes} 10.0.255.254",
                                      "churned", part=True).churn
        out["CPU"] *= 100 / seconds
        for place in ("sink", "kernel"):
            for p in ("p50", "p99"):
                out[f"{place} {p}"] = churn[place][f"{p}_us"] / 1e3
        out["worst at sink"] = churn["sink"]["max_us"] / 1e3
        out["lost"] = churn["sink"]["lost"]
        return out


class Prober(threading.Thread):
    """Asks the daemon's client for its sessions again and again, and keeps the times."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.asked = daemon
        self.sessions = len(daemon.setup.peers)
        self.times = []
        self.failure = None
        self.ending = threading.Event()

    def ask(self):
        begun = time.monotonic()
        said = self.asked.client(self.asked.show_protocols(), SECONDS)
        took = time.monotonic() - begun
        if len(said.splitlines()) < self.sessions:
            raise Failed(f"{self.asked.title}'s client does not show the sessions: {said!r}")
        return took

    def run(self):
        try:
            while not self.ending.wait(0.05):
                self.times.append(self.ask())
        except (Failed, RuntimeError, subprocess.SubprocessError) as failure:
            self.failure = failure

    def end(self):
        """@return the times, sorted."""
        self.ending.set()
        self.join()
        if self.failure:
            raise self.failure
        return sorted(self.times)


class Busy(Scenario):
    name = "busy"
    title = "Busy, and still prompt"
    about = ("A feed of 1 M prefixes comes, goes and comes again for at least 10 s, a sink hears it all; meanwhile a "
             "third session with a keepalive time of 1 s and nothing else must not wait (longest silence, less that "
             "second), and the daemon's client shows all sessions, again and again (worst and median; at rest: "
             "what starting the client costs).")
    cases = {"1,000,000": {"routes": 1_000_000}}
    units = {"worst show": "ms", "median show": "ms", "show at rest": "ms", "late KEEPALIVE": "ms"}

    def measure(self, daemon, routes):
        watcher = Peer("watcher", "10.0.3.1", "watcher", 64999, hold=3)
        with Rig(daemon, Setup([*feeds(1), *sinks(1), watcher])) as rig:
            rig.prepare(routes)
            rig.load.do("routes", "feed1", 0, routes)
            rig.start()
            rig.connect()
            rig.settle()
            prober = Prober(rig.daemon)
            rest = sorted(prober.ask() for _ in range(9))[4]
            prober.start()
            rig.load.do("gaps", "watcher")
            until = time.monotonic() + 10
            while time.monotonic() < until:
                for action, goal in (("announce", "announced"), ("withdraw", "withdrawn")):
                    rig.load.step(SECONDS, f"{action} feed1", f"{goal} sink1 {routes}")
            silence = rig.load.do("gaps", "watcher")["worst_ns"]
            times = prober.end()
        return {"worst show": times[-1] * 1e3, "median show": times[len(times) // 2] * 1e3, "show at rest": rest * 1e3,
                "late KEEPALIVE": max(silence / 1e6 - 1000, 0)}


class Failover(Scenario):
    name = "failover"
    title = "A next hop dies"
    target = "10 ms, whatever the number of routes"
    about = ("Two next hops announce the same routes, the old one with the shorter AS path; packets to 100 "
             "destinations all over the table flow through the old one at 50,000 a second. Then its link loses the "
             "carrier (`link`), or its session ends with a Cease (`session`). Until the last of the destinations is "
             "seen at the new next hop; resolution 2 ms.")
    cases = {f"{n:,}, {how}": {"routes": n, "how": how} for n in (100_000, 500_000) for how in ("link", "session")}
    units = {"last packet moved": "s", "CPU": "s"}
    needs_fib = True

    def measure(self, daemon, routes, how):
        out = {}
        setup = Setup([Peer("old", "10.1.0.2", "feed", 64601), Peer("new", "10.2.0.2", "feed", 64602)], fib=True)
        with Rig(daemon, setup, failover=True) as rig:
            rig.prepare(routes)
            rig.load.do("routes", "old", 0, routes)
            rig.load.do("routes", "new", 0, routes, 2)
            rig.start()
            rig.connect()
            rig.settle()
            rig.load.step(SECONDS, "announce *", f"kernel 0 {routes} 1")
            rig.check_kernel(routes, 60)
            traffic = Program("forward", routes, 100, 50000, SECONDS, rig.net.name, f"{rig.lab.prefix}-old",
                              f"{rig.lab.prefix}-new", "eth0")
            try:
                if "flowing" not in traffic.answer():
                    raise Failed("packets do not flow through the old next hop")
                with cost(rig, out, "CPU"):
                    out["last packet moved"] = self.kill(rig, traffic, how)
            finally:
                traffic.stop()
        return out

    @staticmethod
    def kill(rig, traffic, how):
        begun = time.monotonic_ns()
        if how == "link":
            traffic.tell("cut")
        else:
            rig.load.step(5, "cease old", "down old")
            traffic.tell("done")
        done = traffic.answer()
        if done["moved"] is None:
            raise Failed(f"{done['left']} of 100 destinations have not moved in {SECONDS} s")
        return (done["moved"] - (done["cut"] if how == "link" else begun)) / 1e9


class Filter(Scenario):
    name = "filter"
    title = "A changed import filter"
    about = ("500,000 routes are in place; the import filter now adds another community. From the command to the last "
             "route at the sink. Who does not keep what a filter refused, or the routes before it, has to ask the feed "
             "for a refresh, which is answered at once.")
    cases = {"500,000": {"routes": 500_000}}
    units = {"all heard anew": "s", "CPU": "s"}

    @classmethod
    def daemons(cls, candidates, routes):
        return [d for d in super().daemons(candidates, routes) if d.reconfigures]

    def measure(self, daemon, routes):
        out = {}
        with Rig(daemon, Setup([*feeds(1), *sinks(1)], tag=1)) as rig:
            rig.prepare(routes)
            rig.load.do("routes", "feed1", 0, routes)
            rig.start()
            rig.connect()
            rig.settle()
            rig.load.step(SECONDS, "announce feed1", f"announced sink1 {routes}")
            rig.settle()
            with cost(rig, out, "CPU"):
                rig.load.begin(SECONDS, "nothing", f"announced sink1 {routes}")
                begun = time.monotonic_ns()
                rig.daemon.change_filter(2)
                done = rig.load.finish()
            if done.lost or None in done.reached:
                raise Failed(done.lost[0] if done.lost else "not all routes were heard anew")
            out["all heard anew"], = done.after(begun)
        return out


class Cold(Scenario):
    name = "cold"
    title = "Cold start"
    target = "3 to 9 ms, as BIRD 2"
    about = ("From the start of the program to the first accepted connection, and to the first established session of a "
             "peer that tries every 2 ms; memory with that one session.")
    cases = {"1 session": {}}
    units = {"listening": "ms", "established": "ms", "memory": "MB"}

    def measure(self, daemon):
        with Rig(daemon, Setup(feeds(1))) as rig:
            rig.prepare(1)
            rig.load.begin(30, "connect feed1", "connected feed1", "up feed1")
            begun = rig.start()
            done = rig.load.finish()
            if None in done.reached:
                raise Failed("no session within 30 s")
            listening, established = done.after(begun)
            rig.settle()
            return {"listening": listening * 1e3, "established": established * 1e3,
                    "memory": rig.memory("RssAnon") / 1e6}


class Idle(Scenario):
    name = "idle"
    title = "Idle with a full table"
    target = "no wake-ups but timers that are due"
    about = "500,000 routes, in the kernel too where there is one; then nothing happens for 75 s."
    cases = {"500,000": {"routes": 500_000, "seconds": 75}}
    units = {"wake-ups a second": "", "CPU": "ms"}

    def measure(self, daemon, routes, seconds):
        out = {}
        with Rig(daemon, Setup([*feeds(1), *sinks(1)], fib=daemon.fib)) as rig:
            rig.prepare(routes)
            rig.load.do("routes", "feed1", 0, routes)
            rig.start()
            rig.connect()
            rig.settle()
            rig.load.step(SECONDS, "announce feed1", f"announced sink1 {routes}",
                          *([f"kernel 0 {routes} 1"] if daemon.fib else []))
            time.sleep(5)
            before = rig.wakeups()
            with cost(rig, out, "CPU"):
                time.sleep(seconds)
            out["wake-ups a second"] = (rig.wakeups() - before) / seconds
        out["CPU"] *= 1e3
        return out


ALL = [Table, Sharing, Fib, Kernel, Fanout, Nodes, Sessions, Multipath, Churn, Busy, Failover, Filter, Cold, Idle]
