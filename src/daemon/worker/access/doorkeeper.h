// doorkeeper.h - how many connections the other accounts have, and how fast they ask: what keeps
// one of them from taking the worker's time, descriptors and attention from everybody else.
//
// Pure counting; the server acts on it.
#pragma once

#include <cstdint>
#include <map>

#include "base/deadline.h"

namespace tarn::daemon {

// Of all others together, and of one account: connections that have not said hello.
inline constexpr std::uint32_t kMostSilentOthers = 128;
inline constexpr std::uint32_t kMostSilentOfOne = 16;
// Newcomers of all others together, each second, and at once after a pause.
inline constexpr std::uint32_t kNewcomersPerSecond = 200;
inline constexpr std::uint32_t kNewcomersAtOnce = 100;
// Of the worker's time others get at most one part in so many, and this much ahead of it.
inline constexpr std::int64_t kTimeParts = 4;
inline constexpr std::int64_t kMostAheadNs = 20'000'000;

// So many a second, and no more than that at once after a pause.
class Pace {
 public:
  bool is_full(std::int64_t now_ns) const noexcept { return full_at_ns_ <= now_ns; }
  // Takes one; false when there is none left at `now_ns`. A rate of 0 gives none.
  bool take(std::uint32_t per_second, std::uint32_t at_once, std::int64_t now_ns) noexcept;

 private:
  std::int64_t full_at_ns_ = 0;  // when it will be full again
};

class Doorkeeper {
 public:
  // A connection of the account is there, and has not said hello.
  void add(std::uint32_t uid);
  void greeted(std::uint32_t uid) noexcept;
  void remove(std::uint32_t uid, bool was_silent, std::int64_t now_ns) noexcept;

  std::uint32_t connections_of(std::uint32_t uid) const noexcept;
  std::uint32_t connections() const noexcept { return connections_; }
  std::size_t account_count() const noexcept { return accounts_.size(); }
  bool may_be_silent(std::uint32_t uid) const noexcept;
  bool are_too_many_silent() const noexcept { return silent_ >= kMostSilentOthers; }

  bool takes_newcomer(std::int64_t now_ns) noexcept {
    return newcomers_.take(kNewcomersPerSecond, kNewcomersAtOnce, now_ns);
  }
  bool may_ask(std::uint32_t uid, std::uint32_t per_second, std::int64_t now_ns) noexcept;
  // What was done for others took so long.
  void spent(std::int64_t duration_ns, std::int64_t now_ns) noexcept;
  bool has_time(std::int64_t now_ns) const noexcept { return paid_at_ns_ - now_ns <= kMostAheadNs; }
  // Whether a refusal is worth a line in the log: some each second are.
  bool may_complain(std::int64_t now_ns) noexcept { return complaints_.take(5, 20, now_ns); }

 private:
  void forget_the_gone(std::int64_t now_ns) noexcept;

  struct Account {
    std::uint32_t connections = 0;
    std::uint32_t silent = 0;
    Pace requests;
  };
  std::map<std::uint32_t, Account> accounts_;
  std::uint32_t connections_ = 0;
  std::uint32_t silent_ = 0;
  std::int64_t paid_at_ns_ = 0;  // when their share has caught up with what they used
  Pace newcomers_;
  Pace complaints_;
};

// What is done while it is there counts as done for others, if it is.
class TimeForOthers {
 public:
  TimeForOthers(Doorkeeper& keeper, bool is_for_others) noexcept
      : keeper_(is_for_others ? &keeper : nullptr), began_ns_(monotonic_ns()) {}
  TimeForOthers(const TimeForOthers&) = delete;
  TimeForOthers& operator=(const TimeForOthers&) = delete;
  ~TimeForOthers() {
    if (keeper_ == nullptr) return;
    const std::int64_t now_ns = monotonic_ns();
    keeper_->spent(now_ns - began_ns_, now_ns);
  }

 private:
  Doorkeeper* const keeper_;
  const std::int64_t began_ns_;
};

}  // namespace tarn::daemon
