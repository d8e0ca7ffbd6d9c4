// value_view.h - reading a value where it lies, without unpacking it.
//
// A ValueView borrows the bytes of a Message, a Value, a file: it is good while they are there and
// unchanged. It is as cheap to copy as three pointers. Everything that is followed is checked
// against the bytes first, so that a value from a hostile or broken program gives Error::corrupt
// and nothing worse. Views may be used from several threads at once.
#pragma once

#include <cstddef>
#include <iterator>
#include <limits>
#include <optional>
#include <ranges>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "tarn/error.h"
#include "tarn/value_type.h"

namespace tarn {

class EntryRange;
class ElementRange;

// A whole number of any size: least significant byte first, without zeros at the end.
struct BigIntegerView {
  bool negative = false;
  std::span<const std::byte> magnitude;
};

// What a reference stands for; opaque here.
struct ReferenceView {
  std::uint32_t kind = 0;  // 1: a message, 2: a blob
  std::uint64_t words[5] = {};
};

// A complex number of any type: its parts' bits as the type has them.
struct AnyComplex {
  ValueType part = ValueType::none;
  std::uint64_t real = 0;
  std::uint64_t imaginary = 0;
};

// An array of any type. Borrows what its view borrows.
struct AnyArray {
  ElementType type;
  std::vector<std::size_t> shape;  // slowest dimension first
  std::span<const std::byte> bytes;
};

class ValueView {
 public:
  ValueView() noexcept = default;  // holds none

  ValueType type() const noexcept;
  bool is_none() const noexcept { return type() == ValueType::none; }
  bool is_table() const noexcept { return type() == ValueType::table; }
  // Of a table, whether the order of its entries is part of what it means.
  bool order_matters() const noexcept;
  // Entries of a table, elements of a list, tuple or array, bytes of text and bytes; else 0.
  // Throws corrupt.
  std::size_t size() const;
  bool empty() const { return size() == 0; }

  // --- Tables, lists, tuples -------------------------------------------------------------------
  // Throws not_found, wrong_type, corrupt.
  ValueView operator[](std::string_view key) const;
  ValueView operator[](const char* key) const { return (*this)[std::string_view(key)]; }
  template <std::integral Index>
  ValueView operator[](Index index) const {
    return at(static_cast<std::uint64_t>(index));
  }
  // What stands for the key; nothing when there is no such key, or no table.
  std::optional<ValueView> find(std::string_view key) const noexcept;
  // Keys that are numbers.
  std::optional<ValueView> find_number(std::int64_t key) const noexcept;
  bool contains(std::string_view key) const noexcept { return find(key).has_value(); }
  // for (auto [key, value] : view.entries()). Empty for what is no table; throws corrupt.
  EntryRange entries() const;
  // for (ValueView element : view.elements()). Empty for what is no list or tuple; throws corrupt.
  ElementRange elements() const;

  // --- Scalars ---------------------------------------------------------------------------------
  // Exactly this value as a T, never something near it. T: bool, integers, float, double,
  // std::complex<float>, std::complex<double>. Numbers convert where nothing is lost: 3.0 to int,
  // 2^53 to double, 0.5 to float. Throws wrong_type, out_of_range, corrupt.
  template <ValueElement T>
  T as() const;
  // The same without exceptions.
  template <ValueElement T>
  std::optional<T> try_as() const noexcept;
  template <ValueElement T>
  T as_or(T otherwise) const noexcept {
    return try_as<T>().value_or(otherwise);
  }
  // The nearest T. Throws wrong_type, corrupt; out_of_range where only infinity is near.
  template <class T>
  requires std::same_as<T, float> || std::same_as<T, double> T rounded()
  const;

  // UTF-8, checked. Throws wrong_type, corrupt.
  std::string_view text() const;
  std::optional<std::string_view> try_text() const noexcept;
  // Of bytes or text. Throws wrong_type, corrupt.
  std::span<const std::byte> bytes() const;
  // Throws wrong_type, corrupt.
  BigIntegerView big_integer() const;
  ReferenceView reference() const;
  // Of a complex number, and of an array's elements. Throws wrong_type.
  ElementType element_type() const;
  // Type and parts of a complex number, which fit together also when its maker writes on. Throws
  // wrong_type, corrupt.
  AnyComplex any_complex() const;
  // Its real and imaginary part alone.
  std::pair<std::uint64_t, std::uint64_t> complex_parts() const {
    const AnyComplex any = any_complex();
    return {any.real, any.imaginary};
  }

  // --- Arrays ----------------------------------------------------------------------------------
  // The elements where they lie, slowest dimension first, aligned to 64 bytes in shared memory.
  // Throws wrong_type when they are not of exactly that type, corrupt. Booleans are read with
  // any_array(): who made them may have written other bytes than 0 and 1.
  template <ValueElement T>
  requires(!std::same_as<T, bool>) std::span<const T> array()
  const {
    const std::span<const std::byte> elements = array_of(element_type_of<T>());
    return {reinterpret_cast<const T*>(elements.data()), elements.size() / sizeof(T)};
  }
  // The same, or nothing.
  template <ValueElement T>
  requires(!std::same_as<T, bool>) std::optional<std::span<const T>> try_array()
  const noexcept {
    const auto elements = try_array_of(element_type_of<T>());
    if (!elements) return std::nullopt;
    return std::span(reinterpret_cast<const T*>(elements->data()), elements->size() / sizeof(T));
  }
  // Type, shape and elements' bytes, which fit together also when their maker writes on. Throws
  // wrong_type, corrupt.
  AnyArray any_array() const;
  // Parts of that.
  std::span<const std::byte> array_bytes() const { return any_array().bytes; }
  std::vector<std::size_t> shape() const { return any_array().shape; }

  // --- The whole -------------------------------------------------------------------------------
  // Same worth: numbers across types, tables whatever their order unless both say it matters.
  // Throws corrupt.
  friend bool operator==(const ValueView& left, const ValueView& right) { return left.same(right); }
  // Of the whole value that this is a part of.
  std::size_t bytes_in_all() const noexcept { return size_bytes_; }
  // Throws corrupt when anything in this part makes no sense. Nobody has to call this: what is
  // looked at is checked anyway.
  void check() const;

 private:
  friend class Value;
  friend class ValueRef;
  friend class Message;
  friend class EntryRange;
  friend class ElementRange;
  friend std::optional<ValueView> find_value(std::span<const std::byte> bytes) noexcept;
  friend ValueView value_in(std::span<const std::byte> bytes);
  struct Access;
  friend struct Access;

  ValueView(const std::byte* base, std::uint64_t size_bytes, const std::byte* cell) noexcept
      : base_(base), size_bytes_(size_bytes), cell_(cell) {}
  ValueView at(std::uint64_t index) const;
  bool same(const ValueView& other) const;
  std::span<const std::byte> array_of(ElementType type) const;
  std::optional<std::span<const std::byte>> try_array_of(ElementType type) const noexcept;

  const std::byte* base_ = nullptr;  // of the whole value
  std::uint64_t size_bytes_ = 0;
  const std::byte* cell_ = nullptr;  // of this part; null: none
};

// The value that these bytes are. Throws invalid_argument when they are not aligned to 16 bytes
// (Value::from_bytes() takes any; arrays are as they should only at multiples of 64), wrong_type
// when no value begins there, version_mismatch, corrupt.
ValueView value_in(std::span<const std::byte> bytes);
// The same, or nothing.
std::optional<ValueView> find_value(std::span<const std::byte> bytes) noexcept;

struct ValueEntry {
  ValueView key;
  ValueView value;
};

// The entries of a table in the order in which they came; borrows what its view borrows.
class EntryRange {
 public:
  class iterator {
   public:
    using value_type = ValueEntry;
    using difference_type = std::ptrdiff_t;

    iterator() noexcept = default;
    ValueEntry operator*() const noexcept;
    iterator& operator++() noexcept {
      ++number_;
      skip_removed();
      return *this;
    }
    iterator operator++(int) noexcept {
      iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept {
      return a.number_ == b.number_;
    }

   private:
    friend class EntryRange;
    iterator(const EntryRange& range, std::uint32_t number) noexcept
        : table_(range.table_), entries_(range.entries_), number_(number), used_(range.used_) {}
    void skip_removed() noexcept;
    ValueView table_;
    const std::byte* entries_ = nullptr;
    std::uint32_t number_ = 0;
    std::uint32_t used_ = 0;
  };

  iterator begin() const noexcept {
    iterator first(*this, 0);
    first.skip_removed();
    return first;
  }
  iterator end() const noexcept { return {*this, used_}; }

 private:
  friend class ValueView;
  ValueView table_;
  const std::byte* entries_ = nullptr;
  std::uint32_t used_ = 0;  // removed ones too
};

// The elements of a list or tuple; borrows what its view borrows.
class ElementRange {
 public:
  class iterator {
   public:
    using value_type = ValueView;
    using difference_type = std::ptrdiff_t;

    iterator() noexcept = default;
    ValueView operator*() const noexcept;
    iterator& operator++() noexcept {
      ++number_;
      return *this;
    }
    iterator operator++(int) noexcept {
      iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept {
      return a.number_ == b.number_;
    }

   private:
    friend class ElementRange;
    iterator(const ElementRange& range, std::uint32_t number) noexcept
        : list_(range.list_), elements_(range.elements_), number_(number) {}
    ValueView list_;
    const std::byte* elements_ = nullptr;
    std::uint32_t number_ = 0;
  };

  iterator begin() const noexcept { return {*this, 0}; }
  iterator end() const noexcept { return {*this, used_}; }
  std::size_t size() const noexcept { return used_; }

 private:
  friend class ValueView;
  ValueView list_;
  const std::byte* elements_ = nullptr;
  std::uint32_t used_ = 0;
};

}  // namespace tarn

// Their iterators are good without them.
template <>
inline constexpr bool std::ranges::enable_borrowed_range<tarn::EntryRange> = true;
template <>
inline constexpr bool std::ranges::enable_borrowed_range<tarn::ElementRange> = true;
