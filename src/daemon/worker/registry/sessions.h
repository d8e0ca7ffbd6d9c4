// sessions.h - the table of sessions.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "daemon/worker/registry/index_pool.h"
#include "daemon/worker/registry/items.h"
#include "daemon/worker/registry/tally.h"

namespace tarn::daemon {

class SessionRegistry {
 public:
  SessionRegistry() : pool_(layout::kMaxSessions) {}

  // A free index, to be used for add() or given back.
  std::optional<std::uint32_t> take_index() { return pool_.take(); }
  void give_back_index(std::uint32_t index) { pool_.give_back(index); }
  // Claims the index of a session that was there before a restart.
  bool claim_index(std::uint32_t index) { return pool_.claim(index); }

  // Requires: facts.index came from take_index() or claim_index().
  SessionItem& add(std::unique_ptr<SessionItem> item) {
    const std::uint32_t index = item->facts.index;
    tallies_.add(item->facts.uid, 0);
    return *(items_[index] = std::move(item));
  }
  // Its index may be used again from now on.
  void erase(std::uint32_t index) {
    if (const SessionItem* item = at(index)) tallies_.remove(item->facts.uid, 0);
    items_.erase(index);
    pool_.give_back(index);
  }

  // Null when there is none. Borrowed until erase().
  SessionItem* at(std::uint32_t index) noexcept {
    const auto found = items_.find(index);
    return found == items_.end() ? nullptr : found->second.get();
  }
  SessionItem* find(SessionId id) noexcept {
    SessionItem* item = at(id.index);
    return item != nullptr && item->facts.generation == id.generation ? item : nullptr;
  }
  // By ascending index.
  const std::map<std::uint32_t, std::unique_ptr<SessionItem>>& all() const noexcept {
    return items_;
  }

  const Tallies& tallies() const noexcept { return tallies_; }

 private:
  IndexPool pool_;
  Tallies tallies_;
  std::map<std::uint32_t, std::unique_ptr<SessionItem>> items_;
};

}  // namespace tarn::daemon
