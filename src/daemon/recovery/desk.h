// desk.h - where the worker has the claims of ended sessions resolved: it hands them, a pipe at a
// time, to tarn-recover, starts that program anew when it dies, and judges pipes on which it dies
// again and again.
// The program gets no job before it has said that it is ready: one that cannot come up is not the
// fault of a pipe. Where none comes up at all, the worker does the work itself.
//
// The worker's one thread; nothing here waits. What is under way is not remembered beyond the
// worker: the next one finds the dead sessions and begins again.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <vector>

#include "base/deadline.h"
#include "daemon/keeper/restart_pace.h"
#include "daemon/recovery/job_queue.h"
#include "daemon/recovery/recover.h"
#include "daemon/worker/registry/node_state.h"
#include "os/events.h"
#include "os/run/spawn.h"

namespace tarn::daemon {

class RecoveryDesk {
 public:
  // `node` outlives this. The tags are those of the program's socket and of its process.
  RecoveryDesk(NodeState& node, std::uint64_t answer_tag, std::uint64_t process_tag) noexcept
      : node_(node), answer_tag_(answer_tag), process_tag_(process_tag) {}
  RecoveryDesk(const RecoveryDesk&) = delete;
  RecoveryDesk& operator=(const RecoveryDesk&) = delete;
  ~RecoveryDesk();

  // Has a program stand by, as soon as the last worker's has ended.
  void begin(os::Poller& poller);
  // Takes up what the session claimed in every pipe that it has open. Requires: none of its threads
  // executes anything any more. Asked twice it does nothing.
  void resolve(const SessionItem& session);
  // What was found; nothing while it is not resolved. Forgets it.
  bool take(SessionId session, ResolvedClaims& found);

  void on_answer(os::Poller& poller);
  void on_process_end(os::Poller& poller);
  // Starts the program again when its time has come.
  void on_timer(os::Poller& poller);
  Deadline next_timer() const noexcept {
    // What the worker resolved itself waits to be taken.
    if (!finished_.empty() && !has_former()) return Deadline::passed();
    return start_at_.earlier(ready_by_).earlier(work_at_);
  }
  // Sessions whose last answer has come since this was asked last. None while the last worker's
  // program may still be at work for one of them: its index would be given to another.
  std::vector<SessionId> take_finished() {
    return has_former() ? std::vector<SessionId>() : std::exchange(finished_, {});
  }

 private:
  struct Case {
    std::uint32_t jobs_left = 0;
    ResolvedClaims found;
  };

  // The last worker's program lives, or that cannot be said.
  bool has_former() const noexcept { return node_.recovery().former_identity.pid != 0; }
  void look_for_former(os::Poller& poller);
  void start(os::Poller& poller);
  FullStatus spawn(os::Poller& poller);
  // The next worker may have to wait for its end.
  FullStatus store_identity();
  void note_refused_start(std::chrono::nanoseconds lived, bool killed);
  void on_former_end(os::Poller& poller);
  void send_waiting();
  void close_first(const RecoveryAnswer& answer);
  // Its header was overwritten: written anew, the job is done again. False when that does not help.
  bool try_again(const Job& job);
  void finish_job(const Job& job, const ResolvedClaims& found);
  // The program died at the first job.
  void judge(Job& job, const os::ChildEnd& end);
  // The owner's at once, others' in turn.
  void work_without_program();
  ResolvedClaims resolve_here(const RecoveryJob& job);

  NodeState& node_;
  const std::uint64_t answer_tag_;
  const std::uint64_t process_tag_;
  os::StartedChild program_;
  os::UniqueFd socket_;
  std::uint32_t starts_ = 0;
  std::int64_t began_ns_ = 0;
  bool is_ready_ = false;  // the program has come up
  Deadline ready_by_ = Deadline::never();
  std::uint32_t refused_starts_ = 0;  // in a row: it did not come up
  RestartPace pace_;                  // begins anew with each job that is done, or given up
  Deadline start_at_ = Deadline::never();
  Deadline work_at_ = Deadline::never();  // on what the worker does itself for others
  JobQueue jobs_;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, Case> cases_;  // by SessionId, packed
  std::vector<SessionId> finished_;
};

}  // namespace tarn::daemon
