// admission.h - who may join: the first message of a connection, and what becomes of it.
#pragma once

#include <cstdint>

#include "daemon/worker/requests/request.h"
#include "os/socket.h"

namespace tarn::daemon {

struct Admission {
  Answer welcome;
  SessionItem* session = nullptr;  // null: an observer
  bool is_new = false;             // its pidfd is to be watched
};

// Same user, or access_denied. What the kernel says of the peer counts, nothing else.
Result<os::Peer, Error> identify_peer(int socket);

// Judges the first message. The first 32 bytes are understood in every version, so that the error
// for another version says which.
Result<Admission, Error> admit(NodeState& node, const os::Peer& peer, int socket, Request& request);

}  // namespace tarn::daemon
