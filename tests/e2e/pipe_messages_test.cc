// pipe_messages_test.cc - messages of all sizes and ways through pipes between processes, without a
// copy on the way.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tarn/tarn.h"
#include "testing/node_test.h"
#include "testing/pattern.h"
#include "testing/shared_board.h"

namespace tarn {
namespace {

using namespace std::chrono_literals;
using testkit::Arguments;

constexpr std::size_t kMiB = std::size_t{1} << 20;
const std::vector<std::size_t> kSizes = {0, 1, 48, 49, 4096, kMiB, 200 * kMiB};

// What a consumer says about a message. Fits into a slot.
struct Seen {
  std::uint64_t size_bytes;
  std::uint64_t is_whole;  // the bytes are the pattern of their size
  std::uint64_t address;
  std::uint64_t inode;   // of the memory that the address is mapped from; 0: none
  std::uint64_t offset;  // in that memory
};
static_assert(sizeof(Seen) <= kInlineBytes);

Seen look_at(std::span<const std::byte> bytes) {
  Seen seen{};
  seen.size_bytes = bytes.size();
  seen.is_whole = testkit::has_pattern(bytes, bytes.size()) ? 1 : 0;
  seen.address = reinterpret_cast<std::uint64_t>(bytes.data());
  const auto range = testkit::range_of(bytes.data());
  if (range.what.find("memfd:tarn-slab") != std::string::npos) {
    seen.inode = range.inode;
    seen.offset = seen.address - range.begin;
  }
  return seen;
}

// Says on `back` what it sees on its pipe, until that is closed.
int report_all(const Arguments& arguments) {
  Session session = connect({.name = "reporter"});
  Pipe in = session.pipe(arguments.at(1));
  Pipe back = session.pipe("back");
  for (;;) {
    const Popped popped = in.pop();
    if (popped.status == PopStatus::closed) return 0;
    if (!popped) return 2;
    if (back.push_object(look_at(popped.message.bytes())) != PushStatus::ok) return 3;
  }
}

// Passes everything from `in` on to `out`, moved; or to `out` and `copy`, shared.
int pass_on(const Arguments& arguments) {
  const bool shares = arguments.at(1) == "share";
  Session session = connect({.name = "middle"});
  Pipe in = session.pipe("in");
  Pipe out = session.pipe("out");
  Pipe copy = session.pipe("copy");
  while (Popped popped = in.pop()) {
    if (shares && copy.push(*popped) != PushStatus::ok) return 2;
    if (out.push(std::move(*popped)) != PushStatus::ok) return 3;
    EXPECT_EQ(popped->size(), 0u);
  }
  out.close();
  copy.close();
  return 0;
}

class PipeMessagesTest : public testkit::NodeTest {
 protected:
  PipeMessagesTest() {
    start_node();
    session_ = connect({.name = "test"});
  }
  static Loan filled(Pipe& pipe, std::size_t size_bytes) {
    Loan loan = pipe.loan(size_bytes);
    EXPECT_EQ(loan.size(), size_bytes);
    testkit::fill_pattern(loan.bytes(), size_bytes);
    return loan;
  }
  static std::vector<std::byte> pattern(std::size_t size_bytes) {
    std::vector<std::byte> bytes(size_bytes);
    testkit::fill_pattern(bytes, size_bytes);
    return bytes;
  }
  Seen next_report() {
    const Popped popped = back().pop();
    EXPECT_EQ(popped.status, PopStatus::ok);
    const Seen* seen = popped.message.get<Seen>();
    EXPECT_NE(seen, nullptr);
    return seen != nullptr ? *seen : Seen{};
  }
  void expect_whole(std::size_t size_bytes) {
    const Seen seen = next_report();
    EXPECT_EQ(seen.size_bytes, size_bytes);
    EXPECT_EQ(seen.is_whole, 1u) << size_bytes << " bytes";
    EXPECT_EQ(seen.inode != 0, size_bytes > kInlineBytes);
  }
  Pipe& back() {
    if (!back_) back_ = session_.pipe("back");
    return back_;
  }

  Session session_;
  Pipe back_;
};

TEST_F(PipeMessagesTest, LoansOfEverySizeArriveWhole) {
  auto reporter = play("report_all", {"forth"});
  Pipe forth = session_.pipe("forth");
  for (const std::size_t size_bytes : kSizes) {
    EXPECT_EQ(forth.push(filled(forth, size_bytes)), PushStatus::ok);
    expect_whole(size_bytes);
  }
  forth.close();
  expect_success(reporter);
}

TEST_F(PipeMessagesTest, CopiesOfEverySizeArriveWhole) {
  auto reporter = play("report_all", {"forth"});
  Pipe forth = session_.pipe("forth");
  for (const std::size_t size_bytes : kSizes) {
    const auto bytes = pattern(size_bytes);
    EXPECT_EQ(forth.push(bytes), PushStatus::ok);
    EXPECT_EQ(forth.push(bytes, 60s), PushStatus::ok);
    EXPECT_EQ(forth.try_push(bytes), PushStatus::ok);
    for (int i = 0; i < 3; ++i) expect_whole(size_bytes);
  }
  forth.close();
  expect_success(reporter);
}

TEST_F(PipeMessagesTest, ObjectsAndShrunkLoansArriveAsTheyAre) {
  struct Large {
    std::uint64_t words[100];
  };
  auto reporter = play("report_all", {"forth"});
  Pipe forth = session_.pipe("forth");
  Large large{};
  testkit::fill_pattern(std::as_writable_bytes(std::span(&large, 1)), sizeof large);
  EXPECT_EQ(forth.push_object(large), PushStatus::ok);
  expect_whole(sizeof large);
  std::uint32_t small = 0;
  testkit::fill_pattern(std::as_writable_bytes(std::span(&small, 1)), sizeof small);
  EXPECT_EQ(forth.push_object(small, 60s), PushStatus::ok);
  expect_whole(sizeof small);
  Loan loan = forth.loan(kMiB);
  testkit::fill_pattern(loan.bytes().first(5000), 5000);
  loan.shrink(5000);
  loan.shrink(6000);
  EXPECT_EQ(forth.push(std::move(loan)), PushStatus::ok);
  expect_whole(5000);
  forth.close();
  expect_success(reporter);
}

TEST_F(PipeMessagesTest, OneMessageStandsAtDifferentAddressesOfTheSameMemory) {
  if (!testkit::has_random_addresses()) GTEST_SKIP() << "addresses are not random here";
  auto first = play("report_all", {"to first"});
  auto second = play("report_all", {"to second"});
  std::vector<Seen> seen;
  for (const char* name : {"to first", "to second"}) {
    Pipe to = session_.pipe(name);
    Loan loan = filled(to, kMiB);
    seen.push_back(look_at(loan.bytes()));
    EXPECT_EQ(to.push(std::move(loan)), PushStatus::ok);
    seen.push_back(next_report());
    to.close();
  }
  for (const Seen& each : seen) {
    std::printf("inode %lu offset %lu at %#lx\n", each.inode, each.offset, each.address);
    EXPECT_EQ(each.is_whole, 1u);
  }
  EXPECT_EQ(seen[0].inode, seen[1].inode);
  EXPECT_EQ(seen[0].offset, seen[1].offset);
  EXPECT_NE(seen[0].address, seen[1].address);
  EXPECT_NE(seen[1].address, seen[3].address);
  expect_success(first);
  expect_success(second);
}

TEST_F(PipeMessagesTest, AMovedMessageStaysWhereItsProducerPutIt) {
  auto middle = play("pass_on", {"move"});
  auto sink = play("report_all", {"out"});
  Pipe in = session_.pipe("in");
  for (const std::size_t size_bytes : {std::size_t{7}, std::size_t{49}, kMiB, 20 * kMiB}) {
    Loan loan = filled(in, size_bytes);
    const Seen before = look_at(loan.bytes());
    EXPECT_EQ(in.push(std::move(loan)), PushStatus::ok);
    const Seen after = next_report();
    EXPECT_EQ(after.size_bytes, size_bytes);
    EXPECT_EQ(after.is_whole, 1u);
    EXPECT_EQ(after.inode, before.inode) << "somebody copied it";
    EXPECT_EQ(after.offset, before.offset);
  }
  in.close();
  expect_success(middle);
  expect_success(sink);
}

TEST_F(PipeMessagesTest, ASharedMessageStandsInOnePlaceForAllWhoGotIt) {
  auto middle = play("pass_on", {"share"});
  auto sink = play("report_all", {"out"});
  Pipe in = session_.pipe("in");
  Pipe copy = session_.pipe("copy");
  Loan loan = filled(in, kMiB);
  const Seen before = look_at(loan.bytes());
  EXPECT_EQ(in.push(std::move(loan)), PushStatus::ok);
  const Popped mine = copy.pop();
  const Seen theirs = next_report();
  in.close();
  expect_success(middle);
  expect_success(sink);
  // Those who had it are gone; ours is still held, whatever is loaned meanwhile.
  for (int i = 0; i < 8; ++i) testkit::fill_pattern(session_.loan(kMiB).bytes(), 1);
  const Seen here = look_at(mine.message.bytes());
  for (const Seen& each : {theirs, here}) {
    EXPECT_EQ(each.is_whole, 1u);
    EXPECT_EQ(each.inode, before.inode);
    EXPECT_EQ(each.offset, before.offset);
  }
}

TEST_F(PipeMessagesTest, AHeldMessageOfOnesOwnIsNotOverwritten) {
  Pipe own = session_.pipe("own");
  EXPECT_EQ(own.push(filled(own, 4096)), PushStatus::ok);
  const Popped held = own.pop();
  ASSERT_EQ(held.status, PopStatus::ok);
  for (int i = 0; i < 200; ++i) {
    Loan loan = own.loan(4096);
    testkit::fill_pattern(loan.bytes(), 1);
    EXPECT_EQ(own.push(std::move(loan)), PushStatus::ok);
    EXPECT_EQ(own.pop().status, PopStatus::ok);
    ASSERT_TRUE(testkit::has_pattern(held.message.bytes(), 4096)) << "overwritten in round " << i;
  }
}

TEST_F(PipeMessagesTest, MemoryIsUsedAgainWhenItsHoldersHaveLetGo) {
  auto reporter = play("report_all", {"forth"});
  Pipe forth = session_.pipe("forth");
  std::uint64_t after_some = 0;
  for (int i = 0; i < 400; ++i) {
    EXPECT_EQ(forth.push(filled(forth, 100'000)), PushStatus::ok);
    expect_whole(100'000);
    if (i == 20) after_some = session_.status().used_bytes;
  }
  EXPECT_LE(session_.status().used_bytes, after_some);
  forth.close();
  expect_success(reporter);
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) {
  return tarn::testkit::run(argc, argv,
                            {{"report_all", tarn::report_all}, {"pass_on", tarn::pass_on}});
}
