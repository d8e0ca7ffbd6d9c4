// slow_to_close.h - a descriptor as a hostile account makes one: whoever closes the last reference
// to it waits for an hour.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <utility>
#include <vector>

#include "os/fd.h"

namespace tarn::testing {

// A TCP connection whose one end does not read; what the other has sent stays there, and it lingers
// until that has arrived. Closing `reader` lets it go.
struct SlowToClose {
  os::UniqueFd slow;
  os::UniqueFd reader;

  SlowToClose() {
    const os::UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    slow = os::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (::bind(listener.get(), generic, size) != 0 || ::listen(listener.get(), 1) != 0 ||
        ::getsockname(listener.get(), generic, &size) != 0 ||
        ::connect(slow.get(), generic, size) != 0) {
      return;
    }
    reader = os::UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const std::vector<char> bytes(1 << 16);
    while (::send(slow.get(), bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) {
    }
    const linger an_hour{1, 3600};
    ::setsockopt(slow.get(), SOL_SOCKET, SO_LINGER, &an_hour, sizeof an_hour);
  }
};

}  // namespace tarn::testing
