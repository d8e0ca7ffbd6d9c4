// A pipe as a whole: its header is written anew from the node's own record; hints go back to where
// the slots say. What has another memory than it should is left alone from now on.
#include <algorithm>
#include <utility>

#include "daemon/worker/repair/repair.h"

namespace tarn::daemon::repair {
namespace {

using audit::Kind;

Verdict restore_header(NodeState& node, PipeItem& pipe) {
  if (node.quarantined().find(ObjectKind::pipe, pipe.facts.id) != nullptr) {
    return {RepairOutcome::quarantined, "it is in quarantine"};
  }
  if (!node.restore_header(pipe)) {
    node.quarantine(pipe, "its header was overwritten, and its memory is not what it was");
    return {RepairOutcome::quarantined, "its memory is not what it was"};
  }
  return repaired("its header was written anew");
}

// What its memory itself is: nothing written there makes it better.
Verdict judge_memory(NodeState& node, PipeItem& pipe, Kind kind) {
  const auto image = image_of(pipe.memory.get());
  audit::Findings found;
  audit::check_segment(image.get(), layout::SegmentKind::pipe, pipe.size_bytes(), false, {}, {},
                       found);
  const auto& all = found.all();
  const bool is_so = std::any_of(all.begin(), all.end(),
                                 [&](const audit::Finding& each) { return each.kind == kind; });
  if (!is_so) return gone();
  node.quarantine(pipe, "a check found: " + std::string(audit::word_of(kind)));
  return {RepairOutcome::quarantined, "nobody looks into it any more"};
}

// Once it is set nobody can say what it was: closed, as its users have read it since.
Verdict close_properly(PipeItem& pipe) {
  const auto header = pipe.segment.at<layout::PipeHeader>(0);
  // relaxed: a flag, judged by itself.
  if (!header || (*header)->closed.load(std::memory_order_relaxed) <= 1) return gone();
  pipe.view.close();
  return repaired("it was closed");
}

Verdict set_back(PipeItem& pipe, Kind kind) {
  const PipeSnapshot now = pipe.view.snapshot();
  const audit::Window window =
      audit::find_window(pipe.view.words(), audit::lower_hint(now.tail, now.head));
  if (!window.is_sound) return left("first its slots have to agree where they stand");
  if (kind == Kind::pipe_tail_ahead) {
    if (static_cast<std::int64_t>(now.tail - window.claimed) <= 0) return gone();
    pipe.view.set_back_tail(now.tail, window.claimed);
    return repaired("its tail was set back to " + std::to_string(window.claimed));
  }
  if (static_cast<std::int64_t>(now.head - window.consumed) <= 0) return gone();
  pipe.view.set_back_head(now.head, window.consumed);
  return repaired("its head was set back to " + std::to_string(window.consumed));
}

}  // namespace

Verdict repair_pipe(NodeState& node, PipeItem& pipe, const audit::Finding& finding) {
  switch (finding.kind) {
    case Kind::header_magic:
    case Kind::header_version:
    case Kind::header_kind:
    case Kind::header_size:
    case Kind::pipe_slot_count:
    case Kind::pipe_delivery:
    case Kind::pipe_id:
      return restore_header(node, pipe);
    case Kind::memory_unreadable:
    case Kind::memory_unsealed:
    case Kind::memory_size:
    case Kind::memory_pages_missing:
      return judge_memory(node, pipe, finding.kind);
    default:
      break;
  }
  if (!pipe.view) return left("it is in quarantine");
  switch (finding.kind) {
    case Kind::pipe_closed_flag:
      return close_properly(pipe);
    case Kind::pipe_tail_ahead:
    case Kind::pipe_head_ahead:
      return set_back(pipe, finding.kind);
    case Kind::pipe_high_water:
      pipe.view.lower_high_water();
      return repaired("the mark was lowered");
    default:
      return left("the node knows no repair for it");
  }
}

}  // namespace tarn::daemon::repair
