# SPDX-License-Identifier: Apache-2.0
"""Runs the arms of a workload in rounds: each once a round, at another place each time, and behind
each of the others as often as behind any: what an arm leaves behind is shared by all."""

import sys
import time

import figures
import kernel
from arms import AGAIN, DEFAULT, FLOOR, SENDING, UNTRACED, WIDE, WITH_DNS
from child import Absent

BOUND = 8  # times the seconds that a workload takes untraced; then it stops, and counts as it is
SECONDS = 1  # untraced, about
GUESS = 4  # s for one arm, before any was timed
RUNS_FOR_PROGRAMS = 4
QUICK_RUNS_FOR_PROGRAMS = 1


def say(text):
    print(text, file=sys.stderr, flush=True)


class Progress:
    """Of the whole suite, by the arms that are done."""

    def __init__(self, arms):
        self.left, self.done, self.begun = arms, 0, time.monotonic()

    def step(self, text):
        each = (time.monotonic() - self.begun) / self.done if self.done else GUESS
        left = each * max(0, self.left)
        say(f"{text}; about {left / 60:.0f} min left" if left > 90 else
            f"{text}; about {left:.0f} s left")

    def count(self, arms=1):
        self.done += arms
        self.left -= arms

    def drop(self, arms):
        """They will not run."""
        self.left -= arms


def run_once(arm, room, count, folder, round_number):
    """The figures of one arm in one round."""
    running = arm.start(folder, round_number)
    try:
        running.begin()
        operations, ns = room.run(count, BOUND * SECONDS)
        if operations == 0:
            raise Absent("the workload came to nothing")
        return {"round": round_number, "operations": operations, "ns": ns,
                "ns_per_operation": ns / operations, **running.end(operations)}
    finally:
        running.stop()


def order(arms, number):
    """That of a round: a row of a Williams square (E. J. Williams, Experimental designs balanced for
    the estimation of residual effects of treatments, 1949). In as many rounds as there are arms, or
    twice as many where that is odd, each pair of neighbours occurs equally often."""
    count = len(arms)
    zigzag = [place // 2 if place % 2 == 0 else count - 1 - place // 2 for place in range(count)]
    row = [arms[(place + number) % count] for place in zigzag]
    return row[::-1] if count % 2 and number // count % 2 else row


def measure(workload, arms, room, count, rounds, folder, progress):
    """({arm: rows}, {arm: why it is absent}). An arm that fails once is out."""
    rows, absent = {arm.name: [] for arm in arms}, {}
    for number in range(rounds):
        progress.step(f"{workload.name}: round {number + 1} of {rounds}")
        for arm in order(arms, number):
            if arm.name in absent:
                continue
            try:
                rows[arm.name].append(run_once(arm, room, count, folder, number))
            except Absent as why:
                if arm.kind == "control":
                    raise  # nothing can be compared
                say(f"{workload.name}: {arm.name} is left out: {why}")
                absent[arm.name] = str(why)
                progress.drop(rounds - number - 1)
            progress.count()
    return rows, absent


def summarize(arms, rows):
    """What is said of each arm that ran; raw rounds stay beside it."""
    made = {}
    for arm in arms:
        if not rows[arm.name]:
            continue
        ratio = (None if arm.name == UNTRACED else
                 figures.summary(figures.ratios(rows[arm.name], rows[UNTRACED])))
        made[arm.name] = {
            "kind": arm.kind, "how": arm.how,
            "same_facts": getattr(arm, "same_facts", False), "ratio": ratio,
            "rounds": rows[arm.name],
            **{key: figures.median_of(rows[arm.name], key)
               for key in ("ns_per_operation", "cpu_seconds", "rss_bytes", "generated", "reported",
                           "lost", "unaccounted")}}
    control = made[AGAIN]["ratio"]
    for arm in made.values():
        arm["as_control"] = figures.as_control(arm["ratio"], control) if arm["ratio"] else None
    return made


def program_costs(arm, room, count, folder, label):
    """{program: (ns, runs)} while the workload ran once, counted by the kernel. Not timed: counting
    costs too."""
    with kernel.Statistics():
        running = arm.start(folder, label)
        try:
            ids = running.programs()
            before = kernel.run_times(ids)
            running.begin()
            operations, _ = room.run(count, BOUND * SECONDS)
            after = kernel.run_times(ids)
        finally:
            running.stop()
    costs = {}
    for name, (ns, runs) in after.items():
        old_ns, old_runs = before.get(name, (0, 0))
        if runs - old_runs >= operations // 10:  # others are not this workload's
            costs[name] = ((ns - old_ns) / (runs - old_runs), runs - old_runs)
    return costs


def base_of(program):
    """What Tapio's programs and those of the floor have in common; the kernel cuts names at 15
    bytes."""
    program = program.removeprefix("floor_")
    for suffix in ("_btf", "_raw", "_bt", "_b", "_ra", "_r"):
        program = program.removesuffix(suffix)
    return program


def counted(workload, arms):
    """Those whose programs' time is taken: an observer alone has the same ones."""
    if not workload.observers:
        return []
    names = (FLOOR, SENDING, WITH_DNS if "dns" in workload.observers else DEFAULT, WIDE)
    return [arm for arm in arms if arm.name in names]


def in_kernel(workload, arms, room, count, folder, runs, progress):
    """Rows of programs: ns of a run, medians, of floors and Tapio, which take turns."""
    measured, absent = counted(workload, arms), set()
    found = {arm.name: {} for arm in measured}
    for number in range(runs if measured else 0):
        progress.step(f"{workload.name}: time of programs, round {number + 1} of {runs}")
        for arm in order(measured, number):
            progress.count()
            if arm.name in absent:
                continue
            try:
                costs = program_costs(arm, room, count, folder, f"programs-{number}")
            except Absent as why:
                say(f"{workload.name}: {arm.name} has no times of programs: {why}")
                absent.add(arm.name)
                continue
            for name, (ns, times) in costs.items():
                found[arm.name].setdefault(name, []).append({"ns": ns, "runs": times})
    return [{"arm": arm.name, "program": name, "hook": base_of(name), "kind": arm.kind,
             "ns": figures.median_of(each, "ns"), "runs": figures.median_of(each, "runs")}
            for arm in measured for name, each in sorted(found[arm.name].items())]
