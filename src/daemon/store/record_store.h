// record_store.h - what the keeper remembers: records by key, each with its descriptors.
#pragma once

#include <array>
#include <map>
#include <span>
#include <vector>

#include "daemon/store/record.h"
#include "os/fd.h"

namespace tarn::daemon {

struct StoredRecord {
  std::vector<std::byte> bytes;
  std::array<os::UniqueFd, kMaxRecordDescriptors> descriptors;
};

class RecordStore {
 public:
  // Replaces the record of that key. Without descriptors, those it had stay.
  void put(const RecordKey& key, std::span<const std::byte> bytes,
           std::vector<os::UniqueFd> descriptors);
  void drop(const RecordKey& key) { records_.erase(key); }
  std::size_t size() const noexcept { return records_.size(); }

  // visit(const RecordKey&, StoredRecord&) for each record of a kind, by ascending key. The visitor
  // may move the descriptors out.
  template <class Visit>
  void for_each(RecordKind kind, Visit&& visit) {
    for (auto at = records_.lower_bound({kind, 0}); at != records_.end(); ++at) {
      if (at->first.kind != kind) return;
      visit(at->first, at->second);
    }
  }

 private:
  std::map<RecordKey, StoredRecord> records_;
};

}  // namespace tarn::daemon
