# SPDX-License-Identifier: BSD-2-Clause
"""What ./demo shows: the two clusters of clusters.py with mcbgpd on the gateways."""

import argparse
import signal
import sys
import time

from clusters import MCBGPC, TwoClusters
from lab import Lab

PICTURE = """
  cluster 1                                                                      cluster 2

  pod {p0:<12} -- node {n0:<12} --+                       +-- node {n2:<12} -- pod {p2}
                                        +-- gw1 ==VXLAN== gw2 --+
  pod {p1:<12} -- node {n1:<12} --+                       +-- node {n3:<12} -- pod {p3}

  pods {pods1:<16} services {sv1:<28}     pods {pods2:<16} services {sv2}
  nodes AS {a1}, gateway AS {g1:<32}     nodes AS {a2}, gateway AS {g2}
  nodes run BIRD {bird} as Calico does, gateways run mcbgpd
"""


class Demo:
    def __init__(self, topology):
        self.topology = topology
        self.failed = []

    def picture(self):
        one, two = self.topology.clusters
        nodes = self.topology.nodes
        print(PICTURE.format(pods1=one.pods, sv1=one.services, pods2=two.pods, sv2=two.services,
                             a1=one.node_as, a2=two.node_as, g1=one.gateway_as, g2=two.gateway_as,
                             bird={1: "1.6", 2: "2"}[nodes[0].bird],
                             **{f"n{i}": n.address for i, n in enumerate(nodes)},
                             **{f"p{i}": n.pod_address for i, n in enumerate(nodes)}))

    def show(self, title, done):
        print(f"\n--- {title}")
        print((done.stdout or done.stderr).rstrip() or "(nothing)")
        if done.returncode:
            self.failed.append(title)

    def client(self, gateway, *words):
        self.show(f"{gateway.name}: mcbgpc {' '.join(words)}", gateway.mcbgpc(*words))

    def kernel(self, gateway, *words):
        self.show(f"{gateway.name}: {' '.join(words)}", gateway.namespace.run(*words))

    def ping(self):
        print("\n--- pods of one cluster reach pods and services of the other")
        for pod, address, words in self.topology.journeys():
            reached = pod.ping(address, count=2)
            print(f"  {'ok    ' if reached else 'FAILED'}  {words}")
            if not reached:
                self.failed.append(words)

    def tell(self):
        first, second = self.topology.gateways
        for gateway in (first, second):
            self.client(gateway, "show", "protocols")
        self.client(first, "show", "route")
        for gateway in (first, second):
            self.client(gateway, "show", "tunnels")
            self.kernel(gateway, "ip", "route", "show", "proto", "178")
        self.kernel(first, "ip", "nexthop")
        services = self.topology.clusters[0].services
        hops = first.namespace.next_hops(services)
        print(f"\nEvery node announces {services}; gw1 spreads its flows over {', '.join(sorted(hops)) or 'NOTHING'}.")
        if hops != {n.address for n in self.topology.clusters[0].nodes}:
            self.failed.append(f"ECMP for {services}")
        self.ping()


def keep_standing(topology):
    first = topology.gateways[0]
    print(f"\nEverything stays up until you press Enter. To look around, in another terminal:\n"
          f"  {MCBGPC} -s {first.socket} show route all\n"
          f"  ip netns exec {first.namespace.name} ip route\n"
          f"  ip netns exec {topology.nodes[0].pod.name} ping {topology.clusters[1].service}\n"
          f"Logs and configurations are in {topology.lab.dir}.")
    try:
        input()
    except EOFError:
        signal.pause()


def main():
    parser = argparse.ArgumentParser(prog="./demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything standing to look around")
    parser.add_argument("--ibgp", action="store_true", help="both gateways in one AS")
    parser.add_argument("--bird", type=int, choices=(1, 2), default=2, help="the nodes' BIRD (1: 1.6)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    begun = time.monotonic()
    with Lab() as lab:
        demo = Demo(TwoClusters(lab, bird=options.bird, ibgp=options.ibgp))
        demo.picture()
        try:
            demo.topology.start()
            demo.topology.ready()
        except AssertionError as error:
            print(f"{lab.logs()}\n\ndemo: FAILED: {error}", file=sys.stderr)
            return 1
        demo.tell()
        if options.keep:
            keep_standing(demo.topology)
    if demo.failed:
        print("\ndemo: FAILED: " + "; ".join(demo.failed), file=sys.stderr)
        return 1
    print(f"\nAll of it worked, in {time.monotonic() - begun:.0f} s after the build, and everything is cleaned up.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
