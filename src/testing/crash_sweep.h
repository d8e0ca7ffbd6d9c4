// crash_sweep.h - ends a process at each crash point of an operation, one after the other, and lets
// the survivor check what it left.
//
// The operation runs in a fork()ed child, on memory that both share (shared_memory(), SharedPipe).
// The child arms its k-th crash point, and dies there by SIGKILL; then the check runs here. On to
// k+1, until the child gets to the end. A child that hangs is ended by its alarm.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>

namespace tarn::testing {

// How the child ended.
struct Death {
  enum class Kind : std::uint8_t { killed, finished, hung, failed };
  Kind kind = Kind::failed;
  std::uint64_t at = 0;  // which point, counted from 1
  std::string point;     // its name
  bool finished() const noexcept { return kind == Kind::finished; }
  bool was_at(std::string_view name) const noexcept {
    return kind == Kind::killed && point == name;
  }
};
std::ostream& operator<<(std::ostream& out, const Death& death);

// Runs `action` in a child that dies at its k-th crash point. Where crash points are not compiled
// in, it always finishes.
Death die_at(std::uint64_t k, const std::function<void()>& action);

// Returns how many points were swept: check that it is as many as you think.
template <class Prepare, class Action, class Check>
std::uint64_t crash_sweep(Prepare&& prepare, Action&& action, Check&& check) {
  constexpr std::uint64_t kMost = 10'000;
  for (std::uint64_t k = 1; k <= kMost; ++k) {
    prepare();
    const Death death = die_at(k, action);
    const ::testing::ScopedTrace trace(__FILE__, __LINE__, death);
    if (death.kind == Death::Kind::hung || death.kind == Death::Kind::failed) {
      ADD_FAILURE() << "the child did not get to its crash point";
      return k;
    }
    check(death);
    if (death.finished() || ::testing::Test::HasFatalFailure()) return k - 1;
  }
  ADD_FAILURE() << "more than " << kMost << " crash points";
  return kMost;
}

}  // namespace tarn::testing
