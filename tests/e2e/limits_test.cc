// limits_test.cc - what happens where memory ends: an error that says which limit, who holds what,
// and never a SIGBUS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "tarn/tarn.h"
#include "testing/node_test.h"
#include "testing/pattern.h"

namespace tarn {
namespace {

using ::testing::HasSubstr;
using testkit::Arguments;

constexpr std::size_t kMiB = std::size_t{1} << 20;

// What a refused loan says; code none when it was not refused.
Error refusal_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    std::printf("%s\n", error.what());
    return error;
  }
  return Error(Error::none, "nothing was refused", "", "");
}

void expect_complete(const Error& error, Error::Code code) {
  EXPECT_EQ(name_of(error.code()), name_of(code));
  EXPECT_THAT(error.object(), HasSubstr("in use"));
  EXPECT_THAT(error.object(), HasSubstr("asked"));
  EXPECT_THAT(error.object(), HasSubstr("held by"));
  EXPECT_NE(error.cure(), "");
}

// Loans of one size until there are no more, each one written whole.
std::vector<Loan> loan_all(Session& session, std::size_t size_bytes, Error& refusal) {
  std::vector<Loan> loans;
  refusal = refusal_of([&] {
    for (;;) {
      loans.push_back(session.loan(size_bytes));
      testkit::fill_pattern(loans.back().bytes(), loans.size());
    }
  });
  for (std::size_t i = 0; i < loans.size(); ++i) {
    EXPECT_TRUE(testkit::has_pattern(loans[i].bytes(), i + 1));
  }
  return loans;
}

class LimitsTest : public testkit::NodeTest {};

TEST_F(LimitsTest, AFullDomainSaysWhoHoldsItsMemory) {
  start_node({"--limit", "16MiB"});
  Session holder = connect({.name = "the holder"});
  Session other = connect({.name = "the other"});
  EXPECT_EQ(holder.status().limit_bytes, 16 * kMiB);
  Error refusal(Error::none, "", "", "");
  std::vector<Loan> loans = loan_all(holder, 3 * kMiB, refusal);
  EXPECT_EQ(loans.size(), 5u);
  expect_complete(refusal, Error::domain_full);
  EXPECT_THAT(refusal.object(), HasSubstr("domain's limit is 16.0 MiB"));
  EXPECT_THAT(refusal.object(), HasSubstr("'the holder' (pid " + std::to_string(::getpid())));

  Pipe pipe = other.pipe("x");
  expect_complete(refusal_of([&] { pipe.loan(3 * kMiB); }), Error::domain_full);
  EXPECT_EQ(pipe.push(std::string(3 * kMiB, 'm')), PushStatus::no_memory);
  ASSERT_TRUE(other.last_refusal().has_value());
  expect_complete(*other.last_refusal(), Error::domain_full);
  EXPECT_LE(holder.status().used_bytes, 16 * kMiB);
  // What needs no memory goes on.
  EXPECT_EQ(pipe.push("drop"), PushStatus::ok);
  EXPECT_EQ(pipe.pop().message.text(), "drop");

  // A loan that comes back can be had again at once; a session that ends leaves all to others.
  loans.pop_back();
  EXPECT_NO_THROW(loans.push_back(holder.loan(3 * kMiB)));
  loans.clear();
  holder = Session();
  testkit::await([&] { return other.status().used_bytes < kMiB; });
  EXPECT_EQ(pipe.push(std::string(3 * kMiB, 'm')), PushStatus::ok);
  EXPECT_EQ(pipe.pop().message.size(), 3 * kMiB);
}

TEST_F(LimitsTest, IdleMemoryComesBackByItself) {
  start_node({"--limit", "16MiB"});
  Session holder = connect({.name = "the holder"});
  Session other = connect({.name = "the other"});
  holder.loan(10 * kMiB);
  EXPECT_EQ(refusal_of([&] { other.loan(10 * kMiB); }).code(), Error::domain_full);
  testkit::await([&] { return other.status().used_bytes == 0; });
  EXPECT_EQ(refusal_of([&] { other.loan(10 * kMiB); }).code(), Error::none);
}

TEST_F(LimitsTest, AQuotaEndsItsSessionAlone) {
  start_node({"--limit", "64MiB"});
  Session small = connect({.name = "small", .quota_bytes = 4 * kMiB});
  Session other = connect({.name = "other"});
  Error refusal(Error::none, "", "", "");
  std::vector<Loan> loans = loan_all(small, kMiB, refusal);
  EXPECT_EQ(loans.size(), 3u);
  expect_complete(refusal, Error::quota_exceeded);
  EXPECT_THAT(refusal.object(), HasSubstr("session's quota is 4.0 MiB"));
  Pipe pipe = small.pipe("x");
  EXPECT_EQ(pipe.push(std::string(kMiB, 'm')), PushStatus::no_memory);
  ASSERT_TRUE(small.last_refusal().has_value());
  EXPECT_EQ(small.last_refusal()->code(), Error::quota_exceeded);
  EXPECT_NO_THROW(other.loan(30 * kMiB));
  EXPECT_EQ(pipe.push(std::move(loans.back())), PushStatus::ok);
  EXPECT_TRUE(testkit::has_pattern(other.pipe("x").pop().message.bytes(), loans.size()));
}

TEST_F(LimitsTest, AMessageAboveTheLimitIsTooLarge) {
  start_node({"--limit", "4MiB"});
  Session session = connect();
  Pipe pipe = session.pipe("x");
  for (const std::size_t size_bytes :
       {4 * kMiB + 1, 100 * kMiB, std::size_t{1} << 47, ~std::size_t{0}}) {
    const Error refusal = refusal_of([&] { pipe.loan(size_bytes); });
    EXPECT_EQ(refusal.code(), Error::too_large);
    EXPECT_THAT(refusal.object(), HasSubstr(std::to_string(size_bytes)));
    EXPECT_EQ(refusal_of([&] { session.loan(size_bytes); }).code(), Error::too_large);
  }
  EXPECT_EQ(pipe.push(std::string(4 * kMiB + 1, 'm')), PushStatus::too_large);
  ASSERT_TRUE(session.last_refusal().has_value());
  EXPECT_EQ(session.last_refusal()->code(), Error::too_large);
  EXPECT_EQ(pipe.push(std::string(2 * kMiB, 'm')), PushStatus::ok);
}

// --- A control group ----------------------------------------------------------------------------

// Takes all the memory that it gets, writes all of it, and ends in order.
int take_all(const Arguments&) {
  Session session = connect({.name = "greedy"});
  Pipe pipe = session.pipe("x", {.capacity = 1000});
  Error refusal(Error::none, "", "", "");
  const std::size_t large = loan_all(session, 5 * kMiB, refusal).size();
  EXPECT_TRUE(refusal.code() == Error::no_memory || refusal.code() == Error::domain_full);
  Error small_refusal(Error::none, "", "", "");
  const std::size_t small = loan_all(session, 10'000, small_refusal).size();
  std::printf("%zu loans of 5 MiB, %zu of 10 kB\n", large, small);
  EXPECT_GT(large + small, 0u);
  // A consumer's own memory grows too: its rows.
  for (int i = 0; i < 1000; ++i) {
    const PushStatus status = pipe.push(std::string(5000, 'm'));
    if (status == PushStatus::no_memory) break;
    EXPECT_EQ(status, PushStatus::ok);
  }
  for (Popped popped = pipe.try_pop(); popped; popped = pipe.try_pop()) {
    EXPECT_EQ(popped->text(), std::string(5000, 'm'));
  }
  return 0;
}

// A memory control group of 64 MiB, version 1 or 2, where this machine lets us make one.
class MemoryGroup {
 public:
  MemoryGroup() {
    const std::string name = "tarn-test-" + std::to_string(::getpid());
    for (const char* base : {"/sys/fs/cgroup/memory", "/sys/fs/cgroup"}) {
      folder_ = std::filesystem::path(base) / name;
      std::error_code error;
      if (!std::filesystem::create_directory(folder_, error)) continue;
      if (put("memory.limit_in_bytes", "64M") || put("memory.max", "64M")) return;
      std::filesystem::remove(folder_, error);
    }
    folder_.clear();
  }
  ~MemoryGroup() {
    if (!is_there()) return;
    // The kernel lets go of the last process a little after its end.
    testkit::await([&] { return ::rmdir(folder_.c_str()) == 0; });
  }
  bool is_there() const { return !folder_.empty(); }
  // For a child, before it executes its program.
  void enter() const {
    if (!put("cgroup.procs", std::to_string(::getpid()))) ::_exit(98);
  }

 private:
  bool put(const char* file, const std::string& text) const {
    if (!std::filesystem::exists(folder_ / file)) return false;
    std::ofstream stream(folder_ / file);
    return static_cast<bool>(stream << text << std::flush);
  }
  std::filesystem::path folder_;
};

#if !defined(__SANITIZE_THREAD__)  // its shadow memory is larger than the groups here
class MemoryGroupTest : public testkit::NodeTest {
 protected:
  void SetUp() override {
    if (!group_.is_there()) GTEST_SKIP() << "no memory control group can be made here";
  }
  // The group goes when nobody is in it any more.
  void TearDown() override { EXPECT_TRUE(domain_.stop().is_success() || !group_.is_there()); }
  testkit::ChildTraits inside() {
    return {.before_exec = [this] { group_.enter(); }};
  }
  void take_all_and_again() {
    for (int round = 0; round < 3; ++round) {
      auto greedy = play("take_all", {}, inside());
      expect_success(greedy);
    }
    Session session = connect({.start_node = false});
    testkit::await([&] { return session.status().sessions == 1; });
  }
  MemoryGroup group_;
};

TEST_F(MemoryGroupTest, ANodeTakesHalfOfItsGroup) {
  start_node({}, inside());
  EXPECT_EQ(connect().status().limit_bytes, 32 * kMiB);
  take_all_and_again();
}

TEST_F(MemoryGroupTest, WhoeverPromisesMoreThanTheGroupHasStillRefusesInTime) {
  start_node({"--limit", "10GiB"}, inside());
  take_all_and_again();
}
#endif

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) {
  return tarn::testkit::run(argc, argv, {{"take_all", tarn::take_all}});
}
