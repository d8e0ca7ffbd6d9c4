#include "tools/top/view.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tarn/pipe.h"
#include "tools/print/format.h"
#include "tools/print/status_json.h"
#include "tools/print/table.h"

namespace tarn::tools {

std::string bar(std::uint64_t part, std::uint64_t whole, std::size_t width) {
  const double share = whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  const auto filled =
      static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width) + 0.5);
  return '[' + std::string(filled, '#') + std::string(width - filled, '.') + ']';
}

namespace {

constexpr std::size_t kBarWidth = 20;
constexpr std::size_t kHeadLines = 2;
// A blank line, the headings, and the line that counts what is not shown.
constexpr std::size_t kTableExtraLines = 3;

std::string plural(std::uint64_t count, const std::string& noun) {
  return format_count(count) + ' ' + noun + (count == 1 ? "" : "s");
}

std::string node_line(const NodeStatus& node, const Style& style) {
  std::string line = style.paint(Paint::bold, node.application + '/' + node.user);
  line += "  tarnd " + node.version + "  up " + format_duration(node.age_ns);
  line += "  keeper " + std::to_string(node.keeper_pid);
  line += "  worker " + std::to_string(node.worker_pid);
  if (node.worker_starts > 1) {
    line += style.paint(Paint::yellow, " (start " + format_count(node.worker_starts) + ')');
  }
  line += "  recovered " + plural(node.recovered_sessions, "session");
  return line;
}

std::string memory_line(const NodeStatus& node, const Style& style) {
  // Above nine tenths, a producer will soon be refused.
  const bool tight = node.used_bytes > node.limit_bytes - node.limit_bytes / 10;
  std::string line = "memory ";
  line += style.paint(tight ? Paint::red : Paint::green,
                      bar(node.used_bytes, node.limit_bytes, kBarWidth));
  line += ' ' + format_size(node.used_bytes) + " of " + format_size(node.limit_bytes) + " (" +
          format_share(node.used_bytes, node.limit_bytes) + ") in " +
          plural(node.segments, "segment");
  if (node.orphan_segments > 0) {
    line += style.paint(Paint::yellow,
                        ", " + format_count(node.orphan_segments) + " of them of the dead");
  }
  return line;
}

Cell depth_cell(const PipeStatus& pipe) {
  const std::string text = std::to_string(pipe.depth) + '/' + std::to_string(pipe.capacity);
  return {text, pipe.depth >= pipe.capacity ? Paint::yellow : Paint::none};
}

Table pipe_table(const std::vector<PipeRate>& rates) {
  Table table({{"PIPE"},
               {"DEPTH", Align::right},
               {"PUSHED", Align::right},
               {"IN/S", Align::right},
               {"OUT/S", Align::right},
               {"BYTES IN", Align::right},
               {"BYTES OUT", Align::right},
               {"WAITS/S", Align::right},
               {"PROD", Align::right},
               {"CONS", Align::right},
               {"STATE"}});
  for (const PipeRate& each : rates) {
    const PipeStatus& pipe = each.pipe;
    table.add({pipe.name, depth_cell(pipe), format_count(pipe.pushed),
               format_quantity(each.pushed_per_s), format_quantity(each.popped_per_s),
               format_byte_rate(each.pushed_bytes_per_s), format_byte_rate(each.popped_bytes_per_s),
               format_quantity(each.waits_per_s), format_count(pipe.producers),
               format_count(pipe.consumers),
               pipe.closed ? Cell("closed", Paint::yellow) : Cell("open")});
  }
  return table;
}

Table session_table(const std::vector<SessionRate>& rates) {
  Table table({{"SESSION"},
               {"PID", Align::right},
               {"AGE", Align::right},
               {"PIPES", Align::right},
               {"HOLDS", Align::right},
               {"MEMORY", Align::right},
               {"IN/S", Align::right},
               {"OUT/S", Align::right},
               {"STATE"}});
  for (const SessionRate& each : rates) {
    const SessionStatus& session = each.session;
    table.add({session.name, std::to_string(session.pid), format_duration(session.age_ns),
               format_count(session.pipes), format_count(session.holds),
               format_size(session.segment_bytes), format_quantity(each.pushed_per_s),
               format_quantity(each.popped_per_s),
               session.connected ? Cell("connected") : Cell("reconnecting", Paint::yellow)});
  }
  return table;
}

double activity_of(const PipeRate& rate) { return rate.pushed_per_s + rate.popped_per_s; }
double activity_of(const SessionRate& rate) { return rate.pushed_per_s + rate.popped_per_s; }

// Leaves the `count` busiest, in the order they had. Returns how many are gone.
template <class Rate>
std::size_t keep_busiest(std::vector<Rate>& rates, std::size_t count) {
  if (rates.size() <= count) return 0;
  std::vector<double> activities;
  for (const Rate& each : rates) activities.push_back(activity_of(each));
  std::vector<double> sorted = activities;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  const double least = count == 0 ? sorted.front() + 1 : sorted[count - 1];
  // Of those that are as busy as the last one to stay, the first ones stay.
  auto ties =
      static_cast<std::ptrdiff_t>(count) -
      std::count_if(sorted.begin(), sorted.end(), [&](double each) { return each > least; });
  const std::size_t before = rates.size();
  std::vector<Rate> kept;
  for (std::size_t i = 0; i < before; ++i) {
    const bool stays = activities[i] > least || (activities[i] == least && ties-- > 0);
    if (stays) kept.push_back(rates[i]);
  }
  rates = std::move(kept);
  return before - rates.size();
}

void append(std::vector<std::string>& lines, const Table& table, std::size_t hidden,
            const Style& style) {
  lines.emplace_back();
  for (std::string& line : table.lines(style)) lines.push_back(std::move(line));
  if (hidden > 0) lines.push_back(style.paint(Paint::dim, "and " + plural(hidden, "quieter one")));
}

struct RowLimits {
  std::size_t pipes;
  std::size_t sessions;
};

// Half the rows for each, and what one does not need for the other.
RowLimits row_limits(std::size_t pipes, std::size_t sessions, LineLimit limit) {
  if (!limit) return {pipes, sessions};
  const std::size_t fixed = kHeadLines + 2 * kTableExtraLines;
  const std::size_t rows = *limit > fixed ? *limit - fixed : 0;
  const std::size_t for_pipes =
      std::min(pipes, std::max(rows / 2, rows - std::min(rows, sessions)));
  return {for_pipes, std::min(sessions, rows - for_pipes)};
}

}  // namespace

std::vector<std::string> view_of(const Snapshot& earlier, const Snapshot& later, const Style& style,
                                 LineLimit limit) {
  std::vector<PipeRate> pipes = pipe_rates(earlier, later);
  std::vector<SessionRate> sessions = session_rates(earlier, later);
  const RowLimits rows = row_limits(pipes.size(), sessions.size(), limit);
  const std::size_t hidden_pipes = keep_busiest(pipes, rows.pipes);
  const std::size_t hidden_sessions = keep_busiest(sessions, rows.sessions);
  std::vector<std::string> lines{node_line(later.node, style), memory_line(later.node, style)};
  append(lines, pipe_table(pipes), hidden_pipes, style);
  append(lines, session_table(sessions), hidden_sessions, style);
  return lines;
}

nlohmann::ordered_json json_of(const Snapshot& earlier, const Snapshot& later) {
  auto pipes = nlohmann::ordered_json::array();
  for (const PipeRate& each : pipe_rates(earlier, later)) {
    auto pipe = json_of(each.pipe);
    pipe["pushed_per_s"] = each.pushed_per_s;
    pipe["popped_per_s"] = each.popped_per_s;
    pipe["pushed_bytes_per_s"] = each.pushed_bytes_per_s;
    pipe["popped_bytes_per_s"] = each.popped_bytes_per_s;
    pipe["waits_per_s"] = each.waits_per_s;
    pipes.push_back(std::move(pipe));
  }
  auto sessions = nlohmann::ordered_json::array();
  for (const SessionRate& each : session_rates(earlier, later)) {
    auto session = json_of(each.session);
    session["pushed_per_s"] = each.pushed_per_s;
    session["popped_per_s"] = each.popped_per_s;
    sessions.push_back(std::move(session));
  }
  const auto interval = std::chrono::duration_cast<std::chrono::nanoseconds>(later.at - earlier.at);
  return {{"interval_ns", interval.count()},
          {"node", json_of(later.node)},
          {"pipes", std::move(pipes)},
          {"sessions", std::move(sessions)}};
}

}  // namespace tarn::tools
