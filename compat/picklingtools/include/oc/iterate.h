// iterate.h - going over what a container holds:
//
//     for (It ii(v); ii(); ) { cout << ii.key() << ii.value(); }
//
// Tables give their entries in the order in which they came; Sit gives them sorted by key. Lists,
// tuples and arrays give their indices as keys. Nothing may be added or removed meanwhile.
#pragma once

#include "oc/proxies.h"

namespace OC {

class It {
 public:
  It(const Val& what) { over(what, false); }
  It(Val&& what) : whole_(std::move(what)) { over(whole_, false); }  // keeps it
  It(const Tab& table) { over(table, false); }
  It(const OTab& table) { over(table, false); }
  It(const Tup& tuple) { over(tuple.elements()); }
  It(const Array<Val>& list) { over(list); }

  // To the next; false when there is none.
  bool operator()();
  const Val& key() const { return entry_ != nullptr ? entry_->key : index_; }
  // Of a table, list or tuple: the value itself, which may be changed. Of an array: a copy.
  Val& value() { return entry_ != nullptr ? entry_->value : *element_; }

 protected:
  It() = default;
  // Throws logic_error for what has no elements.
  void over(const Val& what, bool sorted);
  void over(const detail::Table& table, bool sorted);
  void over(const Array<Val>& list);

 private:
  Val whole_;  // keeps what is gone over
  std::vector<detail::Entry*> sorted_;
  size_t position_ = 0;
  detail::Entry* next_ = nullptr;
  detail::Entry* entry_ = nullptr;
  Array<Val>* list_ = nullptr;
  Val index_;
  Val* element_ = nullptr;
  bool is_sorted_ = false;
};

class Sit : public It {
 public:
  Sit(const Val& what) { over(what, true); }
  Sit(const Tab& table) { over(table, true); }
  Sit(const OTab& table) { over(table, true); }
};

}  // namespace OC
