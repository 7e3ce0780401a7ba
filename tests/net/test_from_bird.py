# SPDX-License-Identifier: BSD-2-Clause
"""doc/from-bird.md: both configurations are right, the settings are there, the commands do on both sides."""

import os
import re
import subprocess

import changes
import control
import pytest
from clusters import BIRD, MCBGPD, ROOT, Gateway
from lab import veth, wait_until

with open(os.path.join(ROOT, "doc/from-bird.md"), encoding="utf-8") as page:
    PAGE = page.read()
THEIRS, OURS = (re.search(rf"^{who}:\n\n```\w*\n(.*?)^```$", PAGE, re.M | re.S)[1] for who in ("BIRD", "mcbgpd"))
SETTINGS, COMMANDS = PAGE.split("\n## Commands\n")
ENDS = ("graceful restart", "down")     # of the daemon: known, and not tried


def rows(text):
    """The cells of every table, without its head."""
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| BIRD") and not line.startswith("| birdc"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_both_configurations_are_right(tmp_path):
    (tmp_path / "bird.conf").write_text(THEIRS)
    (tmp_path / "mcbgpd.conf").write_text(OURS)
    done = subprocess.run([BIRD[2], "-p", "-c", tmp_path / "bird.conf"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run([MCBGPD, "-t", "-c", tmp_path / "mcbgpd.conf"], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_setting_that_is_named_is_one():
    built = set(changes.manual())
    named = [name for _, ours, _ in rows(SETTINGS.split("## Settings")[1]) for name in re.findall(r"`([^`]+)`", ours)]
    assert len(named) > 60
    assert [name for name in named if name not in built and name not in ("prefix_sets.NAME", "@include")] == []


@pytest.fixture(scope="module")
def both():
    """The configurations of the page, running, but for addresses that a lab has not."""
    from conftest import _labs

    def build(lab):
        box, far = lab.namespace("gateway"), lab.namespace("far")
        veth(box, "eth0", far, "eth0")
        box.ip("addr add 192.168.1.10/24 dev eth0", "addr add 192.168.234.1/24 dev eth0")
        far.ip("addr add 192.168.1.11/24 dev eth0")
        path = lab.write("bird.conf", THEIRS)
        far.spawn("bird", [BIRD[2], "-f", "-c", path, "-s", lab.path("bird.ctl")])
        gateway = Gateway(lab, "gateway", box, OURS)
        gateway.start()
        gateway.bird = lab.path("bird.ctl")
        wait_until(lambda: os.path.exists(gateway.bird), 10, "BIRD's socket")
        return gateway
    yield from _labs(build)


def known(reply):
    """Not refused for what was said: that there is nothing to do or to show is an answer."""
    return reply.code < 9000 and reply.code != 8003


@pytest.mark.parametrize("theirs,ours", [row[:2] for row in rows(COMMANDS)], ids=lambda cell: cell.strip("`") or "-")
def test_command(both, theirs, ours):
    theirs, ours = theirs.strip("`"), ours.strip("`")
    if ours in ENDS:
        assert ours in both.ask("help").text
        return
    assert known(both.ask(ours)), ours
    if theirs and theirs not in ("eval", "show static"):
        assert known(both.ask(theirs)), theirs          # birdc, on our socket
    if theirs and theirs != "eval":
        assert "syntax error" not in control.ask(both.bird, theirs).text, theirs
