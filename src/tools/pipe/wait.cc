#include "tools/pipe/wait.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "tools/failure.h"

namespace tarn::tools {
namespace {

int poll_timeout_ms(WaitUntil deadline) {
  if (!deadline) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
  constexpr std::int64_t kLongest = 1'000'000'000;
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, kLongest));
}

}  // namespace

WaitUntil until(std::optional<std::chrono::nanoseconds> timeout) {
  const auto now = Clock::now();
  if (!timeout || *timeout > Clock::time_point::max() - now) return std::nullopt;
  return now + *timeout;
}

Wake wait_for(const WaitFor& what, const StopSignals& signals, WaitUntil deadline) {
  for (;;) {
    signals.check();
    // poll() leaves out entries below zero, and reports a pipe without a reader unasked.
    std::array<pollfd, 3> entries{pollfd{what.descriptor, what.events, 0},
                                  pollfd{signals.descriptor(), POLLIN, 0},
                                  pollfd{what.output, 0, 0}};
    const int count = ::poll(entries.data(), entries.size(), poll_timeout_ms(deadline));
    if (count < 0 && errno != EINTR) {
      throw Failure(ExitCode::failure, "os", "wait", "this process", "see 'tarn doctor'", errno);
    }
    signals.check();
    if (count > 0 && entries[2].revents != 0) return Wake::reader_gone;
    if (count > 0 && entries[0].revents != 0) return Wake::ready;
    if (deadline && Clock::now() >= *deadline) return Wake::timed_out;
  }
}

}  // namespace tarn::tools
