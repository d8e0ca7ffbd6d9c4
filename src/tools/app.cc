#include "tools/app.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <numeric>
#include <ostream>
#include <utility>
#include <vector>

#include "tarn/node.h"
#include "tools/command.h"
#include "tools/failure.h"
#include "tools/print/style.h"

namespace tarn::tools {
namespace {

struct GlobalOptions {
  ColorChoice color = ColorChoice::automatic;
};

std::string help_of_exit_codes() {
  std::string text = "Exit codes:\n";
  for (const ExitCodeMeaning& entry : exit_codes()) {
    const std::string number = std::to_string(static_cast<int>(entry.code));
    text += std::string(4 - number.size(), ' ') + number + "  " + std::string(entry.meaning) + '\n';
  }
  return text + " 128+  ended by the signal with this number less 128\n";
}

std::string not_empty(const std::string& text) { return text.empty() ? "must not be empty" : ""; }

void add_global_options(CLI::App& app, CommandContext& context, GlobalOptions& global) {
  app.add_option("--application", context.connect.application,
                 "The domain's application [$TARN_APPLICATION, else default]")
      ->check(CLI::Validator(not_empty, ""))
      ->type_name("NAME");
  app.add_option("--user", context.connect.user,
                 "The domain's user [$TARN_USER, else the account's name]")
      ->check(CLI::Validator(not_empty, ""))
      ->type_name("NAME");
  app.add_option("--owner", context.connect.owner,
                 "Another account, whose node it is [$TARN_OWNER, else this account]")
      ->check(CLI::Validator(not_empty, ""))
      ->type_name("ACCOUNT");
  app.add_flag("--json", context.json, "Results and errors as JSON, for programs");
  const auto read_color = [&global](const std::string& text) {
    if (text != "auto" && text != "always" && text != "never") {
      throw CLI::ValidationError("--color", "'" + text + "' is none of auto, always and never");
    }
    global.color = text == "auto"     ? ColorChoice::automatic
                   : text == "always" ? ColorChoice::always
                                      : ColorChoice::never;
  };
  app.add_option_function<std::string>("--color", read_color, "When to colour [on a terminal]")
      ->type_name("auto|always|never");
  app.set_version_flag("--version", "tarn " + version());
}

void register_all(CLI::App& app, CommandContext& context) {
  register_node(app, context);
  register_doctor(app, context);
  register_check(app, context);
  register_pipe(app, context);
  register_value(app, context);
  register_session(app, context);
  register_run(app, context);
  register_client(app, context);
  register_access(app, context);
  register_top(app, context);
  register_bench(app, context);
  register_version(app, context);
  register_completion(app, context);
}

// "tarn pipe push": how far the arguments were understood.
std::string understood_part(const CLI::App& app) {
  std::string path = "tarn";
  const CLI::App* current = &app;
  while (!current->get_subcommands().empty()) {
    current = current->get_subcommands().back();
    path += ' ' + current->get_name();
  }
  return path;
}

const CLI::App& deepest(const CLI::App& app) {
  const auto understood = app.get_subcommands();
  return understood.empty() ? app : deepest(*understood.back());
}

// How many letters have to be put in, left out or changed (Levenshtein's distance).
std::size_t letters_apart(std::string_view one, std::string_view other) {
  std::vector<std::size_t> row(other.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < one.size(); ++i) {
    std::size_t above_left = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < other.size(); ++j) {
      const std::size_t changed = above_left + (one[i] == other[j] ? 0 : 1);
      above_left = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

// A command of `app` that looks like `word`, or nothing.
std::string closest_command(const CLI::App& app, const std::string& word) {
  constexpr std::size_t kMostApart = 2;
  std::string closest;
  std::size_t least = kMostApart + 1;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    const std::size_t apart = letters_apart(word, command->get_name());
    if (apart < least && 2 * apart <= word.size()) {
      least = apart;
      closest = command->get_name();
    }
  }
  return closest;
}

// Whether the arguments ask for JSON, although they could not be understood.
bool asks_for_json(std::span<const char* const> arguments) {
  return std::any_of(arguments.begin(), arguments.end(),
                     [](const char* each) { return std::string_view(each) == "--json"; });
}

// What is wrong, in words; CLI11 calls an unknown command a missing one.
std::string problem_of(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> unknown = app.remaining(true);
  const auto code = static_cast<CLI::ExitCodes>(error.get_exit_code());
  if (code != CLI::ExitCodes::RequiredError && code != CLI::ExitCodes::ExtrasError) {
    return error.what();
  }
  if (!unknown.empty()) {
    const std::string meant = closest_command(deepest(app), unknown.front());
    return "'" + unknown.front() + "' is not known here" +
           (meant.empty() ? "" : "; did you mean '" + meant + "'?");
  }
  const std::string text = error.what();
  return text == "A subcommand is required" ? "a command is missing" : text;
}

// Leaves the chosen action in `context`, or prints what was asked for (help, version) and leaves
// none. Throws Failure for a command line that cannot be.
void parse(CLI::App& app, std::span<const char* const> arguments, std::ostream& out) {
  std::vector<std::string> reversed(arguments.begin(), arguments.end());
  std::reverse(reversed.begin(), reversed.end());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::Success& success) {
    app.exit(success, out, out);
  } catch (const CLI::ParseError& error) {
    const std::string cure = "see '" + understood_part(app) + " --help'";
    throw usage_failure(problem_of(app, error), cure);
  }
}

ExitCode act(CommandContext& context) {
  if (!context.action) return ExitCode::ok;
  const ExitCode code = context.action();
  context.out.flush();
  if (!context.out) {
    throw Failure(ExitCode::failure, "os", "write the result", "standard output",
                  "make room where it goes, or send it elsewhere", errno);
  }
  return code;
}

ExitCode parse_and_act(std::span<const char* const> arguments, CommandContext& context) {
  CLI::App app("tarn - hands data from program to program through shared memory", "tarn");
  GlobalOptions global;
  app.fallthrough();
  app.require_subcommand(1);
  app.footer(help_of_exit_codes());
  add_global_options(app, context, global);
  register_all(app, context);
  if (arguments.empty()) {
    context.err << app.help();
    return ExitCode::usage;
  }
  // Until the options are understood, what is said about them has the colours of the surroundings.
  context.color_err = use_color(ColorChoice::automatic, STDERR_FILENO);
  parse(app, arguments, context.out);
  context.color_out = use_color(global.color, STDOUT_FILENO);
  context.color_err = use_color(global.color, STDERR_FILENO);
  return act(context);
}

}  // namespace

ExitCode run(std::span<const char* const> arguments, std::ostream& out, std::ostream& err) {
  CommandContext context{.out = out, .err = err};
  context.json = asks_for_json(arguments);
  const auto fail = [&](const Failure& failure) {
    out.flush();
    report(failure, context.json, context.color_err, err);
    return failure.exit;
  };
  try {
    return parse_and_act(arguments, context);
  } catch (const Failure& failure) {
    return fail(failure);
  } catch (const Error& error) {
    return fail(Failure(error));
  } catch (const std::bad_alloc&) {
    return fail(Failure(ExitCode::limit, "no_memory", "run the command", "this process",
                        "free memory, or push smaller messages", ENOMEM));
  } catch (const Interrupted&) {
    throw;
  } catch (const std::exception& exception) {
    return fail(Failure(ExitCode::failure, "bug", "run the command", exception.what(),
                        "this is a bug of tarn: please report it"));
  }
}

}  // namespace tarn::tools
