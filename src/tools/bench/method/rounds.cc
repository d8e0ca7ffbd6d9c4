#include "tools/bench/method/rounds.h"

#include <algorithm>
#include <cmath>

namespace tarn::bench {

bool Round::is_steady() const noexcept {
  const double least = std::min(floor_before, floor_after);
  if (!(least > 0)) return false;
  return std::abs(floor_before - floor_after) <= kFloorTolerance * least;
}

Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {median, values.front(), values.back()};
}

RoundSummary summarize(const std::vector<Round>& rounds) {
  RoundSummary summary;
  std::vector<double> ratios;
  std::vector<double> candidates;
  std::vector<double> floors;
  for (const Round& round : rounds) {
    if (!round.is_steady()) {
      ++summary.dropped;
      continue;
    }
    ++summary.kept;
    ratios.push_back(round.ratio());
    candidates.push_back(round.candidate);
    floors.push_back(round.floor());
  }
  summary.ratio = spread_of(std::move(ratios));
  summary.candidate = spread_of(std::move(candidates));
  summary.floor = spread_of(std::move(floors));
  return summary;
}

std::vector<Round> run_rounds(int wanted, const RoundSteps& steps) {
  std::vector<Round> rounds;
  int steady = 0;
  for (int tried = 0; tried < wanted * kTriesPerRound && steady < wanted; ++tried) {
    Round round;
    round.floor_before = steps.floor();
    round.candidate = steps.candidate();
    round.floor_after = steps.floor();
    rounds.push_back(round);
    if (!round.is_steady()) continue;
    ++steady;
    steps.kept();
  }
  return rounds;
}

}  // namespace tarn::bench
