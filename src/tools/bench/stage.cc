#include "tools/bench/stage.h"

#include <algorithm>
#include <cmath>
#include <ostream>

#include "tools/bench/flood.h"
#include "tools/bench/method/machine.h"
#include "tools/bench/method/rounds.h"

namespace tarn::bench {
namespace {

// How long one measurement of one round may take, about.
constexpr double kRoundNs = 0.4e9;
constexpr double kQuickRoundNs = 0.02e9;
// How much longer, when otherwise all rounds together had not the messages that were asked for.
constexpr double kPatience = 2.5;
// How long each side of an "asleep" ping-pong waits: a CPU with nothing to do is idle by then.
constexpr double kAsleepNs = 100e3;
constexpr double kSettleNsPerByte = 2.0;
constexpr std::uint64_t kTrialMessages = 200;
constexpr std::uint64_t kTrialFlood = 20'000;
constexpr double kMostFlood = 5e6;

struct Percentile {
  const char* metric;
  double percent;
};
constexpr Percentile kPercentiles[] = {{"p1", 1}, {"p50", 50}, {"p99", 99}, {"p99.9", 99.9}};

class LineWriter {
 public:
  LineWriter(Report& report, const Subject& subject) : report_(report), subject_(subject) {}

  void add(const std::string& metric, double value, const std::string& unit) {
    report_.add({subject_.system, subject_.pattern, subject_.payload_bytes, subject_.consumers,
                 metric, value, unit});
  }
  void add_spread(const std::string& metric, const Spread& spread, const std::string& unit) {
    add(metric, spread.median, unit);
    add(metric + "_low", spread.low, unit);
    add(metric + "_high", spread.high, unit);
  }
  // Percentiles of `histogram`, whose values are `ns_per_unit` nanoseconds each and come in steps.
  void add_percentiles(const Histogram& histogram, double ns_per_unit, std::uint64_t step) {
    for (const Percentile& entry : kPercentiles) {
      add(entry.metric, histogram.percentile(entry.percent, step) * ns_per_unit, "ns");
    }
    add("max", static_cast<double>(histogram.max()) * ns_per_unit, "ns");
  }
  void add_rounds(const RoundSummary& summary) {
    add("rounds", summary.kept, "rounds");
    add("rounds_dropped", summary.dropped, "rounds");
  }

 private:
  Report& report_;
  const Subject& subject_;
};

std::string title_of(const Subject& subject) {
  return subject.system + " " + subject.pattern + " " + format_size(subject.payload_bytes);
}

// Runs the rounds of one subject with its progress shown; notes when none was steady.
RoundSummary run_subject(Stage& stage, const Subject& subject,
                         const std::function<double()>& candidate,
                         const std::function<void()>& kept) {
  int tried = 0;
  const auto show = [&](const char* what) {
    stage.progress().show(title_of(subject) + ": round " + std::to_string(tried) + ", " + what);
  };
  RoundSteps steps;
  steps.floor = [&] {
    show("floor");
    return stage.floor_ns(subject.floor, subject.floor_payload_bytes);
  };
  steps.candidate = [&] {
    ++tried;
    show("candidate");
    return candidate();
  };
  steps.kept = kept;
  const RoundSummary summary = summarize(run_rounds(stage.settings().rounds, steps));
  if (summary.kept < stage.settings().rounds) {
    stage.report().note(title_of(subject) + ": only " + std::to_string(summary.kept) + " of " +
                        std::to_string(summary.kept + summary.dropped) +
                        " rounds were steady; the machine was too busy");
  }
  return summary;
}

}  // namespace

void Progress::show(const std::string& text) {
  if (is_terminal_) out_ << "\r\033[K" << text << std::flush;
}

void Progress::clear() {
  if (is_terminal_) out_ << "\r\033[K" << std::flush;
}

Stage::Stage(Settings settings, Report& report, Progress& progress)
    : settings_(std::move(settings)),
      report_(report),
      progress_(progress),
      cpus_(usable_cpus()),
      scale_(TickScale::measure()) {
  if (cpus_.size() < 2) {
    throw BenchError(
        "two processes need two CPUs, and this one may use only one; "
        "allow it more (taskset, cpuset), or measure on another machine");
  }
}

std::uint64_t Stage::messages_for(double ns) const noexcept {
  if (settings_.quick) {
    return static_cast<std::uint64_t>(std::clamp(kQuickRoundNs / ns, 20.0, 2000.0));
  }
  // All rounds together have at least the messages asked for, and each has enough for its p50.
  const double share = static_cast<double>(settings_.messages) / std::max(settings_.rounds, 1);
  const double fitting = std::max(kRoundNs / ns, std::min(share, kPatience * kRoundNs / ns));
  return static_cast<std::uint64_t>(
      std::clamp(fitting, 100.0, std::max(100.0, static_cast<double>(settings_.messages))));
}

PingPongPlan Stage::plan_of(std::uint64_t messages, std::uint64_t pause_ticks) const noexcept {
  PingPongPlan plan;
  plan.cpus = pair();
  plan.scale = scale_;
  plan.messages = messages;
  plan.warm_up = messages / 10;
  plan.pause_ticks = pause_ticks;
  return plan;
}

PingPongPlan Stage::fitting_plan(std::uint64_t pause_ticks, const RunPingPong& run,
                                 double settle_ns) const {
  const Histogram trial = run(plan_of(kTrialMessages, pause_ticks));
  const double round_trip_ns = 2 * one_way_ns(trial, scale_, 50);
  const double pauses_ns = 2 * scale_.ns(static_cast<double>(pause_ticks));
  const double ns = std::max(round_trip_ns + pauses_ns, 1.0);
  PingPongPlan plan = plan_of(messages_for(ns), pause_ticks);
  if (!settings_.quick) {
    plan.warm_up = std::max(plan.warm_up, static_cast<std::uint64_t>(settle_ns / ns));
  }
  return plan;
}

double Stage::floor_ns(Floor floor, std::size_t payload_bytes) {
  const auto run = [&](const PingPongPlan& plan) {
    return measure_floor(floor, plan, payload_bytes);
  };
  PingPongPlan& plan = floor_plans_[{floor, payload_bytes}];
  if (plan.messages == 0) {
    plan = fitting_plan(pause_ticks(floor), run);
    // A floor is measured twice for each candidate: half the messages each time.
    plan.messages = std::max<std::uint64_t>(plan.messages / 2, 20);
  }
  return one_way_ns(run(plan), scale_, 50);
}

std::uint64_t Stage::pause_ticks(Floor floor) const noexcept {
  return floor == Floor::futex_asleep ? scale_.ticks_in(kAsleepNs) : 0;
}

double measure_latency(Stage& stage, const Subject& subject, const RunPingPong& run) {
  stage.progress().show(title_of(subject) + ": trial");
  // A sender of huge messages gets more memory on the way, which takes about a second a GiB.
  const auto settle_ns = static_cast<double>(subject.payload_bytes) * kSettleNsPerByte;
  const PingPongPlan plan = stage.fitting_plan(stage.pause_ticks(subject.floor), run, settle_ns);

  Histogram latest;
  Histogram all;
  const RoundSummary summary = run_subject(
      stage, subject,
      [&] {
        latest = run(plan);
        return one_way_ns(latest, stage.scale(), 50);
      },
      [&] { all.merge(latest); });

  LineWriter lines(stage.report(), subject);
  if (summary.kept > 0) {
    lines.add_percentiles(all, stage.scale().ns_per_tick / 2, stage.scale().step_ticks);
    lines.add_spread("ratio", summary.ratio, std::string(name_of(subject.floor)));
    lines.add_spread("floor", summary.floor, "ns");
  }
  lines.add_rounds(summary);
  return summary.ratio.median;
}

void measure_rate(Stage& stage, const Subject& subject,
                  const std::function<FloodSpeed(std::uint64_t messages)>& run) {
  std::uint64_t messages = kTrialFlood / 10;
  if (!stage.settings().quick) {
    stage.progress().show(title_of(subject) + ": trial");
    const double fitting = run(kTrialFlood).rate * kRoundNs / 1e9;
    messages = static_cast<std::uint64_t>(
        std::clamp(fitting, static_cast<double>(kTrialFlood), kMostFlood));
  }
  FloodSpeed latest;
  std::vector<double> undisturbed;
  const auto candidate = [&] {
    latest = run(messages);
    return latest.rate;
  };
  const RoundSummary summary =
      run_subject(stage, subject, candidate, [&] { undisturbed.push_back(latest.undisturbed); });
  LineWriter lines(stage.report(), subject);
  if (summary.kept > 0) {
    lines.add_spread("rate", summary.candidate, "messages/s");
    const double median = spread_of(std::move(undisturbed)).median;
    if (median > 0) lines.add("rate_undisturbed", median, "messages/s");
    lines.add("floor", summary.floor.median, "ns");
    // How many floors' time one message takes.
    lines.add("ratio", 1e9 / summary.candidate.median / summary.floor.median,
              std::string(name_of(subject.floor)));
  }
  lines.add_rounds(summary);
}

void measure_durations(Stage& stage, const Subject& subject,
                       const std::function<Histogram()>& run_ns) {
  Histogram latest;
  Histogram all;
  const RoundSummary summary = run_subject(
      stage, subject,
      [&] {
        latest = run_ns();
        return latest.percentile(50);
      },
      [&] { all.merge(latest); });
  LineWriter lines(stage.report(), subject);
  if (summary.kept > 0) lines.add_percentiles(all, 1, 1);
  lines.add_rounds(summary);
}

}  // namespace tarn::bench
