#include "daemon/recovery/desk.h"

#include <array>
#include <chrono>
#include <csignal>
#include <string>
#include <utility>

#include "base/crash_point.h"
#include "base/log.h"
#include "os/process.h"
#include "os/socket.h"

namespace tarn::daemon {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kMostCrashes = 3;        // on one pipe, before it is in quarantine
constexpr std::uint32_t kMostRefusedStarts = 3;  // before the worker does it itself
constexpr std::uint32_t kDeathsWithoutPause = 8;
constexpr auto kPause = 20ms;

constexpr std::uint64_t packed(SessionId id) noexcept {
  return (std::uint64_t{id.generation} << 32) | id.index;
}

}  // namespace

RecoveryDesk::~RecoveryDesk() {
  if (program_.pid == 0) return;
  // It has nothing to lose.
  os::signal_child(program_.pid, SIGKILL);
  os::reap_child(program_.pid);
}

void RecoveryDesk::begin(os::Poller& poller) { start(poller); }

void RecoveryDesk::start(os::Poller& poller) {
  start_at_ = Deadline::never();
  auto ends = os::socket_pair();
  const os::SpawnPlan plan{
      os::kOwnProgram,
      {kRecoverProgram, std::to_string(os::own_pid()), std::to_string(starts_ + 1)},
      {ends ? ends->second.get() : -1}};
  auto started = ends ? os::spawn_watched(plan) : Result<os::StartedChild, Error>(ends.error());
  auto watched = started ? poller.watch(ends->first.get(), answer_tag_) : FullStatus(Done{});
  if (started && watched) watched = poller.watch(started->process.get(), process_tag_);
  if (!started || !watched) {
    log_error(std::string("tarn-recover does not start: ") +
              (started ? watched.error().what() : started.error().what()));
    if (started) {
      os::signal_child(started->pid, SIGKILL);
      os::reap_child(started->pid);
    }
    start_at_ = Deadline::in(kPause);
    if (++refused_starts_ >= kMostRefusedStarts) work_without_program();
    return;
  }
  refused_starts_ = 0;
  ++starts_;
  program_ = std::move(*started);
  node_.recovery() = {program_.pid, starts_};
  socket_ = std::move(ends->first);
  sent_ = 0;
  send_waiting();
}

void RecoveryDesk::resolve(const SessionItem& session) {
  const auto [place, is_new] = cases_.try_emplace(packed(session.id()));
  if (!is_new) return;
  for (const auto& [pipe_id, serial] : session.openings) {
    const PipeItem* pipe = node_.pipes().at(pipe_id);
    if (pipe == nullptr || !pipe->view) continue;
    jobs_.push_back({session.id(),
                     {++last_number_, session.facts.index, pipe_id, pipe->facts.slot_count, 0},
                     0});
    ++place->second.jobs_left;
  }
  if (place->second.jobs_left == 0) finished_.push_back(session.id());
  if (socket_) send_waiting();
  if (!socket_ && refused_starts_ >= kMostRefusedStarts) work_without_program();
}

bool RecoveryDesk::take(SessionId session, ResolvedClaims& found) {
  const auto at = cases_.find(packed(session));
  if (at == cases_.end() || at->second.jobs_left > 0) return false;
  found = at->second.found;
  cases_.erase(at);
  return true;
}

// As much as the socket takes; the rest after the next answer.
void RecoveryDesk::send_waiting() {
  while (sent_ < jobs_.size()) {
    const Job& job = jobs_[sent_];
    const PipeItem* pipe = node_.pipes().at(job.record.pipe);
    if (pipe == nullptr || !pipe->view) {
      // It went, or came into quarantine: nothing is left to be resolved there.
      const Job skipped = job;
      jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(sent_));
      finish_job(skipped, {});
      continue;
    }
    const std::array descriptors{pipe->memory.get()};
    const auto sent = os::send_message(socket_.get(), std::as_bytes(std::span(&job.record, 1)),
                                       descriptors, false);
    if (sent != os::SendOutcome::ok) return;
    TARN_CRASH_POINT("recovery.desk.sent");
    ++sent_;
  }
}

void RecoveryDesk::on_answer(os::Poller& poller) {
  while (socket_) {
    RecoveryAnswer answer{};
    const auto received =
        os::receive_message(socket_.get(), std::as_writable_bytes(std::span(&answer, 1)), false);
    if (received.outcome == os::ReceiveOutcome::would_block) break;
    const bool fits = received.outcome == os::ReceiveOutcome::ok &&
                      received.size_bytes == sizeof answer && sent_ > 0 &&
                      answer.number == jobs_.front().record.number;
    if (!fits) {
      // Its end, or nonsense: on_process_end() follows.
      poller.forget(socket_.get());
      if (program_.pid != 0) os::signal_child(program_.pid, SIGKILL);
      return;
    }
    idle_deaths_ = 0;
    close_first(answer);
  }
  if (socket_) send_waiting();
}

void RecoveryDesk::close_first(const RecoveryAnswer& answer) {
  const Job job = jobs_.front();
  jobs_.pop_front();
  if (sent_ > 0) --sent_;
  PipeItem* pipe = node_.pipes().at(job.record.pipe);
  if (answer.outcome == RecoveryOutcome::spoilt && pipe != nullptr) {
    node_.quarantine(*pipe, "its header was overwritten");
  } else if (answer.outcome == RecoveryOutcome::unmapped) {
    log_error("recovery could not map pipe " + std::to_string(job.record.pipe) +
              ": claims of session " + std::to_string(job.record.dead) + " stay there");
  }
  finish_job(job, {answer.skipped, answer.redelivered});
}

void RecoveryDesk::finish_job(const Job& job, const ResolvedClaims& found) {
  const auto at = cases_.find(packed(job.session));
  if (at == cases_.end()) return;
  at->second.found.skipped += found.skipped;
  at->second.found.redelivered += found.redelivered;
  if (--at->second.jobs_left == 0) finished_.push_back(job.session);
}

void RecoveryDesk::on_process_end(os::Poller& poller) {
  if (program_.pid == 0) return;
  // What it had answered before it died counts.
  on_answer(poller);
  poller.forget(program_.process.get());
  const os::ChildEnd end = os::reap_child(std::exchange(program_.pid, 0));
  program_.process.reset();
  node_.recovery().pid = 0;
  if (socket_) poller.forget(socket_.get());
  socket_.reset();
  if (sent_ > 0) judge(jobs_.front(), end);
  sent_ = 0;
  if (++idle_deaths_ <= kDeathsWithoutPause) return start(poller);
  start_at_ = Deadline::in(kPause);
}

// Killed from outside it is nobody's fault, and the next one does the job.
void RecoveryDesk::judge(Job& job, const os::ChildEnd& end) {
  const PipeItem* known = node_.pipes().at(job.record.pipe);
  const std::string name =
      known != nullptr ? std::string(known->name()) : std::to_string(job.record.pipe);
  log_warning("tarn-recover ended " + end.text() + " at pipe '" + name + "'");
  if (end.signal == SIGKILL || ++job.crashes < kMostCrashes) return;
  const Job given_up = job;
  jobs_.pop_front();
  if (PipeItem* pipe = node_.pipes().at(given_up.record.pipe)) {
    node_.quarantine(*pipe, "recovery ended " + end.text() + " on it, " +
                                std::to_string(kMostCrashes) + " times");
  }
  finish_job(given_up, {});
}

void RecoveryDesk::on_timer(os::Poller& poller) {
  if (start_at_.has_passed()) start(poller);
}

// Where no program can be started (no process, memory or descriptor is left), waiting would cost
// everybody more than the risk that the worker dies of it, which the keeper mends.
void RecoveryDesk::work_without_program() {
  while (!jobs_.empty()) {
    const PipeItem* pipe = node_.pipes().at(jobs_.front().record.pipe);
    RecoveryAnswer answer{jobs_.front().record.number, RecoveryOutcome::resolved, 0, 0, 0};
    if (pipe != nullptr && pipe->view) {
      answer = carry_out(jobs_.front().record, pipe->memory.get());
    }
    close_first(answer);
  }
}

}  // namespace tarn::daemon
