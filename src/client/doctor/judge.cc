#include "client/doctor/judge.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <iterator>

namespace tarn::doctor {

std::uint64_t domain_limit_bytes(const os::MemoryLimits& limits) noexcept {
  return std::min(limits.machine_bytes, limits.cgroup_bytes.value_or(limits.machine_bytes)) / 2;
}

std::string in_bytes(std::uint64_t bytes) {
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return counted(bytes, "byte");
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), value < 10 ? "%.1f %s" : "%.0f %s", value, kUnits[unit]);
  return text.data();
}

std::string in_words(int error) {
  return std::string(std::strerror(error)) + " (errno " + std::to_string(error) + ")";
}

std::string counted(std::uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

Findings judge(const HostFacts& facts) {
  Findings all;
  const auto append = [&](Findings found) {
    std::move(found.begin(), found.end(), std::back_inserter(all));
  };
  append(judge(facts.kernel));
  append(judge(facts.memory));
  append(judge(facts.limits));
  append(judge(facts.machine));
  append(judge(facts.run));
  append(judge(facts.leftovers));
  append(judge(facts.node, facts.memory));
  return all;
}

}  // namespace tarn::doctor
