// read.h - values out of JSON, MessagePack and CBOR. What becomes of what: docs/formats/borders.md.
//
// The input is a stranger's. Whatever is in it, the outcome is a value or an Error: corrupt
// (malformed, cut off, no UTF-8, a key twice, a tagged table of the wrong form), out_of_range
// (deeper than a value can be, a number that fits nowhere), too_large, or what building a value
// throws.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "borders/byte_tap.h"
#include "borders/format.h"
#include "borders/source.h"
#include "tarn/value.h"

namespace tarn::borders {

struct ReadOptions {
  // Tables that begin with "$bytes" and the like become what they stand for.
  bool tags = true;
  // Lists of nothing but numbers become typed arrays: of int64 when all of them are, of float64
  // when these have them exactly.
  bool number_arrays = false;
  // Of a key that stands twice in a table the last value counts; else that is an error.
  bool last_of_duplicates = false;
  // An item of so many bytes or more is refused (too_large) before it has filled the memory. The
  // source's pieces are taken whole: up to one of them more may have been read.
  std::uint64_t item_limit_bytes = std::numeric_limits<std::uint64_t>::max();
};

// Items that follow each other: JSON texts with or without blanks between them, MessagePack
// objects, a CBOR sequence (RFC 8742). Reads no further than it must. One thread at a time.
class Reader {
 public:
  // `source` is borrowed.
  Reader(Format format, Source& source, ReadOptions options = {})
      : format_(format), options_(options), tap_(format, source) {}

  // Puts the next item into `target`, replacing what stands there; false at the end of the input.
  // When it throws, `target` holds a part of the item, and the reader cannot go on.
  bool next(ValueRef target);
  // How many items, and how many bytes, were read so far.
  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t position() const noexcept { return tap_.position(); }

 private:
  Format format_;
  ReadOptions options_;
  ByteTap tap_;
  std::uint64_t count_ = 0;
};

// Exactly one item, and nothing behind it but blanks.
Value read_value(Format format, std::span<const std::byte> bytes, ReadOptions options = {});
Value read_value(Format format, std::string_view text, ReadOptions options = {});

}  // namespace tarn::borders
