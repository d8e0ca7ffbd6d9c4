#include <algorithm>
#include <array>

#include "client/doctor/judge.h"

namespace tarn::doctor {
namespace {

// One reading above this is a system call, not a look at a page of the kernel's.
constexpr std::uint64_t kSlowReadingNs = 300;

// Those that can be read without a system call.
bool is_fast(const std::string& clocksource) {
  constexpr std::array kFast = {
      "tsc", "kvm-clock", "arch_sys_counter",  "hyperv_clocksource_tsc_page",
      "xen", "timebase",  "riscv_clocksource", "tod"};
  return std::find(kFast.begin(), kFast.end(), clocksource) != kFast.end();
}

void judge_clocksource(const MachineFacts& facts, Report& report) {
  const std::string cost = std::to_string(facts.clock_reading_ns) + " ns a reading";
  if (facts.clocksource.empty()) {
    return report.notice("clock source", "the kernel does not name it; " + cost,
                         "look on the host: /sys/devices/system/clocksource");
  }
  const std::string found = "'" + facts.clocksource + "', " + cost;
  const bool has_tsc = (" " + facts.clocksources + " ").find(" tsc ") != std::string::npos;
  if (is_fast(facts.clocksource) && facts.clock_reading_ns <= kSlowReadingNs) {
    report.ok("clock source", found);
  } else if (is_fast(facts.clocksource)) {
    report.notice("clock source", found + ", though its readings should take 20 to 60 ns",
                  "look for a sandbox or a tracer that intercepts the clock");
  } else {
    report.warning("clock source", found + ": every wait with a deadline pays for it",
                   has_tsc
                       ? "echo tsc > "
                         "/sys/devices/system/clocksource/clocksource0/current_clocksource"
                       : "see the kernel's log for why tsc was given up; boot with tsc=reliable");
  }
}

void judge_wall_clock(const os::ClockState& clock, Report& report) {
  if (clock.error != 0) {
    report.notice("wall clock", "cannot be examined here: " + in_words(clock.error),
                  "look on the host: timedatectl");
  } else if (clock.synchronised) {
    report.ok("wall clock", "synchronised");
  } else {
    report.notice("wall clock",
                  "not synchronised: fine on one host, whose waits use the monotonic clock; times "
                  "of several hosts do not compare",
                  "run chrony or systemd-timesyncd");
  }
}

void judge_processors(const os::Processors& processors, Report& report) {
  const std::string found = std::to_string(processors.allowed) + " of " +
                            std::to_string(processors.online) + " may be used";
  if (processors.allowed == 0) {
    report.notice("processors", "the kernel does not say which may be used",
                  "in a container, let its seccomp profile allow sched_getaffinity");
  } else if (processors.allowed >= 2) {
    report.ok("processors", found);
  } else if (processors.online >= 2) {
    report.warning("processors", found + ": who polls keeps the other side from running",
                   "allow two or more (taskset, the cgroup's cpuset), or wait instead of polling");
  } else {
    report.warning("processors", found + ": who polls keeps the other side from running",
                   "give the machine a second one, or wait instead of polling");
  }
}

}  // namespace

Findings judge(const MachineFacts& facts) {
  Report report;
  judge_clocksource(facts, report);
  judge_wall_clock(facts.wall_clock, report);
  judge_processors(facts.processors, report);
  return report.take();
}

}  // namespace tarn::doctor
