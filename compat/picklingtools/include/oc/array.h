// array.h - Array<T>: elements of one type, side by side, as many as are appended.
//
// An array of numbers that was received stays where it is, in shared memory, as long as it is only
// read through `const Array<T>&`. What could change an element (operator[], data() and iteration of
// an array that is not const) copies the elements first: nobody writes what another process made.
// Several threads may read one received array, through either kind of reference: by index, whole,
// or from data() on. begin() and end() are two looks, between which another thread's first
// reference that is not const may have moved the elements.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include "oc/source.h"
#include "oc/tags.h"

namespace OC {

template <class T>
class Array {
 public:
  typedef T value_type;
  static constexpr int ARRAY_DEFAULT_CAPACITY = 2;
  static constexpr int ARRAY_NPOS = -1;

  Array() noexcept {}
  // Room for so many; none is there yet. How and where the originals were to allocate is accepted
  // and not used. Throws length_error below zero.
  explicit Array(int_ptr capacity, int = 1) { make_room(capacity); }
  Array(int_ptr capacity, Allocator*) { make_room(capacity); }
  Array(int_ptr capacity, std::nullptr_t) { make_room(capacity); }
  // So many elements that stand elsewhere and stay the caller's, until the array has to grow.
  Array(int_ptr length, T* elements)
      : data_(elements), length_(length), capacity_(length), memory_(Memory::foreign) {}
  Array(const Array& other, Allocator* = nullptr) { copy(other); }
  Array(Array&& other) noexcept { swap(other); }
  Array& operator=(const Array& other) {
    Array copied(other);
    swap(copied);
    return *this;
  }
  Array& operator=(Array&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Array() { give_back(); }

  int_ptr length() const { return ready().length_; }
  int_ptr entries() const { return length(); }
  int_ptr capacity() const { return ready().capacity_; }
  bool empty() const { return length() == 0; }
  bool isEmpty() const { return empty(); }
  Allocator* allocator() const { return nullptr; }

  // Checked: throws out_of_range.
  T& operator[](int_ptr index) { return own().elements()[checked(index)]; }
  const T& operator[](int_ptr index) const { return ready().elements()[checked(index)]; }
  T& at(int_ptr index) { return (*this)[index]; }
  const T& at(int_ptr index) const { return (*this)[index]; }
  // Not checked.
  T& operator()(int_ptr index) { return own().elements()[index]; }
  const T& operator()(int_ptr index) const { return ready().elements()[index]; }
  // There is room for capacity() elements; null as long as a const array never had any.
  T* data() {
    if (own().elements() == nullptr) make_room(capacity_);
    return elements();
  }
  const T* data() const { return ready().elements(); }
  T* begin() { return data(); }
  T* end() { return data() + length_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + length(); }

  void append(const T& element) {
    own();
    if (length_ < capacity_ && elements() != nullptr) {
      new (elements() + length_) T(element);
    } else {
      const T kept(element);  // it may stand in the room that is left
      move_to(length_ < capacity_ ? capacity_ : std::max<int_ptr>(2 * capacity_, 4));
      new (elements() + length_) T(kept);
    }
    ++length_;
  }
  void insert(const T& element) { append(element); }
  void prepend(const T& element) { insertAt(0, element); }
  // Throws out_of_range beyond the end.
  void insertAt(int_ptr index, const T& element) {
    if (index != own().length_) checked(index);
    append(element);
    std::rotate(elements() + index, elements() + length_ - 1, elements() + length_);
  }

  // These throw out_of_range.
  T removeAt(int_ptr index) {
    own();
    T removed(elements()[checked(index)]);
    removeRange(index, 1);
    return removed;
  }
  T removeFirst() { return removeAt(0); }
  T removeLast() { return removeAt(length() - 1); }
  void removeRange(int_ptr index, int_ptr count) {
    own();
    checked(index);
    if (count < 0 || count > length_ - index) checked(length_);
    if (count == 0) return;
    T* first = elements() + index;
    std::move(first + count, elements() + length_, first);
    std::destroy_n(elements() + length_ - count, count);
    length_ -= count;
  }
  // The first that is equal; false when there is none.
  bool remove(const T& element) {
    const int_ptr found = index(element);
    if (found != ARRAY_NPOS) removeAt(found);
    return found != ARRAY_NPOS;
  }
  // All that are equal; how many there were.
  int_ptr removeAll(const T& element) {
    const T kept(element);
    T* last = own().elements() + length_;
    T* rest = std::remove(elements(), last, kept);
    const int_ptr count = last - rest;
    std::destroy_n(rest, count);
    length_ -= count;
    return count;
  }

  bool contains(const T& element) const { return index(element) != ARRAY_NPOS; }
  // Where the first is that is equal, or ARRAY_NPOS.
  int_ptr index(const T& element) const {
    const detail::Elements<T> all = elements_now();
    const T* found = std::find(all.begin(), all.end(), element);
    return found == all.end() ? int_ptr{ARRAY_NPOS} : found - all.begin();
  }
  // The same as a copy; false, and `found` untouched, when there is none.
  bool find(const T& element, T& found) const {
    const int_ptr place = index(element);
    if (place != ARRAY_NPOS) found = (*this)(place);
    return place != ARRAY_NPOS;
  }

  // Appended so many times; without a number, until all room is taken.
  void fill(const T& element, int_ptr count) {
    const T kept(element);
    own();
    if (count > capacity_ - length_) move_to(length_ + count);
    for (; count > 0; --count) append(kept);
  }
  void fill(const T& element = T()) { fill(element, own().capacity_ - length_); }

  // That many elements from now on: the last go, or new ones come, numbers as they stand in the
  // room that is there (0 where nothing was written yet), all others as T().
  void expandTo(int_ptr length) {
    if (length < 0) throw length_error("A length cannot be below zero");
    if (length > own().capacity_) move_to(length);
    if (elements() == nullptr) make_room(capacity_);
    if constexpr (kIsPlain) {
      length_ = length;
    } else {
      for (; length_ < length; ++length_) new (elements() + length_) T();
      for (; length_ > length; --length_) elements()[length_ - 1].~T();
    }
  }
  void expandBy(int_8 by) { expandTo(length() + static_cast<int_ptr>(by)); }
  // Room for so many, or as many as there are.
  void resize(int_ptr capacity) {
    own();
    if (capacity > length_) {
      move_to(capacity);
    } else {
      capacity_ = length_;
    }
  }
  // The room stays.
  void clear() {
    own();
    std::destroy_n(elements(), length_);
    length_ = 0;
  }
  void clearFast() { clear(); }
  // Memory with room for so many, which this ends in time: 0: by free(), else by delete[].
  void adoptMemory(T* memory, int_ptr capacity, int use_new_and_delete = 1) {
    const bool is_full = !kIsPlain && use_new_and_delete != 0;
    Array taken = is_full ? Array(capacity) : Array(0, memory);
    if (is_full) {
      delete[] memory;  // alone can end the elements there: room of our own is as good
    } else {
      taken.capacity_ = capacity;
      taken.memory_ = use_new_and_delete == 0 ? Memory::malloced : Memory::array_new;
    }
    swap(taken);
  }
  void swap(Array& other) noexcept {
    // relaxed: nobody else uses either array meanwhile.
    T* ours = data_.load(std::memory_order_relaxed);
    data_.store(other.data_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    other.data_.store(ours, std::memory_order_relaxed);
    std::swap(length_, other.length_);
    std::swap(capacity_, other.capacity_);
    std::swap(source_, other.source_);
    std::swap(memory_, other.memory_);
    std::swap(is_rows_, other.is_rows_);
    waiting_.swap(other.waiting_);
  }

  friend bool operator==(const Array& a, const Array& b) {
    const detail::Elements<T> left = a.elements_now();
    const detail::Elements<T> right = b.elements_now();
    return std::equal(left.begin(), left.end(), right.begin(), right.end());
  }
  friend bool operator!=(const Array& a, const Array& b) { return !(a == b); }
  friend bool operator<(const Array& a, const Array& b) {
    const detail::Elements<T> left = a.elements_now();
    const detail::Elements<T> right = b.elements_now();
    return std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end());
  }
  friend bool operator>(const Array& a, const Array& b) { return b < a; }
  friend bool operator<=(const Array& a, const Array& b) { return !(b < a); }
  friend bool operator>=(const Array& a, const Array& b) { return !(a < b); }
  friend Array& operator+=(Array& to, const Array& from) {
    const Array kept(from);
    for (const T& element : std::as_const(kept)) to.append(element);
    return to;
  }
  friend void swap(Array& a, Array& b) noexcept { a.swap(b); }

  // For the library: an array of numbers whose elements stand elsewhere, and a list that is not
  // unpacked yet.
  Array(detail::SourceRef source, const T* elements, int_ptr length)
      : data_(const_cast<T*>(elements)),
        length_(length),
        capacity_(length),
        source_(std::move(source)) {
    waiting_.begin();
  }
  const detail::SourceRef& source() const { return source_; }
  // All elements, in one of the places where they stand: good as long as the array is not changed.
  detail::Elements<T> elements_now() const {
    const T* first = data();
    return {first, first + length_};
  }
  // A list of the rows of an array of several dimensions: copies remember it too.
  void set_rows_of(detail::SourceRef source) {
    source_ = std::move(source);
    is_rows_ = true;
  }
  bool is_untouched() const { return !waiting_.is_over(); }
  // Made by Shared(), or received.
  bool is_shared() const { return is_shared_ || source_.get() != nullptr; }
  void say_shared() { is_shared_ = true; }

 private:
  friend void detail::unpack(Array<Val>& list);
  static constexpr bool kIsList = std::is_same_v<T, Val>;
  static constexpr bool kIsPlain =
      std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>;
  // Whose the memory is.
  enum class Memory : unsigned char { own, malloced, array_new, foreign };

  // Those of a list that nobody else sees; everything but them stays as it is.
  void take_elements(Array& filled) noexcept {
    set_elements(filled.elements());
    filled.set_elements(nullptr);
    length_ = std::exchange(filled.length_, 0);
    capacity_ = filled.capacity_;
  }
  T* elements() const noexcept {
    // sync(array-copied): receives the elements that take_out() copied.
    return data_.load(std::memory_order_acquire);
  }
  void set_elements(T* elements) noexcept {
    // sync(array-copied): hands the elements over.
    data_.store(elements, std::memory_order_release);
  }
  // To be read. Elements that stand elsewhere are as good as our own.
  const Array& ready() const {
    if (!waiting_.is_over()) {
      if constexpr (kIsList) {
        detail::unpack(const_cast<Array&>(*this));
      } else {
        // relaxed: it changes in a new process only, before anything else runs there.
        if (detail::fork_count.load(std::memory_order_relaxed) != 0) {
          detail::check_process(source_.get());
        }
      }
    }
    return *this;
  }
  // To be changed.
  Array& own() {
    if constexpr (kIsList) {
      ready();
    } else {
      if (!waiting_.is_over()) take_out();
    }
    return *this;
  }
  // The source stays, so that references to the old elements stay good.
  void take_out() {
    ready();
    if (!waiting_.is_mine()) return;
    try {
      T* copied = allocated(length_);
      std::uninitialized_copy_n(elements(), length_, copied);
      set_elements(copied);
    } catch (...) {
      waiting_.give_up();
      throw;
    }
    waiting_.done();
  }
  int_ptr checked(int_ptr index) const {
    if (index < 0 || index >= length()) {
      throw out_of_range("Index " + std::to_string(index) + " is out of range: the length is " +
                         std::to_string(length()));
    }
    return index;
  }

  void copy(const Array& other) {
    // The pointer before the state: while the state is still that of the message, so is what the
    // pointer was. One that another thread takes out just now is copied like any other.
    T* const there = other.elements();
    if (kIsList ? other.is_untouched() : other.waiting_.is_in_message()) {
      source_ = other.source_;
      if constexpr (!kIsList) {
        set_elements(there);
        capacity_ = length_ = other.length_;
      }
      detail::allow_again(source_.get());
      waiting_.begin();
      return;
    }
    other.ready();
    if (other.is_rows_) set_rows_of(other.source_);
    capacity_ = other.capacity_;
    if (other.elements() == nullptr) return;
    make_room(capacity_);
    for (; length_ < other.length_; ++length_) new (elements() + length_) T(other(length_));
  }
  static T* allocated(int_ptr count) {
    const auto room = static_cast<size_t>(std::max<int_ptr>(count, 1));
    if (count < 0) throw length_error("A capacity cannot be below zero");
    if (room > static_cast<size_t>(PTRDIFF_MAX) / sizeof(T)) throw std::bad_alloc();
    void* memory = kIsPlain ? std::calloc(room, sizeof(T)) : ::operator new(room * sizeof(T));
    if (memory == nullptr) throw std::bad_alloc();
    return static_cast<T*>(memory);
  }
  void make_room(int_ptr capacity) {
    set_elements(allocated(capacity));
    capacity_ = capacity;
  }
  void move_to(int_ptr capacity) {
    T* room = allocated(capacity);
    if (length_ > 0) std::uninitialized_move_n(elements(), length_, room);
    give_back();
    set_elements(room);
    capacity_ = capacity;
    memory_ = Memory::own;
  }
  void give_back() {
    T* old = elements();
    if (old == nullptr || !waiting_.is_over() || memory_ == Memory::foreign) return;
    std::destroy_n(old, length_);
    if (memory_ == Memory::array_new) {
      ::operator delete[](static_cast<void*>(old));
    } else if (kIsPlain || memory_ == Memory::malloced) {
      std::free(static_cast<void*>(old));
    } else {
      ::operator delete(static_cast<void*>(old));
    }
  }

  std::atomic<T*> data_{nullptr};
  int_ptr length_ = 0;
  int_ptr capacity_ = ARRAY_DEFAULT_CAPACITY;
  detail::SourceRef source_;
  detail::Waiting waiting_;  // its elements are still in `source_`
  Memory memory_ = Memory::own;
  bool is_shared_ = false;
  bool is_rows_ = false;
};

// Another way to append.
template <class T>
Array<T>& operator<<(Array<T>& array, const T& element) {
  array.append(element);
  return array;
}

}  // namespace OC
