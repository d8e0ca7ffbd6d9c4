// readiness.h - descriptors for epoll at the ends of pipes.
//
// A bell is a word in memory, epoll knows only descriptors. One thread per session, started with
// the first descriptor, sleeps on all bells whose descriptor is not readable now and makes it
// readable when they ring. No other process has the descriptor, so that a sender's cost does not
// depend on how its receivers wait.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.h"
#include "os/fd.h"
#include "os/futex.h"

namespace tarn {

struct PipeControl;

class Readiness {
 public:
  Readiness() = default;
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;
  ~Readiness();

  // A descriptor that becomes readable when the pipe has items (or space), or is closed.
  Result<int, Error> add(std::shared_ptr<PipeControl> pipe, bool for_items);
  // Nobody watches it any more; closes it.
  void remove(int descriptor) noexcept;
  // A try found nothing: the descriptor is quiet until there is something again.
  void rearm(int descriptor) noexcept;
  // Every descriptor is readable from now on: each try has something to say.
  void raise_all() noexcept;

 private:
  struct Watch {
    std::shared_ptr<PipeControl> pipe;
    bool for_items = true;
    os::UniqueFd event;
    bool raised = false;
  };

  void run();
  void notice_change() noexcept;
  void set_raised(Watch& watch, bool raised) noexcept;
  // Raises what is ready and returns the bells of the rest. Requires lock_.
  std::vector<os::FutexWatch> arm();

  std::mutex lock_;
  std::vector<std::unique_ptr<Watch>> watches_;  // guarded by lock_
  bool ending_ = false;                          // guarded by lock_
  bool all_raised_ = false;                      // guarded by lock_
  // How many are raised, so that a try that finds nothing takes no lock. Written under lock_.
  std::atomic<std::uint32_t> raised_count_{0};
  os::FutexWord changes_{0};
  std::thread thread_;
};

}  // namespace tarn
