#include "tools/pipe/input.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <thread>

#include "tools/failure.h"

namespace tarn::tools {
namespace {

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A file in memory with this content, read from its beginning.
class InputTest : public testing::Test {
 protected:
  void TearDown() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Input input_of(std::string_view content) {
    descriptor_ = ::memfd_create("input", 0);
    EXPECT_EQ(::write(descriptor_, content.data(), content.size()),
              static_cast<ssize_t>(content.size()));
    ::lseek(descriptor_, 0, SEEK_SET);
    return Input(descriptor_, signals_);
  }
  std::vector<std::string> lines_of(std::string_view content, std::uint64_t limit = 1 << 30) {
    Input input = input_of(content);
    LineReader reader(input, limit);
    std::vector<std::string> lines;
    while (const auto line = reader.next()) lines.push_back(text_of(*line));
    return lines;
  }

  StopSignals signals_;
  int descriptor_ = -1;
};

using Lines = std::vector<std::string>;

TEST_F(InputTest, NothingIsNoLine) { EXPECT_EQ(lines_of(""), Lines{}); }

TEST_F(InputTest, LinesLoseTheirNewline) {
  EXPECT_EQ(lines_of("one\ntwo\n"), (Lines{"one", "two"}));
}

TEST_F(InputTest, ThePartialLastLineCounts) {
  EXPECT_EQ(lines_of("one\ntwo"), (Lines{"one", "two"}));
}

TEST_F(InputTest, EmptyLinesAreLines) { EXPECT_EQ(lines_of("\n\na\n"), (Lines{"", "", "a"})); }

TEST_F(InputTest, OtherControlCharactersStay) {
  EXPECT_EQ(lines_of(std::string_view("a\r\n\0b\n", 6)), (Lines{"a\r", std::string("\0b", 2)}));
}

TEST_F(InputTest, LinesLongerThanTheBufferAreWhole) {
  const std::string first(1'000'000, 'x');
  const std::string second(300'000, 'y');
  EXPECT_EQ(lines_of(first + "\n" + second + "\nz"), (Lines{first, second, "z"}));
}

TEST_F(InputTest, ALineMayBeExactlyAsLongAsTheBuffer) {
  const std::string line(std::size_t{256} << 10, 'x');
  EXPECT_EQ(lines_of(line + "\n" + line + "\n"), (Lines{line, line}));
}

TEST_F(InputTest, ALineAboveTheLimitIsRefusedByNumber) {
  try {
    lines_of("a\n" + std::string(600'000, 'x') + "\n", 500'000);
    FAIL() << "not refused";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.exit, ExitCode::limit);
    EXPECT_EQ(failure.code, "too_large");
    EXPECT_NE(failure.object.find("line 2"), std::string::npos) << failure.object;
    EXPECT_FALSE(failure.cure.empty());
  }
}

TEST_F(InputTest, BlocksAreFullButTheLast) {
  Input input = input_of("abcdefgh");
  std::array<std::byte, 3> block{};
  EXPECT_EQ(input.fill(block), 3u);
  EXPECT_EQ(text_of(block), "abc");
  EXPECT_EQ(input.fill(block), 3u);
  EXPECT_EQ(text_of(block), "def");
  EXPECT_EQ(input.fill(block), 2u);
  EXPECT_EQ(text_of(std::span(block).first(2)), "gh");
  EXPECT_EQ(input.fill(block), 0u);
}

TEST_F(InputTest, LargeBlocksContinueWhereTheBufferEnds) {
  std::string content;
  for (int i = 0; i < 400'000; ++i) content += static_cast<char>(i * 31 >> 3);
  Input input = input_of(content);
  std::vector<std::byte> head(10);
  std::vector<std::byte> tail(content.size() - 10);
  EXPECT_EQ(input.fill(head), head.size());
  EXPECT_EQ(input.fill(tail), tail.size());
  EXPECT_EQ(text_of(head) + text_of(tail), content);
}

TEST_F(InputTest, AFileKnowsItsSize) {
  Input input = input_of("abcdef");
  EXPECT_EQ(input.known_size(), 6u);
}

TEST_F(InputTest, TheWholeIsAllOfIt) {
  Input input = input_of(std::string(700'000, 'w'));
  EXPECT_EQ(read_whole(input, 1 << 30).size(), 700'000u);
}

TEST_F(InputTest, AWholeAboveTheLimitIsRefused) {
  Input input = input_of(std::string(700'000, 'w'));
  EXPECT_THROW(read_whole(input, 699'999), Failure);
}

TEST_F(InputTest, APipeThatDripsGivesWholeBlocks) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  std::thread writer([&] {
    for (const char letter : std::string_view("abcd")) EXPECT_EQ(::write(ends[1], &letter, 1), 1);
    ::close(ends[1]);
  });
  Input input(ends[0], signals_);
  EXPECT_FALSE(input.known_size());
  std::array<std::byte, 4> block{};
  EXPECT_EQ(input.fill(block), 4u);
  EXPECT_EQ(text_of(block), "abcd");
  writer.join();
  ::close(ends[0]);
}

TEST_F(InputTest, WhatCannotBeReadIsAnErrorWithACure) {
  descriptor_ = ::open("/", O_RDONLY | O_DIRECTORY);
  Input input(descriptor_, signals_);
  try {
    input.peek();
    FAIL() << "not refused";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code, "os");
    EXPECT_EQ(failure.system_error, EISDIR);
    EXPECT_FALSE(failure.cure.empty());
  }
}

}  // namespace
}  // namespace tarn::tools
