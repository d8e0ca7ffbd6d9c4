// goals.h - the figures tarn promises, and whether this run met them.
//
// Goals are ratios to floors of the same run wherever a floor exists. Missing one is information,
// never a failure.
#pragma once

#include <vector>

#include "tools/bench/report.h"

namespace tarn::bench {

std::vector<GoalResult> judge(const std::vector<Line>& lines);

}  // namespace tarn::bench
