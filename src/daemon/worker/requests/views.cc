// Who looks into whose segments: what consumers and owners ask.

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "daemon/worker/registry/reach.h"
#include "daemon/worker/requests/request.h"

namespace tarn::daemon {
namespace {

Error no_segment(const char* attempted, std::uint32_t index, std::uint32_t generation) {
  return Error(Error::not_found, attempted,
               "segment " + std::to_string(index) + " of generation " + std::to_string(generation),
               "its owner took it back, or ended and nobody held anything of it");
}

bool views_slabs_of(NodeState& node, const SessionItem& viewer, const SessionItem& owner) {
  return std::any_of(viewer.viewed.begin(), viewer.viewed.end(), [&](std::uint32_t index) {
    const SegmentItem* segment = node.segments().at(index);
    return segment != nullptr && segment->facts.owner == owner.facts.index;
  });
}

}  // namespace

Outcome segment_get(NodeState& node, SessionItem& session, const wire::SegmentGet& ask) {
  SegmentItem* segment = node.segments().find({ask.index, ask.generation});
  if (segment == nullptr) return no_segment("map a segment", ask.index, ask.generation);
  auto got = wire::make<wire::SegmentGot>(ask.header.request);
  got.size_bytes = segment->facts.size_bytes;
  got.chunk_bytes = segment->facts.chunk_bytes;
  got.chunk_count = segment->facts.chunk_count;
  got.owner_index = segment->facts.owner;
  got.audience = segment->facts.audience;
  auto answer = answer_read_only(got, segment->memory.get());
  // model: hold_rows.pml, label viewer_bumped
  // The owner knows of its viewer before the viewer can see the segment. An owner that receives its
  // own message is a viewer like any other: what it holds, its row says.
  if (answer) node.add_viewer(*segment, session);
  return answer;
}

Outcome segment_leave(NodeState& node, SessionItem& session, const wire::SegmentLeave& ask) {
  if (SegmentItem* segment = node.segments().find({ask.index, ask.generation})) {
    node.end_viewing(*segment, session);
  }
  return answer_done(ask.header.request);
}

// model: hold_rows.pml, label carry
Outcome segment_carry(NodeState& node, SessionItem&, const wire::SegmentCarry& ask) {
  SegmentItem* segment = node.segments().find({ask.index, ask.generation});
  if (segment == nullptr) return no_segment("push a message on", ask.index, ask.generation);
  PipeItem* pipe = node.pipes().at(ask.pipe_id);
  if (pipe == nullptr) {
    return Error(Error::not_found, "push a message on", "pipe " + std::to_string(ask.pipe_id),
                 "it was removed");
  }
  if (!may_carry(node, *segment, *pipe)) {
    return Error(Error::access_denied, "push a message on",
                 "between a pipe for other accounts and one for this account alone", "copy it");
  }
  // For an orphan the node looks into all pipes itself.
  if (!segment->is_orphan()) node.add_carrier(*segment, *pipe);
  return answer_done(ask.header.request);
}

// Of one audience alone: who was handed slabs for one pipe says nothing about the others, and is
// not asked about them.
Outcome viewers_get(NodeState& node, SessionItem& session, const wire::ViewersGet& ask) {
  std::set<std::uint32_t> viewers;
  std::set<std::uint32_t> carriers;
  for (const std::uint32_t index : session.owned) {
    const SegmentItem* segment = node.segments().at(index);
    if (segment == nullptr || segment->facts.audience != ask.audience) continue;
    viewers.insert(segment->viewers.begin(), segment->viewers.end());
    carriers.insert(segment->carriers.begin(), segment->carriers.end());
  }
  auto reply = wire::make<wire::Viewers>(ask.header.request);
  // relaxed: this thread alone writes it.
  reply.epoch =
      node.table().entry(session.facts.index).viewers_epoch.load(std::memory_order_relaxed);
  auto viewer = viewers.upper_bound(ask.after_viewer);
  for (; viewer != viewers.end() && reply.viewer_count < reply.viewers.size(); ++viewer) {
    const SessionItem* item = node.sessions().at(*viewer);
    if (item == nullptr) continue;
    reply.viewers[reply.viewer_count++] = {*viewer, item->facts.generation};
  }
  auto carrier = carriers.upper_bound(ask.after_carrier);
  for (; carrier != carriers.end() && reply.carrier_count < reply.carriers.size(); ++carrier) {
    reply.carriers[reply.carrier_count++] = *carrier;
  }
  reply.more = viewer != viewers.end() || carrier != carriers.end() ? 1 : 0;
  return answer_with(reply);
}

Outcome session_get(NodeState& node, SessionItem& session, const wire::SessionGet& ask) {
  const SessionItem* viewer = node.sessions().find({ask.index, ask.generation});
  if (viewer == nullptr || !views_slabs_of(node, *viewer, session)) {
    return Error(Error::not_found, "look into a session",
                 "session " + std::to_string(ask.index) + " of generation " +
                     std::to_string(ask.generation) + " views nothing of this session",
                 {});
  }
  return answer_read_only(wire::make<wire::SessionGot>(ask.header.request), viewer->memory.get());
}

}  // namespace tarn::daemon
