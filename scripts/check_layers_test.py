#!/usr/bin/env python3
"""Self-test of check_layers.py: plants violations and expects each to be found."""

import unittest

from planted_tree import PlantedTreeTest

import check_layers


class LayersTest(PlantedTreeTest):
    check = staticmethod(check_layers.check)

    def test_an_empty_tree_is_clean(self):
        self.expect_clean()

    def test_arrows_that_the_table_has_are_clean(self):
        self.plant("src/base/result.h", "#include <vector>")
        self.plant("src/os/memfd.h", '#include "base/result.h"')
        self.plant("src/os/memfd.cc", '#include "os/memfd.h"', "#include <sys/mman.h>")
        self.plant("src/shm/heap/slab.h", '#include "os/memfd.h"')
        self.plant("src/client/session.cc", "#include <tarn/tarn.h>", '#include "shm/heap/slab.h"')
        self.plant("include/tarn/tarn.h", "#include <tarn/pipe.h>")
        self.plant("src/tools/main.cc", "#include <tarn/tarn.h>", "#include <CLI/CLI.hpp>")
        self.expect_clean()

    def test_an_upward_include_is_found(self):
        self.plant("src/os/memfd.h")
        self.plant("src/base/log.cc", "// comment", '#include "os/memfd.h"')
        self.expect_finding("src/base/log.cc:2", "base may not include src/os/memfd.h")

    def test_an_include_of_a_file_that_is_missing_is_judged_by_its_name(self):
        self.plant("src/wire/message.h", '#include "shm/segment/segment.h"')
        self.expect_finding("src/wire/message.h:1", "wire may not include")

    def test_the_daemon_may_not_use_the_client(self):
        self.plant("src/daemon/worker/registry.cc", '#include "client/session.h"')
        self.expect_finding("src/daemon/worker/registry.cc:1", "daemon may not include")

    def test_a_public_header_may_not_include_a_private_one(self):
        self.plant("include/tarn/tarn.h", '#include "base/result.h"')
        self.expect_finding("include/tarn/tarn.h:1", "public may not include")

    def test_every_layer_may_use_the_vocabulary_which_uses_nothing(self):
        self.plant("src/base/result.h", "#include <tarn/error.h>")
        self.expect_clean()
        self.plant("include/tarn/error.h", "#include <tarn/pipe.h>")
        self.expect_finding("include/tarn/error.h:1", "nothing of ours")

    def test_tools_may_not_reach_into_the_library(self):
        self.plant("src/tools/top.cc", '#include "client/session.h"')
        self.expect_finding("src/tools/top.cc:1", "tools may not include")

    def test_inside_shm_the_order_holds(self):
        self.plant("src/shm/heap/slab.h", '#include "shm/segment/segment.h"')
        self.plant("src/shm/segment/segment.h", '#include "shm/heap/slab.h"')
        self.expect_finding("src/shm/segment/segment.h:1", "segment <- session <- heap")

    def test_inside_shm_equals_may_not_use_each_other(self):
        self.plant("src/shm/pipe/pipe.cc", '#include "shm/blob/blob.h"')
        self.expect_finding("src/shm/pipe/pipe.cc:1", "shm/pipe may not include")

    def test_a_layout_header_includes_layouts_only(self):
        self.plant("src/shm/pipe/pipe_layout.h", '#include "shm/heap/slab_layout.h"')
        self.plant("src/shm/heap/slab_layout.h", '#include "os/memfd.h"')
        self.expect_finding("src/shm/heap/slab_layout.h:1", "layout header")

    def test_a_system_header_outside_os_is_found(self):
        self.plant("src/shm/pipe/pipe.cc", "#include <linux/futex.h>")
        self.expect_finding("src/shm/pipe/pipe.cc:1", "<linux/futex.h> belongs to src/os")

    def test_system_headers_are_free_outside_the_library(self):
        for path in ("src/testing/a.cc", "src/tools/a.cc", "tests/e2e/a.cc", "bench/a.cc"):
            self.plant(path, "#include <unistd.h>")
        self.expect_clean()

    def test_a_library_outside_its_place_is_found(self):
        self.plant("src/base/log.cc", "#include <spdlog/spdlog.h>")
        self.plant("src/base/error.cc", "#include <spdlog/spdlog.h>")
        self.expect_finding("src/base/error.cc:1", "<spdlog/spdlog.h>", "src/base/log.cc")

    def test_testing_is_for_tests(self):
        self.plant("src/shm/pipe/pipe_test.cc", '#include "testing/crash_sweep.h"')
        self.plant("src/shm/pipe/pipe.cc", '#include "testing/crash_sweep.h"')
        self.expect_finding("src/shm/pipe/pipe.cc:1", "shm may not include")

    def test_an_unknown_folder_is_found(self):
        self.plant("src/extras/a.cc", '#include "base/result.h"')
        self.expect_finding("src/extras/a.cc:1", "not in the layer table")


class SizesTest(PlantedTreeTest):
    check = staticmethod(check_layers.check)

    def test_a_long_file_is_found(self):
        self.plant("src/base/long.cc", *["// line"] * 401)
        self.expect_finding("src/base/long.cc:1", "401 lines")

    def test_a_full_folder_is_found(self):
        for number in range(26):
            self.plant(f"src/base/file{number}.cc")
        self.expect_finding("src/base/:1", "26 files")

    def test_what_the_baseline_lists_may_stay_but_not_grow(self):
        self.plant("scripts/size_baseline.txt", "# comment", "src/base/long.cc 405")
        self.plant("src/base/long.cc", *["// line"] * 405)
        self.expect_clean()
        self.plant("src/base/long.cc", *["// line"] * 406)
        self.expect_finding("src/base/long.cc:1", "406 lines")

    def test_a_written_baseline_makes_the_tree_clean(self):
        self.plant("src/base/long.cc", *["// line"] * 500)
        (self.root / "scripts").mkdir()
        check_layers.write_baseline(self.root, check_layers.measure(self.root))
        self.expect_clean()


if __name__ == "__main__":
    unittest.main()
