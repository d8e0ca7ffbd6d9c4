#include "tools/failure.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <sstream>

namespace tarn::tools {
namespace {

const Error kMissing(Error::not_found, "open the pipe", "pipe 'x'", "create it first");

std::string reported(const Failure& failure, bool json, bool color = false) {
  std::ostringstream err;
  report(failure, json, color, err);
  return err.str();
}

TEST(FailureTest, CarriesAllOfALibraryError) {
  const Failure failure{Error(Error::os, "open the file", "'a'", "make it", ENOENT)};
  EXPECT_EQ(failure.exit, ExitCode::failure);
  EXPECT_EQ(failure.code, "os");
  EXPECT_EQ(failure.attempted, "open the file");
  EXPECT_EQ(failure.object, "'a'");
  EXPECT_EQ(failure.cure, "make it");
  EXPECT_EQ(failure.system_error, ENOENT);
}

TEST(FailureTest, ForPeopleItNamesObjectCodeAndCure) {
  EXPECT_EQ(reported(Failure(kMissing), false),
            "tarn: cannot open the pipe: pipe 'x' (not_found)\n  cure: create it first\n");
}

TEST(FailureTest, WithoutObjectAndCureNothingDangles) {
  EXPECT_EQ(reported(Failure(ExitCode::failure, "os", "fork", "", "", EAGAIN), false),
            "tarn: cannot fork (os: Resource temporarily unavailable)\n");
}

TEST(FailureTest, ForProgramsItIsOneJsonObject) {
  const auto object = nlohmann::json::parse(reported(Failure(kMissing), true));
  EXPECT_EQ(object["code"], "not_found");
  EXPECT_EQ(object["attempted"], "open the pipe");
  EXPECT_EQ(object["object"], "pipe 'x'");
  EXPECT_EQ(object["cure"], "create it first");
  EXPECT_EQ(object["exit_code"], 3);
  EXPECT_FALSE(object.contains("system_error"));
}

TEST(FailureTest, TheSystemsReasonIsPartOfTheJson) {
  const Failure failure(ExitCode::failure, "os", "read", "standard input", "", EIO);
  const auto object = nlohmann::json::parse(reported(failure, true));
  EXPECT_EQ(object["system_error"]["number"], EIO);
}

TEST(FailureTest, ForeignNamesCannotSteerTheTerminal) {
  const Failure failure(ExitCode::usage, "usage", "read", "pipe '\x1b[2J'", "");
  EXPECT_EQ(reported(failure, false).find('\x1b'), std::string::npos);
  EXPECT_NE(reported(failure, false, true).find("\x1b[31m"), std::string::npos);
}

TEST(FailureTest, AWrongCommandLineIsExitCodeTwo) {
  EXPECT_EQ(usage_failure("--count 0", "give at least 1").exit, ExitCode::usage);
}

}  // namespace
}  // namespace tarn::tools
