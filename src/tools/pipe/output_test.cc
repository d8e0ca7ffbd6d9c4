#include "tools/pipe/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>

#include "tools/failure.h"
#include "tools/stop_signals.h"

namespace tarn::tools {
namespace {

class OutputTest : public testing::Test {
 protected:
  OutputTest() : descriptor_(::memfd_create("output", 0)), output_(descriptor_) {}
  ~OutputTest() override { ::close(descriptor_); }
  std::string written() const {
    std::string text(static_cast<std::size_t>(::lseek(descriptor_, 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(descriptor_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return text;
  }

  int descriptor_;
  Output output_;
};

TEST_F(OutputTest, SmallPiecesWaitForTheFlush) {
  output_.write("a");
  output_.write("b");
  EXPECT_EQ(written(), "");
  output_.flush();
  EXPECT_EQ(written(), "ab");
  output_.flush();
  EXPECT_EQ(written(), "ab");
}

TEST_F(OutputTest, LargePiecesKeepTheirPlace) {
  const std::string large(1'000'000, 'x');
  output_.write("head ");
  output_.write(large);
  output_.write(" tail");
  output_.flush();
  EXPECT_EQ(written(), "head " + large + " tail");
}

TEST_F(OutputTest, ManySmallPiecesAreAllThere) {
  std::string expected;
  for (int i = 0; i < 50'000; ++i) {
    const std::string piece = std::to_string(i) + '\n';
    output_.write(piece);
    expected += piece;
  }
  output_.flush();
  EXPECT_EQ(written(), expected);
}

TEST(OutputFailureTest, AReaderThatLeftIsASignal) {
  const StopSignals signals;
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ::close(ends[0]);
  Output output(ends[1]);
  output.write("x");
  try {
    output.flush();
    FAIL() << "not noticed";
  } catch (const Interrupted& interrupted) {
    EXPECT_EQ(interrupted.signal_number, SIGPIPE);
  }
  ::close(ends[1]);
}

TEST(OutputFailureTest, AFullDeviceIsAnErrorWithACure) {
  const int full = ::open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  Output output(full);
  output.write("x");
  try {
    output.flush();
    FAIL() << "not noticed";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.system_error, ENOSPC);
    EXPECT_FALSE(failure.cure.empty());
  }
  ::close(full);
}

}  // namespace
}  // namespace tarn::tools
