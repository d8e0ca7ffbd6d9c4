#include "daemon/recovery/orphans.h"

#include <map>
#include <set>

#include "base/crash_point.h"

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

void keep_those_in_slots(NodeState& node, Candidates& candidates) {
  for (const auto& [id, pipe] : node.pipes().all()) {
    if (candidates.empty()) return;
    if (!pipe->view) continue;
    // Nobody follows a reference out of a pipe into a slab for another one.
    const std::uint32_t audience = pipe->facts.shared != 0 ? pipe->facts.id : 0;
    pipe->view.for_each_reference([&](SegmentId named, std::uint32_t) {
      const SegmentItem* segment = node.segments().find(named);
      if (segment == nullptr || segment->facts.audience != audience) return;
      if (segment->is_orphan()) candidates.erase(named.index);
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
