# SPDX-License-Identifier: Apache-2.0
"""Two runs of the suite: which ratios moved by more than their intervals."""

import json
from pathlib import Path

import figures

SCHEMA = 1
BASELINE = Path("tests/cost/baseline.json")


class Unusable(Exception):
    """The text says which file, and why."""


def load(path):
    try:
        run = json.loads(Path(path).read_text())
    except (OSError, ValueError) as why:
        raise Unusable(f"{path}: {why}") from None
    if not isinstance(run, dict) or run.get("schema") != SCHEMA:
        raise Unusable(f"{path}: no run of this suite, or of another version than {SCHEMA}")
    if not is_whole(run):
        raise Unusable(f"{path}: a run of this suite, but with parts missing")
    return run


def is_whole(run):
    try:
        ratios = [arm["ratio"] for workload in run["workloads"].values()
                  for arm in workload["arms"].values()]
        return isinstance(run["date"], str) and all(
            isinstance(ratio[key], (int, float)) for ratio in ratios if ratio is not None
            for key in ("median", "low", "high", "pairs"))
    except (KeyError, TypeError, AttributeError):
        return False


def keep(path, baseline=BASELINE):
    run = load(path)
    for workload in run["workloads"].values():
        for arm in workload["arms"].values():
            arm.pop("rounds", None)
    Path(baseline).write_text(json.dumps(run, indent=1) + "\n")


def last_runs(folder):
    """Paths by their date; what cannot be read is not among them."""
    found = []
    for path in Path(folder).glob("*.json"):
        try:
            found.append((load(path)["date"], path))
        except (Unusable, KeyError):
            continue
    return [path for _, path in sorted(found)]


def choose(words, folder, baseline=BASELINE):
    """(OLD, NEW): as given; else the last two, or the baseline and the last."""
    runs = last_runs(folder)
    if len(words) == 2:
        return words[0], words[1]
    if len(words) == 1 and runs:
        return words[0], runs[-1]
    if not words and len(runs) > 1:
        return runs[-2], runs[-1]
    if not words and runs and Path(baseline).is_file():
        return baseline, runs[-1]
    raise Unusable(f"nothing to compare: {len(runs)} runs in {folder}")


def verdict(old, new):
    if min(old["pairs"], new["pairs"]) < figures.PAIRS_FOR_AN_INTERVAL:
        return "too few rounds"
    if figures.overlap(old, new):
        return "the same"
    return "slower" if new["median"] > old["median"] else "faster"


def compare(old, new):
    """Rows (workload, arm, old ratio, new ratio, verdict); a ratio is None where there was none."""
    rows = []
    for name in {**old["workloads"], **new["workloads"]}:
        arms = [run["workloads"].get(name, {}).get("arms", {}) for run in (old, new)]
        for arm in {**arms[0], **arms[1]}:
            ratios = [each.get(arm, {}).get("ratio") for each in arms]
            if not any(ratios):
                continue  # untraced is what others are compared with
            rows.append((name, arm, *ratios, verdict(*ratios) if all(ratios) else
                         "new" if ratios[1] else "gone"))
    return rows


def unlike(old, new):
    """What makes it a comparison of two machines, or of two ways to measure."""
    return [f"{key}: {old.get(key)} then, {new.get(key)} now" for key in
            ("kernel", "machine", "cpus", "settings") if old.get(key) != new.get(key)]
