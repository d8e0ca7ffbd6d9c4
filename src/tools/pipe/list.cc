// list.cc - `tarn pipe ls` and `tarn pipe info`: looking changes nothing.
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include "tarn/pipe.h"
#include "tools/options.h"
#include "tools/pipe/verbs.h"
#include "tools/print/format.h"
#include "tools/print/status_json.h"
#include "tools/print/table.h"
#include "tools/print/text.h"

namespace tarn::tools {
namespace {

std::string count_text(std::int64_t count) {
  return format_count(static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0)));
}

Cell state_of(const PipeStatus& pipe) {
  return pipe.closed ? Cell("closed", Paint::yellow) : Cell("open");
}

std::string text_of(const std::vector<PipeStatus>& pipes, const Style& style) {
  Table table({{"NAME"},
               {"DEPTH", Align::right},
               {"CAPACITY", Align::right},
               {"PUSHED", Align::right},
               {"POPPED", Align::right},
               {"BYTES IN", Align::right},
               {"PRODUCERS", Align::right},
               {"CONSUMERS", Align::right},
               {"DELIVERY"},
               {"STATE"}});
  for (const PipeStatus& each : pipes) {
    table.add({each.name, count_text(each.depth), count_text(each.capacity),
               format_count(each.pushed), format_count(each.popped), format_size(each.pushed_bytes),
               format_count(each.producers), format_count(each.consumers),
               std::string(name_of(each.delivery)), state_of(each)});
  }
  return table.text(style);
}

std::string text_of(const PipeStatus& pipe, const Style& style) {
  Fields fields;
  fields.add("name", Cell(pipe.name, Paint::bold));
  fields.add("state", state_of(pipe));
  fields.add("delivery", std::string(name_of(pipe.delivery)));
  fields.add("depth", count_text(pipe.depth) + " of " + count_text(pipe.capacity) + ", at most " +
                          count_text(pipe.depth_high_water) + " so far");
  fields.add("pushed", format_count(pipe.pushed) + " messages, " + format_size(pipe.pushed_bytes));
  fields.add("popped", format_count(pipe.popped) + " messages, " + format_size(pipe.popped_bytes));
  fields.add("waits", format_count(pipe.push_waits) + " to push, " + format_count(pipe.pop_waits) +
                          " to pop");
  fields.add("after deaths", format_count(pipe.skipped) + " skipped, " +
                                 format_count(pipe.redelivered) + " redelivered");
  fields.add("open in", format_count(pipe.sessions) + " sessions: " + format_count(pipe.producers) +
                            " producers, " + format_count(pipe.consumers) + " consumers");
  return fields.text(style);
}

template <class T>
void print(CommandContext& context, const T& what) {
  if (context.json) {
    context.out << json_text(json_of(what)) << '\n';
  } else {
    context.out << text_of(what, Style(context.color_out));
  }
}

ExitCode list(CommandContext& context) {
  print(context, connect(observer(context)).pipes());
  return ExitCode::ok;
}

ExitCode info(CommandContext& context, const std::string& name) {
  print(context, connect(observer(context)).pipe_status(name));
  return ExitCode::ok;
}

}  // namespace

void register_pipe_views(CLI::App& pipe, CommandContext& context) {
  CLI::App& ls = add_command(pipe, "ls", "Lists the pipes",
                             "  tarn pipe ls\n"
                             "  tarn pipe ls --json | jq -r '.[].name'\n");
  run_on(ls, context, [&context] { return list(context); });
  CLI::App& info_command = add_command(pipe, "info", "Shows one pipe and its counters",
                                       "  tarn pipe info spectra --json | jq .depth\n");
  const auto name = std::make_shared<std::string>();
  add_pipe_name(info_command, *name);
  run_on(info_command, context, [&context, name] { return info(context, *name); });
}

}  // namespace tarn::tools
