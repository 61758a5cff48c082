#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The results of matrix runs as data, as a table for a terminal, and as a page. As a program it
prints the page of the stored results."""

import json
import re
from pathlib import Path

STORED = Path("docs/kernel-support.json")
PROBE = "tapio_matrix"
MARK = '{"matrix":1,'  # starts each line of it
KEPT = ("channel", "observer", "hook", "program", "state", "verified", "ns", "reason")
STORED_OF = ("ring", "perf")  # rings by group of CPUs are judged, and differ in nothing worth a table
NOT_RUN = "not run"


def parse(text):
    """The rows in the output of tapio_matrix; a boot that was tried again leaves them twice."""
    rows = {}
    for line in text.split("\n"):
        at = line.find(MARK)
        if at < 0:
            continue
        try:
            row = json.loads(line[at:])
        except ValueError:
            continue  # cut by a crash of the machine: the program is told as one without a result
        rows[row["channel"], row["observer"], row["hook"], row["program"]] = row
    return list(rows.values())


def read_tests(text):
    """How many tests passed, and what is wrong with the others: in the last boot of the log."""
    text = text[text.rfind("== begin"):].replace("\r", "")
    passed = sum(map(int, re.findall(r"\[  PASSED  \] (\d+) test", text)))
    broken, part, failed = [], "programs", 0
    for line in text.split("\n"):
        if line.startswith("== tests "):
            part = line[len("== tests "):]
        elif match := re.match(r"\[  FAILED  \] (\S+\.\S+)", line):
            failed += 1
            broken.append(f"{match[1].rstrip(',')} failed ({part})")
        elif match := re.match(r"== ended with (\d+): (\S+)", line):
            if not failed or match[2] == PROBE:
                broken.append(f"{match[2]} ended with {match[1]} ({part})")
            failed = 0
    if "== all" not in text:
        broken.append(f"the run did not reach its end ({part})")
    return passed, list(dict.fromkeys(broken))


def load():
    return json.loads(STORED.read_text())["kernels"] if STORED.is_file() else []


def column(name, rows, date):
    """One kernel as it is stored."""
    kept = [{k: row[k] for k in KEPT if k in row} for row in rows]
    return {"name": name, "release": rows[0]["release"], "arch": rows[0]["arch"],
            "emulated": rows[0]["emulated"], "date": date, "programs": kept}


def store(columns):
    """A line for each program, so that changes can be read."""
    one = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    kernels = []
    for kernel in columns:
        head = one({k: v for k, v in kernel.items() if k != "programs"})[:-1]
        rows = ",\n".join(one(row) for row in kernel["programs"])
        kernels.append(f'{head},"programs":[\n{rows}]}}')
    STORED.write_text('{"kernels":[\n' + ",\n".join(kernels) + "]}\n")


def merged(old, new, order, known):
    """New columns in the place of old ones, in the order of `order`; others stand behind. Only rows
    of STORED_OF, and of known programs: those of (observer, hook, program)."""
    by_name = {kernel["name"]: kernel for kernel in old + new}
    for kernel in by_name.values():
        kernel["programs"] = [row for row in kernel["programs"]
                              if row["channel"] in STORED_OF and
                              (row["observer"], row["hook"], row["program"]) in known]
    return sorted(by_name.values(), key=lambda k: order.index(k["name"]) if k["name"] in order
                  else len(order))


def figure(ns):
    return f"{ns}ns" if ns < 10_000 else f"{ns / 1000:.0f}us"


def cell(row):
    if not row:
        return NOT_RUN
    if row["state"] in ("unsupported", "refused", "untried"):
        return row["state"]
    parts = [row["state"], str(row.get("verified", "?"))]
    return " ".join(parts + ([figure(row["ns"])] if "ns" in row else []))


def grid(columns, channel):
    """Header and rows of a table program x kernel."""
    found = [{(r["observer"], r["hook"], r["program"]): r for r in kernel["programs"]
              if r["channel"] == channel} for kernel in columns]
    names = list(dict.fromkeys(name for kernel in found for name in kernel))
    rows = [[*name, *(cell(kernel.get(name)) for kernel in found)] for name in names]
    return [["observer", "hook", "program", *(kernel["name"] for kernel in columns)], *rows]


def table(columns, channel):
    """For a terminal."""
    lines = grid(columns, channel)
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    pad = lambda line: "  ".join(word.ljust(width) for word, width in zip(line, widths)).rstrip()
    return "\n".join(map(pad, lines))


def _markdown(lines):
    escaped = [[word.replace("|", "\\|") for word in line] for line in lines]
    text = [f"| {' | '.join(line)} |" for line in escaped]
    return "\n".join([text[0], "|" + "---|" * len(lines[0]), *text[1:]])


def _reasons(columns):
    for kernel in columns:
        for row in kernel["programs"]:
            if "reason" in row:
                reason = row["reason"].replace("|", "\\|")
                yield [kernel["name"], row["channel"], row["program"], row["state"], reason]


def page(columns):
    kernels = [["kernel", "release", "machine", "run on"]] + [
        [k["name"], k["release"], k["arch"] + (", emulated" if k["emulated"] else ""), k["date"]]
        for k in columns]
    reasons = [["kernel", "buffers", "program", "state", "why"], *_reasons(columns)]
    parts = [
        "# What runs on which kernel",
        "Written by `./dev matrix` from real boots; do not change it by hand. The same data is in\n"
        "[kernel-support.json](kernel-support.json), which `tapio doctor` uses.",
        _markdown(kernels),
        "`fired`: a record came out. `ran`: the program ran, and nothing was to be reported.\n"
        "`attached`: it is attached, and nothing triggered it. `unsupported`: the kernel lacks what\n"
        "it needs. `refused`: the kernel would not take it. Then: instructions that the verifier\n"
        "walked through (the matrix fails above 500,000), and the time of one run; of an emulated\n"
        "machine it compares programs, and is no measure of cost.",
        "## Over ring buffers", _markdown(grid(columns, "ring")),
        "## Over perf buffers", _markdown(grid(columns, "perf")),
        "## Why not", _markdown(reasons) if len(reasons) > 1 else "Everything works everywhere."]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    print(page(load()), end="")
