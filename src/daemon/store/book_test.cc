#include "daemon/store/book.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace tarn::daemon {
namespace {

const BookFacts kFacts{"application", "user", 0x1234, 99};

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string text_of(const Book& book, const RecordKey& wanted) {
  std::string text;
  book.for_each([&](const RecordKey& key, const BookEntry& entry) {
    if (key != wanted) return;
    text.assign(reinterpret_cast<const char*>(entry.bytes.data()), entry.bytes.size());
  });
  return text;
}

constexpr RecordKey kPipe{RecordKind::pipe, 7};
constexpr RecordKey kSession{RecordKind::session, 3};

class BookTest : public ::testing::Test {
 protected:
  BookTest() { book_ = std::move(*Book::create(kFacts)); }
  // A second descriptor for its memory, as the service manager has it.
  os::UniqueFd memory() const {
    auto reopened = os::map_writable(book_.fd(), layout::kBookBytes);
    raw_ = std::move(*reopened);
    return os::UniqueFd(::fcntl(book_.fd(), F_DUPFD_CLOEXEC, 3));
  }
  layout::BookHeader& header() const { return *reinterpret_cast<layout::BookHeader*>(raw_.base()); }
  layout::BookSlot& slot(std::uint32_t index) const {
    return reinterpret_cast<layout::BookSlot*>(raw_.base() + layout::kBookSlotsOffset)[index];
  }

  Book book_;
  mutable os::Mapping raw_;
};

TEST_F(BookTest, TheNextKeeperFindsWhatWasPutAndNotWhatWasDropped) {
  KeptPair kept;
  kept[0] = {5, {1, 2, 3}};
  ASSERT_TRUE(book_.put(kPipe, bytes_of("first"), kept));
  ASSERT_TRUE(book_.put(kPipe, bytes_of("second"), kept));
  ASSERT_TRUE(book_.put(kSession, bytes_of("gone"), {}));
  book_.drop(kSession);
  book_.drop(kSession);
  auto next = Book::attach(memory());
  ASSERT_TRUE(next);
  EXPECT_EQ(next->size(), 1u);
  EXPECT_EQ(text_of(*next, kPipe), "second");
  EXPECT_EQ(next->kept(kPipe)[0].serial, 5u);
  EXPECT_EQ(next->kept(kPipe)[0].object, (os::ObjectIdentity{1, 2, 3}));
  EXPECT_EQ(next->kept(kPipe)[1].serial, 0u);
  EXPECT_FALSE(next->has(kSession));
  EXPECT_EQ(next->facts().application, "application");
  EXPECT_EQ(next->facts().user, "user");
  EXPECT_EQ(next->facts().node_id, 0x1234u);
  EXPECT_EQ(next->facts().began_ns, 99);
}

TEST_F(BookTest, ARecordInTwoSlotsIsTheLaterOne) {
  ASSERT_TRUE(book_.put(kPipe, bytes_of("before"), {}));
  const auto copy = memory();
  // As death between the commit and the slot before leaves it.
  for (std::uint32_t at : {100u, 200u}) {
    slot(at).kind = static_cast<std::uint32_t>(kPipe.kind);
    slot(at).number = kPipe.number;
    slot(at).byte_count = 5;
    std::memcpy(slot(at).bytes.data(), at == 100 ? "newer" : "older", 5);
  }
  slot(100).change.store(50);
  slot(200).change.store(40);
  auto next = Book::attach(memory());
  ASSERT_TRUE(next);
  EXPECT_EQ(text_of(*next, kPipe), "newer");
  EXPECT_EQ(next->size(), 1u);
  EXPECT_EQ(slot(200).change.load(), 0u) << "the slot is free again";
  ASSERT_TRUE(next->put(kPipe, bytes_of("newest"), {}));
  EXPECT_EQ(text_of(*Book::attach(memory()), kPipe), "newest") << "changes are counted on";
}

TEST_F(BookTest, ASlotThatWasNotCommittedCountsForNothing) {
  ASSERT_TRUE(book_.put(kPipe, bytes_of("here"), {}));
  const auto copy = memory();
  slot(9).kind = static_cast<std::uint32_t>(kSession.kind);
  slot(9).number = kSession.number;
  auto next = Book::attach(memory());
  ASSERT_TRUE(next);
  EXPECT_EQ(next->size(), 1u);
}

TEST_F(BookTest, ASlotThatMakesNoSenseIsFreed) {
  ASSERT_TRUE(book_.put(kPipe, bytes_of("here"), {}));
  const auto copy = memory();
  slot(9).byte_count = 100'000;
  slot(9).change.store(77);
  auto next = Book::attach(memory());
  ASSERT_TRUE(next);
  EXPECT_EQ(next->size(), 1u);
  EXPECT_EQ(slot(9).change.load(), 0u);
}

TEST_F(BookTest, GrowsWithItsRecordsAndRefusesOneThatIsTooLong) {
  for (std::uint64_t number = 0; number < 1'000; ++number) {
    ASSERT_TRUE(book_.put({RecordKind::viewing, number}, bytes_of(std::to_string(number)), {}));
  }
  for (std::uint64_t number = 0; number < 1'000; number += 2) {
    book_.drop({RecordKind::viewing, number});
  }
  EXPECT_FALSE(book_.put(kPipe, bytes_of(std::string(kMaxRecordBytes + 1, 'x')), {}));
  auto next = Book::attach(memory());
  ASSERT_TRUE(next);
  EXPECT_EQ(next->size(), 500u);
  EXPECT_EQ(text_of(*next, {RecordKind::viewing, 777}), "777");
}

TEST_F(BookTest, WhatIsNoBookOrAnotherVersionsIsRefused) {
  EXPECT_FALSE(Book::attach(os::UniqueFd()));
  EXPECT_FALSE(Book::attach(std::move(*os::create_memory("short", 4096))));
  auto empty = os::create_memory("empty", layout::kBookBytes);
  EXPECT_FALSE(Book::attach(os::UniqueFd(::fcntl(empty->get(), F_DUPFD_CLOEXEC, 3))));
  ASSERT_TRUE(os::seal(empty->get(), false));
  EXPECT_FALSE(Book::attach(std::move(*empty))) << "no pages";
  const auto copy = memory();
  header().slots_allocated.store(layout::kBookSlots + 1);
  EXPECT_EQ(Book::attach(memory()).error().code(), Error::corrupt);
  header().slots_allocated.store(0);
  header().program[0] = 'x';
  EXPECT_EQ(Book::attach(memory()).error().code(), Error::version_mismatch);
  header().magic.store(0);
  EXPECT_EQ(Book::attach(memory()).error().code(), Error::corrupt);
}

TEST_F(BookTest, KeepersAreCountedAndGiveUpWhenNoWorkerServes) {
  EXPECT_EQ(book_.keepers(), 1u);
  EXPECT_TRUE(book_.begin_keeper());
  EXPECT_TRUE(book_.begin_keeper());
  EXPECT_TRUE(book_.begin_keeper());
  EXPECT_FALSE(book_.begin_keeper());
  book_.note_service();
  EXPECT_TRUE(book_.begin_keeper());
  EXPECT_EQ(Book::attach(memory())->keepers(), 6u);
}

TEST_F(BookTest, ClosedStaysClosedAndNoSerialComesTwice) {
  const std::uint64_t first = book_.next_serial();
  EXPECT_FALSE(book_.is_closed());
  book_.close();
  auto next = Book::attach(memory());
  EXPECT_TRUE(next->is_closed());
  EXPECT_GT(next->next_serial(), first);
}

}  // namespace
}  // namespace tarn::daemon
