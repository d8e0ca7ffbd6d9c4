#include "daemon/worker/registry/memory_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::daemon {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

std::string describe(std::uint32_t holder) { return "holder " + std::to_string(holder); }

Error::Code outcome(MemoryLedger& ledger, const MemoryWish& wish, std::int64_t now_ns = 0) {
  const auto checked = ledger.check(wish, now_ns, describe);
  return checked ? Error::none : checked.error().code();
}

TEST(MemoryLedgerTest, LimitIsReachedExactly) {
  MemoryLedger ledger(10 * kMiB);
  ledger.charge(1, 4 * kMiB);
  EXPECT_EQ(outcome(ledger, {2, 6 * kMiB, 0, {}}), Error::none);
  EXPECT_EQ(outcome(ledger, {2, 6 * kMiB + 1, 0, {}}), Error::domain_full);
  EXPECT_EQ(outcome(ledger, {2, UINT64_MAX, 0, {}}), Error::domain_full);
  ledger.refund(1, 4 * kMiB);
  EXPECT_EQ(outcome(ledger, {2, 10 * kMiB, 0, {}}), Error::none);
  EXPECT_EQ(ledger.used_bytes(), 0u);
}

TEST(MemoryLedgerTest, QuotaCountsItsOwnHolderAlone) {
  MemoryLedger ledger(100 * kMiB);
  ledger.charge(1, 5 * kMiB);
  ledger.charge(2, 50 * kMiB);
  EXPECT_EQ(outcome(ledger, {1, 3 * kMiB, 8 * kMiB, {}}), Error::none);
  EXPECT_EQ(outcome(ledger, {1, 3 * kMiB + 1, 8 * kMiB, {}}), Error::quota_exceeded);
  EXPECT_EQ(outcome(ledger, {1, 3 * kMiB, 4 * kMiB, {}}), Error::quota_exceeded);
}

TEST(MemoryLedgerTest, ReservationCountsUntilItIsRedeemedOrExpires) {
  MemoryLedger ledger(10 * kMiB);
  ledger.reserve(1, 6 * kMiB, 0);
  EXPECT_EQ(outcome(ledger, {2, 5 * kMiB, 0, {}}), Error::domain_full);
  EXPECT_EQ(outcome(ledger, {1, 1 * kMiB, 6 * kMiB, {}}), Error::quota_exceeded);
  ledger.redeem(1, 5 * kMiB);  // of another size: none
  ledger.redeem(2, 6 * kMiB);  // somebody else's: none
  EXPECT_EQ(outcome(ledger, {2, 5 * kMiB, 0, {}}), Error::domain_full);
  EXPECT_EQ(outcome(ledger, {2, 5 * kMiB, 0, {}}, kReservationLifeNs), Error::none);
  ledger.reserve(1, 6 * kMiB, 0);
  ledger.redeem(1, 6 * kMiB);
  EXPECT_EQ(outcome(ledger, {2, 10 * kMiB, 0, {}}), Error::none);
  ledger.reserve(1, 6 * kMiB, 0);
  ledger.forget_reservations(1);
  EXPECT_EQ(outcome(ledger, {2, 10 * kMiB, 0, {}}), Error::none);
}

TEST(MemoryLedgerTest, MachineWithoutMemoryIsAnErrorOfItsOwn) {
  MemoryLedger ledger(100 * kMiB);
  EXPECT_EQ(outcome(ledger, {1, 5 * kMiB, 0, 4 * kMiB}), Error::no_memory);
  EXPECT_EQ(outcome(ledger, {1, 5 * kMiB, 0, 5 * kMiB}), Error::none);
  ledger.reserve(2, 1 * kMiB, 0);  // promised, but not taken yet
  EXPECT_EQ(outcome(ledger, {1, 5 * kMiB, 0, 5 * kMiB}), Error::no_memory);
  EXPECT_EQ(outcome(ledger, {1, 5 * kMiB, 0, std::nullopt}), Error::none);
}

TEST(MemoryLedgerTest, RefusalNamesLimitUseWishAndTheThreeLargest) {
  MemoryLedger ledger(100 * kMiB);
  ledger.charge(1, 10 * kMiB);
  ledger.charge(2, 30 * kMiB);
  ledger.charge(3, 20 * kMiB);
  ledger.charge(4, 1 * kMiB);
  const auto refused = ledger.check({5, 50 * kMiB, 0, {}}, 0, describe);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().object(),
            "the domain's limit is 100.0 MiB, in use 61.0 MiB, asked 50.0 MiB; most is held by "
            "holder 2 (30.0 MiB), holder 3 (20.0 MiB), holder 1 (10.0 MiB)");
  EXPECT_THAT(refused.error().object(), Not(HasSubstr("holder 4")));
  EXPECT_THAT(refused.error().cure(), HasSubstr("--limit"));
}

TEST(MemoryLedgerTest, LongestRefusalFitsIntoItsMessage) {
  MemoryLedger ledger(100 * kMiB);
  for (std::uint32_t holder = 1; holder <= 3; ++holder) ledger.charge(holder, 30 * kMiB);
  const auto refused = ledger.check({5, 50 * kMiB, 0, {}}, 0, [](std::uint32_t holder) {
    return "session " + std::to_string(holder) + " '" + std::string(63, 'n') + "' (pid 4194304)";
  });
  EXPECT_LT(refused.error().object().size(), 512u);
  EXPECT_LT(refused.error().cure().size(), 512u);
}

TEST(MemoryLedgerTest, UsableIsLessThanWhatIsLeft) {
  os::MemoryLimits limits;
  limits.machine_bytes = 16384 * kMiB;
  limits.available_bytes = 1000 * kMiB;
  EXPECT_EQ(usable_bytes(limits), 936 * kMiB);
  limits.cgroup_bytes = 200 * kMiB;
  limits.cgroup_left_bytes = 100 * kMiB;
  EXPECT_EQ(usable_bytes(limits), 90 * kMiB);
  limits.cgroup_left_bytes = 0;
  EXPECT_EQ(usable_bytes(limits), 0u);
}

TEST(MemoryLedgerTest, SizesAreWrittenForPeople) {
  EXPECT_EQ(size_text(0), "0 bytes");
  EXPECT_EQ(size_text(8192), "8192 bytes");
  EXPECT_EQ(size_text(20480), "20.0 KiB");
  EXPECT_EQ(size_text(3 * kMiB / 2), "1.5 MiB");
  EXPECT_EQ(size_text(UINT64_MAX), "16777216.0 TiB");
}

}  // namespace
}  // namespace tarn::daemon
