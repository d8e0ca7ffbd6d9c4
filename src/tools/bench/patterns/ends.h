// ends.h - how tarn's public interface is used by the loops in ping_pong.h and flood.h.
//
// Each end is made in the process that uses it, and connects there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "tarn/tarn.h"
#include "tools/bench/method/payload.h"
#include "tools/bench/method/ping_pong.h"

namespace tarn::bench {

enum class Waiting : std::uint8_t {
  polling,  // try_push() and try_pop() in a loop
  blocking  // push() and pop()
};

[[noreturn]] inline void unexpected(PushStatus status) {
  throw BenchError("a push ended with " + std::string(name_of(status)));
}
[[noreturn]] inline void unexpected(PopStatus status) {
  throw BenchError("a pop ended with " + std::string(name_of(status)));
}

// Hands over `what`: a Loan, or bytes to copy in.
template <Waiting waiting, class What>
void hand_over(Pipe& pipe, What&& what) {
  if constexpr (waiting == Waiting::blocking) {
    const PushStatus status = pipe.push(std::forward<What>(what));
    if (status != PushStatus::ok) unexpected(status);
  } else {
    for (;;) {
      const PushStatus status = pipe.try_push(std::forward<What>(what));
      if (status == PushStatus::ok) return;
      if (status != PushStatus::full) unexpected(status);
    }
  }
}

// Takes the next message and calls use(message).
template <Waiting waiting, class Use>
auto take(Pipe& pipe, const Use& use) {
  if constexpr (waiting == Waiting::blocking) {
    Popped popped = pipe.pop();
    if (!popped) unexpected(popped.status);
    return use(*popped);
  } else {
    for (;;) {
      Popped popped = pipe.try_pop();
      if (popped) return use(*popped);
      if (popped.status != PopStatus::empty) unexpected(popped.status);
    }
  }
}

// The two pipes of a ping-pong, named before the processes are forked.
struct Duplex {
  ConnectOptions join;
  std::string there;
  std::string back;
  std::size_t payload_bytes = 0;
};

class DuplexPipes {
 public:
  DuplexPipes(const Duplex& duplex, Side side)
      : session_(connect(duplex.join)),
        out_(session_.pipe(side == Side::ping ? duplex.there : duplex.back)),
        in_(session_.pipe(side == Side::ping ? duplex.back : duplex.there)) {}

  Pipe& out() noexcept { return out_; }
  Pipe& in() noexcept { return in_; }

 private:
  Session session_;
  Pipe out_;
  Pipe in_;
};

// Payloads that fit into the pipe's slot, copied in.
template <Waiting waiting>
class SlotEnd {
 public:
  SlotEnd(const Duplex& duplex, Side side)
      : pipes_(duplex, side), payload_bytes_(duplex.payload_bytes) {}

  void send(std::uint64_t i) {
    const std::span<std::byte> payload(buffer_.data(), payload_bytes_);
    write_payload(payload, i, Touch::all);
    hand_over<waiting>(pipes_.out(), std::span<const std::byte>(payload));
  }
  void receive(std::uint64_t i) {
    take<waiting>(pipes_.in(), [&](const Message& message) {
      check_payload(message.bytes(), payload_bytes_, i, Touch::all);
    });
  }

 private:
  DuplexPipes pipes_;
  std::size_t payload_bytes_;
  alignas(kLineBytes) std::array<std::byte, kInlineBytes> buffer_{};
};

// Payloads handed over by reference: a fresh loan for every message, filled in place, read in
// place.
template <Waiting waiting>
class ReferenceEnd {
 public:
  ReferenceEnd(const Duplex& duplex, Side side, Touch touch)
      : pipes_(duplex, side), payload_bytes_(duplex.payload_bytes), touch_(touch) {}

  void send(std::uint64_t i) {
    Loan loan = pipes_.out().loan(payload_bytes_);
    write_payload(loan.bytes(), i, touch_);
    hand_over<waiting>(pipes_.out(), std::move(loan));
  }
  void receive(std::uint64_t i) {
    take<waiting>(pipes_.in(), [&](const Message& message) {
      check_payload(message.bytes(), payload_bytes_, i, touch_);
    });
  }

 private:
  DuplexPipes pipes_;
  std::size_t payload_bytes_;
  Touch touch_;
};

// One pipe from all producers to all consumers.
struct Channel {
  ConnectOptions join;
  std::string name;
  std::int64_t capacity = 0;
  std::size_t payload_bytes = 0;
};

// Producer and consumer of words that begin a payload of a fixed size.
template <Waiting waiting>
class FloodEnd {
 public:
  explicit FloodEnd(const Channel& channel)
      : session_(connect(channel.join)),
        pipe_(session_.pipe(channel.name, {.capacity = channel.capacity, .delivery = {}})),
        payload_bytes_(channel.payload_bytes) {}

  void send(std::uint64_t word) {
    if (payload_bytes_ > kInlineBytes) {
      Loan loan = pipe_.loan(payload_bytes_);
      write_number(loan.bytes(), word);
      hand_over<waiting>(pipe_, std::move(loan));
      return;
    }
    const std::span<std::byte> payload(buffer_.data(), payload_bytes_);
    write_number(payload, word);
    hand_over<waiting>(pipe_, std::span<const std::byte>(payload));
  }
  std::uint64_t receive() {
    return take<waiting>(pipe_, [&](const Message& message) {
      if (message.size() != payload_bytes_) throw BenchError("a message of another size came");
      return read_number(message.bytes());
    });
  }

 private:
  Session session_;
  Pipe pipe_;
  std::size_t payload_bytes_;
  alignas(kLineBytes) std::array<std::byte, kInlineBytes> buffer_{};
};

}  // namespace tarn::bench
