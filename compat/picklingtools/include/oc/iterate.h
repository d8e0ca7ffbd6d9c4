// iterate.h - going over what a container holds:
//
//     for (It ii(v); ii(); ) { cout << ii.key() << ii.value(); }
//
// Tables give their entries in the order in which they came; Sit gives them sorted by key. Lists,
// tuples and arrays give their indices as keys; Sit gives their values sorted. Nothing may be added
// or removed meanwhile.
#pragma once

#include "oc/proxies.h"

namespace OC {

class It {
 public:
  It() = default;  // nothing
  // Throw runtime_error for what has no elements.
  It(const Val& what) { over(what); }
  It(Val&& what) { keep(std::move(what)); }
  It(const Proxy& what) : It(Val(what)) {}
  It(const Tab& table) { over(table); }
  It(const OTab& table) { over(table); }
  It(const Tup& tuple) { over(tuple.elements()); }
  It(const Array<Val>& list) { over(list); }
  It(Tab&& table) : It(Val(std::move(table))) {}
  It(OTab&& table) : It(Val(std::move(table))) {}
  It(Tup&& tuple) : It(Val(std::move(tuple))) {}
  It(Arr&& list) : It(Val(std::move(list))) {}

  // To the next; false when there is none.
  bool next();
  bool operator()() { return next(); }
  bool operator++() { return next(); }
  // To before the first, of the same or of another container.
  void reset();
  template <class Container>
  void reset(const Container& container) {
    It fresh;
    fresh.is_sorted_ = is_sorted_;
    fresh.over(container);
    *this = std::move(fresh);
  }
  const Val& key() const { return entry_ != nullptr ? entry_->key : index_; }
  // Of a table, list or tuple: the value itself, which may be changed. Of an array: a copy.
  Val& value() const { return entry_ != nullptr ? entry_->value : *element_; }

 protected:
  struct Sorted {};
  explicit It(Sorted) : is_sorted_(true) {}
  void over(const Val& what);
  void over(const Proxy& what) { over(Val(what)); }
  void over(const Tup& tuple) { over(tuple.elements()); }
  void over(const detail::Table& table);
  void over(const Array<Val>& list);
  void keep(Val&& what) {
    whole_ = std::move(what);
    if (whole_.object() != nullptr) whole_.Proxyize();  // copies go over the same
    over(whole_);
  }

 private:
  Val whole_;  // keeps what is gone over
  bool is_sorted_ = false;
  std::vector<detail::Entry*> entries_;  // sorted
  std::vector<Val*> values_;             // sorted
  size_t position_ = 0;
  detail::Entry* first_ = nullptr;
  detail::Entry* next_ = nullptr;
  detail::Entry* entry_ = nullptr;
  Array<Val>* list_ = nullptr;
  Val index_;
  Val* element_ = nullptr;
};

class Sit : public It {
 public:
  Sit() : It(Sorted()) {}
  Sit(const Val& what) : Sit() { over(what); }
  Sit(Val&& what) : Sit() { keep(std::move(what)); }
  Sit(const Proxy& what) : Sit(Val(what)) {}
  Sit(const Tab& table) : Sit() { over(table); }
  Sit(const OTab& table) : Sit() { over(table); }
  Sit(const Tup& tuple) : Sit() { over(tuple); }
  Sit(const Array<Val>& list) : Sit() { over(list); }
  Sit(Tab&& table) : Sit(Val(std::move(table))) {}
  Sit(OTab&& table) : Sit(Val(std::move(table))) {}
  Sit(Tup&& tuple) : Sit(Val(std::move(tuple))) {}
  Sit(Arr&& list) : Sit(Val(std::move(list))) {}
};

// The originals' names for those that go over one kind of container.
typedef It TabIt;
typedef It OTabIt;
typedef Sit TabSit;
typedef Sit OTabSit;

// Over an Array<T> of any T. Numbered from 0; ArrSit gives the values sorted.
template <class T>
class ArrIt {
 public:
  ArrIt() = default;
  ArrIt(const Array<T>& array) { reset(array); }
  bool next() { return ++position_ < static_cast<int_ptr>(elements_.size()); }
  bool operator()() { return next(); }
  bool operator++() { return next(); }
  void reset() { position_ = -1; }
  void reset(const Array<T>& array) {
    elements_.clear();
    // Who iterates over an array that is not const may change it.
    auto& changeable = const_cast<Array<T>&>(array);
    for (int_ptr i = 0; i < array.length(); ++i) elements_.push_back(&changeable(i));
    reset();
  }
  const T& key() const { return key_ = T(static_cast<int_4>(position_)); }
  T& value() const { return *elements_[static_cast<size_t>(position_)]; }

 protected:
  std::vector<T*> elements_;

 private:
  mutable T key_{};
  int_ptr position_ = -1;
};

template <class T>
class ArrSit : public ArrIt<T> {
 public:
  ArrSit() = default;
  ArrSit(const Array<T>& array) { reset(array); }
  using ArrIt<T>::reset;
  void reset(const Array<T>& array) {
    ArrIt<T>::reset(array);
    std::stable_sort(this->elements_.begin(), this->elements_.end(),
                     [](const T* a, const T* b) { return *a < *b; });
  }
};

}  // namespace OC
