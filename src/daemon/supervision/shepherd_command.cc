// The command's life: from fork to the moment when nothing of it is left.

#include <chrono>
#include <csignal>
#include <string>

#include "base/crash_point.h"
#include "base/log.h"
#include "daemon/supervision/shepherd.h"
#include "daemon/supervision/tags.h"
#include "os/process.h"

namespace tarn::daemon {

using namespace std::chrono_literals;
using layout::ClientState;
using layout::EndGoal;

namespace {

constexpr auto kPressAgain = 50ms;
constexpr int kReadsPerEvent = 16;

}  // namespace

// Crash: [1] says that a command is about to be there; the kernel kills it with us from the moment
//        it is there. [2] names it, so that a successor can end what it left; until [3] it waits,
//        and can have started nobody.
void Shepherd::start() {
  start_at_ = Deadline::never();
  layout::BoardFacts& facts = board_.edit();
  facts.state = ClientState::starting;
  facts.goal = EndGoal::restart;
  facts.exec_error = 0;
  facts.next_start_ns = 0;
  board_.publish();  // [1]
  TARN_CRASH_POINT("shepherd.start.announced");
  os::CommandPlan plan;
  plan.arguments = &description_.arguments;
  plan.environment = &description_.environment;
  for (const wire::ResourceLimit& each : description_.limits) {
    plan.limits.push_back({each.soft, each.hard});
  }
  plan.file_mode_mask = description_.file_mode_mask;
  plan.directory = directory_.get();
  auto started = os::start_command(plan);
  started_ns_ = monotonic_ns();
  facts.started_ns = started_ns_;
  facts.started_unix_ns = wall_clock_ns();
  ++facts.starts;
  facts.goal = EndGoal::policy;
  if (!started) {
    log_error(started.error().what());
    facts.exec_error = started.error().system_error();
    ++facts.ends;
    return decide(false, 0);
  }
  command_ = std::move(*started);
  command_reaped_ = false;
  killing_ = false;
  goal_ = EndGoal::policy;
  facts.command_pid = command_->pid;
  const auto identity = os::identify(command_->pid);
  facts.command_start_ticks = identity ? identity->start_ticks : 0;
  board_.publish();  // [2]
  TARN_CRASH_POINT("shepherd.start.named");
  os::release_command(*command_);  // [3]
  const std::pair<int, ShepherdTag> watched[] = {
      {command_->output.get(), ShepherdTag::output},
      {command_->errors.get(), ShepherdTag::errors},
      {command_->report.get(), ShepherdTag::exec_report}};
  for (const auto& [fd, tag] : watched) {
    auto done = poller_.watch(fd, static_cast<std::uint64_t>(tag));
    if (!done) log_error(done.error().what());
  }
}

void Shepherd::on_exec_report() {
  if (!command_ || !command_->report) return;
  int error = 0;
  const auto report = os::exec_report(command_->report.get(), error);
  if (report == os::ExecReport::pending) return;
  poller_.forget(command_->report.get());
  command_->report.reset();
  if (report == os::ExecReport::refused) {
    board_.edit().exec_error = error;
    return;  // its end is told by the kernel
  }
  // Ended before it was executed, it has the same to say as one that was.
  if (command_reaped_) return;
  if (board_.facts().state == ClientState::starting) enter(ClientState::running);
}

void Shepherd::on_output(int which) {
  if (!command_) return;
  os::UniqueFd& stream =
      which == static_cast<int>(ShepherdTag::output) ? command_->output : command_->errors;
  std::string text;
  for (int i = 0; i < kReadsPerEvent && stream; ++i) {
    const auto outcome = os::read_some(stream.get(), text);
    if (outcome == os::ReadOutcome::nothing) return;
    if (outcome == os::ReadOutcome::ended) {
      poller_.forget(stream.get());
      stream.reset();
      return;
    }
    board_.append(text, static_cast<std::uint32_t>(which), wall_clock_ns());
  }
}

// After the end of all that could write: what is in the pipes is the last there will be.
void Shepherd::drain_output() {
  for (const ShepherdTag which : {ShepherdTag::output, ShepherdTag::errors}) {
    const os::UniqueFd& stream = which == ShepherdTag::output ? command_->output : command_->errors;
    std::string text;
    while (stream && os::read_some(stream.get(), text) == os::ReadOutcome::some) {
      board_.append(text, static_cast<std::uint32_t>(which), wall_clock_ns());
    }
  }
}

// Orphans of the command are our children as well: when none is left, nothing of it is.
void Shepherd::reap() {
  for (;;) {
    const os::ReapedChild child = os::reap_any();
    if (child.none_left) {
      if (command_) complete_end();
      return;
    }
    if (child.pid == 0) break;
    asked_.erase(child.pid);
    if (command_ && child.pid == command_->pid) {
      command_end_ = child.end;
      command_reaped_ = true;
      note_command_end();
    }
  }
  if (!command_ || !command_reaped_) return;
  // The command has ended, and somebody that it started has not.
  if (press_at_.is_never()) begin_end(EndGoal::policy);
  // Each end may have brought us the children of who ended.
  if (!killing_) ask_children_to_end();
  if (killing_) press_at_ = Deadline::passed();
}

// Crash: published at once: a successor, which finds the family still ending, knows from
//        `ends` == `starts` how the command itself has ended.
void Shepherd::note_command_end() {
  on_exec_report();
  layout::BoardFacts& facts = board_.edit();
  const bool refused = facts.exec_error != 0;
  facts.exit_status = refused ? 0 : command_end_.status;
  facts.exit_signal = refused ? 0 : command_end_.signal;
  facts.ended_unix_ns = wall_clock_ns();
  ++facts.ends;
  board_.publish();
  TARN_CRASH_POINT("shepherd.command.ended");
}

void Shepherd::begin_end(EndGoal goal) {
  // An order to end is final; any other is replaced by a newer one.
  if (goal_ != EndGoal::end || goal == EndGoal::end) goal_ = goal;
  start_at_ = Deadline::never();
  board_.edit().goal = goal_;
  if (!command_) {
    if (goal_ == EndGoal::end) over_ = true;
    if (goal_ == EndGoal::stop) enter(ClientState::stopped);
    if (goal_ == EndGoal::restart) start();
    return;
  }
  if (!press_at_.is_never()) return board_.publish();  // it is on its way
  enter(ClientState::stopping);
  TARN_CRASH_POINT("shepherd.end.begun");
  press_at_ = Deadline::in(std::chrono::nanoseconds(description_.policy.stop_timeout_ns));
  if (!command_reaped_) {
    os::signal_group(command_->pid, SIGTERM);
    // A stopped process takes SIGTERM only when it goes on.
    os::signal_group(command_->pid, SIGCONT);
  }
  ask_children_to_end();
}

// Who left the command's group is a child of ours once its parent has ended.
void Shepherd::ask_children_to_end() noexcept {
  for (const std::int32_t child : os::own_children()) {
    if (child == command_->pid || !asked_.insert(child).second) continue;
    os::signal_child(child, SIGTERM);
    os::signal_child(child, SIGCONT);
  }
}

// Its time is over. Who is killed leaves its own children to us, so that this ends only when nobody
// is left.
void Shepherd::press_end() noexcept {
  killing_ = true;
  press_at_ = Deadline::in(kPressAgain);
  if (!command_) return;
  if (!command_reaped_) os::signal_group(command_->pid, SIGKILL);
  for (const std::int32_t child : os::own_children()) os::signal_child(child, SIGKILL);
}

void Shepherd::complete_end() {
  drain_output();
  close_streams();
  command_.reset();
  killing_ = false;
  asked_.clear();
  press_at_ = Deadline::never();
  layout::BoardFacts& facts = board_.edit();
  facts.command_pid = 0;
  facts.command_start_ticks = 0;
  facts.goal = EndGoal::policy;
  const bool success = has_succeeded(facts);
  const EndGoal goal = std::exchange(goal_, EndGoal::policy);
  switch (goal) {
    case EndGoal::policy:
      return decide(success, monotonic_ns() - started_ns_);
    case EndGoal::stop:
      return enter(ClientState::stopped);
    case EndGoal::restart:
      return start();
    case EndGoal::end:
      // Nobody stopped it: a successor, if there is one, starts it.
      enter(ClientState::registered);
      over_ = true;
      return;
  }
}

// Every edit so far becomes visible together with the decision.
void Shepherd::decide(bool success, std::int64_t lived_ns) {
  TARN_CRASH_POINT("shepherd.decide.ended");
  // What cannot be executed at all is for the person who asked, not for another try.
  const bool hopeless = first_of_order_ && board_.facts().exec_error != 0;
  first_of_order_ = false;
  if (hopeless) return enter(ClientState::failed);
  const auto decision = policy_.after_end(success, lived_ns, monotonic_ns());
  switch (decision.verdict) {
    case RestartPolicy::Verdict::finish:
      return enter(ClientState::finished);
    case RestartPolicy::Verdict::fail:
      return enter(ClientState::failed);
    case RestartPolicy::Verdict::restart:
      start_at_ = Deadline::in(std::chrono::nanoseconds(decision.wait_ns));
      board_.edit().next_start_ns = start_at_.at_ns();
      return enter(ClientState::waiting);
  }
}

void Shepherd::close_streams() noexcept {
  for (os::UniqueFd* stream : {&command_->output, &command_->errors, &command_->report}) {
    if (*stream) poller_.forget(stream->get());
    stream->reset();
  }
}

}  // namespace tarn::daemon
