# SPDX-License-Identifier: BSD-2-Clause
"""The daemons that are measured: how each is configured, started and asked.

A Setup says what a scenario wants in words common to all; a Daemon writes it down in its own language.  All of them
are set up as a gateway: every peer is another AS and dials in, feeds are heard and told nothing, sinks are told
everything with the gateway's own next hop.  Delays that a daemon puts in front of its UPDATEs for the sake of
batching are switched off where it has them (FRR's coalesce-time), since all of this is about speed.
"""

import ctypes
import dataclasses
import os
import re
import subprocess

import peers
from place import BUILD, laboratory

AS = 65000
ADDRESS = "10.0.0.1"
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000


_libc = ctypes.CDLL(None, use_errno=True)


def _mount(source, target, flags):
    if _libc.mount(source.encode(), target.encode(), None, flags, None):
        raise OSError(ctypes.get_errno(), f"mount {source} on {target}")


@dataclasses.dataclass
class Peer:
    name: str
    address: str
    role: str               # "feed", "sink", or "watcher", which is told nothing and says nothing
    asn: int
    hold: int = 90          # seconds

    @property
    def keepalive(self):
        return self.hold // 3


@dataclasses.dataclass
class Setup:
    peers: list
    fib: bool = False
    multipath: int = 1
    tag: int = 0            # not 0: the import filter adds community 65000:tag


class Daemon:
    """A daemon in the namespace @gateway, everything it writes in the folder of @lab."""

    name = title = ""
    fib = True              # writes the kernel's table
    reconfigures = True     # can change an import filter
    slow = False            # may be measured in fewer rounds
    most_routes = 1 << 30   # more would take too long to be worth the wait
    users = []              # that it wants to find

    def __init__(self, lab, gateway, setup):
        self.lab = lab
        self.gateway = gateway
        self.setup = setup
        self.started = []

    # ---- what every one of them says for itself ------------------------------------------------------

    @classmethod
    def version(cls):
        raise NotImplementedError

    @classmethod
    def available(cls):
        return True

    def start(self):
        """Starts it; the clock of a cold start is read just before."""
        raise NotImplementedError

    def show_protocols(self):
        """The command line of its client that shows all sessions."""
        raise NotImplementedError

    def change_filter(self, tag):
        """Gives it the import filter with another tag."""
        raise NotImplementedError

    # ---- what they share -----------------------------------------------------------------------------

    def spawn(self, argv):
        if self.users and not self.started:
            self._write_users()
        with self.gateway.entered(), open(self.lab.path(self.name + ".log"), "ab") as log:
            child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment(),
                                     preexec_fn=self._imagine_users if self.users else None)
        self.started.append(child)
        return child

    def _write_users(self):
        """passwd and group with the users that its package would have made; home is an empty folder."""
        home = self.lab.path("empty")
        os.mkdir(home)
        for file, line in (("passwd", "{0}:x:{1}:{1}::{2}:/bin/false\n"), ("group", "{0}:x:{1}:root\n")):
            with open("/etc/" + file) as original:
                others = [entry for entry in original if entry.split(":")[0] not in self.users]
            own = [line.format(user, 64510 + i, home) for i, user in enumerate(self.users)]
            self.lab.write(file, "".join(others + own))

    def _imagine_users(self):
        """The child sees them as /etc's, in a mount namespace of its own."""
        if _libc.unshare(CLONE_NEWNS):
            raise OSError(ctypes.get_errno(), "unshare")
        _mount("none", "/", MS_REC | MS_PRIVATE)
        for file in ("passwd", "group"):
            _mount(self.lab.path(file), "/etc/" + file, MS_BIND)

    def client(self, argv, timeout=60):
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, env=self.environment())
        if done.returncode:
            raise RuntimeError(f"{' '.join(argv)}: {done.stdout}{done.stderr}")
        return done.stdout

    def environment(self):
        return None

    def alive(self):
        return all(child.poll() is None for child in self.started)

    def log(self):
        try:
            with open(self.lab.path(self.name + ".log"), errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def stop(self):
        for child in self.started:
            child.kill()
        for child in self.started:
            child.wait()

    def of_role(self, role):
        return [peer for peer in self.setup.peers if peer.role == role]


class Bird(Daemon):
    name, title = "bird", "BIRD 2"
    program = peers.path("bird2", "usr/sbin/bird")

    @classmethod
    def version(cls):
        return peers.version("bird2")

    def configuration(self):
        setup = self.setup
        lines = [f"router id {ADDRESS};", "protocol device { scan time 60; }", "protocol direct { ipv4; }"]
        if setup.fib:
            merge = f"merge paths on limit {setup.multipath};" if setup.multipath > 1 else ""
            lines += ["protocol kernel { " + merge + " ipv4 { import none; export where source = RTS_BGP; }; }"]
        tagged = f"filter {{ bgp_community.add((65000, {setup.tag})); accept; }}" if setup.tag else "all"
        for peer in setup.peers:
            imports = f"import {tagged};" if peer.role == "feed" else "import none;"
            exports = "export where source = RTS_BGP; next hop self;" if peer.role == "sink" else "export none;"
            lines.append(f"protocol bgp {peer.name} {{ local as {AS}; neighbor {peer.address} as {peer.asn}; passive; "
                         f"hold time {peer.hold}; keepalive time {peer.keepalive}; check link; "
                         f"ipv4 {{ {imports} {exports} }}; }}")
        return "\n".join(lines) + "\n"

    def start(self):
        self.conf = self.lab.write("bird.conf", self.configuration())
        self.socket = self.lab.path("bird.ctl")
        self.spawn([self.program, "-f", "-c", self.conf, "-s", self.socket])

    def birdc(self, *words):
        return [peers.path("bird2", "usr/sbin/birdcl"), "-s", self.socket, *words]

    def show_protocols(self):
        return self.birdc("show", "protocols")

    def change_filter(self, tag):
        self.setup.tag = tag
        self.lab.write("bird.conf", self.configuration())
        self.client(self.birdc("configure"))


class Mcbgpd(Daemon):
    name, title = "mcbgpd", "mcbgpd"
    program = os.path.join(BUILD, "src/mcbgpd")

    @classmethod
    def available(cls):
        return os.path.exists(cls.program)

    @classmethod
    def version(cls):
        shown = subprocess.run([cls.program, "-V"], capture_output=True, text=True)
        found = re.search(r"\d+(\.\d+)+\S*", shown.stdout + shown.stderr)
        return found[0] if found else "?"

    def configuration(self):
        setup = self.setup
        term = 'set = { add_community = [ "65000:%d" ]; }; ' % setup.tag if setup.tag else ""
        entries = []
        for peer in setup.peers:
            imports = "tagged" if peer.role == "feed" else "none"
            exports = "all" if peer.role == "sink" else "none"
            entries.append(f'  {{ name = "{peer.name}"; address = "{peer.address}"; remote_as = {peer.asn}; '
                           f"passive = true; hold_time = {peer.hold}; keepalive = {peer.keepalive}; "
                           f'next_hop_self = true; import = "{imports}"; export = "{exports}"; }}')
        export = "all" if setup.fib else "none"
        return (f'router = {{ id = "{ADDRESS}"; as = {AS}; multipath = {"true" if setup.multipath > 1 else "false"}; }};\n'
                f'control = {{ socket = "{self.socket}"; }};\n'
                f'log = {{ level = "warning"; target = "stderr"; }};\n'
                f'filters = {{ tagged = ( {{ {term}action = "accept"; }} ); }};\n'
                f'kernel = {{ export = "{export}"; multipath = {max(setup.multipath, 1)}; }};\n'
                "peers = (\n" + ",\n".join(entries) + "\n);\n")

    def start(self):
        self.socket = self.lab.path("mcbgpd.ctl")
        self.conf = self.lab.write("mcbgpd.conf", self.configuration())
        self.spawn([self.program, "-c", self.conf, "-s", self.socket])

    def birdc(self, *words):
        return [peers.path("bird2", "usr/sbin/birdcl"), "-s", self.socket, *words]

    def show_protocols(self):
        return self.birdc("show", "protocols")

    def change_filter(self, tag):
        self.setup.tag = tag
        self.lab.write("mcbgpd.conf", self.configuration())
        self.client(self.birdc("configure"))


class Frr(Daemon):
    name, title = "frr", "FRR"
    slow = True
    users = ["frr", "frrvty"]

    @classmethod
    def version(cls):
        return peers.version("frr")

    def environment(self):
        return {**os.environ, "LD_LIBRARY_PATH": peers.path("frr", "usr/lib/x86_64-linux-gnu/frr")}

    def filters(self, tag):
        return ["route-map IN permit 10"] + ([f" set community 65000:{tag} additive"] if tag else []) + ["exit"]

    def configuration(self):
        setup = self.setup
        lines = ["frr defaults traditional", *self.filters(setup.tag), "route-map NONE deny 10", "exit",
                 f"router bgp {AS}", f" bgp router-id {ADDRESS}", " no bgp ebgp-requires-policy",
                 " coalesce-time 0", " bgp route-map delay-timer 0", " bgp bestpath as-path multipath-relax"]
        family = [" address-family ipv4 unicast", f"  maximum-paths {max(setup.multipath, 1)}"]
        for peer in setup.peers:
            lines += [f" neighbor {peer.address} remote-as {peer.asn}", f" neighbor {peer.address} passive",
                      f" neighbor {peer.address} timers {peer.keepalive} {peer.hold}",
                      f" neighbor {peer.address} advertisement-interval 0"]
            family += [f"  neighbor {peer.address} next-hop-self",
                       f"  neighbor {peer.address} route-map {'IN' if peer.role == 'feed' else 'NONE'} in"]
            if peer.role != "sink":
                family.append(f"  neighbor {peer.address} route-map NONE out")
        return "\n".join(lines + family + [" exit-address-family"]) + "\n"

    def start(self):
        self.lab.write("frr.conf", self.configuration())
        zserv = self.lab.path("zserv.api")
        common = ["-u", "root", "-g", "root", "-z", zserv, "-P", "0", "--vty_socket", self.lab.dir, "--log", "stdout",
                  "--log-level", "warnings"]
        empty = self.lab.write("zebra.conf", "\n")
        self.lab.write("vtysh.conf", "username root nopassword\n")      # else it asks PAM
        self.spawn([peers.path("frr", "usr/lib/frr/zebra"), *common, "-f", empty, "-i", self.lab.path("zebra.pid")])
        # bgpd would try again only after seconds
        laboratory.wait_until(lambda: os.path.exists(zserv), 10, "zebra's socket")
        self.spawn([peers.path("frr", "usr/lib/frr/bgpd"), *common, "-f", self.lab.path("frr.conf"), "-i",
                    self.lab.path("bgpd.pid"), *([] if self.setup.fib else ["-n"])])

    def vtysh(self, *commands):
        words = [word for command in commands for word in ("-c", command)]
        return [peers.path("frr", "usr/bin/vtysh"), "--config_dir", self.lab.dir, "--vty_socket", self.lab.dir,
                "-d", "bgpd", *words]

    def show_protocols(self):
        return self.vtysh("show bgp summary")

    def change_filter(self, tag):
        self.client(self.vtysh("configure terminal", "route-map IN permit 10", f"set community 65000:{tag} additive"))
        self.client(self.vtysh("clear bgp ipv4 unicast * soft in"))


class Openbgpd(Daemon):
    name, title = "openbgpd", "OpenBGPD"
    slow = True
    fib = False             # Debian's package is built without it
    users = ["_openbgpd"]

    @classmethod
    def version(cls):
        return peers.version("openbgpd")

    def configuration(self):
        setup = self.setup
        lines = [f"AS {AS}", f"router-id {ADDRESS}", f"listen on {ADDRESS}", "fib-update no",
                 f'socket "{self.socket}"']
        for peer in setup.peers:
            lines += [f"neighbor {peer.address} {{", f"remote-as {peer.asn}", f"descr {peer.name}", "passive",
                      f"holdtime {peer.hold}", "set nexthop self", "}"]
        for peer in setup.peers:
            if peer.role == "feed":
                tag = f" set community 65000:{setup.tag}" if setup.tag else ""
                lines.append(f"allow from {peer.address}{tag}")
            if peer.role == "sink":
                lines.append(f"allow to {peer.address}")
        return "\n".join(lines) + "\n"

    def write(self):
        path = self.lab.write("openbgpd.conf", self.configuration())
        os.chmod(path, 0o600)
        return path

    def start(self):
        self.socket = self.lab.path("openbgpd.sock")
        self.spawn([peers.path("openbgpd", "usr/sbin/bgpd"), "-d", "-f", self.write()])

    def bgpctl(self, *words):
        return [peers.path("openbgpd", "usr/sbin/bgpctl"), "-s", self.socket, *words]

    def show_protocols(self):
        return self.bgpctl("show", "summary")

    def change_filter(self, tag):
        self.setup.tag = tag
        self.write()
        self.client(self.bgpctl("reload"))


class Gobgpd(Daemon):
    name, title = "gobgpd", "GoBGP"
    slow = True
    fib = False             # only through FRR's zebra
    reconfigures = False
    most_routes = 100000

    @classmethod
    def version(cls):
        return peers.version("gobgpd")

    def configuration(self):
        setup = self.setup
        lines = ["[global.config]", f"as = {AS}", f'router-id = "{ADDRESS}"', f'local-address-list = ["{ADDRESS}"]',
                 "[global.apply-policy.config]", 'export-policy-list = ["sinks"]',
                 'default-export-policy = "accept-route"', 'default-import-policy = "accept-route"']
        if setup.multipath > 1:
            lines += ["[global.use-multiple-paths.config]", "enabled = true"]
        deaf = [peer for peer in setup.peers if peer.role != "sink"]
        addresses = ", ".join(f'"{peer.address}/32"' for peer in deaf)
        lines += ["[[defined-sets.neighbor-sets]]", 'neighbor-set-name = "deaf"',
                  f"neighbor-info-list = [{addresses}]", "[[policy-definitions]]", 'name = "sinks"',
                  "[[policy-definitions.statements]]", 'name = "deaf"',
                  "[policy-definitions.statements.conditions.match-neighbor-set]", 'neighbor-set = "deaf"',
                  "[policy-definitions.statements.actions]", 'route-disposition = "reject-route"']
        for peer in setup.peers:
            lines += ["[[neighbors]]", "[neighbors.config]", f'neighbor-address = "{peer.address}"',
                      f"peer-as = {peer.asn}", "[neighbors.transport.config]", "passive-mode = true",
                      "[neighbors.timers.config]", f"hold-time = {peer.hold}", f"keepalive-interval = {peer.keepalive}"]
        return "\n".join(lines) + "\n"

    def start(self):
        conf = self.lab.write("gobgpd.toml", self.configuration())
        self.spawn([peers.path("gobgpd", "usr/bin/gobgpd"), "-f", conf, "--log-plain", "--log-level", "warn",
                    "--pprof-disable"])

    def show_protocols(self):
        return ["ip", "netns", "exec", self.gateway.name, peers.path("gobgpd", "usr/bin/gobgp"), "neighbor"]


ALL = [Bird, Mcbgpd, Frr, Openbgpd, Gobgpd]
