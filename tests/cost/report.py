# SPDX-License-Identifier: Apache-2.0
"""A run as tables for people."""

import figures

HEADS = ("", "RATIO", "95 %", "NS/OP", "MADE", "TOLD", "LOST", "UNACC.", "CPU s", "RSS MiB",
         "AS A/A")


def table(rows, indent="  "):
    """Aligned: text to the left, all else to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join((indent + "  ".join(
        cell.ljust(width) if i == 0 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(row, widths)))).rstrip() for row in rows)


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def short_ns(value):
    return number(value, 0 if value >= 1000 else 1)


def shown_interval(ratio):
    if not ratio or ratio["pairs"] < figures.PAIRS_FOR_AN_INTERVAL:
        return "-"
    return f"{ratio['low']:.2f}-{ratio['high']:.2f}"


def arm_row(name, arm):
    ratio = arm["ratio"]
    return (name, number(ratio["median"], 2) if ratio else "1", shown_interval(ratio),
            short_ns(arm["ns_per_operation"]), number(arm["generated"]), number(arm["reported"]),
            number(arm["lost"]), number(arm["unaccounted"]), number(arm["cpu_seconds"], 2),
            number(arm["rss_bytes"] and arm["rss_bytes"] / 2**20, 1), arm["as_control"] or "-")


def program_rows(programs):
    floors = {(row["arm"], row["hook"]): row["ns"] for row in programs if row["kind"] == "floor"}
    names = sorted({row["arm"] for row in programs if row["kind"] == "floor"})
    yield ("program", "ARM", "NS/RUN", *(name.upper() for name in names), "TIMES")
    for row in programs:
        if row["kind"] == "floor":
            continue
        beside = [floors.get((name, row["hook"])) for name in names]
        least = beside[-1] if beside else None  # the one that sends, where there is one
        yield (row["program"], row["arm"], number(row["ns"]), *(number(ns) for ns in beside),
               number(least and row["ns"] / least, 2))


def remarks(arms):
    """What Tapio counts as lost in the last round, and why; who had to be killed."""
    for name, arm in arms.items():
        reasons = arm["rounds"][-1].get("losses")
        if reasons:
            yield f"  {name} lost: " + ", ".join(f"{what} {count:,}"
                                                 for what, count in reasons.items())
        killed = sum(row.get("ended_well") is False for row in arm["rounds"])
        if killed:
            yield f"  {name} did not end well in {killed} of {len(arm['rounds'])} rounds"


def workload_text(name, result):
    if "skipped" in result:
        return f"{name}: skipped: {result['skipped']}"
    lines = [f"{name}: {result['unit']}, {result['rounds']} rounds of {result['count']:,}"]
    lines.append(table([HEADS, *(arm_row(*each) for each in result["arms"].items())]))
    lines += list(remarks(result["arms"]))
    lines += [f"  {arm} was left out: {why}" for arm, why in result["absent"].items()]
    if any(row["kind"] == "tapio" for row in result["programs"]):
        lines.append(table(list(program_rows(result["programs"]))))
    if result["targets"]:
        lines.append(table([("target", "FIGURE", "VERDICT"), *(
            (row["target"], number(row["figure"], 2), row["verdict"])
            for row in result["targets"])]))
    return "\n".join(lines)


def comparison_text(rows, unlike):
    def shown(ratio):
        return f"{ratio['median']:.2f} ({shown_interval(ratio)})" if ratio else "-"

    moved = sum(row[4] in ("slower", "faster") for row in rows)
    return "\n".join([
        *(f"not alike: {what}" for what in unlike),
        table([("workload, arm", "OLD", "NEW", ""), *(
            (f"{workload}, {arm}", shown(old), shown(new), what)
            for workload, arm, old, new, what in rows)], indent=""),
        f"{moved} of {len(rows)} ratios moved by more than their intervals"])
