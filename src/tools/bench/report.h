// report.h - what came out: one line a result, and the same as JSON or as a table for a person.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "tools/bench/method/machine.h"

namespace tarn::bench {

// One figure. Printed tab separated in this order:
//   system pattern payload_bytes consumers metric value unit
struct Line {
  std::string system;   // "tarn", "floor", "posix_mq", ...
  std::string pattern;  // "polling", "reference", ...
  std::uint64_t payload_bytes = 0;
  int consumers = 1;
  std::string metric;  // "p50", "ratio", "rate", ...
  double value = 0;
  std::string unit;  // "ns", "ratio", "messages/s", ...
};

// Whole numbers without a point, others with six significant digits, never an exponent.
std::string format_value(double value);
std::string format_line(const Line& line);
std::string header_line();

// A goal is met, missed, or says nothing because its figure was not measured.
enum class Outcome : std::uint8_t { met, missed, not_measured };
std::string_view name_of(Outcome outcome) noexcept;

struct GoalResult {
  std::string what;      // "polling, 48 B in the slot"
  std::string goal;      // "<= 1.25 F1"
  std::string measured;  // "1.19 (1.14 to 1.31)"; empty when not measured
  Outcome outcome = Outcome::not_measured;
};

// Everything of one run. Lines are printed as they come when a stream for them is given.
class Report {
 public:
  explicit Report(std::ostream* live) : live_(live) {}

  void add(Line line);
  // A sentence for the person who reads the figures: what was left out, and why.
  void note(std::string text);

  const std::vector<Line>& lines() const noexcept { return lines_; }
  const std::vector<std::string>& notes() const noexcept { return notes_; }

 private:
  std::ostream* live_;
  std::vector<Line> lines_;
  std::vector<std::string> notes_;
};

nlohmann::json to_json(const Report& report, const Machine& machine, const std::string& version,
                       const std::vector<GoalResult>& goals);
// Goals first, then every system's main figures.
void print_table(std::ostream& out, const Report& report, const Machine& machine,
                 const std::vector<GoalResult>& goals);

// "48 B", "4 KiB", "1 GiB"
std::string format_size(std::uint64_t bytes);

}  // namespace tarn::bench
