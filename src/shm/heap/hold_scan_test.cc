#include "shm/heap/hold_scan.h"

#include <gtest/gtest.h>

#include "testing/fake_heap_host.h"

namespace tarn {
namespace {

using testing::FakeHeapHost;
using testing::FakeViewer;

TEST(HoldScanTest, AnswersOnlyWhatItLookedFor) {
  FakeHeapHost host;
  host.add_viewer();
  const auto viewers = host.viewers();
  HoldScan scan(*viewers);
  scan.look({{1, 1}});
  EXPECT_FALSE(scan.is_needed({1, 1}, 0));
  EXPECT_TRUE(scan.is_needed({2, 1}, 0));
  EXPECT_TRUE(scan.is_conclusive());
}

TEST(HoldScanTest, IsInconclusiveAfterAnyForward) {
  FakeHeapHost host;
  host.add_viewer();
  FakeViewer& forwarder = host.add_viewer();
  const auto viewers = host.viewers();
  HoldScan scan(*viewers);
  scan.look({{1, 1}});
  forwarder.record().bump_forwards();
  EXPECT_FALSE(scan.is_conclusive());
}

TEST(HoldScanTest, AViewerThatCannotBeReadHoldsEverything) {
  FakeHeapHost host;
  host.add_viewer();
  auto viewers = std::make_shared<ViewerSet>(*host.viewers());
  viewers->holds_everything = true;
  HoldScan scan(*viewers);
  scan.look({{1, 1}});
  EXPECT_TRUE(scan.is_needed({1, 1}, 0));
  KnownRows rows;
  rows.refresh({1, 1}, viewers);
  EXPECT_TRUE(rows.is_held(0));
}

}  // namespace
}  // namespace tarn
