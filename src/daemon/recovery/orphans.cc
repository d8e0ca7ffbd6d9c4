#include "daemon/recovery/orphans.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/crash_point.h"
#include "daemon/worker/registry/reach.h"

namespace tarn::daemon {
namespace {

using Candidates = std::set<std::uint32_t>;               // segment indexes
using Forwards = std::map<std::uint32_t, std::uint64_t>;  // by session index

bool holds_any(const SessionItem& session, SegmentId segment) noexcept {
  if (!session.view) return true;  // it cannot be looked at: it may
  const auto counts = session.view.row(segment);
  // Nonsense in a row is its session's own doing; the row then protects nothing.
  if (!counts) return false;
  for (const layout::HoldCount& count : *counts) {
    // sync(hold-ended): a hold that is seen to have ended has ended with all that it read.
    if (count.load(std::memory_order_acquire) != 0) return true;
  }
  return false;
}

bool is_held(NodeState& node, const SegmentItem& segment) {
  for (const std::uint32_t index : segment.viewers) {
    const SessionItem* viewer = node.sessions().at(index);
    if (viewer != nullptr && holds_any(*viewer, segment.id())) return true;
  }
  return false;
}

Forwards forwards_of_viewers(NodeState& node, const Candidates& candidates) {
  Forwards found;
  for (const std::uint32_t candidate : candidates) {
    const SegmentItem* segment = node.segments().at(candidate);
    for (const std::uint32_t index : segment->viewers) {
      const SessionItem* viewer = node.sessions().at(index);
      if (viewer != nullptr && viewer->view) found.emplace(index, viewer->view.forwards());
    }
  }
  return found;
}

bool may_lead_to_any(NodeState& node, const PipeItem& pipe, const Candidates& candidates) {
  return std::any_of(candidates.begin(), candidates.end(), [&](std::uint32_t candidate) {
    return may_lead_to(node, pipe, *node.segments().at(candidate));
  });
}

// What a guest leaves costs a walk over the pipes that it was made for, and no others.
void keep_those_in_slots(NodeState& node, Candidates& candidates) {
  for (const auto& [id, pipe] : node.pipes().all()) {
    if (candidates.empty()) return;
    if (!pipe->view || !may_lead_to_any(node, *pipe, candidates)) continue;
    pipe->view.for_each_reference([&](SegmentId named, std::uint32_t) {
      const SegmentItem* segment = node.segments().find(named);
      if (segment == nullptr || !segment->is_orphan()) return;
      if (may_lead_to(node, *pipe, *segment)) candidates.erase(named.index);
    });
  }
}

void keep_held(NodeState& node, Candidates& candidates) {
  std::erase_if(candidates,
                [&](std::uint32_t index) { return is_held(node, *node.segments().at(index)); });
}

// A viewer that pushed on may have moved its chunk from a row we had yet to see to a slot we had
// seen before.
void keep_forwarded(NodeState& node, const Forwards& before, Candidates& candidates) {
  std::erase_if(candidates, [&](std::uint32_t candidate) {
    for (const std::uint32_t index : node.segments().at(candidate)->viewers) {
      const auto earlier = before.find(index);
      if (earlier == before.end()) continue;
      if (node.sessions().at(index)->view.forwards() != earlier->second) return true;
    }
    return false;
  });
}

}  // namespace

// model: hold_rows.pml, labels orphan_look, orphan_forwards, orphan_slot_a, orphan_slot_b
// model: hold_rows.pml, labels orphan_rows, orphan_again
std::size_t drop_unused_orphans(NodeState& node) {
  Candidates candidates = node.segments().orphans();
  // The first look at the rows only spares the walk over the slots; the one that counts is later.
  keep_held(node, candidates);
  const Forwards before = forwards_of_viewers(node, candidates);
  keep_those_in_slots(node, candidates);
  keep_held(node, candidates);
  keep_forwarded(node, before, candidates);
  for (const std::uint32_t index : candidates) {
    TARN_CRASH_POINT("recovery.orphan.dropping");
    node.drop_segment(*node.segments().at(index));
  }
  return candidates.size();
}

}  // namespace tarn::daemon
