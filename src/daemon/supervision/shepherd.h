// shepherd.h - looks after one supervised client: starts it, starts it again, ends it, and keeps
// what it says.
//
// A process of its own with one thread, the parent of the client's command. Nobody else decides
// when that is started and stopped, so a stop cannot race a restart. It is executed anew from
// tarnd's own file by the worker, outlives the worker, and ends its command when the node is gone.
//
// When it is killed the kernel kills the command with it; its successor finds in its board what is
// left, ends that, and goes on.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "base/deadline.h"
#include "daemon/supervision/orders.h"
#include "daemon/supervision/restart_policy.h"
#include "os/events.h"
#include "os/run/command.h"
#include "shm/board/board.h"
#include "wire/client_description.h"

namespace tarn::daemon {

// What a shepherd is made of.
struct ShepherdParts {
  wire::ClientDescription description;
  os::UniqueFd control;    // to the workers
  os::UniqueFd directory;  // the command's
  Board board;
  os::UniqueFd board_memory;  // for reading
  os::UniqueFd own_process;   // pidfd
  os::UniqueFd signals;
  os::Poller poller;
};

// Whether the newest end of the command was one with success.
inline bool has_succeeded(const layout::BoardFacts& facts) noexcept {
  return facts.exec_error == 0 && facts.exit_signal == 0 && facts.exit_status == 0;
}

class Shepherd {
 public:
  explicit Shepherd(ShepherdParts parts);
  // Until it is told to end, or nobody is there to tell it anything.
  void run();

 private:
  void on_control();
  void take(const Order& order);
  void on_signals();
  void on_timers();
  Deadline next_timer() const noexcept;
  void report_to_worker();

  // The predecessor's: shepherd.cc.
  bool has_leftovers() const noexcept { return !command_ && board_.facts().command_pid != 0; }
  void end_leftovers();
  std::string mark_word() const;
  void resume(OrderKind kind);
  bool is_leftover(std::int32_t pid, bool in_session) const;

  // The command: shepherd_command.cc.
  void start();
  void on_exec_report();
  void on_output(int which);
  void drain_output();
  void reap();
  void begin_end(layout::EndGoal goal);
  void ask_children_to_end() noexcept;
  void press_end() noexcept;
  void note_command_end();
  void complete_end();
  void decide(bool success, std::int64_t lived_ns);
  void close_streams() noexcept;
  void enter(layout::ClientState state);

  wire::ClientDescription description_;
  const os::UniqueFd control_;
  const os::UniqueFd directory_;
  const os::UniqueFd board_memory_;
  const os::UniqueFd own_process_;
  const os::UniqueFd signals_;
  os::Poller poller_;
  Board board_;
  RestartPolicy policy_;
  std::optional<os::StartedCommand> command_;
  os::ChildEnd command_end_;
  bool command_reaped_ = false;
  bool first_of_order_ = false;  // nothing was executed since the newest order
  bool killing_ = false;
  std::set<std::int32_t> asked_;  // children that were told to end
  layout::EndGoal goal_ = layout::EndGoal::policy;
  std::optional<Order> delayed_;  // until what the predecessor left has ended
  Deadline start_at_ = Deadline::never();
  Deadline press_at_ = Deadline::never();
  Deadline look_at_ = Deadline::never();  // for leftovers
  std::int64_t started_ns_ = 0;
  bool over_ = false;
};

// In a process that was executed as kShepherdProgram: takes the descriptors it was given, and looks
// after the client. Returns the program's exit status.
int run_shepherd(const char* name);

}  // namespace tarn::daemon
