// message.h - bytes on their way from one program to another.
//
// A Loan is memory to fill: it belongs to this process until it is pushed. A Message is what was
// popped: immutable, read in place, held until released. Neither is safe to use from two threads at
// once; different Loans and Messages are. Both keep the session's memory mapped, and must not be
// used in a fork()ed child.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "tarn/value_view.h"

namespace tarn {

namespace detail {
class SessionCore;
class PipeCore;
class Observer;
class ValueStore;
}  // namespace detail

// Payloads up to this size travel inside a pipe's slot; larger ones by reference.
inline constexpr std::size_t kInlineBytes = 48;

// Where a payload stands: in shared memory, or in `small`. For the library's own use.
struct PayloadPlace {
  detail::SessionCore* core = nullptr;  // set while `address` is
  const std::byte* address = nullptr;   // in shared memory; null: the payload is in `small`
  void* origin = nullptr;               // the library's record of the segment
  std::uint32_t chunk = 0;
  bool filled = false;  // false: an empty Loan or Message
  std::size_t size_bytes = 0;
  alignas(16) std::byte small[kInlineBytes];

  // Takes the payload over; `other` is empty afterwards.
  void take_from(PayloadPlace& other) noexcept;
};

// Writable memory, filled in place and then pushed without a copy. Obtained from Session::loan() or
// Pipe::loan(). Destroying an unpushed Loan gives the memory back.
class Loan {
 public:
  Loan() noexcept = default;
  Loan(Loan&& other) noexcept { place_.take_from(other.place_); }
  Loan& operator=(Loan&& other) noexcept;
  ~Loan() {
    if (place_.address != nullptr) give_back();
  }

  // The memory to fill: `size` bytes, 64-byte aligned above kInlineBytes, else 16-byte aligned.
  // Not cleared: write all of it. Borrowed; valid until the Loan is pushed, moved or destroyed.
  std::span<std::byte> bytes() noexcept {
    // Ours to write until it is pushed; `address` is const for the readers' sake.
    auto* address =
        place_.address != nullptr ? const_cast<std::byte*>(place_.address) : place_.small;
    return {address, place_.size_bytes};
  }
  std::size_t size() const noexcept { return place_.size_bytes; }
  explicit operator bool() const noexcept { return place_.filled; }

  // The same memory as whole elements of T; what is left over at the end is not part of it.
  template <class T>
  std::span<T> array() noexcept {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= 16);
    return {reinterpret_cast<T*>(bytes().data()), size() / sizeof(T)};
  }
  // The message will be this long. Only downwards: a larger size leaves it as it is.
  void shrink(std::size_t size_bytes) noexcept {
    if (size_bytes < place_.size_bytes) place_.size_bytes = size_bytes;
  }

 private:
  friend class detail::SessionCore;
  friend class detail::PipeCore;
  friend class detail::ValueStore;
  friend class Pipe;
  void give_back() noexcept;
  PayloadPlace place_;
};

// A popped message. The bytes stay valid and unchanged until release() or destruction; the memory
// returns to its owner after that, also when this process dies.
class Message {
 public:
  Message() noexcept = default;
  Message(Message&& other) noexcept;
  Message& operator=(Message&& other) noexcept;
  ~Message() {
    if (place_.address != nullptr || unacknowledged_ != nullptr) release();
  }

  // Borrowed; valid until the Message is released, moved or destroyed.
  std::span<const std::byte> bytes() const noexcept {
    return {place_.address != nullptr ? place_.address : place_.small, place_.size_bytes};
  }
  std::size_t size() const noexcept { return place_.size_bytes; }
  std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(bytes().data()), size()};
  }
  explicit operator bool() const noexcept { return place_.filled; }

  // The payload as one T, or null when the size is not T's.
  template <class T>
  const T* get() const noexcept {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= 16);
    return size() == sizeof(T) ? reinterpret_cast<const T*>(bytes().data()) : nullptr;
  }
  // The payload as an array of T; empty when the size is not a multiple of T's.
  template <class T>
  std::span<const T> array() const noexcept {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= 16);
    if (size() % sizeof(T) != 0) return {};
    return {reinterpret_cast<const T*>(bytes().data()), size() / sizeof(T)};
  }

  // The payload as a value, read where it lies. Borrowed like bytes(); a view of a part of a small
  // message must not outlive the Message's own place in memory. Throws wrong_type when it is no
  // value, version_mismatch, corrupt.
  ValueView value() const { return value_in(bytes()); }
  // The same, or nothing.
  std::optional<ValueView> try_value() const noexcept { return find_value(bytes()); }

  // True when an earlier consumer of an at-least-once pipe had this message and did not
  // acknowledge it.
  bool redelivered() const noexcept { return redelivered_; }
  // The message's place in its pipe: 0, 1, 2, ... without gaps but for messages whose producer
  // died while pushing.
  std::uint64_t position() const noexcept { return position_; }
  // At-least-once pipes: the message is done with and will not be delivered again. Destroying or
  // releasing an unacknowledged message gives it back to the pipe, marked. On other pipes it does
  // nothing. Idempotent.
  void acknowledge() noexcept;
  // Ends the hold early; the message is then empty.
  void release() noexcept;

 private:
  friend class detail::SessionCore;
  friend class detail::PipeCore;
  friend class Pipe;
  PayloadPlace place_;
  std::shared_ptr<detail::PipeCore> unacknowledged_;  // null: nothing left to acknowledge
  std::uint64_t position_ = 0;
  bool redelivered_ = false;
};

}  // namespace tarn
