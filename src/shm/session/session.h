// session.h - a session's own segment: written by its process (SessionRecord), looked at by others
// (SessionView). And the node's table of sessions. Bytes: session_layout.h.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "os/life/robust.h"
#include "os/process.h"
#include "shm/segment/segment.h"
#include "shm/session/session_layout.h"

namespace tarn {

// What a session says it did at one pipe.
struct EndFacts {
  std::uint32_t pipe = 0;
  std::uint64_t pushed = 0;
  std::uint64_t pushed_bytes = 0;
  std::uint64_t push_waits = 0;
  std::uint64_t copied_in = 0;
  std::uint64_t popped = 0;
  std::uint64_t popped_bytes = 0;
  std::uint64_t pop_waits = 0;
};
EndFacts read_end(const layout::EndEntry& end) noexcept;

// More messages than this in one chunk, held by one session, are refused.
inline constexpr std::uint16_t kMostHolds = 0x8000;

// Counts one hold more; false when there are too many already. Every other thread of the process
// may be in the middle of it: the limit stands so far below the count's wrap that none of them can
// make it pass through zero, which would tell the owner that nobody holds the chunk.
inline bool count_hold(layout::HoldCount& hold) noexcept {
  // relaxed: the slot's CAS, after this, orders it before the slot is free.
  if (hold.fetch_add(1, std::memory_order_relaxed) < kMostHolds) return true;
  // sync(hold-ended): nothing of the chunk was looked at.
  hold.fetch_sub(1, std::memory_order_release);
  return false;
}

// Another session's segment, mapped read-only. Everything in it is input. Borrows the mapping.
class SessionView {
 public:
  SessionView() noexcept = default;
  static Result<SessionView> attach(const Segment& segment) noexcept;
  explicit operator bool() const noexcept { return header_ != nullptr; }

  // True once the kernel has marked the session's end, or its process has written that itself.
  bool has_ended() const noexcept;
  std::uint64_t forwards() const noexcept;
  std::uint64_t row_changes() const noexcept;
  // The hold counts for that segment's chunks; not_found when it has none, corrupt when they lie
  // outside.
  Result<std::span<const layout::HoldCount>> row(SegmentId segment) const noexcept;
  // How many messages it holds.
  std::uint32_t total_holds() const noexcept;

  // visit(SegmentId, std::span<const layout::HoldCount>) for each row in use.
  template <class Visit>
  void for_each_row(Visit&& visit) const {
    for (std::uint32_t i = 0; i < row_count(); ++i) {
      SegmentId segment;
      const auto counts = read_row(i, segment);
      if (counts && segment) visit(segment, *counts);
    }
  }
  // visit(EndFacts) for each pipe it has open.
  template <class Visit>
  void for_each_end(Visit&& visit) const {
    for (std::uint32_t i = 0; i < end_count(); ++i) {
      const EndFacts facts = read_end(ends_[i]);
      if (facts.pipe != 0) visit(facts);
    }
  }

 private:
  std::uint32_t row_count() const noexcept;
  std::uint32_t end_count() const noexcept;
  Result<std::span<const layout::HoldCount>> read_row(std::uint32_t index,
                                                      SegmentId& segment) const noexcept;

  const std::byte* base_ = nullptr;
  const layout::SessionHeader* header_ = nullptr;
  const layout::RowEntry* rows_ = nullptr;
  const layout::EndEntry* ends_ = nullptr;
};

// This process's own session segment. Not thread-safe: the caller serialises all but
// bump_forwards() and the counts that add_row() and add_end() handed out.
class SessionRecord {
 public:
  static Result<SessionRecord, Error> create(os::ProcessIdentity self);

  int fd() const noexcept { return owned_.fd.get(); }
  const Segment& segment() const noexcept { return owned_.segment; }
  // The word for RobustHold.
  os::FutexWord& life() noexcept { return header().life; }

  // All zero. Stays where it is until remove_row(). table_full, or no_memory, when it cannot be.
  Result<std::span<layout::HoldCount>> add_row(SegmentId segment, std::uint32_t chunks) noexcept;
  // Requires: no hold is left in it, and its owner no longer uses the segment.
  void remove_row(SegmentId segment) noexcept;
  // All counters zero. Stays where it is until remove_end().
  Result<layout::EndEntry*> add_end(std::uint32_t pipe) noexcept;
  void remove_end(layout::EndEntry* end) noexcept;
  // How many messages this process holds, also of slabs whose rows are removed.
  std::uint64_t total_holds() const noexcept;
  // Between pushing a held message on and ending the hold.
  void bump_forwards() noexcept;

 private:
  explicit SessionRecord(OwnedSegment owned) noexcept : owned_(std::move(owned)) {}
  layout::SessionHeader& header() noexcept;
  layout::RowEntry* rows() noexcept;
  layout::EndEntry* ends() noexcept;
  bool allocate_to(std::uint64_t end, std::uint64_t& allocated) noexcept;

  OwnedSegment owned_;
  std::uint64_t rows_allocated_ = 0;  // ends, from the segment's start, of what has its pages
  std::uint64_t ends_allocated_ = 0;
  std::uint64_t arena_allocated_ = 0;
  std::uint64_t arena_used_ = layout::kRowArenaOffset;
  std::array<std::uint32_t, layout::kMaxRows> row_capacity_{};  // chunks a row has room for
};

// Writes a fresh, zeroed node segment. Writer: the keeper, the `keepers`-th of this node.
Status format_node(const Segment& segment, std::uint64_t node_id,
                   std::uint64_t keepers = 0) noexcept;

// The node's table of sessions; written by the node, read by sessions. Borrows the mapping.
class NodeTable {
 public:
  NodeTable() noexcept = default;
  static Result<NodeTable> attach(const Segment& segment) noexcept;
  std::uint64_t node_id() const noexcept { return header_->node_id; }
  // Requires: 0 < index < layout::kMaxSessions.
  layout::NodeEntry& entry(std::uint32_t index) const noexcept;
  // The word for the keeper's RobustHold.
  os::FutexWord& keeper() const noexcept { return header_->keeper; }
  // True once its keeper died and another may follow: nobody writes this table any more, and what
  // the next node decides stands in another one.
  bool is_abandoned() const noexcept;
  // The number of the worker that serves, or did so last.
  std::uint32_t worker() const noexcept;
  void note_worker(std::uint32_t number) const noexcept;
  // The epoch of that session's viewers, or kNoEpoch when the table is abandoned.
  std::uint64_t viewers_epoch(std::uint32_t index) const noexcept;
  // Over whatever stands there. Writer: the worker, which knows it from its own memory.
  void restore_header(std::uint64_t node_id) const noexcept;

 private:
  layout::NodeHeader* header_ = nullptr;
  layout::NodeEntry* entries_ = nullptr;
};

}  // namespace tarn
