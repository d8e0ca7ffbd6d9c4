// `tarn bench`: the command line of the benchmark.
#include "tools/command.h"

#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include "tarn/node.h"
#include "tools/bench/bench.h"
#include "tools/bench/goals.h"
#include "tools/bench/patterns/patterns.h"
#include "tools/failure.h"
#include "tools/options.h"

namespace tarn::tools {
namespace {

constexpr const char* kExamples =
    "  tarn bench --goals\n"
    "  tarn bench --only polling --only 'one-to-*'\n"
    "  tarn bench --compare --json > figures.json\n";
constexpr int kFewestRounds = 9;
constexpr int kQuickRounds = 2;

struct BenchOptions {
  bench::Settings settings;
  int rounds = 0;  // 0: the default
  bool goals = false;
  bool list = false;
};

void add_options(CLI::App& command, BenchOptions& options) {
  command
      .add_option("--rounds", options.rounds,
                  "Steady rounds for each figure [" + std::to_string(kFewestRounds) + "]")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  command
      .add_option("--messages", options.settings.messages,
                  "Messages of a latency figure, over all its rounds [200000]")
      ->check(CLI::Range(std::uint64_t{100}, std::uint64_t{1'000'000'000}))
      ->type_name("N");
  command.add_flag("--quick", options.settings.quick,
                   "Few messages and rounds: shows that it works, not how fast");
  command
      .add_option("--only", options.settings.only,
                  "Only this pattern; may be repeated, and have wildcards")
      ->type_name("PATTERN");
  command.add_flag("--list", options.list, "Lists the patterns and ends");
  command.add_flag("--compare", options.settings.compare,
                   "Measures other systems too, where they are installed");
  command.add_flag("--goals", options.goals, "A table with goals instead of lines");
}

void list_patterns(CommandContext& context) {
  if (context.json) {
    nlohmann::json names = nlohmann::json::array();
    for (const bench::Pattern& pattern : bench::patterns()) {
      names.push_back({{"name", pattern.name}, {"description", pattern.description}});
    }
    context.out << names.dump(2) << '\n';
    return;
  }
  for (const bench::Pattern& pattern : bench::patterns()) {
    context.out << pattern.name << '\t' << pattern.description << '\n';
  }
}

void measure(CommandContext& context, const BenchOptions& options) {
  const bool as_lines = !context.json && !options.goals;
  bench::Settings settings = options.settings;
  settings.rounds = options.rounds > 0 ? options.rounds
                    : settings.quick   ? kQuickRounds
                                       : kFewestRounds;
  bench::require_known(settings);

  bench::Report report(as_lines ? &context.out : nullptr);
  {
    const bench::InterruptGuard guard;
    bench::Progress progress(context.err, ::isatty(STDERR_FILENO) == 1);
    bench::Stage stage(settings, report, progress);
    bench::run_chosen(stage);
  }

  const bench::Machine machine = bench::examine_machine();
  const auto goals = bench::judge(report.lines());
  if (context.json) {
    context.out << bench::to_json(report, machine, version(), goals).dump(2) << '\n';
  } else if (options.goals) {
    bench::print_table(context.out, report, machine, goals);
  } else {
    for (const std::string& note : report.notes()) context.err << "note: " << note << '\n';
  }
}

// A missed goal is a result like any other; only a figure that could not be had is a failure.
ExitCode run(CommandContext& context, const BenchOptions& options) {
  if (options.list) {
    list_patterns(context);
    return ExitCode::ok;
  }
  try {
    measure(context, options);
  } catch (const bench::Interrupted& interrupted) {
    throw Interrupted(interrupted.signal_number());
  } catch (const bench::BenchError& failure) {
    throw Failure(ExitCode::failure, "not_measured", "measure", failure.what(),
                  "'tarn bench --list' lists the patterns, 'tarn doctor' examines the machine");
  }
  return ExitCode::ok;
}

}  // namespace

void register_bench(CLI::App& app, CommandContext& context) {
  const auto options = std::make_shared<BenchOptions>();
  CLI::App& command = add_command(
      app, "bench", "Measures speed and memory against what the machine can do at best", kExamples);
  add_options(command, *options);
  run_on(command, context, [&context, options] { return run(context, *options); });
}

}  // namespace tarn::tools
