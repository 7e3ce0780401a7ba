# SPDX-License-Identifier: BSD-2-Clause
"""Network namespaces, the processes in them, and waiting: what every network test stands on.

A Lab owns whatever it made - namespaces, processes, a folder for configurations and logs - and takes it all
down when it is closed, however the run ends; what a killed run left behind, the next one sweeps.  Names carry
the pid of the run, so that several may run side by side on one machine.  Nothing here knows BGP.
"""

import concurrent.futures
import contextlib
import ctypes
import itertools
import json
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PREFIX = os.environ.get("MCBGP_LAB_PREFIX", "mcbgp")
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)
_serial = itertools.count(1)


def wait_until(condition, timeout, what):
    """Calls @condition until it returns something true, and returns that; a failure names @what."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what} (last seen: {value!r})")
        time.sleep(0.1)


def stays(condition, seconds, what):
    """The opposite: @condition must hold all the time for @seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), f"did not last {seconds} s: {what}"
        time.sleep(0.1)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A daemon in a namespace, its output in a file."""

    def __init__(self, namespace, name, argv, env=None):
        self.name = name
        self.orderly = False    # must end with 0 when asked to, and say nothing that a sanitizer would
        self.log_path = os.path.join(namespace.lab.dir, name + ".log")
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(
                ["ip", "netns", "exec", namespace.name, *argv],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(env or {})}, preexec_fn=_die_with_parent)

    @property
    def pid(self):
        return self.child.pid           # `ip netns exec` replaces itself

    def alive(self):
        return self.child.poll() is None

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def send(self, number):
        if self.alive():
            self.child.send_signal(number)

    def wait(self, timeout=15):
        return self.child.wait(timeout)

    def stop(self, number=signal.SIGTERM, timeout=15):
        """Asks it to end, and makes it.  Returns the exit status; None: it had to be killed."""
        self.send(number)
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            return None


class Namespace:
    def __init__(self, lab, short):
        self.lab = lab
        self.short = short
        self.name = f"{lab.prefix}-{short}"
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.ip("link set lo up")

    def ip(self, *commands):
        """Runs `ip` commands in one batch; stops at the first that fails."""
        done = subprocess.run(["ip", "-n", self.name, "-batch", "-"], input="\n".join(commands) + "\n",
                              capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{self.short}: {'; '.join(commands)}: {done.stderr.strip()}")

    def ip_json(self, command):
        out = subprocess.run(["ip", "-n", self.name, "-j", "-d", *command.split()],
                             capture_output=True, text=True, check=True).stdout
        return json.loads(out) if out.strip() else []

    def run(self, *argv, timeout=30, check=False):
        return subprocess.run(["ip", "netns", "exec", self.name, *argv],
                              capture_output=True, text=True, timeout=timeout, check=check)

    def spawn(self, name, argv, env=None):
        process = Process(self, name, argv, env)
        self.lab.processes.append(process)
        return process

    @contextlib.contextmanager
    def entered(self):
        """This thread is in the namespace: sockets made and /proc/sys/net read here belong to it."""
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.name}") as there:
            if _libc.setns(there.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            try:
                yield
            finally:
                _libc.setns(home.fileno(), CLONE_NEWNET)

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM):
        with self.entered():
            return socket.socket(family, kind)

    def sysctl(self, name, value=None):
        """Sets net.NAME, or reads it."""
        path = "/proc/sys/net/" + name.replace(".", "/")
        with self.entered(), open(path, "r" if value is None else "w") as file:
            return file.write(str(value)) if value is not None else file.read().strip()

    def ping(self, destination, count=1, source=None):
        argv = ["ping", "-n", "-q", "-i", "0.2", "-W", "1", "-c", str(count)]
        return self.run(*argv, *(["-I", source] if source else []), destination).returncode == 0

    # ---- what the kernel has, seen from outside of the daemon ----------------------------------------

    def routes(self, *selector):
        return self.ip_json("route show " + " ".join(selector))

    def next_hops(self, prefix):
        """Gateways of the mcbgpd route to @prefix that get packets, through nexthop objects where it has them."""
        for _ in range(10):
            with contextlib.suppress(subprocess.CalledProcessError):    # it changed while we looked: again
                return set().union(*(self._gateways(r) for r in self.routes("exact", prefix, "proto", "178")))
        raise AssertionError(f"{prefix} in {self.short} does not hold still")

    def _gateways(self, route):
        if "nhid" in route:
            return self._nexthop_object(route["nhid"])
        return {hop["gateway"] for hop in [route, *route.get("nexthops", [])] if "gateway" in hop}

    def _nexthop_object(self, number):
        found = set()
        for hop in self.ip_json(f"nexthop show id {number}"):
            if "gateway" in hop:
                found.add(hop["gateway"])
            for member in self.members(hop):
                found |= self._nexthop_object(member)
        return found

    def members(self, nexthop):
        """{id: weight} of those of a group that get packets; one that stands by for them gets none."""
        weights = {member["id"]: member.get("weight", 1) for member in nexthop.get("group", [])}
        if nexthop.get("type") != "resilient":
            return weights
        buckets = self.ip_json(f"nexthop bucket show id {nexthop['id']}")
        used = {bucket["bucket"]["nhid"] for bucket in buckets}
        common = math.gcd(*(weights[member] for member in used & set(weights)))
        return {member: weights[member] // common for member in weights if member in used}

    def link(self, name):
        """The link as `ip -d -j` shows it, None when there is none of that name."""
        for link in self.ip_json("link show"):
            if link["ifname"] == name:
                return link
        return None


def veth(a, a_name, b, b_name):
    """A cable between two namespaces, both ends up."""
    subprocess.run(["ip", "link", "add", a_name, "netns", a.name, "type", "veth",
                    "peer", "name", b_name, "netns", b.name], check=True)
    a.ip(f"link set {a_name} up")
    b.ip(f"link set {b_name} up")


def transfer(source, target, address, size, family=socket.AF_INET):
    """Sends @size bytes by TCP from one namespace to @address in another; returns how many arrived."""
    with target.socket(family) as listener, source.socket(family) as sender:
        listener.bind((address, 0))
        listener.listen(1)
        for end in (listener, sender):
            end.settimeout(60)
        sender.connect((address, listener.getsockname()[1]))
        receiver = listener.accept()[0]
        receiver.settimeout(60)
        with receiver, concurrent.futures.ThreadPoolExecutor(1) as pool:
            sent = pool.submit(lambda: (sender.sendall(bytes(size)), sender.shutdown(socket.SHUT_WR)))
            arrived = 0
            while piece := receiver.recv(1 << 16):
                arrived += len(piece)
            sent.result()
        return arrived


class Lab:
    """Use as a context manager; `keep` leaves everything standing for somebody to look around."""

    def __init__(self):
        self.sweep()
        self.prefix = f"{PREFIX}-{os.getpid()}-{next(_serial)}"
        self.dir = tempfile.mkdtemp(prefix=self.prefix + "-")
        os.chmod(self.dir, 0o755)
        self.processes = []
        self.namespaces = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def namespace(self, short):
        namespace = Namespace(self, short)
        self.namespaces.append(namespace)
        return namespace

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def logs(self, lines=40):
        """The end of every log, for the report of a failure."""
        out = []
        for process in self.processes:
            tail = process.log().splitlines()[-lines:]
            out.append(f"---- {process.name}\n" + "\n".join(tail))
        return "\n".join(out)

    def finish(self):
        """Ends what must end in order; returns what was wrong with it, in words."""
        wrong = []
        for process in self.processes:
            if not process.orderly:
                continue
            if process.alive():
                status = process.stop()
                if status != 0:
                    wrong.append(f"{process.name} ended with {status} on SIGTERM")
            wrong += [f"{process.name}: {line}" for line in process.log().splitlines()
                      if re.search(r"Sanitizer: |runtime error: |Assertion .* failed", line)]
        return wrong

    def close(self):
        for process in reversed(self.processes):
            if process.alive():
                process.child.kill()
                process.child.wait()
        for namespace in self.namespaces:
            subprocess.run(["ip", "netns", "del", namespace.name], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.dir, ignore_errors=True)
        self.processes, self.namespaces = [], []

    @staticmethod
    def sweep():
        """Takes down what runs of this prefix left that are no longer alive."""
        listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout
        for name in re.findall(rf"^({re.escape(PREFIX)}-\d+-\S+)", listed, re.M):
            owner = int(name[len(PREFIX) + 1:].split("-")[0])
            if os.path.exists(f"/proc/{owner}"):
                continue
            pids = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True).stdout
            for pid in pids.split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)
