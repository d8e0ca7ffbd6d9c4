#include "tools/pipe/message_writer.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "tools/failure.h"

namespace tarn::tools {
namespace {

class MessageWriterTest : public testing::Test {
 protected:
  MessageWriterTest() : descriptor_(::memfd_create("output", 0)), output_(descriptor_) {}
  ~MessageWriterTest() override { ::close(descriptor_); }

  void write(MessageWriter& writer, std::string_view text) {
    const MessageView message{std::as_bytes(std::span(text.data(), text.size())), position_++};
    writer.check(message);
    writer.write(message);
  }
  std::string written() {
    output_.flush();
    std::string text(static_cast<std::size_t>(::lseek(descriptor_, 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(descriptor_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return text;
  }

  int descriptor_;
  Output output_;
  std::uint64_t position_ = 0;
};

TEST_F(MessageWriterTest, LinesEndWithANewline) {
  MessageWriter writer({.form = MessageForm::line}, output_);
  write(writer, "one");
  write(writer, "");
  EXPECT_EQ(written(), "one\n\n");
}

TEST_F(MessageWriterTest, LinesOnATerminalCannotSteerIt) {
  MessageWriter writer({.form = MessageForm::line, .escape = true}, output_);
  write(writer, "a\x1b[2Jb");
  EXPECT_EQ(written(), "a\\x1b[2Jb\n");
}

TEST_F(MessageWriterTest, RawBytesStayAsTheyAre) {
  MessageWriter writer({.form = MessageForm::raw, .escape = true}, output_);
  write(writer, std::string_view("\0\x1b\xff", 3));
  write(writer, "x");
  EXPECT_EQ(written(), std::string("\0\x1b\xffx", 4));
}

TEST_F(MessageWriterTest, OnlyTheLastBlockMayBeShort) {
  MessageWriter writer({.form = MessageForm::block, .block_bytes = 3, .pipe = "x"}, output_);
  write(writer, "abc");
  write(writer, "de");
  EXPECT_THROW(write(writer, "fgh"), Failure);
  EXPECT_EQ(written(), "abcde");
}

TEST_F(MessageWriterTest, ALongerMessageIsNoBlock) {
  MessageWriter writer({.form = MessageForm::block, .block_bytes = 3, .pipe = "x"}, output_);
  try {
    write(writer, "abcd");
    FAIL() << "not refused";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code, "block_mismatch");
    EXPECT_EQ(failure.object, "pipe 'x'");
  }
  EXPECT_EQ(written(), "");
}

TEST_F(MessageWriterTest, JsonHasTextOrBase64) {
  MessageWriter writer({.form = MessageForm::json, .pipe = "x"}, output_);
  write(writer, "gr\xc3\xbc\xc3\x9f\n");
  write(writer, "\xff");
  const std::string all = written();
  const auto end = all.find('\n');
  const auto first = nlohmann::json::parse(all.substr(0, end));
  EXPECT_EQ(first["pipe"], "x");
  EXPECT_EQ(first["position"], 0);
  EXPECT_EQ(first["redelivered"], false);
  EXPECT_EQ(first["bytes"], 7);
  EXPECT_EQ(first["text"], "gr\xc3\xbc\xc3\x9f\n");
  const auto second = nlohmann::json::parse(all.substr(end + 1));
  EXPECT_EQ(second["base64"], "/w==");
  EXPECT_FALSE(second.contains("text"));
}

}  // namespace
}  // namespace tarn::tools
