#include "daemon/worker/requests/quotas.h"

#include <algorithm>
#include <string>

#include "os/limits.h"

namespace tarn::daemon {
namespace {

constexpr std::uint32_t kDefaultSessions = 64;
constexpr std::uint32_t kDefaultConnections = 128;
constexpr std::uint32_t kDefaultPipes = 16;
constexpr std::uint32_t kDefaultDescriptors = 512;
constexpr std::uint32_t kDefaultRequests = 2000;
constexpr std::uint64_t kMemoryParts = 8;
constexpr std::uint64_t kDescriptorParts = 4;

// The node keeps two descriptors for a session beside its connection, one for a slab or a pipe.
// Those that the account made slow to close come on top.
std::uint64_t descriptors_of(std::uint64_t connections, std::uint64_t sessions,
                             std::uint64_t segments, std::uint64_t pipes) noexcept {
  return connections + 2 * sessions + segments + pipes;
}

wire::AccessQuota node_default(const NodeState& node) {
  const std::uint64_t descriptors = os::descriptor_limit() / kDescriptorParts;
  wire::AccessQuota quota{};
  quota.bytes = node.facts().limit_bytes / kMemoryParts;
  quota.sessions = kDefaultSessions;
  quota.connections = kDefaultConnections;
  quota.pipes = kDefaultPipes;
  quota.descriptors =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(kDefaultDescriptors, descriptors));
  quota.requests_per_second = kDefaultRequests;
  return quota;
}

// What is given as 0 stays as it is.
void lay_over(wire::AccessQuota& quota, const wire::AccessQuota* given) noexcept {
  if (given == nullptr) return;
  if (given->bytes != 0) quota.bytes = given->bytes;
  if (given->sessions != 0) quota.sessions = given->sessions;
  if (given->connections != 0) quota.connections = given->connections;
  if (given->pipes != 0) quota.pipes = given->pipes;
  if (given->descriptors != 0) quota.descriptors = given->descriptors;
  if (given->requests_per_second != 0) quota.requests_per_second = given->requests_per_second;
}

// Slabs of others that the account's sessions have mapped.
std::uint64_t viewed_bytes(NodeState& node, const SessionItem& session) {
  std::uint64_t sum = 0;
  for (const std::uint32_t index : session.viewed) {
    const SegmentItem* segment = node.segments().at(index);
    if (segment != nullptr && segment->facts.uid != session.facts.uid) {
      sum += segment->facts.size_bytes;
    }
  }
  return sum;
}

Error exceeded(const char* what, std::uint64_t used, std::uint64_t limit, const char* whose) {
  const bool is_memory = std::string_view(what) == "bytes of memory";
  const auto text = [&](std::uint64_t number) {
    return is_memory ? size_text(number) : std::to_string(number) + " " + what;
  };
  return Error(Error::quota_exceeded, "use another account's node",
               std::string(whose) + " " + text(limit) + ", in use " + text(used),
               "let go of something, or ask the node's owner: `tarn access quota`");
}

struct Limit {
  const char* what;
  std::uint64_t used;
  std::uint64_t asked;
  std::uint64_t quota;
};

FullStatus check_all(std::initializer_list<Limit> limits, const char* whose) {
  for (const Limit& each : limits) {
    const bool fits = each.asked <= each.quota && each.used <= each.quota - each.asked;
    if (each.asked != 0 && !fits) return exceeded(each.what, each.used, each.quota, whose);
  }
  return Done{};
}

// What the account's sessions, or those of all others, have beside what tallies count: promises,
// and slabs of somebody else.
template <class Counts>
std::uint64_t lasting_claims(NodeState& node, Counts&& counts) {
  std::uint64_t sum = 0;
  for (const auto& [index, session] : node.sessions().all()) {
    if (!counts(session->facts.uid)) continue;
    sum += node.ledger().reserved_by(index) + viewed_bytes(node, *session);
  }
  return sum;
}

FullStatus check_others(NodeState& node, const Share& wish, std::uint64_t descriptors) {
  const std::uint32_t owner = node.access().owner_uid();
  const Tally sessions = node.sessions().tallies().of_others(owner);
  const Tally segments = node.segments().tallies().of_others(owner);
  const Tally pipes = node.pipes().tallies().of_others(owner);
  const std::uint64_t open =
      descriptors_of(node.doorkeeper().connections(), sessions.count, segments.count, pipes.count) +
      node.closer().waiting();
  std::uint64_t bytes = segments.bytes + pipes.bytes;
  if (sessions.count > 0 && wish.bytes > 0) {
    bytes += lasting_claims(node, [&](std::uint32_t uid) { return uid != owner; });
  }
  return check_all({{"bytes of memory", bytes, wish.bytes, node.facts().limit_bytes / 2},
                    {"sessions", sessions.count, wish.sessions, layout::kMaxSessions / 2},
                    {"segments", segments.count, wish.segments, layout::kMaxSegments / 2},
                    {"pipes", pipes.count, wish.pipes, kMaxPipes / 2},
                    {"descriptors", open, descriptors, os::descriptor_limit() / 2}},
                   "all other accounts together may have");
}

}  // namespace

wire::AccessQuota quota_of(NodeState& node, std::uint32_t uid) {
  wire::AccessQuota quota = node_default(node);
  lay_over(quota, node.access().quota_given(wire::kEveryUid));
  if (uid != wire::kEveryUid) lay_over(quota, node.access().quota_given(uid));
  return quota;
}

wire::AccessQuota use_of(NodeState& node, std::uint32_t uid) {
  const Tally segments = node.segments().tallies().of(uid);
  const Tally pipes = node.pipes().tallies().of(uid);
  wire::AccessQuota used{};
  used.bytes = segments.bytes + pipes.bytes;
  used.sessions = node.sessions().tallies().of(uid).count;
  used.connections = node.doorkeeper().connections_of(uid);
  used.pipes = pipes.count;
  used.descriptors = static_cast<std::uint32_t>(
      descriptors_of(used.connections, used.sessions, segments.count, pipes.count) +
      node.closer().waiting_of(uid));
  if (used.sessions == 0) return used;
  used.bytes += lasting_claims(node, [&](std::uint32_t each) { return each == uid; });
  return used;
}

FullStatus check_quota(NodeState& node, std::uint32_t uid, const Share& wish) {
  const wire::AccessQuota quota = quota_of(node, uid);
  const wire::AccessQuota used = use_of(node, uid);
  const std::uint64_t descriptors =
      descriptors_of(wish.connections, wish.sessions, wish.segments, wish.pipes);
  auto good = check_all({{"bytes of memory", used.bytes, wish.bytes, quota.bytes},
                         {"sessions", used.sessions, wish.sessions, quota.sessions},
                         {"connections", used.connections, wish.connections, quota.connections},
                         {"pipes", used.pipes, wish.pipes, quota.pipes},
                         {"descriptors", used.descriptors, descriptors, quota.descriptors}},
                        "this account may have");
  return good ? check_others(node, wish, descriptors) : std::move(good);
}

}  // namespace tarn::daemon
