// cli_value_test.cc - values through the command line: into pipes, out of them, and between files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tarn/tarn.h"
#include "tests/e2e/values/cli_value_fixture.h"

namespace tarn::e2e {
namespace {

using testing::HasSubstr;

TEST_F(CliValueTest, JsonBecomesValuesInAPipe) {
  const Json pushed = json_of({"pipe", "push", "x", "--format", "json"},
                              "{\"a\":1}\n\n[1,2.5]  \"text\"\n{\n \"b\": null }");
  EXPECT_EQ(pushed["messages"], 4);
  EXPECT_EQ(output_of({"pipe", "pop", "x", "--all"}),
            "{\"a\":1}\n[1,2.5]\n\"text\"\n{\"b\":null}\n");
}

TEST_F(CliValueTest, ALibraryProgramReadsWhatTheCommandLinePushed) {
  output_of({"pipe", "push", "x", "--format", "json", "--arrays", "-m",
             R"({"station":{"name":"north"},"bins":[1,2.5,3]})"});
  Session session = connect({.name = "reader"});
  const Popped popped = session.pipe("x").pop(std::chrono::seconds(60));
  ASSERT_TRUE(popped);
  const ValueView value = popped.message.value();
  EXPECT_EQ(value["station"]["name"].text(), "north");
  EXPECT_EQ(value["bins"].array<double>()[1], 2.5);
  Value answer = session.value();
  answer["bins"].array<float>(3)[0] = 0;
  std::ranges::fill(answer["bins"].elements<float>(), 1.5f);
  ASSERT_EQ(session.pipe("y").push(std::move(answer)), PushStatus::ok);
  EXPECT_EQ(output_of({"pipe", "pop", "y"}), "{\"bins\":[1.5,1.5,1.5]}\n");
}

TEST_F(CliValueTest, EveryFormatPassesThroughAPipeWithoutLoss) {
  for (const auto* format : {"json", "msgpack", "cbor"}) {
    const std::string in =
        output_of({"value", "convert", "--from", "json", "--to", format, "--lossless"}, kLossless);
    output_of({"pipe", "push", "x", "--format", format}, in + in);
    EXPECT_EQ(output_of({"pipe", "pop", "x", "--format", format, "--lossless"}), in) << format;
    const Json message = json_of({"pipe", "pop", "x", "--lossless"});
    EXPECT_EQ(message["value"]["t"], (Json{{"$tuple", {1, "two"}}})) << format;
    EXPECT_EQ(message["position"].is_number(), true);
  }
}

TEST_F(CliValueTest, BytesAndValuesMayShareAPipe) {
  output_of({"pipe", "push", "x"}, "a line\n");
  output_of({"pipe", "push", "x", "--format", "json", "-m", "{\"a\":[1,2]}"});
  EXPECT_EQ(output_of({"pipe", "pop", "x", "--all"}), "a line\n{\"a\":[1,2]}\n");
  output_of({"pipe", "push", "x"}, "a line\nanother\n");
  // --json shows any message; a value in JSON cannot be made of a line.
  const Outcome refused = run({"pipe", "pop", "x", "--format", "json", "--timeout", "1"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, HasSubstr("value"));
}

TEST_F(CliValueTest, RawBytesOfAValueAreAValue) {
  output_of({"value", "convert", file("a.json", kLossless), path("a.tarn")});
  const std::string bytes = content_of("a.tarn");
  output_of({"pipe", "push", "x", "--whole"}, bytes);
  output_of({"pipe", "push", "x", "--whole", "--format", "raw"}, bytes);
  EXPECT_EQ(output_of({"pipe", "pop", "x", "--lossless"}), std::string(kLossless) + '\n');
  EXPECT_TRUE(output_of({"pipe", "pop", "x", "--format", "raw"}) == bytes);
}

TEST_F(CliValueTest, BadInputIsRefusedAndWhatCameBeforeItStays) {
  const Outcome outcome = run({"pipe", "push", "x", "--format", "json"}, "1 2 {\"a\":1,\"a\":2} 3");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("item 3, which begins at byte 4"));
  EXPECT_EQ(output_of({"pipe", "pop", "x", "--all"}), "1\n2\n");
  for (const auto* bad : {"{\"a\":", "[NaN]", "\"\xff\"", "1 2"}) {
    const auto refused = run({"pipe", "push", "x", "--format", "json", "--whole"}, bad);
    EXPECT_EQ(refused.exit_code, 1) << bad;
    EXPECT_THAT(refused.err, HasSubstr("(corrupt)")) << bad;
  }
  expect_error({"pipe", "push", "x", "--format", "xml"}, 2, "usage");
  expect_error({"pipe", "push", "x", "--format", "json", "--block", "10"}, 2, "usage");
  EXPECT_EQ(json_of({"pipe", "info", "x"})["depth"], 0);
}

TEST_F(CliValueTest, FilesAreConvertedByTheirNames) {
  const std::string json = std::string(kLossless) + '\n';
  file("a.json", json);
  for (const auto* name : {"a.tarn", "a.msgpack", "a.cbor"}) {
    const Json converted = json_of({"value", "convert", path("a.json"), path(name), "--lossless"});
    EXPECT_EQ(converted["values"], 1);
    EXPECT_EQ(converted["bytes"], json.size());
    output_of({"value", "convert", path(name), path("back.json"), "--lossless"});
    EXPECT_EQ(content_of("back.json"), json) << name;
  }
}

TEST_F(CliValueTest, ManyItemsAreManyLinesButOneTarnValue) {
  const std::string items =
      output_of({"value", "convert", "--from", "json", "--to", "cbor"}, "1 2 3");
  EXPECT_EQ(output_of({"value", "convert", "--from", "cbor", "--to", "json"}, items), "1\n2\n3\n");
  file("items.cbor", items);
  expect_error({"value", "convert", path("items.cbor"), path("out.tarn")}, 1, "invalid_argument");
  for (const std::string& name : names_in(folder_)) {
    EXPECT_FALSE(name.starts_with("out.tarn")) << name;  // neither the file nor a part of it
  }
}

TEST_F(CliValueTest, WhatCannotBeReadSaysSo) {
  expect_error({"value", "convert", path("none.json"), path("x.tarn")}, 3, "not_found");
  expect_error({"value", "show", path("none.json")}, 3, "not_found");
  file("unnamed", "{}");
  expect_error({"value", "show", path("unnamed")}, 2, "usage");
  file("bad.tarn", "this is no value");
  expect_error({"value", "show", path("bad.tarn")}, 1, "wrong_type");
}

TEST_F(CliValueTest, ShowSummarisesArrays) {
  file("a.json", R"({"name":"north","bins":[3,1,2]})");
  EXPECT_EQ(output_of({"value", "show", path("a.json"), "--arrays"}),
            "name: \"north\"\nbins: int64[3], 1 to 3: 3, 1, 2\n");
  EXPECT_EQ(json_of({"value", "show", path("a.json")})["bins"], (Json{3, 1, 2}));
}

TEST_F(CliValueTest, CheckFindsTheFileThatIsBroken) {
  output_of({"value", "convert", file("a.json", kLossless), path("a.tarn")});
  EXPECT_THAT(output_of({"value", "check", path("a.json"), path("a.tarn")}),
              HasSubstr("table of 5"));
  std::string bytes = content_of("a.tarn");
  file("cut.tarn", bytes.substr(0, bytes.size() - 1));
  const Outcome outcome = run({"value", "check", path("a.tarn"), path("cut.tarn"), "--json"});
  EXPECT_EQ(outcome.exit_code, 9) << outcome.err;
  const Json verdicts = Json::parse(outcome.out);
  EXPECT_EQ(verdicts[0]["good"], true);
  EXPECT_EQ(verdicts[1]["good"], false);
}

TEST_F(CliValueTest, WhoHoldsMessagesIsShown) {
  output_of({"up"});
  Session session = connect({.name = "hoarder"});
  Pipe pipe = session.pipe("x");
  ASSERT_EQ(pipe.push(std::string(100'000, 'x')), PushStatus::ok);
  Value value = session.value();
  value["bins"].array<double>(1000)[0] = 1;
  ASSERT_EQ(pipe.push(std::move(value)), PushStatus::ok);
  const Popped held = pipe.pop();
  ASSERT_TRUE(held);
  const Json info = json_of({"pipe", "info", "x"});
  EXPECT_EQ(info["copied_in"], 1);
  ASSERT_EQ(info["holders"].size(), 1u);
  EXPECT_EQ(info["holders"][0]["name"], "hoarder");
  EXPECT_EQ(info["holders"][0]["holds"], 1);
  const std::string text = output_of({"pipe", "info", "x"});
  EXPECT_THAT(text, HasSubstr("1 copied in"));
  EXPECT_THAT(text, HasSubstr("1 by session"));
}

}  // namespace
}  // namespace tarn::e2e
