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
constexpr auto kPause = 20ms;                    // the longest before a job is taken up
// To come up. One that takes longer is taken for one that never will, and another is started.
constexpr auto kPatienceWithStart = 10s;
// Done by the worker itself, of other accounts.
constexpr int kJobsOfOthersATurn = 2;
constexpr auto kWithoutTime = 1ms;

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
  has_former() ? look_for_former(poller) : start(poller);
}

// While it cannot be said that it has ended it may be at work, and no session of its jobs ends.
void RecoveryDesk::look_for_former(os::Poller& poller) {
  RecoveryFacts& facts = node_.recovery();
  start_at_ = Deadline::never();
  FullStatus done = Done{};
  if (!facts.former) {
    auto process = os::open_process(facts.former_identity);
    if (process) facts.former = std::move(*process);
    if (!process) done = std::move(process).error();
  }
  // It ends with its worker; this only makes sure.
  if (done) os::signal_process(facts.former.get(), SIGKILL);
  if (done) done = poller.watch(facts.former.get(), process_tag_);
  if (done) return;
  log_error(std::string("waiting for the last tarn-recover: ") + done.error().what());
  start_at_ = Deadline::in(kPause);
}

void RecoveryDesk::on_former_end(os::Poller& poller) {
  RecoveryFacts& facts = node_.recovery();
  if (!facts.former || !os::has_exited(facts.former.get())) return;
  poller.forget(facts.former.get());
  facts.former.reset();
  facts.former_identity = {};
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
  auto started = node_.spawner().spawn_watched(plan);
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
  ready_by_ = Deadline::in(kPatienceWithStart);
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
    jobs_.put({session.id(),
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
  while (const Job* job = jobs_.next()) {
    const PipeItem* pipe = node_.pipes().at(job->record.pipe);
    if (pipe == nullptr || !pipe->view) {
      // It went, or came into quarantine: nothing is left to be resolved there.
      finish_job(jobs_.skip_next(), {});
      continue;
    }
    const std::array descriptors{pipe->memory.get()};
    const auto sent = os::send_message(socket_.get(), std::as_bytes(std::span(&job->record, 1)),
                                       descriptors, false);
    if (sent == os::SendOutcome::would_block && jobs_.given() > 0) return;
    if (sent != os::SendOutcome::ok) return os::signal_child(program_.pid, SIGKILL);
    TARN_CRASH_POINT("recovery.desk.sent");
    jobs_.note_given();
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
      ready_by_ = Deadline::never();
      refused_starts_ = 0;
      node_.recovery().pid = program_.pid;
      continue;
    }
    const bool fits =
        is_whole && jobs_.given() > 0 && answer.number == jobs_.current().record.number;
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
  const Job job = jobs_.take_current();
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
    Job again = job;
    again.record.number = ++last_number_;
    ++again.crashes;
    jobs_.put(again);
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
  if (has_former()) return on_former_end(poller);
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
  ready_by_ = Deadline::never();
  const std::chrono::nanoseconds lived(monotonic_ns() - began_ns_);
  const bool killed = end.signal == SIGKILL;
  if (!was_ready) {
    log_warning("tarn-recover ended " + end.text() + " before it was ready");
    return note_refused_start(lived, killed);
  }
  if (jobs_.given() > 0) judge(jobs_.current(), end);
  jobs_.take_back();
  start_at_ = Deadline::in(pace_.wait_after(lived, killed));
}

// Killed from outside it is nobody's fault, and the next one does the job.
void RecoveryDesk::judge(Job& job, const os::ChildEnd& end) {
  const PipeItem* known = node_.pipes().at(job.record.pipe);
  const std::string name =
      known != nullptr ? std::string(known->name()) : std::to_string(job.record.pipe);
  log_warning("tarn-recover ended " + end.text() + " at pipe '" + name + "'");
  if (end.signal == SIGKILL || ++job.crashes < kMostCrashes) return;
  const Job given_up = jobs_.take_current();
  pace_ = RestartPace();
  if (PipeItem* pipe = node_.pipes().at(given_up.record.pipe)) {
    node_.quarantine(*pipe, "recovery ended " + end.text() + " on it, " +
                                std::to_string(kMostCrashes) + " times");
  }
  finish_job(given_up, {});
}

void RecoveryDesk::on_timer(os::Poller& poller) {
  if (work_at_.has_passed()) work_without_program();
  if (ready_by_.has_passed()) {
    ready_by_ = Deadline::never();
    log_warning("tarn-recover does not come up, and is killed");
    os::signal_child(program_.pid, SIGKILL);
  }
  if (start_at_.has_passed()) begin(poller);
}

// Where no program can be started (no process, memory or descriptor is left), waiting would cost
// everybody more than the risk that the worker dies of it, which the keeper mends.
void RecoveryDesk::work_without_program() {
  work_at_ = Deadline::never();
  if (is_ready_) return;
  while (const auto job = jobs_.take_first(false)) finish_job(*job, resolve_here(job->record));
  for (int i = 0; i < kJobsOfOthersATurn && !jobs_.empty(); ++i) {
    if (!node_.doorkeeper().has_time(monotonic_ns())) {
      work_at_ = Deadline::in(kWithoutTime);
      return;
    }
    const TimeForOthers spent(node_.doorkeeper(), true);
    if (const auto job = jobs_.take_first(true)) finish_job(*job, resolve_here(job->record));
  }
  if (!jobs_.empty()) work_at_ = Deadline::passed();
}

// On the mapping that the worker has: nothing can be lacking for it.
ResolvedClaims RecoveryDesk::resolve_here(const RecoveryJob& job) {
  PipeItem* pipe = node_.pipes().at(job.pipe);
  if (pipe == nullptr || !pipe->view) return {};
  const auto counts = pipe->view.recover(static_cast<std::uint16_t>(job.dead));
  return {counts.skipped, counts.redelivered};
}

}  // namespace tarn::daemon
