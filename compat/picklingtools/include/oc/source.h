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
// A copy is about to read the same place once more.
void allow_again(const Source* source) noexcept;

// Makes the elements, unless another thread just did. Throws runtime_error when the message makes
// no sense or holds what no Val can, and in a process that did not receive it.
void unpack(Table& table);
void unpack(Array<Val>& list);

// How often this process, or one that it comes from, was made by fork(). What was received before
// the last time is the parent's: its memory is not here.
extern std::atomic<unsigned> fork_count;
// Throws runtime_error when the message was received before a fork().
void check_process(const Source* source);

// Of an array, as one look found them.
template <class T>
struct Elements {
  const T* first;
  const T* last;
  const T* begin() const noexcept { return first; }
  const T* end() const noexcept { return last; }
};

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

// How far a container is out of its message. One thread takes it out; all others wait for that one.
class Waiting {
 public:
  bool is_over() const noexcept {
    // sync(unpacked): receives what the one who unpacked has made.
    return state_.load(std::memory_order_acquire) == kReady;
  }
  // Whether nobody has begun to take it out; what was loaded before, by acquire, was so too.
  bool is_in_message() const noexcept {
    // relaxed: what the caller loaded before orders it.
    return state_.load(std::memory_order_relaxed) == kInMessage;
  }
  void begin() noexcept {
    // relaxed: nobody else has the container yet.
    state_.store(kInMessage, std::memory_order_relaxed);
  }
  // Whether this thread has to do it, and calls done() or give_up(); otherwise another one did.
  bool is_mine() {
    State found = kInMessage;
    // sync(unpacking): receives what one who gave up has undone.
    if (state_.compare_exchange_strong(found, kUnpacking, std::memory_order_acquire)) return true;
    return found == kUnpacking && is_mine_after_all();
  }
  // sync(unpacked): hands over what was made.
  void done() noexcept { state_.store(kReady, std::memory_order_release); }
  // sync(unpacking): hands over what was undone.
  void give_up() noexcept { state_.store(kInMessage, std::memory_order_release); }
  // Of two containers that nobody else uses meanwhile.
  void swap(Waiting& other) noexcept {
    // relaxed: as above.
    const State ours = state_.load(std::memory_order_relaxed);
    state_.store(other.state_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    other.state_.store(ours, std::memory_order_relaxed);
  }

 private:
  typedef unsigned char State;
  static constexpr State kReady = 0;
  static constexpr State kInMessage = 1;
  static constexpr State kUnpacking = 2;
  // Waits for the thread that is at it.
  bool is_mine_after_all();

  std::atomic<State> state_{kReady};
};

}  // namespace detail
}  // namespace OC
