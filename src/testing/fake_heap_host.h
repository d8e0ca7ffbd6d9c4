// fake_heap_host.h - what a heap sees of the world, in the test's hands: slabs without a node,
// viewers that are sessions of this process, slots that say what the test wants.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "shm/heap/heap.h"

namespace tarn::testing {

// Slots of which the test says what they hold.
class FakeSlots final : public SlotWatch {
 public:
  void hold(std::uint64_t position) { held_.insert(position); }
  void let_go(std::uint64_t position) { held_.erase(position); }
  void let_all_go() { held_.clear(); }
  void name(SegmentId segment, std::uint32_t chunk) { named_.push_back({segment, chunk}); }
  void name_nothing() { named_.clear(); }
  // Called at the end of each look at the slots: what others do just then.
  std::function<void()> after_look;

  bool is_gone(std::uint64_t position) const noexcept override;
  void mark_named(SegmentId segment, std::vector<bool>& named) const noexcept override;

 private:
  struct Named {
    SegmentId segment;
    std::uint32_t chunk;
  };
  std::set<std::uint64_t> held_;
  std::vector<Named> named_;
};

// A session that may hold chunks: the writing side here, the reading side in the viewers' list. A
// fork()ed child may play its process: it shares the memory.
class FakeViewer {
 public:
  explicit FakeViewer(std::uint32_t index);
  SessionRecord& record() noexcept { return record_; }
  // The hold count for a chunk, whose row is added at its first use.
  layout::HoldCount& hold(const ChunkPlace& place);
  Viewer as_viewer() const;

 private:
  std::uint32_t index_;
  SessionRecord record_;
  std::vector<std::pair<SegmentId, std::span<layout::HoldCount>>> rows_;
};

class FakeHeapHost final : public HeapHost {
 public:
  FakeHeapHost();
  // A viewer, or a carrier, joins: the epoch moves.
  FakeViewer& add_viewer();
  FakeSlots& add_carrier();
  void add_carrier(std::shared_ptr<const SlotWatch> slots);
  // Its session is dead, and the node has dropped its rows.
  void remove_viewer(const FakeViewer& viewer);
  void move_epoch() { ++epoch_; }
  // As an answer that a worker gave before the epoch moved.
  std::function<void()> after_viewers;

  std::uint64_t most_slab_bytes = UINT64_MAX;  // larger slabs are refused
  bool node_answers = true;
  std::vector<SegmentId> removed;
  std::uint32_t added = 0;
  std::uint32_t wishes = 0;  // for relief

  Result<AddedSlab, Error> add_slab(std::uint64_t chunk_bytes, std::uint32_t chunks) override;
  void remove_slab(SegmentId id) noexcept override { removed.push_back(id); }
  std::uint64_t viewers_epoch() const noexcept override { return epoch_; }
  std::shared_ptr<const ViewerSet> viewers() noexcept override;
  void wish_for_relief() noexcept override { ++wishes; }

 private:
  std::uint64_t epoch_ = 1;
  std::shared_ptr<ViewerSet> known_;
  std::vector<std::unique_ptr<FakeViewer>> viewers_;
  std::vector<std::unique_ptr<FakeViewer>> buried_;  // somebody may still look at its memory
  std::vector<std::shared_ptr<const SlotWatch>> carriers_;
};

}  // namespace tarn::testing
