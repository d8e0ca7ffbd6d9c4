// node_test.h - the fixture of tests with a real node, and main() for their programs.
//
// What a test leaves behind fails it: names in /dev/shm or the run directory, sessions, a daemon
// that still runs.
#pragma once

#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>

#include "testing/host_state.h"
#include "testing/process_fixture.h"

namespace tarn::testkit {

class NodeTest : public ::testing::Test {
 protected:
  NodeTest() {
    std::signal(SIGPIPE, SIG_IGN);
    set_watchdog();
    shared_names_ = names_below("/dev/shm");
  }
  ~NodeTest() override {
    stop_and_check();
    if (HasFailure()) std::fprintf(stderr, "the node's log:\n%s\n", domain_.log().c_str());
  }

  void start_node(const Arguments& options = {}, const ChildTraits& traits = {}) {
    ASSERT_TRUE(domain_.start(options, traits)) << domain_.start_report() << domain_.log();
  }
  std::filesystem::path board_file() const { return domain_.folder() / "board"; }
  Child play(std::string_view role, Arguments arguments = {}, const ChildTraits& traits = {}) {
    arguments.insert(arguments.begin(), domain_.folder());
    return Child::play(role, arguments, traits);
  }
  // The child ends by itself, with success.
  static void expect_success(Child& child) {
    const Ending& ending = child.wait();
    EXPECT_TRUE(ending.is_success()) << "child " << child.pid() << " ended with " << ending.text();
  }

  PrivateDomain domain_;

 private:
  void stop_and_check() {
    if (domain_.keeper_pid() != 0) {
      const Ending ending = domain_.stop();
      EXPECT_TRUE(ending.is_success()) << "tarnd ended with " << ending.text();
      EXPECT_EQ(names_below(domain_.folder() / "tarn"), std::set<std::string>());
    }
    EXPECT_EQ(names_below("/dev/shm"), shared_names_);
  }

  std::set<std::string> shared_names_;
};

// The test itself, or the role that a child was started for. A child fails when an expectation of
// its own fails.
inline int run(int argc, char** argv, const Roles& roles) {
  Arguments arguments;
  const Role* role = find_role(roles, argc, argv, arguments);
  ::testing::InitGoogleTest(&argc, argv);
  if (role == nullptr) {
    if (!GTEST_FLAG_GET(list_tests)) take_private_shared_names();
    return RUN_ALL_TESTS();
  }
  std::signal(SIGPIPE, SIG_IGN);
  set_watchdog();
  const int status = (*role)(arguments);
  const bool failed = ::testing::UnitTest::GetInstance()->ad_hoc_test_result().Failed();
  return status != 0 ? status : failed ? 1 : 0;
}

}  // namespace tarn::testkit
