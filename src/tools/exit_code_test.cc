#include "tools/exit_code.h"

#include <gtest/gtest.h>

namespace tarn::tools {
namespace {

TEST(ExitCodeTest, NumbersAreThoseOfTheDocumentation) {
  EXPECT_EQ(static_cast<int>(ExitCode::ok), 0);
  EXPECT_EQ(static_cast<int>(ExitCode::failure), 1);
  EXPECT_EQ(static_cast<int>(ExitCode::usage), 2);
  EXPECT_EQ(static_cast<int>(ExitCode::not_found), 3);
  EXPECT_EQ(static_cast<int>(ExitCode::timed_out), 4);
  EXPECT_EQ(static_cast<int>(ExitCode::closed), 5);
  EXPECT_EQ(static_cast<int>(ExitCode::limit), 6);
  EXPECT_EQ(static_cast<int>(ExitCode::denied), 7);
  EXPECT_EQ(static_cast<int>(ExitCode::unavailable), 8);
  EXPECT_EQ(static_cast<int>(ExitCode::findings), 9);
  EXPECT_EQ(static_cast<int>(ExitCode::mismatch), 10);
}

TEST(ExitCodeTest, EachIsExplainedOnceAndInOrder) {
  int expected = 0;
  for (const ExitCodeMeaning& entry : exit_codes()) {
    EXPECT_EQ(static_cast<int>(entry.code), expected++);
    EXPECT_FALSE(entry.meaning.empty());
  }
  EXPECT_EQ(expected, 11);
}

TEST(ExitCodeTest, ErrorsMapToWhatAScriptCanDoAboutThem) {
  EXPECT_EQ(exit_code_of(Error::invalid_argument), ExitCode::usage);
  EXPECT_EQ(exit_code_of(Error::not_found), ExitCode::not_found);
  EXPECT_EQ(exit_code_of(Error::exists), ExitCode::mismatch);
  EXPECT_EQ(exit_code_of(Error::option_mismatch), ExitCode::mismatch);
  EXPECT_EQ(exit_code_of(Error::closed), ExitCode::closed);
  EXPECT_EQ(exit_code_of(Error::access_denied), ExitCode::denied);
  EXPECT_EQ(exit_code_of(Error::unsafe_directory), ExitCode::denied);
  EXPECT_EQ(exit_code_of(Error::node_unavailable), ExitCode::unavailable);
  EXPECT_EQ(exit_code_of(Error::node_lost), ExitCode::unavailable);
  EXPECT_EQ(exit_code_of(Error::busy), ExitCode::failure);
}

TEST(ExitCodeTest, EveryLimitIsTheSameToAScript) {
  for (const Error::Code code : {Error::too_large, Error::domain_full, Error::quota_exceeded,
                                 Error::no_memory, Error::no_descriptors, Error::table_full}) {
    EXPECT_EQ(exit_code_of(code), ExitCode::limit) << name_of(code);
  }
}

TEST(ExitCodeTest, OnlySuccessIsZero) {
  for (int code = Error::none + 1; code <= Error::os; ++code) {
    EXPECT_NE(exit_code_of(static_cast<Error::Code>(code)), ExitCode::ok) << code;
  }
  EXPECT_EQ(exit_code_of(static_cast<Error::Code>(200)), ExitCode::failure);
}

TEST(ExitCodeTest, StatusesOfTheDataPathMapLikeErrors) {
  EXPECT_EQ(exit_code_of(PushStatus::ok), ExitCode::ok);
  EXPECT_EQ(exit_code_of(PushStatus::timed_out), ExitCode::timed_out);
  EXPECT_EQ(exit_code_of(PushStatus::closed), ExitCode::closed);
  EXPECT_EQ(exit_code_of(PushStatus::too_large), ExitCode::limit);
  EXPECT_EQ(exit_code_of(PushStatus::no_memory), ExitCode::limit);
  EXPECT_EQ(exit_code_of(PopStatus::ok), ExitCode::ok);
  EXPECT_EQ(exit_code_of(PopStatus::timed_out), ExitCode::timed_out);
  EXPECT_EQ(exit_code_of(PopStatus::closed), ExitCode::closed);
  EXPECT_EQ(exit_code_of(PopStatus::corrupt), ExitCode::failure);
}

}  // namespace
}  // namespace tarn::tools
