#include "borders/receiver.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "borders/tagged.h"

namespace tarn::borders {
namespace {

// The parser of MessagePack and CBOR recurses. A value has at most 1000 levels, each of which is at
// most three here: a tagged table, its list, and a pair in that. What stands in the deepest may be
// said by a tagged table, and a list in that, itself.
constexpr std::size_t kMostFrames = 3 * 1000 + 2;

}  // namespace

void Receiver::bad(const std::string& problem, const std::string& cure) {
  refuse(where_, Error::corrupt, problem, cure);
}

// --- where the next item goes -------------------------------------------------------------------

ValueRef Receiver::next_place(bool is_number) {
  if (const auto tag = tap_.take_tag()) {
    bad("tag " + std::to_string(*tag) + " stands before what it cannot be about");
  }
  if (frames_.empty()) return target_;
  Frame& frame = frames_.back();
  switch (frame.kind) {
    case Kind::table:
    case Kind::tagged:
      return *entry_;
    case Kind::list:
      ++frame.count;
      if (!is_number) ++frame.others;
      return frame.place.append();
    case Kind::pair:
      return place_in_pair(frame);
    default:
      bad("a tagged table has something else than its list",
          "write {\"$tuple\": [...]} or {\"$table\": [[key, value], ...]}, or read without tags");
  }
}

// A table's key and value, as a list of two.
ValueRef Receiver::place_in_pair(Frame& pair) {
  ++pair.count;
  if (pair.count == 1) return pair.apart->root();
  if (pair.count > 2) bad("a pair in a \"$table\" has more than a key and a value");
  Frame& pairs = frames_[frames_.size() - 2];
  ++pairs.count;
  const ValueRef place = [&] {
    try {
      return pairs.place.entry(pair.apart->view());
    } catch (const Error& error) {
      if (error.code() != Error::invalid_argument) throw;
      bad("a key in a \"$table\" is nothing that a table may have for a key");
    }
  }();
  require_new_entry(pairs, pairs.place);
  return place;
}

std::size_t Receiver::reserve(std::size_t expected) noexcept {
  if (expected == ~std::size_t{0}) return 0;
  const std::size_t granted = std::min(expected, may_reserve_);
  may_reserve_ -= granted;
  return granted;
}

// Whether the next item is a part of a table that stands for something: of these only lists are
// containers, and they stay lists.
bool Receiver::is_in_tagged() const noexcept {
  return !frames_.empty() && (frames_.back().kind == Kind::tagged || frames_.back().tag);
}

bool Receiver::done() {
  expect_next();
  return true;
}

void Receiver::expect_next() {
  if (frames_.empty()) return tap_.expect(ByteTap::Head::none);
  const Kind kind = frames_.back().kind;
  const bool wants_key = kind == Kind::unnamed || kind == Kind::table || kind == Kind::tagged;
  tap_.expect(wants_key ? ByteTap::Head::key : ByteTap::Head::value);
}

Receiver::Frame& Receiver::open(Kind kind, ValueRef place) {
  if (frames_.size() == kMostFrames) {
    refuse(where_, Error::out_of_range, "it is nested too deep", "make it flatter");
  }
  return frames_.emplace_back(Frame{.kind = kind, .place = place});
}

void Receiver::require_new_entry(const Frame& frame, ValueRef table) {
  if (options_.last_of_duplicates || table.size() == frame.count) return;
  bad("a key stands twice in a table",
      "give each key once, or take the last of them: --last-of-duplicates");
}

// --- scalars ------------------------------------------------------------------------------------

bool Receiver::null() {
  if (const auto number = tap_.take_number()) {
    put(next_place(true), *number);
  } else {
    next_place() = nullptr;
  }
  return done();
}

bool Receiver::boolean(bool value) {
  next_place() = value;
  return done();
}

bool Receiver::number_integer(std::int64_t value) {
  ValueRef place = next_place(true);
  // The parser of JSON takes all that has no minus for unsigned: this is "-0", which is no integer.
  if (where_.format == Format::json && value == 0) {
    place = -0.0;
  } else {
    place = value;
  }
  ended_with_number_ = frames_.empty();
  return done();
}

bool Receiver::number_unsigned(std::uint64_t value) {
  put(next_place(true), whole_number(false, value));
  ended_with_number_ = frames_.empty();
  return done();
}

bool Receiver::number_float(double value, const std::string& text) {
  ended_with_number_ = frames_.empty();
  if (where_.format == Format::json && is_integer_text(text)) {
    const auto number = parse_whole_number(text);
    if (!number) bad("a number has more digits than are read");
    put(next_place(true), *number);
  } else {
    next_place(true) = value;
  }
  return done();
}

bool Receiver::string(std::string& text) {
  ValueRef place = next_place();
  try {
    place = std::string_view(text);
  } catch (const Error& error) {
    if (error.code() != Error::invalid_argument) throw;
    bad("a text is not UTF-8", "write bytes as bytes");
  }
  return done();
}

bool Receiver::binary(nlohmann::json::binary_t& bytes) {
  const auto tag = tap_.take_tag();
  set_binary(next_place(), tag, bytes);
  return done();
}

void Receiver::set_binary(ValueRef place, std::optional<std::uint64_t> tag,
                          const nlohmann::json::binary_t& bytes) {
  const auto content = std::as_bytes(std::span(bytes.data(), bytes.size()));
  if (tag == 2 || tag == 3) {
    WholeNumber number = whole_number(false, content);
    // CBOR's tag 3 is -1 - n: one more in magnitude.
    if (tag == 3) {
      number.negative = true;
      auto byte = number.magnitude.begin();
      while (byte != number.magnitude.end() && *byte == std::byte{0xFF}) *byte++ = std::byte{0};
      if (byte == number.magnitude.end()) {
        number.magnitude.push_back(std::byte{1});
      } else {
        *byte = static_cast<std::byte>(std::to_integer<unsigned>(*byte) + 1);
      }
    }
    put(place, number);
  } else if (tag) {
    if (put_typed_array(place, *tag, content)) return;
    bad("tag " + std::to_string(*tag) + " says that these bytes are an array, which they are not");
  } else if (where_.format == Format::msgpack && bytes.has_subtype()) {
    // An extension's type is a signed byte.
    place.make_table(2);
    place["$ext"] = static_cast<std::int8_t>(bytes.subtype());
    place["data"].set_bytes(content);
  } else {
    place.set_bytes(content);
  }
}

// --- containers ---------------------------------------------------------------------------------

bool Receiver::start_object(std::size_t expected) {
  if (is_in_tagged()) bad("what stands for something has a table where it has none");
  const ValueRef place = next_place();
  Frame& frame = open(Kind::unnamed, place);
  // Its first key says what it is, if anybody looks at that.
  if (!options_.tags) {
    frame.kind = Kind::table;
    frame.reserved = reserve(expected);
    frame.place.make_table(frame.reserved);
  }
  return done();
}

void Receiver::name_table(Frame& frame, std::string_view first_key) {
  frame.kind = Kind::table;
  if (!is_tag(first_key)) {
    frame.place.make_table();
  } else if (first_key == kTupleTag) {
    frame.kind = Kind::tuple_wrapper;
  } else if (first_key == kTableTag) {
    frame.kind = Kind::table_wrapper;
  } else if (first_key == kOrderedTag) {
    frame.kind = Kind::ordered_wrapper;
  } else {
    frame.kind = Kind::tagged;
    frame.apart = std::make_unique<Value>();
    frame.apart->root().make_table();
  }
}

bool Receiver::key(std::string& text) {
  Frame& frame = frames_.back();
  const bool is_first = frame.kind == Kind::unnamed;
  const bool is_text = !tap_.take_key_is_bytes();
  if (const auto tag = tap_.take_tag()) {
    bad("tag " + std::to_string(*tag) + " stands before a key");
  }
  if (is_text) {
    if (is_first) name_table(frame, text);
    if (frame.kind != Kind::table && frame.kind != Kind::tagged) {
      if (!is_first) bad("a tagged table has something beside its list");
      tap_.expect(ByteTap::Head::value);
      return true;
    }
  }
  ++frame.count;
  if (frame.kind == Kind::unnamed) name_table(frame, {});
  const ValueRef table = frame.kind == Kind::tagged ? frame.apart->root() : frame.place;
  if (is_text) {
    entry_.emplace(add_entry(frame, text));
  } else {
    Value bytes;
    bytes.root().set_bytes(std::as_bytes(std::span(text.data(), text.size())));
    entry_.emplace(ValueRef(table).entry(bytes.view()));
  }
  require_new_entry(frame, table);
  tap_.expect(ByteTap::Head::value);
  return true;
}

ValueRef Receiver::add_entry(Frame& frame, std::string_view text) {
  ValueRef table = frame.kind == Kind::tagged ? frame.apart->root() : frame.place;
  if (const auto number = tap_.take_number()) {
    Value key;
    put(key.root(), *number);
    return table.entry(key.view());
  }
  try {
    return table[text];
  } catch (const Error& error) {
    if (error.code() != Error::invalid_argument) throw;
    bad("a key is not UTF-8", "write bytes as bytes");
  }
}

// A number that came as a table, {"$float": "nan"}, is one like those that other formats have.
void Receiver::note_number(const Frame& table) {
  if (table.kind != Kind::tagged || frames_.empty() || frames_.back().kind != Kind::list) return;
  const ValueType type = table.place.type();
  const bool is_number = type == ValueType::float64 || type == ValueType::int64 ||
                         type == ValueType::uint64 || type == ValueType::big_integer;
  if (is_number) --frames_.back().others;
}

bool Receiver::end_object() {
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  const bool is_wrapper = frame.kind == Kind::tuple_wrapper || frame.kind == Kind::table_wrapper ||
                          frame.kind == Kind::ordered_wrapper;
  if (frame.kind == Kind::unnamed) frame.place.make_table();
  if (is_wrapper && frame.count != 1) bad("a tagged table has no list");
  if (frame.kind == Kind::tagged && !put_tagged(frame.place, frame.apart->view())) {
    const auto entries = frame.apart->view().entries();
    const std::string name((*entries.begin()).key.text());
    bad("a table that begins with \"" + name + "\" is not what that stands for",
        "see docs/formats/borders.md for its form, or read without tags");
  }
  if (frame.reserved <= frame.count) may_reserve_ += frame.reserved;
  note_number(frame);
  return done();
}

bool Receiver::start_array(std::size_t expected) {
  const auto tag = tap_.take_tag();
  if (tag && *tag != 40) bad("tag " + std::to_string(*tag) + " before a list is not read here");
  if (tag && is_in_tagged()) bad("tag 40 stands inside what has a tag 40");
  const Kind above = frames_.empty() ? Kind::list : frames_.back().kind;
  if (above == Kind::pairs) {
    if (tag) bad("tag 40 stands before a pair of a \"$table\"");
    Frame& pair = open(Kind::pair, frames_.back().place);
    pair.apart = std::make_unique<Value>();
    return done();
  }
  const bool is_wrapped = above == Kind::tuple_wrapper || above == Kind::table_wrapper ||
                          above == Kind::ordered_wrapper;
  if (is_wrapped && frames_.back().count++ == 0) {
    if (tag) bad("tag 40 stands before the list of a tagged table");
    Frame& frame =
        open(above == Kind::tuple_wrapper ? Kind::list : Kind::pairs, frames_.back().place);
    frame.reserved = reserve(expected);
    if (above == Kind::tuple_wrapper) {
      frame.place.make_tuple(frame.reserved);
      frame.others = 1;  // it stays what it is
    } else {
      frame.place.make_table(frame.reserved, above == Kind::ordered_wrapper);
    }
    return done();
  }
  Frame& frame = open(Kind::list, next_place());
  frame.reserved = reserve(expected);
  frame.place.make_list(frame.reserved);
  frame.tag = tag;
  return done();
}

bool Receiver::end_array() {
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  if (frame.kind == Kind::pair && frame.count != 2) bad("a pair in a \"$table\" is none");
  if (frame.kind == Kind::list) {
    if (frame.tag && !put_shaped(frame.place)) bad("tag 40 stands before what is no array");
    const bool may_change = !is_in_tagged() && frame.others == 0 && !frame.tag;
    if (options_.number_arrays && may_change) put_number_array(frame.place);
  }
  if (frame.reserved <= frame.count) may_reserve_ += frame.reserved;
  return done();
}

bool Receiver::parse_error(std::size_t, const std::string& token,
                           const nlohmann::json::exception& error) {
  if (tap_.is_too_large()) refuse_too_large(where_);
  if (tap_.problem() != nullptr) bad(tap_.problem());
  constexpr int kNumberOverflow = 406;
  refuse_parsing(where_, error.what(), token, error.id == kNumberOverflow);
}

}  // namespace tarn::borders
