// cli_access_test.cc - `tarn access`, and `tarn --owner` as another account.
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/e2e/cli_fixture.h"

namespace tarn::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

class CliAccessTest : public CliTest {
 protected:
  CliAccessTest() {
    doors_ = folder_.string() + "-doors";
    ::mkdir(doors_.c_str(), 01777);
    ::chmod(doors_.c_str(), 01777);
    ::setenv("TARN_DOORS", doors_.c_str(), 1);
  }
  ~CliAccessTest() override {
    run({"down", "--force"});
    EXPECT_TRUE(names_in(doors_).empty());
    std::filesystem::remove_all(doors_);
    ::unsetenv("TARN_DOORS");
  }
  std::string doors_;
};

TEST_F(CliAccessTest, ShowsNobodyAtFirst) {
  expect_error({"access"}, 8, "node_unavailable");
  output_of({"up"});
  const Json access = json_of({"access"});
  EXPECT_EQ(access["open"], false);
  EXPECT_EQ(access["owner_uid"], ::getuid());
  EXPECT_TRUE(access["rules"].empty());
  EXPECT_THAT(output_of({"access"}), HasSubstr("nobody"));
}

TEST_F(CliAccessTest, AllowDenyForgetAndResetAreShown) {
  output_of({"up"});
  EXPECT_THAT(output_of({"access", "allow", "user:40001", "read-write"}),
              HasSubstr("user:40001 may use the domain"));
  const Json rule = json_of({"access", "allow", "group:40100", "read", "--pipe", "lab-*"});
  EXPECT_EQ(rule["subject"], "group:40100");
  EXPECT_EQ(rule["right"], "read");
  EXPECT_EQ(rule["pipe"], "lab-*");
  output_of({"access", "deny", "40002", "--disconnect"});
  const Json access = json_of({"access"});
  EXPECT_EQ(access["open"], true);
  ASSERT_EQ(access["rules"].size(), 3u);
  EXPECT_EQ(access["rules"][2]["right"], "none");
  EXPECT_THAT(access["door"].get<std::string>(), HasSubstr(doors_));
  EXPECT_THAT(output_of({"access"}), HasSubstr("pipe lab-*"));
  output_of({"access", "forget", "40002"});
  expect_error({"access", "forget", "40002"}, 3, "not_found");
  EXPECT_EQ(json_of({"access"})["rules"].size(), 2u);
  output_of({"access", "reset"});
  EXPECT_EQ(json_of({"access"})["open"], false);
  EXPECT_TRUE(names_in(doors_).empty());
}

TEST_F(CliAccessTest, QuotasAreShown) {
  output_of({"up"});
  output_of({"access", "quota", "40001", "--memory", "5MiB", "--pipes", "3"});
  output_of({"access", "quota", "each", "--sessions", "7"});
  const Json accounts = json_of({"access"})["accounts"];
  ASSERT_EQ(accounts.size(), 2u);
  EXPECT_EQ(accounts[0]["uid"], nullptr);
  EXPECT_EQ(accounts[0]["quota"]["sessions"], 7);
  EXPECT_EQ(accounts[1]["uid"], 40001);
  EXPECT_EQ(accounts[1]["quota"]["bytes"], 5 << 20);
  EXPECT_EQ(accounts[1]["quota"]["pipes"], 3);
  EXPECT_EQ(accounts[1]["quota"]["sessions"], 7) << "what was not set is the default's";
  output_of({"access", "quota", "40001", "--forget"});
  EXPECT_EQ(json_of({"access"})["accounts"].size(), 1u);
}

TEST_F(CliAccessTest, MistakesAreExplained) {
  output_of({"up"});
  expect_error({"access", "allow", "no-such-account", "read"}, 2, "invalid_argument");
  expect_error({"access", "allow", "group:no-such-group", "read"}, 2, "invalid_argument");
  expect_error({"access", "allow", "40001", "write"}, 2, "invalid_argument");
  expect_error({"access", "allow", "40001", "read", "--pipe", "a*b"}, 2, "invalid_argument");
  expect_error({"access", "quota", "group:40100", "--pipes", "1"}, 2, "invalid_argument");
  expect_error({"--owner", "no-such-account", "status"}, 2, "invalid_argument");
  expect_error({"up", "--access", "40001"}, 2, "invalid_argument");
  EXPECT_TRUE(json_of({"access"})["rules"].empty());
}

TEST_F(CliAccessTest, UpTakesRules) {
  output_of({"up", "--access", "40001:read", "--access", "world:read:pipe=results"});
  EXPECT_EQ(json_of({"access"})["rules"].size(), 2u);
}

TEST_F(CliAccessTest, AnotherAccountUsesWhatItMay) {
  if (::getuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  output_of({"up", "--access", "40001:read-write:pipe=lab-*"});
  output_of({"pipe", "create", "secret"});
  // The build may stand where others may not go: the programs are copied.
  const std::string programs = doors_ + "-programs";
  ::mkdir(programs.c_str(), 0755);
  ::chmod(programs.c_str(), 0755);
  std::filesystem::copy_file(TARN_TEST_BIN_DIR "/tarn", programs + "/tarn");
  const auto as_bob = [&](const Words& words) {
    Program::Arguments all{"/usr/bin/setpriv", "--reuid",          "40001",   "--regid", "40001",
                           "--clear-groups",   programs + "/tarn", "--owner", "0"};
    all.insert(all.end(), words.begin(), words.end());
    return Program(all).wait();
  };
  EXPECT_EQ(as_bob({"pipe", "push", "lab-1", "--message", "hello"}).exit_code, 0);
  EXPECT_EQ(output_of({"pipe", "pop", "lab-1"}), "hello\n");
  const Outcome list = as_bob({"pipe", "ls"});
  EXPECT_THAT(list.out, HasSubstr("lab-1"));
  EXPECT_THAT(list.out, Not(HasSubstr("secret")));
  EXPECT_EQ(as_bob({"pipe", "push", "secret", "--message", "x"}).exit_code, 7);
  for (const Words& words :
       {Words{"access"}, Words{"down", "--force"}, Words{"access", "reset"}, Words{"doctor"}}) {
    const Outcome refused = as_bob(words);
    EXPECT_EQ(refused.exit_code, 7) << words.front() << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("access_denied")) << words.front();
  }
  std::filesystem::remove_all(programs);
}

}  // namespace
}  // namespace tarn::e2e
