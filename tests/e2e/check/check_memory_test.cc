// Each defect that can be planted in a node's memory is found, and nothing else is.
#include <array>
#include <fstream>
#include <string_view>

#include "tests/e2e/check/check_fixture.h"

namespace tarn::raw {
namespace {

using layout::EndEntry;
using layout::PipeHeader;
using layout::RowEntry;
using layout::SegmentHeader;
using layout::SessionHeader;
using layout::SlabHeader;
using layout::Slot;
using layout::SlotPhase;

TEST_F(CheckTest, NothingIsAmissInAHealthyNode) {
  const CheckReport report = check(5000ms);
  EXPECT_EQ(testing::text_of(report), "");
  EXPECT_EQ(report.looks, 1u);
  EXPECT_EQ(report.sessions, 2u);
  EXPECT_EQ(report.pipes, 2u);
  EXPECT_EQ(report.slots, 16u);
  EXPECT_EQ(report.segments, 6u);
  EXPECT_EQ(report.holds, 1u);
}

// Of everything that a client wrote, or that the node shares.
TEST_F(CheckTest, NothingIsChangedByLooking) {
  const std::array<const Segment*, 5> segments = {&once_->segment, &least_->segment,
                                                  &slab_.owned.segment, &owner_->record->segment(),
                                                  &viewer_->record->segment()};
  const auto sums = [&] {
    std::vector<std::size_t> found;
    for (const Segment* segment : segments) {
      const auto* bytes = reinterpret_cast<const char*>(segment->base());
      found.push_back(std::hash<std::string_view>{}({bytes, segment->size()}));
    }
    return found;
  };
  const auto pages = [&] { return os::examine_memory(viewer_->record->fd())->allocated_bytes; };
  const std::uint64_t pages_before = pages();
  // Rows that lie where no page is: reading there makes none.
  const std::uint64_t counts = layout::kRowTableOffset + offsetof(RowEntry, offset);
  const Poke<std::uint32_t> poke(viewer_->record->segment().base(), counts, 8 << 20);
  for (int i = 0; i < 10; ++i) check();
  EXPECT_EQ(pages(), pages_before);
  const auto before = sums();
  for (int i = 0; i < 10; ++i) check();
  EXPECT_EQ(sums(), before);
}

TEST_F(CheckTest, WhatIsWrongInAHeaderIsFound) {
  std::byte* const pipe = once_->segment.base();
  expect_found_at<std::uint64_t>("header_magic", pipe, 0, 17);
  expect_found_at<std::uint32_t>("header_version", pipe, offsetof(SegmentHeader, layout_version),
                                 99);
  expect_found_at<std::uint32_t>("header_kind", pipe, offsetof(SegmentHeader, kind), 1);
  expect_found_at<std::uint64_t>("header_size", pipe, offsetof(SegmentHeader, size_bytes), 1);
  expect_found_at<std::uint32_t>("pipe_slot_count", pipe, offsetof(PipeHeader, slot_count), 7);
  expect_found_at<std::uint32_t>("pipe_delivery", pipe, offsetof(PipeHeader, delivery), 1);
  expect_found_at<std::uint32_t>("pipe_id", pipe, offsetof(PipeHeader, pipe_id), 77);
  expect_found_at<std::uint32_t>("pipe_closed_flag", pipe, offsetof(PipeHeader, closed), 7);
  expect_found_at<std::uint64_t>("pipe_tail_ahead", pipe, offsetof(PipeHeader, tail), 4);
  expect_found_at<std::uint64_t>("pipe_head_ahead", pipe, offsetof(PipeHeader, head), 1);
  expect_found_at<std::uint64_t>("pipe_high_water", pipe, offsetof(PipeHeader, high_water), 9);
  std::byte* const slab = slab_.owned.segment.base();
  expect_found_at<std::uint64_t>("header_magic", slab, 0, 17);
  expect_found_at<std::uint64_t>("slab_header_shape", slab, offsetof(SlabHeader, chunk_bytes), 64);
  expect_found_at<std::uint32_t>("slab_header_shape", slab, offsetof(SlabHeader, chunk_count), 5);
  std::byte* const session = viewer_->record->segment().base();
  expect_found_at<std::uint64_t>("header_magic", session, 0, 17);
  expect_found_at<std::uint32_t>("header_kind", session, offsetof(SegmentHeader, kind), 3);
}

TEST_F(CheckTest, WhatIsWrongInASlotIsFound) {
  std::byte* const once = once_->segment.base();
  const auto word = [&](std::uint64_t lap, SlotPhase phase, std::uint32_t claimant,
                        bool redelivered = false) {
    return SlotWord(lap, phase, static_cast<std::uint16_t>(claimant), redelivered).bits();
  };
  expect_found_at("slot_unused_bits", once, word_of(5), word(0, SlotPhase::free, 0) | (1 << 21));
  expect_found_at("slot_phase_impossible", once, word_of(1),
                  word(0, static_cast<SlotPhase>(5), owner()));
  expect_found_at("slot_claimed_by_nobody", once, word_of(3), word(0, SlotPhase::claimed, 0));
  expect_found_at("slot_claimant_unknown", once, word_of(3), word(0, SlotPhase::claimed, 4000));
  expect_found_at("slot_taken_at_most_once", once, word_of(1), word(0, SlotPhase::taken, viewer()));
  expect_found_at("slot_free_but_signed", once, word_of(5), word(0, SlotPhase::free, owner()));
  expect_found_at("slot_mark_impossible", once, word_of(1),
                  word(0, SlotPhase::ready, owner(), true));
  expect_found_at("slot_lap", once, word_of(6), word(3, SlotPhase::free, 0));
  std::byte* const least = least_->segment.base();
  expect_found_at("slot_claimed_by_nobody", least, word_of(0), word(0, SlotPhase::taken, 0));
  expect_found_at("slot_mark_impossible", least, word_of(0),
                  word(0, SlotPhase::ready, owner(), true));
  Client third = session();
  expect_found_at("slot_claimant_without_opening", once, word_of(3),
                  word(0, SlotPhase::claimed, third.welcome.session_index));
}

TEST_F(CheckTest, WhatIsWrongInAPayloadIsFound) {
  std::byte* const once = once_->segment.base();
  const std::uint64_t text = word_of(0) + offsetof(Slot, descriptor);
  expect_found_at<std::uint64_t>("payload_kind_unknown", once, text, 9);
  expect_found_at<std::uint64_t>("payload_kind_unknown", once, text, 0);
  expect_found_at<std::uint64_t>("payload_size", once, text, 1 | (49 << 8));
  const std::uint64_t reference = word_of(2) + offsetof(Slot, payload);
  expect_found_at("reference_unknown_segment", once, reference, SegmentId{60000, 1}.packed());
  expect_found_at("reference_wrong_generation", once, reference, SegmentId{1, 2}.packed());
  expect_found_at<std::uint64_t>("reference_chunk", once, reference + 8, 4);
  expect_found_at<std::uint64_t>("reference_size", once, reference + 16, 4097);
  expect_found(
      "reference_not_carried", [&] { once_->push_chunk(viewer(), slab_id_, 2); },
      [&] {
        auto carry = wire::make<wire::SegmentCarry>(0);
        carry.index = slab_id_.index;
        carry.generation = slab_id_.generation;
        carry.pipe_id = once_->id;
        EXPECT_EQ(viewer_->ask(carry).type(), wire::MessageType::done);
      });
}

TEST_F(CheckTest, WhatIsWrongInASessionsSegmentIsFound) {
  std::byte* const session = viewer_->record->segment().base();
  const std::uint64_t row = layout::kRowTableOffset;
  expect_found_at<std::uint32_t>("session_row_count", session, offsetof(SessionHeader, row_count),
                                 layout::kMaxRows + 1);
  expect_found_at<std::uint32_t>("session_end_count", session, offsetof(SessionHeader, end_count),
                                 layout::kMaxEnds + 1);
  for (const std::uint32_t offset : {0U, 64U, 167'937U, 16U << 20, ~0U}) {
    expect_found_at("row_outside", session, row + offsetof(RowEntry, offset), offset);
  }
  expect_found_at<std::uint32_t>("row_chunk_count", session, row + offsetof(RowEntry, chunk_count),
                                 3);
  expect_found_at("row_unknown_segment", session, row, SegmentId{1, 2}.packed());
  expect_found_at("row_unknown_segment", session, row, SegmentId{0, 1}.packed());
  expect_found_at("row_unknown_segment", session, row, SegmentId{70'000, 1}.packed());
  std::uint32_t counts = 0;
  std::memcpy(&counts, session + row + offsetof(RowEntry, offset), sizeof counts);
  expect_found_at<std::uint16_t>("hold_saturated", session, counts, 0x8001);
  const std::uint64_t end = layout::kEndTableOffset;
  expect_found_at<std::uint32_t>("end_unknown_pipe", session, end, 3);
  expect_found_at<std::uint64_t>("end_counters", session, end + offsetof(EndEntry, popped_bytes),
                                 100);
  expect_found_at<std::uint64_t>("end_counters", session, end + offsetof(EndEntry, copied_in), 2);
  owner_->open_pipe("third", 1);
  expect_found_at<std::uint32_t>("end_without_opening", session, end, 3, 300ms);
}

TEST_F(CheckTest, RowsThatGetInEachOthersWayAreFound) {
  Slab other(4);
  ASSERT_EQ(other.add_to(*owner_).type(), wire::MessageType::segment_added);
  const SegmentId other_id{2, 2};
  expect_found(
      "row_without_viewing", [&] { EXPECT_TRUE(viewer_->record->add_row(other_id, 4)); },
      [&] {
        auto get = wire::make<wire::SegmentGet>(0);
        get.index = other_id.index;
        get.generation = other_id.generation;
        EXPECT_EQ(viewer_->ask(get).type(), wire::MessageType::segment_got);
      });
  std::byte* const session = viewer_->record->segment().base();
  const std::uint64_t second = layout::kRowTableOffset + sizeof(RowEntry);
  std::uint32_t first_counts = 0;
  std::memcpy(&first_counts, session + layout::kRowTableOffset + offsetof(RowEntry, offset),
              sizeof first_counts);
  expect_found_at("row_overlap", session, second + offsetof(RowEntry, offset), first_counts + 2);
  expect_found_at("row_twice", session, second, slab_id_.packed());
}

TEST_F(CheckTest, WhatIsWrongInTheNodesTableIsFound) {
  ForeignMemory table(observer().status().worker_pid, "tarn-node");
  ASSERT_TRUE(table.is_open());
  const auto exchange = [&](const char* kind, std::uint64_t offset, auto value) {
    auto before = value;
    expect_found(
        kind, [&] { before = table.exchange(offset, value); },
        [&] { table.exchange(offset, before); });
  };
  const auto entry = [](std::uint32_t index) {
    return layout::kNodeTableOffset + index * sizeof(layout::NodeEntry);
  };
  exchange("table_generation", entry(owner()), std::uint32_t{99});
  exchange("table_entry_without_session", entry(100), std::uint32_t{5});
  exchange("table_node_id", offsetof(layout::NodeHeader, node_id), std::uint64_t{5});
  exchange("header_version", offsetof(SegmentHeader, layout_version), std::uint32_t{5});
}

TEST_F(CheckTest, WhatIsWrongInTheRunDirectoryIsFound) {
  const auto paths = place_.paths();
  namespace fs = std::filesystem;
  const std::string pid = std::to_string(daemon_->pid()) + "\n";
  const auto write_pid = [&](const std::string& text) { std::ofstream(paths.pid_file) << text; };
  expect_found(
      "pid_file_wrong", [&] { write_pid("1\n"); }, [&] { write_pid(pid); });
  const auto moved = [&](const char* kind, const std::string& path) {
    expect_found(
        kind, [&] { fs::rename(path, path + ".moved"); },
        [&] { fs::rename(path + ".moved", path); });
  };
  moved("lock_file_missing", paths.lock_file);
  expect_found(
      "socket_mode", [&] { ::chmod(paths.socket.c_str(), 0666); },
      [&] { ::chmod(paths.socket.c_str(), 0600); });
}

TEST_F(CheckTest, PagesThatWereTakenAwayAreFound) {
  const auto opened = viewer_->open_pipe("hole", 1024);
  const MappedPipe pipe(opened);
  ASSERT_EQ(::fallocate(opened.descriptors[0].get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        8192, 4096),
            0);
  EXPECT_EQ(kinds_of(check()), std::set<std::string>{"memory_pages_missing"});
}

}  // namespace
}  // namespace tarn::raw
