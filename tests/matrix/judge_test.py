# SPDX-License-Identifier: Apache-2.0
"""Each thing that must fail the matrix does, in a sentence that names program and kernel."""

import unittest

import results
from judge import LIMIT, judge, parse_unsupported

PROGRAMS = [("process", "exit", "exit_btf"), ("process", "exit", "exit_raw")]


def row(program, state="fired", **more):
    return {"channel": "ring", "observer": "process", "hook": "exit", "program": program,
            "required": True, "state": state, "triggered": True, "verified": 1000, **more}


def good():
    return [row("exit_btf"), row("exit_raw")]


class Judge(unittest.TestCase):
    def sentence(self, rows, programs=PROGRAMS, declared=None, before=()):
        failures, _ = judge("5.10", rows, programs, {"process": declared or {}}, before)
        self.assertEqual(len(failures), 1, failures)
        self.assertIn("5.10", failures[0])
        return failures[0]

    def test_what_fires_everywhere_is_good(self):
        self.assertEqual(judge("5.10", good(), PROGRAMS, {}), ([], []))

    def test_a_candidate_that_is_no_program_of_the_object_fails(self):
        broken = row("exit_bft", "refused", reason="no program exit_bft")
        said = self.sentence(good() + [broken], PROGRAMS + [("process", "exit", "exit_bft")])
        self.assertIn("exit_bft (hook exit) was refused on 5.10", said)
        self.assertIn("no program exit_bft", said)

    def test_a_list_of_candidates_without_one_that_works_fails(self):
        lacking = [row("exit_btf", "unsupported", reason="needs tp_btf"),
                   row("exit_raw", "unsupported", reason="needs raw_tp")]
        said = self.sentence(lacking)
        self.assertIn("required hook exit of process", said)
        self.assertIn("exit_btf, exit_raw", said)

    def test_a_program_over_the_limit_fails_and_one_at_the_limit_does_not(self):
        said = self.sentence([row("exit_btf", verified=LIMIT + 1), row("exit_raw")])
        self.assertIn("exit_btf took 500001 verified instructions on 5.10", said)
        at_limit = [row("exit_btf", verified=LIMIT), row("exit_raw")]
        self.assertEqual(judge("5.10", at_limit, PROGRAMS, {})[0], [])

    def test_a_kernel_without_the_tracepoint_fails_unless_it_is_said_why(self):
        rows = [row("exit_btf"), row("exit_raw", "refused", reason="attach exit_raw: No such file")]
        said = self.sentence(rows)
        self.assertIn("exit_raw (hook exit) was refused on 5.10 over ring buffers: attach exit_raw", said)
        declared = {"process": parse_unsupported("exit_raw  5.10  no such tracepoint before 5.11")}
        self.assertEqual(judge("5.10", rows, PROGRAMS, declared), ([], []))

    def test_a_program_that_works_though_it_is_said_to_be_impossible_fails(self):
        said = self.sentence(good(), declared={("exit_raw", "5.10"): "no such tracepoint"})
        self.assertIn("exit_raw works on 5.10", said)

    def test_a_program_without_a_result_fails(self):
        self.assertIn("exit_raw (observer process, hook exit) has no result on 5.10",
                      self.sentence([row("exit_btf")]))
        self.assertIn("no program has a result on 5.10", self.sentence([]))

    def test_a_hook_that_must_fire_and_is_blind_fails(self):
        said = self.sentence([row("exit_btf", "attached"), row("exit_raw")])
        self.assertIn("exit_btf (hook exit) is attached, blind on 5.10", said)
        said = self.sentence([row("exit_btf", "ran"), row("exit_raw")])
        self.assertIn("exit_btf (hook exit) ran, and no record of it came out on 5.10", said)

    def test_a_passive_hook_that_nothing_triggers_is_good(self):
        rows = [row("exit_btf", "attached", triggered=False), row("exit_raw", triggered=False)]
        self.assertEqual(judge("5.10", rows, PROGRAMS, {}), ([], []))

    def test_a_missing_feature_is_good_unless_it_was_there_before(self):
        rows = [row("exit_btf", "unsupported", reason="needs tp_btf"), row("exit_raw")]
        self.assertEqual(judge("5.10", rows, PROGRAMS, {}), ([], []))
        said = self.sentence(rows, before=good())
        self.assertIn("exit_btf (hook exit) fired on 5.10 over ring buffers before, and now needs tp_btf", said)

    def test_growth_is_told_and_does_not_fail(self):
        rows = [row("exit_btf", verified=1101), row("exit_raw", verified=1100)]
        failures, notes = judge("5.10", rows, PROGRAMS, {}, good())
        self.assertEqual(failures, [])
        self.assertEqual(notes, ["exit_btf grew from 1000 to 1101 verified instructions on 5.10 "
                                 "over ring buffers (+10 %)"])

    def test_a_line_without_a_reason_is_refused(self):
        with self.assertRaises(ValueError):
            parse_unsupported("# why not\nexit_raw 5.10\n")


LOG = """boot: booting
== begin
== programs
{"matrix":1,"release":"5.10.0","channel":"ring","observer":"process","hook":"exit","program":"a"}
{"matrix":1,"release":"5.10.0","channel":"ring","observer":"process","hook":"exit","pro
== tests natively
[  PASSED  ] 3 tests.
[  PASSED  ] 2 tests.
[  FAILED  ] 1 test, listed below:
[  FAILED  ] Paths/On.a_thing/native, where GetParam() = ""
== ended with 1: some_kernel_test
== tests ringbuf
== ended with 139: other_kernel_test
"""


class Results(unittest.TestCase):
    def test_tests_are_counted_and_what_failed_is_named_with_its_part(self):
        passed, broken = results.read_tests(LOG + "== all\n")
        self.assertEqual(passed, 5)
        self.assertEqual(broken, ["Paths/On.a_thing/native failed (natively)",
                                  "other_kernel_test ended with 139 (ringbuf)"])

    def test_a_run_that_was_cut_is_no_good_run(self):
        self.assertEqual(results.read_tests(LOG)[1][-1], "the run did not reach its end (ringbuf)")

    def test_a_boot_that_was_tried_again_counts_once(self):
        self.assertEqual(results.read_tests(LOG + LOG + "== all\n")[0], 5)
        self.assertEqual(len(results.parse(LOG + LOG)), 1)

    def test_a_partial_run_keeps_the_other_columns_in_the_order_of_the_kernels(self):
        column = lambda name, n: {"name": name, "n": n, "programs": good()}
        old = [column("6.1", 1), column("host", 1)]
        new = [column("5.10", 2), column("6.1", 2)]
        merged = results.merged(old, new, ["5.10", "6.1"], PROGRAMS)
        self.assertEqual([(k["name"], k["n"]) for k in merged],
                         [("5.10", 2), ("6.1", 2), ("host", 1)])

    def test_programs_that_are_no_more_leave_the_columns_that_stay(self):
        old = [{"name": "6.12-arm64", "programs": good()}]
        kept, = results.merged(old, [], ["6.12-arm64"], PROGRAMS[1:])
        self.assertEqual(kept["programs"], [row("exit_raw")])

    def test_a_table_has_a_word_for_every_cell(self):
        columns = [{"name": "5.10", "programs": [row("a", ns=12_345), row("b", "refused")]},
                   {"name": "6.1", "programs": [row("a", "attached", ns=900)]}]
        self.assertEqual(results.table(columns, "ring").split("\n"), [
            "observer  hook  program  5.10             6.1",
            "process   exit  a        fired 1000 12us  attached 1000 900ns",
            "process   exit  b        refused          not run"])


unittest.main()
