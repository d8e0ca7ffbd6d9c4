// stage.h - what every pattern is given: how much to measure, where to run, where to report.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tools/bench/method/floors.h"
#include "tools/bench/method/ping_pong.h"
#include "tools/bench/report.h"

namespace tarn::bench {

// Asked for on the command line.
struct Settings {
  int rounds = 9;
  std::uint64_t messages = 200'000;  // a latency figure's, per round when polling
  bool quick = false;                // for tests: proves that it works, not how fast
  bool compare = false;
  std::vector<std::string> only;  // patterns' names, with wildcards; empty: all
};

// One status line on a terminal, rewritten in place; nothing elsewhere.
class Progress {
 public:
  Progress(std::ostream& out, bool is_terminal) : out_(out), is_terminal_(is_terminal) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const std::string& text);
  void clear();

 private:
  std::ostream& out_;
  bool is_terminal_;
};

using RunPingPong = std::function<Histogram(const PingPongPlan&)>;

class Stage {
 public:
  // Throws BenchError when there are not two CPUs to pin to.
  Stage(Settings settings, Report& report, Progress& progress);

  const Settings& settings() const noexcept { return settings_; }
  const TickScale& scale() const noexcept { return scale_; }
  Report& report() noexcept { return report_; }
  Progress& progress() noexcept { return progress_; }
  CpuPair pair() const noexcept { return {cpus_[0], cpus_[1]}; }
  // Spreads many processes evenly.
  int cpu(std::size_t index) const noexcept { return cpus_[index % cpus_.size()]; }

  // Messages of one round for something that takes about `ns` each: fewer when it is slow.
  std::uint64_t messages_for(double ns) const noexcept;
  // A plan with that many messages and a tenth more to warm up.
  PingPongPlan plan_of(std::uint64_t messages, std::uint64_t pause_ticks) const noexcept;
  // A plan that fits what `run` takes, found by a short trial; it warms up for `settle_ns` at
  // least.
  PingPongPlan fitting_plan(std::uint64_t pause_ticks, const RunPingPong& run,
                            double settle_ns = 0) const;
  // The floor's p50 in ns, measured now.
  double floor_ns(Floor floor, std::size_t payload_bytes);
  // How long each side of a floor or its candidate waits before it sends.
  std::uint64_t pause_ticks(Floor floor) const noexcept;

 private:
  Settings settings_;
  Report& report_;
  Progress& progress_;
  std::vector<int> cpus_;
  TickScale scale_;
  std::map<std::pair<Floor, std::size_t>, PingPongPlan> floor_plans_;
};

// Which figure of which system is measured, and against which floor.
struct Subject {
  std::string system;
  std::string pattern;
  std::uint64_t payload_bytes = 0;
  int consumers = 1;
  Floor floor = Floor::one_line;
  std::size_t floor_payload_bytes = kLineSizedPayload;

  static constexpr std::size_t kLineSizedPayload = 64;
};

// Rounds of a latency: p1 to max over all steady rounds, ratio to the floor with its range. Returns
// the median ratio, 0 when no round was steady.
double measure_latency(Stage& stage, const Subject& subject, const RunPingPong& run);
struct FloodSpeed;
// Rounds of a throughput: `run` sends about so many messages.
void measure_rate(Stage& stage, const Subject& subject,
                  const std::function<FloodSpeed(std::uint64_t messages)>& run);
// Rounds of durations in ns that have no floor but the machine's steadiness, such as connecting.
void measure_durations(Stage& stage, const Subject& subject,
                       const std::function<Histogram()>& run_ns);

}  // namespace tarn::bench
