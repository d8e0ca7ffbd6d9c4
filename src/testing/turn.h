// turn.h - one process gives it, another one waits for it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

namespace tarn::testing {

// Made before the fork; as often as it is given it can be awaited.
class Turn {
 public:
  Turn() { EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0); }
  ~Turn() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  void give() const { EXPECT_EQ(::write(ends_[1], "x", 1), 1); }
  void await() const {
    char one = 0;
    EXPECT_EQ(::read(ends_[0], &one, 1), 1);
  }

 private:
  std::array<int, 2> ends_{};
};

}  // namespace tarn::testing
