// at_crash_point.h - lets a test act at one instant of another's operation. Only where crash points
// are compiled in.
#pragma once

#include <functional>
#include <string_view>
#include <utility>

#include "base/crash_point.h"

#ifdef TARN_CRASH_POINTS

namespace tarn::testing {

// While it lives, whoever passes the named crash point calls `act`. One at a time.
class AtCrashPoint {
 public:
  AtCrashPoint(std::string_view point, std::function<void()> act) {
    s_act = [point, act = std::move(act)](std::string_view passed) {
      if (passed == point) act();
    };
    hook_crash_points([](const char* passed) { s_act(passed); });
  }
  AtCrashPoint(const AtCrashPoint&) = delete;
  AtCrashPoint& operator=(const AtCrashPoint&) = delete;
  ~AtCrashPoint() { hook_crash_points(nullptr); }

 private:
  static inline std::function<void(std::string_view)> s_act;
};

}  // namespace tarn::testing

#endif
