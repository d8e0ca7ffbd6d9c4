// Defects in what the worker knows: planted in a real registry, found and repaired by real
// requests.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/check/registry_fixture.h"

namespace tarn::daemon {
namespace {

TEST_F(CheckRegistryTest, NothingIsAmiss) { EXPECT_EQ(kinds_of(audit()), Kinds{}); }

TEST_F(CheckRegistryTest, SumsAreAddedUpAnew) {
  node_->ledger().charge(owner_->facts.index, 4096);
  expect_repaired("ledger_session");
  node_->ledger().charge(kPipesHolder, 4096);
  expect_repaired("ledger_pipes");
  node_->ledger().refund(kPipesHolder, 4096);
  expect_repaired("ledger_pipes");
  node_->ledger().charge(kOrphansHolder, 1);
  expect_repaired("ledger_orphans");
  sum_in(node_->ledger()) += 4096;
  expect_repaired("ledger_total");
  EXPECT_EQ(node_->ledger().used_bytes(), node_->ledger().sum_of_holders());
}

TEST_F(CheckRegistryTest, HalfALinkIsCompletedOrDropped) {
  const std::uint32_t viewer = viewer_->facts.index;
  const std::uint32_t slab = slab_item_->facts.index;
  pipe_->sessions.erase(viewer);
  expect_repaired("opening_broken");
  EXPECT_TRUE(pipe_->sessions.contains(viewer));
  viewer_->openings.erase(pipe_->facts.id);
  expect_repaired("opening_broken");
  EXPECT_TRUE(pipe_->sessions.contains(viewer));
  EXPECT_EQ(viewer_->openings.at(pipe_->facts.id), node_->counters().last_opening);
  pipe_->sessions.insert(4000);
  expect_repaired("opening_broken");
  slab_item_->viewers.erase(viewer);
  expect_repaired("viewing_broken");
  viewer_->viewed.erase(slab);
  expect_repaired("viewing_broken");
  EXPECT_TRUE(viewer_->viewed.contains(slab));
  viewer_->viewed.insert(500);
  expect_repaired("viewing_broken");
  slab_item_->carriers.erase(pipe_->facts.id);
  expect_repaired("carrying_broken");
  pipe_->carried.erase(slab);
  expect_repaired("carrying_broken");
  slab_item_->carriers.insert(99);
  expect_repaired("carrying_broken");
  viewer_->owned.insert(slab);
  const auto findings = audit();
  EXPECT_EQ(kinds_of(findings), (Kinds{"owning_broken", "ledger_session"}));
  for (const auto& finding : findings) repair(finding);
  EXPECT_EQ(kinds_of(audit()), Kinds{});
}

TEST_F(CheckRegistryTest, CountersAreRaisedAboveWhatIsInUse) {
  node_->counters().last_pipe_id = 0;
  node_->counters().last_opening = 0;
  node_->counters().last_session_generation = 1;
  node_->counters().last_segment_generation = 0;
  EXPECT_EQ(audit().size(), 4u);
  expect_repaired("counter_behind");
  EXPECT_EQ(node_->counters().last_session_generation, 2u);
}

TEST_F(CheckRegistryTest, SlabsWithoutOwnersBecomeOrphansAndGo) {
  slab_item_->facts.owner = 4000;
  owner_->owned.clear();
  node_->add_up_memory();
  const auto findings = audit();
  EXPECT_EQ(kinds_of(findings), Kinds{"slab_owner_missing"});
  EXPECT_EQ(repair(findings.at(0)).outcome, wire::RepairOutcome::repaired);
  // Nobody holds anything of it: it is a leak until somebody looks.
  EXPECT_EQ(kinds_of(audit(1ms)), Kinds{"slab_orphan_leaked"});
  expect_repaired("slab_orphan_leaked", 1ms);
  EXPECT_EQ(node_->segments().size(), 0u);
}

TEST_F(CheckRegistryTest, DeathThatNobodyNoticedIsFound) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (;;) ::pause();
  }
  SessionRecord record = std::move(*SessionRecord::create(*os::identify(pid)));
  SessionItem& session = add_session(record, pid);
  EXPECT_EQ(kinds_of(audit(1ms)), Kinds{});
  ::kill(pid, SIGKILL);
  siginfo_t ended{};
  ::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOWAIT);
  const auto findings = audit(1ms);
  EXPECT_EQ(kinds_of(findings), Kinds{"session_exited"});
  EXPECT_EQ(repair(findings.at(0)).outcome, wire::RepairOutcome::repaired);
  EXPECT_EQ(node_->take_deaths_due(), std::vector<std::uint32_t>{session.facts.index});
  ::waitpid(pid, nullptr, 0);
}

TEST_F(CheckRegistryTest, MemoryThatIsNotWhatWasAnnouncedIsFound) {
  const std::uint64_t size = slab_item_->facts.size_bytes;
  const auto replace = [&](std::uint64_t bytes, bool sealed) {
    auto memory = os::create_memory("test-slab", bytes);
    EXPECT_TRUE(os::allocate_pages(memory->get(), 0, bytes));
    {
      const Segment mapping(std::move(*os::map_writable(memory->get(), bytes)));
      std::memcpy(mapping.base(), slabs_[0].owned.segment.base(), kPage);
    }
    if (sealed) {
      EXPECT_TRUE(os::seal(memory->get(), false));
    }
    slab_item_->memory = std::move(*memory);
    // Its index alone would lead to the memory that was seen before.
    slab_item_->facts.generation = ++node_->counters().last_segment_generation;
  };
  replace(size, false);
  EXPECT_EQ(kinds_of(audit()), Kinds{"memory_unsealed"});
  replace(size, true);
  EXPECT_EQ(kinds_of(audit()), Kinds{"memory_unsealed"});
  replace(2 * size, true);
  EXPECT_EQ(kinds_of(audit()), (Kinds{"memory_unsealed", "memory_size"}));
  const auto answer = repair(audit().at(0));
  EXPECT_EQ(answer.outcome, wire::RepairOutcome::quarantined) << answer.verdict.data();
}

// A descriptor that leads nowhere: neither the auditor nor the node can look into the object.
TEST_F(CheckRegistryTest, MemoryThatCannotBeReadIsPutInQuarantine) {
  const auto expect_quarantined = [&](os::UniqueFd& memory) {
    auto ends = os::socket_pair();
    ASSERT_TRUE(ends);
    memory = std::move(ends->first);
    const auto findings = audit();
    EXPECT_EQ(kinds_of(findings), Kinds{"memory_unreadable"});
    for (const audit::Finding& finding : findings) {
      EXPECT_EQ(repair(finding).outcome, wire::RepairOutcome::quarantined);
    }
  };
  expect_quarantined(pipe_->memory);
  EXPECT_EQ(kinds_of(audit()), Kinds{});
  expect_quarantined(viewer_->memory);
  EXPECT_EQ(kinds_of(audit()), Kinds{});
  expect_quarantined(slab_item_->memory);  // with its owner
  EXPECT_EQ(kinds_of(audit()), Kinds{});
  EXPECT_EQ(node_->quarantined().size(), 3u);
}

class CheckFullRegistryTest : public CheckRegistryTest {
 protected:
  CheckFullRegistryTest() : CheckRegistryTest(64 << 10) {}
};

TEST_F(CheckFullRegistryTest, LimitThatWasExceededIsFoundAndLeft) {
  for (int i = 0; i < 4; ++i) add_slab(*owner_);
  expect_left("limit_exceeded");
}

TEST_F(CheckRegistryTest, RecordsThatContradictThemselvesAreFound) {
  slab_item_->facts.chunk_count = 5;
  EXPECT_EQ(kinds_of(audit()), (Kinds{"slab_record_shape", "slab_header_shape"}));
  slab_item_->facts.chunk_count = 4;
  owner_->facts.quota_bytes = 100;
  expect_left("quota_exceeded");
}

TEST_F(CheckRegistryTest, StrangersAreRefused) {
  Request request;
  const auto list = wire::make<wire::AuditNode>(1);
  request.packet = wire::bytes_of(list);
  request.header = list.header;
  request.caller.is_owner = false;
  const auto outcome = carry_out(*node_, nullptr, request);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), Error::access_denied);
}

TEST_F(CheckRegistryTest, NonsenseInARequestIsRefused) {
  auto list = wire::make<wire::AuditList>(1);
  list.subject = static_cast<wire::AuditSubject>(99);
  EXPECT_TRUE(wire::decode<wire::ErrorReply>(ask(wire::bytes_of(list))->bytes));
  for (std::uint32_t kind = 0; kind < audit::kKindCount + 2U; ++kind) {
    for (std::uint32_t object = 0; object < 8; ++object) {
      auto wish = wire::make<wire::AuditRepair>(1);
      wish.node_id = node_->facts().node_id;
      wish.kind = kind;
      wish.object = object;
      wish.index = 1;
      wish.generation = 1;
      wish.part = 0xffff'ffff;
      const auto reply = ask(wire::bytes_of(wish));
      EXPECT_EQ(reply->bytes.empty(), false);
    }
  }
}

}  // namespace
}  // namespace tarn::daemon
