// Sessions and slabs: their memory is written by their own processes alone, so the node can repair
// its own records, and for the rest look away.
#include <array>
#include <utility>

#include "daemon/recovery/orphans.h"
#include "daemon/worker/registry/reach.h"
#include "daemon/worker/repair/repair.h"

namespace tarn::daemon::repair {
namespace {

using audit::Kind;
using audit::NodeImage;

void add_slab(NodeState& node, std::uint32_t index, NodeImage& image) {
  const SegmentItem* item = node.segments().at(index);
  if (item == nullptr) return;
  audit::SlabImage slab;
  slab.index = index;
  slab.generation = item->facts.generation;
  slab.chunk_count = item->facts.chunk_count;
  image.slabs.emplace(index, std::move(slab));
}

// What the session's rows and ends are judged by: of the node's slabs, which may be very many,
// those that its rows name.
NodeImage surroundings_of(NodeState& node, const SessionItem& session,
                          const audit::SegmentImage& memory) {
  NodeImage image;
  image.figures.last_pipe_id = node.counters().last_pipe_id;
  image.figures.last_segment_generation = node.counters().last_segment_generation;
  std::array<std::uint64_t, layout::kMaxRows * sizeof(layout::RowEntry) / 8> rows{};
  memory.copy(layout::kRowTableOffset, std::as_writable_bytes(std::span(rows)));
  for (std::size_t at = 0; at < rows.size(); at += sizeof(layout::RowEntry) / 8) {
    if (rows[at] != 0) add_slab(node, SegmentId::unpack(rows[at]).index, image);
  }
  for (const std::uint32_t index : session.viewed) {
    image.viewings.insert({session.facts.index, index});
  }
  for (const auto& [id, serial] : session.openings) {
    image.openings.insert({session.facts.index, id});
  }
  return image;
}

bool is_still_so(NodeState& node, const SessionItem& session, const audit::Finding& finding) {
  audit::SessionImage image;
  image.index = session.facts.index;
  image.generation = session.facts.generation;
  image.memory = image_of(session.memory.get());
  const NodeImage around = surroundings_of(node, session, *image.memory);
  audit::Seen seen;
  audit::Findings found;
  audit::check_session(image, &around, seen, found);
  for (const audit::Finding& each : found.all()) {
    if (each.is_same_as(finding)) return true;
  }
  return false;
}

// The row's segment, whose owner has to be told. But a row is its session's own to write: what it
// would not get for the asking, it does not get for a row either.
Verdict note_viewing(NodeState& node, SessionItem& session, const audit::Finding& finding) {
  const auto rows = session.segment.at<layout::RowEntry>(
      layout::kRowTableOffset + finding.place.part * sizeof(layout::RowEntry));
  if (finding.place.part >= layout::kMaxRows || !rows) return gone();
  // sync(row-added): the row that the audit saw.
  const auto id = SegmentId::unpack((*rows)->segment.load(std::memory_order_acquire));
  SegmentItem* slab = node.segments().find(id);
  if (slab == nullptr) return gone();
  if (!may_view(node, session, *slab)) {
    node.quarantine(session, "a check found that it counts holds of memory it may not look into");
    return {RepairOutcome::quarantined, "it may not look there: it is in quarantine"};
  }
  node.add_viewer(*slab, session);
  return repaired("its owner was told that it looks there");
}

Verdict judge_session(NodeState& node, SessionItem& session, const audit::Finding& finding) {
  if (node.quarantined().find(ObjectKind::session, session.facts.index) != nullptr) {
    return {RepairOutcome::quarantined, "it is in quarantine"};
  }
  if (!is_still_so(node, session, finding)) return gone();
  if (finding.kind == Kind::row_without_viewing) return note_viewing(node, session, finding);
  node.quarantine(session, "a check found: " + std::string(audit::word_of(finding.kind)));
  return {RepairOutcome::quarantined, "nobody looks into its segment any more"};
}

std::string reason_to_stay(NodeState& node, const SegmentItem& slab) {
  for (const std::uint32_t index : slab.viewers) {
    if (node.quarantined().find(ObjectKind::session, index) != nullptr) {
      return node.describe_holder(index) + " is in quarantine, and may hold something of it";
    }
  }
  return "somebody needs it after all";
}

Verdict drop_leaked(NodeState& node, SegmentItem& slab) {
  const SegmentId id = slab.id();
  drop_unused_orphans(node);
  const SegmentItem* still = node.segments().find(id);
  if (still == nullptr) return repaired("it was dropped");
  return left(reason_to_stay(node, *still));
}

Verdict make_orphan(NodeState& node, SegmentItem& slab) {
  if (slab.is_orphan() || node.sessions().at(slab.facts.owner) != nullptr) return gone();
  node.segments().mark_orphan(slab);
  node.sink().put(slab.facts);
  node.add_up_memory();
  node.note_orphans_due();
  return repaired("it is an orphan now, and goes when nobody needs it");
}

Verdict quarantine_owner(NodeState& node, SegmentItem& slab, const audit::Finding& finding) {
  SessionItem* owner = node.sessions().at(slab.facts.owner);
  if (owner == nullptr) return left("its owner has ended: it goes with its last reader");
  const std::string word(audit::word_of(finding.kind));
  audit::SlabImage image;
  image.index = slab.facts.index;
  image.generation = slab.facts.generation;
  image.owner = slab.facts.owner;
  image.owner_exists = true;
  image.chunk_count = slab.facts.chunk_count;
  image.chunk_bytes = slab.facts.chunk_bytes;
  image.size_bytes = slab.facts.size_bytes;
  image.memory = image_of(slab.memory.get());
  audit::Findings found;
  audit::check_slab(image, found);
  for (const audit::Finding& each : found.all()) {
    if (!each.is_same_as(finding)) continue;
    node.quarantine(
        *owner, "a check found of its segment " + std::to_string(slab.facts.index) + ": " + word);
    return {RepairOutcome::quarantined, "nobody looks into its owner's segment any more"};
  }
  return gone();
}

}  // namespace

Verdict repair_session(NodeState& node, SessionItem& session, const audit::Finding& finding) {
  switch (finding.kind) {
    case Kind::end_counters:
      return left("the numbers are for people, and the session's own");
    case Kind::end_without_opening:
      return left("the session may not have heard yet: end the program when it persists");
    case Kind::quota_exceeded:
      return left("the session gets no more memory until it is below");
    case Kind::session_exited:
      if (!os::has_exited(session.process.get())) return gone();
      node.note_death_due(session.facts.index);
      return repaired("it is recovered now");
    default:
      return judge_session(node, session, finding);
  }
}

Verdict repair_slab(NodeState& node, SegmentItem& slab, const audit::Finding& finding) {
  switch (finding.kind) {
    case Kind::slab_orphan_leaked:
      return slab.is_orphan() ? drop_leaked(node, slab) : gone();
    case Kind::slab_owner_missing:
      return make_orphan(node, slab);
    default:
      return quarantine_owner(node, slab, finding);
  }
}

}  // namespace tarn::daemon::repair
