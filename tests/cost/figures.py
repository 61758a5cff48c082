# SPDX-License-Identifier: Apache-2.0
"""What is made of the rounds: medians of ratios, and how sure they are."""

import random
import statistics

RESAMPLES = 2000
PAIRS_FOR_AN_INTERVAL = 6  # the least and the most of 5 hold the median in 94 % of cases only
PAIRS_FOR_A_CLAIM = 15  # fewer say nothing about "not distinguishable"


def interval(values):
    """95 % of the median: the bootstrap over rounds. The same values give the same interval."""
    dice = random.Random(len(values))
    medians = sorted(statistics.median(dice.choices(values, k=len(values)))
                     for _ in range(RESAMPLES))
    return medians[int(RESAMPLES * 0.025)], medians[int(RESAMPLES * 0.975) - 1]


def summary(values):
    """None of no values."""
    if not values:
        return None
    low, high = interval(values)
    return {"median": statistics.median(values), "low": low, "high": high, "pairs": len(values)}


def ratios(traced, untraced):
    """Time of an operation against the untraced one of the same round; a round that lacks either
    is no pair."""
    base = {row["round"]: row["ns_per_operation"] for row in untraced}
    return [row["ns_per_operation"] / base[row["round"]] for row in traced if row["round"] in base]


def overlap(a, b):
    return a["low"] <= b["high"] and b["low"] <= a["high"]


def as_control(ratio, control):
    """Whether a ratio is told apart from a second untraced run: "yes", "no", or None where there
    are too few pairs to say so."""
    if min(ratio["pairs"], control["pairs"]) < PAIRS_FOR_A_CLAIM:
        return None
    return "yes" if overlap(ratio, control) else "no"


def median_of(rows, key):
    values = [row[key] for row in rows if row.get(key) is not None]
    return statistics.median(values) if values else None
