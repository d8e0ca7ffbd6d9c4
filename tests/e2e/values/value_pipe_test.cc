// value_pipe_test.cc - values built in one process and read in another, where they lie.
#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <string>

#include "tarn/tarn.h"
#include "testing/node_test.h"

namespace tarn {
namespace {

using namespace std::chrono_literals;
using testkit::Arguments;

bool is_in_slab(const void* address) {
  return testkit::range_of(address).what.find("memfd:tarn-slab") != std::string::npos;
}

// Answers each value on `in` with one on `out` that says what was seen.
int look_at_all(const Arguments&) {
  Session session = connect({.name = "reader"});
  Pipe in = session.pipe("in");
  Pipe out = session.pipe("out");
  while (const Popped popped = in.pop()) {
    Value seen = session.value();
    const ValueView value = popped.message.value();
    value.check();
    seen["sequence"] = value["sequence"];
    if (const auto bins = value.find("bins")) {
      const auto floats = bins->array<float>();
      seen["sum"] = std::accumulate(floats.begin(), floats.end(), 0.0);
      seen["in_slab"] = is_in_slab(floats.data());
      seen["aligned"] = reinterpret_cast<std::uintptr_t>(floats.data()) % 64 == 0;
    }
    if (const auto name = value.find("station")) seen["name"] = (*name)["name"];
    if (out.push(std::move(seen)) != PushStatus::ok) return 2;
  }
  return 0;
}

class ValuePipeTest : public testkit::NodeTest {
 protected:
  ValuePipeTest() {
    start_node();
    session_ = connect({.name = "writer"});
    in_ = session_.pipe("in");
    out_ = session_.pipe("out");
  }
  Value answer() {
    Popped popped = out_.pop(60s);
    EXPECT_EQ(popped.status, PopStatus::ok);
    return popped ? Value::copy_of(popped.message.value()) : Value();
  }

  Session session_;
  Pipe in_;
  Pipe out_;
};

TEST_F(ValuePipeTest, AValueIsReadWhereItWasBuilt) {
  auto reader = play("look_at_all");
  Value packet = session_.value();
  for (int i = 0; i < 100; ++i) {
    packet["sequence"] = i;
    packet["station"]["name"] = "a name that stands in a block of its own";
    const std::span<float> bins = packet["bins"].array<float>(4096);
    EXPECT_TRUE(is_in_slab(bins.data()));
    std::fill(bins.begin(), bins.end(), static_cast<float>(i));
    EXPECT_TRUE(packet.is_shared());
    ASSERT_EQ(in_.push(std::move(packet)), PushStatus::ok);
    // What was pushed is gone, and can be filled again.
    EXPECT_TRUE(packet.view().is_none());
    const Value seen = answer();
    EXPECT_EQ(seen["sequence"].as<int>(), i);
    EXPECT_EQ(seen["sum"].as<double>(), 4096.0 * i);
    EXPECT_TRUE(seen["in_slab"].as<bool>());
    EXPECT_TRUE(seen["aligned"].as<bool>());
    EXPECT_EQ(seen["name"].text(), "a name that stands in a block of its own");
  }
  in_.close();
  expect_success(reader);
}

TEST_F(ValuePipeTest, AValueOfOrdinaryMemoryIsCopiedIn) {
  auto reader = play("look_at_all");
  Value packet;
  packet["sequence"] = 1;
  packet["bins"].array<float>(1000)[999] = 0;
  for (float& bin : packet["bins"].elements<float>()) bin = 2;
  EXPECT_FALSE(packet.is_shared());
  ASSERT_EQ(in_.push(packet), PushStatus::ok);
  EXPECT_EQ(answer()["sum"].as<double>(), 2000.0);
  ASSERT_EQ(in_.push(std::move(packet), 60s), PushStatus::ok);
  EXPECT_EQ(answer()["sum"].as<double>(), 2000.0);
  EXPECT_TRUE(packet.view().is_none());
  in_.close();
  expect_success(reader);
}

TEST_F(ValuePipeTest, ASingleNumberTravelsInItsSlot) {
  Pipe own = session_.pipe("own");
  Value number = session_.value();
  number = 17;
  const std::uint64_t before = session_.status().used_bytes;
  ASSERT_EQ(own.push(std::move(number)), PushStatus::ok);
  EXPECT_EQ(session_.status().used_bytes, before);
  const Popped popped = own.pop();
  EXPECT_EQ(popped.message.size(), 48u);
  EXPECT_EQ(popped.message.value().as<int>(), 17);
}

TEST_F(ValuePipeTest, WhatWasNotPushedStaysWhatItIs) {
  Pipe small = session_.pipe("small", {.capacity = 1});
  Value first = session_.value();
  first["n"] = 1;
  ASSERT_EQ(small.push(first), PushStatus::ok);
  EXPECT_EQ(small.try_push(std::move(first)), PushStatus::full);
  EXPECT_EQ(small.push(std::move(first), 1ms), PushStatus::timed_out);
  EXPECT_EQ(first.view()["n"].as<int>(), 1);
  first["m"] = std::string(2000, 'x');
  EXPECT_EQ(first.view()["m"].text().size(), 2000u);
}

TEST_F(ValuePipeTest, AReceivedValueIsEditedInACopy) {
  Pipe own = session_.pipe("own");
  Value packet = session_.value();
  packet["n"] = 1;
  packet["bins"].array<double>(1000)[0] = 5;
  ASSERT_EQ(own.push(std::move(packet)), PushStatus::ok);
  Popped popped = own.pop();
  Value edited = session_.edit(popped.message);
  edited["n"] = 2;
  edited["more"] = "text";
  EXPECT_EQ(popped.message.value()["n"].as<int>(), 1);
  EXPECT_FALSE(popped.message.value().contains("more"));
  EXPECT_EQ(edited.view()["bins"].array<double>()[0], 5);
  EXPECT_TRUE(edited.is_shared());
  ASSERT_EQ(own.push(std::move(edited)), PushStatus::ok);
  EXPECT_EQ(own.pop().message.value()["n"].as<int>(), 2);
}

TEST_F(ValuePipeTest, BytesThatAreNoValueAreToldSo) {
  Pipe own = session_.pipe("own");
  ASSERT_EQ(own.push("just text"), PushStatus::ok);
  Popped popped = own.pop();
  EXPECT_FALSE(popped.message.try_value());
  EXPECT_THROW(static_cast<void>(popped.message.value()), Error);
  EXPECT_THROW(static_cast<void>(session_.edit(popped.message)), Error);
  EXPECT_EQ(popped.message.text(), "just text");
}

TEST_F(ValuePipeTest, AValueBeyondTheLimitIsRefusedAndKept) {
  Value packet = session_.value();
  packet["n"] = 1;
  EXPECT_THROW(packet["bins"].array<double>(std::size_t{1} << 45), Error);
  EXPECT_EQ(packet.view()["n"].as<int>(), 1);
}

TEST_F(ValuePipeTest, MemoryComesBackWhenValuesAreDropped) {
  const auto use = [&] {
    for (int i = 0; i < 50; ++i) {
      Value packet = session_.value();
      packet["bins"].array<double>(100'000)[0] = i;
    }
  };
  use();
  const std::uint64_t before = session_.status().used_bytes;
  use();
  EXPECT_EQ(session_.status().used_bytes, before);
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) {
  return tarn::testkit::run(argc, argv, {{"look_at_all", tarn::look_at_all}});
}
