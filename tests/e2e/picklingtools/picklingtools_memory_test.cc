// picklingtools_memory_test.cc - received packets when memory is short, and when a thread has
// ended: this program counts and refuses its own allocations.
#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>

#include "tests/e2e/picklingtools/region_fixture.h"

namespace {

std::atomic<long> g_blocks{0};
// How many allocations of this thread succeed from now on; below zero: all.
thread_local long g_allowed = -1;

}  // namespace

void* operator new(std::size_t bytes) {
  if (g_allowed == 0) throw std::bad_alloc();
  if (g_allowed > 0) --g_allowed;
  void* block = std::malloc(bytes == 0 ? 1 : bytes);
  if (block == nullptr) throw std::bad_alloc();
  ++g_blocks;
  return block;
}
void operator delete(void* block) noexcept {
  if (block != nullptr) --g_blocks;
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept { ::operator delete(block); }

namespace tarn {
namespace {

using testkit::kRegion;

class PicklingToolsMemoryTest : public testkit::PassingTest {};

// Looks into it with less and less want of memory, until that is enough; how often it was not.
template <class Look>
int looked_into_at_last(Look&& look) {
  struct Shortage {
    explicit Shortage(int allowed) { g_allowed = allowed; }
    ~Shortage() { g_allowed = -1; }
  };
  for (int failed = 0;; ++failed) {
    try {
      const Shortage shortage(failed);
      look();
      return failed;
    } catch (const std::bad_alloc&) {
    }
  }
}

TEST_F(PicklingToolsMemoryTest, WhatCouldNotBeUnpackedForWantOfMemoryIsUnpackedLater) {
  const std::string text(40, 'x');  // each takes memory of its own
  Val list = Arr();
  Val table = Tab();
  for (int i = 0; i < 20; ++i) {
    list.append(text);
    table[i] = text;
  }
  table[3.5] = "an even key";
  Val pairs = table;
  pairs[Tup(1, 2)] = text;
  for (const Val& value : {list, table, pairs}) {
    const Val came = passed(value);
    EXPECT_GT(looked_into_at_last([&] { return came.length(); }), 20);
    EXPECT_EQ(came, value);
  }
}

TEST_F(PicklingToolsMemoryTest, APacketThatEndsAfterItsThreadLeavesNoMemory) {
  const auto hold_to_the_end = [&] {
    std::thread([&] {
      // Made first, it ends last: after what the thread keeps of ended packets.
      thread_local Val held;
      held = passed(Tab("{'a':1}"));
      passed(Tab("{'b':2}"));
    }).join();
  };
  for (int i = 0; i < 5; ++i) hold_to_the_end();
  const long before = g_blocks;
  constexpr int kThreads = 200;
  for (int i = 0; i < kThreads; ++i) hold_to_the_end();
  EXPECT_LT(g_blocks - before, kThreads / 2);
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) { return tarn::testkit::run(argc, argv, {}); }
