#include "tools/app.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace tarn::tools {
namespace {

struct Outcome {
  ExitCode code;
  std::string out;
  std::string err;
};

Outcome run_with(const std::vector<const char*>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  const ExitCode code = run(arguments, out, err);
  return {code, out.str(), err.str()};
}

// Every command, and what stands before its own options.
const std::vector<std::vector<const char*>> kCommands = {{"up"},
                                                         {"down"},
                                                         {"status"},
                                                         {"doctor"},
                                                         {"check"},
                                                         {"pipe"},
                                                         {"pipe", "ls"},
                                                         {"pipe", "info"},
                                                         {"pipe", "push"},
                                                         {"pipe", "pop"},
                                                         {"pipe", "create"},
                                                         {"pipe", "close"},
                                                         {"pipe", "rm"},
                                                         {"session"},
                                                         {"session", "ls"},
                                                         {"top"},
                                                         {"value"},
                                                         {"value", "convert"},
                                                         {"value", "show"},
                                                         {"value", "check"},
                                                         {"bench"},
                                                         {"version"},
                                                         {"completion"},
                                                         {"completion", "bash"}};

TEST(AppTest, AWordThatLooksLikeACommandIsAnsweredWithIt) {
  EXPECT_NE(run_with({"pip", "ls"}).err.find("did you mean 'pipe'?"), std::string::npos);
  EXPECT_NE(run_with({"pipe", "list"}).err.find("did you mean 'ls'?"), std::string::npos);
  EXPECT_EQ(run_with({"pipe", "frobnicate"}).err.find("did you mean"), std::string::npos);
}

TEST(AppTest, TheHelpListsCommandsAndExitCodes) {
  const Outcome outcome = run_with({"--help"});
  EXPECT_EQ(outcome.code, ExitCode::ok);
  EXPECT_EQ(outcome.err, "");
  for (const auto* word : {"doctor", "pipe", "completion", "Exit codes:", "access denied"}) {
    EXPECT_NE(outcome.out.find(word), std::string::npos) << word;
  }
}

TEST(AppTest, EveryCommandHasHelpWithAnExample) {
  for (std::vector<const char*> command : kCommands) {
    const std::string name = command.back();
    command.push_back("--help");
    const Outcome outcome = run_with(command);
    EXPECT_EQ(outcome.code, ExitCode::ok) << name;
    EXPECT_NE(outcome.out.find("Examples:\n  "), std::string::npos) << name;
  }
}

TEST(AppTest, HelpLinesFitATerminal) {
  for (std::vector<const char*> command : kCommands) {
    command.push_back("--help");
    std::istringstream lines(run_with(command).out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 120u) << line;
  }
}

TEST(AppTest, EveryWrongCommandLineIsExitCodeTwoAndNamesTheCure) {
  const std::vector<std::vector<const char*>> wrong = {
      {"frobnicate"},
      {"pipe"},
      {"pipe", "frobnicate"},
      {"pipe", "info"},
      {"pipe", "ls", "extra"},
      {"--frobnicate", "up"},
      {"--color", "blue", "version"},
      {"--application", "", "version"},
      {"--user"},
      {"pipe", "create", "x", "--capacity", "many"},
      {"pipe", "create", "x", "--capacity", "99999999999999999999"},
      {"pipe", "create", "x", "--delivery", "exactly_once"},
      {"pipe", "push", "x", "--block", "0"},
      {"pipe", "push", "x", "--block", "-1"},
      {"pipe", "push", "x", "--block", "16", "--whole"},
      {"pipe", "push", "x", "--timeout", "soon"},
      {"pipe", "pop", "x", "--count", "0"},
      {"pipe", "pop", "x", "--count", "-3"},
      {"pipe", "pop", "x", "--follow", "--all"},
      {"pipe", "pop", "x", "--raw", "--line"},
      {"top", "--interval", "never"},
  };
  for (const auto& arguments : wrong) {
    const Outcome outcome = run_with(arguments);
    EXPECT_EQ(outcome.code, ExitCode::usage) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err.find("(usage)\n  cure: see 'tarn"), std::string::npos) << outcome.err;
  }
}

TEST(AppTest, AWrongCommandLineIsReportedAsJsonWhenThatWasAskedFor) {
  const Outcome outcome = run_with({"pipe", "info", "--json"});
  EXPECT_EQ(outcome.code, ExitCode::usage);
  const auto error = nlohmann::json::parse(outcome.err);
  EXPECT_EQ(error["code"], "usage");
  EXPECT_EQ(error["exit_code"], 2);
  EXPECT_EQ(error["object"], "NAME is required");
  EXPECT_EQ(error["cure"], "see 'tarn pipe info --help'");
}

TEST(AppTest, NoCommandAtAllShowsTheHelpAsAnError) {
  const Outcome outcome = run_with({});
  EXPECT_EQ(outcome.code, ExitCode::usage);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("Subcommands:"), std::string::npos);
}

TEST(AppTest, GlobalOptionsMayStandBeforeAndAfterTheCommand) {
  const auto before = nlohmann::json::parse(run_with({"--json", "version"}).out);
  const auto after = nlohmann::json::parse(run_with({"version", "--json"}).out);
  EXPECT_EQ(before, after);
  EXPECT_TRUE(before["version"].is_string());
}

TEST(AppTest, TheCompletionScriptIsPrintedWhole) {
  const Outcome outcome = run_with({"completion", "bash"});
  EXPECT_EQ(outcome.code, ExitCode::ok);
  EXPECT_TRUE(outcome.out.ends_with("complete -F _tarn tarn\n"));
  EXPECT_NE(outcome.out.find("\"${COMP_WORDS[0]}\""), std::string::npos);
}

TEST(AppTest, AResultThatCannotBeWrittenIsAFailure) {
  std::ostringstream out;
  std::ostringstream err;
  out.setstate(std::ios::failbit);
  const std::vector<const char*> arguments = {"version"};
  EXPECT_EQ(run(arguments, out, err), ExitCode::failure);
  EXPECT_NE(err.str().find("standard output"), std::string::npos);
}

}  // namespace
}  // namespace tarn::tools
