#include "os/events.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "os/system_error.h"

namespace tarn::os {

Result<Poller, Error> Poller::create() {
  UniqueFd fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!fd) return system_error("make an event loop", "epoll");
  return Poller(std::move(fd));
}

FullStatus Poller::watch(int fd, std::uint64_t tag) {
  epoll_event wish{};
  wish.events = EPOLLIN | EPOLLRDHUP;
  wish.data.u64 = tag;
  if (::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &wish) != 0) {
    return system_error("watch a descriptor", "epoll");
  }
  return Done{};
}

void Poller::forget(int fd) noexcept { ::epoll_ctl(fd_.get(), EPOLL_CTL_DEL, fd, nullptr); }

namespace {

constexpr std::int64_t kLongestWaitNs = 1'000'000'000'000'000;

// To the nanosecond, or where there is no such call (before Linux 5.11, or filtered) to the
// millisecond.
int wait_for(int poller, std::span<epoll_event> found, Deadline deadline) noexcept {
  const auto room = static_cast<int>(found.size());
  timespec span{};
  std::int64_t left = 0;
  if (!deadline.is_never()) {
    left = std::clamp<std::int64_t>(deadline.at_ns() - monotonic_ns(), 0, kLongestWaitNs);
    span = {left / 1'000'000'000, left % 1'000'000'000};
  }
  const timespec* timeout = deadline.is_never() ? nullptr : &span;
  const int count = ::epoll_pwait2(poller, found.data(), room, timeout, nullptr);
  if (count >= 0 || errno == EINTR) return count;
  const auto left_ms = static_cast<int>((left + 999'999) / 1'000'000);
  return ::epoll_wait(poller, found.data(), room, deadline.is_never() ? -1 : left_ms);
}

}  // namespace

std::span<const Event> Poller::wait(Deadline deadline) noexcept {
  std::array<epoll_event, 64> raw{};
  const int count = wait_for(fd_.get(), raw, deadline);
  for (std::size_t i = 0; i < static_cast<std::size_t>(std::max(count, 0)); ++i) {
    events_[i] = {raw[i].data.u64, (raw[i].events & EPOLLIN) != 0,
                  (raw[i].events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0};
  }
  return std::span(events_).first(static_cast<std::size_t>(std::max(count, 0)));
}

Result<UniqueFd, Error> create_event() {
  UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) return system_error("make an event descriptor", "eventfd");
  return fd;
}

void raise_event(int fd) noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(fd, &one, sizeof one);
}

void clear_event(int fd) noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto taken = ::read(fd, &count, sizeof count);
}

Result<UniqueFd, Error> signals_as_descriptor(std::span<const int> signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : signals) ::sigaddset(&set, signal);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return system_error("receive signals", "signalfd");
  return fd;
}

int next_signal(int fd) noexcept {
  signalfd_siginfo facts{};
  if (::read(fd, &facts, sizeof facts) != static_cast<ssize_t>(sizeof facts)) return 0;
  return static_cast<int>(facts.ssi_signo);
}

}  // namespace tarn::os
