#include "daemon/store/channel.h"

#include <gtest/gtest.h>

#include "os/events.h"
#include "os/memory.h"
#include "os/socket.h"

namespace tarn::daemon {
namespace {

class ChannelTest : public ::testing::Test {
 protected:
  ChannelTest() {
    auto ends = os::socket_pair();
    keeper_ = std::move(ends->first);
    worker_ = std::move(ends->second);
  }
  ChannelEvent receive() { return receive_into(store_, keeper_.get(), safe_); }
  StoredRecord* find(const RecordKey& wanted) {
    StoredRecord* found = nullptr;
    store_.for_each(wanted.kind, [&](const RecordKey& key, StoredRecord& record) {
      if (key == wanted) found = &record;
    });
    return found;
  }

  RecordStore store_;
  Safekeeping safe_;
  os::UniqueFd keeper_;
  os::UniqueFd worker_;
};

TEST_F(ChannelTest, PutArrivesWithItsDescriptors) {
  ChannelSender sender(worker_.get());
  auto memory = os::create_memory("test", 4096);
  StoredPipe pipe{};
  pipe.id = 12;
  const int fd = memory->get();
  sender.put(pipe, std::span(&fd, 1));
  EXPECT_EQ(receive(), ChannelEvent::applied);
  EXPECT_EQ(receive(), ChannelEvent::nothing);
  StoredRecord* record = find(key_of(pipe));
  ASSERT_NE(record, nullptr);
  ASSERT_TRUE(record->descriptors[0]);
  EXPECT_FALSE(record->descriptors[1]);
  EXPECT_EQ(os::examine_memory(record->descriptors[0].get())->identity,
            os::examine_memory(memory->get())->identity);
  EXPECT_EQ(decode_record<StoredPipe>(key_of(pipe), record->bytes)->id, 12u);
}

TEST_F(ChannelTest, PutWithoutDescriptorsKeepsThoseThatAreThere) {
  ChannelSender sender(worker_.get());
  auto event = os::create_event();
  StoredPipe pipe{};
  pipe.id = 1;
  const int fd = event->get();
  sender.put(pipe, std::span(&fd, 1));
  pipe.nameless = 1;
  sender.put(pipe);
  EXPECT_EQ(receive(), ChannelEvent::applied);
  EXPECT_EQ(receive(), ChannelEvent::applied);
  StoredRecord* record = find(key_of(pipe));
  EXPECT_TRUE(record->descriptors[0]);
  EXPECT_EQ(decode_record<StoredPipe>(key_of(pipe), record->bytes)->nameless, 1u);
}

TEST_F(ChannelTest, DropAndStopArriveInOrder) {
  ChannelSender sender(worker_.get());
  const StoredViewing viewing{3, 4};
  sender.put(viewing);
  sender.drop(viewing);
  sender.drop(viewing);  // of nothing
  sender.stop();
  EXPECT_EQ(receive(), ChannelEvent::applied);
  EXPECT_EQ(store_.size(), 1u);
  EXPECT_EQ(receive(), ChannelEvent::applied);
  EXPECT_EQ(store_.size(), 0u);
  EXPECT_EQ(receive(), ChannelEvent::applied);
  EXPECT_EQ(receive(), ChannelEvent::stop);
}

TEST_F(ChannelTest, WhatWasSentBeforeTheEndIsNotLost) {
  ChannelSender sender(worker_.get());
  for (std::uint32_t i = 1; i <= 50; ++i) sender.put(StoredViewing{i, i});
  worker_.reset();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(receive(), ChannelEvent::applied);
  EXPECT_EQ(receive(), ChannelEvent::ended);
  EXPECT_EQ(store_.size(), 50u);
}

TEST_F(ChannelTest, NonsenseIsRefusedAndChangesNothing) {
  std::vector<std::byte> bytes(2000, std::byte{0xee});
  for (const std::size_t size : {1u, 23u, 24u, 300u, 536u, 2000u}) {
    os::send_message(worker_.get(), std::span(bytes).first(size), {}, true);
    EXPECT_EQ(receive(), ChannelEvent::refused) << size;
  }
  EXPECT_EQ(store_.size(), 0u);
}

}  // namespace
}  // namespace tarn::daemon
