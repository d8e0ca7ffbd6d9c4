// node_status.h - the node's answer about itself, as users see it.
#pragma once

#include "tarn/inspect.h"
#include "wire/messages.h"

namespace tarn {

NodeStatus to_status(const wire::StatusReply& reply);

}  // namespace tarn
