// restart_pace.h - how long the keeper waits before it starts the next worker.
#pragma once

#include <chrono>
#include <cstdint>

namespace tarn::daemon {

class RestartPace {
 public:
  // A worker ended that lived for `lived`. `killed`: by SIGKILL, that is by somebody else's doing,
  // so that a new one is as good as any. Returns the time to wait before the next start: nothing
  // at first, longer for one that keeps ending by itself soon after its start.
  std::chrono::nanoseconds wait_after(std::chrono::nanoseconds lived, bool killed) noexcept;

 private:
  std::uint32_t short_lives_ = 0;  // in a row
};

}  // namespace tarn::daemon
