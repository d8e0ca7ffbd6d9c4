// book.h - the keeper's records in memory that outlives it: one writer, read once by the next one.
//
// Not thread-safe. A worker lets go of the mapping at once: it reads what clients wrote.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "daemon/store/book_layout.h"
#include "daemon/store/record.h"
#include "os/memory.h"
#include "os/run/service.h"

namespace tarn::daemon {

struct BookFacts {
  std::string application;
  std::string user;
  std::uint64_t node_id = 0;
  std::int64_t began_ns = 0;
};

// The name under which a descriptor is kept, and what it leads to. Serial 0: it is not kept.
struct KeptAs {
  std::uint64_t serial = 0;
  os::ObjectIdentity object;
};
using KeptPair = std::array<KeptAs, kMaxRecordDescriptors>;

// One record as it stands in the book.
struct BookEntry {
  std::span<const std::byte> bytes;  // borrowed until the next change
  KeptPair kept;
};

class Book {
 public:
  // None.
  Book() noexcept = default;
  static Result<Book, Error> create(const BookFacts& facts);
  // Takes over what the last keeper left, with every record that makes sense. corrupt, or
  // version_mismatch, when it is no such book; nothing was changed then but for slots of records
  // that were being replaced.
  static Result<Book, Error> attach(os::UniqueFd memory);

  explicit operator bool() const noexcept { return static_cast<bool>(mapping_); }
  int fd() const noexcept { return memory_.get(); }
  BookFacts facts() const;

  // Writes the record, in place of the one of that key. False when the book is full.
  bool put(const RecordKey& key, std::span<const std::byte> bytes, const KeptPair& kept);
  void drop(const RecordKey& key);
  bool has(const RecordKey& key) const { return slot_of_.contains(key); }
  // Nothing when there is no such record.
  KeptPair kept(const RecordKey& key) const;
  std::size_t size() const noexcept { return slot_of_.size(); }
  // visit(const RecordKey&, const BookEntry&) for each, by ascending key.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [key, index] : slot_of_) visit(key, entry(index));
  }

  // Nobody shall go on with it.
  void close() noexcept;
  bool is_closed() const noexcept;
  std::uint64_t next_serial() noexcept;
  // How many keepers have had it, the present one among them; the first is 1.
  std::uint64_t keepers() const noexcept;
  // Another keeper begins with it. False when too many did since a worker served last.
  bool begin_keeper() noexcept;
  void note_service() noexcept;

 private:
  layout::BookHeader& header() const noexcept {
    return *reinterpret_cast<layout::BookHeader*>(mapping_.base());
  }
  layout::BookSlot& slot(std::uint32_t index) const noexcept {
    return reinterpret_cast<layout::BookSlot*>(mapping_.base() + layout::kBookSlotsOffset)[index];
  }
  BookEntry entry(std::uint32_t index) const;
  FullStatus map(os::UniqueFd memory);
  Status check() const noexcept;
  void read_slots();
  void read_slot(std::uint32_t index);
  bool grow();

  os::UniqueFd memory_;
  os::Mapping mapping_;
  std::map<RecordKey, std::uint32_t> slot_of_;
  std::vector<std::uint32_t> free_;  // slots that have their pages
  std::uint64_t last_change_ = 0;
};

}  // namespace tarn::daemon
