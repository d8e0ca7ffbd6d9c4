// cli_value_files_test.cc - what `tarn value` does to files, streams and terminals, and what it
// says when it cannot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <cstring>

#include "tests/e2e/values/cli_value_fixture.h"

namespace tarn::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

class CliValueFilesTest : public CliValueTest {
 protected:
  CliValueFilesTest() : mask_(::umask(027)) {}
  ~CliValueFilesTest() override { ::umask(mask_); }

  unsigned mode_of(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(::stat(path(name).c_str(), &status), 0) << name;
    return status.st_mode & 07777;
  }
  // Whether anything is left that was to become a file.
  bool has_leftovers() const {
    for (const std::string& name : names_in(folder_)) {
      if (name.find(".part-") != std::string::npos) return true;
    }
    return false;
  }
  // A tarn value whose big integer is zero where it must not be.
  std::string spoilt_value() {
    file("big.json", "-1208925819614629174706176");
    output_of({"value", "convert", path("big.json"), path("big.tarn")});
    std::string bytes = content_of("big.tarn");
    std::uint64_t block = 0;  // docs/formats/value.md
    std::memcpy(&block, bytes.data() + 40, sizeof block);
    std::memset(bytes.data() + block + 8, 0, 11);
    return bytes;
  }

 private:
  mode_t mask_;
};

// --- files --------------------------------------------------------------------------------------

TEST_F(CliValueFilesTest, WhatIsReplacedKeepsItsRights) {
  file("a.json", "[1]");
  file("kept.json", "secret");
  ASSERT_EQ(::chmod(path("kept.json").c_str(), 0600), 0);
  output_of({"value", "convert", path("a.json"), path("kept.json")});
  EXPECT_EQ(mode_of("kept.json"), 0600u);
  EXPECT_EQ(content_of("kept.json"), "[1]\n");
  output_of({"value", "convert", path("a.json"), path("new.json")});
  EXPECT_EQ(mode_of("new.json"), 0640u);
  EXPECT_FALSE(has_leftovers());
}

TEST_F(CliValueFilesTest, WhatIsReplacedStaysItsOwnersAndLendsNoRights) {
  file("a.json", "[1]");
  file("kept.json", "others'");
  const bool may_give = ::geteuid() == 0;
  const uid_t owner = may_give ? 65534 : ::geteuid();
  ASSERT_EQ(::chown(path("kept.json").c_str(), owner, may_give ? 65534 : ::getegid()), 0);
  ASSERT_EQ(::chmod(path("kept.json").c_str(), 04640), 0);
  struct stat before {};
  ASSERT_EQ(::stat(path("kept.json").c_str(), &before), 0);
  output_of({"value", "convert", path("a.json"), path("kept.json")});
  struct stat after {};
  ASSERT_EQ(::stat(path("kept.json").c_str(), &after), 0);
  EXPECT_EQ(after.st_uid, before.st_uid);
  EXPECT_EQ(after.st_gid, before.st_gid);
  EXPECT_EQ(mode_of("kept.json"), 0640u);
}

TEST_F(CliValueFilesTest, ASymbolicLinkLeadsWhereItLed) {
  file("a.json", "[1]");
  file("target.json", "old");
  std::filesystem::create_symlink("target.json", path("link.json"));
  output_of({"value", "convert", path("a.json"), path("link.json")});
  EXPECT_TRUE(std::filesystem::is_symlink(path("link.json")));
  EXPECT_EQ(content_of("target.json"), "[1]\n");
  std::filesystem::create_symlink("later.json", path("loose.json"));
  output_of({"value", "convert", path("a.json"), path("loose.json")});
  EXPECT_TRUE(std::filesystem::is_symlink(path("loose.json")));
  EXPECT_EQ(content_of("later.json"), "[1]\n");
}

TEST_F(CliValueFilesTest, WhatFailsLeavesTheFormerFile) {
  file("bad.json", "[1] [");
  file("out.cbor", "former");
  expect_error({"value", "convert", path("bad.json"), path("out.cbor")}, 1, "corrupt");
  EXPECT_EQ(content_of("out.cbor"), "former");
  EXPECT_FALSE(has_leftovers());
}

TEST_F(CliValueFilesTest, AFullDeviceIsNamed) {
  file("a.json", "[1]");
  const Outcome outcome = run({"value", "convert", path("a.json"), "/dev/full", "--to", "json"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("file '/dev/full'"));
}

TEST_F(CliValueFilesTest, ErrorsNameTheFileAndThePlace) {
  const Outcome folder = run({"value", "show", folder_, "--from", "json"});
  EXPECT_THAT(folder.err, HasSubstr("file '" + folder_.string() + "'"));
  file("bad.json", "1 2 {");
  EXPECT_THAT(run({"value", "show", path("bad.json")}).err, HasSubstr("bad.json': item 3"));
  file("a.json", "[1,2,3]");
  output_of({"value", "convert", path("a.json"), path("a.tarn")});
  const std::string whole = content_of("a.tarn");
  file("cut.tarn", whole.substr(0, whole.size() - 1));
  const std::string error = run({"value", "show", path("cut.tarn")}).err;
  EXPECT_THAT(error, HasSubstr("cut.tarn': it is cut off"));
  EXPECT_THAT(error, HasSubstr(std::to_string(whole.size() - 1) + " bytes of " +
                               std::to_string(whole.size())));
  file("none.tarn", "TVAL");
  EXPECT_THAT(run({"value", "show", path("none.tarn")}).err, HasSubstr("at least 48"));
}

TEST_F(CliValueFilesTest, NothingFollowsATarnValue) {
  file("a.json", "[1,2,3]");
  output_of({"value", "convert", path("a.json"), path("a.tarn")});
  const std::string whole = content_of("a.tarn");
  for (const std::string& more : {std::string("x"), whole}) {
    file("more.tarn", whole + more);
    expect_error({"value", "convert", path("more.tarn"), path("out.json")}, 1, "corrupt");
    EXPECT_FALSE(std::filesystem::exists(path("out.json")));
    EXPECT_EQ(run({"value", "check", path("more.tarn")}).exit_code, 9);
  }
}

TEST_F(CliValueFilesTest, APartOfANewerTypeIsPassedOverUnlessItIsToBecomeSomethingElse) {
  file("a.json", "[true,2]");
  output_of({"value", "convert", path("a.json"), path("a.tarn")});
  std::string bytes = content_of("a.tarn");
  std::uint64_t list = 0;  // docs/formats/value.md
  std::memcpy(&list, bytes.data() + 40, sizeof list);
  bytes[list + 32] = 77;
  file("newer.tarn", bytes);
  EXPECT_THAT(output_of({"value", "check", path("newer.tarn")}), HasSubstr("good"));
  EXPECT_THAT(output_of({"value", "show", path("newer.tarn")}), HasSubstr("of type 77"));
  const Outcome copied = run({"value", "convert", path("newer.tarn"), path("copy.tarn")});
  EXPECT_EQ(copied.exit_code, 8) << copied.err;
  EXPECT_THAT(copied.err, HasSubstr("a part of unknown type"));
  EXPECT_EQ(run({"value", "convert", path("newer.tarn"), path("copy.json")}).exit_code, 1);
}

TEST_F(CliValueFilesTest, WhatACopyWouldMakeGoodIsFound) {
  file("a.json", R"({"a":1,"b":2})");
  output_of({"value", "convert", path("a.json"), path("a.tarn")});
  std::string bytes = content_of("a.tarn");
  std::uint64_t table = 0;
  std::memcpy(&table, bytes.data() + 40, sizeof table);
  std::memcpy(bytes.data() + table + 32 + 32, bytes.data() + table + 32, 16);  // one key for both
  file("twice.tarn", bytes);
  EXPECT_EQ(run({"value", "check", path("twice.tarn")}).exit_code, 9);
  expect_error({"value", "convert", path("twice.tarn"), path("b.json")}, 1, "corrupt");
  EXPECT_FALSE(std::filesystem::exists(path("b.json")));
}

TEST_F(CliValueFilesTest, CheckLooksAtEveryFile) {
  file("good.json", "1 2");
  file("empty.json", " \n");
  file("spoilt.tarn", spoilt_value());
  file("twice.json", R"({"a":1,"a":2})");
  const Outcome outcome =
      run({"value", "check", path("missing.json"), path("good.json"), path("empty.json"),
           path("spoilt.tarn"), path("twice.json"), "--json"});
  EXPECT_EQ(outcome.exit_code, 9) << outcome.err;
  const Json verdicts = Json::parse(outcome.out);
  ASSERT_EQ(verdicts.size(), 5u);
  EXPECT_EQ(verdicts[0]["code"], "not_found");
  EXPECT_EQ(verdicts[1]["good"], true);
  EXPECT_EQ(verdicts[1]["values"], 2);
  EXPECT_EQ(verdicts[2]["found"], "it has no value");
  EXPECT_EQ(verdicts[3]["found"], "a part of it makes no sense");
  EXPECT_EQ(verdicts[4]["code"], "corrupt");
  output_of({"value", "check", path("twice.json"), "--last-of-duplicates"});
  EXPECT_THAT(run({"value", "check", path("missing.json"), folder_, "--from", "json"}).out,
              testing::AllOf(HasSubstr("missing.json: not_found: No such file"),
                             HasSubstr("os: Is a directory")));
}

// --- streams ------------------------------------------------------------------------------------

TEST_F(CliValueFilesTest, ValuesAreShownAsTheyCome) {
  for (const Words& words : {Words{"value", "show", "--from", "json"},
                             Words{"value", "convert", "--from", "json", "--to", "json"}}) {
    Program program(command(words));
    program.give("1\n");
    program.await_output(2);
    program.give("2 ");
    program.await_output(4);
    const Outcome& outcome = program.wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "1\n2\n");
  }
}

TEST_F(CliValueFilesTest, WithoutAReaderItEnds) {
  for (const std::string verb : {"show", "convert --to json"}) {
    Program program({"/bin/sh", "-c", "yes 1 | \"$0\" value " + verb + " --from json | head -1",
                     TARN_TEST_BIN_DIR "/tarn"});
    const Outcome& outcome = program.wait();
    EXPECT_EQ(outcome.out, "1\n") << verb;
    EXPECT_EQ(outcome.signal, 0) << verb;
  }
}

TEST_F(CliValueFilesTest, WhatCameBeforeABadItemIsShown) {
  const Outcome outcome = run({"value", "show", "--from", "json"}, "1 [2] 3 ]");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.out, "1\n\n- 2\n\n3\n");
}

TEST_F(CliValueFilesTest, WhatCameBeforeABadItemIsConverted) {
  const Outcome outcome =
      run({"value", "convert", "--from", "json", "--to", "json"}, "1 [2] 3 ] 4");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.out, "1\n[2]\n3\n");
}

// --- messages -----------------------------------------------------------------------------------

TEST_F(CliValueFilesTest, ASpoiltMessageDoesNotHideThoseBehindIt) {
  for (const std::string delivery : {"at_most_once", "at_least_once"}) {
    const std::string name = "x-" + delivery;
    const auto push = [&] {
      output_of({"pipe", "push", name, "--delivery", delivery, "--whole"}, spoilt_value());
      output_of({"pipe", "push", name, "-m", "behind"});
    };
    push();
    EXPECT_EQ(output_of({"pipe", "pop", name, "--all"}), spoilt_value() + "\nbehind\n");
    push();
    const std::string lines = output_of({"pipe", "pop", name, "--all", "--json"});
    const Json first = Json::parse(lines.substr(0, lines.find('\n')));
    EXPECT_EQ(first["error"]["code"], "corrupt") << lines;
    EXPECT_TRUE(first["base64"].is_string());
    EXPECT_THAT(lines, HasSubstr("\"text\":\"behind\""));
    EXPECT_EQ(json_of({"pipe", "info", name})["depth"], 0);
    push();
    for (const std::string format : {"json", "msgpack", "cbor"}) {
      if (format != "json" && delivery == "at_most_once") push();
      const Outcome refused = run({"pipe", "pop", name, "--format", format, "--timeout", "30"});
      EXPECT_EQ(refused.exit_code, 1);
      EXPECT_THAT(refused.err, HasSubstr("write message "));
      EXPECT_THAT(refused.err, HasSubstr("pipe '" + name + "'"));
      EXPECT_THAT(refused.err,
                  HasSubstr(delivery == "at_least_once" ? "stays in the pipe" : "was taken out"));
      if (delivery == "at_most_once") output_of({"pipe", "pop", name, "--all"});
    }
    output_of({"pipe", "pop", name, "--all"});
  }
}

TEST_F(CliValueFilesTest, TextOfMessagesSteersNoTerminalAsJsonEither) {
  output_of({"pipe", "push", "x", "-m",
             "a\xc2\x9b"
             "b\xe2\x80\xae"
             "c"});
  EXPECT_THAT(output_of({"pipe", "pop", "x", "--json"}), HasSubstr("\"a\\u009bb\\u202ec\""));
}

TEST_F(CliValueFilesTest, AWholeItemIsPushedWithoutTheRestOfItsReading) {
  std::string list = "[";
  for (int i = 0; i < 20000; ++i) list += std::to_string(i) + ",";
  list.back() = ']';
  output_of({"pipe", "push", "lines", "--format", "json"}, list);
  output_of({"pipe", "push", "whole", "--format", "json", "--whole"}, list);
  const auto bytes = [&](const std::string& name) {
    return json_of({"pipe", "info", name})["pushed_bytes"].get<std::uint64_t>();
  };
  EXPECT_LT(bytes("whole"), bytes("lines") * 3 / 2);
}

// --- the command line ---------------------------------------------------------------------------

TEST_F(CliValueFilesTest, OptionsWithoutEffectAreMistakes) {
  file("a.json", "[1]");
  output_of({"value", "convert", path("a.json"), path("a.tarn")});
  output_of({"pipe", "create", "x"});
  for (const Words& words : {Words{"pipe", "push", "x", "--arrays", "-m", "1"},
                             Words{"pipe", "push", "x", "--no-tags", "-m", "1"},
                             Words{"pipe", "push", "x", "--format", "raw", "--arrays", "-m", "1"},
                             Words{"pipe", "pop", "x", "--raw", "--lossless"},
                             Words{"pipe", "pop", "x", "--format", "raw", "--lossless"},
                             Words{"value", "convert", path("a.json"), path("a.cbor"), "--pretty"},
                             Words{"value", "convert", path("a.tarn"), path("b.json"), "--arrays"},
                             Words{"value", "show", path("a.tarn"), "--no-tags"}}) {
    expect_error(words, 2, "usage");
  }
  for (const Words& words : {Words{"--json", "pipe", "pop", "x", "--format", "cbor"},
                             Words{"--json", "pipe", "pop", "x", "--raw"},
                             Words{"--json", "value", "convert", path("a.json"), "--to", "cbor"},
                             Words{"value", "show", path("a.json"), "--lossless"}}) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
  EXPECT_EQ(json_of({"pipe", "info", "x"})["depth"], 0);
}

TEST_F(CliValueFilesTest, HelpNamesTheOptionsAsTheyAre) {
  const std::string help = output_of({"value", "show", "--help"});
  EXPECT_THAT(help, HasSubstr("--no-tags"));
  EXPECT_THAT(help, Not(HasSubstr("{false}")));
}

TEST_F(CliValueFilesTest, BashCompletesFilesWithBlanks) {
  file("two words.json", "1");
  file("two more.json", "1");
  const std::string script = "cd '" + folder_.string() +
                             "'; source <(" TARN_TEST_BIN_DIR
                             "/tarn completion bash);"
                             "COMP_WORDS=(tarn value show two); COMP_CWORD=3; _tarn;"
                             "printf '%s\\n' \"${COMPREPLY[@]}\" | sort";
  Program bash({"/bin/bash", "-c", script});
  EXPECT_EQ(bash.wait().out, "two more.json\ntwo words.json\n");
}

// All that a program writes to a terminal of its own.
std::string seen_on_terminal(const std::vector<std::string>& arguments) {
  std::vector<char*> words;
  for (const std::string& each : arguments) words.push_back(const_cast<char*>(each.c_str()));
  words.push_back(nullptr);
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child == 0) {
    ::setenv("TERM", "xterm", 1);
    ::unsetenv("NO_COLOR");
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  std::string seen;
  pollfd entry{terminal, POLLIN, 0};
  while (::poll(&entry, 1, 30000) == 1) {
    std::array<char, 4096> buffer{};
    const ssize_t count = ::read(terminal, buffer.data(), buffer.size());
    if (count <= 0) break;
    seen.append(buffer.data(), static_cast<std::size_t>(count));
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ::close(terminal);
  return seen;
}

TEST_F(CliValueFilesTest, OnATerminalThereIsColour) {
  file("a.json", R"({"a":"\u001b[2J\u202e"})");
  const std::string shown = seen_on_terminal(command({"value", "show", path("a.json")}));
  EXPECT_EQ(shown, "\x1b[1ma\x1b[0m: \x1b[32m\"\\x1b[2J\\xe2\\x80\\xae\"\x1b[0m\r\n");
  output_of({"pipe", "push", "x", "--format", "json"}, R"({"a":"b"} [1])");
  const std::string popped = seen_on_terminal(command({"pipe", "pop", "x", "--all"}));
  EXPECT_EQ(popped, "\x1b[1ma\x1b[0m: \x1b[32m\"b\"\x1b[0m\r\n\r\n- 1\r\n");
}

}  // namespace
}  // namespace tarn::e2e
