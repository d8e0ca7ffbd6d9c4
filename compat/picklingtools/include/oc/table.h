// table.h - Tab and OTab: values that stand for keys.
//
// Keys may be any Val; numbers that are worth the same are the same key. References to values stay
// good until their entry is removed. Both keep the order in which entries came; for OTab it is part
// of what the table means.
#pragma once

#include "oc/source.h"
#include "oc/val.h"

namespace OC {
namespace detail {

struct Entry {
  Val key;
  Val value;
  size_t hash = 0;
  Entry* next = nullptr;
  Entry* previous = nullptr;
};

class Table {
 public:
  Table() noexcept = default;
  Table(const Table& other);
  Table(Table&& other) noexcept : Table() { swap(other); }
  Table& operator=(const Table& other);
  Table& operator=(Table&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Table() { drop(); }

  // A missing key comes in with None.
  Val& operator[](const Val& key) { return insert(key); }
  // Throws out_of_range when it is missing.
  const Val& operator[](const Val& key) const { return (*this)(key); }
  Val& operator()(const Val& key) const;
  // Null when it is missing.
  Val* lookup(const Val& key) const;
  Val get(const Val& key, const Val& otherwise = Val()) const;
  bool contains(const Val& key) const { return lookup(key) != nullptr; }
  void insertKeyAndValue(const Val& key, const Val& value) { insert(key) = value; }
  // False when it was not there.
  bool remove(const Val& key);
  void clear();
  int_ptr entries() const { return ready().count_; }
  int_ptr length() const { return entries(); }
  bool empty() const { return entries() == 0; }
  // With those of all tables, lists and tuples inside.
  int_ptr total_elements() const;
  void swap(Table& other) noexcept;
  // The other's entries come in; what stands for the same key is replaced.
  Table& operator+=(const Table& other);

  // For the library.
  explicit Table(SourceRef source) : source_(std::move(source)) { waiting_.set(true); }
  const SourceRef& source() const { return source_; }
  bool is_untouched() const { return waiting_.get(); }
  Entry* first() const { return ready().first_; }
  // A new last entry, whose key nobody has yet.
  Entry& add(Val key, size_t hash);
  void reserve(int_ptr count);

 private:
  friend void unpack(Table& table);
  struct Chunk;

  const Table& ready() const {
    if (waiting_.get()) unpack(const_cast<Table&>(*this));
    return *this;
  }
  void drop() noexcept;
  Val& insert(const Val& key);
  Entry* find(const Val& key, size_t hash) const;
  Entry* room();
  void link(Entry* entry);
  void unlink(Entry* entry);
  void index_all(size_t slots);
  void index(Entry* entry);
  void unindex(const Entry* entry);

  Entry* first_ = nullptr;
  Entry* last_ = nullptr;
  int_ptr count_ = 0;
  Entry* free_ = nullptr;      // removed ones, linked by `next`
  Chunk* chunks_ = nullptr;    // where entries stand, newest first
  std::vector<Entry*> slots_;  // open addressing; empty for small tables
  SourceRef source_;
  Waiting waiting_;  // the entries are still in `source_`
};

}  // namespace detail

class Tab : public detail::Table {
 public:
  Tab(Allocator* = nullptr) {}
  // A Python literal: Tab("{'a':1, 'b':[1,2,3]}"). Throws runtime_error when it is none.
  Tab(const char* literal);
  explicit Tab(const Str& literal) : Tab(literal.c_str()) {}
  explicit Tab(detail::SourceRef source) : Table(std::move(source)) {}
  void prettyPrint(ostream& out, int indent = 0, int add = 4) const;
};

class OTab : public detail::Table {
 public:
  OTab(Allocator* = nullptr) {}
  // OTab("o{'a':1}"), or OTab("OrderedDict([('a', 1)])").
  OTab(const char* literal);
  explicit OTab(const Str& literal) : OTab(literal.c_str()) {}
  explicit OTab(detail::SourceRef source) : Table(std::move(source)) {}
  void prettyPrint(ostream& out, int indent = 0, int add = 4) const;
};

bool operator==(const Tab& a, const Tab& b);
bool operator==(const OTab& a, const OTab& b);
inline bool operator!=(const Tab& a, const Tab& b) { return !(a == b); }
inline bool operator!=(const OTab& a, const OTab& b) { return !(a == b); }
ostream& operator<<(ostream& out, const Tab& table);
ostream& operator<<(ostream& out, const OTab& table);

}  // namespace OC
