# SPDX-License-Identifier: Apache-2.0
"""What is counted of Tapio, of other tools and of rounds."""

import itertools
import unittest
from collections import Counter

import arms
import peers
import rounds
from workloads import Workload

SIGNALS = Workload("signals", "signal", 100, None, ("process",), {"signal_generate": 1}, 1,
                   {"generate": 120})


def status(entered, records=0, lost=0, residue=0, missed=0, attached="generate_btf", state="on"):
    row = {"observer": "process", "hook": "signal_generate", "entered": entered, "emitted": entered,
           "filtered": 0, "missed": missed, "read": entered}
    return {"hooks": [{"name": "signal_generate", "program": attached}],
            "observers": [{"name": "process", "state": state}],
            "ledger": {"residue": residue, "rows": [row],
                       "observers": [{"name": "process", "records": {"bulk": {"emitted": records}}}]},
            "loss": [{"observer": "process", "class": "bulk", "stage": "kernel",
                      "reason": "rate_limited", "count": lost}]}


class Account(unittest.TestCase):
    def account(self, after, operations=100):
        return arms.account(status(10, 1, 5), after, SIGNALS, operations)

    def test_what_grew_is_what_counts(self):
        made = self.account(status(110, 31, 75))
        self.assertEqual((made["generated"], made["reported"], made["lost"], made["unaccounted"]),
                         (100, 30, 70, 0))
        self.assertEqual(made["losses"], {"process bulk kernel rate_limited": 70})

    def test_a_run_that_the_ledger_lacks_is_unaccounted(self):
        self.assertEqual(self.account(status(107))["unaccounted"], 3)

    def test_a_run_that_the_kernel_refused_is_accounted_for(self):
        self.assertEqual(self.account(status(107, missed=3))["unaccounted"], 0)

    def test_residue_is_unaccounted(self):
        self.assertEqual(self.account(status(110, residue=2))["unaccounted"], 2)

    def test_of_a_hook_that_is_not_attached_nothing_is_expected(self):
        self.assertEqual(self.account(status(10, attached=""))["unaccounted"], 0)

    def test_of_an_observer_that_is_off_no_record_is_expected(self):
        self.assertEqual(self.account(status(110, state="off"))["generated"], 0)


class Peers(unittest.TestCase):
    def test_lines_are_counted_and_what_it_admits_is_accounted_for(self):
        peer = peers.Peer("p", ("p",), r"^signal \d+ loops")
        text = "Attaching\nsignal 1 loops 10\nsignal 2 other 10\nsignal 3 loops 10\nLost 5 events\n"
        self.assertEqual(peers.reported(text, peer, 10),
                         {"generated": 10, "reported": 2, "lost": 8, "unaccounted": 3})

    def test_numbers_are_added_up(self):
        peer = peers.Peer("p", ("p",), r"^@: (\d+)", 2)
        self.assertEqual(peers.reported("@: 12\n@: 9\n", peer, 10)["reported"], 21)

    def test_more_than_was_made_is_no_loss(self):
        peer = peers.Peer("p", ("p",), r"^@: (\d+)")
        self.assertEqual(peers.reported("@: 12\n", peer, 10)["lost"], 0)


class Rounds(unittest.TestCase):
    def test_each_arm_has_each_place_and_follows_each_other_equally_often(self):
        for arms, count in (("abcd", 4), ("abcdefghijkl", 12), ("abc", 6), ("abcdefg", 14), ("a", 2)):
            orders = [rounds.order([*arms], number) for number in range(count)]
            places = Counter((arm, place) for order in orders for place, arm in enumerate(order))
            behind = Counter(pair for order in orders for pair in itertools.pairwise(order))
            self.assertEqual(set(places.values()), {count // len(arms)}, arms)
            self.assertEqual(len(places), len(arms) ** 2)
            self.assertLessEqual(set(behind.values()), {count // len(arms)}, arms)
            self.assertEqual(len(behind), len(arms) * (len(arms) - 1))

    def test_programs_of_tapio_and_floor_have_one_name(self):
        for name in ("tcp_opened_btf", "tcp_opened_bt", "tcp_opened_raw", "floor_tcp_opened"):
            self.assertEqual(rounds.base_of(name), "tcp_opened")


class Arms(unittest.TestCase):
    class Tools:
        tapio, floor = "tapio", "floor"

    def names(self, *observers, sends=None):
        workload = Workload("w", "", 1, None, observers, sends=sends or {})
        return [arm.name for arm in arms.arms(workload, self.Tools)]

    def test_only_observers_that_are_concerned_run_alone(self):
        self.assertEqual(self.names(), ["untraced", "untraced again", "tapio"])
        self.assertEqual(self.names("process"), ["untraced", "untraced again", "floor", "tapio",
                                                 "tapio process alone", "tapio wide"])

    def test_alone_is_without_all_others(self):
        settings = arms.alone("process")
        self.assertIn("observers.process.enabled=true", settings)
        self.assertIn("observers.dns.enabled=false", settings)
        self.assertEqual(sum(setting.endswith("=true") for setting in settings), 1)

    def test_a_floor_sends_where_tapio_does(self):
        self.assertIn("floor that sends", self.names("process", sends={"exit": 168}))
        self.assertEqual(SIGNALS.floor(sending=True)[-2:], ["generate=120", "deliver"])
        self.assertNotIn("generate=120", SIGNALS.floor(sending=False))


if __name__ == "__main__":
    unittest.main()
