#include "tools/bench/patterns/patterns.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <vector>

#include "tools/bench/method/rounds.h"

namespace tarn::bench {
namespace {

constexpr std::array kPatterns{
    Pattern{"floors", "F1 without and with pause, F2, W, W with sleepers, E", run_floors},
    Pattern{"memcpy", "bytes per second, warm and cold", run_memcpy},
    Pattern{"polling", "one way in the slot, both sides polling, against F1", run_polling},
    Pattern{"reference", "one way by reference, first and last byte, against F2", run_reference},
    Pattern{"touched", "by reference, written in full, read a byte a line, against the same F2",
            run_touched},
    Pattern{"blocking", "one way, both sides in pop(), against W", run_blocking},
    Pattern{"blocking-asleep", "the same, each side certainly asleep", run_blocking_asleep},
    Pattern{"one-to-one", "throughput of two processes, polling", run_one_to_one},
    Pattern{"one-to-one-blocking", "throughput of two processes, push() and pop()",
            run_one_to_one_blocking},
    Pattern{"two-to-two", "throughput of four processes, push() and pop()", run_two_to_two},
    Pattern{"four-to-four", "throughput of eight processes, push() and pop()", run_four_to_four},
    Pattern{"references", "references to 64 KiB a second, polling", run_references},
    Pattern{"syscalls", "system calls a message by a sender when nobody sleeps", run_syscalls},
    Pattern{"attach", "connect() in a fresh process, the node running", run_attach},
    Pattern{"open", "opening a pipe that exists", run_open},
    Pattern{"open-new", "creating a pipe", run_open_new},
    Pattern{"descriptors", "descriptors of a process, step by step", run_descriptors},
    Pattern{"memory", "bytes of shared memory for each session and pipe", run_memory},
};

constexpr std::array kFloors{Floor::one_line, Floor::one_line_pause, Floor::two_lines,
                             Floor::futex,    Floor::futex_asleep,   Floor::event};
constexpr std::size_t kColdBytes = std::size_t{256} << 20;
constexpr std::size_t kQuickColdBytes = std::size_t{16} << 20;

}  // namespace

std::span<const Pattern> patterns() noexcept { return kPatterns; }

bool is_chosen(const Settings& settings, std::string_view name) {
  const std::string text(name);
  const auto matches = [&](const std::string& wildcard) {
    return ::fnmatch(wildcard.c_str(), text.c_str(), 0) == 0;
  };
  return settings.only.empty() || std::any_of(settings.only.begin(), settings.only.end(), matches);
}

// Each floor is its own candidate: a ratio of one says that the method holds still.
void run_floors(Stage& stage, Domain&) {
  for (const Floor floor : kFloors) {
    const Subject subject{.system = "floor",
                          .pattern = std::string(name_of(floor)),
                          .payload_bytes = Subject::kLineSizedPayload,
                          .floor = floor};
    measure_latency(stage, subject, [&](const PingPongPlan& plan) {
      return measure_floor(floor, plan, subject.floor_payload_bytes);
    });
  }
}

void run_memcpy(Stage& stage, Domain&) {
  std::vector<double> warm;
  std::vector<double> cold;
  const std::size_t cold_bytes = stage.settings().quick ? kQuickColdBytes : kColdBytes;
  for (int round = 0; round < stage.settings().rounds; ++round) {
    stage.progress().show("memcpy: round " + std::to_string(round + 1));
    InterruptGuard::throw_if_raised();
    const CopySpeed speed = measure_copy(cold_bytes);
    warm.push_back(speed.warm);
    cold.push_back(speed.cold);
  }
  stage.report().add({"floor", "memcpy", std::size_t{1} << 20, 1, "warm",
                      spread_of(std::move(warm)).median / 1e9, "GB/s"});
  stage.report().add(
      {"floor", "memcpy", cold_bytes, 1, "cold", spread_of(std::move(cold)).median / 1e9, "GB/s"});
}

}  // namespace tarn::bench
