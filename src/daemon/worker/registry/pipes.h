// pipes.h - the table of pipes, by id and, while they have one, by name.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/worker/registry/items.h"
#include "daemon/worker/registry/tally.h"

namespace tarn::daemon {

inline constexpr std::size_t kMaxPipes = 16384;

class PipeRegistry {
 public:
  PipeItem& add(std::unique_ptr<PipeItem> item) {
    PipeItem& added = *item;
    tallies_.add(added.facts.uid, added.size_bytes());
    if (added.facts.nameless == 0) names_.insert_or_assign(std::string(added.name()), &added);
    items_[added.facts.id] = std::move(item);
    return added;
  }
  // The name is free from now on; the pipe stays.
  void end_name(PipeItem& item) {
    item.facts.nameless = 1;
    forget_name(item);
  }
  void erase(PipeItem& item) {
    forget_name(item);
    tallies_.remove(item.facts.uid, item.size_bytes());
    items_.erase(item.facts.id);
  }

  PipeItem* at(std::uint32_t id) noexcept {
    const auto found = items_.find(id);
    return found == items_.end() ? nullptr : found->second.get();
  }
  PipeItem* find(std::string_view name) noexcept {
    const auto found = names_.find(name);
    return found == names_.end() ? nullptr : found->second;
  }
  bool is_full() const noexcept { return items_.size() >= kMaxPipes; }
  // By ascending id.
  const std::map<std::uint32_t, std::unique_ptr<PipeItem>>& all() const noexcept { return items_; }
  const Tallies& tallies() const noexcept { return tallies_; }

 private:
  void forget_name(const PipeItem& item) {
    const auto found = names_.find(item.name());
    if (found != names_.end() && found->second == &item) names_.erase(found);
  }

  std::map<std::uint32_t, std::unique_ptr<PipeItem>> items_;
  std::map<std::string, PipeItem*, std::less<>> names_;
  Tallies tallies_;
};

}  // namespace tarn::daemon
