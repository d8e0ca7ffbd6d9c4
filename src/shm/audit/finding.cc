#include "shm/audit/finding.h"

#include <utility>

namespace tarn::audit {

void Findings::add(Kind kind, const Place& place, std::uint64_t evidence, std::string object,
                   std::string found) {
  if (tally_.count(kind, place) > kMostOfAKind) return;
  all_.push_back({kind, place, evidence, std::move(object), std::move(found)});
}

}  // namespace tarn::audit
