# SPDX-License-Identifier: BSD-2-Clause
"""mcbgpd against the BGP speakers of others, subject by subject: test_speakers.py; what came of it: doc/interop.md."""

from .bird import Bird1, Bird2
from .exabgp import Exabgp
from .frr import Frr
from .gobgp import Gobgp
from .openbgpd import Openbgpd

ROUTERS = [Bird2, Bird1, Frr, Openbgpd, Gobgp, Exabgp]
