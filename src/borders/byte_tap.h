// byte_tap.h - between a source of bytes and the library that parses them.
//
// The library reads MessagePack and CBOR, but neither CBOR's tags nor keys that are no text. It
// does read strictly byte by byte, and never ahead. Hence what stands between it and the source
// knows when the next byte begins an item: it takes tags out of the way, and keys that are numbers,
// and leaves word of them for the one who receives the library's events. It also refuses what the
// library would misread or, being recursive, not survive: it then gives a byte that begins nothing,
// and says in problem() what is wrong.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>

#include "borders/format.h"
#include "borders/source.h"
#include "borders/whole_number.h"

namespace tarn::borders {

class ByteTap {
 public:
  ByteTap(Format format, Source& source) : format_(format), source_(source) {}

  // --- For the parser, through Iterator ----------------------------------------------------------
  bool at_end();
  char current() const noexcept { return is_given() ? given_[given_at_] : *at_; }
  void advance() noexcept {
    if (is_given()) {
      ++given_at_;
    } else {
      ++at_;
      ++position_;
    }
  }

  // --- For the receiver of its events ------------------------------------------------------------
  enum class Head : std::uint8_t { none, value, key };
  // The next byte begins such an item; none: the parser is done.
  void expect(Head head) noexcept { head_ = head; }
  // The number that stands for the null, or the empty key, that the parser has just seen.
  std::optional<WholeNumber> take_number() { return std::exchange(number_, std::nullopt); }
  // The tag before the item that the parser has just seen, when it matters to us.
  std::optional<std::uint64_t> take_tag() { return std::exchange(tag_, std::nullopt); }
  // Whether the key that the parser took for text is bytes.
  bool take_key_is_bytes() { return std::exchange(key_is_bytes_, false); }

  // What is wrong, when the tap has ended the input; null while nothing is.
  const char* problem() const noexcept { return problem_; }
  // Whether that is that the item is larger than its limit.
  bool is_too_large() const noexcept { return is_too_large_; }

  // --- For the reader, between items -------------------------------------------------------------
  // An item begins here. It ends, with a problem, when it has taken a good deal more than so many
  // bytes: the pieces of the source are not cut.
  void begin_item(std::uint64_t limit_bytes) noexcept {
    item_end_ = limit_bytes > kEndless - position_ ? kEndless : position_ + limit_bytes;
  }
  void end_item() noexcept { item_end_ = kEndless; }
  // How many bytes were read.
  std::uint64_t position() const noexcept { return position_; }
  // Skips blanks; false when nothing else is left.
  bool skip_blanks();
  // JSON's numbers end where something else begins, and the parser has read one byte of that.
  void unread_after_number() noexcept;

 private:
  static constexpr std::uint64_t kEndless = std::numeric_limits<std::uint64_t>::max();

  bool fill();
  bool take_raw(std::uint8_t& byte);
  bool take_argument(std::size_t size_bytes, std::uint64_t& argument);
  bool take_head();
  bool take_cbor_head(bool is_key);
  bool take_cbor_item(std::uint8_t head, bool is_key);
  bool take_long_count(std::uint8_t head);
  bool begin_chunks(std::uint8_t head);
  bool take_chunk();
  bool take_cbor_integer_key(std::uint8_t head);
  bool take_tag_head(std::uint8_t head);
  bool take_msgpack_key();
  bool is_given() const noexcept { return given_at_ != given_end_; }
  void give(std::uint8_t byte) noexcept;
  void give_back(std::uint8_t head, std::uint64_t argument, std::size_t size_bytes) noexcept;
  bool refuse(const char* problem) noexcept;

  Format format_;
  Source& source_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  std::uint64_t position_ = 0;
  bool ended_ = false;  // the source has nothing more
  Head head_ = Head::none;
  // What the parser reads next, before *at_: at most a head and its argument.
  std::array<char, 9> given_{};
  std::uint8_t given_at_ = 0;
  std::uint8_t given_end_ = 0;
  // Inside a text or bytes of CBOR that come in chunks: where the next chunk's head is.
  bool in_chunks_ = false;
  std::uint8_t chunk_major_ = 0;
  std::uint64_t next_chunk_at_ = 0;
  std::uint64_t item_end_ = kEndless;
  const char* problem_ = nullptr;
  bool is_too_large_ = false;
  std::optional<WholeNumber> number_;
  std::optional<std::uint64_t> tag_;
  bool key_is_bytes_ = false;
};

// What the library takes for the input. One that is default-constructed is the end.
class TapIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  TapIterator() noexcept = default;
  explicit TapIterator(ByteTap& tap) noexcept : tap_(&tap) {}
  char operator*() const noexcept { return tap_->current(); }
  TapIterator& operator++() noexcept {
    tap_->advance();
    return *this;
  }
  friend bool operator==(const TapIterator& at, const TapIterator&) { return at.tap_->at_end(); }

 private:
  ByteTap* tap_ = nullptr;
};

}  // namespace tarn::borders
