# SPDX-License-Identifier: BSD-2-Clause
"""A client of BIRD's control protocol, for mcbgpd's socket and for BIRD's own; independent of mcbgpc."""

import re
import socket


class Reply:
    """The lines of one answer: (code, text) each; the last one's code is the verdict."""

    def __init__(self, lines):
        self.lines = lines

    @property
    def code(self):
        return self.lines[-1][0]

    @property
    def text(self):
        return "\n".join(text for _, text in self.lines)

    def __repr__(self):
        return "\n".join(f"{code:04d} {text}" for code, text in self.lines)


class Control:
    def __init__(self, path, timeout=10):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)       # blocking: with a timeout, a full backlog would be an error at once
        self.socket.settimeout(timeout)
        self.stream = self.socket.makefile("rb")
        self.greeting = self.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stream.close()
        self.socket.close()

    def read(self):
        lines, code = [], 0
        while True:
            raw = self.stream.readline()
            if not raw.endswith(b"\n"):
                raise ConnectionError(f"the answer ends in the middle: {lines!r} {raw!r}")
            line = raw.decode(errors="replace").rstrip("\n")
            match = re.match(r"(\d{4})([- ])(.*)", line)
            if match:
                code = int(match[1])
                lines.append((code, match[3]))
                if match[2] == " ":
                    return Reply(lines)
            elif line.startswith(" "):
                lines.append((code, line[1:]))
            elif not line.startswith("+"):
                raise ConnectionError(f"neither code nor continuation: {line!r}")

    def ask(self, command):
        self.socket.sendall(command.encode() + b"\n")
        return self.read()


def ask(path, command):
    with Control(path) as control:
        return control.ask(command)


def protocols(path):
    """`show protocols` cut at its columns: name -> {proto, table, state, since, info}."""
    found = {}
    for code, line in ask(path, "show protocols").lines:
        if code == 1002 and line.strip():
            name, proto, table, state, since, *info = line.split(None, 5)
            found[name] = {"proto": proto, "table": table, "state": state, "since": since,
                           "info": info[0].strip() if info else ""}
    return found


def established(path):
    """Names of the BGP protocols whose session is up."""
    return {name for name, p in protocols(path).items()
            if p["proto"] == "BGP" and p["info"].startswith("Established")}
