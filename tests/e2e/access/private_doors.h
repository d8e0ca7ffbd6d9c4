// private_doors.h - a folder of a test's own for the doors of its nodes, in place of the public
// one.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

namespace tarn::raw {

// While it lives, $TARN_DOORS names it.
class PrivateDoors {
 public:
  PrivateDoors() : path_("/tmp/tarn-doors-XXXXXX") {
    EXPECT_NE(::mkdtemp(path_.data()), nullptr);
    EXPECT_EQ(::chmod(path_.c_str(), 01777), 0);
    ::setenv("TARN_DOORS", path_.c_str(), 1);
  }
  PrivateDoors(const PrivateDoors&) = delete;
  PrivateDoors& operator=(const PrivateDoors&) = delete;
  ~PrivateDoors() {
    std::filesystem::remove_all(path_);
    ::unsetenv("TARN_DOORS");
  }

  const std::string& path() const { return path_; }
  bool is_empty() const { return std::filesystem::is_empty(path_); }

 private:
  std::string path_;
};

}  // namespace tarn::raw
