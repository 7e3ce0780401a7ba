# SPDX-License-Identifier: BSD-2-Clause
"""One daemon between the load generator's speakers, and what it costs there.

	net (every feed and sink, eth0 10.0.x.y/16)  ----  gw (the daemon, eth0 10.0.0.1)

and, where a next hop is to die, two more neighbors of gw: old (10.1.0.2) and new (10.2.0.2).  All that runs in gw
is the daemon, so its cost is that of the processes there.
"""

import dataclasses
import json
import os
import subprocess
import sys
import time

import daemons
from place import BUILD, laboratory


class Failed(Exception):
    """A measurement that gives no figure: a goal was not reached in time, a session was lost, routes are missing."""


@dataclasses.dataclass
class Step:
    """What a step of the load generator came to; times in seconds."""

    begun: int              # CLOCK_MONOTONIC, ns
    reached: list           # of each goal since `begun`, None: not in time
    lost: list              # sessions that went down, in words
    churn: dict

    def after(self, since):
        """Times since another moment (ns), of each goal."""
        return [time + (self.begun - since) / 1e9 for time in self.reached]


class Program:
    """A program of the benchmark that is told what to do on stdin and answers in lines of JSON."""

    def __init__(self, *argv):
        self.child = subprocess.Popen([os.path.join(BUILD, "bench", argv[0]), *map(str, argv[1:])],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()

    def answer(self):
        line = self.child.stdout.readline()
        if not line:
            raise Failed(f"the load generator ended with {self.child.wait()}")
        found = json.loads(line)
        if "error" in found:
            raise ValueError(found["error"])
        return found

    def stop(self):
        self.child.kill()
        self.child.wait()
        self.child.stdin.close()
        self.child.stdout.close()


class Load(Program):
    def __init__(self):
        super().__init__("load")

    def do(self, *words):
        self.tell(" ".join(map(str, words)))
        return self.answer()

    def begin(self, seconds, action, *goals):
        """The action is done when this returns; finish() waits for the goals."""
        self.do("step", seconds, action, "until", ", ".join(goals))

    def finish(self):
        found = self.answer()
        begun = found["begun"]
        return Step(begun, [at and (at - begun) / 1e9 for at in found["reached"]], found["lost"], found.get("churn"))

    def step(self, seconds, action, *goals, part=False):
        """@part: the caller takes goals that were not reached."""
        self.begin(seconds, action, *goals)
        done = self.finish()
        if done.lost:
            raise Failed("; ".join(done.lost[:3]))
        if None in done.reached and not part:
            raise Failed(f"not in {seconds} s: {goals[done.reached.index(None)]}")
        return done


class Rig:
    """Use as a context manager: namespaces, load generator, and the daemon once start() is called."""

    def __init__(self, daemon, setup, failover=False):
        self.lab = laboratory.Lab()
        self.load = None
        self.daemon = None
        try:
            self.gateway = self.lab.namespace("gw")
            self.net = self.lab.namespace("net")
            self._wire(setup, failover)
            self.load = Load()
            self.daemon = daemon(self.lab, self.gateway, setup)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        if kind and self.daemon:
            tail = self.daemon.log().splitlines()[-5:]
            print("".join(f"    {line}\n" for line in tail), end="", file=sys.stderr)
        self.close()

    def close(self):
        if self.load:
            self.load.stop()
        if self.daemon:
            self.daemon.stop()
        self.lab.close()

    def _wire(self, setup, failover):
        laboratory.veth(self.gateway, "eth0", self.net, "eth0")
        self.gateway.ip(f"address add {daemons.ADDRESS}/16 dev eth0")
        self.net.ip(*(f"address add {peer.address}/16 dev eth0" for peer in setup.peers
                      if peer.address.startswith("10.0.")), "address add 10.0.255.254/16 dev eth0",
                    f"route add default via {daemons.ADDRESS}")
        if failover:
            self._wire_next_hops()

    def _wire_next_hops(self):
        self.gateway.sysctl("ipv4.ip_forward", 1)
        for number, short in ((1, "old"), (2, "new")):
            hop = self.lab.namespace(short)
            laboratory.veth(self.gateway, short, hop, "eth0")
            self.gateway.ip(f"address add 10.{number}.0.1/24 dev {short}")
            hop.ip(f"address add 10.{number}.0.2/24 dev eth0")

    # ---- what scenarios do -----------------------------------------------------------------------------

    def namespace_of(self, peer):
        short = {"10.1": "old", "10.2": "new"}.get(peer.address[:4], "net")
        return f"{self.lab.prefix}-{short}"

    def gateway_of(self, peer):
        """The daemon's address that @peer dials."""
        return peer.address.rsplit(".", 1)[0] + ".1" if peer.address[:4] in ("10.1", "10.2") else daemons.ADDRESS

    def prepare(self, table, share=6, order="random"):
        """The table, and every peer as a speaker."""
        self.load.do("table", table, share, order)
        self.load.do("kernel", self.gateway.name)
        for peer in self.daemon.setup.peers:
            self.load.do("peer", peer.name, self.namespace_of(peer), peer.address, self.gateway_of(peer), peer.asn,
                         peer.hold)

    def start(self):
        """@return CLOCK_MONOTONIC just before the daemon was started, ns."""
        begun = time.monotonic_ns()
        self.daemon.start()
        return begun

    def connect(self, names="*", seconds=60):
        time.sleep(0.3)
        if not self.daemon.alive():
            raise Failed(f"{self.daemon.title} ended at once")
        return self.load.step(seconds, f"connect {names}", f"up {names}")

    def settle(self):
        """Lets a daemon that has just come up finish what it does once."""
        time.sleep(1)

    def check_heard(self, names, first, count):
        if not self.load.do("sum", names, first, count)["equal"]:
            raise Failed(f"{names} did not hear exactly the {count} routes")

    def check_kernel(self, count, seconds=10):
        """The samples were all there: are the others?  They may be a little behind."""
        deadline = time.monotonic() + seconds
        while self.load.do("count")["count"] != count:
            if time.monotonic() > deadline:
                raise Failed(f"{self.load.do('count')['count']} routes in the kernel instead of {count}")
            time.sleep(0.1)

    # ---- cost ------------------------------------------------------------------------------------------

    def pids(self):
        found = subprocess.run(["ip", "netns", "pids", self.gateway.name], capture_output=True, text=True).stdout
        return [int(word) for word in found.split()]

    def cpu(self):
        """Seconds that the daemon has been on a processor, all its processes and threads together."""
        return sum(time.clock_gettime(~pid << 3 | 2) for pid in self.pids())    # clock_getcpuclockid(3)

    def memory(self, field):
        """A field of /proc/PID/status in bytes: RssAnon, or VmHWM for the highest there ever was."""
        return sum(self._status(pid, field) for pid in self.pids()) * 1024

    def wakeups(self):
        """How often its threads were woken, which is how often they went to sleep."""
        return sum(self._status(f"{pid}/task/{task}", "voluntary_ctxt_switches")
                   for pid in self.pids() for task in os.listdir(f"/proc/{pid}/task"))

    @staticmethod
    def _status(pid, field):
        with open(f"/proc/{pid}/status") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return int(line.split()[1])
        return 0
