// book_layout.h - the keeper's records, in memory that outlives it.
//
// Lives in  a memfd that the keeper and the service manager have, and nobody else. Bytes:
//           docs/formats/book.md.
// Writers   the keeper; after its death the next one.
// Readers   the next keeper, once, which checks all of it.
// Crash     a slot's `change` is the one commit point of its record. A record may stand in two
//           slots while it is replaced: the later change counts.
// Bounds    kBookSlots records; their pages are allocated before they are used.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tarn::layout {

inline constexpr std::uint64_t kBookMagic = 0x4b4f'4f42'4e52'4154;  // "TARNBOOK" in memory
// Another one whenever the header, a slot or a record changes: a book is read by the program that
// is there then, which may be newer than its writer.
inline constexpr std::uint32_t kBookVersion = 1;
inline constexpr std::size_t kBookRecordBytes = 512;
inline constexpr std::size_t kBookDescriptors = 2;
inline constexpr std::uint32_t kBookSlots = 131'072;

// A descriptor of a record, as the service manager keeps it.
struct BookDescriptor {
  std::uint64_t serial;  // the name it is kept under; 0: it is not kept
  std::uint64_t device;  // what it leads to
  std::uint64_t inode;
  std::uint64_t access;
};

struct BookSlot {
  std::atomic<std::uint64_t> change;  // the number of the change that wrote it; 0: free
  std::uint32_t kind;
  std::uint32_t byte_count;
  std::uint64_t number;
  std::array<BookDescriptor, kBookDescriptors> descriptors;
  std::array<std::byte, kBookRecordBytes> bytes;
  std::array<std::uint64_t, 5> reserved;
};
static_assert(std::is_standard_layout_v<BookSlot> && std::is_trivially_destructible_v<BookSlot>);
static_assert(sizeof(BookSlot) == 640 && offsetof(BookSlot, bytes) == 88);

struct BookHeader {
  std::atomic<std::uint64_t> magic;  // released last by format
  std::uint32_t version;             // what follows is constant after format
  std::uint32_t slot_count;
  std::array<char, 32> program;  // the version of the program that wrote it
  std::uint64_t node_id;
  std::int64_t began_ns;
  std::array<char, 64> application;
  std::array<char, 64> user;
  alignas(64) std::atomic<std::uint64_t> closed;  // 1: the node has ended, or nobody shall follow
  std::atomic<std::uint64_t> last_serial;         // no descriptor gets a name twice
  std::atomic<std::uint64_t> slots_allocated;     // slots below it have their pages
  std::atomic<std::uint64_t> keepers;             // that have had it
  std::atomic<std::uint64_t> attempts;            // keepers since a worker served last
};
static_assert(std::is_standard_layout_v<BookHeader> &&
              std::is_trivially_destructible_v<BookHeader>);
static_assert(offsetof(BookHeader, closed) == 192 && sizeof(BookHeader) == 256);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

inline constexpr std::uint64_t kBookSlotsOffset = 4096;
inline constexpr std::uint64_t kBookBytes =
    kBookSlotsOffset + std::uint64_t{kBookSlots} * sizeof(BookSlot);

}  // namespace tarn::layout
