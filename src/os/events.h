// events.h - epoll, eventfd and signals as descriptors.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "os/fd.h"

namespace tarn::os {

struct Event {
  std::uint64_t tag = 0;
  bool readable = false;
  bool ended = false;  // the other side hung up
};

class Poller {
 public:
  static Result<Poller, Error> create();
  // Reports `tag` while `fd` is readable. Level-triggered.
  FullStatus watch(int fd, std::uint64_t tag);
  void forget(int fd) noexcept;
  // What is ready by the deadline; empty when nothing is.
  std::span<const Event> wait(Deadline deadline) noexcept;

 private:
  explicit Poller(UniqueFd fd) : fd_(std::move(fd)), events_(64) {}
  UniqueFd fd_;
  std::vector<Event> events_;
};

// A descriptor that is readable while its count is above zero; non-blocking.
Result<UniqueFd, Error> create_event();
void raise_event(int fd) noexcept;
void clear_event(int fd) noexcept;

// The given signals become readable on the descriptor instead of interrupting this process.
Result<UniqueFd, Error> signals_as_descriptor(std::span<const int> signals);
// The next signal's number, or 0 when none waits.
int next_signal(int fd) noexcept;

}  // namespace tarn::os
