// rounds.h - how a figure is made of several rounds, each with its own floors.
//
// A shared machine is a little faster or slower all the time. So a candidate is measured between
// two measurements of its floor; when those two disagree the round says nothing and is dropped, and
// what is reported is the ratio within a round.
#pragma once

#include <functional>
#include <vector>

namespace tarn::bench {

// A round whose floors differ by more than this is dropped.
inline constexpr double kFloorTolerance = 0.15;
// How many rounds are tried at most, for each that is wanted.
inline constexpr int kTriesPerRound = 3;

struct Round {
  double floor_before = 0;
  double candidate = 0;
  double floor_after = 0;

  double floor() const noexcept { return (floor_before + floor_after) / 2; }
  double ratio() const noexcept { return candidate / floor(); }
  // True when the two floors are positive and agree.
  bool is_steady() const noexcept;
};

// Median and range; all zero when there was nothing.
struct Spread {
  double median = 0;
  double low = 0;
  double high = 0;
};
Spread spread_of(std::vector<double> values);

struct RoundSummary {
  int kept = 0;
  int dropped = 0;
  Spread ratio;
  Spread candidate;
  Spread floor;
};
RoundSummary summarize(const std::vector<Round>& rounds);

// Runs rounds until `wanted` of them were steady, or three times as many were tried. `kept` is
// called after each steady round.
struct RoundSteps {
  std::function<double()> floor;
  std::function<double()> candidate;
  std::function<void()> kept = [] {};
};
std::vector<Round> run_rounds(int wanted, const RoundSteps& steps);

}  // namespace tarn::bench
