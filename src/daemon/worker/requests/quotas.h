// quotas.h - how much of the node one other account may have, and all others together: half of
// everything, so that they can never take the owner's share.
#pragma once

#include <cstdint>

#include "daemon/worker/registry/node_state.h"
#include "wire/access_messages.h"

namespace tarn::daemon {

// What holds for the account: its own quota, else the default, else the node's: an eighth of the
// domain's memory, and numbers that an ordinary program does not come near.
wire::AccessQuota quota_of(NodeState& node, std::uint32_t uid);
// What it has now. Memory: what its sessions made or were promised, also when they are gone; the
// pipes it created; and what it can see of others' slabs, for it can hold every message in them.
wire::AccessQuota use_of(NodeState& node, std::uint32_t uid);

// What somebody is about to take.
struct Share {
  std::uint64_t bytes = 0;
  std::uint32_t sessions = 0;
  std::uint32_t connections = 0;
  std::uint32_t pipes = 0;
  std::uint32_t segments = 0;
};
// quota_exceeded when the account, or all others together, would have too much. The error says
// nothing of anybody else.
FullStatus check_quota(NodeState& node, std::uint32_t uid, const Share& wish);

}  // namespace tarn::daemon
