// doctor.cc - `tarn doctor`: what on this machine keeps tarn from working well, and its cure.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "tarn/node.h"
#include "tools/command.h"
#include "tools/options.h"
#include "tools/print/status_json.h"
#include "tools/print/table.h"
#include "tools/print/text.h"

namespace tarn::tools {
namespace {

Paint paint_of(Severity severity) noexcept {
  switch (severity) {
    case Severity::ok:
      return Paint::green;
    case Severity::notice:
      return Paint::none;
    case Severity::warning:
      return Paint::yellow;
    case Severity::problem:
      return Paint::red;
  }
  return Paint::none;
}

std::ptrdiff_t count_of(const std::vector<Finding>& findings, Severity severity) {
  return std::count_if(findings.begin(), findings.end(),
                       [&](const Finding& each) { return each.severity == severity; });
}

std::string counted(std::ptrdiff_t count, const std::string& noun) {
  return std::to_string(count) + ' ' + noun + (count == 1 ? "" : "s");
}

void print(const std::vector<Finding>& findings, const Style& style, std::ostream& out) {
  Table table({{"RESULT"}, {"SUBJECT"}, {"FOUND"}});
  for (const Finding& each : findings) {
    table.add({Cell(std::string(name_of(each.severity)), paint_of(each.severity)), each.subject,
               each.found});
    if (!each.cure.empty()) table.add({"", "", Cell("cure: " + each.cure, Paint::dim)});
  }
  out << table.text(style) << counted(count_of(findings, Severity::problem), "problem") << ", "
      << counted(count_of(findings, Severity::warning), "warning") << ", "
      << counted(static_cast<std::ptrdiff_t>(findings.size()), "thing") << " looked at.\n";
}

ExitCode doctor(CommandContext& context) {
  const std::vector<Finding> findings = examine_host(observer(context));
  if (context.json) {
    context.out << json_text(json_of(findings)) << '\n';
  } else {
    print(findings, Style(context.color_out), context.out);
  }
  return count_of(findings, Severity::problem) > 0 ? ExitCode::findings : ExitCode::ok;
}

}  // namespace

void register_doctor(CLI::App& app, CommandContext& context) {
  CLI::App& command = add_command(
      app, "doctor", "Examines this machine: kernel, limits, cgroup, run directory, clock, node",
      "  tarn doctor                exit code 9 when something is a problem\n"
      "  tarn doctor --json | jq '.[] | select(.severity != \"ok\")'\n");
  run_on(command, context, [&context] { return doctor(context); });
}

}  // namespace tarn::tools
