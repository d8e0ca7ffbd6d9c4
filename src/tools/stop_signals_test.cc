#include "tools/stop_signals.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "tools/failure.h"

namespace tarn::tools {
namespace {

bool is_readable(int descriptor) {
  pollfd entry{descriptor, POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

TEST(StopSignalsTest, NothingHasArrivedAtFirst) {
  const StopSignals signals;
  EXPECT_EQ(signals.arrived(), 0);
  EXPECT_FALSE(is_readable(signals.descriptor()));
  EXPECT_NO_THROW(signals.check());
}

TEST(StopSignalsTest, TheFirstSignalIsNotedAndWakes) {
  const StopSignals signals;
  std::raise(SIGTERM);
  EXPECT_EQ(signals.arrived(), SIGTERM);
  EXPECT_TRUE(is_readable(signals.descriptor()));
  try {
    signals.check();
    FAIL() << "check() did not throw";
  } catch (const Interrupted& interrupted) {
    EXPECT_EQ(interrupted.signal_number, SIGTERM);
  }
}

TEST(StopSignalsTest, TheNextOneBeginsAnew) {
  { StopSignals().arrived(); }
  const StopSignals signals;
  EXPECT_EQ(signals.arrived(), 0);
}

TEST(StopSignalsTest, ABrokenPipeIsAnErrorMeanwhile) {
  const StopSignals signals;
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ::close(ends[0]);
  EXPECT_EQ(::write(ends[1], "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  ::close(ends[1]);
}

TEST(StopSignalsDeathTest, TheSecondSignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        const StopSignals signals;
        std::raise(SIGINT);
        std::raise(SIGINT);
      },
      testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace tarn::tools
