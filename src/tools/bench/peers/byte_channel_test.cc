#include "tools/bench/peers/byte_channel.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

namespace tarn::bench {
namespace {

std::set<std::string> shared_memory_names() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm")) {
    if (entry.path().filename().string().starts_with("tarn-bench-")) names.insert(entry.path());
  }
  return names;
}

TEST(ByteChannelTest, WhatIsSentIsReceived) {
  for (const auto& peer : byte_channel_peers()) {
    for (const Waiting waiting : {Waiting::polling, Waiting::blocking}) {
      const std::size_t size = std::min<std::size_t>(peer->max_message_bytes(), 4096);
      const auto channel = peer->make_channel(waiting, size);
      std::vector<std::byte> sent(size);
      std::vector<std::byte> received(size);
      for (std::uint64_t i = 0; i < 5; ++i) {
        write_payload(sent, i, Touch::all);
        channel->send(sent);
        channel->receive(received);
        EXPECT_NO_THROW(check_payload(received, size, i, Touch::all)) << peer->name();
      }
    }
  }
}

TEST(ByteChannelTest, NoNameIsLeftEvenWhileAChannelIsOpen) {
  const auto before = shared_memory_names();
  for (const auto& peer : byte_channel_peers()) {
    const auto channel = peer->make_channel(Waiting::blocking, 64);
    EXPECT_EQ(shared_memory_names(), before) << peer->name();
  }
}

TEST(PayloadTest, AnotherNumberOrSizeIsOutOfSequence) {
  std::vector<std::byte> bytes(100);
  write_payload(bytes, 7, Touch::all);
  EXPECT_NO_THROW(check_payload(bytes, 100, 7, Touch::all));
  EXPECT_THROW(check_payload(bytes, 100, 8, Touch::all), BenchError);
  EXPECT_THROW(check_payload(bytes, 101, 7, Touch::all), BenchError);
  bytes[64] = std::byte{0};
  EXPECT_THROW(check_payload(bytes, 100, 7, Touch::all), BenchError);
  EXPECT_NO_THROW(check_payload(bytes, 100, 7, Touch::ends));
}

}  // namespace
}  // namespace tarn::bench
