# SPDX-License-Identifier: BSD-2-Clause
"""Two clusters whose gateways run what conf/examples has for them; in tests/net, and in tests/vm on another kernel."""

import os
import re

from clusters import ROOT, TwoClusters


def example(name):
    with open(os.path.join(ROOT, "conf/examples", name), encoding="utf-8") as file:
        return file.read()


def two_clusters(lab, kind, edit=lambda index, text: text, nodes=2):
    """Up, with KIND-gateway1.conf and KIND-gateway2.conf; @edit puts in what a test must choose, such as keys."""
    topology = TwoClusters(lab, nodes=nodes)
    for cluster in topology.clusters:
        text = edit(cluster.index, example(f"{kind}-gateway{cluster.index}.conf"))
        cluster.gateway_as = int(re.search(r"^\tas = (\d+);", text, re.M)[1])
        cluster.gateway.configure(text)
    topology.start()
    topology.ready(90)
    return topology


def unreached(topology):
    """Journeys that do not arrive, in words."""
    return [words for pod, address, words in topology.journeys() if not pod.ping(address, count=2)]
