# SPDX-License-Identifier: BSD-2-Clause
"""One rig a speaker, shared by all subjects; and what became of each, for the table."""

import pytest

from conftest import _labs

from . import ROUTERS
from .rig import Rig
from .table import Outcomes

OUTCOMES = pytest.StashKey()


def pytest_configure(config):
    config.stash[OUTCOMES] = Outcomes()


@pytest.fixture(scope="session")
def outcomes(request):
    return request.config.stash[OUTCOMES]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    subject = getattr(getattr(item, "function", None), "subject", None)
    if subject and (call.when == "call" or report.failed):
        router = item.callspec.params["rig"]
        lack = router.lacks.get(item.originalname)
        outcome = None if report.failed else lack.reason if lack else "proven"
        item.config.stash[OUTCOMES].note(subject, router.title, outcome)


def _rig(lab, router):
    rig = Rig(lab, router)
    try:
        rig.start()
    except BaseException:
        print(lab.logs())       # there is no fixture yet that could be asked
        raise
    return rig


@pytest.fixture(scope="module", params=ROUTERS, ids=lambda router: router.title.replace(" ", ""))
def rig(request):
    for rig in _labs(lambda lab: _rig(lab, request.param)):
        yield rig
        rig.close()
