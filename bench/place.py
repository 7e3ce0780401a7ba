# SPDX-License-Identifier: BSD-2-Clause
"""Where things are, and the network tests' laboratory under this folder's own prefix of namespaces."""

import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("MCBGP_BUILD", os.path.join(TOP, "build/bench"))
PEERS = os.environ.get("MCBGP_BENCH_PEERS", os.path.join(TOP, "build/bench-peers"))

os.environ.setdefault("MCBGP_LAB_PREFIX", "bench")
sys.path.insert(0, os.path.join(TOP, "tests/net"))
import lab as laboratory  # noqa: E402, F401
