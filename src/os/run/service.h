// service.h - the service manager that runs this process, if one does.
//
// Speaks what sd_notify(3) and sd_listen_fds(3) describe: a datagram with assignments, and
// inherited descriptors from number 3 on. Any manager that speaks it will do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "os/fd.h"

namespace tarn::os {

// A descriptor that the manager keeps for this service, over the deaths of its processes.
struct KeptDescriptor {
  std::string name;
  UniqueFd fd;
};
// The names of such descriptors begin with it, those of listening sockets do not.
inline constexpr char kKeptMark = '.';
// All the names together are one variable of the environment, for which the kernel has 128 KiB.
inline constexpr std::size_t kMostKept = 11'000;
inline constexpr std::size_t kMostKeptNameBytes = 10;  // without the mark

// What a descriptor leads to. Two with equal identities are of the same thing, opened alike: of
// such a pair a manager may keep one alone.
struct ObjectIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t access = 0;  // for reading, writing, or both
  bool operator==(const ObjectIdentity&) const noexcept = default;
};
ObjectIdentity identify_object(int fd) noexcept;

class ServiceManager {
 public:
  // None.
  ServiceManager() noexcept = default;
  // Takes what it has put into the environment, out of it: it is meant for this process alone.
  // Closes what came beside a first listener and what it kept. Call it once, before anything is
  // opened.
  static ServiceManager from_environment();

  explicit operator bool() const noexcept { return static_cast<bool>(socket_); }
  // How often it wants a sign of life; 0: never.
  std::int64_t watchdog_ns() const noexcept { return watchdog_ns_; }
  // The listening socket it made; invalid when it made none, or was asked already.
  UniqueFd take_listener() noexcept { return std::move(listener_); }
  // "READY=1\nSTATUS=..."; never waits, and a loss does no harm.
  void notify(const std::string& state) const noexcept;

  // How many descriptors it keeps for us; 0: none. Says $FDSTORE, and no more than a process gets
  // back that begins with this one's limit of open files.
  std::size_t keeps() const noexcept { return keeps_; }
  // What it kept: of processes before this one. Once.
  std::vector<KeptDescriptor> take_kept() noexcept { return std::move(kept_); }
  // From the return on the descriptor outlives this process, under the mark and `name`. One that it
  // has already it keeps under the former name alone. Waits a second at most for the manager to
  // take what it was sent before, and not again until it took something; false when it does not, or
  // the kernel refuses.
  // One thread at a time.
  [[nodiscard]] bool keep(std::string_view name, int fd) const noexcept;
  // Lets go of all that it keeps under that name. As keep().
  bool forget(std::string_view name) const noexcept;

 private:
  // Waits while the manager's queue is full.
  bool send_patiently(const std::string& state, std::span<const int> descriptors) const noexcept;

  UniqueFd socket_;  // connected
  UniqueFd listener_;
  std::vector<KeptDescriptor> kept_;
  std::size_t keeps_ = 0;
  std::int64_t watchdog_ns_ = 0;
  mutable bool is_stalled_ = false;  // it took nothing when it was waited for last
};

// Whether `fd` is a listening SEQPACKET socket at `path`; makes it non-blocking then.
FullStatus adopt_listener(int fd, const std::string& path);

}  // namespace tarn::os
