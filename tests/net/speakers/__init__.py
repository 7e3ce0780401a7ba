# SPDX-License-Identifier: BSD-2-Clause
"""mcbgpd against the BGP speakers of others, subject by subject: test_speakers.py; what came of it: doc/interop.md."""

from .bird import Bird2

ROUTERS = [Bird2]
