// registry_fixture.h - a real registry in the test's own hands, and its worker as a function:
// defects are planted in what the worker knows, found and repaired by real requests.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <set>

#include "client/check/auditor.h"
#include "daemon/worker/registry/node_state.h"
#include "daemon/worker/requests/request.h"
#include "os/process.h"
#include "os/socket.h"
#include "tests/e2e/raw_client.h"

namespace tarn::daemon {

using namespace std::chrono_literals;
using Kinds = std::set<std::string>;

class NoKeeper final : public RecordSink {
 public:
  void put_bytes(const RecordKey& key, std::span<const std::byte>, std::span<const int>) override {
    put.insert(key);
  }
  void drop_key(const RecordKey& key) override { put.erase(key); }
  std::set<RecordKey> put;
};

// The sum in a ledger, which nothing but a defect of its own would part from its holders'.
template <std::uint64_t MemoryLedger::*Sum>
struct Reveal {
  friend std::uint64_t& sum_in(MemoryLedger& ledger) { return ledger.*Sum; }
};
std::uint64_t& sum_in(MemoryLedger& ledger);
template struct Reveal<&MemoryLedger::used_bytes_>;

class CheckRegistryTest : public ::testing::Test {
 protected:
  explicit CheckRegistryTest(std::uint64_t limit_bytes = std::uint64_t{1} << 30) {
    ::alarm(100);
    auto table = create_segment("test-node", layout::kNodeBytes, layout::kNodeBytes, true);
    table_ = std::move(*table);
    EXPECT_TRUE(format_node(table_.segment, 77));
    NodeFacts facts;
    facts.limit_bytes = limit_bytes;
    facts.node_id = 77;
    facts.directory = "/nowhere";
    node_ = std::make_unique<NodeState>(facts, *NodeTable::attach(table_.segment), table_.fd.get(),
                                        keeper_);
    owner_ = &add_session(owner_record_);
    viewer_ = &add_session(viewer_record_);
    slab_item_ = &add_slab(*owner_);
    pipe_ = &open_pipe(*owner_);
    open_pipe(*viewer_);
    node_->add_viewer(*slab_item_, *viewer_);
    node_->add_carrier(*slab_item_, *pipe_);
  }

  SessionItem& add_session(SessionRecord& record, pid_t pid = os::own_pid()) {
    auto item = std::make_unique<SessionItem>();
    item->facts.index = *node_->sessions().take_index();
    item->facts.generation = ++node_->counters().last_session_generation;
    item->facts.pid = pid;
    item->memory = std::move(*os::reopen_readable(record.fd()));
    item->process = std::move(*os::open_pidfd(pid));
    item->segment = std::move(*map_foreign(record.fd(), layout::kSessionBytes, true, false));
    item->view = *SessionView::attach(item->segment);
    return node_->add_session(std::move(item));
  }
  SegmentItem& add_slab(const SessionItem& owner) {
    slabs_.emplace_back(4);
    const raw::Slab& made = slabs_.back();
    auto item = std::make_unique<SegmentItem>();
    item->facts.index = *node_->segments().take_index();
    item->facts.generation = ++node_->counters().last_segment_generation;
    item->facts.owner = owner.facts.index;
    item->facts.size_bytes = made.add.size_bytes;
    item->facts.chunk_bytes = made.add.chunk_bytes;
    item->facts.chunk_count = made.add.chunk_count;
    item->memory = std::move(*os::reopen_readable(made.owned.fd.get()));
    return node_->add_segment(std::move(item));
  }
  PipeItem& open_pipe(SessionItem& session) {
    auto wish = wire::make<wire::PipeOpen>(1);
    wire::put_text(wish.name, "p");
    EXPECT_TRUE(tarn::daemon::pipe_open(*node_, session, wish));
    return *node_->pipes().find("p");
  }

  // The worker as a function: the request goes through its dispatch, as from an observer.
  Result<Reply, Error> ask(std::span<const std::byte> packet) {
    Request request;
    request.packet = packet;
    request.header = *wire::decode_header(packet);
    request.caller.is_owner = true;
    auto outcome = carry_out(*node_, nullptr, request);
    Reply reply;
    if (!outcome) {
      const auto error = wire::make_error(request.header.request, outcome.error());
      const auto bytes = wire::bytes_of(error);
      reply.bytes.assign(bytes.begin(), bytes.end());
      return reply;
    }
    reply.bytes = std::move(outcome->bytes);
    if (outcome->owned) reply.descriptors.push_back(std::move(outcome->owned));
    if (reply.descriptors.empty() && outcome->descriptor >= 0) {
      reply.descriptors.push_back(std::move(*os::reopen_readable(outcome->descriptor)));
    }
    return reply;
  }
  std::vector<audit::Finding> audit(std::chrono::milliseconds patience = 0ms) {
    CheckOptions options;
    options.patience = patience;
    check::Auditor auditor([this](auto request) { return ask(request); }, nullptr, options);
    auto audit = auditor.run();
    EXPECT_TRUE(audit) << audit.error().what();
    return audit ? std::move(audit->findings) : std::vector<audit::Finding>();
  }
  static Kinds kinds_of(const std::vector<audit::Finding>& findings) {
    Kinds kinds;
    for (const auto& each : findings) kinds.insert(std::string(audit::word_of(each.kind)));
    return kinds;
  }
  wire::AuditRepaired repair(const audit::Finding& finding) {
    auto request = wire::make<wire::AuditRepair>(1);
    request.node_id = node_->facts().node_id;
    request.kind = static_cast<std::uint32_t>(finding.kind);
    request.object = static_cast<std::uint32_t>(finding.place.object);
    request.index = finding.place.index;
    request.generation = finding.place.generation;
    request.part = finding.place.part;
    request.evidence = finding.evidence;
    const auto reply = ask(wire::bytes_of(request));
    return *wire::decode<wire::AuditRepaired>(reply->bytes);
  }
  // What was planted is found, it alone; after the repair nothing is.
  void expect_repaired(const std::string& kind, std::chrono::milliseconds patience = 0ms) {
    SCOPED_TRACE(kind);
    const auto findings = audit(patience);
    EXPECT_EQ(kinds_of(findings), Kinds{kind});
    for (const audit::Finding& finding : findings) {
      const auto answer = repair(finding);
      EXPECT_EQ(answer.outcome, wire::RepairOutcome::repaired) << answer.verdict.data();
    }
    EXPECT_EQ(kinds_of(audit(patience)), Kinds{});
  }
  void expect_left(const std::string& kind) {
    SCOPED_TRACE(kind);
    const auto findings = audit();
    EXPECT_EQ(kinds_of(findings), Kinds{kind});
    ASSERT_FALSE(findings.empty());
    const auto answer = repair(findings[0]);
    EXPECT_EQ(answer.outcome, wire::RepairOutcome::left);
    EXPECT_NE(answer.verdict[0], '\0');
  }

  NoKeeper keeper_;
  OwnedSegment table_;
  std::unique_ptr<NodeState> node_;
  SessionRecord owner_record_ = std::move(*SessionRecord::create(*os::identify(os::own_pid())));
  SessionRecord viewer_record_ = std::move(*SessionRecord::create(*os::identify(os::own_pid())));
  std::vector<raw::Slab> slabs_;
  SessionItem* owner_ = nullptr;
  SessionItem* viewer_ = nullptr;
  SegmentItem* slab_item_ = nullptr;
  PipeItem* pipe_ = nullptr;
};

}  // namespace tarn::daemon
