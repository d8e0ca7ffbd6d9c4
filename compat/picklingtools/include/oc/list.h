// list.h - Arr, a list of any values, and Tup, a tuple of a fixed number of them.
#pragma once

#include "oc/array.h"
#include "oc/val.h"

namespace OC {

class Arr : public Array<Val> {
 public:
  Arr() noexcept = default;
  explicit Arr(Allocator*) {}
  template <class Capacity, std::enable_if_t<std::is_integral_v<Capacity>, int> = 0>
  explicit Arr(Capacity capacity, Allocator* = nullptr)
      : Array<Val>(static_cast<int_ptr>(capacity)) {}
  Arr(const Array<Val>& other, Allocator* = nullptr) : Array<Val>(other) {}
  // A Python literal: Arr("[1, 2, 'three']"). Throws runtime_error when it is none.
  Arr(const char* literal, Allocator* = nullptr);
  Arr(const Str& literal, Allocator* = nullptr) : Arr(literal.c_str()) {}
  void swap(Arr& other) noexcept { Array<Val>::swap(other); }
  explicit Arr(detail::SourceRef source) : Array<Val>(std::move(source), nullptr, 0) {}
  void prettyPrint(ostream& out, int indent = 0, int add = 4) const;
};

class Tup {
 public:
  Tup() = default;
  explicit Tup(Allocator*) {}
  Tup(const Tup& other, Allocator*) : elements_(other.elements_) {}
  // Tup(1, 2.2, "x").
  template <class First, class... Rest,
            std::enable_if_t<(sizeof...(Rest) > 0) || (!std::is_base_of_v<Tup, First> &&
                                                       !std::is_same_v<First, detail::SourceRef> &&
                                                       !std::is_convertible_v<First, Allocator*>),
                             int> = 0>
  explicit Tup(const First& first, const Rest&... rest) : elements_(1 + sizeof...(Rest)) {
    elements_.append(Val(first));
    (elements_.append(Val(rest)), ...);
  }

  int_ptr length() const { return elements_.length(); }
  int_ptr entries() const { return elements_.length(); }
  // Checked: throw out_of_range.
  Val& operator[](int_ptr index) { return elements_[index]; }
  const Val& operator[](int_ptr index) const { return elements_[index]; }
  Val& operator()(int_ptr index) { return elements_[index]; }
  const Val& operator()(int_ptr index) const { return elements_[index]; }
  bool contains(const Val& element) const { return elements_.contains(element); }
  // What tuples cannot do: these throw runtime_error.
  void append(const Val& element);
  void appendStr(const Val& element) { append(element); }
  bool remove(const Val& element);
  void swap(Tup& other) noexcept { elements_.swap(other.elements_); }
  Allocator* allocator() const { return nullptr; }
  const Array<Val>& impl() const { return elements_; }
  Array<Val>& impl() { return elements_; }
  void prettyPrint(ostream& out, int indent = 0, int add = 4) const;

  // For the library.
  explicit Tup(detail::SourceRef source) : elements_(std::move(source)) {}
  const Arr& elements() const { return elements_; }
  Arr& elements() { return elements_; }

 private:
  Arr elements_;
};

inline bool operator==(const Tup& a, const Tup& b) { return a.elements() == b.elements(); }
inline bool operator!=(const Tup& a, const Tup& b) { return !(a == b); }
inline bool operator<(const Tup& a, const Tup& b) { return a.impl() < b.impl(); }
inline bool operator>(const Tup& a, const Tup& b) { return b < a; }
inline bool operator<=(const Tup& a, const Tup& b) { return !(b < a); }
inline bool operator>=(const Tup& a, const Tup& b) { return !(a < b); }
inline void swap(Tup& a, Tup& b) noexcept { a.swap(b); }
inline void swap(Arr& a, Arr& b) noexcept { a.swap(b); }
ostream& operator<<(ostream& out, const Tup& tuple);
ostream& operator<<(ostream& out, const Array<Val>& list);
// array([1.0,2.5], 'd'), as Python's Numeric writes it.
template <class T, std::enable_if_t<detail::kNumberTag<T> != 0, int> = 0>
ostream& operator<<(ostream& out, const Array<T>& array);
// Of anything else: one after the other.
template <class T, std::enable_if_t<detail::kElementTag<T> == 0, int> = 0, class = void>
ostream& operator<<(ostream& out, const Array<T>& array) {
  for (const T& element : array) out << element << ' ';
  return out;
}

}  // namespace OC
