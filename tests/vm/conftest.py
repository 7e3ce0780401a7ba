# SPDX-License-Identifier: BSD-2-Clause
"""Tests that need another kernel, run inside the guest of tests/vm/run; the lab is that of tests/net."""

import os
import sys

import pytest

NET = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "net")
sys.path.insert(0, NET)

from lab import Lab  # noqa: E402


def pytest_collection_modifyitems(items):
    if os.environ.get("MCBGP_GUEST") != "1":
        pytest.exit("these tests change the whole machine: run them by tests/vm/run", 2)


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


def labs(build):
    """@build(lab), taken down at the end; daemons must end in order."""
    with Lab() as lab:
        yield build(lab)
        wrong = lab.finish()
        assert not wrong, "\n".join(wrong)


@pytest.fixture
def lab():
    yield from labs(lambda lab: lab)
