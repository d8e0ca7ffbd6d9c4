// probe.h - what the kernel really does when asked, found out by asking.
//
// Every probe works on memory, sockets and processes of its own and gives them back. None waits
// longer than a few milliseconds, and none fails as a whole: what went wrong is its answer.
#pragma once

#include <string>
#include <vector>

namespace tarn::os {

// "6.1.0-18-amd64"; empty when the kernel does not say.
std::string kernel_release();

// One segment's life: made, given a page, mapped, sealed, read, attacked.
struct SealProbe {
  bool tried = false;                // false: RLIMIT_FSIZE would have ended this process by SIGXFSZ
  std::string failed_step;           // "create shared memory"; empty when all went through
  int error = 0;                     // errno of that step
  bool writer_still_writes = false;  // the mapping made before the seal, seen by a reader
  bool futex_waits_read_only = false;   // through a mapping that cannot be written
  std::vector<std::string> open_doors;  // what the seals should have refused, and did not
};
SealProbe probe_seals();

// 0 when the kernel has it and lets us use it, else errno.
int try_populate_write() noexcept;
int try_futex_waitv() noexcept;
int try_pidfd_open() noexcept;
int try_peer_pidfd() noexcept;

}  // namespace tarn::os
