#!/usr/bin/env python3
"""Self-test of check_evidence.py."""

import unittest

from planted_tree import PlantedTreeTest

import check_evidence


class EvidenceTest(PlantedTreeTest):
    check = staticmethod(check_evidence.check)

    def plant_kinds(self, *kinds):
        lines = [f"  {kind}," for kind in kinds]
        self.plant("src/shm/audit/kind.h", "enum class Kind : int {", "  none = 0,", *lines, "};")

    def test_an_empty_tree_is_clean(self):
        self.expect_clean()

    def test_points_that_a_sweep_reaches_are_clean(self):
        self.plant("src/a.cc", 'TARN_CRASH_POINT("a.one");', '  TARN_CRASH_POINT("a.two");')
        self.plant("tests/crash/a_crash.cc", '  points.expect_all({"a.one",', '      "a.two"});')
        self.expect_clean()

    def test_a_point_that_no_sweep_names_is_found(self):
        self.plant("src/a.cc", "int a;", 'TARN_CRASH_POINT("a.one");')
        self.plant("tests/crash/a_crash.cc", 'death.was_at("a.one");')
        self.expect_finding("src/a.cc:2", "a.one")

    def test_a_comment_is_no_sweep(self):
        self.plant("src/a.cc", 'TARN_CRASH_POINT("a.one");', '// TARN_CRASH_POINT("a.two");')
        self.plant("tests/crash/a_crash.cc", '// expect_all({"a.one"});')
        self.expect_finding("src/a.cc:1", "a.one")

    def test_a_name_without_a_point_is_found(self):
        self.plant("tests/crash/a_crash.cc", "int a;", 'expect_all({"a.gone"});')
        self.expect_finding("tests/crash/a_crash.cc:2", "no crash point a.gone")

    def test_points_of_tests_are_their_own(self):
        self.plant("src/a_test.cc", 'TARN_CRASH_POINT("test.one");')
        self.expect_clean()

    def test_kinds_that_are_planted_are_clean(self):
        self.plant_kinds("pipe_id")
        self.plant("tests/e2e/check/a_test.cc", 'expect("pipe_id");')
        self.expect_clean()

    def test_a_kind_that_nobody_plants_is_found(self):
        self.plant_kinds("pipe_id", "slot_lap")
        self.plant("tests/e2e/check/a_test.cc", 'expect("pipe_id");  // not "slot_lap"')
        self.expect_finding("src/shm/audit/kind.h:4", "plants slot_lap")


if __name__ == "__main__":
    unittest.main()
