// repair.h - what the worker does about a finding of an audit.
//
// The auditor only names it: each function here looks again, at what stands there now, and acts on
// that alone. What is not so (any more) is left as it is. Every step may be repeated: a worker that
// dies in it is followed by one whose node is audited and repaired anew.
#pragma once

#include <string>

#include "daemon/worker/registry/node_state.h"
#include "shm/audit/audit.h"
#include "wire/audit_messages.h"

namespace tarn::daemon::repair {

using wire::RepairOutcome;

struct Verdict {
  RepairOutcome outcome = RepairOutcome::left;
  std::string text;  // what was done, or why nothing was
};
inline Verdict repaired(std::string text) { return {RepairOutcome::repaired, std::move(text)}; }
inline Verdict left(std::string text) { return {RepairOutcome::left, std::move(text)}; }
inline Verdict gone() { return repaired("it is not so any more"); }

// One file each.
Verdict repair_pipe(NodeState& node, PipeItem& pipe, const audit::Finding& finding);
Verdict repair_slot(NodeState& node, PipeItem& pipe, const audit::Finding& finding);
Verdict repair_session(NodeState& node, SessionItem& session, const audit::Finding& finding);
Verdict repair_slab(NodeState& node, SegmentItem& slab, const audit::Finding& finding);
Verdict repair_table(NodeState& node, const audit::Finding& finding);
Verdict repair_link(NodeState& node, const audit::Finding& finding);
Verdict repair_figures(NodeState& node, const audit::Finding& finding);
Verdict repair_run_directory(NodeState& node, const audit::Finding& finding);

// The object's memory as the audit's functions want it: copied piece by piece, never mapped.
audit::SharedImage image_of(int memory);

}  // namespace tarn::daemon::repair
