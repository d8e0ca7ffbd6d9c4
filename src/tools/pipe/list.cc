// list.cc - `tarn pipe ls` and `tarn pipe info`: looking changes nothing.
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include "tarn/pipe.h"
#include "tarn/session.h"
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

// One pipe, and who keeps memory by holding on to messages that it received. The node counts a
// session's holds over all its pipes: a chunk of memory does not know which pipe it went through.
struct PipeView {
  PipeStatus pipe;
  std::vector<SessionStatus> holders;
};

// What has been pushed and not popped: all that the pipe itself keeps.
std::uint64_t bytes_in(const PipeStatus& pipe) {
  return pipe.depth > 0 && pipe.pushed_bytes > pipe.popped_bytes
             ? pipe.pushed_bytes - pipe.popped_bytes
             : 0;
}

std::string text_of(const std::vector<SessionStatus>& holders) {
  if (holders.empty()) return "by nobody";
  std::string text;
  for (const SessionStatus& each : holders) {
    if (!text.empty()) text += ", ";
    text += format_count(each.holds) + " by session " + std::to_string(each.id) + " '" + each.name +
            "' (pid " + std::to_string(each.pid) + ")";
  }
  return text;
}

using tools::json_of;

nlohmann::ordered_json json_of(const PipeView& view) {
  auto object = json_of(view.pipe);
  auto& holders = object["holders"] = nlohmann::ordered_json::array();
  for (const SessionStatus& each : view.holders) {
    holders.push_back(
        {{"session", each.id}, {"name", each.name}, {"pid", each.pid}, {"holds", each.holds}});
  }
  return object;
}

std::string text_of(const PipeView& view, const Style& style) {
  const PipeStatus& pipe = view.pipe;
  Fields fields;
  fields.add("name", Cell(pipe.name, Paint::bold));
  fields.add("state", state_of(pipe));
  fields.add("delivery", std::string(name_of(pipe.delivery)));
  fields.add("depth", count_text(pipe.depth) + " of " + count_text(pipe.capacity) + ", at most " +
                          count_text(pipe.depth_high_water) + " so far, " +
                          format_size(bytes_in(pipe)));
  fields.add("pushed", format_counted(pipe.pushed, "message") + ", " +
                           format_size(pipe.pushed_bytes) + ", " + format_count(pipe.copied_in) +
                           " copied in");
  fields.add("popped",
             format_counted(pipe.popped, "message") + ", " + format_size(pipe.popped_bytes));
  fields.add("waits", format_count(pipe.push_waits) + " to push, " + format_count(pipe.pop_waits) +
                          " to pop");
  fields.add("after deaths", format_count(pipe.skipped) + " skipped, " +
                                 format_count(pipe.redelivered) + " redelivered");
  fields.add("open in", format_counted(pipe.sessions, "session") + ": " +
                            format_counted(pipe.producers, "producer") + ", " +
                            format_counted(pipe.consumers, "consumer"));
  fields.add("held", text_of(view.holders));
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
  std::vector<PipeStatus> pipes = connect(observer(context)).pipes();
  std::ranges::sort(pipes, {}, &PipeStatus::name);
  print(context, pipes);
  return ExitCode::ok;
}

ExitCode info(CommandContext& context, const std::string& name) {
  Session session = connect(observer(context));
  PipeView view{session.pipe_status(name), session.sessions()};
  std::erase_if(view.holders, [](const SessionStatus& each) { return each.holds == 0; });
  print(context, view);
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
