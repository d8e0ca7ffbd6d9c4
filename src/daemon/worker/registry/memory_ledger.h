// memory_ledger.h - who owns how much of the domain's memory, and whether somebody may own more.
//
// A reservation counts like owned memory until it is redeemed by the segment it was made for, or
// expires: two who ask at once are not both promised the last gigabyte.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/limits.h"

namespace tarn::daemon {

// Holders are session indexes, or one of these.
inline constexpr std::uint32_t kPipesHolder = 0;
inline constexpr std::uint32_t kOrphansHolder = 0xffff'ffff;

inline constexpr std::int64_t kReservationLifeNs = 30'000'000'000;

// "1.5 GiB", "640 bytes".
std::string size_text(std::uint64_t size_bytes);

// What somebody wants to own.
struct MemoryWish {
  std::uint32_t holder = kPipesHolder;
  std::uint64_t asked_bytes = 0;
  std::uint64_t quota_bytes = 0;  // 0: none
  // What the machine and the cgroup have left; none when the memory is allocated already.
  std::optional<std::uint64_t> left_bytes;
};

class MemoryLedger {
 public:
  explicit MemoryLedger(std::uint64_t limit_bytes) noexcept : limit_bytes_(limit_bytes) {}

  std::uint64_t limit_bytes() const noexcept { return limit_bytes_; }
  std::uint64_t used_bytes() const noexcept { return used_bytes_; }
  std::uint64_t used_by(std::uint32_t holder) const noexcept;
  // All holders together; equal to used_bytes(), which an audit compares.
  std::uint64_t sum_of_holders() const noexcept;

  void charge(std::uint32_t holder, std::uint64_t size_bytes);
  void refund(std::uint32_t holder, std::uint64_t size_bytes) noexcept;

  // In place of all that was charged; reservations stay.
  void replace(std::map<std::uint32_t, std::uint64_t> used_by) noexcept;

  void reserve(std::uint32_t holder, std::uint64_t size_bytes, std::int64_t now_ns);
  // Ends the holder's reservation of that size, if there is one.
  void redeem(std::uint32_t holder, std::uint64_t size_bytes) noexcept;
  bool has_promised(std::uint32_t holder, std::uint64_t size_bytes) const noexcept;
  void forget_reservations(std::uint32_t holder) noexcept;
  void expire(std::int64_t now_ns) noexcept;
  // What is promised to the holder now, and in how many pieces.
  std::uint64_t reserved_by(std::uint32_t holder) const noexcept;
  std::size_t reservation_count(std::uint32_t holder) const noexcept;

  // `describe` names a holder for a person. The error says which limit was hit, what is in use,
  // what was asked, who holds most, and what to do.
  using Describe = std::function<std::string(std::uint32_t holder)>;
  FullStatus check(const MemoryWish& wish, std::int64_t now_ns, const Describe& describe);

 private:
  struct Reservation {
    std::uint32_t holder;
    std::uint64_t size_bytes;
    std::int64_t expires_ns;
  };
  std::uint64_t reserved_bytes() const noexcept;
  std::string largest_holders(const Describe& describe) const;

  std::uint64_t limit_bytes_;
  std::uint64_t used_bytes_ = 0;
  std::map<std::uint32_t, std::uint64_t> used_by_;
  std::vector<Reservation> reservations_;
};

// What clients may still take: what is left, less a reserve for everything that is not shared
// memory.
std::uint64_t usable_bytes(const os::MemoryLimits& limits) noexcept;

}  // namespace tarn::daemon
