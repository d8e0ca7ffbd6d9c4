// table.cc - entries that stay where they are, in the order in which they came, and an index over
// them as soon as there are more than a few.
#include "oc/table.h"

#include <algorithm>

#include "oc/templates.h"

namespace OC {
namespace detail {
namespace {

constexpr int_ptr kWithoutIndex = 8;

}  // namespace

// A row of entries in one piece of memory; `entries` of them have been given out.
struct Table::Chunk {
  Chunk* older;
  size_t room;
  size_t given_out;
  Entry* entries;
  bool is_lent;
};

Table::Table(const Table& other) {
  if (other.is_untouched()) {
    source_ = other.source_;
    allow_again(source_.get());
    waiting_.begin();
    return;
  }
  reserve(other.count_);
  for (const Entry* entry = other.first_; entry != nullptr; entry = entry->next) {
    add(Val(entry->key)).value = entry->value;
  }
}

Table& Table::operator=(const Table& other) {
  Table copied(other);
  swap(copied);
  return *this;
}

void Table::swap(Table& other) noexcept {
  take_entries(other);
  std::swap(source_, other.source_);
  waiting_.swap(other.waiting_);
}

void Table::take_entries(Table& filled) noexcept {
  std::swap(first_, filled.first_);
  std::swap(last_, filled.last_);
  std::swap(count_, filled.count_);
  std::swap(free_, filled.free_);
  std::swap(chunks_, filled.chunks_);
  std::swap(slots_, filled.slots_);
}

void Table::drop() noexcept {
  while (chunks_ != nullptr) {
    Chunk* chunk = chunks_;
    chunks_ = chunk->older;
    std::destroy_n(chunk->entries, chunk->given_out);
    if (!chunk->is_lent) ::operator delete(chunk);
  }
}

void Table::clear() {
  Table none;
  swap(none);
}

// --- memory -------------------------------------------------------------------------------------

void Table::reserve(int_ptr count) {
  if (count <= 0) return;
  const auto room = static_cast<size_t>(count);
  static_assert(sizeof(Chunk) % alignof(Entry) == 0);
  char* memory = static_cast<char*>(::operator new(sizeof(Chunk) + room * sizeof(Entry)));
  void* entries = memory + sizeof(Chunk);
  chunks_ = new (memory) Chunk{chunks_, room, 0, static_cast<Entry*>(entries), false};
}

void Table::lend(void* room, size_t bytes) {
  if (bytes < sizeof(Chunk) + sizeof(Entry)) return;
  void* entries = static_cast<char*>(room) + sizeof(Chunk);
  chunks_ = new (room) Chunk{chunks_, (bytes - sizeof(Chunk)) / sizeof(Entry), 0,
                             static_cast<Entry*>(entries), true};
}

Entry* Table::room() {
  if (free_ != nullptr) {
    Entry* entry = free_;
    free_ = entry->next;
    entry->next = nullptr;
    return entry;
  }
  if (chunks_ == nullptr || chunks_->given_out == chunks_->room) {
    reserve(std::clamp<int_ptr>(count_, 4, 1024));
  }
  return new (chunks_->entries + chunks_->given_out++) Entry;
}

void Table::link(Entry* entry) {
  entry->previous = last_;
  (last_ != nullptr ? last_->next : first_) = entry;
  last_ = entry;
  ++count_;
}

void Table::unlink(Entry* entry) {
  (entry->previous != nullptr ? entry->previous->next : first_) = entry->next;
  (entry->next != nullptr ? entry->next->previous : last_) = entry->previous;
  --count_;
}

// --- index --------------------------------------------------------------------------------------

void Table::index(Entry* entry) {
  const size_t mask = slots_.size() - 1;
  size_t slot = entry->hash & mask;
  while (slots_[slot] != nullptr) slot = (slot + 1) & mask;
  slots_[slot] = entry;
}

void Table::index_all(size_t slots) {
  // The first index: up to now nobody asked for hashes.
  if (slots_.empty()) {
    for (Entry* entry = first_; entry != nullptr; entry = entry->next) {
      entry->hash = hash_of(entry->key);
    }
  }
  slots_.assign(slots, nullptr);
  for (Entry* entry = first_; entry != nullptr; entry = entry->next) index(entry);
}

void Table::unindex(const Entry* entry) {
  if (slots_.empty()) return;
  const size_t mask = slots_.size() - 1;
  size_t hole = entry->hash & mask;
  while (slots_[hole] != entry) hole = (hole + 1) & mask;
  // What stands behind the hole moves into it, unless its search begins behind it.
  for (size_t slot = (hole + 1) & mask; slots_[slot] != nullptr; slot = (slot + 1) & mask) {
    const size_t home = slots_[slot]->hash & mask;
    if (((slot - home) & mask) >= ((slot - hole) & mask)) {
      slots_[hole] = slots_[slot];
      hole = slot;
    }
  }
  slots_[hole] = nullptr;
}

Entry* Table::find_text(std::string_view key) const {
  const auto is_it = [&](const Entry* entry) {
    return entry->key.tag == 'a' && entry->key.contents().text == key;
  };
  if (slots_.empty()) {
    Entry* entry = first_;
    while (entry != nullptr && !is_it(entry)) entry = entry->next;
    return entry;
  }
  const size_t hash = hash_of(key);
  const size_t mask = slots_.size() - 1;
  for (size_t slot = hash & mask; slots_[slot] != nullptr; slot = (slot + 1) & mask) {
    Entry* entry = slots_[slot];
    if (entry->hash == hash && is_it(entry)) return entry;
  }
  return nullptr;
}

Entry* Table::find_entry(const Val& key) const {
  if (key.tag == 'a') return find_text(key.contents().text);
  if (slots_.empty()) {
    Entry* entry = first_;
    while (entry != nullptr && !same(entry->key, key)) entry = entry->next;
    return entry;
  }
  const size_t hash = hash_of(key);
  const size_t mask = slots_.size() - 1;
  for (size_t slot = hash & mask; slots_[slot] != nullptr; slot = (slot + 1) & mask) {
    Entry* entry = slots_[slot];
    if (entry->hash == hash && same(entry->key, key)) return entry;
  }
  return nullptr;
}

// --- entries ------------------------------------------------------------------------------------

Entry& Table::add(Val&& key) {
  Entry* entry = room();
  entry->key = std::move(key);
  if (!slots_.empty()) entry->hash = hash_of(entry->key);
  link(entry);
  const auto count = static_cast<size_t>(count_);
  if (count_ > kWithoutIndex && slots_.size() < 2 * count) {
    index_all(std::max<size_t>(32, 2 * slots_.size()));
  } else if (!slots_.empty()) {
    index(entry);
  }
  return *entry;
}

Val& Table::insert(const Val& key) {
  Entry* entry = ready().find_entry(key);
  return entry != nullptr ? entry->value : add(Val(key)).value;
}

Val& Table::insert_text(std::string_view key) {
  Entry* entry = ready().find_text(key);
  return entry != nullptr ? entry->value : add(Val(Str(key))).value;
}

Val* Table::lookup(const Val& key) const {
  Entry* entry = ready().find_entry(key);
  return entry != nullptr ? &entry->value : nullptr;
}

Val* Table::lookup_text(std::string_view key) const {
  Entry* entry = ready().find_text(key);
  return entry != nullptr ? &entry->value : nullptr;
}

Val& Table::operator()(const Val& key) const {
  Val* value = lookup(key);
  if (value == nullptr) throw out_of_range("Key " + Stringize(key) + " not in table");
  return *value;
}

Val Table::get(const Val& key, const Val& otherwise) const {
  const Val* value = lookup(key);
  return value != nullptr ? *value : otherwise;
}

bool Table::findKeyAndValue(const Val& key, Val& found, Val& value) const {
  const Entry* entry = ready().find_entry(key);
  if (entry == nullptr) return false;
  found = entry->key;
  value = entry->value;
  return true;
}

bool Table::find(const Val& key, Val& found) const {
  Val value;
  return findKeyAndValue(key, found, value);
}

bool Table::findValue(const Val& key, Val& value) const {
  const Val* there = lookup(key);
  if (there != nullptr) value = Val(*there);
  return there != nullptr;
}

void Table::append(const Val& value) { append_at(Val(int_8{entries()}), value); }
void Table::appendStr(const Val& value) { append_at(Val(std::to_string(entries())), value); }
void Table::append_at(const Val& key, const Val& value) {
  if (contains(key)) {
    throw runtime_error("Key " + Stringize(key) +
                        " is in the table already: append would replace it");
  }
  insert(key) = value;
}

Arr Table::keys() const {
  Arr all(entries());
  for (const Entry* entry = first(); entry != nullptr; entry = entry->next) all.append(entry->key);
  return all;
}
Arr Table::values() const {
  Arr all(entries());
  for (const Entry* entry = first(); entry != nullptr; entry = entry->next) {
    all.append(entry->value);
  }
  return all;
}
Arr Table::items() const {
  Arr all(entries());
  for (const Entry* entry = first(); entry != nullptr; entry = entry->next) {
    all.append(Val(Tup(entry->key, entry->value)));
  }
  return all;
}

bool Table::remove(const Val& key) {
  Entry* entry = ready().find_entry(key);
  if (entry == nullptr) return false;
  unindex(entry);
  unlink(entry);
  // What it owned may own the key that was passed.
  const Val old_key = std::move(entry->key);
  const Val old_value = std::move(entry->value);
  *entry = Entry();
  entry->next = free_;
  free_ = entry;
  return true;
}

Table& Table::operator+=(const Table& other) {
  if (this == &other) return *this;
  for (const Entry* entry = other.first(); entry != nullptr; entry = entry->next) {
    insert(entry->key) = entry->value;
  }
  return *this;
}

namespace {

int_ptr elements_below(const Val& value) {
  int_ptr count = 1;
  if (value.tag == 't') {
    count += value.object_as<Tab>().total_elements();
  } else if (value.tag == 'o') {
    count += value.object_as<OTab>().total_elements();
  } else if (value.tag == 'u' || (value.tag == 'n' && value.subtype == 'Z')) {
    const Array<Val>& elements =
        value.tag == 'u' ? value.object_as<Tup>().elements() : value.object_as<Arr>();
    for (const Val& element : elements) count += elements_below(element);
  }
  return count;
}

}  // namespace

int_ptr Table::total_elements() const {
  int_ptr count = 0;
  for (const Entry* entry = first(); entry != nullptr; entry = entry->next) {
    count += elements_below(entry->value);
  }
  return count;
}

}  // namespace detail
}  // namespace OC
