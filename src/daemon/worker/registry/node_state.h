// node_state.h - all that the worker knows, and the changes that touch more than one table.
//
// Each change is sent to the keeper before it is answered: what a client was told survives the
// worker. A worker that dies between two sends leaves links of which one end is missing, or a
// pipe's totals ahead of its openings; rebuild() in rebuild.h sorts both out.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "daemon/node_facts.h"
#include "daemon/store/channel.h"
#include "daemon/worker/access/access_table.h"
#include "daemon/worker/access/doorkeeper.h"
#include "daemon/worker/registry/clients.h"
#include "daemon/worker/registry/items.h"
#include "daemon/worker/registry/memory_ledger.h"
#include "daemon/worker/registry/pipes.h"
#include "daemon/worker/registry/quarantine.h"
#include "daemon/worker/registry/segments.h"
#include "daemon/worker/registry/sessions.h"
#include "os/access/closer.h"
#include "os/life/identity_asker.h"
#include "os/process.h"
#include "os/run/spawner.h"

namespace tarn::daemon {

// The program that stands by to resolve what the dead had claimed.
struct RecoveryFacts {
  std::int32_t pid = 0;      // 0: none
  std::uint32_t starts = 0;  // by this worker
  // The last worker's, until it is known to have ended; pid 0: none. It may be at work still.
  os::ProcessIdentity former_identity;
  os::UniqueFd former;  // its pidfd, once it could be opened
};

// A record for a session's connection, sent when the change that caused it is complete.
struct Notice {
  std::uint32_t session = 0;
  std::vector<std::byte> bytes;
};

class NodeState {
 public:
  // `table_reader` is the table's memory, for reading. It and `sink` outlive this.
  NodeState(NodeFacts facts, NodeTable table, int table_reader, RecordSink& sink)
      : facts_(std::move(facts)),
        table_(table),
        table_reader_(table_reader),
        sink_(sink),
        ledger_(facts_.limit_bytes),
        access_(os::own_uid(), facts_.door, sink) {}

  const NodeFacts& facts() const noexcept { return facts_; }
  SessionRegistry& sessions() noexcept { return sessions_; }
  PipeRegistry& pipes() noexcept { return pipes_; }
  SegmentRegistry& segments() noexcept { return segments_; }
  ClientRegistry& clients() noexcept { return clients_; }
  MemoryLedger& ledger() noexcept { return ledger_; }
  const Quarantine& quarantined() const noexcept { return quarantine_; }
  AccessTable& access() noexcept { return access_; }
  const AccessTable& access() const noexcept { return access_; }
  Doorkeeper& doorkeeper() noexcept { return doorkeeper_; }
  // What other accounts sent is closed there.
  os::Closer& closer() noexcept { return closer_; }
  // Who their processes are is asked there.
  os::IdentityAsker& identities() noexcept { return identities_; }
  // Programs are started there: none begins with what other accounts sent.
  os::Spawner& spawner() noexcept { return spawner_; }
  RecordSink& sink() noexcept { return sink_; }
  StoredCounters& counters() noexcept { return counters_; }
  RecoveryFacts& recovery() noexcept { return recovery_; }
  const NodeTable& table() const noexcept { return table_; }
  int table_reader() const noexcept { return table_reader_; }
  void put_counters() { sink_.put(counters_); }

  // Sessions. Their end is recovery/session_end.h.
  SessionItem& add_session(std::unique_ptr<SessionItem> item);
  // "session 3 'sink' (pid 4711)"
  std::string describe_holder(std::uint32_t holder);
  FullStatus check_memory(const MemoryWish& wish);

  // Pipes.
  PipeItem& add_pipe(std::unique_ptr<PipeItem> item);
  void open_pipe(SessionItem& session, PipeItem& pipe);
  // Adds what the session did there to the pipe's totals. Harmless when it is not open.
  void leave_pipe(SessionItem& session, PipeItem& pipe);
  // Discards the pipe when nobody needs it any more: true, and `pipe` is gone.
  bool discard_if_over(PipeItem& pipe);
  bool has_undelivered() const noexcept;

  // Segments.
  SegmentItem& add_segment(std::unique_ptr<SegmentItem> item);
  void add_viewer(SegmentItem& segment, SessionItem& viewer);
  void end_viewing(SegmentItem& segment, SessionItem& viewer);
  void add_carrier(SegmentItem& segment, PipeItem& pipe);
  void end_carrying(SegmentItem& segment, PipeItem& pipe);
  // Its owner ends; it stays until the last hold and the last slot let go of it.
  void orphan_segment(SegmentItem& segment);
  // Its memory belongs to nobody any more; viewers are told to unmap it.
  void drop_segment(SegmentItem& segment);
  // An owner that sees the change asks again who looks into its slabs.
  void bump_viewers_epoch(std::uint32_t owner) noexcept;

  // Orphans are looked at again: for the owner's programs now, for others soon. Each look costs a
  // walk over the slots of all pipes.
  enum class Due : std::uint8_t { no, soon, now };
  void note_orphans_due(bool for_others = false) noexcept {
    orphans_due_ = std::max(orphans_due_, for_others ? Due::soon : Due::now);
  }
  Due take_orphans_due() noexcept { return std::exchange(orphans_due_, Due::no); }

  // From now on nobody looks into it, and newcomers are refused with the verdict. It ends as any
  // other: a pipe when it is removed, a session with its process.
  void quarantine(PipeItem& pipe, std::string_view verdict);
  void quarantine(SessionItem& session, std::string_view verdict);
  // Writes the pipe's header anew where somebody overwrote it, and looks into it again; slots and
  // messages stay. False when it is in quarantine, or its memory is not what it was.
  bool restore_header(PipeItem& pipe);
  // Ends the session's record, at the very end of its recovery.
  void drop_session(std::uint32_t index);
  // A verdict that the last worker spoke. False when there is no such object.
  bool restore(const StoredVerdict& verdict);
  // "pipe 'spectra'"
  std::string describe(const StoredVerdict& verdict);

  // A session whose process has ended without the worker's having heard of it.
  void note_death_due(std::uint32_t index) { deaths_due_.push_back(index); }
  std::vector<std::uint32_t> take_deaths_due() { return std::exchange(deaths_due_, {}); }
  // Makes the ledger say what segments and pipes add up to.
  void add_up_memory();

  std::vector<Notice>& notices() noexcept { return notices_; }
  template <class T>
  void notify(std::uint32_t session, const T& record) {
    const auto bytes = wire::bytes_of(record);
    notices_.push_back({session, {bytes.begin(), bytes.end()}});
  }
  // Who has no right any more is to be disconnected.
  void note_review_due() noexcept { review_due_ = true; }
  bool take_review_due() noexcept { return std::exchange(review_due_, false); }
  // The node ends once the answer is sent.
  void request_end() noexcept { end_requested_ = true; }
  bool end_requested() const noexcept { return end_requested_; }

 private:
  NodeFacts facts_;
  NodeTable table_;
  int table_reader_;
  RecordSink& sink_;
  SessionRegistry sessions_;
  PipeRegistry pipes_;
  SegmentRegistry segments_;
  ClientRegistry clients_;
  MemoryLedger ledger_;
  Quarantine quarantine_;
  AccessTable access_;
  Doorkeeper doorkeeper_;
  os::Closer closer_;
  os::IdentityAsker identities_;
  os::Spawner spawner_;
  StoredCounters counters_{};
  RecoveryFacts recovery_;
  std::vector<Notice> notices_;
  std::vector<std::uint32_t> deaths_due_;
  Due orphans_due_ = Due::no;
  bool review_due_ = false;
  bool end_requested_ = false;
};

// What the session says it did at the pipe, over all its ends.
EndFacts facts_of_end(const SessionItem& session, std::uint32_t pipe_id) noexcept;

}  // namespace tarn::daemon
