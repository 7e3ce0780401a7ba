# SPDX-License-Identifier: BSD-2-Clause
"""conf/examples for two clusters over WireGuard and over GRE, as they are but for the keys."""

import re

import examples
import pytest
import wireguard
from conftest import labs


def with_keys(lab):
    """Puts keys of this run in the place of those in the files."""
    keys = {i: wireguard.key(lab, f"gateway{i}") for i in (1, 2)}
    shared = wireguard.psk(lab, "tunnel")

    def edit(index, text):
        text = text.replace('"/etc/mcbgpd/wg0.key"', f'"{keys[index][0]}"').replace('"/etc/mcbgpd/wg0.psk"', f'"{shared}"')
        return re.sub(r'public_key = "[^"]*"', f'public_key = "{keys[3 - index][1]}"', text)
    return edit


@pytest.fixture(scope="module", params=["wireguard", "gre"])
def clusters(request):
    def build(lab):
        return examples.two_clusters(lab, request.param, with_keys(lab), nodes=1)
    yield from labs(build)


def test_pods_and_services_are_reached_both_ways(clusters):
    assert examples.unreached(clusters) == []
