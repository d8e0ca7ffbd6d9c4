// val.h - Val: one value of any type, as in Python.
//
// Plain values are copied whole. A Proxy (isproxy) refers to a container that several Vals share:
// what `new Tab()` gives, what Shared() and Locked() make, and what comes out of a pipe.
#pragma once

#include <cstring>
#include <new>
#include <string_view>

#include "oc/tags.h"

namespace OC {

namespace detail {
struct ProxyBody;

// Keys that are looked for without being made a Val first.
template <class T>
inline constexpr bool kIsText = std::is_same_v<T, Str> || std::is_convertible_v<T, const char*>;
// Throws logic_error for a null pointer.
std::string_view text_of_key(const char* text);
inline std::string_view text_of_key(const Str& text) { return text; }
}  // namespace detail

class Val {
 public:
  char tag;      // oc/tags.h
  char subtype;  // of arrays: their elements' tag; of text that came as something else: detail
  bool isproxy;

  constexpr Val() noexcept : tag('Z'), subtype('Z'), isproxy(false), u_() {}
  Val(const Val& other);
  Val(Val&& other) noexcept : tag(other.tag), subtype(other.subtype), isproxy(other.isproxy), u_() {
    if (tag == 'a') {
      new (&u_.text) Str(std::move(other.u_.text));
      other.u_.text.~Str();
    } else {
      std::memcpy(u_.words, other.u_.words, sizeof u_.words);
    }
    other.tag = 'Z';
    other.subtype = 'Z';
    other.isproxy = false;
    other.u_.words[0] = 0;
  }
  // As the originals were told where to copy to; accepted and not used.
  template <class T>
  Val(const T& what, Allocator*) : Val(what) {}
  Val& operator=(const Val& other);
  Val& operator=(Val&& other) noexcept;
  ~Val() {
    if (has_memory()) drop();
  }

  template <class T, std::enable_if_t<detail::kIsArithmetic<T>, int> = 0>
  Val(T number) : tag(detail::kNumberTag<T>), subtype('Z'), isproxy(false), u_() {
    if constexpr (std::is_floating_point_v<T>) {
      u_.reals[0] = number;
    } else {
      u_.integers[0] = static_cast<int_8>(number);
    }
  }
  // Characters and enumerators are the ints that they become.
  Val(char letter) : Val(int{letter}) {}
  template <class T, std::enable_if_t<detail::kIsOpenEnum<T>, int> = 0>
  Val(T enumerator) : Val(+enumerator) {}
  template <class T>
  Val(const cx_t<T>& number)
      : tag(detail::kNumberTag<cx_t<T>>), subtype('Z'), isproxy(false), u_() {
    if constexpr (std::is_floating_point_v<T>) {
      u_.reals[0] = number.re;
      u_.reals[1] = number.im;
    } else {
      u_.integers[0] = static_cast<int_8>(number.re);
      u_.integers[1] = static_cast<int_8>(number.im);
    }
  }
  Val(const char* text);
  Val(const Str& text);
  Val(const int_n& number);
  Val(const int_un& number);
  Val(const Tab& table);
  Val(const OTab& table);
  Val(const Tup& tuple);
  Val(const Arr& list);
  Val(Tab&& table);
  Val(OTab&& table);
  Val(Tup&& tuple);
  Val(Arr&& list);
  Val(const Proxy& proxy);
  template <class T>
  Val(const Array<T>& array);
  // Adopts the container, and becomes a Proxy to it.
  Val(Tab* table);
  Val(OTab* table);
  Val(Tup* tuple);
  Val(Arr* list);
  template <class T>
  Val(Array<T>* array);

  // --- Conversions -----------------------------------------------------------------------------
  // Reals lose their fraction, and numbers that do not fit their upper bits, as in C. Text is read
  // as a number, and is 0 when it is none; containers give their length, None 0. Complex numbers
  // throw logic_error except for complex ones.
  operator bool() const;
  operator char() const { return static_cast<char>(integer()); }
  operator int_1() const { return static_cast<int_1>(integer()); }
  operator int_u1() const { return static_cast<int_u1>(integer()); }
  operator short() const { return static_cast<short>(integer()); }
  operator unsigned short() const { return static_cast<unsigned short>(integer()); }
  operator int() const { return static_cast<int>(integer()); }
  operator unsigned int() const { return static_cast<unsigned int>(integer()); }
  operator long() const { return static_cast<long>(integer()); }
  operator unsigned long() const { return static_cast<unsigned long>(integer()); }
  operator long long() const { return static_cast<long long>(integer()); }
  operator unsigned long long() const { return static_cast<unsigned long long>(integer()); }
  operator real_4() const { return static_cast<real_4>(real()); }
  operator real_8() const { return real(); }
  template <class T>
  operator cx_t<T>() const {
    return cx_t<T>(complex_as<T>(0), complex_as<T>(1));
  }
  operator int_n() const;
  operator int_un() const;
  // Text as it is; everything else as it is printed.
  operator Str() const;
  // The container itself, to be changed as well. Throws logic_error when it is another type.
  operator Tab&() const;
  operator OTab&() const;
  operator Tup&() const;
  operator Arr&() const;
  operator Proxy&() const;
  template <class T>
  operator Array<T>&() const;

  // --- Look-up ---------------------------------------------------------------------------------
  // In tables, a key that is missing comes in with None; in lists and tuples, the element. Throws
  // out_of_range, and logic_error for what is neither.
  template <class Key>
  Val& operator[](const Key& key) {
    if constexpr (detail::kIsText<Key>) {
      return place_text(detail::text_of_key(key));
    } else {
      return place(key);
    }
  }
  template <class Key>
  const Val& operator[](const Key& key) const {
    return (*this)(key);
  }
  // Throws out_of_range when the key is missing.
  template <class Key>
  Val& operator()(const Key& key) const {
    if constexpr (detail::kIsText<Key>) {
      return found_text(detail::text_of_key(key));
    } else {
      return found(key);
    }
  }
  // Tables: is it a key; everything else that has elements: is it one of them.
  bool contains(const Val& what) const;
  Val get(const Val& key, const Val& otherwise = Val()) const;
  // Entries, elements, characters.
  int_ptr length() const;
  int_ptr entries() const { return length(); }
  // To lists and arrays of numbers; to tables under the next whole number, and appendStr() under
  // that as text. Throws runtime_error for tuples, logic_error for what has no elements.
  void append(const Val& element);
  void appendStr(const Val& element);
  // Not one of the originals': a Val lives in its process.
  Allocator* allocator() const { return nullptr; }
  // An entry or the first such element; false when there is none.
  bool remove(const Val& what);
  void swap(Val& other) noexcept;
  // Becomes a Proxy to what it holds.
  void Proxyize(bool adopt = true, bool lock = false);

  // Python text, spread over lines; tables in the order of their keys.
  void prettyPrint(ostream& out, int indent = 0, int add = 4) const;
  void prettyPrint(int indent = 0, int add = 4) const { prettyPrint(cout, indent, add); }

  // --- For the library -------------------------------------------------------------------------
  union Contents {
    constexpr Contents() noexcept : words{0, 0} {}
    ~Contents() {}
    std::uint64_t words[2];
    int_8 integers[2];  // and unsigned ones, modulo 2^64
    real_8 reals[2];
    Str text;
    int_n* big;
    int_un* big_unsigned;
    void* object;  // a container of our own
    detail::ProxyBody* body;
  };
  const Contents& contents() const { return u_; }
  Contents& contents() { return u_; }
  // The container, whoever owns it. Null for what has none.
  void* object() const;
  template <class T>
  T& object_as() const {
    return *static_cast<T*>(object());
  }
  // Takes over one count of the body.
  static Val of_body(detail::ProxyBody* body, char tag, char subtype);
  // A container that was made with new, as a plain value.
  static Val of_object(void* object, char tag, char subtype);

 private:
  bool has_memory() const noexcept {
    return tag == 'a' || tag == 't' || tag == 'o' || tag == 'u' || tag == 'n' || tag == 'q' ||
           tag == 'Q';
  }
  void drop() noexcept;
  void copy(const Val& other);
  int_u8 integer() const;  // modulo 2^64
  real_8 real() const;
  template <class T>
  T complex_as(int part) const {
    if constexpr (std::is_floating_point_v<T>) {
      return static_cast<T>(complex_real(part));
    } else {
      return static_cast<T>(complex_integer(part));
    }
  }
  real_8 complex_real(int part) const;
  int_u8 complex_integer(int part) const;
  Val& place(const Val& key);
  Val& place_text(std::string_view key);
  Val& found(const Val& key) const;
  Val& found_text(std::string_view key) const;

 public:
  Contents u_;  // public, so that the place of each member is fixed: a Proxy stands in the same
};

// Python 2 text: {'a': 1}, [1, 2.0], (1, 'x'), OrderedDict([('b', None)]), 10L, (1+2j).
ostream& operator<<(ostream& out, const Val& value);
inline void swap(Val& a, Val& b) noexcept { a.swap(b); }

// What a Val holds that was given nothing.
inline const Val None;

}  // namespace OC
