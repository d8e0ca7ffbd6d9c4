// region_fixture.h - regions of a test's own: every program below runs in a private run directory,
// where the first one starts the node.
#pragma once

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "shmboot.h"
#include "tarn/node.h"
#include "tarn/tarn.h"
#include "testing/node_test.h"

namespace tarn::testkit {

// The region of all these tests.
inline constexpr const char* kRegion = "mempool";

class RegionTest : public NodeTest {
 protected:
  RegionTest() {
    ::setenv("TARN_DAEMON", PrivateDomain::daemon_path().c_str(), 1);
    ::unsetenv("TARN_APPLICATION");
  }
  ~RegionTest() override { end_node(); }

  static ConnectOptions options() {
    return {.application = std::string("picklingtools.") + kRegion};
  }
  static Session observer() {
    ConnectOptions how = options();
    how.observer = true;
    return connect(how);
  }
  static void end_node() {
    try {
      stop_node(options(), true);
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
  }

  // An example program, whose output goes to a file.
  Child example(const std::string& name, const Arguments& arguments, std::string as = {}) {
    Arguments words = {std::string(TARN_TEST_BIN_DIR) + "/picklingtools-" + name};
    words.insert(words.end(), arguments.begin(), arguments.end());
    if (as.empty()) as = name;
    const std::string file = output_of(as);
    ChildTraits traits;
    traits.before_exec = [file] {
      if (std::freopen(file.c_str(), "w", stdout) == nullptr) std::abort();
    };
    traits.error_file = file + ".errors";
    return Child::execute(words, traits);
  }
  std::string output_of(const std::string& name) const {
    return (domain_.folder() / (name + ".out")).string();
  }
  std::string read(const std::string& file) const {
    std::ifstream in(file);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  void expect_success_of(Child& child, const std::string& name) {
    const Ending& ending = child.wait();
    EXPECT_TRUE(ending.is_success()) << name << ": " << ending.text() << "\n"
                                     << read(output_of(name) + ".errors");
  }
};

// One pipe, through which this process passes values to itself.
class PassingTest : public RegionTest {
 protected:
  PassingTest() : main_(kRegion, 1000000), server_(kRegion, "pipe", 64) {
    main_.start();
    server_.start();
  }
  Val passed(const Val& value) {
    server_.pipe().enq(value);
    return server_.pipe().deq();
  }

  SHMMain main_;
  ServerSide server_;
};

}  // namespace tarn::testkit
