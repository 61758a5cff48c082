# SPDX-License-Identifier: Apache-2.0
"""What the project wants to reach, and whether it did: met, missed, or why that is not known. A
measurement is never changed to meet one."""

from arms import DEFAULT, FLOOR, SENDING, UNTRACED, WIDE, WITH_DNS
import figures

# workload: [(arm, most)]
RATIOS = {
    "exec": [(DEFAULT, 1.10)],
    "tcp": [(DEFAULT, 1.12), (WITH_DNS, 1.12)],
    "dns": [(WITH_DNS, 1.25)],
    "signals": [(DEFAULT, 1.35)],
    "veth": [(DEFAULT, 1.10)],
}
UNNOTICED = ("getppid", "openat", "malloc", "faults", "http")
UNNOTICED_BELOW = 1.05
OF_THE_FLOOR = {"veth": (WITH_DNS, 1.10)}
ACCOUNTED = {"signals": (DEFAULT, WIDE)}
IN_KERNEL = 1.6  # times the floor that sends as many bytes


def verdict(text, figure, holds):
    return {"target": text, "figure": figure,
            "verdict": "unknown" if holds is None else "met" if holds else "missed"}


def ratio_of(arms, name):
    """None also where there were too few rounds to say anything."""
    return enough(arms[name]["ratio"]) if name in arms else None


def enough(ratio, pairs=figures.PAIRS_FOR_AN_INTERVAL):
    return ratio if ratio and ratio["pairs"] >= pairs else None


def below(arms, name, most):
    ratio = ratio_of(arms, name)
    return verdict(f"{name} at most {most:.2f}", ratio and ratio["median"],
                   ratio and ratio["median"] <= most)


def unnoticed(arms):
    """Few pairs make wide intervals, in which everything lies: then it is not known."""
    ratio = enough(ratio_of(arms, DEFAULT), figures.PAIRS_FOR_A_CLAIM)
    return verdict(f"{DEFAULT}: interval holds 1.00, or ends below {UNNOTICED_BELOW}",
                   ratio and ratio["high"],
                   ratio and (ratio["low"] <= 1 <= ratio["high"] or
                              ratio["high"] < UNNOTICED_BELOW))


def against_floor(arms, name, most):
    text = f"{name} at most {most:.2f} times the floor"
    if name not in arms or FLOOR not in arms:
        return verdict(text, None, None)
    pairs = enough(figures.summary(figures.ratios(arms[name]["rounds"], arms[FLOOR]["rounds"])))
    return verdict(text, pairs and pairs["median"], pairs and pairs["median"] <= most)


def accounted(arms, name):
    most = max((row["unaccounted"] for row in arms[name]["rounds"]), default=None) \
        if name in arms else None
    return verdict(f"{name}: nothing unaccounted", most, None if most is None else most == 0)


def in_kernel(sends, programs):
    """A row for each program of `wide` whose floor sends, too."""
    floors = {row["hook"]: row["ns"] for row in programs if row["arm"] == SENDING}
    ours = {row["hook"]: row for row in programs if row["arm"] == WIDE}
    for hook in sends:
        text = f"{hook} in the kernel at most {IN_KERNEL} times the floor that sends"
        if hook not in ours or not floors.get(hook):
            yield verdict(text, None, None)
            continue
        times = ours[hook]["ns"] / floors[hook]
        yield verdict(text, times, times <= IN_KERNEL)


def below_peers(arms):
    ours = ratio_of(arms, WIDE)
    for name, arm in arms.items():
        if arm["kind"] != "peer" or not arm["same_facts"]:
            continue
        theirs = ratio_of(arms, name)
        text = f"{WIDE} below {name}" + (f" ({theirs['median']:.2f})" if theirs else "")
        yield verdict(text, ours and ours["median"],
                      ours and theirs and ours["median"] < theirs["median"])


def judge(workload, arms, programs):
    """Of one workload, whose arms are as rounds.summarize() makes them."""
    if UNTRACED not in arms:
        return []
    name = workload.name
    made = [below(arms, arm, most) for arm, most in RATIOS.get(name, [])]
    made += [accounted(arms, arm) for arm in ACCOUNTED.get(name, ())]
    if name in UNNOTICED:
        made.append(unnoticed(arms))
    if name in OF_THE_FLOOR:
        made.append(against_floor(arms, *OF_THE_FLOOR[name]))
    return made + list(in_kernel(workload.sends, programs)) + list(below_peers(arms))
