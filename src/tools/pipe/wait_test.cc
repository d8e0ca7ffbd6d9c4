#include "tools/pipe/wait.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>

#include "tools/failure.h"

namespace tarn::tools {
namespace {

using std::chrono::milliseconds;

class WaitTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::pipe(ends_.data()), 0); }
  void TearDown() override {
    for (const int end : ends_) ::close(end);
  }
  int reading() const { return ends_[0]; }
  int writing() const { return ends_[1]; }

  StopSignals signals_;
  std::array<int, 2> ends_{};
};

TEST_F(WaitTest, BytesMakeItReady) {
  ASSERT_EQ(::write(writing(), "x", 1), 1);
  EXPECT_EQ(wait_for({reading(), POLLIN}, signals_, std::nullopt), Wake::ready);
}

TEST_F(WaitTest, TheEndOfInputMakesItReady) {
  ::close(ends_[1]);
  EXPECT_EQ(wait_for({reading(), POLLIN}, signals_, std::nullopt), Wake::ready);
  ends_[1] = ::dup(ends_[0]);
}

TEST_F(WaitTest, TheDeadlineEndsIt) {
  EXPECT_EQ(wait_for({reading(), POLLIN}, signals_, until(milliseconds(5))), Wake::timed_out);
}

TEST_F(WaitTest, ItLooksOnceAfterTheDeadline) {
  ASSERT_EQ(::write(writing(), "x", 1), 1);
  EXPECT_EQ(wait_for({reading(), POLLIN}, signals_, Clock::now() - milliseconds(1)), Wake::ready);
}

TEST_F(WaitTest, TheReadersEndIsNoticed) {
  std::array<int, 2> idle{};
  ASSERT_EQ(::pipe(idle.data()), 0);
  ::close(idle[0]);
  EXPECT_EQ(wait_for({reading(), POLLIN, idle[1]}, signals_, std::nullopt), Wake::reader_gone);
  ::close(idle[1]);
}

TEST_F(WaitTest, ASignalInterruptsIt) {
  std::raise(SIGTERM);
  EXPECT_THROW(wait_for({reading(), POLLIN}, signals_, std::nullopt), Interrupted);
}

TEST(UntilTest, AnEternityIsForEver) {
  EXPECT_FALSE(until(std::nullopt));
  EXPECT_FALSE(until(std::chrono::nanoseconds::max()));
  EXPECT_TRUE(until(milliseconds(1)));
}

}  // namespace
}  // namespace tarn::tools
