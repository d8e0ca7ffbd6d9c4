// process.h - who a process is, and whether it still lives, from the kernel.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "os/fd.h"

namespace tarn::os {

// A pid alone is reused; with its start time it names one process for ever.
struct ProcessIdentity {
  std::int32_t pid = 0;
  std::uint64_t start_ticks = 0;  // field 22 of /proc/PID/stat
  bool operator==(const ProcessIdentity&) const noexcept = default;
};

std::int32_t own_pid() noexcept;
std::uint32_t own_uid() noexcept;
// not_found when no such process is there; no_descriptors, or os, when it cannot be looked up for
// now.
Result<ProcessIdentity> identify(std::int32_t pid) noexcept;
// A descriptor that is readable once the process has ended, with all its threads.
Result<UniqueFd, Error> open_pidfd(std::int32_t pid);
// Readable once the first thread of the process has ended, whatever the others do. Linux 6.9.
Result<UniqueFd, Error> open_first_thread(std::int32_t pid);
// As open_pidfd(), for that very process. Where it has ended already, some descriptor that is
// readable. no_descriptors, or os, when it cannot be said for now. `who` is asked who has the
// number now; says it busy, whoever has it is taken for that process.
using Identifier = std::function<Result<ProcessIdentity>(std::int32_t pid)>;
Result<UniqueFd, Error> open_process(const ProcessIdentity& process,
                                     const Identifier& who = identify);
bool has_exited(int pidfd) noexcept;
void signal_process(int pidfd, int signal) noexcept;
// The base name of this program, at most 15 bytes as the kernel keeps it, or longer from argv.
std::string program_name();
// The account's name, or the uid in digits where it has none.
std::string account_name();

void name_thread(const char* name) noexcept;
// Starts a thread that gets no signals: they are the application's. os or no_memory when the kernel
// allows no further one.
Result<std::thread, Error> start_quiet_thread(const char* name, std::function<void()> body);
namespace detail {
extern std::atomic<std::uint64_t> g_fork_generation;
}
// Changes in every fork()ed child; the parent's never changes.
inline std::uint64_t fork_generation() noexcept {
  // relaxed: it changes only in a new child, which has one thread then.
  return detail::g_fork_generation.load(std::memory_order_relaxed);
}

// Starts a program in a session of its own, with standard input and output on /dev/null, and the
// write end of a pipe as descriptor 3. Returns the read end: the program writes one line on it when
// it is ready, or what went wrong. The grandchild is adopted by init, or by
// the nearest ancestor that takes orphans.
Result<UniqueFd, Error> spawn_detached(const std::vector<std::string>& arguments);

// Fills the span from the kernel's random source.
void random_bytes(void* target, std::size_t size_bytes) noexcept;

}  // namespace tarn::os
