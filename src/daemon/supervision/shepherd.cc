#include "daemon/supervision/shepherd.h"

#include <chrono>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include "base/crash_point.h"
#include "base/log.h"
#include "daemon/supervision/tags.h"
#include "os/process.h"
#include "os/socket.h"

namespace tarn::daemon {

using namespace std::chrono_literals;
using layout::ClientState;
using layout::EndGoal;

namespace {

constexpr auto kLookAgain = 5ms;
constexpr std::string_view kMarkVariable = "TARN_SHEPHERD=";

}  // namespace

Shepherd::Shepherd(ShepherdParts parts)
    : description_(std::move(parts.description)),
      control_(std::move(parts.control)),
      directory_(std::move(parts.directory)),
      board_memory_(std::move(parts.board_memory)),
      own_process_(std::move(parts.own_process)),
      signals_(std::move(parts.signals)),
      poller_(std::move(parts.poller)),
      board_(std::move(parts.board)),
      policy_(description_.policy) {
  if (board_.facts().mark == 0) {
    os::random_bytes(&board_.edit().mark, sizeof board_.facts().mark);
    board_.publish();
  }
  auto& words = description_.environment;
  std::erase_if(words, [](const std::string& word) { return word.starts_with(kMarkVariable); });
  words.push_back(mark_word());
  if (has_leftovers()) look_at_ = Deadline::passed();
}

std::string Shepherd::mark_word() const {
  return std::string(kMarkVariable) + std::to_string(board_.facts().mark);
}

void Shepherd::run() {
  while (!over_) {
    on_timers();
    if (over_) return;
    for (const os::Event& event : poller_.wait(next_timer())) {
      switch (static_cast<ShepherdTag>(event.tag)) {
        case ShepherdTag::control:
          on_control();
          break;
        case ShepherdTag::signals:
          on_signals();
          break;
        case ShepherdTag::output:
        case ShepherdTag::errors:
          on_output(static_cast<int>(event.tag));
          break;
        case ShepherdTag::exec_report:
          on_exec_report();
          break;
      }
      if (over_) return;
    }
  }
}

Deadline Shepherd::next_timer() const noexcept {
  return start_at_.earlier(press_at_).earlier(look_at_);
}

void Shepherd::on_timers() {
  if (look_at_.has_passed()) end_leftovers();
  if (press_at_.has_passed()) press_end();
  if (start_at_.has_passed()) start();
}

// One order at a time: the poller says so again while there are more.
void Shepherd::on_control() {
  Order order{};
  const auto bytes = std::as_writable_bytes(std::span(&order, 1));
  const auto received = os::receive_message(control_.get(), bytes, false);
  if (received.outcome == os::ReceiveOutcome::would_block) return;
  if (received.outcome == os::ReceiveOutcome::ended) {
    // Worker and keeper are gone: so is the node that the client belongs to.
    poller_.forget(control_.get());
    order = {OrderKind::end, 0, board_.facts().order};
  } else if (received.size_bytes != sizeof order) {
    return log_error("an order that makes no sense");
  }
  if (order.kind == OrderKind::attach) return report_to_worker();
  if (has_leftovers()) {
    delayed_ = order;
  } else {
    take(order);
  }
}

void Shepherd::report_to_worker() {
  const ShepherdReport report{ShepherdReport::kMagic, os::own_pid()};
  const int beside[] = {board_memory_.get(), own_process_.get()};
  os::send_message(control_.get(), std::as_bytes(std::span(&report, 1)), beside, false);
}

// Crash: the board says which order was taken, and in the same instant what follows from it; a
//        successor carries on from there.
void Shepherd::take(const Order& order) {
  if (order.kind == OrderKind::end) return begin_end(EndGoal::end);
  if (goal_ == EndGoal::end) return;
  if (order.serial <= board_.facts().order) return resume(order.kind);
  // Published together with what it leads to.
  board_.edit().order = order.serial;
  policy_.forget();
  first_of_order_ = true;
  if (order.kind == OrderKind::stop) return begin_end(EndGoal::stop);
  if (order.kind == OrderKind::restart || order.kind == OrderKind::run) {
    return begin_end(EndGoal::restart);
  }
  log_error("an order of an unknown kind");
}

// Kills what the predecessor left, until nothing of it lives. The kernel has killed the command
// itself; what that had started is in its session, or has our mark in its environment.
void Shepherd::end_leftovers() {
  const layout::BoardFacts& facts = board_.facts();
  const auto leader = os::identify(facts.command_pid);
  // The number belongs to the session while anybody lives in it; with another leader it is new.
  const bool is_another = leader && leader->start_ticks != facts.command_start_ticks;
  std::vector<std::int32_t> left = os::processes_with(mark_word());
  if (!is_another) {
    const auto members = os::session_members(facts.command_pid);
    left.insert(left.end(), members.begin(), members.end());
  }
  bool all_gone = true;
  for (const std::int32_t pid : left) {
    // From here on the descriptor means this process, whoever gets its number.
    const auto process = os::open_pidfd(pid);
    if (!process || !is_leftover(pid, !is_another)) continue;
    os::signal_process(process->get(), SIGKILL);
    all_gone = false;
  }
  look_at_ = all_gone ? Deadline::never() : Deadline::in(kLookAgain);
  if (!all_gone) return;
  TARN_CRASH_POINT("shepherd.leftovers.gone");
  board_.edit().command_pid = 0;
  board_.edit().command_start_ticks = 0;
  board_.publish();
  if (!delayed_) return;
  const Order order = *delayed_;
  delayed_.reset();
  take(order);
}

// Who is older than the command is of another session that got its number.
bool Shepherd::is_leftover(std::int32_t pid, bool in_session) const {
  const layout::BoardFacts& facts = board_.facts();
  if (os::was_executed_with(pid, mark_word())) return true;
  const auto identity = os::identify(pid);
  return in_session && identity && identity->start_ticks >= facts.command_start_ticks &&
         os::session_of_process(pid) == facts.command_pid;
}

// The order was taken by a predecessor that was killed: its command counts as killed, too, unless
// it had ended before.
void Shepherd::resume(OrderKind kind) {
  const ClientState state = board_.facts().state;
  if (command_ || !start_at_.is_never()) return;
  if (kind == OrderKind::stop) {
    if (state != ClientState::stopped) enter(ClientState::stopped);
    return;
  }
  if (board_.facts().goal == EndGoal::restart) {
    start_at_ = Deadline::passed();
    return;
  }
  switch (state) {
    case ClientState::stopped:
    case ClientState::finished:
    case ClientState::failed:
      return;
    case ClientState::registered:
    case ClientState::waiting:
      start_at_ = Deadline::passed();
      return;
    case ClientState::starting:
    case ClientState::running:
    case ClientState::stopping: {
      layout::BoardFacts& facts = board_.edit();
      if (facts.ends < facts.starts) {
        ++facts.ends;
        facts.exit_status = 0;
        facts.exit_signal = SIGKILL;
        facts.ended_unix_ns = wall_clock_ns();
      }
      return decide(has_succeeded(facts), monotonic_ns() - facts.started_ns);
    }
  }
}

void Shepherd::on_signals() {
  while (const int signal = os::next_signal(signals_.get())) {
    if (signal == SIGCHLD) reap();
    if (signal == SIGTERM) begin_end(EndGoal::end);
    if (over_) return;
  }
}

void Shepherd::enter(ClientState state) {
  board_.edit().state = state;
  board_.publish();
}

}  // namespace tarn::daemon
