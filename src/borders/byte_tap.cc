#include "borders/byte_tap.h"

#include <utility>

namespace tarn::borders {
namespace {

// CBOR's major types, in the upper three bits of an item's first byte (RFC 8949, section 3).
constexpr std::uint8_t kUnsigned = 0;
constexpr std::uint8_t kNegative = 1;
constexpr std::uint8_t kByteString = 2;
constexpr std::uint8_t kTag = 6;
constexpr std::uint8_t kLongList = 0x9B;   // with a count of 64 bits
constexpr std::uint8_t kLongTable = 0xBB;  // likewise
constexpr std::uint8_t kChunkedBytes = 0x5F;
constexpr std::uint8_t kChunkedText = 0x7F;
constexpr std::uint8_t kBreak = 0xFF;
constexpr std::uint8_t kNull = 0xF6;
constexpr std::uint8_t kUndefined = 0xF7;
constexpr std::uint8_t kEmptyText = 0x60;
constexpr std::uint8_t kLongNegative = 0x3B;
constexpr std::uint8_t kEmptyMsgpackText = 0xA0;
// A byte with which no item begins: the parser reports it, and what comes before the end.
constexpr std::uint8_t kImpossible = 0xFE;

// How many bytes of argument follow a head; 9 for what has none.
std::size_t argument_bytes(std::uint8_t head) noexcept {
  const std::uint8_t low = head & 0x1F;
  if (low < 24) return 0;
  return low < 28 ? std::size_t{1} << (low - 24) : 9;
}

// Tags that change what an item is: big integers, typed arrays, arrays of several dimensions.
bool matters(std::uint64_t tag) noexcept {
  return tag == 2 || tag == 3 || tag == 40 || tag == 1040 || (tag >= 64 && tag <= 87);
}

}  // namespace

bool ByteTap::fill() {
  if (at_ != end_) return true;
  if (ended_) return false;  // a terminal would be asked once more
  if (position_ >= item_end_) {
    problem_ = "it is larger than one item may be";
    is_too_large_ = true;
    return false;
  }
  const auto piece = source_.next();
  at_ = reinterpret_cast<const char*>(piece.data());
  end_ = at_ + piece.size();
  ended_ = piece.empty();
  return !ended_;
}

bool ByteTap::at_end() {
  if (is_given()) return false;
  if (!fill()) return true;
  if (in_chunks_) return position_ == next_chunk_at_ && !take_chunk();
  if (head_ == Head::none) return false;
  return !take_head();
}

void ByteTap::give(std::uint8_t byte) noexcept {
  given_[0] = static_cast<char>(byte);
  given_at_ = 0;
  given_end_ = 1;
}

// What was taken to be looked at: a head and its argument.
void ByteTap::give_back(std::uint8_t head, std::uint64_t argument,
                        std::size_t size_bytes) noexcept {
  give(head);
  for (std::size_t i = size_bytes; i > 0; --i) {
    given_[given_end_++] = static_cast<char>(argument >> (8 * (i - 1)));
  }
}

bool ByteTap::refuse(const char* problem) noexcept {
  problem_ = problem;
  in_chunks_ = false;
  give(kImpossible);
  return true;
}

bool ByteTap::take_raw(std::uint8_t& byte) {
  if (!fill()) return false;
  byte = static_cast<std::uint8_t>(*at_++);
  ++position_;
  return true;
}

bool ByteTap::take_argument(std::size_t size_bytes, std::uint64_t& argument) {
  argument = 0;
  for (std::size_t i = 0; i < size_bytes; ++i) {
    std::uint8_t byte = 0;
    if (!take_raw(byte)) return false;
    argument = (argument << 8) | byte;
  }
  return true;
}

// False at the end of the input, which then is in the middle of an item.
bool ByteTap::take_head() {
  const bool is_key = std::exchange(head_, Head::none) == Head::key;
  if (format_ == Format::cbor) return take_cbor_head(is_key);
  if (format_ == Format::msgpack && is_key) return take_msgpack_key();
  return true;
}

bool ByteTap::take_cbor_head(bool is_key) {
  for (bool is_tagged = false;; is_tagged = true) {
    if (!fill()) return false;
    const auto head = static_cast<std::uint8_t>(*at_);
    if (head >> 5 != kTag) {
      if (is_tagged && head == kBreak) return refuse("a tag stands before the end of a container");
      return take_cbor_item(head, is_key);
    }
    if (!take_tag_head(head)) return false;
    if (is_given()) return true;
  }
}

bool ByteTap::take_cbor_item(std::uint8_t head, bool is_key) {
  const std::uint8_t major = head >> 5;
  if (is_key && (major == kUnsigned || major == kNegative)) return take_cbor_integer_key(head);
  if (head == kLongList || head == kLongTable) return take_long_count(head);
  if (head == kChunkedText || (head == kChunkedBytes && !is_key)) return begin_chunks(head);
  std::uint8_t taken = 0;
  if (is_key && major == kByteString && head != kChunkedBytes) {
    key_is_bytes_ = take_raw(taken);
    give(head | 0x20);
  } else if (head == kUndefined) {
    take_raw(taken);
    give(kNull);
  } else if (head == kLongNegative) {
    // The parser would wrap what is below -2^63 silently.
    if (!take_cbor_integer_key(head)) return false;
    give(kNull);
  }
  return true;
}

// The parser takes the largest count there is for none, and would read up to a break.
bool ByteTap::take_long_count(std::uint8_t head) {
  std::uint8_t taken = 0;
  std::uint64_t count = 0;
  if (!take_raw(taken) || !take_argument(sizeof count, count)) return false;
  if (count == ~std::uint64_t{0})
    return refuse("a list or table says that it has 2^64 - 1 entries");
  give_back(head, count, sizeof count);
  return true;
}

// Chunks are of the same type and of known size (RFC 8949, section 3.2.3). The parser takes any,
// and recurses for those that have chunks themselves, without an event that would let us end it.
bool ByteTap::begin_chunks(std::uint8_t head) {
  std::uint8_t taken = 0;
  take_raw(taken);
  give(head);
  in_chunks_ = true;
  chunk_major_ = head >> 5;
  next_chunk_at_ = position_;
  return true;
}

bool ByteTap::take_chunk() {
  const auto head = static_cast<std::uint8_t>(*at_);
  if (head == kBreak) {
    in_chunks_ = false;
    return true;
  }
  const std::size_t size_bytes = argument_bytes(head);
  if (head >> 5 != chunk_major_ || size_bytes > 8) {
    return refuse("a text, or bytes, that come in chunks have something else among them");
  }
  std::uint8_t taken = 0;
  std::uint64_t argument = 0;
  if (!take_raw(taken) || !take_argument(size_bytes, argument)) return false;
  give_back(head, argument, size_bytes);
  if (size_bytes == 0) argument = head & 0x1F;
  next_chunk_at_ = argument > kEndless - position_ ? kEndless : position_ + argument;
  return true;
}

// An integer, as key or else: leaves it in number_, and an empty key for the parser.
bool ByteTap::take_cbor_integer_key(std::uint8_t head) {
  const std::size_t size_bytes = argument_bytes(head);
  if (size_bytes > 8) return true;  // the parser will say what is wrong
  std::uint8_t taken = 0;
  std::uint64_t argument = 0;
  if (!take_raw(taken) || !take_argument(size_bytes, argument)) return false;
  if (size_bytes == 0) argument = head & 0x1F;
  const bool negative = head >> 5 == kNegative;
  if (!negative) {
    number_ = whole_number(false, argument);
  } else if (argument == ~std::uint64_t{0}) {
    number_ = WholeNumber{true, std::vector<std::byte>(9)};
    number_->magnitude.back() = std::byte{1};
  } else {
    number_ = whole_number(true, argument + 1);
  }
  give(kEmptyText);
  return true;
}

bool ByteTap::take_tag_head(std::uint8_t head) {
  const std::size_t size_bytes = argument_bytes(head);
  std::uint8_t taken = 0;
  std::uint64_t tag = 0;
  if (!take_raw(taken)) return false;
  if (size_bytes > 8) return refuse("a tag has no number");
  if (!take_argument(size_bytes, tag)) return false;
  if (size_bytes == 0) tag = head & 0x1F;
  if (tag_) return refuse("a tag stands before a tag that says what the item is");
  if (matters(tag)) tag_ = tag;
  return true;
}

bool ByteTap::take_msgpack_key() {
  const auto head = static_cast<std::uint8_t>(*at_);
  std::uint8_t taken = 0;
  if (head >= 0xC4 && head <= 0xC6) {
    // bin 8, 16, 32 look like str 8, 16, 32.
    key_is_bytes_ = take_raw(taken);
    give(static_cast<std::uint8_t>(head + (0xD9 - 0xC4)));
    return true;
  }
  const bool is_small = head <= 0x7F || head >= 0xE0;
  const bool is_unsigned = head >= 0xCC && head <= 0xCF;
  const bool is_signed = head >= 0xD0 && head <= 0xD3;
  if (!is_small && !is_unsigned && !is_signed) return true;
  std::uint64_t argument = head;
  std::size_t size_bytes = 0;
  take_raw(taken);
  if (!is_small) {
    size_bytes = std::size_t{1} << (head - (is_unsigned ? 0xCC : 0xD0));
    if (!take_argument(size_bytes, argument)) return false;
  }
  const std::size_t bits = is_small ? 8 : 8 * size_bytes;
  const bool negative = (is_small || is_signed) && ((argument >> (bits - 1)) & 1) != 0;
  if (negative && bits < 64) argument |= ~std::uint64_t{0} << bits;
  number_ = whole_number(negative, negative ? ~argument + 1 : argument);
  give(kEmptyMsgpackText);
  return true;
}

bool ByteTap::skip_blanks() {
  while (fill()) {
    if (*at_ != ' ' && *at_ != '\t' && *at_ != '\n' && *at_ != '\r') return true;
    ++at_;
    ++position_;
  }
  return false;
}

void ByteTap::unread_after_number() noexcept {
  // What was read last is what at_ has left behind; pieces are borrowed until the next one, and the
  // parser asked for no further byte.
  if (ended_ || position_ == 0) return;
  --at_;
  --position_;
}

}  // namespace tarn::borders
