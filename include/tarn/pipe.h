// pipe.h - a named, bounded queue of messages; each message goes to one consumer.
//
// A Pipe is a cheap handle, copyable, safe to use from any number of threads at once. Any number of
// processes may push and pop. Messages come out in the order in which their pushes completed.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "tarn/message.h"
#include "tarn/value.h"

namespace tarn {

enum class Delivery : std::uint8_t {
  at_most_once,  // a message whose consumer dies is gone; never delivered twice
  at_least_once  // a message not acknowledged by its consumer is delivered again, marked
};

inline constexpr std::int64_t kDefaultCapacity = 64;
inline constexpr std::int64_t kMaxCapacity = std::int64_t{1} << 20;
inline constexpr std::size_t kMaxNameBytes = 63;

// What is not given is taken from the pipe that exists, or is the default.
struct PipeOptions {
  std::optional<std::int64_t> capacity{};  // messages, 1 to kMaxCapacity; default 64
  std::optional<Delivery> delivery{};      // default at_most_once
};

enum class PushStatus : std::uint8_t {
  ok,
  full,       // try_push only: no slot is free
  timed_out,  // the deadline passed while the pipe was full
  closed,     // the pipe is closed or removed
  too_large,  // above the domain's limit for one message
  no_memory,  // a limit was hit while copying in; Session::last_refusal() has the story
  corrupt,    // the pipe's memory makes no sense: a participant spoilt it
  forked,     // this process is a fork()ed child: connect anew
  node_lost   // no slot is free, and the node has gone for good: connect anew
};

enum class PopStatus : std::uint8_t {
  ok,
  empty,      // try_pop only: nothing is there
  timed_out,  // the deadline passed while the pipe was empty
  closed,     // the pipe is closed and everything in it was delivered
  no_memory,  // the message's memory could not be mapped; it stays in the pipe
  corrupt,
  forked,
  node_lost  // nothing is there, and the node has gone for good: connect anew
};

std::string_view name_of(PushStatus status) noexcept;
std::string_view name_of(PopStatus status) noexcept;
std::string_view name_of(Delivery delivery) noexcept;

// What pop() returns: a message, or why there is none. Use it like an optional.
struct Popped {
  PopStatus status = PopStatus::empty;
  Message message;

  explicit operator bool() const noexcept { return status == PopStatus::ok; }
  Message* operator->() noexcept { return &message; }
  Message& operator*() noexcept { return message; }
};

class Pipe {
 public:
  Pipe() noexcept = default;

  const std::string& name() const noexcept;
  std::int64_t capacity() const noexcept;
  Delivery delivery() const noexcept;
  explicit operator bool() const noexcept { return core_ != nullptr; }

  // --- In -----------------------------------------------------------------------------------
  // Memory for one message, to be filled in place. Throws Error: domain_full, quota_exceeded,
  // no_memory, too_large, node_lost, forked.
  Loan loan(std::size_t size_bytes);

  // A value to fill in place in this pipe's memory; `expected_bytes` saves it growing. Throws what
  // loan() throws.
  Value value(std::size_t expected_bytes = 0);

  // Hands the message over; waits while the pipe is full, for ever or until the timeout. The Loan
  // or Message is empty afterwards on ok, and untouched on every other status.
  PushStatus push(Loan&& loan) noexcept;
  PushStatus push(Loan&& loan, std::chrono::nanoseconds timeout) noexcept;
  PushStatus try_push(Loan&& loan) noexcept;
  // Passes a received message on, without a copy: moved, or shared with the caller. One that
  // another session received is copied.
  PushStatus push(Message&& message) noexcept;
  PushStatus push(Message&& message, std::chrono::nanoseconds timeout) noexcept;
  PushStatus push(const Message& message) noexcept;
  PushStatus push(const Message& message, std::chrono::nanoseconds timeout) noexcept;
  PushStatus try_push(Message&& message) noexcept;
  // A value: handed over by reference when it was made by this session for this kind of pipe, else
  // copied in. It is none afterwards on ok, and can be filled again; untouched on every other
  // status.
  PushStatus push(Value&& value) noexcept;
  PushStatus push(Value&& value, std::chrono::nanoseconds timeout) noexcept;
  PushStatus try_push(Value&& value) noexcept;
  // Copies in.
  PushStatus push(const Value& value) noexcept { return push(value.bytes()); }
  PushStatus push(const Value& value, std::chrono::nanoseconds timeout) noexcept {
    return push(value.bytes(), timeout);
  }
  PushStatus push(std::span<const std::byte> bytes) noexcept;
  PushStatus push(std::span<const std::byte> bytes, std::chrono::nanoseconds timeout) noexcept;
  PushStatus try_push(std::span<const std::byte> bytes) noexcept;
  PushStatus push(std::string_view text) noexcept { return push(bytes_of(text)); }
  PushStatus push(std::string_view text, std::chrono::nanoseconds timeout) noexcept {
    return push(bytes_of(text), timeout);
  }
  PushStatus try_push(std::string_view text) noexcept { return try_push(bytes_of(text)); }
  // One trivially copyable object, copied in; read it with Message::get<T>().
  template <class T>
  PushStatus push_object(const T& object) noexcept {
    static_assert(std::is_trivially_copyable_v<T>);
    return push(std::as_bytes(std::span(&object, 1)));
  }
  template <class T>
  PushStatus push_object(const T& object, std::chrono::nanoseconds timeout) noexcept {
    static_assert(std::is_trivially_copyable_v<T>);
    return push(std::as_bytes(std::span(&object, 1)), timeout);
  }

  // --- Out ----------------------------------------------------------------------------------
  // Takes the oldest message; waits while there is none, for ever or until the timeout.
  Popped pop() noexcept;
  Popped pop(std::chrono::nanoseconds timeout) noexcept;
  Popped try_pop() noexcept;

  // --- Ends ---------------------------------------------------------------------------------
  // Nothing more goes in, from anybody; consumers drain what is there, then get `closed`.
  // Idempotent. A closed pipe ends, and its name is free again, when it is empty and nobody has it
  // open; Session::remove_pipe() ends any other.
  void close() noexcept;
  bool is_closed() const noexcept;

  // How many messages are in the pipe now; a snapshot that others may change at once.
  std::int64_t depth() const noexcept;

  // A descriptor for poll, epoll or asio that is readable while the pipe has messages (readable)
  // or room (writable), or is closed. Level-triggered: after it fires, call try_pop() or
  // try_push() until empty or full; only that re-arms it. Owned by the pipe: do not read, write
  // or close it. Throws Error (no_descriptors, os, forked) when it is made first.
  int readable_descriptor();
  int writable_descriptor();

 private:
  friend class Session;
  explicit Pipe(std::shared_ptr<detail::PipeCore> core) noexcept : core_(std::move(core)) {}
  static std::span<const std::byte> bytes_of(std::string_view text) noexcept {
    return std::as_bytes(std::span(text.data(), text.size()));
  }
  std::shared_ptr<detail::PipeCore> core_;
};

}  // namespace tarn
