#include "daemon/recovery/desk.h"

#include <algorithm>
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

constexpr std::uint32_t kMostCrashes = 3;         // on one pipe, before it is in quarantine
constexpr std::uint32_t kMostRefusedStarts = 3;   // before the worker does it itself
constexpr std::ptrdiff_t kMostSentForOthers = 2;  // at a time
constexpr auto kPause = 20ms;                     // the longest before a job is taken up

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

void RecoveryDesk::begin(os::Poller& poller) {
  const os::UniqueFd& former = node_.recovery().former;
  if (!former) return start(poller);
  // It ends with its worker; this only makes sure.
  os::signal_process(former.get(), SIGKILL);
  if (auto done = poller.watch(former.get(), process_tag_); !done) {
    log_error(std::string("waiting for the last tarn-recover: ") + done.error().what());
    start_at_ = Deadline::in(kPause);
  }
}

void RecoveryDesk::on_former_end(os::Poller& poller) {
  os::UniqueFd& former = node_.recovery().former;
  if (!os::has_exited(former.get())) return;
  poller.forget(former.get());
  former.reset();
  start(poller);
}

void RecoveryDesk::start(os::Poller& poller) {
  start_at_ = Deadline::never();
  if (auto done = spawn(poller); !done) {
    log_error(std::string("tarn-recover does not start: ") + done.error().what());
    note_refused_start(0ns, false);
  }
}

FullStatus RecoveryDesk::spawn(os::Poller& poller) {
  auto ends = os::socket_pair();
  if (!ends) return std::move(ends).error();
  const os::SpawnPlan plan{
      os::kOwnProgram,
      {kRecoverProgram, std::to_string(os::own_pid()), std::to_string(starts_ + 1)},
      {ends->second.get()}};
  auto started = os::spawn_watched(plan);
  if (!started) return std::move(started).error();
  program_ = std::move(*started);
  auto done = poller.watch(ends->first.get(), answer_tag_);
  if (done) done = poller.watch(program_.process.get(), process_tag_);
  if (done) done = store_identity();
  if (!done) {
    os::signal_child(program_.pid, SIGKILL);
    os::reap_child(program_.pid);
    program_ = {};
    return done;
  }
  began_ns_ = monotonic_ns();
  node_.recovery().starts = ++starts_;
  socket_ = std::move(ends->first);
  return Done{};
}

// Crash: the program has no job yet: one that is not known does no harm.
FullStatus RecoveryDesk::store_identity() {
  const auto identity = os::identify(program_.pid);
  if (!identity) return Error(identity.error(), "identify tarn-recover", "/proc/PID/stat", {});
  node_.sink().put(StoredRecovery{identity->pid, 0, identity->start_ticks});
  return Done{};
}

void RecoveryDesk::note_refused_start(std::chrono::nanoseconds lived, bool killed) {
  start_at_ = Deadline::in(pace_.wait_after(lived, killed));
  if (++refused_starts_ >= kMostRefusedStarts) work_without_program();
}

void RecoveryDesk::resolve(const SessionItem& session) {
  const auto [place, is_new] = cases_.try_emplace(packed(session.id()));
  if (!is_new) return;
  for (const auto& [pipe_id, serial] : session.openings) {
    const PipeItem* pipe = node_.pipes().at(pipe_id);
    if (pipe == nullptr || !pipe->view) continue;
    put({session.id(),
         {++last_number_, session.facts.index, pipe_id, pipe->facts.slot_count, 0},
         0,
         !node_.access().is_owner(session.facts.uid)});
    ++place->second.jobs_left;
  }
  if (place->second.jobs_left == 0) finished_.push_back(session.id());
  if (is_ready_) return send_waiting();
  if (refused_starts_ >= kMostRefusedStarts) return work_without_program();
  // Nobody is made to wait for one that dies again and again while there is nothing to do.
  if (!start_at_.is_never()) start_at_ = start_at_.earlier(Deadline::in(kPause));
}

// Whatever others leave to be done, the owner's next death waits for a few jobs of theirs at most.
void RecoveryDesk::put(Job job) {
  auto place = jobs_.end();
  if (!job.for_others) {
    const auto waiting = jobs_.begin() + static_cast<std::ptrdiff_t>(sent_);
    place = std::find_if(waiting, jobs_.end(), [](const Job& each) { return each.for_others; });
  }
  jobs_.insert(place, std::move(job));
}

bool RecoveryDesk::may_send(const Job& job) const {
  if (!job.for_others) return true;
  const auto sent = jobs_.begin() + static_cast<std::ptrdiff_t>(sent_);
  return std::count_if(jobs_.begin(), sent, [](const Job& each) { return each.for_others; }) <
         kMostSentForOthers;
}

bool RecoveryDesk::take(SessionId session, ResolvedClaims& found) {
  const auto at = cases_.find(packed(session));
  if (at == cases_.end() || at->second.jobs_left > 0) return false;
  found = at->second.found;
  cases_.erase(at);
  return true;
}

// As much as the socket takes; the rest after the next answer. Where it takes none at all, no
// answer would come: then the next program gets them.
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
    if (!may_send(job)) return;
    const std::array descriptors{pipe->memory.get()};
    const auto sent = os::send_message(socket_.get(), std::as_bytes(std::span(&job.record, 1)),
                                       descriptors, false);
    if (sent == os::SendOutcome::would_block && sent_ > 0) return;
    if (sent != os::SendOutcome::ok) return os::signal_child(program_.pid, SIGKILL);
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
    const bool is_whole =
        received.outcome == os::ReceiveOutcome::ok && received.size_bytes == sizeof answer;
    if (is_whole && !is_ready_ && answer.number == kReadyNumber) {
      is_ready_ = true;
      refused_starts_ = 0;
      node_.recovery().pid = program_.pid;
      continue;
    }
    const bool fits = is_whole && sent_ > 0 && answer.number == jobs_.front().record.number;
    if (!fits) {
      // Its end, or nonsense: on_process_end() follows.
      poller.forget(socket_.get());
      if (program_.pid != 0) os::signal_child(program_.pid, SIGKILL);
      return;
    }
    pace_ = RestartPace();
    close_first(answer);
  }
  if (is_ready_) send_waiting();
}

void RecoveryDesk::close_first(const RecoveryAnswer& answer) {
  const Job job = jobs_.front();
  jobs_.pop_front();
  if (sent_ > 0) --sent_;
  if (answer.outcome == RecoveryOutcome::spoilt && try_again(job)) return;
  if (answer.outcome != RecoveryOutcome::unmapped) {
    return finish_job(job, {answer.skipped, answer.redelivered});
  }
  // Its session's index will be given to another: no claim may stay. We have the pipe mapped.
  log_warning("tarn-recover could not map pipe " + std::to_string(job.record.pipe) +
              ": the worker resolves the claims of session " + std::to_string(job.record.dead));
  finish_job(job, resolve_here(job.record));
}

// Who overwrites it again and again has it put in quarantine.
bool RecoveryDesk::try_again(const Job& job) {
  PipeItem* pipe = node_.pipes().at(job.record.pipe);
  if (pipe == nullptr || !pipe->view) return false;
  if (job.crashes + 1 < kMostCrashes && node_.restore_header(*pipe)) {
    log_warning("pipe '" + std::string(pipe->name()) +
                "': its header was overwritten, and is written anew");
    jobs_.push_back(job);
    jobs_.back().record.number = ++last_number_;
    ++jobs_.back().crashes;
    return true;
  }
  node_.quarantine(*pipe, "its header was overwritten");
  return false;
}

void RecoveryDesk::finish_job(const Job& job, const ResolvedClaims& found) {
  const auto at = cases_.find(packed(job.session));
  if (at == cases_.end()) return;
  at->second.found.skipped += found.skipped;
  at->second.found.redelivered += found.redelivered;
  if (--at->second.jobs_left == 0) finished_.push_back(job.session);
}

void RecoveryDesk::on_process_end(os::Poller& poller) {
  if (node_.recovery().former) return on_former_end(poller);
  if (program_.pid == 0) return;
  // What it had answered before it died counts.
  on_answer(poller);
  poller.forget(program_.process.get());
  const os::ChildEnd end = os::reap_child(std::exchange(program_.pid, 0));
  program_.process.reset();
  node_.recovery().pid = 0;
  poller.forget(socket_.get());
  socket_.reset();
  const bool was_ready = std::exchange(is_ready_, false);
  const std::chrono::nanoseconds lived(monotonic_ns() - began_ns_);
  const bool killed = end.signal == SIGKILL;
  if (!was_ready) {
    log_warning("tarn-recover ended " + end.text() + " before it was ready");
    return note_refused_start(lived, killed);
  }
  if (sent_ > 0) judge(jobs_.front(), end);
  sent_ = 0;
  start_at_ = Deadline::in(pace_.wait_after(lived, killed));
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
  pace_ = RestartPace();
  if (PipeItem* pipe = node_.pipes().at(given_up.record.pipe)) {
    node_.quarantine(*pipe, "recovery ended " + end.text() + " on it, " +
                                std::to_string(kMostCrashes) + " times");
  }
  finish_job(given_up, {});
}

void RecoveryDesk::on_timer(os::Poller& poller) {
  if (!start_at_.has_passed()) return;
  start_at_ = Deadline::never();
  if (node_.recovery().former) return begin(poller);
  start(poller);
}

// Where no program can be started (no process, memory or descriptor is left), waiting would cost
// everybody more than the risk that the worker dies of it, which the keeper mends.
void RecoveryDesk::work_without_program() {
  while (!jobs_.empty()) {
    const Job job = jobs_.front();
    jobs_.pop_front();
    finish_job(job, resolve_here(job.record));
  }
}

// On the mapping that the worker has: nothing can be lacking for it.
ResolvedClaims RecoveryDesk::resolve_here(const RecoveryJob& job) {
  PipeItem* pipe = node_.pipes().at(job.pipe);
  if (pipe == nullptr || !pipe->view) return {};
  const auto counts = pipe->view.recover(static_cast<std::uint16_t>(job.dead));
  return {counts.skipped, counts.redelivered};
}

}  // namespace tarn::daemon
