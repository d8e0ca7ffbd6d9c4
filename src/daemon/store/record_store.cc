#include "daemon/store/record_store.h"

#include <utility>

namespace tarn::daemon {

void RecordStore::put(const RecordKey& key, std::span<const std::byte> bytes,
                      std::vector<os::UniqueFd> descriptors) {
  StoredRecord& record = records_[key];
  record.bytes.assign(bytes.begin(), bytes.end());
  if (descriptors.empty()) return;
  for (std::size_t i = 0; i < record.descriptors.size(); ++i) {
    record.descriptors[i] = i < descriptors.size() ? std::move(descriptors[i]) : os::UniqueFd();
  }
}

}  // namespace tarn::daemon
