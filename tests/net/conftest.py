# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures: a lab that is always taken down, and that tells what its daemons said when a test fails."""

import os
import signal
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from clusters import Gateway, TwoClusters  # noqa: E402
from lab import Lab, veth                  # noqa: E402


def pytest_configure(config):
    # A test run that is told to end takes its namespaces along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    for name, value in getattr(item, "funcargs", {}).items():
        lab = getattr(value, "lab", value)
        if isinstance(lab, Lab) and lab.processes:
            report.sections.append((f"logs of {name}", lab.logs()))


def _labs(build):
    with Lab() as lab:
        yield build(lab)
        wrong = lab.finish()
        assert not wrong, "\n".join(wrong)


@pytest.fixture
def lab():
    yield from _labs(lambda lab: lab)


VARIANTS = {"bird2-ebgp": (2, False), "bird1-ebgp": (1, False), "bird2-ibgp": (2, True), "bird1-ibgp": (1, True)}


def _two_clusters(lab, bird, ibgp):
    topology = TwoClusters(lab, bird=bird, ibgp=ibgp)
    topology.start()
    topology.ready()
    return topology


@pytest.fixture(scope="module", params=VARIANTS.values(), ids=VARIANTS.keys())
def every_two_clusters(request):
    """Up and converged, once for each BIRD and each relation of the gateways."""
    yield from _labs(lambda lab: _two_clusters(lab, *request.param))


@pytest.fixture(scope="module")
def two_clusters():
    """Up and converged; shared by a module whose tests put back what they break."""
    yield from _labs(lambda lab: _two_clusters(lab, 2, False))


class Lan:
    """One gateway, 10.0.0.1, AS 65000, and a LAN on which scripted peers sit at 10.0.0.2 to .250."""

    ADDRESS = "10.0.0.1"
    AS = 65000
    RECEIVER = "10.0.0.200"     # AS 65002, a peer of its own
    PEERS = """
      { name = "receiver"; address = "10.0.0.200"; remote_as = 65002; group = "lan"; },
      { name = "lan"; range = "10.0.0.0/24"; remote_as = 65001; group = "lan"; max_peers = 250; }
    """

    def __init__(self, lab, peers=PEERS, more=""):
        self.lab = lab
        box = lab.namespace("gateway")
        self.lan = lab.namespace("lan")
        veth(box, "eth0", self.lan, "eth0")
        box.ip(f"addr add {self.ADDRESS}/24 dev eth0", "addr add 10.0.9.1/24 dev eth0")
        self.lan.ip(*[f"addr add 10.0.0.{host}/24 dev eth0" for host in range(2, 251)],
                    "addr add 10.0.9.2/24 dev eth0")
        self.gateway = Gateway(lab, "gateway", box, self.conf(peers, more))

    @classmethod
    def conf(cls, peers=PEERS, more=""):
        return f"""
router = {{ id = "{cls.ADDRESS}"; as = {cls.AS}; listen = ( {{ address = "0.0.0.0"; port = 179; }} ); }};
log = {{ level = "debug"; }};
peer_groups = {{ lan = {{ passive = true; hold_time = 90; import = "all"; export = "all"; }}; }};
peers = ( {peers} );
kernel = {{ export = "all"; }};
{more}"""


@pytest.fixture
def lan(lab):
    """Not started: a test may want a configuration of its own first."""
    return Lan(lab)


@pytest.fixture(scope="module")
def busy_lan():
    """Started, and shared by tests that each take an address of their own."""
    def build(lab):
        lan = Lan(lab)
        lan.gateway.start()
        lan.hosts = iter(range(2, 199))
        return lan
    yield from _labs(build)
