#include "daemon/worker/access/doorkeeper.h"

#include <algorithm>

namespace tarn::daemon {

// A bucket told by the time at which it will be full: nothing runs while nobody asks.
bool Pace::take(std::uint32_t per_second, std::uint32_t at_once, std::int64_t now_ns) noexcept {
  if (per_second == 0 || at_once == 0) return false;
  const std::int64_t one_ns = std::max<std::int64_t>(1'000'000'000 / per_second, 1);
  const std::int64_t full_at_ns = std::max(full_at_ns_, now_ns) + one_ns;
  if (full_at_ns - now_ns > one_ns * at_once) return false;
  full_at_ns_ = full_at_ns;
  return true;
}

void Doorkeeper::add(std::uint32_t uid) {
  Account& account = accounts_[uid];
  ++account.connections;
  ++account.silent;
  ++connections_;
  ++silent_;
}

void Doorkeeper::greeted(std::uint32_t uid) noexcept {
  const auto found = accounts_.find(uid);
  if (found == accounts_.end() || found->second.silent == 0) return;
  --found->second.silent;
  --silent_;
}

void Doorkeeper::remove(std::uint32_t uid, bool was_silent, std::int64_t now_ns) noexcept {
  if (was_silent) greeted(uid);
  const auto found = accounts_.find(uid);
  if (found == accounts_.end() || found->second.connections == 0) return;
  --connections_;
  if (--found->second.connections == 0) forget_the_gone(now_ns);
}

// An account without connections is forgotten only when nothing depends on its pace any more: else
// who hangs up between two requests would ask as fast as it likes.
void Doorkeeper::forget_the_gone(std::int64_t now_ns) noexcept {
  std::erase_if(accounts_, [&](const auto& entry) {
    return entry.second.connections == 0 && entry.second.requests.is_full(now_ns);
  });
}

std::uint32_t Doorkeeper::connections_of(std::uint32_t uid) const noexcept {
  const auto found = accounts_.find(uid);
  return found == accounts_.end() ? 0 : found->second.connections;
}

bool Doorkeeper::may_be_silent(std::uint32_t uid) const noexcept {
  const auto found = accounts_.find(uid);
  return found == accounts_.end() || found->second.silent < kMostSilentOfOne;
}

bool Doorkeeper::may_ask(std::uint32_t uid, std::uint32_t per_second,
                         std::int64_t now_ns) noexcept {
  const std::uint32_t at_once = std::max(per_second / 4, 1U);
  return accounts_[uid].requests.take(per_second, at_once, now_ns);
}

void Doorkeeper::spent(std::int64_t duration_ns, std::int64_t now_ns) noexcept {
  paid_at_ns_ = std::max(paid_at_ns_, now_ns) + kTimeParts * duration_ns;
}

}  // namespace tarn::daemon
