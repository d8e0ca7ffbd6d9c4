#include "os/socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "os/process.h"
#include "os/system_error.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

namespace tarn::os {
namespace {

constexpr int kBacklog = 1024;

sockaddr_un address_of(const std::string& path) noexcept {
  TARN_ASSERT(path.size() <= kMaxSocketPath, path.size());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Result<UniqueFd, Error> make_socket(const std::string& path, int flags) {
  UniqueFd made(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
  if (!made) return system_error("make a socket", path);
  return made;
}

// A connect waits for its place in the listener's queue as a send waits for room.
void limit_sending(int socket, Deadline deadline) noexcept {
  timeval most{};  // zero: without end
  if (!deadline.is_never()) {
    constexpr std::int64_t kSecondNs = 1'000'000'000;
    const std::int64_t left_ns =
        std::clamp<std::int64_t>(deadline.at_ns() - monotonic_ns(), 1'000'000, 3600 * kSecondNs);
    most.tv_sec = left_ns / kSecondNs;
    most.tv_usec = left_ns % kSecondNs / 1000;
  }
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
}

}  // namespace

Result<UniqueFd, Error> listen_at(const std::string& path) {
  auto made = make_socket(path, SOCK_NONBLOCK);
  if (!made) return std::move(made).error();
  ::unlink(path.c_str());
  const sockaddr_un address = address_of(path);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::bind(made->get(), generic, sizeof address) != 0) return system_error("bind", path);
  if (::chmod(path.c_str(), 0600) != 0) return system_error("restrict", path);
  if (::listen(made->get(), kBacklog) != 0) return system_error("listen", path);
  return made;
}

Result<UniqueFd, Error> connect_to(const std::string& path, Deadline deadline) {
  auto made = make_socket(path, 0);
  if (!made) return std::move(made).error();
  const sockaddr_un address = address_of(path);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  int outcome = 0;
  do {
    limit_sending(made->get(), deadline);
    outcome = ::connect(made->get(), generic, sizeof address);
  } while (outcome != 0 && errno == EINTR);
  if (outcome == 0) {
    limit_sending(made->get(), Deadline::never());
    return made;
  }
  if (errno == EAGAIN) {
    return Error(Error::node_lost, "reach the node", path + ": too many others connect to it",
                 "try again, with more patience");
  }
  if (errno == ENOENT || errno == ECONNREFUSED) {
    return Error(Error::node_unavailable, "reach the node", path,
                 "start it with `tarn up`, or let a client start it", errno);
  }
  return system_error("reach the node", path);
}

Result<UniqueFd, Error> accept_from(int listener) {
  const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd >= 0) return UniqueFd(fd);
  if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return UniqueFd();
  return system_error("accept a client", "socket");
}

Result<std::pair<UniqueFd, UniqueFd>, Error> socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return system_error("make a socket pair", "keeper and worker");
  }
  return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

Result<Peer, Error> peer_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return system_error("identify a client", "socket");
  }
  return Peer{credentials.pid, credentials.uid, credentials.gid};
}

Result<UniqueFd, Error> peer_pidfd(int socket, std::int32_t pid) {
  int fd = -1;
  socklen_t size = sizeof fd;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &fd, &size) == 0) return UniqueFd(fd);
  auto opened = open_pidfd(pid);
  if (!opened) return opened;
  // The pid may have been reused before pidfd_open: then the peer's end is closed by now.
  pollfd watched{socket, 0, 0};
  if (::poll(&watched, 1, 0) != 0) {
    return Error(Error::peer_died, "identify a client", "pid " + std::to_string(pid), {});
  }
  return opened;
}

bool allow_descriptors(int socket, bool allowed) noexcept {
  const int value = allowed ? 1 : 0;
  return ::setsockopt(socket, SOL_SOCKET, SO_PASSRIGHTS, &value, sizeof value) == 0;
}

SendOutcome send_message(int socket, std::span<const std::byte> bytes,
                         std::span<const int> descriptors, bool wait) noexcept {
  TARN_ASSERT(descriptors.size() <= kMaxDescriptors, descriptors.size());
  iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxDescriptors)> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  }
  for (;;) {
    const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
    if (sent >= 0) return SendOutcome::ok;
    if (errno == EINTR) continue;
    if (errno == EAGAIN && wait) {
      pollfd watched{socket, POLLOUT, 0};
      ::poll(&watched, 1, -1);
      continue;
    }
    if (errno == EPERM && !descriptors.empty()) return SendOutcome::no_descriptors;
    return errno == EAGAIN ? SendOutcome::would_block : SendOutcome::gone;
  }
}

namespace {

Received receive(int socket, std::span<std::byte> buffer, int flags) noexcept {
  Received received;
  // Room for all that a message can bring: for what has none the kernel would close here and now,
  // and a stranger decides how long that takes.
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMostDescriptorsOfAnybody)> control;
  iovec part{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t count = 0;
  // ECONNRESET says, once, that the other side closed without reading all that we sent. What it
  // said before that still waits, and is often the reason.
  do {
    count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | flags);
  } while (count < 0 && (errno == EINTR || errno == ECONNRESET));
  if (count < 0) {
    received.outcome = errno == EAGAIN ? ReceiveOutcome::would_block : ReceiveOutcome::ended;
    return received;
  }
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t fds = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < fds; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      received.descriptors.emplace_back(fd);
    }
  }
  received.size_bytes = static_cast<std::size_t>(count);
  if (count == 0) {
    received.outcome = ReceiveOutcome::ended;
  } else if ((message.msg_flags & MSG_TRUNC) != 0) {
    received.outcome = ReceiveOutcome::too_long;
  } else if ((message.msg_flags & MSG_CTRUNC) != 0) {
    received.outcome = ReceiveOutcome::descriptors_dropped;
  } else {
    received.outcome = ReceiveOutcome::ok;
  }
  return received;
}

}  // namespace

Received receive_message(int socket, std::span<std::byte> buffer, bool wait) noexcept {
  return receive(socket, buffer, wait ? 0 : MSG_DONTWAIT);
}

Received peek_message(int socket, std::span<std::byte> buffer) noexcept {
  return receive(socket, buffer, MSG_DONTWAIT | MSG_PEEK);
}

void end_conversation(int socket) noexcept { ::shutdown(socket, SHUT_RDWR); }

bool wait_readable(int fd, Deadline deadline) noexcept {
  for (;;) {
    int wait_ms = -1;
    if (!deadline.is_never()) {
      const std::int64_t left = (deadline.at_ns() - monotonic_ns() + 999'999) / 1'000'000;
      wait_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000'000));
    }
    pollfd watched{fd, POLLIN, 0};
    const int ready = ::poll(&watched, 1, wait_ms);
    if (ready > 0) return true;
    if (ready == 0 && deadline.has_passed()) return false;
  }
}

}  // namespace tarn::os
