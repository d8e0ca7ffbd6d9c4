// findings.h - what tests ask of the doctor's findings.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tarn/node.h"

namespace tarn::testing {

// The worst thing said of the subject, after seeing that everything bad comes with its cure.
inline Finding about(const std::vector<Finding>& findings, const std::string& subject) {
  const Finding* worst = nullptr;
  for (const Finding& each : findings) {
    EXPECT_FALSE(each.found.empty()) << each.subject;
    EXPECT_EQ(each.cure.empty(), each.severity == Severity::ok) << each.subject << each.found;
    if (each.subject != subject) continue;
    if (worst == nullptr || each.severity > worst->severity) worst = &each;
  }
  EXPECT_NE(worst, nullptr) << "nothing is said of " << subject;
  return worst != nullptr ? *worst : Finding{};
}

inline bool is_all_well(const std::vector<Finding>& findings) {
  return !findings.empty() && std::all_of(findings.begin(), findings.end(), [](const auto& each) {
    return each.severity == Severity::ok;
  });
}

inline bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace tarn::testing
