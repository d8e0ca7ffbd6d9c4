// job_queue.h - what tarn-recover has to do: what it was given, and what waits.
//
// Of what waits, the owner's comes first; of other accounts' at most a few are given at a time, so
// that whatever they leave to be done, the owner's next death waits for those few at most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "daemon/recovery/job.h"
#include "shm/segment/segment_layout.h"

namespace tarn::daemon {

struct Job {
  SessionId session;
  RecoveryJob record;
  std::uint32_t crashes = 0;
  bool for_others = false;  // of a session of another account than the node's
};

class JobQueue {
 public:
  bool empty() const noexcept { return jobs_.empty(); }
  std::size_t given() const noexcept { return given_; }

  void put(Job job);
  // The next one to be given; stays where it is. Null when none may be given now.
  Job* next();
  // The program has what next() returned.
  void note_given() noexcept { ++given_; }
  // Takes what next() returned out.
  Job skip_next();

  // The one that the program is at. Requires: given() > 0.
  Job& current() noexcept { return jobs_.front(); }
  Job take_current();
  // The program is gone: what it had is to be given to the next one.
  void take_back() noexcept { given_ = 0; }

  // The first one of the owner's, or of others', to be done here. Requires: given() is 0.
  std::optional<Job> take_first(bool for_others);

 private:
  std::deque<Job> jobs_;  // the first `given_` of them are with the program, in that order
  std::size_t given_ = 0;
};

}  // namespace tarn::daemon
