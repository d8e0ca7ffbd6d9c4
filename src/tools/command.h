// command.h - how a noun of `tarn` takes part: it registers its subcommands, and each of them
// leaves an action to run once the whole command line has been read.
//
// A noun is one file (or folder) with one register_x(): it adds a CLI::App subcommand, binds its
// options to variables that the callback owns, and calls run_on(). The action writes its result to
// context.out - one JSON object or array when context.json is set, words for people otherwise -
// and returns the exit code. It throws tarn::Error or Failure (failure.h) when it cannot; main
// reports that on standard error, in either form.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <iosfwd>
#include <string>
#include <utility>

#include "tarn/session.h"
#include "tools/exit_code.h"

namespace tarn::tools {

// What every command is given. The global options are filled in before the action runs, not yet
// while nouns register: read them inside the action.
struct CommandContext {
  ConnectOptions connect{};            // --application, --user and --owner
  bool json = false;                   // --json
  bool color_out = false;              // --color, resolved for standard output
  bool color_err = false;              // --color, resolved for standard error
  std::ostream& out;                   // results
  std::ostream& err;                   // progress and remarks; errors are thrown
  std::function<ExitCode()> action{};  // of the subcommand that was chosen
};

// The options of one that only looks: it is no session, and never starts a node.
inline ConnectOptions observer(const CommandContext& context) {
  ConnectOptions options = context.connect;
  options.start_node = false;
  options.observer = true;
  return options;
}

// The options of one that takes part; `session ls` shows it as `name`.
inline ConnectOptions participant(const CommandContext& context, std::string name,
                                  bool start_node) {
  ConnectOptions options = context.connect;
  options.start_node = start_node;
  options.name = std::move(name);
  return options;
}

// When the user chooses `command`, `action` runs. `context` must outlive the parsing.
inline void run_on(CLI::App& command, CommandContext& context, std::function<ExitCode()> action) {
  command.callback([&context, action = std::move(action)] { context.action = action; });
}

void register_node(CLI::App& app, CommandContext& context);        // up, down, status
void register_doctor(CLI::App& app, CommandContext& context);      // doctor
void register_check(CLI::App& app, CommandContext& context);       // check
void register_pipe(CLI::App& app, CommandContext& context);        // pipe ...
void register_value(CLI::App& app, CommandContext& context);       // value ..., in value/
void register_session(CLI::App& app, CommandContext& context);     // session ...
void register_run(CLI::App& app, CommandContext& context);         // run, in client/
void register_client(CLI::App& app, CommandContext& context);      // client ..., in client/
void register_top(CLI::App& app, CommandContext& context);         // top
void register_bench(CLI::App& app, CommandContext& context);       // bench ..., in bench/
void register_access(CLI::App& app, CommandContext& context);      // access ..., in access/
void register_version(CLI::App& app, CommandContext& context);     // version
void register_completion(CLI::App& app, CommandContext& context);  // completion ...

}  // namespace tarn::tools
