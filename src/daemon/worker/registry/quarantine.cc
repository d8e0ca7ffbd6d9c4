#include "daemon/worker/registry/quarantine.h"

#include <string>

#include "base/crash_point.h"
#include "base/deadline.h"
#include "base/log.h"
#include "daemon/worker/registry/node_state.h"

namespace tarn::daemon {
namespace {

StoredVerdict speak(ObjectKind object, std::uint32_t id, std::string_view text) {
  StoredVerdict verdict{object, id, monotonic_ns(), {}};
  wire::put_text(verdict.text, text);
  return verdict;
}

}  // namespace

// Crash: the record is the commit point; without it the next worker comes to the same verdict, with
//        it the next worker closes the pipe: restore().
void NodeState::quarantine(PipeItem& pipe, std::string_view verdict) {
  if (quarantine_.find(ObjectKind::pipe, pipe.facts.id) != nullptr) return;
  const StoredVerdict spoken = speak(ObjectKind::pipe, pipe.facts.id, verdict);
  log_error("pipe '" + std::string(pipe.name()) + "' is in quarantine: " + std::string(verdict));
  quarantine_.add(spoken);
  sink_.put(spoken);
  TARN_CRASH_POINT("node.quarantine.stored");
  // Those who wait there learn that nothing comes any more.
  if (pipe.view) pipe.view.close();
  pipe.view = PipeView();
  note_orphans_due();
}

void NodeState::quarantine(SessionItem& session, std::string_view verdict) {
  const std::uint32_t index = session.facts.index;
  if (quarantine_.find(ObjectKind::session, index) != nullptr) return;
  const StoredVerdict spoken = speak(ObjectKind::session, index, verdict);
  log_error(describe_holder(index) + " is in quarantine: " + std::string(verdict));
  quarantine_.add(spoken);
  sink_.put(spoken);
  TARN_CRASH_POINT("node.quarantine.stored");
  // What it holds is taken to be everything that it could hold.
  session.view = SessionView();
}

// Crash: all stores put back what the node wrote there first; done again they change nothing.
bool NodeState::restore_header(PipeItem& pipe) {
  if (quarantine_.find(ObjectKind::pipe, pipe.facts.id) != nullptr) return false;
  const auto done =
      restore_pipe_header(pipe.segment, pipe.facts.slot_count, pipe.facts.delivery, pipe.facts.id);
  TARN_CRASH_POINT("repair.pipe.restored");
  if (!done) return false;
  const auto view = PipeView::attach(pipe.segment);
  if (!view) return false;
  pipe.view = *view;
  return true;
}

bool NodeState::restore(const StoredVerdict& verdict) {
  if (verdict.object == ObjectKind::pipe) {
    PipeItem* pipe = pipes_.at(verdict.id);
    if (pipe == nullptr) return false;
    // Once more: the last worker may have died between the record and this.
    if (pipe->view) pipe->view.close();
    pipe->view = PipeView();
  } else {
    SessionItem* session =
        verdict.object == ObjectKind::session ? sessions_.at(verdict.id) : nullptr;
    if (session == nullptr) return false;
    session->view = SessionView();
  }
  quarantine_.add(verdict);
  return true;
}

std::string NodeState::describe(const StoredVerdict& verdict) {
  if (verdict.object == ObjectKind::session) return describe_holder(verdict.id);
  const PipeItem* pipe = pipes_.at(verdict.id);
  return pipe == nullptr ? "pipe " + std::to_string(verdict.id)
                         : "pipe '" + std::string(pipe->name()) + "'";
}

}  // namespace tarn::daemon
