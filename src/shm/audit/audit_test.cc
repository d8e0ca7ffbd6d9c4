// The audit of parts without a node: sound parts are clean, and no bytes are too wild for it.
#include "shm/audit/audit.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>

#include "os/process.h"
#include "shm/session/session.h"
#include "testing/clean_node.h"
#include "testing/shared_pipe.h"

namespace tarn::audit {
namespace {

using layout::SlotPhase;
using testing::defects_of_pipe;
using testing::defects_of_session;
using testing::SharedPipe;

std::uint64_t seed_of_this_run() {
  const char* wish = std::getenv("TARN_SEED");
  const std::uint64_t seed =
      wish != nullptr ? std::strtoull(wish, nullptr, 10) : std::random_device()();
  std::printf("seed: TARN_SEED=%lu\n", seed);
  return seed;
}

void fill_with_garbage(std::byte* at, std::uint64_t size_bytes, std::mt19937_64& chance) {
  for (std::uint64_t i = 0; i + 8 <= size_bytes; i += 8) {
    // Wild numbers, small ones and zeroes: each finds its own way into the depths.
    const std::uint64_t kind = chance() % 4;
    const std::uint64_t value = kind == 0 ? chance() : kind == 1 ? chance() % 5000 : chance() % 3;
    std::memcpy(at + i, &value, sizeof value);
  }
}

TEST(AuditTest, PipeIsCleanAtEachPlaceInItsLaps) {
  for (const std::uint32_t slots : {1U, 2U, 3U, 8U, 13U}) {
    SharedPipe pipe(slots);
    for (std::uint64_t message = 0; message < 5 * slots; ++message) {
      const SlotPush pushed = testing::push_number(pipe.view(), 1, message);
      EXPECT_TRUE(pushed == SlotPush::ok || pushed == SlotPush::full);
      EXPECT_EQ(defects_of_pipe(pipe.segment(), slots, false, pipe.view().pipe_id()), "");
      if (message % 3 == 0) continue;
      while (testing::pop_number(pipe.view(), 2) >= 0) {
      }
      EXPECT_EQ(defects_of_pipe(pipe.segment(), slots, false, pipe.view().pipe_id()), "");
    }
  }
}

TEST(AuditTest, WindowFindsTheOneThatStandsElsewhere) {
  std::vector<std::uint64_t> words;
  for (std::uint32_t i = 0; i < 7; ++i) {
    words.push_back(i < 3 ? SlotWord(5, SlotPhase::ready, 1).bits()
                          : SlotWord(5, SlotPhase::free, 0).bits());
  }
  Window window = find_window(words, 38);
  EXPECT_TRUE(window.is_sound);
  EXPECT_EQ(window.claimed, 38u);
  EXPECT_EQ(window.consumed, 35u);
  words[6] = SlotWord(9, SlotPhase::free, 0).bits();
  window = find_window(words, 38);
  EXPECT_FALSE(window.is_sound);
  EXPECT_EQ(window.claimed, 38u);
}

// Of positions, words hold the lap's low 40 bits: it fits there as well as where it was.
TEST(AuditTest, HintThatFitsInAnotherAgeIsFound) {
  for (const std::uint64_t ages : {1ULL << 60, 1ULL << 62, 3ULL << 61}) {
    SharedPipe pipe(8);
    for (std::uint64_t i = 0; i < 3; ++i) testing::push_number(pipe.view(), 1, i);
    auto header = pipe.segment().at<layout::PipeHeader>(0);
    (*header)->tail.store(3 + ages);
    EXPECT_NE(defects_of_pipe(pipe.segment(), 8, false, pipe.view().pipe_id()), "") << ages;
    (*header)->tail.store(3);
    (*header)->head.store(ages);
    EXPECT_NE(defects_of_pipe(pipe.segment(), 8, false, pipe.view().pipe_id()), "") << ages;
  }
}

// Some of the slots are enough: those around the one that is asked about.
TEST(AuditTest, WindowOfSomeSlotsIsThatOfAll) {
  std::vector<PlacedWord> some;
  for (std::uint32_t slot = 90; slot < 110; ++slot) {
    const std::uint64_t lap = slot < 100 ? 8 : 7;
    some.push_back({slot, SlotWord(lap, SlotPhase::free, 0).bits()});
  }
  Window window = find_window(some, 1000, 7100);
  EXPECT_TRUE(window.is_sound);
  EXPECT_EQ(window.claimed, 7100u);
  some[3].word = SlotWord(7, SlotPhase::free, 0).bits();
  window = find_window(some, 1000, 7100);
  EXPECT_FALSE(window.is_sound);
  EXPECT_EQ(window.claimed, 7100u);
}

TEST(AuditTest, SessionIsCleanWhileRowsComeAndGo) {
  auto record = SessionRecord::create(*os::identify(os::own_pid()));
  ASSERT_TRUE(record);
  for (std::uint32_t i = 1; i < 40; ++i) {
    ASSERT_TRUE(record->add_row({i, i}, 1 + i * 17));
    auto end = record->add_end(i);
    ASSERT_TRUE(end);
    if (i % 3 == 0) record->remove_row({i - 1, i - 1});
    if (i % 4 == 0) record->remove_end(*end);
    EXPECT_EQ(defects_of_session(record->segment()), "");
  }
}

// Whatever stands in the memory, the audit comes to an end and says something of it.
TEST(AuditTest, GarbageInAPipeIsSurvived) {
  std::mt19937_64 chance(seed_of_this_run());
  for (int round = 0; round < 300; ++round) {
    const auto slots = static_cast<std::uint32_t>(1 + chance() % 200);
    SharedPipe pipe(slots, chance() % 2 == 0);
    std::byte* base = pipe.segment().base();
    const std::uint64_t from = chance() % 3 == 0 ? 0 : sizeof(layout::SegmentHeader);
    fill_with_garbage(base + from, pipe.segment().size() - from, chance);
    EXPECT_NE(defects_of_pipe(pipe.segment(), slots, pipe.view().at_least_once()), "");
    // The node's record may be as wrong as it likes.
    defects_of_pipe(pipe.segment(), static_cast<std::uint32_t>(chance()), false);
  }
}

TEST(AuditTest, GarbageInASessionIsSurvived) {
  std::mt19937_64 chance(seed_of_this_run());
  const Segment segment = testing::shared_memory(layout::kSessionBytes);
  for (int round = 0; round < 20; ++round) {
    fill_with_garbage(segment.base(), 400 << 10, chance);
    EXPECT_NE(defects_of_session(segment), "");
  }
}

// All of a node at once, its facts included.
TEST(AuditTest, GarbageInAWholeNodeIsSurvived) {
  std::mt19937_64 chance(seed_of_this_run());
  const Segment session_memory = testing::shared_memory(layout::kSessionBytes);
  const Segment table_memory = testing::shared_memory(layout::kNodeBytes);
  const Segment pipe_memory = testing::shared_memory(layout::pipe_bytes(64));
  for (int round = 0; round < 20; ++round) {
    fill_with_garbage(session_memory.base(), 400 << 10, chance);
    fill_with_garbage(table_memory.base(), table_memory.size(), chance);
    fill_with_garbage(pipe_memory.base(), pipe_memory.size(), chance);
    NodeImage node;
    const auto number = [&] { return static_cast<std::uint32_t>(chance() % 5000); };
    for (int i = 0; i < 20; ++i) {
      SessionImage session;
      session.index = number();
      session.generation = number();
      session.memory = testing::image_of(session_memory);
      node.sessions[session.index] = session;
      node.pipes[number()] = testing::image_of_pipe(pipe_memory, i % 2 == 0 ? 64 : number(), true);
      SlabImage slab;
      slab.index = number();
      slab.chunk_count = number();
      slab.chunk_bytes = chance();
      slab.size_bytes = chance();
      slab.memory = testing::image_of(pipe_memory);
      node.slabs[slab.index] = slab;
      LinkImage link;
      link.kind = static_cast<LinkKind>(chance() % 4);
      link.first = number();
      link.second = number();
      link.first_lists = chance() % 2 == 0;
      node.add_link(link);
    }
    node.sessions[7] = SessionImage();  // without memory
    node.table = testing::image_of(table_memory);
    Counts counts;
    EXPECT_FALSE(audit_node(node, counts).empty());
  }
}

TEST(AuditTest, EachKindHasItsWordAndItsCure) {
  std::set<std::string_view> words;
  for (std::uint16_t i = 1; i < kKindCount; ++i) {
    const auto kind = static_cast<Kind>(i);
    EXPECT_TRUE(words.insert(word_of(kind)).second) << word_of(kind);
    EXPECT_FALSE(cure_of(kind).empty()) << word_of(kind);
  }
}

}  // namespace
}  // namespace tarn::audit
