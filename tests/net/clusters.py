# SPDX-License-Identifier: BSD-2-Clause
"""Two Calico clusters joined by two gateways: the topology of ./demo and of the network tests.

    pod --- node1 --+                                                   +-- node1 --- pod
                    +-- LAN 1 -- gateway1 ==VXLAN== gateway2 -- LAN 2 --+
    pod --- node2 --+                                                   +-- node2 --- pod

Every box is a network namespace.  A node is set up as Calico does it - a veth a pod, the pod's /32, the node's
block as blackhole - and runs BIRD as Calico runs it: it dials the gateway's port 179, listens on 178 itself,
keeps next hops, offers ADD-PATH and graceful restart, and every node announces the blocks of all nodes (from
the mesh between them) and the whole service CIDR.  The service address sits on each node's lo, where kube-proxy
would take over.  Which BIRD - 2, or 1.6 as in Calico's own images - is a parameter; so is what runs on the
gateways: mcbgpd, or BIRD 2 with a tunnel made by hand, which proves the topology itself.
"""

import os
import signal
import subprocess

import control
from lab import veth, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.environ.get("MCBGP_BUILD", os.path.join(ROOT, "build")))
MCBGPD = os.path.join(BUILD, "src/mcbgpd")
MCBGPC = os.path.join(BUILD, "src/mcbgpc")
# Unpacked by tests/install-packages, not installed: both are /usr/sbin/bird, and neither should run here.
PEERS = os.environ.get("MCBGP_PEERS", os.path.join(ROOT, "build/peers"))
BIRD = {1: os.path.join(PEERS, "bird/usr/sbin/bird"), 2: os.path.join(PEERS, "bird2/usr/sbin/bird")}
BIRDC = os.path.join(PEERS, "bird2/usr/sbin/birdc")

HOLD_TIME = 9           # of every session of a gateway: the bound for noticing a silent death
LISTEN_PORT = 178       # Calico's listenPort


class Cluster:
    """The numbers of cluster 1 or 2, and its boxes once they are built."""

    def __init__(self, index, gateway_as):
        self.index = index
        self.node_as = 60012 + 1000 * index
        self.gateway_as = gateway_as
        self.lan = f"192.168.{index}.0/24"
        self.gateway_address = f"192.168.{index}.10"
        self.underlay = f"203.0.113.{index}"
        self.tunnel = f"192.168.234.{index}"
        self.pods = f"10.232.{64 * (index - 1)}.0/18"
        self.services = f"10.{95 + index}.0.0/16"
        self.service = f"10.{95 + index}.0.10"
        self.nodes = []
        self.gateway = None
        self.other = None


class Node:
    """A Kubernetes node with one pod."""

    def __init__(self, lab, cluster, index, bird):
        self.cluster = cluster
        self.index = index
        self.bird = bird
        self.name = f"c{cluster.index}-node{index}"
        self.address = f"192.168.{cluster.index}.{10 + index}"
        first = f"10.232.{64 * (cluster.index - 1)}"
        self.block = f"{first}.{64 * index}/26"
        self.pod_address = f"{first}.{64 * index + 2}"
        self.lab = lab
        self.namespace = lab.namespace(self.name)
        self.pod = lab.namespace(f"c{cluster.index}-pod{index}")
        self.process = None

    def wire(self, bridge):
        veth(self.namespace, "eth0", bridge, f"node{self.index}")
        veth(self.pod, "eth0", self.namespace, "cali0")
        bridge.ip(f"link set node{self.index} master br0")
        self.namespace.sysctl("ipv4.ip_forward", 1)
        for interface in ("all", "default", "eth0", "cali0"):
            self.namespace.sysctl(f"ipv4.conf.{interface}.rp_filter", 0)
        self.namespace.ip(f"addr add {self.address}/24 dev eth0",
                          "addr add 169.254.1.1/32 dev cali0",
                          f"addr add {self.cluster.service}/32 dev lo",
                          f"route add {self.pod_address}/32 dev cali0 scope link",
                          f"route add blackhole {self.block} proto 80")
        self.pod.ip(f"addr add {self.pod_address}/32 dev eth0",
                    "route add 169.254.1.1 dev eth0 scope link",
                    "route add default via 169.254.1.1 dev eth0")

    @property
    def socket(self):
        return self.lab.path(self.name + ".ctl")

    def start(self):
        text = {1: bird1_node, 2: bird2_node}[self.bird](self)
        path = self.lab.write(self.name + ".conf", text)
        self.process = self.namespace.spawn(self.name, [BIRD[self.bird], "-f", "-c", path, "-s", self.socket])

    def stop(self):
        self.process.stop()

    def fail(self):
        """Silent death: the cable is out, no FIN, no NOTIFICATION."""
        self.namespace.ip("link set eth0 down")

    def recover(self):
        self.namespace.ip("link set eth0 up")

    def gateway_session(self):
        return control.protocols(self.socket).get("uplink", {})


def _mesh(node, form):
    return "\n".join(form.format(i=peer.index, a=peer.address, n=node.cluster.node_as,
                                 passive="on" if peer.address > node.address else "off")
                     for peer in node.cluster.nodes if peer is not node)


def _export_filter(cluster):
    """Calico re-exports what lies in its own pools, and its services: never what the gateway taught it."""
    return (f"filter to_peers {{\n\tif net ~ [ {cluster.pods}+ ] then accept;\n"
            f"\tif net ~ [ {cluster.services} ] then accept;\n\treject;\n}}\n"
            "filter to_kernel {\n"
            f"\tif net ~ [ {cluster.services} ] then reject;\n"
            "\tif source = RTS_BGP then accept;\n\treject;\n}\n")


def bird1_node(node):
    """BIRD 1.6 as calico/node generates it, less what concerns IP-in-IP."""
    c = node.cluster
    return f"""
log stderr all;
router id {node.address};
listen bgp address {node.address} port {LISTEN_PORT};
{_export_filter(c)}
protocol device {{ scan time 2; }}
protocol direct {{ interface -"cali*", -"lo", "*"; }}
protocol static {{
	route {node.block} blackhole;
	route {c.services} blackhole;
}}
protocol kernel {{
	persist; scan time 10; import none; export filter to_kernel;
	graceful restart; merge paths on;
}}
template bgp calico {{
	local as {c.node_as};
	multihop; gateway recursive; next hop keep;
	source address {node.address};
	import all; export filter to_peers;
	add paths on; graceful restart;
	connect delay time 2; connect retry time 5; error wait time 5,30;
}}
protocol bgp uplink from calico {{ neighbor {c.gateway_address} as {c.gateway_as}; }}
""" + _mesh(node, "protocol bgp mesh{i} from calico {{ neighbor {a} port 178 as {n}; passive {passive}; }}")


def bird2_node(node):
    c = node.cluster
    return f"""
log stderr all;
router id {node.address};
{_export_filter(c)}
protocol device {{ scan time 2; }}
protocol direct {{ ipv4; interface -"cali*", -"lo", "*"; }}
protocol static {{
	ipv4;
	route {node.block} blackhole;
	route {c.services} blackhole;
}}
protocol kernel {{
	persist; scan time 10; graceful restart; merge paths on;
	ipv4 {{ import none; export filter to_kernel; }};
}}
template bgp calico {{
	local {node.address} port {LISTEN_PORT} as {c.node_as};
	multihop; graceful restart;
	connect delay time 2; connect retry time 5; error wait time 5,30;
	ipv4 {{
		import all; export filter to_peers;
		next hop keep; gateway recursive; add paths on;
	}};
}}
protocol bgp uplink from calico {{ neighbor {c.gateway_address} as {c.gateway_as}; }}
""" + _mesh(node, "protocol bgp mesh{i} from calico {{ neighbor {a} port 178 as {n}; passive {passive}; }}")


def mcbgpd_conf(cluster, peers=None, extra=""):
    """mcbgpd.conf of a cluster's gateway; @peers replaces the node peers, @extra is appended."""
    c, o = cluster, cluster.other
    if peers is None and c.index == 1:
        peers = f'{{ name = "nodes"; range = "{c.lan}"; group = "calico"; max_peers = 200; }}'
    elif peers is None:
        peers = ",\n          ".join(f'{{ name = "node{n.index}"; address = "{n.address}"; group = "calico"; }}'
                                     for n in c.nodes)
    return f"""# gateway of cluster {c.index}
router = {{
  id = "{c.tunnel}";
  as = {c.gateway_as};
  listen = ( {{ address = "{c.gateway_address}"; port = 179; }},    # where the nodes dial
             {{ address = "{c.gateway_address}"; port = 178; }},    # and where "peerIP: ...:178" would send them
             {{ address = "{c.tunnel}"; port = 179; }} );     # the opposite gateway
}};

log = {{ level = "info"; target = "stderr"; }};

host = {{ ip_forward = true; multipath_hash = "l4"; multipath_use_neigh = true; rp_filter = "off"; }};

tunnels = (
  {{ name = "vxlan-eth0"; type = "vxlan"; vni = 101; port = 4789;
    local = "{c.underlay}"; remote = "{o.underlay}"; ttl = 255; mtu = 1450;
    addresses = [ "{c.tunnel}/24" ]; }}
);

prefix_sets = {{
  pods     = [ "{c.pods}+" ];
  services = [ "{c.services}", "{c.services}{{32,32}}" ];
  lan      = [ "{c.lan}" ];
}};

filters = {{
  tunnel_export = (
    {{ match = {{ prefix = [ "pods", "services", "lan" ]; }};
      set = {{ med = 100; local_pref = 300; add_community = [ "65000:1" ]; }};
      action = "accept"; }}
  );
  tunnel_import = (
    {{ match = {{ community = [ "65000:1" ]; }}; set = {{ local_pref = 500; }}; action = "accept"; }},
    {{ set = {{ local_pref = 50; }}; action = "accept"; }}
  );
  ecmp = ( {{ set = {{ med = 100; local_pref = 300; }}; action = "accept"; }} );
}};

peer_groups = {{
  calico = {{ remote_as = {c.node_as}; port = {LISTEN_PORT}; passive = true; next_hop_self = true;
             hold_time = {HOLD_TIME}; keepalive = {HOLD_TIME // 3};
             import = "ecmp"; export = "ecmp"; max_prefix = 5000; }};
}};

peers = ( {{ name = "gateway{o.index}"; address = "{o.tunnel}"; local_address = "{c.tunnel}";
            remote_as = {o.gateway_as}; next_hop_self = true; hold_time = {HOLD_TIME}; keepalive = {HOLD_TIME // 3};
            import = "tunnel_import"; export = "tunnel_export"; }},
          {peers} );

static = ( {{ prefix = "{c.lan}"; interface = "eth0"; }} );

kernel = {{ export = "all"; table = 254; metric = 32; protocol = 178; multipath = 16; }};
{extra}"""


class Gateway:
    """mcbgpd in a namespace, with a configuration of its own; the cluster's gateway or any other."""

    def __init__(self, lab, name, namespace=None, conf=""):
        self.lab = lab
        self.name = name
        self.namespace = namespace or lab.namespace(name)
        self.conf_path = lab.path(name + ".conf")
        self.socket = lab.path(name + ".ctl")
        self.process = None
        self.configure(conf)

    def configure(self, text):
        self.lab.write(self.name + ".conf", text)

    def start(self, wait=True):
        self.process = self.namespace.spawn(self.name, [MCBGPD, "-f", "-c", self.conf_path, "-s", self.socket])
        self.process.orderly = True
        if wait:
            wait_until(self.answers, 15, f"{self.name} answers on its socket")

    def answers(self):
        if not self.process.alive():
            raise AssertionError(f"{self.name} ended with {self.process.child.returncode}:\n{self.process.log()}")
        try:
            return control.ask(self.socket, "show status").code == 13
        except (OSError, ConnectionError):
            return False

    def stop(self):
        """In order.  A sanitizer's finding ends it with another status."""
        return self.process.stop(signal.SIGTERM)

    def kill(self):
        self.process.orderly = False
        return self.process.stop(signal.SIGKILL)

    def reload(self):
        self.process.send(signal.SIGHUP)

    def ask(self, command):
        return control.ask(self.socket, command)

    def mcbgpc(self, *words):
        return subprocess.run([MCBGPC, "-s", self.socket, *words],
                              capture_output=True, text=True, timeout=30)

    def protocols(self):
        return control.protocols(self.socket)

    def established(self):
        return control.established(self.socket)

    def has_route(self, prefix):
        return self.ask(f"show route {prefix}").code != 8001


class BirdGateway(Gateway):
    """BIRD 2 and a hand-made tunnel in mcbgpd's place: what fails here is the lab's own fault."""

    def __init__(self, lab, name, namespace, cluster):
        self.cluster = cluster
        super().__init__(lab, name, namespace, _bird_gateway(cluster))

    def start(self, wait=True):
        c = self.cluster
        if not self.namespace.link("vxlan-eth0"):
            self.namespace.ip(f"link add vxlan-eth0 mtu 1450 type vxlan id 101 dstport 4789 ttl 255 "
                              f"local {c.underlay} remote {c.other.underlay}",
                              f"addr add {c.tunnel}/24 dev vxlan-eth0", "link set vxlan-eth0 up")
        self.namespace.sysctl("ipv4.ip_forward", 1)
        for interface in ("all", "default", "eth0", "wan0", "vxlan-eth0"):
            self.namespace.sysctl(f"ipv4.conf.{interface}.rp_filter", 0)
        self.process = self.namespace.spawn(self.name, [BIRD[2], "-f", "-c", self.conf_path, "-s", self.socket])
        if wait:
            wait_until(self.answers, 15, f"{self.name} answers on its socket")


def _bird_gateway(c):
    nodes = "\n".join(f"protocol bgp node{n.index} from gate {{ neighbor {n.address} port {LISTEN_PORT} as {c.node_as};"
                      f" local {c.gateway_address} as {c.gateway_as}; passive on; }}" for n in c.nodes)
    return f"""
log stderr all;
router id {c.tunnel};
protocol device {{ scan time 2; }}
protocol direct {{ ipv4; interface "eth0", "vxlan-eth0"; }}
protocol kernel {{ kernel table 254; metric 32; merge paths on; ipv4 {{ import none; export where source = RTS_BGP; }}; }}
template bgp gate {{
	hold time {HOLD_TIME}; connect delay time 1; error wait time 1,5;
	ipv4 {{ import all; export all; next hop self; }};
}}
protocol bgp gateway{c.other.index} from gate {{
	local {c.tunnel} as {c.gateway_as}; neighbor {c.other.tunnel} as {c.other.gateway_as};
}}
{nodes}
"""


class TwoClusters:
    """Builds everything; start() brings the daemons up, ready() waits until routes are where they belong."""

    def __init__(self, lab, bird=2, ibgp=False, gateway="mcbgpd", nodes=2):
        self.lab = lab
        self.clusters = [Cluster(1, 61113), Cluster(2, 61113 if ibgp else 61213)]
        first, second = self.clusters
        first.other, second.other = second, first
        boxes = [lab.namespace(f"gateway{c.index}") for c in self.clusters]
        veth(boxes[0], "wan0", boxes[1], "wan0")
        for cluster, box in zip(self.clusters, boxes):
            self._build(cluster, box, nodes, bird)
        for cluster, box in zip(self.clusters, boxes):
            if gateway == "mcbgpd":
                cluster.gateway = Gateway(lab, box.short, box, mcbgpd_conf(cluster))
            else:
                cluster.gateway = BirdGateway(lab, box.short, box, cluster)

    def _build(self, cluster, box, nodes, bird):
        lan = self.lab.namespace(f"lan{cluster.index}")
        lan.ip("link add br0 type bridge forward_delay 0", "link set br0 up")
        veth(box, "eth0", lan, "gateway")
        lan.ip("link set gateway master br0")
        box.ip(f"addr add {cluster.gateway_address}/24 dev eth0", f"addr add {cluster.underlay}/24 dev wan0")
        cluster.lan_namespace = lan
        for index in range(1, nodes + 1):
            node = Node(self.lab, cluster, index, bird)
            node.wire(lan)
            cluster.nodes.append(node)

    @property
    def gateways(self):
        return [c.gateway for c in self.clusters]

    @property
    def nodes(self):
        return [n for c in self.clusters for n in c.nodes]

    def start(self):
        for gateway in self.gateways:
            gateway.start()
        for node in self.nodes:
            node.start()

    def ready(self, timeout=60, sessions=None):
        """Every session up, every route of the other cluster in every node's kernel."""
        for cluster in self.clusters:
            want = sessions or 1 + len(cluster.nodes)
            wait_until(lambda g=cluster.gateway: len(g.established()) == want, timeout,
                       f"{cluster.gateway.name}: {want} sessions Established")
        for node in self.nodes:
            other = node.cluster.other
            wanted = {other.services, *(n.block for n in other.nodes)}
            wait_until(lambda n=node: wanted <= {r["dst"] for r in n.namespace.routes()}, timeout,
                       f"{node.name} has the routes of cluster {other.index}")

    def journeys(self):
        """What must reach what: (from a pod's namespace, to an address, in words)."""
        for cluster in self.clusters:
            for source in cluster.nodes:
                for target in cluster.other.nodes:
                    yield (source.pod, target.pod_address,
                           f"pod {source.pod_address} -> pod {target.pod_address}")
                yield (source.pod, cluster.other.service,
                       f"pod {source.pod_address} -> service {cluster.other.service}")
