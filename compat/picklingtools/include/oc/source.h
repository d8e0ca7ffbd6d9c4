// source.h - the received message that a container still stands in.
//
// A container that was received does not unpack itself: it knows its place in the message, and
// makes its elements when somebody asks for the first of them. Until then it costs nothing, and
// copying it is sharing the place. Several threads may ask at once.
#pragma once

#include <atomic>

#include "ocport.h"

namespace OC {
namespace detail {

class Source;  // a place in a message, which it keeps; counted, never changed
class Table;

void retain(const Source* source) noexcept;
void release(const Source* source) noexcept;

// Makes the elements, unless another thread just did, and clears `waiting` then. Throws
// runtime_error when the message makes no sense or holds what no Val can.
void unpack(Table& table);
void unpack(Array<Val>& list);

// Counts by itself.
class SourceRef {
 public:
  constexpr SourceRef() noexcept = default;
  explicit SourceRef(const Source* source) noexcept : source_(source) {}  // takes over one count
  SourceRef(const SourceRef& other) noexcept : source_(other.source_) {
    if (source_ != nullptr) retain(source_);
  }
  SourceRef(SourceRef&& other) noexcept : source_(other.source_) { other.source_ = nullptr; }
  SourceRef& operator=(SourceRef other) noexcept {
    std::swap(source_, other.source_);
    return *this;
  }
  ~SourceRef() {
    if (source_ != nullptr) release(source_);
  }
  const Source* get() const noexcept { return source_; }

 private:
  const Source* source_ = nullptr;
};

// A flag that containers can be copied and moved with.
class Waiting {
 public:
  Waiting() noexcept : is_set_(false) {}
  Waiting(const Waiting& other) noexcept : is_set_(other.get()) {}
  Waiting& operator=(const Waiting& other) noexcept {
    set(other.get());
    return *this;
  }
  bool get() const noexcept { return is_set_.load(std::memory_order_acquire); }
  void set(bool to) noexcept { is_set_.store(to, std::memory_order_release); }

 private:
  std::atomic<bool> is_set_;
};

}  // namespace detail
}  // namespace OC
