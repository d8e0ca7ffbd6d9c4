// access.h - what the owner asks about who else may use the node. Never carried out for others.
#pragma once

#include "daemon/worker/requests/request.h"
#include "wire/access_messages.h"

namespace tarn::daemon {

Outcome access_get(NodeState& node, const wire::AccessGet& ask);
Outcome access_set(NodeState& node, const wire::AccessSet& ask);
Outcome access_quota_set(NodeState& node, const wire::AccessQuotaSet& ask);

}  // namespace tarn::daemon
