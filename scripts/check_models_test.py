#!/usr/bin/env python3
"""Self-test of check_models.py, and of how run_model.py judges."""

import unittest

from planted_tree import PlantedTreeTest

import check_models
import run_model


class ModelNamesTest(PlantedTreeTest):
    check = staticmethod(check_models.check)

    def plant_model(self, *lines):
        self.plant("tests/models/ring.pml", *lines)

    def test_an_empty_tree_is_clean(self):
        self.expect_clean()

    def test_labels_that_both_name_are_clean(self):
        self.plant_model("push_claimed:", "push_filled:", "end_idle:", "died:")
        self.plant(
            "src/shm/ring.cc", "  f();  // model: ring.pml, labels push_claimed, push_filled"
        )
        self.expect_clean()

    def test_a_label_that_the_model_lacks_is_found(self):
        self.plant_model("push_claimed:")
        self.plant(
            "src/shm/ring.cc",
            "// model: ring.pml, label push_claimed",
            "// model: ring.pml, label push_gone",
        )
        self.expect_finding("src/shm/ring.cc:2", "no label push_gone")

    def test_a_label_that_no_code_names_is_found(self):
        self.plant_model("  skip;", "push_claimed:")
        self.expect_finding("tests/models/ring.pml:2", "names label push_claimed")

    def test_a_label_that_the_code_does_not_have_is_excused(self):
        self.plant_model(" * Unnamed   again", "again:")
        self.expect_clean()

    def test_an_excuse_without_its_label_is_found(self):
        self.plant_model(" * Unnamed   again")
        self.expect_finding("tests/models/ring.pml:1", "no label")

    def test_a_missing_model_is_found(self):
        self.plant("src/shm/ring.cc", "// model: ring.pml, label push_claimed")
        self.expect_finding("src/shm/ring.cc:1", "there is no tests/models/ring.pml")

    def test_a_mention_without_a_label_is_found(self):
        self.plant("src/shm/ring.cc", "// model: ring.pml")
        self.expect_finding("src/shm/ring.cc:1", "write")


class RunModelTest(PlantedTreeTest):
    GOOD = "State-vector 8 byte, depth reached 3, errors: 0\n        5 states, stored\n"

    def judge(self, kind, output, unreached=frozenset()):
        self.plant("ring.pml", "one:", "  atomic { may_die(MEMBER) };", "two:", "  x = 1")
        run = run_model.Run(kind, "name", False, [], set(unreached))
        return run_model.judge(self.root / "ring.pml", self.root, run, output)

    def test_the_head_is_read(self):
        runs = run_model.runs_of(
            " * run a: -DX=1 (unreached two, one)\n * mutant BAD:\n * soak b (progress): -DY\n"
        )
        self.assertEqual([run.kind for run in runs], ["run", "mutant", "soak"])
        self.assertEqual(runs[0].flags, ["-DX=1"])
        self.assertEqual(runs[0].unreached, {"one", "two"})
        self.assertEqual(runs[1].flags, ["-DMUTANT_BAD"])
        self.assertTrue(runs[2].progress)

    def test_a_clean_search_passes(self):
        self.assertEqual(self.judge("run", self.GOOD), "")

    def test_an_error_fails_a_run_and_is_wanted_of_a_mutant(self):
        bad = "pan:1: assertion violated x\n" + self.GOOD.replace("errors: 0", "errors: 1")
        self.assertIn("assertion violated", self.judge("run", bad))
        self.assertEqual(self.judge("mutant", bad), "")
        self.assertIn("no error was found", self.judge("mutant", self.GOOD))

    def test_a_search_that_was_cut_short_fails(self):
        short = "error: max search depth too small\n" + self.GOOD
        self.assertIn("cut short", self.judge("run", short))
        self.assertIn("cut short", self.judge("mutant", short))
        self.assertIn("did not end", self.judge("run", "killed"))

    def test_a_step_that_was_not_reached_fails(self):
        # The branch that lives on, and the plain statement.
        missed = self.GOOD + '\tring.pml:2, state 1, "(1)"\n\tring.pml:4, state 2, "x = 1"\n'
        self.assertIn("one, two", self.judge("run", missed))
        self.assertEqual(self.judge("run", missed, {"one", "two"}), "")
        self.assertIn("against expectation", self.judge("run", self.GOOD, {"two"}))


if __name__ == "__main__":
    unittest.main()
