// tally.h - how many things of a table, and how many bytes of them, each account has.
#pragma once

#include <cstdint>
#include <map>

namespace tarn::daemon {

struct Tally {
  std::uint32_t count = 0;
  std::uint64_t bytes = 0;
};

class Tallies {
 public:
  void add(std::uint32_t uid, std::uint64_t bytes) {
    Tally& of = by_uid_[uid];
    ++of.count;
    of.bytes += bytes;
  }
  // Requires: it was added.
  void remove(std::uint32_t uid, std::uint64_t bytes) noexcept {
    const auto found = by_uid_.find(uid);
    if (found == by_uid_.end()) return;
    found->second.bytes -= bytes;
    if (--found->second.count == 0) by_uid_.erase(found);
  }
  Tally of(std::uint32_t uid) const noexcept {
    const auto found = by_uid_.find(uid);
    return found == by_uid_.end() ? Tally{} : found->second;
  }
  // All accounts but this one together.
  Tally of_others(std::uint32_t uid) const noexcept {
    Tally sum;
    for (const auto& [each, tally] : by_uid_) {
      if (each == uid) continue;
      sum.count += tally.count;
      sum.bytes += tally.bytes;
    }
    return sum;
  }
  const std::map<std::uint32_t, Tally>& all() const noexcept { return by_uid_; }

 private:
  std::map<std::uint32_t, Tally> by_uid_;
};

}  // namespace tarn::daemon
