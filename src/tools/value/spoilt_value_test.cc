// spoilt_value_test.cc - values whose maker breaks the rules: bytes that make no sense, and bytes
// that change while they are shown and written. An Error at most, never a fault.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>

#include "borders/read.h"
#include "borders/write.h"
#include "tools/pipe/message_writer.h"
#include "tools/value/pretty.h"

namespace tarn::tools {
namespace {

constexpr std::size_t kRootCell = 32;  // docs/formats/value.md
constexpr std::size_t kDetail = 1;
constexpr std::size_t kPayload = 8;

// The bytes of a value in memory that other processes of ours share.
class SharedValue {
 public:
  explicit SharedValue(const Value& value) : size_(value.bytes().size()) {
    void* memory =
        ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(memory, MAP_FAILED);
    bytes_ = static_cast<std::byte*>(memory);
    std::memcpy(bytes_, value.bytes().data(), size_);
  }
  ~SharedValue() { ::munmap(bytes_, size_); }
  SharedValue(const SharedValue&) = delete;
  SharedValue& operator=(const SharedValue&) = delete;

  std::span<std::byte> bytes() const { return {bytes_, size_}; }
  ValueView view() const { return value_in(bytes()); }
  std::size_t payload_of(std::size_t cell) const {
    std::uint64_t payload = 0;
    std::memcpy(&payload, bytes_ + cell + kPayload, sizeof payload);
    return payload;
  }

 private:
  std::size_t size_;
  std::byte* bytes_ = nullptr;
};

// Another process that writes these bytes and the former ones by turns, as fast as it can, as long
// as this one lives. It has begun when it is made.
class Scribbler {
 public:
  Scribbler(std::byte* at, std::vector<std::byte> others)
      : rounds_(new (SharedWord::map()) SharedWord) {
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ == 0) scribble(at, others, parent);
    while (rounds_->count == 0) std::this_thread::yield();
  }
  ~Scribbler() {
    if (::waitpid(pid_, nullptr, WNOHANG) == 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    } else {
      ADD_FAILURE() << "it ended by itself";
    }
    ::munmap(rounds_, sizeof(SharedWord));
  }
  Scribbler(const Scribbler&) = delete;
  Scribbler& operator=(const Scribbler&) = delete;

 private:
  struct SharedWord {
    std::atomic<std::uint64_t> count{0};
    static void* map() {
      void* memory = ::mmap(nullptr, sizeof(SharedWord), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
      if (memory == MAP_FAILED) throw std::runtime_error("mmap");
      return memory;
    }
  };

  [[noreturn]] void scribble(std::byte* at, const std::vector<std::byte>& others, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (::getppid() != parent) ::_exit(1);
    const std::vector<std::byte> former(at, at + others.size());
    for (;; ++rounds_->count) {
      for (const auto* bytes : {&others, &former}) {
        for (std::size_t i = 0; i < bytes->size(); ++i) {
          static_cast<volatile std::byte*>(at)[i] = (*bytes)[i];
        }
      }
    }
  }

  SharedWord* rounds_;
  pid_t pid_ = -1;
};

std::vector<std::byte> words(std::initializer_list<std::uint64_t> numbers) {
  std::vector<std::byte> bytes(numbers.size() * sizeof(std::uint64_t));
  std::memcpy(bytes.data(), std::data(numbers), bytes.size());
  return bytes;
}

// Everything that reads it, often, while somebody writes.
void read_all(const SharedValue& shared) {
  for (int round = 0; round < 10'000; ++round) {
    const auto attempt = [&](auto&& step) {
      try {
        step();
      } catch (const Error&) {
      }
    };
    for (const auto format :
         {borders::Format::json, borders::Format::msgpack, borders::Format::cbor}) {
      for (const bool lossless : {false, true}) {
        attempt([&] { borders::to_text(shared.view(), format, {.lossless = lossless}); });
      }
    }
    attempt([&] { pretty(shared.view(), Style(false)); });
    attempt([&] { summary_of(shared.view()); });
    attempt([&] { Value::copy_of(shared.view()); });
  }
}

TEST(SpoiltValueTest, AnArrayMayChangeItsShape) {
  Value value;
  value.root().array<std::int8_t>({64, 8});
  const SharedValue shared(value);
  // Element count; dimensions; extents.
  const Scribbler scribbler(shared.bytes().data() + shared.payload_of(kRootCell),
                            words({0, 2, 0, std::uint64_t{1} << 60}));
  read_all(shared);
}

TEST(SpoiltValueTest, AnArrayMayChangeItsType) {
  Value value;
  value.root().array<std::int8_t>(500);
  const SharedValue shared(value);
  const Scribbler scribbler(shared.bytes().data() + kRootCell + kDetail, {std::byte{0x80 | 11}});
  read_all(shared);
}

TEST(SpoiltValueTest, AComplexNumberMayChangeItsType) {
  Value value;
  value = std::complex<float>(1, 2);
  const SharedValue shared(value);
  const Scribbler scribbler(shared.bytes().data() + kRootCell + kDetail, {std::byte{11}});
  read_all(shared);
}

TEST(SpoiltValueTest, ABigIntegerMayBecomeZero) {
  Value value = borders::read_value(borders::Format::json, "-1208925819614629174706176");
  const SharedValue shared(value);
  const std::size_t last = shared.payload_of(kRootCell) + 8 + 10;
  EXPECT_EQ(shared.bytes()[last], std::byte{1});
  const Scribbler scribbler(shared.bytes().data() + last, {std::byte{0}});
  read_all(shared);
}

TEST(SpoiltValueTest, TextMayBecomeNoUtf8) {
  Value value;
  value = std::string(1000, 'x');
  const SharedValue shared(value);
  const Scribbler scribbler(shared.bytes().data() + shared.payload_of(kRootCell) + 508,
                            {std::byte{0xC3}});
  read_all(shared);
}

TEST(SpoiltValueTest, AListMayBecomeItsOwnElement) {
  Value value = borders::read_value(borders::Format::json, "[[1,2],[3,4]]");
  const SharedValue shared(value);
  const std::size_t list = shared.payload_of(kRootCell);
  const std::size_t first = list + 32;
  std::vector<std::byte> cell(16);
  std::memcpy(cell.data(), shared.bytes().data() + kRootCell, cell.size());
  const Scribbler scribbler(shared.bytes().data() + first, std::move(cell));
  read_all(shared);
}

// --- messages that stay as they are, spoilt -----------------------------------------------------

TEST(SpoiltValueTest, WhatANewerTarnWroteIsNamed) {
  const SharedValue shared(borders::read_value(borders::Format::json, "[1,2]"));
  shared.bytes()[shared.payload_of(kRootCell) + 32] = std::byte{77};
  EXPECT_EQ(pretty(shared.view(), Style(false)),
            "- something of type 77, which a newer tarn wrote\n- 2\n");
  try {
    borders::to_text(shared.view(), borders::Format::json);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Error::wrong_type);
  }
}

class SpoiltMessageTest : public testing::Test {
 protected:
  SpoiltMessageTest()
      : descriptor_(::memfd_create("output", 0)),
        output_(descriptor_),
        spoilt_(borders::read_value(borders::Format::json, "-1208925819614629174706176")) {
    const std::size_t magnitude = spoilt_.payload_of(kRootCell) + 8;
    std::memset(spoilt_.bytes().data() + magnitude, 0, 11);
  }
  ~SpoiltMessageTest() override { ::close(descriptor_); }

  std::string written(MessageStyle style) {
    MessageWriter writer(std::move(style), output_);
    const MessageView message{spoilt_.bytes(), 3, false};
    writer.check(message);
    writer.write(message);
    output_.flush();
    std::string text(static_cast<std::size_t>(::lseek(descriptor_, 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(descriptor_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return text;
  }

  int descriptor_;
  Output output_;
  SharedValue spoilt_;
};

TEST_F(SpoiltMessageTest, TheFittingFormIsALine) {
  const std::string bytes(reinterpret_cast<const char*>(spoilt_.bytes().data()),
                          spoilt_.bytes().size());
  EXPECT_EQ(written({.form = MessageForm::fitting}), bytes + '\n');
}

TEST_F(SpoiltMessageTest, OnATerminalTheLineIsEscaped) {
  const std::string text = written({.form = MessageForm::fitting, .escape = true});
  EXPECT_TRUE(text.starts_with("TVAL\\x01")) << text;
}

TEST_F(SpoiltMessageTest, JsonSaysWhatIsWrong) {
  const auto object = nlohmann::json::parse(written({.form = MessageForm::json, .pipe = "x"}));
  EXPECT_EQ(object["position"], 3);
  EXPECT_EQ(object["error"]["code"], "corrupt");
  EXPECT_TRUE(object["base64"].is_string());
  EXPECT_FALSE(object.contains("value"));
}

TEST_F(SpoiltMessageTest, EveryFormatRefusesIt) {
  for (const auto format :
       {borders::Format::json, borders::Format::msgpack, borders::Format::cbor}) {
    EXPECT_THROW(written({.form = MessageForm::value, .format = format}), Error);
  }
}

}  // namespace
}  // namespace tarn::tools
