// cli_bad_input_test.cc - what cannot be: each a clear error with code, object and cure, and
// nobody else notices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/e2e/cli_fixture.h"

namespace tarn::e2e {
namespace {

class CliBadInputTest : public CliTest {};

TEST_F(CliBadInputTest, CapacitiesThatCannotBe) {
  for (const auto* capacity : {"0", "-1", "1048577", "9223372036854775807"}) {
    expect_error({"pipe", "create", "x", "--capacity", capacity}, 2, "invalid_argument");
    expect_error({"pipe", "push", "x", "-m", "a", "--capacity", capacity}, 2, "invalid_argument");
  }
  expect_error({"pipe", "create", "x", "--capacity", "99999999999999999999"}, 2, "usage");
  expect_error({"pipe", "create", "x", "--capacity", "many"}, 2, "usage");
  EXPECT_EQ(json_of({"pipe", "ls"}), Json::array());
}

TEST_F(CliBadInputTest, TheLargestAndLongestThatCanBe) {
  const std::string longest(63, 'n');
  EXPECT_EQ(json_of({"pipe", "create", longest, "--capacity", "1"})["name"], longest);
  EXPECT_EQ(json_of({"pipe", "create", "big", "--capacity", "1048576"})["capacity"], 1048576);
}

TEST_F(CliBadInputTest, NamesThatCannotBe) {
  output_of({"up"});
  for (const std::string& name :
       {std::string(), std::string(64, 'n'), std::string(100'000, 'n'), std::string("a/b"),
        std::string("a\nb"), std::string("\x1b[2J"), std::string("\x7f")}) {
    for (const auto* verb : {"create", "info", "close", "rm", "pop", "push"}) {
      expect_error({"pipe", verb, name}, 2, "invalid_argument");
    }
  }
  EXPECT_EQ(json_of({"pipe", "ls"}), Json::array());
}

TEST_F(CliBadInputTest, KeysThatCannotBe) {
  for (const std::string& key : {std::string("a/b"), std::string(".."), std::string(".hidden"),
                                 std::string("a b"), std::string(64, 'k'), std::string("\n")}) {
    expect_error({"--application", key, "up"}, 2, "invalid_argument");
    expect_error({"--user", key, "status"}, 2, "invalid_argument");
  }
  expect_error({"--application", "", "up"}, 2, "usage");
}

TEST_F(CliBadInputTest, WhatIsNotThere) {
  output_of({"up"});
  for (const auto* verb : {"info", "close", "rm", "pop"}) {
    expect_error({"pipe", verb, "nothing"}, 3, "not_found");
  }
}

TEST_F(CliBadInputTest, WhatIsThereAlready) {
  output_of({"pipe", "create", "x", "--capacity", "8"});
  expect_error({"pipe", "create", "x"}, 10, "exists");
  expect_error({"pipe", "push", "x", "-m", "a", "--capacity", "9"}, 10, "option_mismatch");
  expect_error({"pipe", "push", "x", "-m", "a", "--delivery", "at_least_once"}, 10,
               "option_mismatch");
  output_of({"pipe", "push", "x", "-m", "a", "--capacity", "8"});
}

TEST_F(CliBadInputTest, AMessageAboveEveryLimit) {
  output_of({"up"});
  for (const auto* block : {"1TiB", "4000000TiB"}) {
    const Outcome outcome = run({"--json", "pipe", "push", "x", "--block", block}, "a");
    EXPECT_EQ(outcome.exit_code, 6) << outcome.err;
    const Json error = Json::parse(outcome.err, nullptr, false);
    ASSERT_TRUE(error.is_object()) << outcome.err;
    EXPECT_NE(error["cure"], "");
    EXPECT_NE(error["object"], "");
  }
  EXPECT_EQ(json_of({"pipe", "info", "x"})["pushed"], 0);
}

TEST_F(CliBadInputTest, ASocketPathThatIsTooLong) {
  const std::filesystem::path deep = folder_ / std::string(100, 'd');
  std::filesystem::create_directory(deep);
  std::filesystem::permissions(deep, std::filesystem::perms::owner_all);
  ::setenv("XDG_RUNTIME_DIR", deep.c_str(), 1);
  expect_error({"up"}, 2, "invalid_argument");
  expect_error({"status"}, 2, "invalid_argument");
}

TEST_F(CliBadInputTest, ARunDirectoryThatIsALink) {
  std::filesystem::create_directory(folder_ / "elsewhere");
  std::filesystem::create_directory_symlink(folder_ / "elsewhere", folder_ / "tarn");
  expect_error({"up"}, 7, "unsafe_directory");
  EXPECT_TRUE(names_in(folder_ / "elsewhere").empty());
}

TEST_F(CliBadInputTest, ARunDirectoryThatOthersMayWrite) {
  std::filesystem::create_directory(folder_ / "tarn");
  ::chmod((folder_ / "tarn").c_str(), 0777);
  expect_error({"up"}, 7, "unsafe_directory");
}

TEST_F(CliBadInputTest, ARunDirectoryOfSomebodyElse) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  std::filesystem::create_directory(folder_ / "tarn");
  ::chmod((folder_ / "tarn").c_str(), 0700);
  ASSERT_EQ(::chown((folder_ / "tarn").c_str(), 65534, 65534), 0);
  expect_error({"up"}, 7, "unsafe_directory");
}

TEST_F(CliBadInputTest, StandardInputThatCannotBeRead) {
  Program push({"/bin/sh", "-c", "exec \"$0\" pipe push x < /", TARN_TEST_BIN_DIR "/tarn"});
  const Outcome outcome = push.wait();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, testing::HasSubstr("standard input"));
}

TEST_F(CliBadInputTest, ABlockThatDoesNotFit) {
  output_of({"pipe", "push", "x"}, "abc\nde\nfgh\n");
  const Outcome outcome = run({"pipe", "pop", "x", "--count", "3", "--block", "3"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.out, "abcde");
  EXPECT_THAT(outcome.err, testing::HasSubstr("block_mismatch"));
}

}  // namespace
}  // namespace tarn::e2e
