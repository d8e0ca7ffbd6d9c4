// logs.cc - `tarn client logs`: what a client wrote last, and what it writes now.
#include <array>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "tools/client/verbs.h"
#include "tools/options.h"
#include "tools/print/text.h"
#include "tools/stop_signals.h"

namespace tarn::tools {
namespace {

using namespace std::chrono_literals;

struct LogOptions {
  std::string name;
  std::optional<std::int64_t> count;
  bool follow = false;
  bool time = false;
};

// "2026-11-21T16:02:11.042Z"
std::string time_text(std::int64_t unix_ns) {
  const std::time_t seconds = unix_ns / 1'000'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + size, text.size() - size, ".%03dZ",
                static_cast<int>(unix_ns / 1'000'000 % 1000));
  return text.data();
}

void write(CommandContext& context, const LogOptions& options, std::span<const OutputLine> lines) {
  for (const OutputLine& line : lines) {
    if (context.json) {
      context.out << json_line(json_of(line)) << '\n';
      continue;
    }
    if (options.time) context.out << time_text(line.unix_ns) << ' ';
    context.out << line.text << '\n';
  }
  context.out.flush();
}

ExitCode logs(CommandContext& context, const LogOptions& options) {
  const StopSignals signals;
  Client client = find_client(context.connect, options.name);
  LineMaker maker;
  for (bool first = true;; first = false) {
    // Looked at before the output: what it wrote before its end is there by then.
    const bool ended = client.wait_end(0ns);
    std::vector<OutputLine> lines;
    for (const ClientOutput& piece : client.output()) maker.take(piece, lines);
    const bool last = ended || !options.follow;
    if (last) maker.flush(lines);
    std::span<const OutputLine> wanted(lines);
    const auto most = static_cast<std::size_t>(options.count.value_or(INT64_MAX));
    if (first && wanted.size() > most) wanted = wanted.last(most);
    write(context, options, wanted);
    signals.check();
    if (last || !context.out) return ExitCode::ok;
    client.wait_change(100ms);
  }
}

}  // namespace

void register_client_logs(CLI::App& client, CommandContext& context) {
  CLI::App& command =
      add_command(client, "logs", "Shows what a client wrote: the last 256 KiB",
                  "  tarn client logs camera -n 20\n"
                  "  tarn client logs camera -f      until it has ended for good\n");
  const auto options = std::make_shared<LogOptions>();
  add_client_name(command, options->name);
  add_count(command, "-n,--lines", options->count, "Only the last so many lines", 0);
  command.add_flag("-f,--follow", options->follow, "Go on with what it writes from now on");
  command.add_flag("-t,--time", options->time, "Put the time in front of each line");
  run_on(command, context, [&context, options] { return logs(context, *options); });
}

}  // namespace tarn::tools
