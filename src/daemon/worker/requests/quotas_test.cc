#include "daemon/worker/requests/quotas.h"

#include <gtest/gtest.h>

#include "os/limits.h"
#include "os/memory.h"
#include "os/process.h"

namespace tarn::daemon {
namespace {

// A keeper that forgets.
class NoSink final : public RecordSink {
 public:
  void put_bytes(const RecordKey&, std::span<const std::byte>, std::span<const int>) override {}
  void drop_key(const RecordKey&) override {}
};

constexpr std::uint64_t kLimit = std::uint64_t{64} << 20;

class QuotaTest : public ::testing::Test {
 protected:
  QuotaTest() {
    auto memory = os::create_memory("test-node", layout::kNodeBytes);
    auto mapping = os::map_writable(memory->get(), layout::kNodeBytes);
    table_ = Segment(std::move(*mapping));
    EXPECT_TRUE(format_node(table_, 1));
    NodeFacts facts;
    facts.limit_bytes = kLimit;
    node_ = std::make_unique<NodeState>(facts, *NodeTable::attach(table_), -1, sink_);
  }
  void add_slab(std::uint32_t uid, std::uint64_t size_bytes) {
    auto item = std::make_unique<SegmentItem>();
    item->facts.index = *node_->segments().take_index();
    item->facts.uid = uid;
    item->facts.size_bytes = size_bytes;
    node_->segments().add(std::move(item));
  }
  SessionItem& add_session(std::uint32_t uid) {
    auto item = std::make_unique<SessionItem>();
    item->facts.index = *node_->sessions().take_index();
    item->facts.uid = uid;
    return node_->sessions().add(std::move(item));
  }
  Error::Code refusal(std::uint32_t uid, const Share& wish) {
    const auto good = check_quota(*node_, uid, wish);
    return good ? Error::none : good.error().code();
  }
  static std::uint32_t other(std::uint32_t number) { return os::own_uid() + 1000 + number; }

  NoSink sink_;
  Segment table_;
  std::unique_ptr<NodeState> node_;
};

TEST_F(QuotaTest, WhatIsNotSetIsTheDefaults) {
  const auto all = quota_of(*node_, wire::kEveryUid);
  EXPECT_EQ(all.bytes, kLimit / 8);
  wire::AccessQuota each{};
  each.sessions = 5;
  each.pipes = 6;
  EXPECT_TRUE(node_->access().put_quota(wire::kEveryUid, each));
  wire::AccessQuota one{};
  one.pipes = 7;
  EXPECT_TRUE(node_->access().put_quota(other(1), one));
  EXPECT_EQ(quota_of(*node_, other(1)).pipes, 7u);
  EXPECT_EQ(quota_of(*node_, other(1)).sessions, 5u);
  EXPECT_EQ(quota_of(*node_, other(1)).bytes, kLimit / 8);
  EXPECT_EQ(quota_of(*node_, other(2)).pipes, 6u);
  EXPECT_FALSE(node_->access().put_quota(os::own_uid(), one)) << "the owner has none";
}

TEST_F(QuotaTest, TheLastByteFitsAndOneMoreDoesNot) {
  add_slab(other(1), 1 << 20);
  const std::uint64_t left = kLimit / 8 - (1 << 20);
  EXPECT_EQ(refusal(other(1), {.bytes = left}), Error::none);
  EXPECT_EQ(refusal(other(1), {.bytes = left + 1}), Error::quota_exceeded);
  EXPECT_EQ(refusal(other(1), {.bytes = UINT64_MAX}), Error::quota_exceeded);
  EXPECT_EQ(refusal(other(2), {.bytes = left + 1}), Error::none);
}

TEST_F(QuotaTest, AllOthersTogetherGetHalf) {
  for (std::uint32_t i = 0; i < 4; ++i) add_slab(other(i), kLimit / 8);
  EXPECT_EQ(refusal(other(9), {.bytes = 1}), Error::quota_exceeded) << "within its own quota";
  add_slab(os::own_uid(), kLimit / 4);
  EXPECT_EQ(refusal(other(9), {.sessions = 1}), Error::none) << "the owner's count for nobody";
}

TEST_F(QuotaTest, PromisesAndViewedSlabsCountForAllOthersTogether) {
  // Two accounts, each within its quota: one was promised a quarter, the other views one.
  wire::AccessQuota half{};
  half.bytes = kLimit / 2;
  EXPECT_TRUE(node_->access().put_quota(wire::kEveryUid, half));
  SessionItem& promised = add_session(other(1));
  node_->ledger().reserve(promised.facts.index, kLimit / 4, monotonic_ns());
  EXPECT_EQ(refusal(other(9), {.bytes = kLimit / 4}), Error::none);
  EXPECT_EQ(refusal(other(9), {.bytes = kLimit / 4 + 1}), Error::quota_exceeded);
  add_slab(os::own_uid(), kLimit / 4);
  SessionItem& viewer = add_session(other(2));
  viewer.viewed.insert(node_->segments().all().begin()->first);
  EXPECT_EQ(refusal(other(9), {.bytes = 1}), Error::quota_exceeded);
  // The owner's own promises are nobody else's.
  SessionItem& owners = add_session(os::own_uid());
  node_->ledger().forget_reservations(promised.facts.index);
  node_->ledger().reserve(owners.facts.index, kLimit / 2, monotonic_ns());
  EXPECT_EQ(refusal(other(9), {.bytes = kLimit / 4}), Error::none);
}

TEST_F(QuotaTest, AQuotaAboveHalfDoesNotLiftTheCommonOne) {
  wire::AccessQuota greedy{};
  greedy.bytes = 10 * kLimit;
  greedy.descriptors = UINT32_MAX;
  greedy.connections = UINT32_MAX;
  EXPECT_TRUE(node_->access().put_quota(other(1), greedy));
  EXPECT_EQ(refusal(other(1), {.bytes = kLimit / 2}), Error::none);
  EXPECT_EQ(refusal(other(1), {.bytes = kLimit / 2 + 1}), Error::quota_exceeded);
  const auto half = static_cast<std::uint32_t>(os::descriptor_limit() / 2);
  EXPECT_EQ(refusal(other(1), {.connections = half + 1}), Error::quota_exceeded);
}

}  // namespace
}  // namespace tarn::daemon
