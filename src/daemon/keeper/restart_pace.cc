#include "daemon/keeper/restart_pace.h"

#include <algorithm>

namespace tarn::daemon {

using namespace std::chrono_literals;

std::chrono::nanoseconds RestartPace::wait_after(std::chrono::nanoseconds lived,
                                                 bool killed) noexcept {
  constexpr std::chrono::nanoseconds kShortLife = 1s;
  constexpr std::chrono::nanoseconds kLongestAfterKill = 20ms;
  if (lived >= kShortLife) {
    short_lives_ = 0;
    return 0ns;
  }
  ++short_lives_;
  std::chrono::nanoseconds wait = 0ns;
  if (short_lives_ > 3) wait = 100ms;
  if (short_lives_ > 6) wait = 1s;
  if (short_lives_ > 12) wait = 5s;
  return killed ? std::min(wait, kLongestAfterKill) : wait;
}

}  // namespace tarn::daemon
