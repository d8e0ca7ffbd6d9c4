#include "os/examine/probe.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <new>

#include "base/checked.h"
#include "os/examine/machine.h"
#include "os/futex.h"
#include "os/memory.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

namespace tarn::os {
namespace {

constexpr long kFutexWaitv = 449;  // the same on every architecture
constexpr std::uint64_t kProbeBytes = 2 * kPage;

// Remembers the first step that failed.
bool failed(SealProbe& probe, const Error* error) {
  if (error == nullptr) return false;
  probe.failed_step = error->attempted();
  probe.error = error->system_error();
  return true;
}

template <class T>
bool failed(SealProbe& probe, const Result<T, Error>& result) {
  return failed(probe, result ? nullptr : &result.error());
}

bool can_map_writable(int fd) noexcept { return map_writable(fd, kProbeBytes).has_value(); }

bool can_reopen_writable(int fd) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const UniqueFd reopened(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  return reopened && can_map_writable(reopened.get());
}

bool can_write(int fd) noexcept {
  const char byte = 0;
  return ::pwrite(fd, &byte, 1, kPage) == 1;
}

void attack(SealProbe& probe, int fd, const Mapping& reader) {
  const auto note = [&](bool was_possible, const char* how) {
    if (was_possible) probe.open_doors.emplace_back(how);
  };
  note(can_map_writable(fd), "a writable mapping");
  note(::mprotect(reader.base(), reader.size(), PROT_READ | PROT_WRITE) == 0, "mprotect");
  note(can_write(fd), "write");
  note(can_reopen_writable(fd), "a writable mapping of what /proc/self/fd reopens");
  note(::ftruncate(fd, kProbeBytes / 2) == 0, "shrinking");
  note(::ftruncate(fd, kProbeBytes * 2) == 0, "growing");
}

// Sleeping on a value that stays must end by the deadline, and on another value at once. A kernel
// that wants to write the page says EFAULT to both.
bool waits_through(const FutexWord& word, std::uint32_t value) noexcept {
  const Deadline soon = Deadline::in(std::chrono::milliseconds(1));
  return futex_wait(word, value, soon) == WaitOutcome::timed_out &&
         futex_wait(word, value + 1, Deadline::in(std::chrono::seconds(1))) == WaitOutcome::changed;
}

void probe_mappings(SealProbe& probe, int fd) {
  auto writer = map_writable(fd, kProbeBytes);
  if (failed(probe, writer) || failed(probe, seal(fd, true))) return;
  auto reader = map_readable(fd, kProbeBytes);
  if (failed(probe, reader)) return;
  auto* written = new (writer->base()) FutexWord(0);
  const auto* seen = std::launder(reinterpret_cast<const FutexWord*>(reader->base()));
  // relaxed: one thread writes and reads.
  written->store(17, std::memory_order_relaxed);
  probe.writer_still_writes = seen->load(std::memory_order_relaxed) == 17;
  probe.futex_waits_read_only = waits_through(*seen, 17);
  attack(probe, fd, *reader);
}

}  // namespace

std::string kernel_release() {
  utsname names{};
  return ::uname(&names) == 0 ? std::string(names.release) : std::string();
}

SealProbe probe_seals() {
  SealProbe probe;
  if (resource_limits().file_size < 2 * kProbeBytes) return probe;
  probe.tried = true;
  auto memory = create_memory("tarn-doctor", kProbeBytes);
  if (failed(probe, memory)) return probe;
  if (failed(probe, allocate_pages(memory->get(), 0, kProbeBytes))) return probe;
  probe_mappings(probe, memory->get());
  return probe;
}

int try_populate_write() noexcept {
  void* base = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) return errno;
  const int error = ::madvise(base, kPage, MADV_POPULATE_WRITE) == 0 ? 0 : errno;
  ::munmap(base, kPage);
  return error;
}

int try_futex_waitv() noexcept {
  // Nothing to wait for is EINVAL to a kernel that knows the call.
  const long result = ::syscall(kFutexWaitv, nullptr, 0, 0, nullptr, 0);
  return result >= 0 || errno == EINVAL ? 0 : errno;
}

int try_pidfd_open() noexcept {
  const long fd = ::syscall(SYS_pidfd_open, ::getpid(), 0);
  if (fd < 0) return errno;
  ::close(static_cast<int>(fd));
  return 0;
}

int try_peer_pidfd() noexcept {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return errno;
  const UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  int fd = -1;
  socklen_t size = sizeof fd;
  if (::getsockopt(ours.get(), SOL_SOCKET, SO_PEERPIDFD, &fd, &size) != 0) return errno;
  const UniqueFd pidfd(fd);
  return 0;
}

}  // namespace tarn::os
