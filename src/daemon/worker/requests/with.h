// with.h - from a packet to the function that carries it out.
#pragma once

#include <string>
#include <utility>

#include "daemon/worker/requests/request.h"

namespace tarn::daemon {

inline Error no_such_request(const wire::Header& header, const char* why) {
  return Error(Error::invalid_argument, "carry out a request",
               "message type " + std::to_string(static_cast<unsigned>(header.type)) + " " + why,
               "use a library of the node's version");
}

// Decodes the packet as an Ask and hands it to `act`.
template <class Ask, class Act>
Outcome with(const Request& request, Act&& act) {
  const auto ask = wire::decode<Ask>(request.packet);
  if (!ask) return no_such_request(request.header, "has another size than it should");
  return act(*ask);
}

}  // namespace tarn::daemon
