// top.cc - `tarn top`: what goes on in the node, live.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "tarn/session.h"
#include "tools/command.h"
#include "tools/failure.h"
#include "tools/options.h"
#include "tools/pipe/wait.h"
#include "tools/print/text.h"
#include "tools/stop_signals.h"
#include "tools/top/screen.h"
#include "tools/top/view.h"

namespace tarn::tools {
namespace {

constexpr std::chrono::milliseconds kDefaultInterval(1000);
constexpr std::chrono::milliseconds kFirstInterval(200);
constexpr std::chrono::milliseconds kShortestInterval(10);

struct TopOptions {
  bool once = false;
  bool batch = false;
  std::optional<Duration> interval;
};

Duration interval_of(const TopOptions& options) {
  return std::max<Duration>(options.interval.value_or(kDefaultInterval), kShortestInterval);
}

// Sleeps until the deadline, or until a signal or a key arrives. Throws Interrupted.
void pause(const StopSignals& signals, WaitUntil deadline, int keys = -1) {
  wait_for({.descriptor = keys, .events = POLLIN}, signals, deadline);
}

void print_frame(CommandContext& context, const Snapshot& earlier, const Snapshot& later,
                 bool stream) {
  if (context.json) {
    const auto frame = json_of(earlier, later);
    context.out << (stream ? json_line(frame) : json_text(frame)) << '\n';
  } else {
    for (const std::string& line :
         view_of(earlier, later, Style(context.color_out), std::nullopt)) {
      context.out << line << '\n';
    }
    if (stream) context.out << '\n';
  }
  context.out.flush();
}

// Frames one after the other, for pipes and files; ends when nobody reads them.
ExitCode run_batch(CommandContext& context, const TopOptions& options, const StopSignals& signals) {
  Session session = connect(observer(context));
  Snapshot earlier = take_snapshot(session);
  do {
    pause(signals, until(interval_of(options)));
    Snapshot later = take_snapshot(session);
    print_frame(context, earlier, later, !options.once);
    if (!context.out) throw Interrupted(SIGPIPE);
    earlier = std::move(later);
  } while (!options.once);
  return ExitCode::ok;
}

// The live view. It outlasts the node: while none runs it says so, and looks again.
class LiveView {
 public:
  LiveView(CommandContext& context, const TopOptions& options, const StopSignals& signals)
      : context_(context), interval_(interval_of(options)), signals_(signals) {}

  ExitCode run() {
    reconnect();  // without a node to begin with, this is an error
    Screen screen(context_.out);
    // The first frame comes soon, but not so soon that its rates are noise.
    Duration wait = std::min<Duration>(interval_, kFirstInterval);
    for (; !quits(screen, wait); wait = interval_) refresh(screen);
    return ExitCode::ok;
  }

 private:
  void reconnect() {
    session_ = connect(observer(context_));
    earlier_ = take_snapshot(session_);
  }

  bool quits(Screen& screen, Duration wait) {
    const WaitUntil deadline = until(wait);
    const int keys = ::isatty(STDIN_FILENO) == 1 ? STDIN_FILENO : -1;
    do {
      pause(signals_, deadline, keys);
      if (screen.quit_pressed()) return true;
    } while (Clock::now() < *deadline);
    return false;
  }

  void refresh(Screen& screen) {
    try {
      if (!session_) reconnect();
      Snapshot later = take_snapshot(session_);
      std::vector<std::string> lines =
          view_of(earlier_, later, Style(context_.color_out), screen.size().lines - 1);
      lines.push_back(Style(context_.color_out).paint(Paint::dim, "q or Ctrl-C ends"));
      screen.show(lines);
      earlier_ = std::move(later);
    } catch (const Error& error) {
      session_ = Session();
      screen.show({error.what(), "", "Looking again each interval; q or Ctrl-C ends."});
    }
  }

  CommandContext& context_;
  Duration interval_;
  const StopSignals& signals_;
  Session session_;
  Snapshot earlier_;
};

ExitCode top(CommandContext& context, const TopOptions& options) {
  const StopSignals signals;
  const bool live =
      !options.once && !options.batch && !context.json && ::isatty(STDOUT_FILENO) == 1;
  if (!live) return run_batch(context, options, signals);
  try {
    return LiveView(context, options, signals).run();
  } catch (const Interrupted& interrupted) {
    if (interrupted.signal_number == SIGINT) return ExitCode::ok;  // the usual way to end it
    throw;
  }
}

}  // namespace

void register_top(CLI::App& app, CommandContext& context) {
  CLI::App& command =
      add_command(app, "top", "Shows memory, pipes and sessions with their rates, live",
                  "  tarn top\n"
                  "  tarn top --once --json | jq '.pipes[] | {name, pushed_per_s}'\n"
                  "  tarn top --batch --interval 10s >> top.log\n",
                  "On a terminal the view is refreshed in place until q or Ctrl-C; elsewhere, and "
                  "with --json,\n"
                  "one frame follows the other. IN/S and OUT/S are messages a second.\n");
  const auto options = std::make_shared<TopOptions>();
  command.add_flag("--once", options->once, "Print one frame, after one interval, and end");
  command.add_flag("-b,--batch", options->batch, "Frame after frame, without terminal control");
  add_duration(command, "-i,--interval", options->interval,
               "Time between two looks, at least 10ms [1]");
  run_on(command, context, [&context, options] { return top(context, *options); });
}

}  // namespace tarn::tools
