// list.h - Arr, a list of any values, and Tup, a tuple of a fixed number of them.
#pragma once

#include "oc/array.h"
#include "oc/val.h"

namespace OC {

class Arr : public Array<Val> {
 public:
  explicit Arr(int_ptr capacity = 0, Allocator* = nullptr) : Array<Val>(capacity) {}
  Arr(const Array<Val>& other) : Array<Val>(other) {}
  // A Python literal: Arr("[1, 2, 'three']"). Throws runtime_error when it is none.
  Arr(const char* literal);
  explicit Arr(const Str& literal) : Arr(literal.c_str()) {}
  explicit Arr(detail::SourceRef source) : Array<Val>(std::move(source), nullptr, 0) {}
  void prettyPrint(ostream& out, int indent = 0, int add = 4) const;
};

class Tup {
 public:
  Tup() = default;
  explicit Tup(Allocator*) {}
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
  void swap(Tup& other) noexcept { elements_.swap(other.elements_); }
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
ostream& operator<<(ostream& out, const Tup& tuple);
ostream& operator<<(ostream& out, const Array<Val>& list);
// array([1.0,2.5], 'd'), as Python's Numeric writes it.
template <class T, std::enable_if_t<detail::kNumberTag<T> != 0, int> = 0>
ostream& operator<<(ostream& out, const Array<T>& array);

}  // namespace OC
