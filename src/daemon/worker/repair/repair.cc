#include "daemon/worker/repair/repair.h"

#include <memory>
#include <utility>

#include "base/log.h"
#include "daemon/worker/requests/request.h"
#include "os/memory.h"

namespace tarn::daemon {
namespace repair {
namespace {

using audit::Kind;
using audit::ObjectKind;

bool is_about_slot(Kind kind) noexcept {
  return kind >= Kind::slot_unused_bits && kind <= Kind::reference_not_carried;
}

bool is_link(Kind kind) noexcept {
  return kind >= Kind::opening_broken && kind <= Kind::owning_broken;
}

// The keeper gets it once more: a record with descriptors replaces the one it has.
Verdict send_to_keeper(NodeState& node, const audit::Finding& finding) {
  const audit::Place& place = finding.place;
  if (place.object == ObjectKind::session) {
    const SessionItem* session = node.sessions().find({place.index, place.generation});
    if (session == nullptr) return gone();
    node.sink().put(session->facts, std::array{session->memory.get(), session->process.get()});
  } else if (place.object == ObjectKind::pipe) {
    const PipeItem* pipe = node.pipes().at(place.index);
    if (pipe == nullptr) return gone();
    node.sink().put(pipe->facts, std::array{pipe->memory.get()});
  } else if (place.object == ObjectKind::slab) {
    const SegmentItem* slab = node.segments().find({place.index, place.generation});
    if (slab == nullptr) return gone();
    node.sink().put(slab->facts, std::array{slab->memory.get()});
  } else if (place.object == ObjectKind::client) {
    const ClientItem* client = node.clients().at(place.index);
    if (client == nullptr) return gone();
    node.sink().put(client->facts, std::array{client->description.get(), client->directory.get()});
    if (client->board_memory) {
      node.sink().put(StoredBoard{client->facts.id, 0}, std::array{client->board_memory.get()});
    }
  } else {
    return left("the keeper cannot be given its own table");
  }
  return repaired("it was sent to the keeper once more");
}

Verdict decide_for_object(NodeState& node, const audit::Finding& finding) {
  const audit::Place& place = finding.place;
  switch (place.object) {
    case ObjectKind::pipe: {
      PipeItem* pipe = node.pipes().at(place.index);
      if (pipe == nullptr) return gone();
      return is_about_slot(finding.kind) ? repair_slot(node, *pipe, finding)
                                         : repair_pipe(node, *pipe, finding);
    }
    case ObjectKind::session: {
      SessionItem* session = node.sessions().find({place.index, place.generation});
      return session == nullptr ? gone() : repair_session(node, *session, finding);
    }
    case ObjectKind::slab: {
      SegmentItem* slab = node.segments().find({place.index, place.generation});
      return slab == nullptr ? gone() : repair_slab(node, *slab, finding);
    }
    case ObjectKind::table:
      return repair_table(node, finding);
    case ObjectKind::run_directory:
      return repair_run_directory(node, finding);
    case ObjectKind::node:
      return repair_figures(node, finding);
    case ObjectKind::client:
      return left("the node knows no repair for it");
  }
  return left("the node does not know such an object");
}

Verdict decide(NodeState& node, const audit::Finding& finding) {
  if (finding.kind == Kind::keeper_lacks_memory) return send_to_keeper(node, finding);
  if (is_link(finding.kind)) return repair_link(node, finding);
  if (finding.kind == Kind::ledger_session) return repair_figures(node, finding);
  return decide_for_object(node, finding);
}

const char* word_of(RepairOutcome outcome) noexcept {
  switch (outcome) {
    case RepairOutcome::left:
      return "left";
    case RepairOutcome::repaired:
      return "repaired";
    case RepairOutcome::quarantined:
      return "quarantined";
  }
  return "left";
}

std::string place_text(const audit::Place& place) {
  static constexpr const char* kObjects[] = {"node",  "session",       "pipe",  "segment",
                                             "table", "run directory", "client"};
  const auto object = static_cast<std::size_t>(place.object);
  return std::string(object < std::size(kObjects) ? kObjects[object] : "object") + ' ' +
         std::to_string(place.index) + " part " + std::to_string(place.part);
}

}  // namespace

audit::SharedImage image_of(int memory) {
  auto image = std::make_shared<audit::SegmentImage>();
  if (auto facts = os::examine_memory(memory)) image->facts = *facts;
  if (auto reader = os::reopen_readable(memory)) image->fd = std::move(*reader);
  return image;
}

}  // namespace repair

Outcome audit_repair(NodeState& node, const wire::AuditRepair& ask) {
  if (ask.node_id != node.facts().node_id) {
    return Error(Error::node_lost, "repair the node", "another node has taken its place",
                 "check again");
  }
  audit::Finding finding;
  finding.kind = static_cast<audit::Kind>(ask.kind < audit::kKindCount ? ask.kind : 0);
  finding.place = {static_cast<audit::ObjectKind>(ask.object), ask.index, ask.generation, ask.part};
  finding.evidence = ask.evidence;
  if (finding.kind == audit::Kind::none) {
    return Error(Error::invalid_argument, "repair the node",
                 "a finding of kind " + std::to_string(ask.kind),
                 "use a library of the node's version");
  }
  const repair::Verdict verdict = repair::decide(node, finding);
  log_warning("check: " + std::string(audit::word_of(finding.kind)) + " at " +
              repair::place_text(finding.place) + ": " + repair::word_of(verdict.outcome) + ": " +
              verdict.text);
  auto answer = wire::make<wire::AuditRepaired>(ask.header.request);
  answer.outcome = verdict.outcome;
  wire::put_text(answer.verdict, verdict.text);
  return answer_with(answer);
}

}  // namespace tarn::daemon
