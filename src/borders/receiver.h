// receiver.h - builds a value out of the events of the library that parses.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "borders/byte_tap.h"
#include "borders/read.h"
#include "borders/refusal.h"
#include "tarn/value.h"

namespace tarn::borders {

// What nlohmann::json::sax_parse() calls; the names of the functions are the library's. Everything
// that cannot be is thrown as Error, through the parser.
class Receiver {
 public:
  Receiver(ValueRef target, ByteTap& tap, const ReadOptions& options, const ItemPlace& where)
      : target_(target), tap_(tap), options_(options), where_(where), may_reserve_(kMostExpected) {}

  bool null();
  bool boolean(bool value);
  bool number_integer(std::int64_t value);
  bool number_unsigned(std::uint64_t value);
  bool number_float(double value, const std::string& text);
  bool string(std::string& text);
  bool binary(nlohmann::json::binary_t& bytes);
  bool start_object(std::size_t expected);
  bool key(std::string& text);
  bool end_object();
  bool start_array(std::size_t expected);
  bool end_array();
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::json::exception& error);

  // The item was a JSON number, behind which the parser has read a byte.
  bool ended_with_number() const noexcept { return ended_with_number_; }

 private:
  // What a stranger says of how much will come is worth so many entries at once. Containers that
  // kept their word give theirs back.
  static constexpr std::size_t kMostExpected = 4096;

  enum class Kind : std::uint8_t {
    unnamed,  // a table before its first key, which says what it is
    table,
    list,
    tagged,         // a table that is built apart and stands for something
    tuple_wrapper,  // {"$tuple": [...]}
    table_wrapper,  // {"$table": [[key, value], ...]}
    ordered_wrapper,
    pairs,  // the list in a table_wrapper
    pair
  };
  struct Frame {
    Kind kind;
    ValueRef place;
    std::uint64_t count = 0;                // of entries and elements so far
    std::unique_ptr<Value> apart = {};      // of `tagged` the table, of `pair` the key
    std::optional<std::uint64_t> tag = {};  // CBOR's, before a list
    std::uint64_t others = 0;               // of its elements that are no numbers
    std::size_t reserved = 0;               // entries for which there was room at once
  };

  ValueRef next_place(bool is_number = false);
  ValueRef place_in_pair(Frame& pair);
  std::size_t reserve(std::size_t expected) noexcept;
  bool is_in_tagged() const noexcept;
  bool done();
  void expect_next();
  Frame& open(Kind kind, ValueRef place);
  void note_number(const Frame& table);
  void name_table(Frame& frame, std::string_view first_key);
  ValueRef add_entry(Frame& frame, std::string_view text);
  void require_new_entry(const Frame& frame, ValueRef table);
  void set_binary(ValueRef place, std::optional<std::uint64_t> tag,
                  const nlohmann::json::binary_t& bytes);
  [[noreturn]] void bad(const std::string& problem, const std::string& cure = {});

  ValueRef target_;
  ByteTap& tap_;
  const ReadOptions& options_;
  const ItemPlace& where_;
  std::vector<Frame> frames_;
  std::optional<ValueRef> entry_;  // what stands for the newest key
  std::size_t may_reserve_;
  bool ended_with_number_ = false;
};

}  // namespace tarn::borders
