#include "tools/options.h"

#include "tools/parse.h"

namespace tarn::tools {

CLI::Option* add_size(CLI::App& command, const std::string& names,
                      std::optional<std::uint64_t>& target, const std::string& description) {
  const auto read = [&target, names](const std::string& text) {
    target = parse_size(text);
    if (!target || *target == 0) {
      throw CLI::ValidationError(
          names, "'" + text + "' is not a size above zero, such as 4096, 64KiB or 1.5MiB");
    }
  };
  return command.add_option_function<std::string>(names, read, description)->type_name("SIZE");
}

CLI::Option* add_duration(CLI::App& command, const std::string& names,
                          std::optional<Duration>& target, const std::string& description) {
  const auto read = [&target, names](const std::string& text) {
    target = parse_duration(text);
    if (!target) {
      throw CLI::ValidationError(
          names, "'" + text + "' is not a duration, such as 2.5 (seconds), 250ms or 1m");
    }
  };
  return command.add_option_function<std::string>(names, read, description)->type_name("DURATION");
}

CLI::Option* add_count(CLI::App& command, const std::string& names,
                       std::optional<std::int64_t>& target, const std::string& description,
                       std::int64_t least) {
  const auto read = [&target, names, least](const std::string& text) {
    target = parse_integer(text);
    if (!target) throw CLI::ValidationError(names, "'" + text + "' is not a whole number in range");
    if (*target < least) {
      throw CLI::ValidationError(names, "'" + text + "' is less than " + std::to_string(least));
    }
  };
  return command.add_option_function<std::string>(names, read, description)->type_name("COUNT");
}

void add_pipe_options(CLI::App& command, PipeOptions& target) {
  add_count(command, "--capacity", target.capacity, "How many messages fit into the pipe [64]");
  const auto read = [&target](const std::string& text) {
    target.delivery = parse_delivery(text);
    if (!target.delivery) {
      throw CLI::ValidationError("--delivery",
                                 "'" + text + "' is neither at_most_once nor at_least_once");
    }
  };
  command
      .add_option_function<std::string>(
          "--delivery", read, "What becomes of a message whose consumer dies [at_most_once]")
      ->type_name("at_most_once|at_least_once");
}

void add_pipe_name(CLI::App& command, std::string& target) {
  command.add_option("NAME", target, "The pipe's name")->required()->type_name("");
}

CLI::App& add_command(CLI::App& parent, const std::string& name, const std::string& summary,
                      const std::string& examples, const std::string& details) {
  CLI::App& command = *parent.add_subcommand(name, summary);
  command.footer(details + (details.empty() ? "" : "\n") + "Examples:\n" + examples +
                 "\nOptions of every command, and exit codes: tarn --help");
  return command;
}

}  // namespace tarn::tools
