// session.cc - `tarn session ls`: the programs that are attached to the node.
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include "tools/command.h"
#include "tools/options.h"
#include "tools/print/format.h"
#include "tools/print/status_json.h"
#include "tools/print/table.h"
#include "tools/print/text.h"

namespace tarn::tools {
namespace {

std::string text_of(const std::vector<SessionStatus>& sessions, const Style& style) {
  Table table({{"ID", Align::right},
               {"PID", Align::right},
               {"NAME"},
               {"AGE", Align::right},
               {"PIPES", Align::right},
               {"HOLDS", Align::right},
               {"MEMORY", Align::right},
               {"QUOTA", Align::right},
               {"PUSHED", Align::right},
               {"POPPED", Align::right},
               {"STATE"}});
  for (const SessionStatus& each : sessions) {
    const Cell state = each.connected ? Cell("connected") : Cell("reconnecting", Paint::yellow);
    table.add({std::to_string(each.id), std::to_string(each.pid), each.name,
               format_duration(each.age_ns), format_count(each.pipes), format_count(each.holds),
               format_size(each.segment_bytes),
               each.quota_bytes == 0 ? std::string("-") : format_size(each.quota_bytes),
               format_count(each.pushed), format_count(each.popped), state});
  }
  return table.text(style);
}

ExitCode list(CommandContext& context) {
  const auto sessions = connect(observer(context)).sessions();
  if (context.json) {
    context.out << json_text(json_of(sessions)) << '\n';
  } else {
    context.out << text_of(sessions, Style(context.color_out));
  }
  return ExitCode::ok;
}

}  // namespace

void register_session(CLI::App& app, CommandContext& context) {
  CLI::App& session =
      add_command(app, "session", "The programs attached to the node", "  tarn session ls\n");
  session.require_subcommand(1);
  CLI::App& ls =
      add_command(session, "ls", "Lists them", "  tarn session ls --json | jq -r '.[].name'\n");
  run_on(ls, context, [&context] { return list(context); });
}

}  // namespace tarn::tools
