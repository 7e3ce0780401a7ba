# SPDX-License-Identifier: BSD-2-Clause
"""doc/interop.md says what has been proven, no more and no less.  To be run after test_speakers.py."""

from . import ROUTERS
from .table import COMMITTED, GENERATED
from .test_speakers import SUBJECTS


def test_table_is_what_was_proven(outcomes):
    speakers = {router.title: f"{router.product} {router.version()}" for router in ROUTERS}
    text = outcomes.markdown(SUBJECTS, speakers)
    with open(GENERATED, "w") as file:
        file.write(text)
    missing = outcomes.missing(SUBJECTS, speakers)
    assert not missing, "not proven with this mcbgpd: " + ", ".join(missing)
    with open(COMMITTED) as file:
        assert file.read() == text, f"{COMMITTED} is of another run: copy {GENERATED} over it"
