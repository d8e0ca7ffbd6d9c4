// connection.h - one client's socket, as the worker sees it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/deadline.h"
#include "daemon/worker/requests/request.h"
#include "os/fd.h"
#include "os/socket.h"

namespace tarn::daemon {

enum class ConnectionState : std::uint8_t {
  silent,    // has not said hello
  observer,  // asks only
  session,   // has a session
};

struct Connection {
  std::uint64_t number = 0;  // never reused
  os::UniqueFd socket;
  os::Peer peer;
  Caller caller;
  bool by_door = false;  // counted by the doorkeeper
  // Another account's descriptors may come this way, or be under way: closing it may take long.
  bool may_bring = false;
  ConnectionState state = ConnectionState::silent;
  std::uint32_t session = 0;                     // index
  std::optional<std::uint64_t> goodbye_request;  // answered when the session has ended
  Deadline hello_by = Deadline::never();         // counts while silent
  Deadline hello_soon = Deadline::never();       // counts while many are silent
};

}  // namespace tarn::daemon
