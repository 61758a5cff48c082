# SPDX-License-Identifier: Apache-2.0
"""What a matrix run showed, judged: sentences about what is wrong, and about what is worth knowing.

A row is what tapio_matrix prints of one program on one kernel. Nothing here runs anything."""

LIMIT = 500_000  # verified instructions; the kernel's own limit is 1,000,000
GROWTH = 0.10
WORKS = ("fired", "ran", "attached")


def key(row):
    return row["observer"], row["hook"], row["program"], row["channel"]


def parse_unsupported(text):
    """{(program, kernel): reason} of an observer's unsupported.txt: PROGRAM KERNEL[,KERNEL] REASON."""
    found = {}
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split(None, 2)
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 3:
            raise ValueError(f"line {number}: write PROGRAM KERNEL[,KERNEL] REASON")
        for kernel in words[1].split(","):
            found[words[0], kernel] = words[2]
    return found


def _judge_verified(row, where, before):
    verified = row.get("verified")
    if verified is None:
        return [], []
    if verified > LIMIT:
        return [f"{row['program']} took {verified} verified instructions on {where}; the limit is "
                f"{LIMIT}"], []
    old = before.get("verified")
    if old and verified > old * (1 + GROWTH):
        return [], [f"{row['program']} grew from {old} to {verified} verified instructions on "
                    f"{where} (+{100 * (verified - old) // old} %)"]
    return [], []


def _judge_row(row, kernel, where, declared, before):
    program, state, reason = row["program"], row["state"], row.get("reason", "no reason given")
    named = f"{program} (hook {row['hook']})"  # one program may serve several
    file = f"observers/{row['observer']}/unsupported.txt"
    if state in WORKS:
        if (program, kernel) in declared:
            yield f"{program} works on {where}, and {file} says that it cannot; take the line out"
        if row["triggered"] and state != "fired":
            did = "ran, and no record of it came out" if state == "ran" else "is attached, blind"
            yield f"{named} {did} on {where}" + (f": {reason}" if "reason" in row else "")
    elif (program, kernel) in declared:
        return
    elif state == "unsupported" and before.get("state") in WORKS:
        yield f"{named} {before['state']} on {where} before, and now {reason}"
    elif state != "unsupported":
        yield (f"{named} was {state} on {where}: {reason}; mend it, or say in {file} why that "
               "kernel cannot have it")


def judge(kernel, rows, programs, declared, before=()):
    """(failures, notes) of one kernel. `programs`: (observer, hook, program) of every descriptor;
    `declared`: see parse_unsupported; `before`: the rows that are stored of this kernel."""
    if not rows:
        return [f"no program has a result on {kernel}"], []
    failures, notes = [], []
    old = {key(row): row for row in before}
    for channel in sorted({row["channel"] for row in rows}):
        where = f"{kernel} over {channel} buffers"
        mine = {key(row)[:3]: row for row in rows if row["channel"] == channel}
        for program in programs:
            if program not in mine:
                failures.append(f"{program[2]} (observer {program[0]}, hook {program[1]}) has no "
                                f"result on {where}")
        for row in mine.values():
            previous = old.get(key(row), {})
            failures += _judge_row(row, kernel, where, declared.get(row["observer"], {}), previous)
            too_many, grown = _judge_verified(row, where, previous)
            failures += too_many
            notes += grown
        failures += _without_program(mine.values(), where)
    return failures, notes


def _without_program(rows, where):
    """Required hooks that nothing serves."""
    hooks = {}
    for row in rows:
        hooks.setdefault((row["observer"], row["hook"]), []).append(row)
    for (observer, hook), candidates in hooks.items():
        if candidates[0]["required"] and not any(r["state"] in WORKS for r in candidates):
            names = ", ".join(r["program"] for r in candidates)
            yield f"nothing serves the required hook {hook} of {observer} on {where}: {names}"
