// pop.cc - `tarn pipe pop`: messages from a pipe to standard output.
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>

#include "tarn/session.h"
#include "tools/failure.h"
#include "tools/options.h"
#include "tools/pipe/popper.h"
#include "tools/pipe/verbs.h"
#include "tools/print/format.h"
#include "tools/value/value_form.h"

namespace tarn::tools {
namespace {

struct PopOptions {
  std::string name;
  PipeOptions pipe;
  bool create = false;
  std::optional<std::int64_t> count;  // 1
  bool all = false;
  bool follow = false;
  std::optional<Duration> timeout;
  bool line = false;
  bool raw = false;
  bool has_format = false;
  std::optional<borders::Format> format;  // none: raw
  bool lossless = false;
  std::optional<std::uint64_t> block;
};

Pipe open(CommandContext& context, const PopOptions& options) {
  Session session = connect(participant(context, "tarn pipe pop", options.create));
  return options.create ? session.pipe(options.name, options.pipe)
                        : session.open_pipe(options.name, options.pipe);
}

MessageStyle style_of(const CommandContext& context, const PopOptions& options) {
  MessageStyle style{.form = MessageForm::fitting, .pipe = options.name};
  style.escape = ::isatty(STDOUT_FILENO) == 1;
  style.color = context.color_out;
  style.lossless = options.lossless;
  if (options.line) style.form = MessageForm::line;
  if (options.format) style.form = MessageForm::value;
  if (options.format) style.format = *options.format;
  if (options.raw || (options.has_format && !options.format)) style.form = MessageForm::raw;
  if (options.block) style.form = MessageForm::block;
  if (options.block) style.block_bytes = *options.block;
  if (context.json) style.form = MessageForm::json;
  return style;
}

struct Advice {
  const char* code;
  const char* cure;
};

Advice advice_for(PopStatus status) {
  switch (status) {
    case PopStatus::timed_out:
      return {"timed_out", "the pipe is empty: start a producer, or allow a longer --timeout"};
    case PopStatus::closed:
      return {"closed", "its producers are done; '--follow' takes that for success"};
    case PopStatus::no_memory:
      return {"no_memory", "the message is still in the pipe: free memory and try again"};
    case PopStatus::corrupt:
      return {"corrupt", "a program spoilt this pipe: remove it with 'tarn pipe rm'"};
    case PopStatus::node_lost:
      return {"node_lost", "the node has ended: run the command again, with a node"};
    default:
      return {"forked", "this is a bug of tarn: please report it"};
  }
}

[[noreturn]] void refuse(PopStatus status, std::int64_t done, const PopOptions& options) {
  const Advice advice = advice_for(status);
  std::string attempted = "pop message " + std::to_string(done + 1);
  if (!options.follow && !options.all)
    attempted += " of " + std::to_string(options.count.value_or(1));
  throw Failure(exit_code_of(status), advice.code, std::move(attempted),
                "pipe '" + options.name + "'", advice.cure);
}

// Whether this end of the messages is what the user waited for.
bool is_done(PopStatus status, const PopOptions& options) {
  if (status == PopStatus::closed) return options.follow || options.all;
  return status == PopStatus::empty && options.all;
}

// What would have no effect is a mistake.
void require_sense(const CommandContext& context, const PopOptions& options) {
  const bool has_form = options.line || options.raw || options.block || options.has_format;
  if (context.json && has_form) {
    throw usage_failure("--json is a form of its own",
                        "leave it out, or --line, --raw, --block and --format");
  }
  if (options.lossless && options.has_format && !options.format) {
    throw usage_failure("--format raw is without loss", "leave --lossless out");
  }
}

ExitCode pop(CommandContext& context, const PopOptions& options) {
  require_sense(context, options);
  const StopSignals signals;
  Output output(STDOUT_FILENO);
  MessageWriter writer(style_of(context, options), output);
  Popper popper({open(context, options), options.timeout, !options.all}, writer, output, signals);
  const bool endless = options.follow || options.all;
  try {
    for (std::int64_t done = 0; endless || done < options.count.value_or(1); ++done) {
      const PopStatus status = popper.pass_one();
      if (status == PopStatus::ok) continue;
      popper.settle();
      if (is_done(status, options)) return ExitCode::ok;
      refuse(status, done, options);
    }
  } catch (const Interrupted& interrupted) {
    // What was taken is delivered, unless nobody reads it.
    if (interrupted.signal_number != SIGPIPE) popper.settle();
    throw;
  }
  popper.settle();
  return ExitCode::ok;
}

void add_amount(CLI::App& command, PopOptions& options) {
  CLI::Option* count = add_count(command, "--count", options.count, "How many messages [1]", 1);
  CLI::Option* all =
      command.add_flag("--all", options.all, "All that are in the pipe now, without waiting");
  CLI::Option* follow =
      command.add_flag("--follow", options.follow, "Until the pipe is closed and drained");
  follow->excludes(count)->excludes(all);
  all->excludes(count);
  add_duration(command, "--timeout", options.timeout,
               "How long to wait for each message [for ever]")
      ->excludes(all);
}

void add_form(CLI::App& command, PopOptions& options) {
  CLI::Option* line =
      command.add_flag("--line", options.line,
                       "A newline after each message; escapes control characters on a terminal");
  CLI::Option* raw = command.add_flag("--raw", options.raw, "The bytes as they are");
  CLI::Option* block =
      add_size(command, "--block", options.block,
               "The bytes as they are; fails unless each message but the last has SIZE of them");
  raw->excludes(line);
  block->excludes(line)->excludes(raw);
  add_format(command, options.format, "Values in this form; anything else is refused")
      ->excludes(line)
      ->excludes(raw)
      ->excludes(block)
      ->each([&options](const std::string&) { options.has_format = true; });
  command
      .add_flag("--lossless", options.lossless,
                "What a form cannot say about values, as tagged tables")
      ->excludes(line)
      ->excludes(raw)
      ->excludes(block);
}

}  // namespace

void register_pipe_pop(CLI::App& pipe, CommandContext& context) {
  CLI::App& command = add_command(
      pipe, "pop", "Pops messages to standard output: one, for which it waits, or as many as asked",
      "  tarn pipe pop numbers                     one message, waiting for it\n"
      "  tarn pipe pop numbers --all               what is there now\n"
      "  tarn pipe pop sound --follow --raw | aplay\n"
      "  tarn pipe pop records --follow --format json | jq .station\n"
      "  tarn pipe pop numbers --count 5 --timeout 2s || echo \"exit code $?\"\n",
      "A value is shown for people on a terminal, and is a line of JSON elsewhere.\n"
      "The pipe must exist, unless --create makes it. With --json each message is one object on a\n"
      "line of its own. Messages of an at_least_once pipe are acknowledged once they are written.\n"
      "A signal, or a reader that leaves, ends it between two messages.\n");
  const auto options = std::make_shared<PopOptions>();
  add_pipe_name(command, options->name);
  add_amount(command, *options);
  add_form(command, *options);
  command.add_flag("--create", options->create,
                   "Create the pipe, and start the node, where they are missing");
  add_pipe_options(command, options->pipe);
  run_on(command, context, [&context, options] { return pop(context, *options); });
}

}  // namespace tarn::tools
