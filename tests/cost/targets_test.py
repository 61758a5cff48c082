# SPDX-License-Identifier: Apache-2.0
"""A target is met, missed or not known; never met by what was not measured."""

import unittest

import targets
from workloads import Workload


def arm(*times, kind="tapio", same_facts=False, unaccounted=0, ratio=None, pairs=15):
    rows = [{"round": i, "ns_per_operation": time, "unaccounted": unaccounted}
            for i, time in enumerate(times)]
    median, low, high = ratio or (1.0, 0.99, 1.01)
    return {"kind": kind, "same_facts": same_facts, "rounds": rows,
            "ratio": {"median": median, "low": low, "high": high, "pairs": pairs}}


def workload(name, sends=None):
    return Workload(name, "", 1, None, ("process",), sends=sends or {})


def judge(name, programs=(), sends=None, **arms):
    named = {key.replace("_", " "): value for key, value in arms.items()}
    return {row["target"]: row["verdict"] for row in
            targets.judge(workload(name, sends), {"untraced": arm(10), **named}, list(programs))}


class Targets(unittest.TestCase):
    def test_a_ratio_at_its_most_is_met_and_above_missed(self):
        for median, verdict in ((1.10, "met"), (1.11, "missed")):
            said = judge("exec", tapio=arm(11, ratio=(median, 1, 2)))
            self.assertEqual(said, {"tapio at most 1.10": verdict})

    def test_few_rounds_meet_and_miss_nothing(self):
        peer = arm(1, kind="peer", same_facts=True, pairs=5)
        self.assertEqual(set(judge("exec", tapio=arm(1, pairs=5)).values()), {"unknown"})
        self.assertEqual(set(judge("fork", tapio_wide=arm(1), peer=peer).values()), {"unknown"})
        said = judge("veth", floor=arm(1, 1), tapio_with_dns=arm(1, 1))
        self.assertEqual(said["tapio with dns at most 1.10 times the floor"], "unknown")

    def test_what_was_not_measured_is_unknown(self):
        self.assertEqual(set(judge("veth").values()), {"unknown"})
        self.assertEqual(set(judge("signals").values()), {"unknown"})

    def test_unnoticed_is_an_interval_that_holds_one_or_ends_below(self):
        for ratio, verdict in (((1.2, 0.9, 1.5), "met"), ((1.02, 1.01, 1.04), "met"),
                               ((1.04, 1.02, 1.06), "missed"), ((0.9, 0.8, 0.95), "met")):
            said = judge("getppid", tapio=arm(1, ratio=ratio))
            self.assertEqual([*said.values()], [verdict])

    def test_few_rounds_do_not_show_that_something_goes_unnoticed(self):
        self.assertEqual([*judge("getppid", tapio=arm(1, pairs=14)).values()], ["unknown"])

    def test_one_round_with_something_unaccounted_misses(self):
        good = arm(1, 1, ratio=(1, 1, 1))
        bad = arm(1, 1, unaccounted=0)
        bad["rounds"][1]["unaccounted"] = 1
        said = judge("signals", tapio=good, tapio_wide=bad)
        self.assertEqual(said["tapio: nothing unaccounted"], "met")
        self.assertEqual(said["tapio wide: nothing unaccounted"], "missed")

    def test_the_floor_is_compared_within_rounds(self):
        said = judge("veth", tapio=arm(1), floor=arm(*[10, 20, 30] * 2),
                     tapio_with_dns=arm(*[11, 21, 60] * 2))
        self.assertEqual(said["tapio with dns at most 1.10 times the floor"], "met")
        said = judge("veth", tapio=arm(1), floor=arm(*[10, 20, 30] * 2),
                     tapio_with_dns=arm(*[12, 24, 30] * 2))
        self.assertEqual(said["tapio with dns at most 1.10 times the floor"], "missed")

    def test_a_program_is_compared_with_the_floor_that_sends_as_much(self):
        def programs(ns):
            return [{"arm": "floor that sends", "hook": "exit", "ns": 100},
                    {"arm": "floor", "hook": "exit", "ns": 10},
                    {"arm": "tapio wide", "hook": "exit", "ns": ns},
                    {"arm": "tapio", "hook": "exit", "ns": 900 - ns}]
        for ns, verdict in ((160, "met"), (161, "missed")):
            said = judge("fork", programs(ns), {"exit": 168})
            self.assertEqual([*said.values()], [verdict])
        self.assertEqual([*judge("fork", [], {"exit": 168}).values()], ["unknown"])

    def test_only_peers_that_tell_the_same_are_to_be_beaten(self):
        wide = arm(1, ratio=(1.3, 1.2, 1.4))
        slow = arm(1, kind="peer", same_facts=True, ratio=(1.5, 1.4, 1.6))
        quick = arm(1, kind="peer", same_facts=True, ratio=(1.1, 1.0, 1.2))
        counts = arm(1, kind="peer", ratio=(1.01, 1.0, 1.2))
        said = judge("fork", tapio_wide=wide, slow=slow, quick=quick, counts=counts)
        self.assertEqual(said, {"tapio wide below slow (1.50)": "met",
                                "tapio wide below quick (1.10)": "missed"})


if __name__ == "__main__":
    unittest.main()
