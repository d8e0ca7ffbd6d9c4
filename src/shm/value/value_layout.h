// value_layout.h - a self-describing tree in one relocatable buffer.
//
// Lives in  a message's chunk, a file, or a packet: the same bytes everywhere, little-endian, every
//           link an offset from the buffer's start. Bytes: docs/formats/value.md.
// Writers   the one who builds it, until it is handed over; nobody after that.
// Readers   whoever received it. To them it is input: each offset and count is checked on a local
//           copy when it is followed (value_reader.h).
// Crash     a value that is being built belongs to its builder and dies with it. It becomes
//           visible by being pushed, and pushing has the commit point.
// Bounds    2^30 entries in a table, 2^31 in a list, 32 dimensions, kMaxDepth levels.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tarn::layout {

static_assert(std::endian::native == std::endian::little, "values are little-endian in memory");

inline constexpr std::uint32_t kValueMagic = 0x4C415654;  // "TVAL"
inline constexpr std::uint16_t kValueVersion = 1;
// Deeper trees are refused by whoever walks them, and cannot be built.
inline constexpr std::uint32_t kMaxDepth = 1000;
inline constexpr std::uint32_t kMaxDimensions = 32;
// A table with more entries has an index, of which more words than entries.
inline constexpr std::uint32_t kMostUnindexed = 64;
// Blocks begin at multiples of the first, elements of arrays at multiples of the second.
inline constexpr std::uint64_t kBlockAlign = 16;
inline constexpr std::uint64_t kArrayAlign = 64;

// What a cell holds. Numbers are part of the format: never reused, only added to.
enum class CellType : std::uint8_t {
  none = 0,
  boolean = 1,
  int8 = 2,
  int16 = 3,
  int32 = 4,
  int64 = 5,
  uint8 = 6,
  uint16 = 7,
  uint32 = 8,
  uint64 = 9,
  float32 = 10,
  float64 = 11,
  complex = 12,      // of two numbers of type `detail`
  big_integer = 13,  // `detail` is 1 when it is negative; its magnitude stands in a block
  text = 14,         // UTF-8
  bytes = 15,
  table = 16,  // of keys and values, in the order in which they came
  list = 17,
  tuple = 18,
  array = 19,      // n-dimensional, of numbers of type `detail`
  reference = 20,  // to a blob or message; the hold travels beside the value
  removed = 255    // an entry that was taken out of its table
};

// `detail` of an array, and of a complex number without the flag: the type of its numbers.
inline constexpr std::uint8_t kComplexFlag = 0x80;
// `detail` of text and bytes: they stand in a block. Else it is how many bytes stand in the cell.
inline constexpr std::uint8_t kInBlock = 0xFF;
// `detail` of a table: the order of its entries is part of its meaning.
inline constexpr std::uint8_t kOrderMatters = 1;
// Text and bytes up to this long stand in their cell.
inline constexpr std::size_t kCellTextBytes = 14;

// One element: a type, and the thing itself or where it stands.
struct Cell {
  std::uint8_t type;    // CellType
  std::uint8_t detail;  // see there
  std::uint16_t head;   // the first two bytes of text in the cell, else zero
  std::uint32_t word;   // bytes 2 to 5 of such text; the hash of a key in a block; else zero
  std::uint64_t
      payload;  // the number; bytes 6 to 13 of such text; or the offset of a block, 0: none
};

// A key of a table, and what it stands for.
struct Entry {
  Cell key;
  Cell value;
};

// The first bytes of each value.
struct ValueHeader {
  std::uint32_t magic;
  std::uint16_t version;
  std::uint16_t flags;       // zero
  std::uint64_t size_bytes;  // from the magic to the last byte
  std::uint64_t dead_bytes;  // of blocks that nothing refers to any more
  std::uint64_t reserved;    // zero
  Cell root;
};

// Before the entries of a table, or the cells of a list or tuple. Entries follow at once; a table
// with `index_count` has that many 32-bit words behind its entries: 0, or 1 + the number of the
// entry whose key's hash begins its search there.
struct ContainerHeader {
  std::uint64_t moved_to;     // 0; else this block is dead, and that one took its place
  std::uint32_t capacity;     // there is room for so many
  std::uint32_t used;         // of which these have been written, removed ones too
  std::uint32_t live;         // of which these were not removed
  std::uint32_t index_count;  // a power of two, or 0: look at all entries
  std::uint32_t seed;         // of the index's hash
  std::uint16_t type;         // CellType: table, list or tuple
  std::uint16_t epoch;        // how often entries have changed their numbers
};

// Before the bytes of text, bytes or a big integer (least significant byte first).
struct TextHeader {
  std::uint64_t size_bytes;
};

// Before the shape of an array: `dimensions` words of 64 bits, slowest first. Its elements begin at
// the next multiple of kArrayAlign.
struct ArrayHeader {
  std::uint64_t element_count;  // the product of the shape
  std::uint32_t dimensions;
  std::uint32_t reserved;  // zero
};

// Two numbers of 64 bits each.
struct WideComplex {
  std::uint64_t real;
  std::uint64_t imaginary;
};

// What a reference cell's block holds.
struct ReferenceBlock {
  std::uint32_t kind;  // 1: a message, 2: a blob
  std::uint32_t reserved;
  std::uint64_t words[5];  // as the kind says
};

static_assert(sizeof(Cell) == 16 && alignof(Cell) == 8);
static_assert(offsetof(Cell, head) == 2 && offsetof(Cell, word) == 4);
static_assert(offsetof(Cell, payload) == 8);
static_assert(sizeof(Entry) == 32 && offsetof(Entry, value) == 16);
static_assert(sizeof(ValueHeader) == 48 && offsetof(ValueHeader, root) == 32);
static_assert(offsetof(ValueHeader, size_bytes) == 8 && offsetof(ValueHeader, dead_bytes) == 16);
static_assert(sizeof(ContainerHeader) == 32 && offsetof(ContainerHeader, seed) == 24);
static_assert(offsetof(ContainerHeader, capacity) == 8 && offsetof(ContainerHeader, epoch) == 30);
static_assert(sizeof(TextHeader) == 8 && sizeof(ArrayHeader) == 16);
static_assert(sizeof(WideComplex) == 16 && sizeof(ReferenceBlock) == 48);
static_assert(std::has_unique_object_representations_v<ValueHeader>, "no hidden padding");
static_assert(std::has_unique_object_representations_v<ContainerHeader>, "no hidden padding");
static_assert(std::is_standard_layout_v<ValueHeader> && std::is_trivial_v<ValueHeader>);

}  // namespace tarn::layout
