#include "tools/bench/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <ostream>

#include "tools/bench/method/processes.h"

namespace tarn::bench {
namespace {

using nlohmann::json;

// The metrics worth a row in the table for a person; the rest is in the lines.
constexpr std::array kMainMetrics{"p50",     "p99",  "ratio",     "rate",        "rate_undisturbed",
                                  "count",   "warm", "cold",      "size_spread", "besides_segments",
                                  "session", "pipe", "first_loan"};

bool is_main(const Line& line) {
  return std::find(kMainMetrics.begin(), kMainMetrics.end(), line.metric) != kMainMetrics.end();
}

json json_of(const Line& line) {
  return {{"system", line.system},
          {"pattern", line.pattern},
          {"payload_bytes", line.payload_bytes},
          {"consumers", line.consumers},
          {"metric", line.metric},
          {"value", line.value},
          {"unit", line.unit}};
}

json json_of(const GoalResult& goal) {
  return {{"what", goal.what},
          {"goal", goal.goal},
          {"measured", goal.measured},
          {"outcome", name_of(goal.outcome)}};
}

json json_of(const Machine& machine) {
  json object{{"model", machine.model},
              {"cpus", machine.cpu_count},
              {"memory_bytes", machine.memory_bytes},
              {"kernel", machine.kernel},
              {"compiler", machine.compiler},
              {"build", machine.build}};
  object["commit"] = machine.commit.empty() ? json() : json(machine.commit);
  return object;
}

// Rows of text, each column as wide as its widest cell.
void print_rows(std::ostream& out, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - row[i].size() + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  }
}

}  // namespace

std::string format_value(double value) {
  std::array<char, 64> text{};
  if (value == std::floor(value) && std::abs(value) < 1e15) {
    std::snprintf(text.data(), text.size(), "%.0f", value);
    return text.data();
  }
  // Six significant digits, the point wherever it falls.
  const double magnitude = std::floor(std::log10(std::abs(value)));
  const int decimals = std::clamp(5 - static_cast<int>(magnitude), 0, 12);
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  std::string trimmed = text.data();
  if (trimmed.find('.') != std::string::npos) {
    trimmed.erase(trimmed.find_last_not_of('0') + 1);
    if (trimmed.back() == '.') trimmed.pop_back();
  }
  return trimmed;
}

std::string header_line() {
  return "system\tpattern\tpayload_bytes\tconsumers\tmetric\tvalue\tunit";
}

std::string format_line(const Line& line) {
  return line.system + '\t' + line.pattern + '\t' + std::to_string(line.payload_bytes) + '\t' +
         std::to_string(line.consumers) + '\t' + line.metric + '\t' + format_value(line.value) +
         '\t' + line.unit;
}

std::string_view name_of(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::met:
      return "met";
    case Outcome::missed:
      return "missed";
    case Outcome::not_measured:
      return "not measured";
  }
  return "?";
}

void Report::add(Line line) {
  if (live_ != nullptr) {
    if (lines_.empty()) *live_ << header_line() << '\n';
    *live_ << format_line(line) << std::endl;  // at once: a run takes minutes
    if (!*live_) throw BenchError("cannot write the results: whoever reads them has gone");
  }
  lines_.push_back(std::move(line));
}

void Report::note(std::string text) { notes_.push_back(std::move(text)); }

std::string format_size(std::uint64_t bytes) {
  constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && bytes % 1024 == 0 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes) + " " + kUnits[unit];
}

json to_json(const Report& report, const Machine& machine, const std::string& version,
             const std::vector<GoalResult>& goals) {
  json results = json::array();
  for (const Line& line : report.lines()) results.push_back(json_of(line));
  json judged = json::array();
  for (const GoalResult& goal : goals) judged.push_back(json_of(goal));
  return {{"machine", json_of(machine)},
          {"version", version},
          {"results", std::move(results)},
          {"goals", std::move(judged)},
          {"notes", report.notes()}};
}

void print_table(std::ostream& out, const Report& report, const Machine& machine,
                 const std::vector<GoalResult>& goals) {
  out << machine.model << ", " << machine.cpu_count << " CPUs, " << machine.kernel << ", "
      << machine.compiler << ", " << machine.build << " build";
  if (!machine.commit.empty()) out << ", commit " << machine.commit;
  out << "\n\n";

  std::vector<std::vector<std::string>> rows{{"GOAL", "", "MEASURED", "OUTCOME"}};
  for (const GoalResult& goal : goals) {
    rows.push_back({goal.what, goal.goal, goal.measured.empty() ? "-" : goal.measured,
                    std::string(name_of(goal.outcome))});
  }
  print_rows(out, rows);

  rows = {{"SYSTEM", "PATTERN", "PAYLOAD", "CONSUMERS", "METRIC", "VALUE", "UNIT"}};
  for (const Line& line : report.lines()) {
    if (!is_main(line)) continue;
    rows.push_back({line.system, line.pattern, format_size(line.payload_bytes),
                    std::to_string(line.consumers), line.metric, format_value(line.value),
                    line.unit});
  }
  out << '\n';
  print_rows(out, rows);
  if (!report.notes().empty()) out << '\n';
  for (const std::string& text : report.notes()) out << "note: " << text << '\n';
}

}  // namespace tarn::bench
