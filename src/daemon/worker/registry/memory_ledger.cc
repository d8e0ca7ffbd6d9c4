#include "daemon/worker/registry/memory_ledger.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <utility>

namespace tarn::daemon {
namespace {

constexpr std::uint64_t kMostSpareBytes = std::uint64_t{64} << 20;
constexpr std::uint64_t kSpareShare = 20;  // 5 %
constexpr std::size_t kNamedHolders = 3;

std::uint64_t minus(std::uint64_t from, std::uint64_t what) noexcept {
  return from > what ? from - what : 0;
}

struct Shortage {
  Error::Code code;
  std::string limit;  // "the domain's limit of 1.0 GiB"
  std::uint64_t used_bytes;
  std::string cure;
};

}  // namespace

std::string size_text(std::uint64_t size_bytes) {
  constexpr std::array kUnits = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  if (size_bytes < 10240) return std::to_string(size_bytes) + " bytes";
  auto size = static_cast<double>(size_bytes);
  std::size_t unit = 0;
  for (; size >= 1024 && unit + 1 < kUnits.size(); ++unit) size /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", size, kUnits[unit]);
  return text.data();
}

std::uint64_t usable_bytes(const os::MemoryLimits& limits) noexcept {
  // They could not be read, for want of descriptors: that is no want of memory.
  if (limits.machine_bytes == 0) return std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t whole =
      std::min(limits.machine_bytes, limits.cgroup_bytes.value_or(limits.machine_bytes));
  return minus(limits.left_bytes(), std::min(kMostSpareBytes, whole / kSpareShare));
}

std::uint64_t MemoryLedger::used_by(std::uint32_t holder) const noexcept {
  const auto found = used_by_.find(holder);
  return found == used_by_.end() ? 0 : found->second;
}

std::uint64_t MemoryLedger::sum_of_holders() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& [holder, used] : used_by_) sum += used;
  return sum;
}

void MemoryLedger::charge(std::uint32_t holder, std::uint64_t size_bytes) {
  used_by_[holder] += size_bytes;
  used_bytes_ += size_bytes;
}

void MemoryLedger::refund(std::uint32_t holder, std::uint64_t size_bytes) noexcept {
  const auto found = used_by_.find(holder);
  TARN_ASSERT(found != used_by_.end() && found->second >= size_bytes, holder, size_bytes);
  found->second -= size_bytes;
  used_bytes_ -= size_bytes;
  if (found->second == 0) used_by_.erase(found);
}

void MemoryLedger::replace(std::map<std::uint32_t, std::uint64_t> used_by) noexcept {
  used_by_ = std::move(used_by);
  used_bytes_ = sum_of_holders();
}

void MemoryLedger::reserve(std::uint32_t holder, std::uint64_t size_bytes, std::int64_t now_ns) {
  reservations_.push_back({holder, size_bytes, now_ns + kReservationLifeNs});
}

void MemoryLedger::redeem(std::uint32_t holder, std::uint64_t size_bytes) noexcept {
  const auto found =
      std::find_if(reservations_.begin(), reservations_.end(), [&](const Reservation& made) {
        return made.holder == holder && made.size_bytes == size_bytes;
      });
  if (found != reservations_.end()) reservations_.erase(found);
}

bool MemoryLedger::has_promised(std::uint32_t holder, std::uint64_t size_bytes) const noexcept {
  return std::any_of(reservations_.begin(), reservations_.end(), [&](const Reservation& made) {
    return made.holder == holder && made.size_bytes == size_bytes;
  });
}

void MemoryLedger::forget_reservations(std::uint32_t holder) noexcept {
  std::erase_if(reservations_, [&](const Reservation& made) { return made.holder == holder; });
}

void MemoryLedger::expire(std::int64_t now_ns) noexcept {
  std::erase_if(reservations_, [&](const Reservation& made) { return made.expires_ns <= now_ns; });
}

std::uint64_t MemoryLedger::reserved_bytes() const noexcept {
  std::uint64_t sum = 0;
  for (const Reservation& made : reservations_) sum += made.size_bytes;
  return sum;
}

std::uint64_t MemoryLedger::reserved_by(std::uint32_t holder) const noexcept {
  std::uint64_t sum = 0;
  for (const Reservation& made : reservations_) sum += made.holder == holder ? made.size_bytes : 0;
  return sum;
}

std::size_t MemoryLedger::reservation_count(std::uint32_t holder) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(reservations_.begin(), reservations_.end(),
                    [&](const Reservation& made) { return made.holder == holder; }));
}

std::string MemoryLedger::largest_holders(const Describe& describe) const {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> holders;
  for (const auto& [holder, size_bytes] : used_by_) holders.emplace_back(size_bytes, holder);
  std::sort(holders.rbegin(), holders.rend());
  std::string text;
  for (std::size_t i = 0; i < std::min(kNamedHolders, holders.size()); ++i) {
    text += (i == 0 ? "; most is held by " : ", ") + describe(holders[i].second) + " (" +
            size_text(holders[i].first) + ")";
  }
  return text;
}

FullStatus MemoryLedger::check(const MemoryWish& wish, std::int64_t now_ns,
                               const Describe& describe) {
  expire(now_ns);
  const std::uint64_t promised = used_bytes_ + reserved_bytes();
  const std::uint64_t own = used_by(wish.holder) + reserved_by(wish.holder);
  std::optional<Shortage> shortage;
  if (wish.asked_bytes > minus(limit_bytes_, promised)) {
    shortage = {Error::domain_full, "the domain's limit is " + size_text(limit_bytes_), promised,
                "let the holders release messages, or start the node with a higher limit: `tarnd "
                "--limit SIZE`"};
  } else if (wish.quota_bytes != 0 && wish.asked_bytes > minus(wish.quota_bytes, own)) {
    shortage = {Error::quota_exceeded, "this session's quota is " + size_text(wish.quota_bytes),
                own, "release messages, or connect with a higher quota"};
  } else if (wish.left_bytes && wish.asked_bytes > minus(*wish.left_bytes, reserved_bytes())) {
    shortage = {Error::no_memory,
                "the machine or its cgroup can spare " +
                    size_text(minus(*wish.left_bytes, reserved_bytes())),
                promised, "free memory, or raise the cgroup's limit"};
  }
  if (!shortage) return Done{};
  return Error(shortage->code, "allocate shared memory",
               shortage->limit + ", in use " + size_text(shortage->used_bytes) + ", asked " +
                   size_text(wish.asked_bytes) + largest_holders(describe),
               shortage->cure);
}

}  // namespace tarn::daemon
