// array.h - Array<T>: elements of one type, side by side, as many as are appended.
//
// An array of numbers that was received stays where it is, in shared memory, as long as it is only
// read through `const Array<T>&`. What could change an element (operator[], data() and iteration of
// an array that is not const) copies the elements first: nobody writes what another process made.
#pragma once

#include <algorithm>
#include <memory>
#include <new>

#include "oc/source.h"
#include "oc/tags.h"

namespace OC {

template <class T>
class Array {
 public:
  typedef T value_type;

  // Room for so many; none is there yet. The allocator of the originals is accepted and not used.
  explicit Array(int_ptr capacity = 0, Allocator* = nullptr) { expandTo(capacity); }
  Array(const Array& other) { copy(other); }
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
  ~Array() { drop(); }

  int_ptr length() const { return ready().length_; }
  int_ptr entries() const { return length(); }
  int_ptr capacity() const { return ready().capacity_; }
  bool empty() const { return length() == 0; }

  // Checked: throws out_of_range.
  T& operator[](int_ptr index) { return own().data_[checked(index)]; }
  const T& operator[](int_ptr index) const { return ready().data_[checked(index)]; }
  T& at(int_ptr index) { return (*this)[index]; }
  const T& at(int_ptr index) const { return (*this)[index]; }
  // Not checked.
  T& operator()(int_ptr index) { return own().data_[index]; }
  const T& operator()(int_ptr index) const { return ready().data_[index]; }
  T* data() { return own().data_; }
  const T* data() const { return ready().data_; }
  T* begin() { return data(); }
  T* end() { return data() + length_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + length_; }

  void append(const T& element) {
    if (own().length_ == capacity_) {
      const T kept(element);  // it may stand in the room that is left
      grow(length_ + 1);
      new (data_ + length_) T(kept);
    } else {
      new (data_ + length_) T(element);
    }
    ++length_;
  }
  void prepend(const T& element) { insertAt(0, element); }
  // Throws out_of_range beyond the end.
  void insertAt(int_ptr index, const T& element) {
    if (index != own().length_) checked(index);
    append(element);
    std::rotate(data_ + index, data_ + length_ - 1, data_ + length_);
  }
  // Throws out_of_range.
  void removeAt(int_ptr index) {
    std::move(own().data_ + checked(index) + 1, data_ + length_, data_ + index);
    data_[--length_].~T();
  }
  // The first that is equal; false when there is none.
  bool remove(const T& element) {
    const int_ptr index = find(element);
    if (index < 0) return false;
    removeAt(index);
    return true;
  }
  bool contains(const T& element) const { return find(element) >= 0; }

  // So many elements as there is room for, all like this one.
  void fill(const T& element = T()) { resize_with(own().capacity_, element, true); }
  // Room for at least so many.
  void expandTo(int_ptr capacity) {
    if (capacity > own().capacity_) grow_exactly(capacity);
  }
  void resize(int_ptr length) { resize_with(length, T(), false); }
  void clear(bool = true) {
    Array none;
    swap(none);
  }
  void swap(Array& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(length_, other.length_);
    std::swap(capacity_, other.capacity_);
    std::swap(source_, other.source_);
    std::swap(waiting_, other.waiting_);
  }

  friend bool operator==(const Array& a, const Array& b) {
    return a.length() == b.length() && std::equal(a.begin(), a.end(), b.begin());
  }
  friend bool operator!=(const Array& a, const Array& b) { return !(a == b); }

  // For the library: an array of numbers whose elements stand elsewhere, and a list that is not
  // unpacked yet.
  Array(detail::SourceRef source, const T* elements, int_ptr length)
      : data_(const_cast<T*>(elements)),
        length_(length),
        capacity_(length),
        source_(std::move(source)) {
    waiting_.set(true);
  }
  const detail::SourceRef& source() const { return source_; }
  bool is_untouched() const { return waiting_.get(); }

 private:
  friend void detail::unpack(Array<Val>& list);
  static constexpr bool kIsList = std::is_same_v<T, Val>;

  // To be read. Elements that stand elsewhere are as good as our own.
  const Array& ready() const {
    if constexpr (kIsList) {
      if (waiting_.get()) detail::unpack(const_cast<Array&>(*this));
    }
    return *this;
  }
  // To be changed.
  Array& own() {
    if constexpr (kIsList) {
      ready();
    } else {
      if (waiting_.get()) {
        // The source stays, so that references to the old elements stay good.
        const T* elsewhere = data_;
        data_ = std::allocator<T>().allocate(static_cast<size_t>(std::max<int_ptr>(length_, 1)));
        capacity_ = std::max<int_ptr>(length_, 1);
        std::uninitialized_copy_n(elsewhere, length_, data_);
        waiting_.set(false);
      }
    }
    return *this;
  }
  int_ptr checked(int_ptr index) const {
    if (index < 0 || index >= length()) {
      throw out_of_range("Index " + std::to_string(index) + " is out of range: the length is " +
                         std::to_string(length()));
    }
    return index;
  }
  int_ptr find(const T& element) const {
    const T* found = std::find(begin(), end(), element);
    return found == end() ? -1 : found - begin();
  }
  void copy(const Array& other) {
    if (other.waiting_.get()) {
      data_ = other.data_;
      length_ = other.length_;
      capacity_ = other.capacity_;
      source_ = other.source_;
      waiting_.set(true);
      return;
    }
    grow_exactly(other.length_);
    for (; length_ < other.length_; ++length_) new (data_ + length_) T(other.data_[length_]);
  }
  void grow(int_ptr at_least) { grow_exactly(std::max<int_ptr>({at_least, 2 * capacity_, 4})); }
  void grow_exactly(int_ptr capacity) {
    if (capacity < 0) throw length_error("A capacity cannot be below zero");
    if (capacity == 0) return;
    T* room = std::allocator<T>().allocate(static_cast<size_t>(capacity));
    std::uninitialized_move_n(data_, length_, room);
    give_back();
    data_ = room;
    capacity_ = capacity;
  }
  void resize_with(int_ptr length, const T& element, bool all) {
    if (length < 0) throw length_error("A length cannot be below zero");
    if (length > own().capacity_) grow_exactly(length);
    if (all) std::fill_n(data_, std::min(length_, length), element);
    for (; length_ < length; ++length_) new (data_ + length_) T(element);
    while (length_ > length) data_[--length_].~T();
  }
  void give_back() {
    if (data_ == nullptr) return;
    std::destroy_n(data_, length_);
    std::allocator<T>().deallocate(data_, static_cast<size_t>(capacity_));
  }
  void drop() {
    if (!waiting_.get()) give_back();
  }

  T* data_ = nullptr;
  int_ptr length_ = 0;
  int_ptr capacity_ = 0;
  detail::SourceRef source_;
  detail::Waiting waiting_;  // its elements are still in `source_`
};

}  // namespace OC
