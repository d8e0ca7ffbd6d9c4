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

// Who the kernel says it is; nothing else counts.
struct Newcomer {
  os::Peer peer;
  Caller caller;
};
// For the owner's socket: the same user, or access_denied.
Result<Newcomer, Error> identify_owner(int socket);
// For the door: whom the rules let in, or access_denied.
Result<Newcomer, Error> identify_guest(NodeState& node, int socket);

// Whether the rules let the account begin a session at all; access_denied. The owner may.
FullStatus check_entry_to_session(NodeState& node, const Caller& caller);

// Judges the first message. The first 32 bytes are understood in every version, so that the error
// for another version says which.
// `request.caller` is who sent it.
Result<Admission, Error> admit(NodeState& node, const os::Peer& peer, int socket, Request& request);

}  // namespace tarn::daemon
