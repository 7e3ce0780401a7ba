# SPDX-License-Identifier: BSD-2-Clause
"""What was proven against whom, as doc/interop.md says it.

Outcomes are kept in the build directory, so that one subject that is proven again alone finds those of the others;
they count for the mcbgpd and the tests they were made with, and no other.
"""

import fcntl
import glob
import hashlib
import json
import os

from clusters import BUILD, MCBGPD, ROOT

COMMITTED = os.path.join(ROOT, "doc/interop.md")
GENERATED = os.path.join(BUILD, "interop.md")
KEPT = os.path.join(BUILD, "interop.json")

HEAD = """# What is proven against whom

Made by `tests/net/speakers`, which `./check speakers` runs: each subject against each speaker as Debian packages it, in
network namespaces, with the speaker's own table, log or command as the judge. This page is what the last run wrote; it
is never edited, and the run fails where it would write another.

"""


def _fingerprint():
    digest = hashlib.sha256()
    for path in [MCBGPD, *sorted(glob.glob(os.path.join(os.path.dirname(__file__), "*.py")))]:
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


class Outcomes:
    """{subject: {speaker: "proven" or why it is not there}}; what failed is not in it.  Several runs may write."""

    def __init__(self):
        self.made_by = _fingerprint()

    @property
    def cells(self):
        try:
            with open(KEPT) as file:
                kept = json.load(file)
        except (OSError, ValueError):
            return {}
        return kept["cells"] if kept.get("made_by") == self.made_by else {}

    def note(self, subject, speaker, outcome):
        with open(KEPT + ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            cells = self.cells
            cells.setdefault(subject, {})[speaker] = outcome
            with open(KEPT, "w") as file:
                json.dump({"made_by": self.made_by, "cells": cells}, file)

    def missing(self, subjects, speakers):
        cells = self.cells
        return [f"{subject} ({speaker})" for subject in subjects for speaker in speakers
                if not cells.get(subject, {}).get(speaker)]

    def markdown(self, subjects, speakers):
        """@speakers: {title: product and version}"""
        notes, cells = [], self.cells
        lines = ["| | " + " | ".join(speakers.values()) + " |",
                 "|---|" + "---|" * len(speakers)]
        for subject in subjects:
            row = [self._cell(cells.get(subject, {}).get(title), title, notes) for title in speakers]
            lines.append(f"| {subject} | " + " | ".join(row) + " |")
        if notes:
            lines += ["", "Not spoken by it, and so not offered in its OPEN or not to be had from it:", ""]
            lines += [f"{n}. {note}" for n, note in enumerate(notes, 1)]
        return HEAD + "\n".join(lines) + "\n"

    @staticmethod
    def _cell(outcome, title, notes):
        if outcome is None:
            return "**not proven**"
        if outcome == "proven":
            return "yes"
        note = f"{title}: {outcome}"
        if note not in notes:
            notes.append(note)
        return f"({notes.index(note) + 1})"
