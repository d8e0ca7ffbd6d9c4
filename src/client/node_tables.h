// node_tables.h - the node's table as a session has it mapped, and those of keepers before.
//
// Changed by one thread at a time, the one that talks to the node; read by all. A table of the past
// stays mapped until the session ends: somebody may just be reading it.
#pragma once

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "client/connection.h"
#include "shm/session/session.h"

namespace tarn::detail {

class NodeTables {
 public:
  // From now on the table is this one; false when it is none.
  bool use(Segment segment) {
    const auto table = NodeTable::attach(segment);
    if (!table) return false;
    auto mapped = std::make_unique<const Mapped>(Mapped{std::move(segment), *table});
    mapped_.push_back(std::move(mapped));
    // sync(node-table): hands over the mapping.
    newest_.store(&mapped_.back()->table, std::memory_order_release);
    note_worker();
    return true;
  }
  // Whoever connects from now on is heard by the worker that serves now, or a later one.
  void note_worker() noexcept {
    // relaxed: a wrong guess costs coming back once more than needed.
    worker_.store(newest().worker(), std::memory_order_relaxed);
  }
  // Whether another worker serves than the one noted, or will: the keeper died, and another may
  // follow.
  bool has_other_worker() const noexcept {
    // relaxed: as above.
    return newest().worker() != worker_.load(std::memory_order_relaxed) || newest().is_abandoned();
  }
  // The node knows us again. A worker that was replaced left its table to the next one; a keeper
  // could not, and another table came with the welcome. False when that cannot be used.
  bool renew(const Reply& welcome) {
    if (!mapped_.back()->table.is_abandoned()) return true;
    if (welcome.descriptors.empty()) return false;
    auto segment = map_foreign(welcome.descriptors.front().get(), layout::kNodeBytes, true, false);
    return segment && use(std::move(*segment));
  }
  // Requires: use() was true once.
  std::uint64_t viewers_epoch(std::uint32_t index) const noexcept {
    return newest().viewers_epoch(index);
  }

 private:
  const NodeTable& newest() const noexcept {
    // sync(node-table): receives the mapping.
    return *newest_.load(std::memory_order_acquire);
  }
  struct Mapped {
    Segment segment;
    NodeTable table;
  };
  std::vector<std::unique_ptr<const Mapped>> mapped_;
  std::atomic<const NodeTable*> newest_{nullptr};
  std::atomic<std::uint32_t> worker_{0};
};

}  // namespace tarn::detail
