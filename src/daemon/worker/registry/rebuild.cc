#include "daemon/worker/registry/rebuild.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"

namespace tarn::daemon {
namespace {

// Calls take(record, StoredRecord&) for each record of T's kind; it says whether it made sense.
// What did not is dropped from the keeper's store as well.
template <class T, class Take>
void take_all(NodeState& node, RecordStore& store, Take&& take) {
  std::vector<RecordKey> refused;
  store.for_each(T::kKind, [&](const RecordKey& key, StoredRecord& stored) {
    const auto record = decode_record<T>(key, stored.bytes);
    if (!record || !take(*record, stored)) refused.push_back(key);
  });
  for (const RecordKey& key : refused) {
    log_warning("a record of kind " + std::to_string(static_cast<unsigned>(key.kind)) + ", key " +
                std::to_string(key.number) + ", fits to nothing and is dropped");
    node.sink().drop_key(key);
  }
}

// To say who a process is: it takes microseconds, unless that process hangs in exec.
constexpr auto kPatienceWithKernel = std::chrono::milliseconds(20);

// A keeper that took over from another one has no descriptor of the process: that can be had anew.
// One of another account that keeps the kernel from saying who it is counts as alive until it ends.
Result<os::UniqueFd, Error> open_process_of(NodeState& node, const StoredSession& record) {
  const os::ProcessIdentity process{record.pid, record.start_ticks};
  if (node.access().is_owner(record.uid)) return os::open_process(process);
  return os::open_process(process, [&](std::int32_t pid) {
    return node.identities().ask(record.uid, pid, kPatienceWithKernel);
  });
}

// `failed`: a session cannot be watched, and must not be forgotten: it may be alive, and write.
bool take_session(NodeState& node, const StoredSession& record, StoredRecord& stored,
                  std::optional<Error>& failed) {
  if (!stored.descriptors[0]) return false;
  if (!stored.descriptors[1]) {
    auto process = open_process_of(node, record);
    if (!process) {
      failed = std::move(process).error();
      return true;
    }
    stored.descriptors[1] = std::move(*process);
  }
  if (record.index >= layout::kMaxSessions || !node.sessions().claim_index(record.index)) {
    return false;
  }
  auto item = std::make_unique<SessionItem>();
  item->facts = record;
  item->memory = std::move(stored.descriptors[0]);
  item->process = std::move(stored.descriptors[1]);
  // Without its view the session lives on; what it holds is then taken to be everything.
  auto segment = map_foreign(item->memory.get(), layout::kSessionBytes, true, false);
  if (segment) item->segment = std::move(*segment);
  const auto view = SessionView::attach(item->segment);
  if (view) item->view = *view;
  auto& last = node.counters().last_session_generation;
  last = std::max(last, record.generation);
  node.sessions().add(std::move(item));
  return true;
}

bool take_pipe(NodeState& node, const StoredPipe& record, StoredRecord& stored) {
  if (!stored.descriptors[0] || record.id == 0 || record.slot_count == 0 ||
      record.slot_count > layout::kMaxSlots) {
    return false;
  }
  auto item = std::make_unique<PipeItem>();
  item->facts = record;
  item->memory = std::move(stored.descriptors[0]);
  auto segment = map_foreign(item->memory.get(), item->size_bytes(), false, true);
  if (segment) item->segment = std::move(*segment);
  const auto view = PipeView::attach(item->segment);
  if (view && view->slot_count() == record.slot_count) {
    item->view = *view;
  }
  auto& last = node.counters().last_pipe_id;
  last = std::max(last, record.id);
  node.ledger().charge(kPipesHolder, item->size_bytes());
  PipeItem& pipe = node.pipes().add(std::move(item));
  if (!pipe.view && pipe.segment.base() != nullptr && node.restore_header(pipe)) {
    log_warning("pipe '" + std::string(pipe.name()) +
                "': its header was overwritten, and is written anew");
  }
  return true;
}

// Whether it has ended is for the desk to find out.
bool take_recovery(NodeState& node, const StoredRecovery& record) {
  node.recovery().former_identity = {record.pid, record.start_ticks};
  return true;
}

bool take_segment(NodeState& node, const StoredSegment& record, StoredRecord& stored) {
  if (!stored.descriptors[0] || record.index >= layout::kMaxSegments ||
      !node.segments().claim_index(record.index)) {
    return false;
  }
  auto item = std::make_unique<SegmentItem>();
  item->facts = record;
  item->memory = std::move(stored.descriptors[0]);
  SessionItem* owner = node.sessions().at(record.owner);
  if (owner == nullptr) item->facts.owner = 0;
  if (owner != nullptr) owner->owned.insert(record.index);
  node.ledger().charge(owner == nullptr ? kOrphansHolder : record.owner, record.size_bytes);
  auto& last = node.counters().last_segment_generation;
  last = std::max(last, record.generation);
  node.segments().add(std::move(item));
  return true;
}

// model: worker_handover.pml, label rebuild_opening
bool take_opening(NodeState& node, const StoredOpening& record) {
  SessionItem* session = node.sessions().at(record.session);
  PipeItem* pipe = node.pipes().at(record.pipe);
  if (session == nullptr || pipe == nullptr) return false;
  auto& last = node.counters().last_opening;
  last = std::max(last, record.serial);
  // The pipe's totals count it already: the last worker died just before it dropped this.
  if (pipe->facts.retired_opening == record.serial) return false;
  session->openings.emplace(record.pipe, record.serial);
  pipe->sessions.insert(record.session);
  return true;
}

bool take_viewing(NodeState& node, const StoredViewing& record) {
  SessionItem* viewer = node.sessions().at(record.session);
  SegmentItem* segment = node.segments().at(record.segment);
  if (viewer == nullptr || segment == nullptr) return false;
  viewer->viewed.insert(record.segment);
  segment->viewers.insert(record.session);
  return true;
}

bool take_carrying(NodeState& node, const StoredCarrying& record) {
  SegmentItem* segment = node.segments().at(record.segment);
  PipeItem* pipe = node.pipes().at(record.pipe);
  if (segment == nullptr || pipe == nullptr || segment->is_orphan()) return false;
  segment->carriers.insert(record.pipe);
  pipe->carried.insert(record.segment);
  return true;
}

// What could not be looked at again stays in quarantine until it ends.
void judge_views(NodeState& node) {
  for (const auto& [id, pipe] : node.pipes().all()) {
    if (!pipe->view) node.quarantine(*pipe, "its memory cannot be mapped, or is not what it was");
  }
  for (const auto& [index, session] : node.sessions().all()) {
    if (!session->view)
      node.quarantine(*session, "its segment cannot be mapped, or makes no sense");
  }
}

bool take_client(NodeState& node, const StoredClient& record, StoredRecord& stored) {
  if (!stored.descriptors[0] || !stored.descriptors[1] || record.id == 0) return false;
  auto item = std::make_unique<ClientItem>();
  item->facts = record;
  item->description = std::move(stored.descriptors[0]);
  item->directory = std::move(stored.descriptors[1]);
  if (!read_description(*item)) return false;
  auto& last = node.counters().last_client_id;
  last = std::max(last, record.id);
  node.clients().add(std::move(item));
  return true;
}

// Who it is and which board it has, it says when it is greeted.
bool take_shepherd(NodeState& node, const StoredShepherd& record, StoredRecord& stored) {
  ClientItem* item = node.clients().at(record.client);
  if (item == nullptr || !stored.descriptors[0]) return false;
  item->control = std::move(stored.descriptors[0]);
  item->process = std::move(stored.descriptors[1]);
  item->shepherd_pid = record.pid;
  item->shepherd_edition = record.edition;
  item->spawned_ns = monotonic_ns();
  return true;
}

bool take_board(NodeState& node, const StoredBoard& record, StoredRecord& stored) {
  ClientItem* item = node.clients().at(record.client);
  if (item == nullptr || !stored.descriptors[0]) return false;
  auto segment = map_foreign(stored.descriptors[0].get(), layout::kBoardBytes, true, false);
  if (!segment) return false;
  const auto view = BoardView::attach(*segment);
  if (!view) return false;
  item->board_memory = std::move(stored.descriptors[0]);
  item->board_segment = std::move(*segment);
  item->board = *view;
  return true;
}

// The last worker may have died between a record and the table's entry for it.
void rewrite_table(NodeState& node) {
  for (std::uint32_t index = 1; index < layout::kMaxSessions; ++index) {
    const SessionItem* session = node.sessions().at(index);
    const std::uint32_t generation = session != nullptr ? session->facts.generation : 0;
    // relaxed: a number to compare with; it guards nothing.
    node.table().entry(index).generation.store(generation, std::memory_order_relaxed);
    if (session != nullptr) node.bump_viewers_epoch(index);
  }
}

// A removal may have been cut short after its record was written.
void finish_removals(NodeState& node) {
  std::vector<PipeItem*> nameless;
  for (const auto& [id, pipe] : node.pipes().all()) {
    if (pipe->facts.nameless != 0) nameless.push_back(pipe.get());
  }
  for (PipeItem* pipe : nameless) {
    if (pipe->view) pipe->view.close();
    node.discard_if_over(*pipe);
  }
}

// Before anything else: no request is judged without them.
void take_access(NodeState& node, RecordStore& store) {
  take_all<StoredAccessRule>(node, store, [&](const StoredAccessRule& record, StoredRecord&) {
    return node.access().take(record);
  });
  take_all<StoredAccessQuota>(node, store, [&](const StoredAccessQuota& record, StoredRecord&) {
    return node.access().take(record);
  });
  take_all<StoredDoor>(node, store, [&](const StoredDoor& record, StoredRecord& stored) {
    return node.access().take(record, std::move(stored.descriptors[0]));
  });
}

}  // namespace

// model: worker_handover.pml, label rebuild
FullStatus rebuild(NodeState& node, RecordStore& store) {
  std::optional<Error> failed;
  take_access(node, store);
  take_all<StoredCounters>(node, store, [&](const StoredCounters& record, StoredRecord&) {
    node.counters() = record;
    return true;
  });
  take_all<StoredRecovery>(node, store, [&](const StoredRecovery& record, StoredRecord&) {
    return take_recovery(node, record);
  });
  take_all<StoredSession>(node, store, [&](const StoredSession& record, StoredRecord& stored) {
    return take_session(node, record, stored, failed);
  });
  if (failed) return *std::move(failed);
  take_all<StoredPipe>(node, store, [&](const StoredPipe& record, StoredRecord& stored) {
    return take_pipe(node, record, stored);
  });
  take_all<StoredSegment>(node, store, [&](const StoredSegment& record, StoredRecord& stored) {
    return take_segment(node, record, stored);
  });
  take_all<StoredOpening>(node, store, [&](const StoredOpening& record, StoredRecord&) {
    return take_opening(node, record);
  });
  take_all<StoredViewing>(node, store, [&](const StoredViewing& record, StoredRecord&) {
    return take_viewing(node, record);
  });
  take_all<StoredCarrying>(node, store, [&](const StoredCarrying& record, StoredRecord&) {
    return take_carrying(node, record);
  });
  take_all<StoredVerdict>(node, store, [&](const StoredVerdict& record, StoredRecord&) {
    return node.restore(record);
  });
  judge_views(node);
  take_all<StoredClient>(node, store, [&](const StoredClient& record, StoredRecord& stored) {
    return take_client(node, record, stored);
  });
  take_all<StoredShepherd>(node, store, [&](const StoredShepherd& record, StoredRecord& stored) {
    return take_shepherd(node, record, stored);
  });
  take_all<StoredBoard>(node, store, [&](const StoredBoard& record, StoredRecord& stored) {
    return take_board(node, record, stored);
  });
  rewrite_table(node);
  finish_removals(node);
  node.note_orphans_due();
  return Done{};
}

}  // namespace tarn::daemon
