// segments.h - the table of slabs, whoever owns them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>

#include "daemon/worker/registry/index_pool.h"
#include "daemon/worker/registry/items.h"
#include "daemon/worker/registry/tally.h"

namespace tarn::daemon {

class SegmentRegistry {
 public:
  SegmentRegistry() : pool_(layout::kMaxSegments) {}

  std::optional<std::uint32_t> take_index() { return pool_.take(); }
  bool claim_index(std::uint32_t index) { return pool_.claim(index); }

  // Requires: facts.index came from take_index() or claim_index().
  SegmentItem& add(std::unique_ptr<SegmentItem> item) {
    const std::uint32_t index = item->facts.index;
    if (item->is_orphan()) orphans_.insert(index);
    tallies_.add(item->facts.uid, item->facts.size_bytes);
    return *(items_[index] = std::move(item));
  }
  void mark_orphan(SegmentItem& item) {
    item.facts.owner = 0;
    orphans_.insert(item.facts.index);
  }
  void erase(std::uint32_t index) {
    orphans_.erase(index);
    if (const SegmentItem* item = at(index)) {
      tallies_.remove(item->facts.uid, item->facts.size_bytes);
    }
    items_.erase(index);
    pool_.give_back(index);
  }

  SegmentItem* at(std::uint32_t index) noexcept {
    const auto found = items_.find(index);
    return found == items_.end() ? nullptr : found->second.get();
  }
  SegmentItem* find(SegmentId id) noexcept {
    SegmentItem* item = at(id.index);
    return item != nullptr && item->facts.generation == id.generation ? item : nullptr;
  }
  std::size_t size() const noexcept { return items_.size(); }
  // By ascending index.
  const std::map<std::uint32_t, std::unique_ptr<SegmentItem>>& all() const noexcept {
    return items_;
  }
  const std::set<std::uint32_t>& orphans() const noexcept { return orphans_; }
  const Tallies& tallies() const noexcept { return tallies_; }

 private:
  IndexPool pool_;
  std::map<std::uint32_t, std::unique_ptr<SegmentItem>> items_;
  std::set<std::uint32_t> orphans_;
  Tallies tallies_;
};

}  // namespace tarn::daemon
