# SPDX-License-Identifier: BSD-2-Clause
"""mcbgpc at a terminal: line editing, TAB, `?`, history that outlives it, a monitor that Enter ends."""

import contextlib
import os
import pty
import re
import select
import signal
import stat
import subprocess
import time

import pytest

from clusters import MCBGPC

UP = "\x1b[A"


class Terminal:
    """mcbgpc with a terminal of its own; what it prints is read as it comes."""

    def __init__(self, gateway, state, *options):
        ours, theirs = pty.openpty()
        self.fd = ours
        self.child = subprocess.Popen(
            [MCBGPC, *options, "-s", gateway.socket], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),     # who runs in the background ignores it
            env={**os.environ, "TERM": "xterm", "XDG_STATE_HOME": str(state), "HOME": str(state)})
        os.close(theirs)
        self.seen = ""
        self.expect("mcbgpc> ")

    def type(self, text):
        self.seen = ""
        os.write(self.fd, text.encode())

    def expect(self, pattern, timeout=20):
        """Waits for @pattern in what was printed since the last type()."""
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self.seen):
            assert time.monotonic() < deadline, f"{pattern!r} is not in {self.seen!r}"
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    data = os.read(self.fd, 65536)
                except OSError:
                    data = b""          # it closed the terminal
                assert data, f"it ended; {pattern!r} is not in {self.seen!r}"
                self.seen += data.decode(errors="replace")
        return self.seen

    def end(self, text="quit\n", again=False):
        """Types @text; returns the exit status.  @again: until it works, since what is typed between the prompt and the
        editor's taking the terminal over is the kernel's to understand."""
        os.write(self.fd, text.encode())
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if again:
                with contextlib.suppress(OSError):      # it has just ended
                    os.write(self.fd, text.encode())
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:                         # all was read, and nobody has the terminal any more
                    break
        return self.child.wait(20)

    def close(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        os.close(self.fd)


@pytest.fixture
def terminal(busy_lan, tmp_path):
    made = []

    def make(*options):
        made.append(Terminal(busy_lan.gateway, tmp_path, *options))
        return made[-1]
    yield make
    for t in made:
        t.close()


def test_commands_and_end(terminal):
    t = terminal()
    t.type("sh pr\n")
    assert "Name       Proto      Table" in t.expect("receiver +BGP.*\n(.*\n)*mcbgpc> ")
    t.type("shew\n")
    t.expect("did you mean show\\?")
    t.type("\n   \nshow status\n")       # nothing asked, twice
    assert "a command is expected" not in t.expect("Daemon is up and running")
    assert t.end() == 0, t.seen
    assert terminal().end("\x15\x04", again=True) == 0      # an empty line, end of file
    assert terminal().end("exit\n") == 0


def test_tab_completes_from_the_daemons_words(terminal):
    t = terminal()
    t.type("sho\tprotoc\tall rec\t\n")   # each with the blank behind it
    t.expect("Neighbor address: 10.0.0.200")
    t.type("show route filt\tcou\t\n")
    t.expect(r"0 of \d+ routes for")
    t.type("show \t")                   # several: they are listed, with what they mean
    seen = t.expect("tunnels, their state and counters")
    assert "status" in seen and "the routing table" in seen
    assert t.end("\x15quit\n") == 0, t.seen


def test_question_mark_lists_what_may_follow(terminal):
    t = terminal()
    t.type("monitor ?")
    seen = t.expect("of tunnels and links")
    assert "sessions" in seen and "peer" in seen
    t.type("nonsense\n")                # the line is still there
    t.expect("not: nonsense")
    assert t.end() == 0, t.seen


def test_history_outlives_the_prompt(terminal, tmp_path):
    t = terminal()
    t.type("show memory\n")
    t.expect("Total(.*\n)*mcbgpc> ")
    t.type(UP + "\n")
    t.expect("Total(.*\n)*mcbgpc> ")
    assert t.end() == 0, t.seen
    kept = tmp_path / "mcbgpc" / "history"
    assert "memory" in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    t = terminal()
    t.type(UP + UP + "\n")              # beyond `quit`
    t.expect("mcbgpd memory usage")
    assert t.end() == 0, t.seen


def test_history_that_cannot_be_kept_is_no_error(busy_lan, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    t = Terminal(busy_lan.gateway, blocked)
    t.type("show status\n")
    t.expect("Daemon is up and running")
    assert t.end() == 0, t.seen
    t.close()
    assert blocked.read_text() == "in the way"


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_enter_ends_a_monitor(terminal, options):
    t = terminal(*options)
    t.type("monitor sessions\n")
    t.expect('Events of sessions as they happen|"monitor"')
    t.type("\n")
    t.expect("mcbgpc> ")
    t.type("show status\n")
    t.expect("running")
    assert t.end() == 0, t.seen


def test_a_daemon_that_comes_back(lan, tmp_path):
    lan.gateway.start()
    t = Terminal(lan.gateway, tmp_path)
    lan.gateway.stop()
    lan.gateway.start()
    t.type("show status\n")
    t.expect("made anew: ask again")
    t.type("show status\n")
    t.expect("Daemon is up and running")
    lan.gateway.stop()
    assert t.end("show status\n") == 3
    assert "the daemon has gone" in t.seen
    t.close()


def test_exit_statuses(busy_lan, tmp_path):
    def status(*words, path=busy_lan.gateway.socket):
        done = subprocess.run([MCBGPC, "-s", str(path), *words], capture_output=True, text=True, timeout=30,
                              stdin=subprocess.DEVNULL)
        return done.returncode, bool(done.stdout), bool(done.stderr)

    assert status("show", "status") == (0, True, False)
    assert status("show", "nonsense") == (1, False, True)
    assert status("--json", "show", "nonsense") == (1, True, True)
    assert status("--nonsense") == (2, False, True)
    assert status("show", "x" * 5000) == (2, False, True)
    assert status("show", "status\nshow status") == (2, False, True)
    assert status("show", "status", path=tmp_path / "none") == (3, False, True)
    assert status("show", "status", path=tmp_path / ("x" * 200)) == (3, False, True)
    done = subprocess.run([MCBGPC, "-V"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and done.stdout.startswith("mcbgpd ")


def test_interrupted_by_the_operator(terminal):
    t = terminal()
    t.type("monitor\n")
    t.expect("as they happen")
    t.child.send_signal(signal.SIGINT)
    t.child.wait(20)
    assert t.child.returncode != 0
