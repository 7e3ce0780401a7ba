# SPDX-License-Identifier: BSD-2-Clause
"""Samples -> RESULTS.md and a plot a scenario.

Samples are kept as {scenario: {"when", "commit", "cases": {case: {daemon: [{metric: value} or {"failed": why}]}}}}, so
that a run of one scenario replaces its own part and no other.
"""

import json
import os
import statistics
import subprocess

REFERENCE = "bird"          # what ratios are to
SUBJECT = "mcbgpd"

HEAD = """# Results

Written by `bench/run`; [README.md](README.md) says what is measured, how, and how to read it. Medians of the rounds,
in brackets the least and the greatest, then the ratio to BIRD 2 in the same run. A dash: not measured, since that
daemon cannot do it, or would take minutes.

"""


class Samples:
    def __init__(self, path):
        self.path = path
        self.of = {}
        if os.path.exists(path):
            with open(path) as file:
                self.of = json.load(file)

    def begin(self, scenario, about):
        self.of[scenario] = {**about, "cases": {}}

    def add(self, scenario, case, daemon, sample):
        self.of[scenario]["cases"].setdefault(case, {}).setdefault(daemon, []).append(sample)
        temporary = self.path + ".new"
        with open(temporary, "w") as file:
            json.dump(self.of, file, indent=1)
        os.replace(temporary, self.path)


def values(samples, metric):
    return [sample[metric] for sample in samples if metric in sample]


def number(value):
    """Three digits that count."""
    if value == 0:
        return "0"
    digits = max(0, 2 - int(f"{abs(value):e}".split("e")[1]))
    return f"{value:.{digits}f}" if digits else f"{value:,.0f}"


def cell(samples, metric, reference):
    found = values(samples, metric)
    failed = len([sample for sample in samples if "failed" in sample])
    if not found:
        return f"failed {failed}×" if failed else "–"
    middle = statistics.median(found)
    text = f"{number(middle)} ({number(min(found))}–{number(max(found))})"
    if reference and samples is not reference:
        base = values(reference, metric)
        if base and statistics.median(base) > 0:
            text += f" **×{number(middle / statistics.median(base))}**"
    return text + (f", failed {failed}×" if failed else "")


def table(scenario, cases, titles):
    present = [name for name in titles if any(name in by_daemon for by_daemon in cases.values())]
    yield "| | | " + " | ".join(titles[name] for name in present) + " |"
    yield "|---|---|" + "---|" * len(present)
    for case, by_daemon in cases.items():
        reference = by_daemon.get(REFERENCE)
        label = case
        for metric, unit in scenario.units.items():
            cells = (cell(by_daemon.get(name, []), metric, reference) for name in present)
            yield f"| {label} | {metric}{', ' + unit if unit else ''} | " + " | ".join(cells) + " |"
            label = ""


def summary(samples, scenarios, subject):
    """The first metric of each case, beside BIRD 2's and the target."""
    yield f"| | | | {subject.title} | ratio to BIRD 2 | target |"
    yield "|---|---|---|---|---|---|"
    for scenario in scenarios:
        metric, unit = next(iter(scenario.units.items()))
        for case, by_daemon in samples.of.get(scenario.name, {"cases": {}})["cases"].items():
            ours, base = (values(by_daemon.get(name, []), metric) for name in (subject.name, REFERENCE))
            if not ours:
                continue
            ratio = number(statistics.median(ours) / statistics.median(base)) if base and any(base) else "–"
            yield (f"| [{scenario.name}](#{anchor(scenario.title)}) | {case} | {metric} | "
                   f"{number(statistics.median(ours))} {unit} | {ratio} | {scenario.target} |")


def anchor(title):
    """As hosts of Markdown name a heading."""
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c == "-")


def quoted(text):
    return '"' + text.replace('"', "'") + '"'


def plot(scenario, cases, titles, folder):
    """Bars by case, a colour a daemon, with the least and the greatest.  @return the file's name, if there is one."""
    metric, unit = next(iter(scenario.units.items()))
    present = [name for name in titles
               if any(values(by_daemon.get(name, []), metric) for by_daemon in cases.values())]
    if not present:
        return None
    rows = []
    for case, by_daemon in cases.items():
        row = [quoted(case)]
        for name in present:
            found = values(by_daemon.get(name, []), metric)
            row += [f"{statistics.median(found)} {min(found)} {max(found)}" if found else "nan nan nan"]
        rows.append(" ".join(row))
    everything = [v for by_daemon in cases.values() for name in present
                  for v in values(by_daemon.get(name, []), metric)]
    wide = min(everything) > 0 and max(everything) > 20 * min(everything)
    columns = ", ".join(f"$data using {3 * i + 2}:{3 * i + 3}:{3 * i + 4}:xticlabels(1) "
                        f"linetype {list(titles).index(name) + 1} title {quoted(titles[name])}"
                        for i, name in enumerate(present))
    script = "\n".join([
        "set terminal svg size 900,420 font 'sans,12' background rgb 'white'",
        f"set output '{folder}/{scenario.name}.svg'", f"set title {quoted(scenario.title)}",
        f"set ylabel {quoted(metric + (', ' + unit if unit else ''))}", "set style data histograms",
        "set style histogram errorbars gap 1 linewidth 1", "set style fill solid 0.8 border", "set grid ytics",
        "set key outside right", "set xtics nomirror" + (" rotate by -20" if len(cases) > 4 else ""),
        "set logscale y" if wide else f"set yrange [0:{max(everything) * 1.1 or 1}]",
        "$data << EOD", *rows, "EOD", "plot " + columns])
    subprocess.run(["gnuplot"], input=script + "\n", text=True, check=True)
    return f"{scenario.name}.svg"


def host():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "?")
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) / 1e6
    return f"{os.cpu_count()} × {model}, {memory:.0f} GB, Linux {os.uname().release}"


def write(samples, scenarios, daemons, path):
    """@daemons: all that may be in a column, in order, each with `name` and `title`."""
    titles = {daemon.name: daemon.title for daemon in daemons}
    plots = os.path.join(os.path.dirname(os.path.abspath(path)), "plots")
    os.makedirs(plots, exist_ok=True)
    subject = next(daemon for daemon in daemons if daemon.name == SUBJECT)
    parts = [HEAD, "\n".join(summary(samples, scenarios, subject)) + "\n\n"]
    for scenario in scenarios:
        found = samples.of.get(scenario.name)
        if not found or not found["cases"]:
            continue
        target = f" Target: {scenario.target}." if scenario.target else ""
        picture = plot(scenario, found["cases"], titles, plots)
        parts.append(f"## {scenario.title}\n\n`{scenario.name}`: {scenario.about}{target}\n\n"
                     f"{found['when']}, {found['commit']}, {found['versions']}; {found['rounds']}"
                     f"{found.get('scaled', '')}; {found['host']}.\n\n")
        parts.append("\n".join(table(scenario, found["cases"], titles)) + "\n\n")
        if picture:
            parts.append(f"![{scenario.title}](plots/{picture})\n\n")
    with open(path, "w") as file:
        file.write("".join(parts).rstrip() + "\n")
