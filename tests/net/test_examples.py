# SPDX-License-Identifier: BSD-2-Clause
"""The configurations in conf/examples: all are taken, those of two clusters over VXLAN do what they say."""

import os
import subprocess

import examples
import pytest
from clusters import MCBGPD, ROOT
from conftest import _labs

FOLDER = os.path.join(ROOT, "conf/examples")
# What an operator is promised an example of, and its files.
WANTED = {
    "two clusters over VXLAN": ["ebgp-gateway1", "ebgp-gateway2", "ibgp-gateway1", "ibgp-gateway2"],
    "over WireGuard": ["wireguard-gateway1", "wireguard-gateway2", "wireguard-spread"],
    "over GRE": ["gre-gateway1", "gre-gateway2"],
    "three clusters": ["three-clusters-gateway1", "three-clusters-gateway2", "three-clusters-gateway3", "wireguard-mesh"],
    "two gateways a cluster with ECMP": ["ecmp-gateway1a", "ecmp-gateway1b", "ecmp-gateway2a", "ecmp-gateway2b"],
    "path isolation": ["path-isolation"],
    "priorities": ["priorities"],
    "clients without tunnels": ["clients-gateway", "client"],
    "dual stack": ["dual-stack-gateway1", "dual-stack-gateway2"],
}


@pytest.mark.parametrize("files", WANTED.values(), ids=WANTED.keys())
def test_is_there_and_is_taken(files):
    for name in files:
        done = subprocess.run([MCBGPD, "-t", "-c", os.path.join(FOLDER, name + ".conf")],
                              capture_output=True, text=True, timeout=20)
        assert (done.returncode, done.stderr) == (0, "")


def test_every_file_is_one_of_them():
    assert {name for name in os.listdir(FOLDER)} == {f"{name}.conf" for files in WANTED.values() for name in files}


@pytest.fixture(params=["ebgp", "ibgp", "dual-stack"])
def clusters(request):
    yield from _labs(lambda lab: examples.two_clusters(lab, request.param))


def test_two_clusters_over_vxlan(clusters):
    assert examples.unreached(clusters) == []
    for cluster in clusters.clusters:
        assert cluster.gateway.namespace.link("vxlan-eth0")["mtu"] == 1450
