// service.h - the service manager that runs this process, if one does.
//
// Speaks what sd_notify(3) and sd_listen_fds(3) describe: a datagram with assignments, and
// inherited descriptors from number 3 on. Any manager that speaks it will do.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "os/fd.h"

namespace tarn::os {

class ServiceManager {
 public:
  // None.
  ServiceManager() noexcept = default;
  // Takes what it has put into the environment, out of it: it is meant for this process alone.
  // Closes descriptors that came beside a first one. Call it once, before anything is opened.
  static ServiceManager from_environment();

  explicit operator bool() const noexcept { return static_cast<bool>(socket_); }
  // How often it wants a sign of life; 0: never.
  std::int64_t watchdog_ns() const noexcept { return watchdog_ns_; }
  // The listening socket it made; invalid when it made none, or was asked already.
  UniqueFd take_listener() noexcept { return std::move(listener_); }
  // "READY=1\nSTATUS=..."; never waits, and a loss does no harm.
  void notify(const std::string& state) const noexcept;

 private:
  UniqueFd socket_;  // connected
  UniqueFd listener_;
  std::int64_t watchdog_ns_ = 0;
};

// Whether `fd` is a listening SEQPACKET socket at `path`; makes it non-blocking then.
FullStatus adopt_listener(int fd, const std::string& path);

}  // namespace tarn::os
