// hold_scan.h - who may hold chunks of a slab, and finding out which chunks somebody still needs.
//
// Used by owners, and by the node for slabs whose owner is dead. Why looking in this order
// suffices: docs/design/0003-hold-rows.md.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "shm/heap/slot_watch.h"
#include "shm/segment/segment.h"
#include "shm/session/session.h"

namespace tarn {

// One session that may hold our chunks.
struct Viewer {
  SessionId id;
  std::shared_ptr<const Segment> segment;
  SessionView view;
};
// A pipe into which others push our chunks.
struct Carrier {
  std::uint32_t pipe_id = 0;
  std::shared_ptr<const SlotWatch> slots;
};
// Who may hold our chunks, as of one viewers_epoch. Immutable.
struct ViewerSet {
  std::uint64_t epoch = 0;
  // Another one's segment makes no sense: every chunk may be held.
  bool holds_everything = false;
  std::vector<Viewer> viewers;
  std::vector<Carrier> carriers;
};

// Which chunks somebody may still need, found by looking once.
class HoldScan {
 public:
  // Counts forwards now; is_conclusive() compares.
  explicit HoldScan(const ViewerSet& viewers);
  // True when a row of any viewer counts the chunk, or a carrier's slot names it.
  bool is_needed(SegmentId segment, std::uint32_t chunk) const noexcept;
  // Reads the carriers' slots and finds the viewers' rows for these segments. Call first.
  void look(const std::vector<SegmentId>& segments);
  // False when something moved while we looked: the answers cannot be trusted.
  bool is_conclusive() const noexcept;

 private:
  struct SegmentRows {
    SegmentId segment;
    std::vector<std::span<const layout::HoldCount>> rows;
    std::vector<bool> named;  // by a carrier's slot
  };
  const ViewerSet& viewers_;
  std::vector<std::uint64_t> forwards_;
  std::vector<SegmentRows> found_;
};

// Where the viewers count the chunks of one slab, found once and kept until one of them adds or
// removes a row. For slabs that nobody passes on: then their rows alone say who holds a chunk.
class KnownRows {
 public:
  // Call after the slots were seen to have moved on, and before is_held().
  void refresh(SegmentId slab, const std::shared_ptr<const ViewerSet>& viewers);
  bool is_held(std::uint32_t chunk) const noexcept;

 private:
  bool is_fresh(const std::shared_ptr<const ViewerSet>& viewers) const noexcept;

  std::vector<std::span<const layout::HoldCount>> rows_;
  std::shared_ptr<const ViewerSet> rows_of_;  // null before the first refresh()
  std::vector<std::uint64_t> row_changes_;    // each viewer's, before its row was looked for
};

}  // namespace tarn
