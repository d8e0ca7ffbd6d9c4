// check.cc - `tarn check`: audits the running node, and has it repaired.
#include "tarn/check.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include "tools/command.h"
#include "tools/options.h"
#include "tools/print/format.h"
#include "tools/print/table.h"
#include "tools/print/text.h"

namespace tarn::tools {
namespace {

using Json = nlohmann::ordered_json;

struct CheckWishes {
  bool repair = false;
  std::optional<Duration> patience;
};

// One line that is rewritten, on a terminal; nothing elsewhere.
class LookLine {
 public:
  explicit LookLine(std::ostream& err) : err_(err), is_live_(::isatty(STDERR_FILENO) == 1) {}
  ~LookLine() { clear(); }
  LookLine(const LookLine&) = delete;
  LookLine& operator=(const LookLine&) = delete;

  void show(const std::string& text) {
    if (!is_live_) return;
    err_ << "\r\x1b[K" << text << std::flush;
    is_shown_ = true;
  }
  void clear() {
    if (is_shown_) err_ << "\r\x1b[K" << std::flush;
    is_shown_ = false;
  }

 private:
  std::ostream& err_;
  const bool is_live_;
  bool is_shown_ = false;
};

Json json_of(const Defect& defect, bool repair) {
  Json json = {{"kind", defect.kind},
               {"object", defect.object},
               {"found", defect.found},
               {"cure", defect.cure},
               {"is_problem", defect.is_problem}};
  if (repair) {
    json["outcome"] = defect.outcome;
    json["verdict"] = defect.verdict;
  }
  return json;
}

Json json_of(const CheckReport& report, bool repair) {
  Json defects = Json::array();
  for (const Defect& each : report.defects) defects.push_back(json_of(each, repair));
  return {{"defects", defects},
          {"segments", report.segments},
          {"pipes", report.pipes},
          {"slots", report.slots},
          {"sessions", report.sessions},
          {"holds", report.holds},
          {"quarantined", report.quarantined},
          {"looks", report.looks},
          {"took_ns", report.took_ns}};
}

std::string counted(std::uint64_t count, const std::string& noun) {
  return format_count(count) + ' ' + noun + (count == 1 ? "" : "s");
}

std::string summary_of(const CheckReport& report) {
  std::string text = "checked " + counted(report.segments, "segment") + ", " +
                     counted(report.pipes, "pipe") + ", " + counted(report.slots, "slot") + ", " +
                     counted(report.sessions, "session") + ", " + counted(report.holds, "hold") +
                     " in " + format_duration(report.took_ns) + ": ";
  text += report.is_clean() ? "nothing found" : counted(report.defects.size(), "defect");
  if (report.quarantined > 0) {
    text += "; " + counted(report.quarantined, "object") +
            " in quarantine not looked at (see 'tarn status')";
  }
  return text;
}

Paint paint_of(const Defect& defect) noexcept {
  if (defect.outcome == "repaired") return Paint::green;
  if (defect.outcome == "quarantined") return Paint::yellow;
  return defect.is_problem ? Paint::red : Paint::yellow;
}

void print(const CheckReport& report, bool repair, const Style& style, std::ostream& out) {
  Table table({{repair ? "OUTCOME" : "DEFECT"}, {"OBJECT"}, {"FOUND"}});
  for (const Defect& each : report.defects) {
    table.add({Cell(repair ? each.outcome : each.kind, paint_of(each)), each.object,
               repair ? each.kind + ": " + each.found : each.found});
    table.add({"", "", Cell(repair ? each.verdict : "repair: " + each.cure, Paint::dim)});
  }
  if (!report.is_clean()) out << table.text(style);
  out << summary_of(report) << ".\n";
}

// After a repair, only what it left counts.
bool is_well(const CheckReport& report, bool repair) {
  return std::all_of(report.defects.begin(), report.defects.end(),
                     [&](const Defect& each) { return repair && each.outcome != "left"; });
}

// An audit has the memory of every object open at once.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

ExitCode check(CommandContext& context, const CheckWishes& wishes) {
  raise_descriptor_limit();
  LookLine line(context.err);
  CheckOptions options;
  options.progress = [&](const std::string& what) { line.show(what); };
  if (wishes.patience) {
    options.patience = std::chrono::duration_cast<std::chrono::milliseconds>(*wishes.patience);
  }
  const CheckReport report = wishes.repair ? repair_node(observer(context), options)
                                           : check_node(observer(context), options);
  line.clear();
  if (context.json) {
    context.out << json_text(json_of(report, wishes.repair)) << '\n';
  } else {
    print(report, wishes.repair, Style(context.color_out), context.out);
  }
  return is_well(report, wishes.repair) ? ExitCode::ok : ExitCode::findings;
}

}  // namespace

void register_check(CLI::App& app, CommandContext& context) {
  CLI::App& command = add_command(
      app, "check", "Audits the running node: every segment, slab, hold, slot and session",
      "  tarn check                 exit code 9 when there is a defect\n"
      "  tarn check --repair        the node repairs it, or puts it in quarantine\n"
      "  tarn check --json | jq -r '.defects[] | .kind + \" \" + .object'\n",
      "Looking changes and disturbs nothing. What may be work in flight is looked at again, and\n"
      "reported only when it is there unchanged. Of a repair the node's log tells, too.\n");
  const auto wishes = std::make_shared<CheckWishes>();
  command.add_flag("--repair", wishes->repair, "Repairs what was found, or puts it in quarantine");
  add_duration(command, "--patience", wishes->patience,
               "How long what should end by itself may last [5s]");
  run_on(command, context, [&context, wishes] { return check(context, *wishes); });
}

}  // namespace tarn::tools
