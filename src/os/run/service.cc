#include "os/run/service.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "os/process.h"
#include "os/system_error.h"

namespace tarn::os {
namespace {

constexpr int kFirstPassed = 3;
constexpr int kMostPassed = 256;

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

int option_of(int fd, int option) noexcept {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

}  // namespace

ServiceManager ServiceManager::from_environment() {
  ServiceManager manager;
  const std::string listen_pid = take_variable("LISTEN_PID");
  const int passed = std::clamp(std::atoi(take_variable("LISTEN_FDS").c_str()), 0, kMostPassed);
  take_variable("LISTEN_FDNAMES");
  if (is_us(listen_pid)) {
    for (int i = 0; i < passed; ++i) {
      UniqueFd fd(kFirstPassed + i);
      ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
      if (i == 0) manager.listener_ = std::move(fd);
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
  return manager;
}

void ServiceManager::notify(const std::string& state) const noexcept {
  if (!socket_) return;
  [[maybe_unused]] const auto sent =
      ::send(socket_.get(), state.data(), state.size(), MSG_NOSIGNAL);
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
