#include "os/run/service.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "os/limits.h"
#include "os/process.h"
#include "os/socket.h"
#include "os/system_error.h"

namespace tarn::os {
namespace {

constexpr int kFirstPassed = 3;
constexpr int kMostPassed = 65536;
constexpr int kPatienceMs = 1000;

// The variable's value, which nobody that we start shall see.
std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  const std::string text = value != nullptr ? value : "";
  ::unsetenv(name);
  return text;
}

bool is_us(const std::string& pid) { return pid == std::to_string(own_pid()); }

UniqueFd connect_to_manager(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() < 2 || path.size() >= sizeof address.sun_path) return {};
  if (path.front() != '/' && path.front() != '@') return {};
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path.front() == '@') address.sun_path[0] = '\0';  // an abstract name
  UniqueFd made(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  if (!made || ::connect(made.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) return {};
  return made;
}

// "a:b:c", in the order of the descriptors.
std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(':', at), text.size());
    names.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

// The manager hands them over under the limit that this process began with, one by one to higher
// numbers than they get in the end.
std::size_t descriptors_of_a_successor() noexcept {
  constexpr std::uint64_t kOfOtherUse = 64;
  const std::uint64_t limit = descriptor_limit();
  return limit > kOfOtherUse ? static_cast<std::size_t>(limit - kOfOtherUse) : 0;
}

int option_of(int fd, int option) noexcept {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

}  // namespace

ObjectIdentity identify_object(int fd) noexcept {
  struct stat facts {};
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fstat(fd, &facts) != 0) return {};
  return {facts.st_dev, facts.st_ino, static_cast<std::uint64_t>(flags) & (O_ACCMODE | O_PATH)};
}

ServiceManager ServiceManager::from_environment() {
  ServiceManager manager;
  const std::string listen_pid = take_variable("LISTEN_PID");
  const int passed = std::clamp(std::atoi(take_variable("LISTEN_FDS").c_str()), 0, kMostPassed);
  auto names = split_names(take_variable("LISTEN_FDNAMES"));
  const std::string keeps = take_variable("FDSTORE");
  if (is_us(listen_pid)) {
    names.resize(static_cast<std::size_t>(passed));
    for (int i = 0; i < passed; ++i) {
      UniqueFd fd(kFirstPassed + i);
      ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
      std::string& name = names[static_cast<std::size_t>(i)];
      if (!name.empty() && name.front() == kKeptMark) {
        manager.kept_.push_back({name.substr(1), std::move(fd)});
      } else if (!manager.listener_) {
        manager.listener_ = std::move(fd);
      }
    }
  }
  const std::string watchdog_pid = take_variable("WATCHDOG_PID");
  const std::string watchdog_us = take_variable("WATCHDOG_USEC");
  if (watchdog_pid.empty() || is_us(watchdog_pid)) {
    const long long us = std::strtoll(watchdog_us.c_str(), nullptr, 10);
    manager.watchdog_ns_ = std::clamp<std::int64_t>(us, 0, INT64_MAX / 1000) * 1000;
  }
  // Connected last: its number must not be one of those that were passed.
  manager.socket_ = connect_to_manager(take_variable("NOTIFY_SOCKET"));
  if (!manager.socket_) manager.watchdog_ns_ = 0;
  if (manager.socket_) {
    const long long most = std::strtoll(keeps.c_str(), nullptr, 10);
    manager.keeps_ = std::min(
        {static_cast<std::size_t>(std::max(most, 0LL)), kMostKept, descriptors_of_a_successor()});
  }
  return manager;
}

void ServiceManager::notify(const std::string& state) const noexcept {
  if (!socket_) return;
  [[maybe_unused]] const auto sent =
      ::send(socket_.get(), state.data(), state.size(), MSG_NOSIGNAL);
}

bool ServiceManager::send_patiently(const std::string& state,
                                    std::span<const int> descriptors) const noexcept {
  if (!socket_) return false;
  for (;;) {
    const auto outcome =
        send_message(socket_.get(), std::as_bytes(std::span(state)), descriptors, false);
    if (outcome == SendOutcome::ok) is_stalled_ = false;
    if (outcome != SendOutcome::would_block) return outcome == SendOutcome::ok;
    if (is_stalled_) return false;
    pollfd watched{socket_.get(), POLLOUT, 0};
    const int ready = ::poll(&watched, 1, kPatienceMs);
    is_stalled_ = ready == 0;
    if (ready == 0 || (ready < 0 && errno != EINTR)) return false;
  }
}

// A descriptor is never let go of because of what poll() says of it: only we know when it is over.
bool ServiceManager::keep(std::string_view name, int fd) const noexcept {
  const std::string state =
      "FDSTORE=1\nFDPOLL=0\nFDNAME=" + std::string(1, kKeptMark) + std::string(name);
  return send_patiently(state, std::span(&fd, 1));
}

bool ServiceManager::forget(std::string_view name) const noexcept {
  const std::string state =
      "FDSTOREREMOVE=1\nFDNAME=" + std::string(1, kKeptMark) + std::string(name);
  return send_patiently(state, {});
}

FullStatus adopt_listener(int fd, const std::string& path) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  const bool is_socket = option_of(fd, SO_DOMAIN) == AF_UNIX &&
                         option_of(fd, SO_TYPE) == SOCK_SEQPACKET &&
                         option_of(fd, SO_ACCEPTCONN) == 1 &&
                         ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  const std::string at(address.sun_path, ::strnlen(address.sun_path, sizeof address.sun_path));
  if (!is_socket || at != path) {
    return Error(Error::invalid_argument, "take over the listening socket",
                 is_socket ? "it is '" + at + "'" : "it is no listening SEQPACKET socket",
                 "let the socket unit say ListenSequentialPacket=" + path);
  }
  if (::fcntl(fd, F_SETFL, O_NONBLOCK) != 0) return system_error("take over", path);
  return Done{};
}

}  // namespace tarn::os
