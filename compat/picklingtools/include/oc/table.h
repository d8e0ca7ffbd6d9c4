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
  size_t hash = 0;  // once the table has an index
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
  template <class Text, std::enable_if_t<kIsText<Text>, int> = 0>
  Val& operator[](const Text& key) {
    return insert_text(text_of_key(key));
  }
  // Throws out_of_range when it is missing.
  const Val& operator[](const Val& key) const { return (*this)(key); }
  Val& operator()(const Val& key) const;
  // Null when it is missing.
  Val* lookup(const Val& key) const;
  Val* lookup_text(std::string_view key) const;
  Val& insert_text(std::string_view key);
  Val get(const Val& key, const Val& otherwise = Val()) const;
  bool contains(const Val& key) const { return lookup(key) != nullptr; }
  // These give copies; they are false, and leave everything as it is, when the key is missing.
  bool find(const Val& key, Val& found) const;
  bool findValue(const Val& key, Val& value) const;
  bool findKeyAndValue(const Val& key, Val& found, Val& value) const;
  // Under the next whole number: that of the entries there are. Throws runtime_error when that is a
  // key already. appendStr() says the number as text.
  void append(const Val& value);
  void appendStr(const Val& value);
  // In the order of the entries; items() as tuples of key and value.
  Arr keys() const;
  Arr values() const;
  Arr items() const;
  void insertKeyAndValue(const Val& key, const Val& value) { insert(key) = value; }
  // False when it was not there.
  bool remove(const Val& key);
  void clear();
  int_ptr entries() const { return ready().count_; }
  int_ptr length() const { return entries(); }
  bool empty() const { return entries() == 0; }
  bool isEmpty() const { return empty(); }
  Allocator* allocator() const { return nullptr; }
  // With those of all tables, lists and tuples inside.
  int_ptr total_elements() const;
  void swap(Table& other) noexcept;
  // The other's entries come in; what stands for the same key is replaced.
  Table& operator+=(const Table& other);

  // For the library.
  explicit Table(SourceRef source) : source_(std::move(source)) { waiting_.begin(); }
  const SourceRef& source() const { return source_; }
  bool is_untouched() const { return !waiting_.is_over(); }
  // Made by Shared(), or received.
  bool is_shared() const { return is_shared_ || source_.get() != nullptr; }
  void say_shared() { is_shared_ = true; }
  Entry* first() const { return ready().first_; }
  // A new last entry, whose key nobody has yet. Only while the table is filled.
  Entry& add(Val&& key);
  void reserve(int_ptr count);
  // Null when nobody has the key. Only while the table is filled, and inside it.
  Entry* find_entry(const Val& key) const;
  // Room for the first entries, which stays there as long as `source()` does.
  void lend(void* room, size_t bytes);

 private:
  friend void unpack(Table& table);
  struct Chunk;
  // Those of a table that nobody else sees; everything but them stays as it is.
  void take_entries(Table& filled) noexcept;

  const Table& ready() const {
    if (!waiting_.is_over()) unpack(const_cast<Table&>(*this));
    return *this;
  }
  void drop() noexcept;
  Val& insert(const Val& key);
  void append_at(const Val& key, const Val& value);
  Entry* find_text(std::string_view key) const;
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
  bool is_shared_ = false;
};

}  // namespace detail

class Tab : public detail::Table {
 public:
  Tab(Allocator* = nullptr) {}
  Tab(const Tab& other, Allocator*) : Table(other) {}
  // A Python literal: Tab("{'a':1, 'b':[1,2,3]}"). Throws runtime_error when it is none.
  Tab(const char* literal, Allocator* = nullptr);
  Tab(const Str& literal, Allocator* = nullptr) : Tab(literal.c_str()) {}
  explicit Tab(detail::SourceRef source) : Table(std::move(source)) {}
  // Of this type, so that a Val that holds one may be passed.
  void swap(Tab& other) noexcept { Table::swap(other); }
  Tab& operator+=(const Tab& other) {
    Table::operator+=(other);
    return *this;
  }
  void prettyPrint(ostream& out, int indent = 0, int add = 4) const;
};

class OTab : public detail::Table {
 public:
  OTab(Allocator* = nullptr) {}
  OTab(const OTab& other, Allocator*) : Table(other) {}
  // OTab("o{'a':1}"), OTab("['a':1]"), or OTab("OrderedDict([('a', 1)])").
  OTab(const char* literal, Allocator* = nullptr);
  OTab(const Str& literal, Allocator* = nullptr) : OTab(literal.c_str()) {}
  explicit OTab(detail::SourceRef source) : Table(std::move(source)) {}
  // Of this type, so that a Val that holds one may be passed.
  void swap(OTab& other) noexcept { Table::swap(other); }
  OTab& operator+=(const OTab& other) {
    Table::operator+=(other);
    return *this;
  }
  void prettyPrint(ostream& out, int indent = 0, int add = 4) const;
};

bool operator==(const Tab& a, const Tab& b);
bool operator==(const OTab& a, const OTab& b);
inline bool operator!=(const Tab& a, const Tab& b) { return !(a == b); }
inline bool operator!=(const OTab& a, const OTab& b) { return !(a == b); }
// Whatever the order.
bool operator==(const Tab& a, const OTab& b);
inline bool operator==(const OTab& a, const Tab& b) { return b == a; }
inline bool operator!=(const Tab& a, const OTab& b) { return !(a == b); }
inline bool operator!=(const OTab& a, const Tab& b) { return !(b == a); }
inline void swap(Tab& a, Tab& b) noexcept { a.swap(b); }
inline void swap(OTab& a, OTab& b) noexcept { a.swap(b); }
ostream& operator<<(ostream& out, const Tab& table);
ostream& operator<<(ostream& out, const OTab& table);

}  // namespace OC
