// run.cc - `tarn run`: a command that the node keeps running.
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "tools/client/verbs.h"
#include "tools/options.h"
#include "tools/print/text.h"
#include "tools/stop_signals.h"

namespace tarn::tools {
namespace {

using namespace std::chrono_literals;

struct RunOptions {
  std::string name;
  std::vector<std::string> command;
  ClientOptions how;
  std::optional<Duration> stop_timeout;
  bool wait = false;
};

// As the client wrote it; as lines with --json.
void pass_on(CommandContext& context, Client& client, LineMaker& maker, bool last) {
  std::vector<OutputLine> lines;
  for (const ClientOutput& piece : client.output()) {
    if (context.json) {
      maker.take(piece, lines);
    } else {
      (piece.is_error ? context.err : context.out) << piece.text;
    }
  }
  if (last) maker.flush(lines);
  for (const OutputLine& line : lines) context.out << json_line(json_of(line)) << '\n';
  context.out.flush();
  context.err.flush();
}

// In the foreground: until the client has ended for good. The first Ctrl-C stops it.
ExitCode stay(CommandContext& context, Client& client) {
  const StopSignals signals;
  LineMaker maker;
  bool ended = false;
  while (!ended) {
    if (signals.arrived() != 0) client.stop();
    // Looked at before the output: what it wrote before its end is there by then.
    ended = client.wait_end(0ns);
    pass_on(context, client, maker, ended);
    if (!ended) client.wait_change(100ms);
  }
  signals.check();
  const ClientStatus status = client.status();
  if (context.json) context.out << json_line(json_of(status)) << '\n';
  return exit_code_of(status);
}

ExitCode run(CommandContext& context, RunOptions& options) {
  if (options.stop_timeout) options.how.stop_timeout = *options.stop_timeout;
  Client client = run_client(context.connect, options.name, options.command, options.how);
  if (options.wait) return stay(context, client);
  const ClientStatus status = client.status();
  if (context.json) {
    context.out << json_text(json_of(status)) << '\n';
  } else {
    context.out << "Client '" << printable(status.name) << "' " << state_text(status) << ".\n";
  }
  return ExitCode::ok;
}

void add_policy(CLI::App& command, RunOptions& options) {
  const auto read_rule = [&options](const std::string& text) {
    for (const auto rule : {RestartRule::on_failure, RestartRule::always, RestartRule::never}) {
      if (text == name_of(rule)) {
        options.how.restart = rule;
        return;
      }
    }
    throw CLI::ValidationError("--restart",
                               "'" + text + "' is none of on-failure, always and never");
  };
  command
      .add_option_function<std::string>("--restart", read_rule,
                                        "When it is started again [on-failure]")
      ->type_name("on-failure|always|never");
  command
      .add_option_function<std::string>(
          "--limit", [&options](const std::string& text) { read_limit(text, options.how); },
          "At most N restarts in a time, then it has failed [5/60s]")
      ->type_name("N/DURATION|none");
  command
      .add_option_function<std::string>(
          "--backoff", [&options](const std::string& text) { read_backoff(text, options.how); },
          "The wait before a restart, doubled each time [100ms..30s]")
      ->type_name("FIRST..MOST");
  add_duration(command, "--stop-timeout", options.stop_timeout,
               "Between SIGTERM and SIGKILL when it is stopped [10]");
}

}  // namespace

void register_run(CLI::App& app, CommandContext& context) {
  CLI::App& command = add_command(
      app, "run", "Runs a command as a client that the node starts again when it dies",
      "  tarn run camera -- ./grab --rate 50\n"
      "  tarn run --restart always --limit 10/1m fit -- python3 fit.py\n"
      "  tarn run --wait once -- make test     in the foreground, with its exit code\n",
      "The command gets this environment, directory, file mode mask and limits, TARN_CLIENT beside "
      "them, and standard input from /dev/null. See also: tarn client --help\n");
  const auto options = std::make_shared<RunOptions>();
  add_client_name(command, options->name);
  command.add_option("COMMAND", options->command, "The command and its words, after --")
      ->required()
      ->type_name("");
  add_policy(command, *options);
  command.add_flag("--replace", options->how.replace, "Take the place of a client of that name");
  command.add_flag("--wait", options->wait,
                   "Stay until it has ended for good, pass on what it writes, exit as it did");
  run_on(command, context, [&context, options] { return run(context, *options); });
}

}  // namespace tarn::tools
