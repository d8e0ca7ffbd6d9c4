#include "daemon/store/safekeeping.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "daemon/store/channel.h"
#include "os/socket.h"
#include "testing/service/kept_descriptors.h"

namespace tarn::daemon {
namespace {

// What a keeper does with a service manager that is the test itself.
class SafekeepingTest : public ::testing::Test {
 protected:
  explicit SafekeepingTest(std::size_t keeps = 100) : manager_(keeps) {
    service_ = manager_.begin_service();
    safe_ = std::move(*Safekeeping::begin(service_, {"application", "user", 1, 2}));
  }
  static os::UniqueFd memory() { return std::move(*os::create_memory("test", 4096)); }
  void put(const RecordKey& key, std::vector<os::UniqueFd> descriptors) {
    const std::string text = "record";
    safe_.put(key, std::as_bytes(std::span(text)), descriptors);
  }
  // The keeper dies, and another one asks for what it had.
  Result<Safekeeping, Error> begin_anew() {
    safe_ = Safekeeping();
    service_ = manager_.begin_service();
    store_ = RecordStore();
    auto kept = manager_.copies();
    for (os::KeptDescriptor& each : kept) {
      if (each.name != kBookName) continue;
      auto book = Book::attach(std::move(each.fd));
      if (!book) return std::move(book).error();
      return Safekeeping::resume(service_, std::move(*book), std::move(kept), store_);
    }
    return Error(Error::not_found, "begin anew", "no book", {});
  }
  std::size_t kept() { return manager_.size(); }

  testkit::KeptDescriptors manager_;
  os::ServiceManager service_;
  Safekeeping safe_;
  RecordStore store_;
};

std::vector<os::UniqueFd> one(os::UniqueFd fd) {
  std::vector<os::UniqueFd> all;
  all.push_back(std::move(fd));
  return all;
}

constexpr RecordKey kPipe{RecordKind::pipe, 7};
constexpr RecordKey kOpening{RecordKind::opening, 8};
constexpr RecordKey kShepherd{RecordKind::shepherd, 9};

TEST_F(SafekeepingTest, RecordsComeBackWithTheirDescriptors) {
  auto fd = memory();
  const auto object = os::identify_object(fd.get());
  put(kPipe, one(std::move(fd)));
  put(kOpening, {});
  put(kShepherd, one(memory()));
  EXPECT_EQ(kept(), 2u) << "book and pipe; a shepherd ends with its keeper";
  ASSERT_TRUE(begin_anew());
  EXPECT_EQ(store_.size(), 2u);
  store_.for_each(RecordKind::pipe, [&](const RecordKey&, StoredRecord& record) {
    EXPECT_EQ(os::identify_object(record.descriptors[0].get()), object);
  });
}

TEST_F(SafekeepingTest, APidfdIsNotKept) {
  std::vector<os::UniqueFd> both = one(memory());
  both.push_back(memory());
  put({RecordKind::session, 1}, std::move(both));
  EXPECT_EQ(kept(), 2u);
  EXPECT_TRUE(begin_anew());
}

TEST_F(SafekeepingTest, WhatIsDroppedOrReplacedIsLetGoOf) {
  put(kPipe, one(memory()));
  put(kPipe, one(memory()));
  EXPECT_EQ(kept(), 2u);
  put(kPipe, {});
  EXPECT_EQ(kept(), 2u) << "without descriptors it keeps those that it has";
  safe_.drop(kPipe);
  EXPECT_EQ(kept(), 1u);
  EXPECT_TRUE(begin_anew());
  EXPECT_EQ(store_.size(), 0u);
}

// The manager keeps one of two that are alike, under its former name.
TEST_F(SafekeepingTest, TheSameDescriptorOnceMoreIsStillThere) {
  auto fd = memory();
  put(kPipe, one(os::UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3))));
  put(kPipe, one(std::move(fd)));
  EXPECT_EQ(kept(), 2u);
  EXPECT_TRUE(begin_anew());
  EXPECT_EQ(store_.size(), 1u);
}

TEST_F(SafekeepingTest, AMissingDescriptorOfAPipeSpoilsTheWhole) {
  put(kPipe, one(memory()));
  manager_.lose("1");
  EXPECT_EQ(begin_anew().error().code(), Error::corrupt);
}

TEST_F(SafekeepingTest, ADescriptorThatLeadsElsewhereIsMissing) {
  put(kPipe, one(memory()));
  manager_.replace("1", memory());
  EXPECT_EQ(begin_anew().error().code(), Error::corrupt);
}

TEST_F(SafekeepingTest, AMissingDoorCostsTheDoorAlone) {
  put({RecordKind::door, 0}, one(memory()));
  put(kOpening, {});
  manager_.lose("1");
  EXPECT_TRUE(begin_anew());
  EXPECT_EQ(store_.size(), 1u);
}

TEST_F(SafekeepingTest, WhatNoRecordNamesIsLetGoOf) {
  auto fd = memory();
  ASSERT_TRUE(service_.keep(name_of_serial(77), fd.get()));
  EXPECT_EQ(kept(), 2u);
  EXPECT_TRUE(begin_anew());
  EXPECT_EQ(kept(), 1u);
}

TEST_F(SafekeepingTest, AMessageThatIsTakenTwiceCountsOnce) {
  auto ends = os::socket_pair();
  ChannelSender worker(ends->second.get());
  StoredPipe pipe{};
  pipe.id = 7;
  const auto fd = memory();
  const int raw = fd.get();
  worker.put(pipe, std::span(&raw, 1));
  // The keeper that has carried it out and not yet taken it is killed.
  std::array<std::byte, 1024> packet;
  auto peeked = os::peek_message(ends->first.get(), packet);
  ASSERT_EQ(peeked.outcome, os::ReceiveOutcome::ok);
  safe_.put(key_of(pipe), encode_record(pipe), peeked.descriptors);
  auto next = begin_anew();
  ASSERT_TRUE(next);
  safe_ = std::move(*next);
  EXPECT_EQ(receive_into(store_, ends->first.get(), safe_), ChannelEvent::applied);
  EXPECT_EQ(receive_into(store_, ends->first.get(), safe_), ChannelEvent::nothing);
  EXPECT_EQ(kept(), 2u);
  EXPECT_EQ(store_.size(), 1u);
  EXPECT_TRUE(begin_anew());
}

class SmallSafekeepingTest : public SafekeepingTest {
 protected:
  SmallSafekeepingTest() : SafekeepingTest(3) {}
};

TEST_F(SmallSafekeepingTest, BeyondTheLimitNobodyFollowsUntilItIsGone) {
  put(kPipe, one(memory()));
  EXPECT_EQ(safe_.unkept(), 0u);
  const RecordKey second{RecordKind::pipe, 8};
  put(second, one(memory()));
  EXPECT_EQ(safe_.unkept(), 1u);
  put(second, {});
  EXPECT_EQ(safe_.unkept(), 1u);
  safe_.drop(second);
  EXPECT_EQ(safe_.unkept(), 0u);
  EXPECT_TRUE(begin_anew());
}

TEST_F(SmallSafekeepingTest, WhatWasNotKeptIsMissing) {
  put(kPipe, one(memory()));
  put({RecordKind::segment, 8}, one(memory()));
  EXPECT_FALSE(begin_anew());
}

TEST(KeptNameTest, NamesAndSerialsAreOneToOne) {
  for (const std::uint64_t serial : {1ULL, 35ULL, 36ULL, 123'456'789ULL}) {
    EXPECT_EQ(serial_of_name(name_of_serial(serial)), serial);
    EXPECT_LE(name_of_serial(serial).size(), os::kMostKeptNameBytes);
  }
  for (const char* name : {"BOOK", "CHANNEL", "", "01", "x y", "-1", "book!"}) {
    EXPECT_EQ(serial_of_name(name), 0u) << name;
  }
}

}  // namespace
}  // namespace tarn::daemon
