// pipe.cc - `tarn pipe`, and its verbs that change a pipe without moving messages.
#include "tarn/pipe.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include "tarn/node.h"
#include "tools/options.h"
#include "tools/pipe/verbs.h"
#include "tools/print/status_json.h"
#include "tools/print/text.h"

namespace tarn::tools {
namespace {

struct NamedPipe {
  std::string name;
  PipeOptions options;
};

ExitCode create(CommandContext& context, const NamedPipe& what) {
  const ConnectOptions options = participant(context, "tarn pipe create", true);
  // A pipe that is made by hand is meant to stay, and so is a node that is started for it.
  start_node(options);
  Session session = connect(options);
  const Pipe pipe = session.create_pipe(what.name, what.options);
  if (session.status().ends_when_idle) {
    context.err
        << "tarn: note: a program started this node, so it ends when it has been idle for a "
           "while, and its pipes with it; 'tarn down' and 'tarn up' start one that stays\n";
  }
  if (context.json) {
    context.out << json_text(json_of(session.pipe_status(what.name))) << '\n';
  } else {
    context.out << "Pipe '" << printable(pipe.name()) << "' is there, for " << pipe.capacity()
                << " messages, " << name_of(pipe.delivery()) << ".\n";
  }
  return ExitCode::ok;
}

void confirm(CommandContext& context, const NamedPipe& what, const std::string& done) {
  if (context.json) {
    context.out << json_text({{"name", what.name}, {done, true}}) << '\n';
  } else {
    context.out << "Pipe '" << printable(what.name) << "' is " << done << ".\n";
  }
}

ExitCode close(CommandContext& context, const NamedPipe& what) {
  connect(participant(context, "tarn pipe close", false)).open_pipe(what.name).close();
  confirm(context, what, "closed");
  return ExitCode::ok;
}

ExitCode remove(CommandContext& context, const NamedPipe& what) {
  connect(observer(context)).remove_pipe(what.name);
  confirm(context, what, "removed");
  return ExitCode::ok;
}

}  // namespace

void register_pipe_changes(CLI::App& pipe, CommandContext& context) {
  const auto what = std::make_shared<NamedPipe>();
  CLI::App& create_command =
      add_command(pipe, "create", "Creates a pipe; starts the node, to stay, when none runs",
                  "  tarn pipe create spectra --capacity 16\n");
  add_pipe_name(create_command, what->name);
  add_pipe_options(create_command, what->options);
  run_on(create_command, context, [&context, what] { return create(context, *what); });

  CLI::App& close_command = add_command(
      pipe, "close", "Closes a pipe: nothing more goes in, consumers get the rest, then 'closed'",
      "  tarn pipe close spectra\n");
  add_pipe_name(close_command, what->name);
  run_on(close_command, context, [&context, what] { return close(context, *what); });

  CLI::App& remove_command =
      add_command(pipe, "rm", "Removes a pipe's name and closes it; who has it open may drain it",
                  "  tarn pipe rm spectra\n");
  add_pipe_name(remove_command, what->name);
  run_on(remove_command, context, [&context, what] { return remove(context, *what); });
}

void register_pipe(CLI::App& app, CommandContext& context) {
  CLI::App& pipe = add_command(app, "pipe", "Named queues of messages between programs",
                               "  seq 10 | tarn pipe push numbers --close\n"
                               "  tarn pipe pop numbers --follow\n");
  pipe.require_subcommand(1);
  register_pipe_views(pipe, context);
  register_pipe_changes(pipe, context);
  register_pipe_push(pipe, context);
  register_pipe_pop(pipe, context);
}

}  // namespace tarn::tools
