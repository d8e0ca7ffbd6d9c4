// value.h - building self-describing data in place: tables, lists, numbers, text and typed arrays.
//
//     tarn::Value packet = session.value();
//     packet["sequence"] = 17;
//     packet["station"]["name"] = "north";
//     std::span<float> bins = packet["bins"].array<float>(4096);  // fill it where it lies
//     out.push(std::move(packet));
//
// A Value owns one contiguous buffer: in shared memory when Session::value() or Pipe::value() made
// it, so that pushing it hands over a reference and receiving it copies nothing; else in ordinary
// memory, and pushing it copies it in. The same bytes are the value on disk and on the wire.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>

#include "tarn/value_view.h"

namespace tarn {

class Value;
namespace detail {
class ValueStore;
class SessionCore;
}  // namespace detail

// One place in a Value that is being built: the root, what stands for a key, an element. A cheap
// handle, good while its Value lives and was not pushed, however much is added meanwhile. Once
// something was removed from a table or list, ask for places in it anew: those from before throw
// not_found, or are of no effect where what they were part of is gone. One thread at a time for
// each Value.
//
// All that writes throws Error: domain_full, quota_exceeded, no_memory, too_large (the memory),
// wrong_type (it holds something else), out_of_range (deeper than 1000 levels).
class ValueRef {
 public:
  // Another handle to the same place.
  ValueRef(const ValueRef& other) noexcept = default;

  // --- Scalars ---------------------------------------------------------------------------------
  // Replaces what stands here.
  ValueRef& operator=(std::nullptr_t);  // none
  template <ValueNumeric T>
  ValueRef& operator=(T number) {
    return set_number(detail::number_type<T>(), bits_of(number));
  }
  // Throws invalid_argument when it is not UTF-8.
  ValueRef& operator=(std::string_view text);
  ValueRef& operator=(const char* text) { return *this = std::string_view(text); }
  ValueRef& operator=(const std::string& text) { return *this = std::string_view(text); }
  ValueRef& operator=(std::complex<float> number);
  ValueRef& operator=(std::complex<double> number);
  // A complex number of that type; the parts' bits as the type has them.
  ValueRef& set_complex(ValueType part, std::uint64_t real, std::uint64_t imaginary);
  ValueRef& set_bytes(std::span<const std::byte> bytes);
  ValueRef& set_big_integer(const BigIntegerView& number);
  ValueRef& set_reference(const ReferenceView& reference);
  // Deep copies.
  ValueRef& operator=(const ValueView& value);
  ValueRef& operator=(const ValueRef& other);
  ValueRef& operator=(const Value& value);

  // --- Tables ----------------------------------------------------------------------------------
  // What stands for the key, put in as none when it is new. None becomes a table first.
  ValueRef operator[](std::string_view key);
  ValueRef operator[](const char* key) { return (*this)[std::string_view(key)]; }
  // Any key that a table may have: none, booleans, numbers but complex ones and NaN, text, bytes.
  // Throws invalid_argument for others.
  ValueRef entry(const ValueView& key);
  ValueRef entry_of_number(std::int64_t key);
  // An empty one, with room for so many entries.
  ValueRef& make_table(std::size_t expected = 0, bool order_matters = false);
  // False when there was none.
  bool remove(std::string_view key);
  bool remove(const ValueView& key);

  // --- Lists and tuples ------------------------------------------------------------------------
  // The element's place; throws not_found beyond the end.
  template <std::integral Index>
  ValueRef operator[](Index index) {
    return element(static_cast<std::uint64_t>(index));
  }
  // A new last element, none. None becomes a list first.
  ValueRef append();
  template <class T>
  ValueRef append(const T& element) {
    ValueRef added = append();
    added = element;
    return added;
  }
  ValueRef& make_list(std::size_t expected = 0);
  ValueRef& make_tuple(std::size_t expected = 0);
  // Later elements move up. False when there is none.
  bool remove_at(std::size_t index);
  // Of a table, list or tuple: all entries go.
  void clear();
  void reserve(std::size_t expected);

  // --- Arrays ----------------------------------------------------------------------------------
  // Elements to fill in: not cleared unless an array of this type and shape stands here already,
  // which is kept. Valid until the next change that adds anything to this Value.
  template <ValueElement T>
  std::span<T> array(std::size_t count) {
    return array<T>({count});
  }
  template <ValueElement T>
  std::span<T> array(std::initializer_list<std::size_t> shape) {
    return array<T>(std::span(shape.begin(), shape.size()));
  }
  template <ValueElement T>
  std::span<T> array(std::span<const std::size_t> shape) {
    const std::span<std::byte> elements = array_of(element_type_of<T>(), shape);
    return {reinterpret_cast<T*>(elements.data()), elements.size() / sizeof(T)};
  }
  std::span<std::byte> array_of(ElementType type, std::span<const std::size_t> shape);
  // The elements of an array that stands here already. Throws wrong_type.
  template <ValueElement T>
  requires(!std::same_as<T, bool>) std::span<T> elements() {
    const std::span<const T> found = view().template array<T>();
    // Ours to write: the view looks at the Value's own memory.
    return {const_cast<T*>(found.data()), found.size()};
  }

  // --- Reading ---------------------------------------------------------------------------------
  // Valid until the Value changes.
  ValueView view() const;
  ValueType type() const { return view().type(); }
  std::size_t size() const { return view().size(); }
  template <ValueElement T>
  T as() const {
    return view().template as<T>();
  }
  std::string_view text() const { return view().text(); }

 private:
  friend class Value;
  ValueRef(detail::ValueStore* store, std::uint64_t block, std::uint32_t number,
           std::uint16_t epoch, std::uint16_t depth) noexcept
      : store_(store), block_(block), number_(number), epoch_(epoch), depth_(depth) {}
  struct Access;
  friend struct Access;

  template <class T>
  static std::uint64_t bits_of(T number) noexcept {
    if constexpr (std::is_same_v<T, float>) {
      return std::uint64_t{__builtin_bit_cast(std::uint32_t, number)};
    } else if constexpr (std::is_same_v<T, double>) {
      return __builtin_bit_cast(std::uint64_t, number);
    } else {
      return static_cast<std::uint64_t>(number);
    }
  }
  ValueRef& set_number(ValueType type, std::uint64_t bits);
  ValueRef element(std::uint64_t index);

  detail::ValueStore* store_;
  std::uint64_t block_;
  std::uint32_t number_;
  std::uint16_t epoch_;
  std::uint16_t depth_;
};

// Move-only: a copy is made where it is asked for. A Value in shared memory must not be used in a
// fork()ed child.
class Value {
 public:
  // None, in ordinary memory.
  Value();
  Value(Value&& other) noexcept;
  Value& operator=(Value&& other) noexcept;
  ~Value();

  // Deep copies into ordinary memory. Throws corrupt, no_memory.
  static Value copy_of(const ValueView& value);
  Value copy() const { return copy_of(view()); }
  // From bytes that are a value, at any address: a deep copy, so that nothing of what they were
  // made like is left. Throws as value_in(), and corrupt when any part makes no sense.
  static Value from_bytes(std::span<const std::byte> bytes);

  ValueRef root();
  ValueRef operator[](std::string_view key) { return root()[key]; }
  ValueRef operator[](const char* key) { return root()[key]; }
  template <std::integral Index>
  ValueRef operator[](Index index) {
    return root()[index];
  }
  template <class T>
  requires requires(ValueRef place, const T& what) { place = what; }
  Value& operator=(const T& what) {
    root() = what;
    return *this;
  }
  template <class T>
  ValueRef append(const T& element) {
    return root().append(element);
  }
  ValueRef append() { return root().append(); }

  // Valid until the Value changes, moves into a pipe, or ends.
  ValueView view() const noexcept;
  ValueView operator[](std::string_view key) const { return view()[key]; }
  ValueView operator[](const char* key) const { return view()[key]; }
  template <std::integral Index>
  ValueView operator[](Index index) const {
    return view()[index];
  }

  // The buffer as it is: what is pushed, and what a file or a packet may hold.
  std::span<const std::byte> bytes() const noexcept;
  // Bytes that nothing refers to any more; compact() makes the value anew without them. Places that
  // were handed out before are not good after it.
  std::size_t dead_bytes() const noexcept;
  void compact();
  // Whether it can be handed over without a copy, by the session that made it.
  bool is_shared() const noexcept;

 private:
  friend class Session;
  friend class Pipe;
  friend class ValueRef;
  explicit Value(std::unique_ptr<detail::ValueStore> store) noexcept;
  std::unique_ptr<detail::ValueStore> store_;
};

}  // namespace tarn
