// spawner.h - starting programs for a process that has strangers' descriptors open.
//
// A new program begins as a copy of its parent's table of descriptors, and has to close what is not
// meant for it. Each of these closes can take as long as whoever made that descriptor likes (a file
// of a file system that is a program), and the parent waits for it. Hence programs are started by a
// thread with a table of its own, in which no stranger's descriptor ever stands.
#pragma once

#include <mutex>
#include <optional>
#include <thread>

#include "os/run/spawn.h"

namespace tarn::os {

// Thread safe. Programs that it started are children of this process, whose end() they may follow
// (end_with_parent): it lives as long as the process.
class Spawner {
 public:
  // Requires: no stranger's descriptor is open yet. Where the thread cannot be had, each call says
  // why.
  Spawner();
  ~Spawner();
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  // As os::spawn() and os::spawn_watched(), with at most kMaxDescriptors descriptors.
  Result<std::int32_t, Error> spawn(const SpawnPlan& plan);
  Result<StartedChild, Error> spawn_watched(const SpawnPlan& plan);

 private:
  std::mutex lock_;  // one at a time
  UniqueFd line_;    // to the thread
  std::thread thread_;
  std::optional<Error> refusal_;
};

}  // namespace tarn::os
