// doctor_fixture.h - a domain of its own for each test of the doctor.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tarn/tarn.h"
#include "testing/findings.h"

namespace tarn {

namespace fs = std::filesystem;

// Below a temporary $XDG_RUNTIME_DIR, which goes with the test, as does the node that it started.
class DoctorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "tarn-doctor-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    ::setenv("XDG_RUNTIME_DIR", root_.c_str(), 1);
    ::setenv("TARN_DAEMON", TARN_TEST_BIN_DIR "/tarnd", 1);
    directory_ = run_directory(options());
  }

  void TearDown() override {
    if (stopped_ != 0) ::kill(stopped_, SIGCONT);
    try {
      stop_node(options(), true);
    } catch (const Error& error) {
      // Tests without a node leave directories that no node would use. After a test that failed
      // half-way, its node must not outlive the directory.
      if (keeper_ != 0) {
        ADD_FAILURE() << error.what();
        ::kill(keeper_, SIGKILL);
      }
    }
    fs::remove_all(root_);
  }

  static ConnectOptions options() {
    ConnectOptions options;
    options.application = "doctor";
    options.user = "patient";
    options.start_node = false;
    options.observer = true;
    return options;
  }

  void make_directory() {
    for (fs::path level = directory_; level != root_; level = level.parent_path()) {
      fs::create_directories(level);
      fs::permissions(level, fs::perms::owner_all);
    }
  }

  NodeStatus start() {
    start_node(options());
    const NodeStatus status = connect(options()).status();
    keeper_ = status.keeper_pid;
    return status;
  }

  fs::path root_;
  fs::path directory_;
  pid_t keeper_ = 0;
  pid_t stopped_ = 0;
};

}  // namespace tarn
