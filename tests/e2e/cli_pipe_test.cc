// cli_pipe_test.cc - messages through the command line: in, out, whole, and in order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/e2e/cli_fixture.h"

namespace tarn::e2e {
namespace {

using testing::HasSubstr;

class CliPipeTest : public CliTest {};

TEST_F(CliPipeTest, LinesComeOutInOrder) {
  output_of({"pipe", "push", "x"}, "one\ntwo\n\nlast");
  EXPECT_EQ(output_of({"pipe", "pop", "x"}), "one\n");
  EXPECT_EQ(output_of({"pipe", "pop", "x", "--count", "2"}), "two\n\n");
  EXPECT_EQ(output_of({"pipe", "pop", "x", "--all"}), "last\n");
  EXPECT_EQ(output_of({"pipe", "pop", "x", "--all"}), "");
}

TEST_F(CliPipeTest, BlocksOfBinaryBytesComeOutAsTheyWentIn) {
  const std::string bytes = binary_bytes(1'000'001);
  for (const auto* block : {"1000", "4096", "300KiB"}) {
    const Json pushed =
        json_of({"pipe", "push", "x", "--block", block, "--capacity", "2048"}, bytes);
    EXPECT_EQ(pushed["bytes"], bytes.size());
    EXPECT_TRUE(output_of({"pipe", "pop", "x", "--all", "--block", block}) == bytes) << block;
  }
}

TEST_F(CliPipeTest, TheWholeInputIsOneMessage) {
  const std::string bytes = binary_bytes(3'000'000);
  EXPECT_EQ(json_of({"pipe", "push", "x", "--whole"}, bytes)["messages"], 1);
  EXPECT_TRUE(output_of({"pipe", "pop", "x", "--raw"}) == bytes);
}

TEST_F(CliPipeTest, AWholeFileIsOneMessage) {
  const std::string bytes = binary_bytes(3'000'000);
  const std::string path = folder_ / "input";
  std::ofstream(path, std::ios::binary) << bytes;
  Program push({"/bin/sh", "-c", "exec \"$0\" pipe push x --whole < \"$1\"",
                TARN_TEST_BIN_DIR "/tarn", path});
  EXPECT_EQ(push.wait().exit_code, 0);
  EXPECT_TRUE(output_of({"pipe", "pop", "x", "--raw"}) == bytes);
}

TEST_F(CliPipeTest, ABlockTakesNoMoreMemoryThanWhatComes) {
  const std::string more_than_the_beginning((1 << 20) + 17, 'm');
  EXPECT_EQ(json_of({"pipe", "push", "x", "--block", "64MiB"}, "small")["bytes"], 5);
  EXPECT_LT(json_of({"status"})["used_bytes"], 1 << 20);
  EXPECT_EQ(output_of({"pipe", "pop", "x", "--raw"}), "small");
  EXPECT_EQ(json_of({"pipe", "push", "x", "--block", "2MiB"}, more_than_the_beginning)["messages"],
            1);
  EXPECT_TRUE(output_of({"pipe", "pop", "x", "--raw"}) == more_than_the_beginning);
}

TEST_F(CliPipeTest, PipesAreListedByName) {
  for (const std::string name : {"b", "c", "a"}) output_of({"pipe", "create", name});
  const Json pipes = json_of({"pipe", "ls"});
  ASSERT_EQ(pipes.size(), 3u);
  EXPECT_EQ(pipes[0]["name"], "a");
  EXPECT_EQ(pipes[2]["name"], "c");
}

TEST_F(CliPipeTest, NothingAtAllIsOneEmptyWholeButNoLineAndNoBlock) {
  EXPECT_EQ(json_of({"pipe", "push", "x"})["messages"], 0);
  EXPECT_EQ(json_of({"pipe", "push", "x", "--block", "10"})["messages"], 0);
  EXPECT_EQ(json_of({"pipe", "push", "x", "--whole"})["messages"], 1);
  const Json message = json_of({"pipe", "pop", "x"});
  EXPECT_EQ(message["bytes"], 0);
  EXPECT_EQ(message["text"], "");
  EXPECT_EQ(message["position"], 0);
}

TEST_F(CliPipeTest, ATextNeedsNoInput) {
  output_of({"pipe", "push", "x", "--message", "hello there"});
  EXPECT_EQ(output_of({"pipe", "pop", "x"}), "hello there\n");
}

TEST_F(CliPipeTest, BinaryMessagesAreBase64InJson) {
  output_of({"pipe", "push", "x", "--whole"}, "\xff\xfe");
  EXPECT_EQ(json_of({"pipe", "pop", "x"})["base64"], "//4=");
}

TEST_F(CliPipeTest, AFollowerEndsWhenThePipeIsClosedAndDrained) {
  Program follower(command({"pipe", "pop", "x", "--follow", "--create"}));
  await_pipe("x", [](const Json&) { return true; });
  std::string lines;
  for (int i = 0; i < 20'000; ++i) lines += std::to_string(i) + '\n';
  output_of({"pipe", "push", "x", "--close"}, lines);
  const Outcome outcome = follower.wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(outcome.out == lines);
}

TEST_F(CliPipeTest, TheCountersSayWhatHappened) {
  output_of({"pipe", "push", "x", "--capacity", "8"}, "abc\nde\n");
  output_of({"pipe", "pop", "x"});
  const Json pipe = json_of({"pipe", "info", "x"});
  EXPECT_EQ(pipe.size(), 20u);
  EXPECT_EQ(pipe["capacity"], 8);
  EXPECT_EQ(pipe["delivery"], "at_most_once");
  EXPECT_EQ(pipe["depth"], 1);
  EXPECT_EQ(pipe["depth_high_water"], 2);
  EXPECT_EQ(pipe["pushed"], 2);
  EXPECT_EQ(pipe["pushed_bytes"], 5);
  EXPECT_EQ(pipe["popped"], 1);
  EXPECT_EQ(pipe["popped_bytes"], 3);
  EXPECT_EQ(pipe["copied_in"], 0);
  EXPECT_EQ(pipe["holders"], Json::array());
  Json listed = json_of({"pipe", "ls"})[0];
  listed["holders"] = Json::array();
  EXPECT_EQ(listed, pipe);
  EXPECT_THAT(output_of({"pipe", "info", "x"}), HasSubstr("1 of 8"));
  EXPECT_THAT(output_of({"pipe", "ls"}), HasSubstr("at_most_once"));
}

TEST_F(CliPipeTest, LookingChangesNothing) {
  output_of({"pipe", "push", "x"}, "abc\n");
  // The producer's end reaches the node after the program's does.
  await_pipe("x", [](const Json& pipe) { return pipe["sessions"] == 0; });
  const Json before = json_of({"pipe", "info", "x"});
  output_of({"pipe", "ls"});
  output_of({"status"});
  output_of({"top", "--once", "--interval", "10ms"});
  EXPECT_EQ(json_of({"pipe", "info", "x"}), before);
}

TEST_F(CliPipeTest, TimeoutsHaveTheirExitCode) {
  output_of({"pipe", "create", "x", "--capacity", "1"});
  expect_error({"pipe", "pop", "x", "--timeout", "30ms"}, 4, "timed_out");
  expect_error({"pipe", "pop", "x", "--timeout", "0"}, 4, "timed_out");
  output_of({"pipe", "push", "x"}, "fills it\n");
  expect_error({"pipe", "push", "x", "-m", "too much", "--timeout", "30ms"}, 4, "timed_out");
  EXPECT_EQ(output_of({"pipe", "pop", "x"}), "fills it\n");
}

TEST_F(CliPipeTest, AClosedPipeIsDrainedAndThenClosed) {
  output_of({"pipe", "push", "x"}, "one\ntwo\n");
  EXPECT_EQ(json_of({"pipe", "close", "x"})["closed"], true);
  expect_error({"pipe", "push", "x", "-m", "three"}, 5, "closed");
  EXPECT_EQ(json_of({"pipe", "info", "x"})["closed"], true);
  const Outcome outcome = run({"pipe", "pop", "x", "--count", "3"});
  EXPECT_EQ(outcome.exit_code, 5) << outcome.err;
  EXPECT_EQ(outcome.out, "one\ntwo\n");
}

TEST_F(CliPipeTest, AClosedAndDrainedPipeGoesWithItsLastUser) {
  output_of({"pipe", "push", "x", "--close"}, "one\n");
  EXPECT_EQ(output_of({"pipe", "pop", "x", "--follow"}), "one\n");
  expect_error({"pipe", "pop", "x"}, 3, "not_found");
  EXPECT_EQ(json_of({"pipe", "ls"}), Json::array());
}

TEST_F(CliPipeTest, ARemovedPipeIsGone) {
  output_of({"pipe", "push", "x"}, "one\n");
  EXPECT_EQ(json_of({"pipe", "rm", "x"})["removed"], true);
  expect_error({"pipe", "info", "x"}, 3, "not_found");
  EXPECT_EQ(json_of({"pipe", "ls"}), Json::array());
}

TEST_F(CliPipeTest, ASignalEndsAWaitingConsumerByThatSignal) {
  for (const int number : {SIGINT, SIGTERM}) {
    Program consumer(command({"pipe", "pop", "x", "--create"}));
    await_pipe("x", [](const Json& pipe) { return pipe["sessions"] == 1; });
    ::usleep(100'000);
    consumer.signal(number);
    EXPECT_EQ(consumer.wait().signal, number);
    await_pipe("x", [](const Json& pipe) { return pipe["sessions"] == 0; });
  }
}

TEST_F(CliPipeTest, ASignalEndsAWaitingProducerBetweenTwoMessages) {
  Program producer(command({"pipe", "push", "x", "--capacity", "2"}));
  producer.give("one\ntwo\nthree\n");
  await_pipe("x", [](const Json& pipe) { return pipe["depth"] == 2; });
  ::usleep(100'000);
  producer.signal(SIGTERM);
  EXPECT_EQ(producer.wait().signal, SIGTERM);
  EXPECT_EQ(output_of({"pipe", "pop", "x", "--all"}), "one\ntwo\n");
}

TEST_F(CliPipeTest, AReaderThatLeavesCostsNoMessage) {
  output_of({"pipe", "push", "x"}, "one\n");
  Program both({"/bin/bash", "-c", "\"$0\" pipe pop x --follow | head -n 1; echo ${PIPESTATUS[0]}",
                TARN_TEST_BIN_DIR "/tarn"});
  // The consumer waits; its reader has left; the next message stays.
  both.await_output(4);
  const Outcome outcome = both.wait();
  EXPECT_EQ(outcome.out, "one\n141\n");
  output_of({"pipe", "push", "x"}, "two\n");
  EXPECT_EQ(output_of({"pipe", "pop", "x"}), "two\n");
}

TEST_F(CliPipeTest, AtLeastOnceAMessageThatCouldNotBeWrittenComesAgain) {
  output_of({"pipe", "push", "x", "--delivery", "at-least-once"}, "one\n");
  Program consumer(command({"pipe", "pop", "x"}), "/dev/full");
  EXPECT_EQ(consumer.wait().exit_code, 1);
  const Json again = json_of({"pipe", "pop", "x"});
  EXPECT_EQ(again["text"], "one");
  EXPECT_EQ(again["redelivered"], true);
  EXPECT_EQ(output_of({"pipe", "pop", "x", "--all"}), "");
}

TEST_F(CliPipeTest, ProgressGoesToStandardError) {
  const Outcome outcome = run({"pipe", "push", "x", "--progress"}, "a\nb\n");
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("pushed 2 messages, 2 B"));
}

}  // namespace
}  // namespace tarn::e2e
