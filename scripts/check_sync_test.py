#!/usr/bin/env python3
"""Self-test of check_sync.py: plants violations and expects each to be found."""

import unittest

from planted_tree import PlantedTreeTest

import check_sync

RELEASE = (
    "// sync(ready): hands the bytes",
    "// to read().",
    "word.store(1, std::memory_order_release);",
)
ACQUIRE = ("// sync(ready): receives the bytes.", "word.load(std::memory_order_acquire);")


class SyncTest(PlantedTreeTest):
    check = staticmethod(check_sync.check)

    def test_a_pair_in_two_files_is_clean(self):
        self.plant("src/shm/writer.cc", *RELEASE)
        self.plant("src/shm/reader.cc", *ACQUIRE)
        self.expect_clean()

    def test_both_spellings_of_an_order_are_known(self):
        self.plant("src/shm/a.cc", *RELEASE, "", "// sync(ready): receives.")
        with (self.root / "src/shm/a.cc").open("a") as file:
            file.write("word.load(std::memory_order::acquire);\n")
        self.expect_clean()

    def test_a_lonely_name_is_found(self):
        self.plant("src/shm/writer.cc", "", *RELEASE)
        self.expect_finding("src/shm/writer.cc:2", "sync(ready) has one end only")

    def test_two_releases_without_an_acquire_are_found(self):
        self.plant("src/shm/writer.cc", *RELEASE, *[""] * 9, *RELEASE)
        self.expect_finding("src/shm/writer.cc:1", "sync(ready) has no acquire end")

    def test_two_acquires_without_a_release_are_found(self):
        self.plant("src/shm/reader.cc", *ACQUIRE, *[""] * 9, *ACQUIRE)
        self.expect_finding("src/shm/reader.cc:1", "sync(ready) has no release end")

    def test_an_order_too_far_below_is_no_end(self):
        self.plant("src/shm/reader.cc", *ACQUIRE)
        self.plant("src/shm/writer.cc", *RELEASE)
        self.plant("src/shm/far.cc", "// sync(ready): far.", *[";"] * 8, RELEASE[-1])
        self.expect_finding("src/shm/far.cc:1", "no releasing or acquiring order")

    def test_a_misspelt_name_is_found(self):
        self.plant("src/shm/a.cc", *RELEASE, *ACQUIRE, "", *[";"] * 8)
        self.plant("src/shm/b.cc", "// sync(Ready one): x", RELEASE[-1])
        self.expect_finding("src/shm/b.cc:1", "a name is lower-case words")


class RelaxedTest(PlantedTreeTest):
    check = staticmethod(check_sync.check)
    LOAD = "auto tail = tail_.load(std::memory_order_relaxed);"

    def test_a_reason_above_or_beside_is_enough(self):
        self.plant("src/shm/a.cc", "// relaxed: the CAS decides.", "", "", "", self.LOAD)
        self.plant("src/shm/b.cc", self.LOAD + "  // relaxed: a hint")
        self.expect_clean()

    def test_one_reason_holds_for_a_run_but_not_across_a_gap(self):
        self.plant("src/shm/a.cc", "// relaxed: counters.", *[self.LOAD] * 9, "if (x)", self.LOAD)
        self.expect_clean()
        self.plant("src/shm/a.cc", "// relaxed: counters.", *[self.LOAD] * 9, "", "", self.LOAD)
        self.expect_finding("src/shm/a.cc:13", "relaxed without its reason")

    def test_no_reason_is_found(self):
        self.plant("src/shm/a.cc", "", self.LOAD)
        self.expect_finding("src/shm/a.cc:2", "relaxed without its reason")

    def test_a_reason_too_far_above_is_found(self):
        self.plant("src/shm/a.cc", "// relaxed: x", "", "", "", "", self.LOAD)
        self.expect_finding("src/shm/a.cc:6", "relaxed without its reason")

    def test_the_word_in_a_string_is_no_reason(self):
        self.plant("src/shm/a.cc", 'log("// relaxed: no");', self.LOAD)
        self.expect_finding("src/shm/a.cc:2", "relaxed without its reason")

    def test_tests_are_not_read(self):
        self.plant("src/shm/a_test.cc", self.LOAD)
        self.plant("tests/stress/a.cc", self.LOAD)
        self.expect_clean()


class SeqCstTest(PlantedTreeTest):
    check = staticmethod(check_sync.check)
    STORE = "sleeping.store(1, std::memory_order_seq_cst);"

    def test_two_named_words_are_enough(self):
        comment = ("// seq_cst: `sleeping`", "// and `tail` need one order.")
        self.plant("src/shm/a.cc", *comment, self.STORE)
        self.expect_clean()

    def test_no_words_are_found(self):
        self.plant("src/shm/a.cc", "// seq_cst: to be safe.", self.STORE)
        self.expect_finding("src/shm/a.cc:2", "two words")

    def test_an_operation_without_an_order_is_found(self):
        self.plant("src/shm/a.cc", "if (tail_.load() == head) return;")
        self.expect_finding("src/shm/a.cc:1", "without a written order")

    def test_outside_the_library_the_default_order_is_fine(self):
        self.plant("src/tools/a.cc", "if (arrived.load() != 0) return;")
        self.expect_clean()

    def test_a_read_modify_write_without_an_order_is_found(self):
        self.plant("src/shm/a.cc", "tail_.fetch_add(", "    step(1));")
        self.expect_finding("src/shm/a.cc:1", "without a written order")

    def test_an_order_on_a_later_line_of_the_call_counts(self):
        self.plant(
            "src/shm/a.cc",
            "tail_.compare_exchange_strong(",
            "    seen, next, std::memory_order_acq_rel,",
            "    std::memory_order_acquire);",
        )
        self.expect_clean()


if __name__ == "__main__":
    unittest.main()
