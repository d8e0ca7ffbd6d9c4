// lists.h - lists of what the asker may see.
#pragma once

#include <functional>

#include "daemon/worker/requests/request.h"

namespace tarn::daemon {

using MaySeePipe = std::function<bool(const PipeItem&)>;
using MaySeeSession = std::function<bool(const SessionItem&)>;

Outcome pipe_list(NodeState& node, const wire::PipeList& ask, const MaySeePipe& may_see);
Outcome session_list(NodeState& node, const wire::SessionList& ask, const MaySeeSession& may_see);

}  // namespace tarn::daemon
