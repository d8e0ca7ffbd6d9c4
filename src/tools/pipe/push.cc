// push.cc - `tarn pipe push`: standard input, or one text, into a pipe.
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "borders/read.h"
#include "tools/failure.h"
#include "tools/options.h"
#include "tools/pipe/input.h"
#include "tools/pipe/pusher.h"
#include "tools/pipe/verbs.h"
#include "tools/print/text.h"
#include "tools/value/value_form.h"
#include "tools/value/value_reader.h"

namespace tarn::tools {
namespace {

struct PushOptions {
  std::string name;
  PipeOptions pipe;
  std::optional<Duration> timeout;
  std::optional<std::uint64_t> block;
  std::optional<std::string> message;
  bool whole = false;
  std::optional<borders::Format> format;  // none: bytes as they are
  borders::ReadOptions read;
  bool close = false;
  bool progress = false;
};

// Nothing larger than the domain's memory can ever be pushed, so nothing larger is collected.
std::uint64_t limit_of(Session& session) {
  const std::uint64_t limit_bytes = session.status().limit_bytes;
  return limit_bytes == 0 ? std::numeric_limits<std::uint64_t>::max() : limit_bytes;
}

void push_lines(Input& input, std::uint64_t limit_bytes, Pusher& pusher) {
  LineReader reader(input, limit_bytes);
  while (const auto line = reader.next()) pusher.push(*line);
}

// Reads straight into the memory that is pushed, but for the beginning of a large block: what comes
// may be far less than that, and then takes no more memory.
void push_block(Input& input, std::size_t block_bytes, Pusher& pusher) {
  constexpr std::size_t kBeginning = std::size_t{1} << 20;
  const auto left = input.known_size();
  if (left) block_bytes = static_cast<std::size_t>(std::min<std::uint64_t>(block_bytes, *left));
  std::vector<std::byte> beginning;
  if (!left && block_bytes > kBeginning) {
    beginning.resize(kBeginning);
    beginning.resize(input.fill(beginning));
    if (beginning.size() < kBeginning) return pusher.push(beginning);
  }
  Loan loan = pusher.loan(block_bytes);
  std::ranges::copy(beginning, loan.bytes().begin());
  const std::size_t more = input.fill(loan.bytes().subspan(beginning.size()));
  loan.shrink(beginning.size() + more);
  pusher.push(std::move(loan));
}

// Waits for input before it takes memory. Blocks that the domain never has room for are refused at
// once, and not only when so much has come.
void push_blocks(Input& input, std::size_t block_bytes, std::uint64_t limit_bytes, Pusher& pusher) {
  if (block_bytes > limit_bytes) pusher.loan(block_bytes);
  while (!input.peek().empty()) push_block(input, block_bytes, pusher);
}

// A file says how long it is, and is read straight into place, as long as it was at the beginning.
void push_whole(Input& input, std::uint64_t limit_bytes, Pusher& pusher) {
  const auto size_bytes = input.known_size();
  if (!size_bytes) return pusher.push(read_whole(input, limit_bytes));
  Loan loan = pusher.loan(static_cast<std::size_t>(*size_bytes));
  loan.shrink(input.fill(loan.bytes()));
  pusher.push(std::move(loan));
}

// Reading in pieces leaves places that nothing refers to; a few are cheaper than a copy.
void push_read(Value value, Pusher& pusher) {
  if (value.dead_bytes() > value.bytes().size() / 4) value.compact();
  pusher.push(std::move(value));
}

// Each item becomes a value, which is built where the consumer reads it.
void push_values(borders::Source& source, const PushOptions& options, std::uint64_t limit_bytes,
                 Pusher& pusher) {
  borders::ReadOptions read = options.read;
  read.item_limit_bytes = limit_bytes;
  borders::Reader reader(*options.format, source, read);
  for (;;) {
    Value value = pusher.value();
    if (!reader.next(value.root())) return;
    push_read(std::move(value), pusher);
  }
}

// With --whole there is one item, and nothing behind it.
void push_whole_value(std::span<const std::byte> bytes, const PushOptions& options,
                      Pusher& pusher) {
  push_read(borders::read_value(*options.format, bytes, options.read), pusher);
}

void push_formatted(const PushOptions& options, const StopSignals& signals,
                    std::uint64_t limit_bytes, Pusher& pusher) {
  if (options.message) {
    const std::string& text = *options.message;
    return push_whole_value(std::as_bytes(std::span(text.data(), text.size())), options, pusher);
  }
  Input input(STDIN_FILENO, signals);
  if (options.whole) return push_whole_value(read_whole(input, limit_bytes), options, pusher);
  InputSource source(input);
  push_values(source, options, limit_bytes, pusher);
}

void push_input(const PushOptions& options, const StopSignals& signals, std::uint64_t limit_bytes,
                Pusher& pusher) {
  if (options.format) return push_formatted(options, signals, limit_bytes, pusher);
  if (options.message) {
    const std::string& text = *options.message;
    return pusher.push(std::as_bytes(std::span(text.data(), text.size())));
  }
  Input input(STDIN_FILENO, signals);
  if (options.whole) return push_whole(input, limit_bytes, pusher);
  if (options.block) {
    return push_blocks(input, static_cast<std::size_t>(*options.block), limit_bytes, pusher);
  }
  push_lines(input, limit_bytes, pusher);
}

void print_result(CommandContext& context, const PushOptions& options, const Progress& progress) {
  if (!context.json) return;
  const TransferCount count = progress.count();
  context.out << json_text({{"pipe", options.name},
                            {"messages", count.messages},
                            {"bytes", count.bytes},
                            {"closed", options.close},
                            {"elapsed_ns", progress.elapsed().count()}})
              << '\n';
}

ExitCode push(CommandContext& context, const PushOptions& options) {
  if (!options.format && is_any_given(options.read)) {
    throw usage_failure("--arrays, --no-tags and --last-of-duplicates are about values",
                        "leave them out: raw bytes are what they are");
  }
  const StopSignals signals;
  Session session = connect(participant(context, "tarn pipe push", true));
  Pipe pipe = session.pipe(options.name, options.pipe);
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  Progress progress({.live = options.progress && !context.json,
                     .total = terminal && !context.json,
                     .terminal = terminal,
                     .verb = "pushed"},
                    context.err);
  Pusher pusher({session, pipe, options.timeout}, signals, progress);
  push_input(options, signals, limit_of(session), pusher);
  if (options.close) pipe.close();
  print_result(context, options, progress);
  return ExitCode::ok;
}

void add_options(CLI::App& command, const std::shared_ptr<PushOptions>& options) {
  add_pipe_name(command, options->name);
  CLI::Option* block = add_size(command, "--block", options->block,
                                "Each SIZE bytes are a message; the last one may be shorter");
  CLI::Option* whole =
      command.add_flag("--whole", options->whole, "All of standard input is one message");
  CLI::Option* message = command.add_option_function<std::string>(
      "-m,--message", [options](const std::string& text) { options->message = text; },
      "Push this text instead of standard input");
  message->type_name("TEXT")->excludes(block)->excludes(whole);
  whole->excludes(block);
  CLI::Option* format =
      add_format(command, options->format, "What comes in: each item becomes a value [raw]");
  format->excludes(block);
  for (CLI::Option* each : add_read_options(command, options->read)) each->needs(format);
  add_pipe_options(command, options->pipe);
  add_duration(command, "--timeout", options->timeout,
               "How long each message may wait for room [for ever]");
  command.add_flag("--close", options->close, "Close the pipe after the last message");
  command.add_flag("--progress", options->progress, "Show counts and rates on standard error");
}

}  // namespace

void register_pipe_push(CLI::App& pipe, CommandContext& context) {
  CLI::App& command = add_command(
      pipe, "push", "Pushes standard input: each line, or each block, or all of it as one message",
      "  seq 10 | tarn pipe push numbers\n"
      "  tarn pipe push pictures --whole < picture.png\n"
      "  arecord -t raw | tarn pipe push sound --block 4096 --capacity 16 --close\n"
      "  tarn pipe push greetings -m hello --timeout 250ms\n"
      "  tarn pipe push records --format json < records.jsonl\n",
      "With --format each JSON text, MessagePack object or CBOR item becomes a value.\n"
      "Lines are pushed without their newline; a last line without one counts too. Creates the "
      "pipe,\n"
      "and starts the node, where they are missing. Says what it pushed on standard error, when "
      "that\n"
      "is a terminal or with --progress. A signal ends it between two messages.\n");
  const auto options = std::make_shared<PushOptions>();
  add_options(command, options);
  run_on(command, context, [&context, options] { return push(context, *options); });
}

}  // namespace tarn::tools
