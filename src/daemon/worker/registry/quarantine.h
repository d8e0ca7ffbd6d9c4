// quarantine.h - structures that are left alone: they made no sense, or recovery crashed on them.
//
// A verdict stands until its object ends. What to do about it is a person's decision; what it costs
// others is nothing, for each structure serves only those who use it.
#pragma once

#include <map>
#include <string_view>

#include "daemon/store/record.h"

namespace tarn::daemon {

class Quarantine {
 public:
  const StoredVerdict* find(ObjectKind object, std::uint32_t id) const noexcept {
    const auto found = verdicts_.find({object, id});
    return found == verdicts_.end() ? nullptr : &found->second;
  }
  void add(const StoredVerdict& verdict) { verdicts_[{verdict.object, verdict.id}] = verdict; }
  bool erase(ObjectKind object, std::uint32_t id) { return verdicts_.erase({object, id}) != 0; }
  std::size_t size() const noexcept { return verdicts_.size(); }

  // visit(const StoredVerdict&), by kind and number.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [key, verdict] : verdicts_) visit(verdict);
  }

 private:
  std::map<std::pair<ObjectKind, std::uint32_t>, StoredVerdict> verdicts_;
};

}  // namespace tarn::daemon
