#include "tools/bench/goals.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tarn::bench {
namespace {

enum class Bound : std::uint8_t { at_most, at_least };

// A promise about one metric of one pattern; the worst of all its payload sizes counts.
struct Goal {
  std::string_view what;
  std::string_view pattern;
  std::string_view metric;
  Bound bound;
  double limit;
  double shown_per_unit;  // what one shown unit is in the metric's unit
  std::string_view shown_unit;
};

constexpr Goal kGoals[] = {
    {"one way, up to 48 B in the slot, polling", "polling", "ratio", Bound::at_most, 1.25, 1, "F1"},
    {"one way by reference, first and last byte", "reference", "ratio", Bound::at_most, 1.5, 1,
     "F2"},
    {"by reference, slowest size to fastest", "reference", "size_spread", Bound::at_most, 1.1, 1,
     "x"},
    {"blocking receive", "blocking", "ratio", Bound::at_most, 1.15, 1, "W"},
    {"system calls of a sender, nobody asleep", "syscalls", "count", Bound::at_most, 0, 1,
     "a message"},
    {"one producer to one consumer", "one-to-one", "rate", Bound::at_least, 15e6, 1e6,
     "M messages/s"},
    {"two producers to two consumers", "two-to-two", "rate", Bound::at_least, 8e6, 1e6,
     "M messages/s"},
    {"references to 64 KiB", "references", "rate", Bound::at_least, 8e6, 1e6, "M messages/s"},
    {"attach", "attach", "p50", Bound::at_most, 1e6, 1e6, "ms"},
    {"open a pipe", "open", "p50", Bound::at_most, 200e3, 1e3, "us"},
    {"descriptors besides one a segment", "descriptors", "besides_segments", Bound::at_most, 3, 1,
     "a process"},
};

std::string two_decimals(double value) {
  std::string text = format_value(std::round(value * 100) / 100);
  return text;
}

std::string shown(const Goal& goal, double value) {
  return two_decimals(value / goal.shown_per_unit);
}

bool satisfies(const Goal& goal, double value) {
  return goal.bound == Bound::at_most ? value <= goal.limit : value >= goal.limit;
}

// The line that is worst for the goal, if any was measured.
const Line* worst_line(const Goal& goal, const std::vector<Line>& lines) {
  const Line* worst = nullptr;
  for (const Line& line : lines) {
    if (line.system != "tarn" || line.pattern != goal.pattern || line.metric != goal.metric) {
      continue;
    }
    const bool worse =
        worst == nullptr ||
        (goal.bound == Bound::at_most ? line.value > worst->value : line.value < worst->value);
    if (worse) worst = &line;
  }
  return worst;
}

std::optional<double> value_of(const std::vector<Line>& lines, const Line& like,
                               const std::string& metric) {
  for (const Line& line : lines) {
    if (line.system == like.system && line.pattern == like.pattern && line.metric == metric &&
        line.payload_bytes == like.payload_bytes && line.consumers == like.consumers) {
      return line.value;
    }
  }
  return std::nullopt;
}

std::string measured_text(const Goal& goal, const Line& worst, const std::vector<Line>& lines) {
  std::string text = shown(goal, worst.value);
  const auto low = value_of(lines, worst, worst.metric + "_low");
  const auto high = value_of(lines, worst, worst.metric + "_high");
  if (low && high) text += " (" + shown(goal, *low) + " to " + shown(goal, *high) + ")";
  if (worst.payload_bytes != 0) text += " at " + format_size(worst.payload_bytes);
  return text;
}

}  // namespace

std::vector<GoalResult> judge(const std::vector<Line>& lines) {
  std::vector<GoalResult> results;
  for (const Goal& goal : kGoals) {
    GoalResult result;
    result.what = goal.what;
    result.goal = (goal.bound == Bound::at_most ? "<= " : ">= ") + shown(goal, goal.limit) + " " +
                  std::string(goal.shown_unit);
    if (const Line* worst = worst_line(goal, lines)) {
      result.measured = measured_text(goal, *worst, lines);
      result.outcome = satisfies(goal, worst->value) ? Outcome::met : Outcome::missed;
    }
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace tarn::bench
