#include "daemon/store/book.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/crash_point.h"
#include "base/version.h"

namespace tarn::daemon {
namespace {

using layout::BookHeader;
using layout::BookSlot;

static_assert(layout::kBookRecordBytes == kMaxRecordBytes);
static_assert(layout::kBookDescriptors == kMaxRecordDescriptors);

constexpr std::uint32_t kSlotsAtOnce = 256;
constexpr std::uint64_t kMostAttempts = 3;

template <std::size_t N>
void put_chars(std::array<char, N>& field, const std::string& text) {
  field = {};
  text.copy(field.data(), N - 1);
}

template <std::size_t N>
std::string chars_of(const std::array<char, N>& field) {
  return {field.data(),
          static_cast<std::size_t>(std::find(field.begin(), field.end(), '\0') - field.begin())};
}

Error no_book(Error::Code code, const char* why) {
  return Error(code, "take over the last keeper's book", why, "nothing: a new node begins");
}

}  // namespace

FullStatus Book::map(os::UniqueFd memory) {
  auto mapping = os::map_writable(memory.get(), layout::kBookBytes);
  if (!mapping) return std::move(mapping).error();
  memory_ = std::move(memory);
  mapping_ = std::move(*mapping);
  return Done{};
}

Result<Book, Error> Book::create(const BookFacts& facts) {
  auto memory = os::create_memory("tarn-book", layout::kBookBytes);
  if (!memory) return std::move(memory).error();
  auto ready = os::allocate_pages(memory->get(), 0, layout::kBookSlotsOffset);
  if (ready) ready = os::seal(memory->get(), false);
  Book book;
  if (ready) ready = book.map(std::move(*memory));
  if (!ready) return std::move(ready).error();
  BookHeader& header = book.header();
  header.version = layout::kBookVersion;
  header.slot_count = layout::kBookSlots;
  put_chars(header.program, kVersion);
  header.node_id = facts.node_id;
  header.began_ns = facts.began_ns;
  put_chars(header.application, facts.application);
  put_chars(header.user, facts.user);
  // relaxed: nobody else has the memory yet.
  header.keepers.store(1, std::memory_order_relaxed);
  // sync(book-formatted): hands the header to check().
  header.magic.store(layout::kBookMagic, std::memory_order_release);
  return book;
}

// What the last keeper wrote is input: it may have died of what made it write nonsense.
Result<Book, Error> Book::attach(os::UniqueFd memory) {
  const auto facts = os::examine_memory(memory.get());
  if (!facts || facts->size_bytes != layout::kBookBytes || !facts->size_sealed) {
    return no_book(Error::corrupt, "it is no memory of that size");
  }
  Book book;
  const bool has_header = facts->allocated_bytes >= layout::kBookSlotsOffset;
  if (!has_header) return no_book(Error::corrupt, "its header has no pages");
  if (auto mapped = book.map(std::move(memory)); !mapped) return std::move(mapped).error();
  if (const auto good = book.check(); !good) {
    return no_book(good.error(), good.error() == Error::version_mismatch
                                     ? "another version of tarnd wrote it"
                                     : "its header makes no sense");
  }
  // relaxed: its writer is dead. What stands there is looked at: it must have its pages.
  const std::uint64_t slots = book.header().slots_allocated.load(std::memory_order_relaxed);
  const std::uint64_t end = layout::kBookSlotsOffset + slots * sizeof(BookSlot);
  if (auto ready = os::allocate_pages(book.fd(), 0, end); !ready) return std::move(ready).error();
  book.read_slots();
  return book;
}

Status Book::check() const noexcept {
  // sync(book-formatted): receives what create() wrote.
  if (header().magic.load(std::memory_order_acquire) != layout::kBookMagic) return Error::corrupt;
  if (header().version != layout::kBookVersion || chars_of(header().program) != kVersion) {
    return Error::version_mismatch;
  }
  // relaxed: its writer is dead.
  const std::uint64_t allocated = header().slots_allocated.load(std::memory_order_relaxed);
  if (header().slot_count != layout::kBookSlots || allocated > layout::kBookSlots) {
    return Error::corrupt;
  }
  return Done{};
}

void Book::read_slots() {
  // relaxed: its writer is dead.
  const auto allocated =
      static_cast<std::uint32_t>(header().slots_allocated.load(std::memory_order_relaxed));
  for (std::uint32_t index = allocated; index-- > 0;) read_slot(index);
}

void Book::read_slot(std::uint32_t index) {
  BookSlot& at = slot(index);
  // sync(book-change): receives what put() wrote before.
  const std::uint64_t change = at.change.load(std::memory_order_acquire);
  last_change_ = std::max(last_change_, change);
  if (change != 0 && at.byte_count <= kMaxRecordBytes) {
    const auto [known, is_new] =
        slot_of_.try_emplace({static_cast<RecordKind>(at.kind), at.number}, index);
    if (is_new) return;
    // relaxed: its writer is dead.
    if (slot(known->second).change.load(std::memory_order_relaxed) < change) {
      std::swap(known->second, index);
    }
  }
  // relaxed: whoever reads it again comes to the same end.
  slot(index).change.store(0, std::memory_order_relaxed);
  free_.push_back(index);
}

BookFacts Book::facts() const {
  return {chars_of(header().application), chars_of(header().user), header().node_id,
          header().began_ns};
}

// More slots get their pages. Crash: pages that the header does not count are allocated again.
bool Book::grow() {
  // relaxed: nobody else writes it.
  const std::uint64_t before = header().slots_allocated.load(std::memory_order_relaxed);
  if (before + kSlotsAtOnce > layout::kBookSlots) return false;
  const std::uint64_t offset = layout::kBookSlotsOffset + before * sizeof(BookSlot);
  if (!os::allocate_pages(memory_.get(), offset, kSlotsAtOnce * sizeof(BookSlot))) return false;
  TARN_CRASH_POINT("keeper.book.allocated");
  // relaxed: read by a process that begins after this one has ended.
  header().slots_allocated.store(before + kSlotsAtOnce, std::memory_order_relaxed);
  for (std::uint64_t index = before + kSlotsAtOnce; index-- > before;) {
    free_.push_back(static_cast<std::uint32_t>(index));
  }
  return true;
}

// Crash: [1] fills a slot that is free; [2] commits; [3] frees the slot of the record before. Death
//        between [2] and [3] leaves two slots of one key: the later change counts.
bool Book::put(const RecordKey& key, std::span<const std::byte> bytes, const KeptPair& kept) {
  if (bytes.size() > kMaxRecordBytes || (free_.empty() && !grow())) return false;
  const std::uint32_t index = free_.back();
  free_.pop_back();
  BookSlot& at = slot(index);
  at.kind = static_cast<std::uint32_t>(key.kind);  // [1]
  at.number = key.number;
  at.byte_count = static_cast<std::uint32_t>(bytes.size());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const os::ObjectIdentity& object = kept[i].object;
    at.descriptors[i] = {kept[i].serial, object.device, object.inode, object.access};
  }
  if (!bytes.empty()) std::memcpy(at.bytes.data(), bytes.data(), bytes.size());
  TARN_CRASH_POINT("keeper.book.filled");
  // sync(book-change): hands [1] to read_slot().
  at.change.store(++last_change_, std::memory_order_release);  // [2]
  TARN_CRASH_POINT("keeper.book.put");
  const auto [known, is_new] = slot_of_.try_emplace(key, index);
  if (is_new) return true;
  const std::uint32_t before = std::exchange(known->second, index);
  // relaxed: either of them counts; see [2].
  slot(before).change.store(0, std::memory_order_relaxed);  // [3]
  free_.push_back(before);
  return true;
}

// Crash: the one store commits.
void Book::drop(const RecordKey& key) {
  const auto known = slot_of_.find(key);
  if (known == slot_of_.end()) return;
  // relaxed: nothing is handed over.
  slot(known->second).change.store(0, std::memory_order_relaxed);
  free_.push_back(known->second);
  slot_of_.erase(known);
}

BookEntry Book::entry(std::uint32_t index) const {
  const BookSlot& at = slot(index);
  BookEntry found;
  found.bytes = std::span(at.bytes).first(std::min<std::size_t>(at.byte_count, kMaxRecordBytes));
  for (std::size_t i = 0; i < found.kept.size(); ++i) {
    const layout::BookDescriptor& kept = at.descriptors[i];
    found.kept[i] = {kept.serial, {kept.device, kept.inode, kept.access}};
  }
  return found;
}

KeptPair Book::kept(const RecordKey& key) const {
  const auto known = slot_of_.find(key);
  return known == slot_of_.end() ? KeptPair{} : entry(known->second).kept;
}

// One process writes and reads what follows, and the next one after its end.

void Book::close() noexcept {
  // relaxed: as above.
  header().closed.store(1, std::memory_order_relaxed);
}

bool Book::is_closed() const noexcept {
  // relaxed: as above.
  return header().closed.load(std::memory_order_relaxed) != 0;
}

std::uint64_t Book::next_serial() noexcept {
  // relaxed: as above.
  return header().last_serial.fetch_add(1, std::memory_order_relaxed) + 1;
}

std::uint64_t Book::keepers() const noexcept {
  // relaxed: as above.
  return header().keepers.load(std::memory_order_relaxed);
}

bool Book::begin_keeper() noexcept {
  // relaxed: as above.
  header().keepers.fetch_add(1, std::memory_order_relaxed);
  return header().attempts.fetch_add(1, std::memory_order_relaxed) < kMostAttempts;
}

void Book::note_service() noexcept {
  // relaxed: as above.
  header().attempts.store(0, std::memory_order_relaxed);
}

}  // namespace tarn::daemon
