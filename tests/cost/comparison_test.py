# SPDX-License-Identifier: Apache-2.0
"""Two runs are compared by their intervals, and files that are none are refused."""

import json
import tempfile
import unittest
from pathlib import Path

import comparison


def ratio(median, spread=0.02):
    return {"median": median, "low": median - spread, "high": median + spread, "pairs": 15}


def run(date="2026-11-26T00:00:00+00:00", **ratios):
    arms = {name: {"ratio": value} for name, value in ratios.items()}
    return {"schema": comparison.SCHEMA, "date": date, "kernel": "6.18", "cpus": 2,
            "workloads": {"exec": {"arms": {"untraced": {"ratio": None}, **arms}}}}


class Comparison(unittest.TestCase):
    def said(self, old, new):
        return [(arm, what) for _, arm, _, _, what in comparison.compare(old, new)]

    def test_what_moved_by_more_than_its_intervals_is_told(self):
        self.assertEqual(self.said(run(a=ratio(1.1), b=ratio(1.5)), run(a=ratio(1.3), b=ratio(1.2))),
                         [("a", "slower"), ("b", "faster")])

    def test_intervals_that_touch_are_the_same(self):
        self.assertEqual(self.said(run(a=ratio(1.10)), run(a=ratio(1.13))), [("a", "the same")])

    def test_few_rounds_say_nothing(self):
        few = {**ratio(1.1), "pairs": 5}
        self.assertEqual(self.said(run(a=few), run(a=ratio(3))), [("a", "too few rounds")])

    def test_arms_and_workloads_of_one_side_are_named(self):
        self.assertEqual(self.said(run(a=ratio(1)), run(b=ratio(1))),
                         [("a", "gone"), ("b", "new")])
        new = run(a=ratio(1))
        new["workloads"] = {"fork": new["workloads"]["exec"]}
        self.assertEqual([(row[0], row[4]) for row in comparison.compare(run(a=ratio(1)), new)],
                         [("exec", "gone"), ("fork", "new")])

    def test_a_baseline_is_a_run_without_its_rounds(self):
        with tempfile.TemporaryDirectory() as folder:
            one, kept = Path(folder, "run.json"), Path(folder, "baseline.json")
            whole = run(a=ratio(1.1))
            whole["workloads"]["exec"]["arms"]["a"]["rounds"] = [{"ns": 1}]
            one.write_text(json.dumps(whole))
            comparison.keep(one, kept)
            self.assertEqual(self.said(comparison.load(one), comparison.load(kept)),
                             [("a", "the same")])
            self.assertNotIn("rounds", kept.read_text())

    def test_another_kernel_or_machine_is_told(self):
        other = {**run(), "kernel": "7.2", "cpus": 8}
        self.assertEqual(comparison.unlike(run(), other),
                         ["kernel: 6.18 then, 7.2 now", "cpus: 2 then, 8 now"])
        self.assertEqual(comparison.unlike(run(), run()), [])


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)

    def write(self, name, run):
        (self.path / name).write_text(json.dumps(run))
        return self.path / name

    def choose(self, *words):
        return comparison.choose(words, self.path, self.path / "kept" / "baseline.json")

    def test_the_last_two_are_taken_by_date_and_not_by_name(self):
        first = self.write("zz.json", run("2026-11-01T00:00:00+00:00"))
        last = self.write("aa.json", run("2026-11-03T00:00:00+00:00"))
        middle = self.write("mm.json", run("2026-11-02T00:00:00+00:00"))
        self.assertEqual(self.choose(), (middle, last))
        self.assertEqual(self.choose(first), (first, last))

    def test_a_single_run_is_compared_with_the_baseline(self):
        only = self.write("one.json", run())
        (self.path / "kept").mkdir()
        kept = self.write("kept/baseline.json", run())
        self.assertEqual(self.choose(), (kept, only))

    def test_nothing_to_compare_is_said(self):
        with self.assertRaisesRegex(comparison.Unusable, "0 runs"):
            self.choose()

    def test_what_is_no_run_is_refused_with_its_name(self):
        arm = '{"schema": 1, "date": "", "workloads": {"a": {"arms": {"b": {"ratio": %s}}}}}'
        for text in ("", "{", "[]", '{"schema": 0}', '{"schema": 1}', arm % "[]", arm % "{}",
                     arm % '{"median": 1, "low": "x", "high": 2}'):
            path = self.path / "bad.json"
            path.write_text(text)
            with self.assertRaisesRegex(comparison.Unusable, "bad.json"):
                comparison.load(path)
        self.assertEqual(comparison.last_runs(self.path), [])
        with self.assertRaisesRegex(comparison.Unusable, "missing.json"):
            comparison.load(self.path / "missing.json")


if __name__ == "__main__":
    unittest.main()
