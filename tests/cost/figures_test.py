# SPDX-License-Identifier: Apache-2.0
"""Medians, intervals and pairs are what they are called."""

import random
import unittest

import figures


def rows(*times):
    return [{"round": i, "ns_per_operation": time} for i, time in enumerate(times)]


class Figures(unittest.TestCase):
    def test_the_interval_of_one_value_is_that_value(self):
        self.assertEqual(figures.summary([1.5]),
                         {"median": 1.5, "low": 1.5, "high": 1.5, "pairs": 1})

    def test_nothing_has_no_summary(self):
        self.assertIsNone(figures.summary([]))

    def test_the_interval_holds_the_median_and_stays_within_the_values(self):
        values = [1.0, 1.2, 1.1, 1.4, 0.9, 1.3, 1.15]
        made = figures.summary(values)
        self.assertEqual(made["median"], 1.15)
        self.assertTrue(min(values) <= made["low"] <= 1.15 <= made["high"] <= max(values), made)

    def test_the_interval_holds_the_truth_about_as_often_as_it_says(self):
        dice = random.Random(7)
        held = 0
        for _ in range(200):
            low, high = figures.interval([dice.gauss(1.2, 0.1) for _ in range(15)])
            held += low <= 1.2 <= high
        self.assertGreater(held, 176)

    def test_more_rounds_make_a_narrower_interval(self):
        dice = random.Random(1)
        many = [dice.gauss(1, 0.1) for _ in range(200)]
        low, high = figures.interval(many)
        low_of_few, high_of_few = figures.interval(many[:10])
        self.assertLess(high - low, (high_of_few - low_of_few) / 2)

    def test_one_outlier_does_not_move_the_median(self):
        self.assertAlmostEqual(figures.summary([1.0, 1.01, 1.02, 1.03, 9.0])["median"], 1.02)

    def test_the_same_values_give_the_same_interval(self):
        values = [1.0, 1.1, 1.3, 1.2]
        self.assertEqual(figures.summary(values), figures.summary(values))

    def test_ratios_are_taken_within_a_round(self):
        self.assertEqual(figures.ratios(rows(20, 60), rows(10, 20)), [2, 3])

    def test_a_round_without_its_other_half_is_no_pair(self):
        traced = [{"round": 1, "ns_per_operation": 30}, {"round": 5, "ns_per_operation": 1}]
        self.assertEqual(figures.ratios(traced, rows(10, 20)), [1.5])

    def test_few_pairs_make_no_claim(self):
        few = figures.summary([1.0] * 14)
        enough = figures.summary([1.0] * 15)
        self.assertIsNone(figures.as_control(few, enough))
        self.assertIsNone(figures.as_control(enough, few))
        self.assertEqual(figures.as_control(enough, enough), "yes")

    def test_what_lies_apart_is_told_apart(self):
        slower = figures.summary([1.2, 1.21, 1.19] * 5)
        self.assertEqual(figures.as_control(slower, figures.summary([1.0, 1.01, 0.99] * 5)), "no")

    def test_what_was_not_measured_is_not_in_the_median(self):
        self.assertEqual(figures.median_of([{"a": 1}, {"a": None}, {}, {"a": 3}], "a"), 2)
        self.assertIsNone(figures.median_of([{}], "a"))


if __name__ == "__main__":
    unittest.main()
