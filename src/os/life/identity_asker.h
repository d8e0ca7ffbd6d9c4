// identity_asker.h - who the processes of other accounts are, for somebody who must not wait: while
// a process is in the middle of exec the kernel keeps whoever reads its /proc/PID/stat waiting, for
// as long as something that closes with it takes.
//
// Used by one thread. A thread that still waits outlives this, and ends with the process.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "os/process.h"

namespace tarn::os {

// Of all accounts together, processes of which the kernel says nothing.
inline constexpr std::size_t kMostSilentProcesses = 64;

class IdentityAsker {
 public:
  IdentityAsker();
  ~IdentityAsker();
  IdentityAsker(const IdentityAsker&) = delete;
  IdentityAsker& operator=(const IdentityAsker&) = delete;

  // As identify(). busy when the kernel does not say it in `patience`, or has yet to say it of
  // another process of that account; also when too many wait, or no thread is to be had.
  Result<ProcessIdentity> ask(std::uint32_t account, std::int32_t pid,
                              std::chrono::nanoseconds patience);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tarn::os
