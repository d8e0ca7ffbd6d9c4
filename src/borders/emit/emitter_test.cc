// emitter_test.cc - what the emitters make of numbers and text whose maker writes on: after the
// value was checked, its bytes may be others.
#include "borders/emit/emitter.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>

#include "borders/emit/json_text.h"

namespace tarn::borders {
namespace {

using Step = std::function<void(Emitter&)>;

std::string written(Format format, const Step& step) {
  std::string text;
  Sink sink([&text](std::span<const std::byte> bytes) {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  const auto emitter = format == Format::json      ? json_emitter(sink, {})
                       : format == Format::msgpack ? msgpack_emitter(sink)
                                                   : cbor_emitter(sink);
  step(*emitter);
  sink.flush();
  return text;
}

TEST(EmitterTest, AMagnitudeThatBecameZeroIsWrittenAsZero) {
  const std::array<std::byte, 9> zeros{};
  const auto cbor = [](const BigIntegerView& number) {
    return written(Format::cbor, [&](Emitter& emitter) { emitter.big_integer(number); });
  };
  EXPECT_EQ(cbor({true, {}}), "\xc2\x40");
  EXPECT_EQ(cbor({false, {}}), "\xc2\x40");
  EXPECT_EQ(cbor({true, zeros}), "\xc2\x49" + std::string(9, '\0'));
  const auto json = [](const BigIntegerView& number) {
    return written(Format::json, [&](Emitter& emitter) { emitter.big_integer(number); });
  };
  EXPECT_EQ(json({true, {}}), "0");
  EXPECT_EQ(json({true, zeros}), "0");
}

TEST(EmitterTest, TextThatBecameNoUtf8IsStillJson) {
  EXPECT_EQ(json_quoted("a\xff"), "\"a\xef\xbf\xbd\"");
  EXPECT_EQ(json_quoted("a\xc2"), "\"a\xef\xbf\xbd\"");
}

TEST(EmitterTest, TextThatSteersATerminalIsEscaped) {
  EXPECT_EQ(json_quoted("\x1b[2J"), R"("\u001b[2J")");
  EXPECT_EQ(json_quoted("a\x7f"), R"("a\u007f")");
  EXPECT_EQ(json_quoted("\xc2\x9b"
                        "2J\xc2\x80\xc2\xa0"),
            "\"\\u009b2J\\u0080\xc2\xa0\"");
  EXPECT_EQ(json_quoted("\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8f\xd8\x9c"),
            R"("\u202e\u2066\u200f\u061c")");
  // Their neighbours are text like any other.
  EXPECT_EQ(json_quoted("\xe2\x80\xa9\xe2\x80\xaf\xe2\x82\xac\xd8\x9d\xc3\x9f"),
            "\"\xe2\x80\xa9\xe2\x80\xaf\xe2\x82\xac\xd8\x9d\xc3\x9f\"");
}

}  // namespace
}  // namespace tarn::borders
