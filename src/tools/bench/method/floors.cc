#include "tools/bench/method/floors.h"

#include <linux/futex.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <span>
#include <vector>

#include "tools/bench/method/payload.h"

namespace tarn::bench {
namespace {

constexpr std::size_t kRingSlots = 64;  // the capacity of a pipe nobody asked another of
constexpr std::size_t kOneLinePayload = 48;

// --- F1 ---------------------------------------------------------------------------------------

struct alignas(kLineBytes) OneLineSlot {
  std::atomic<std::uint64_t> sequence;  // writer: the sender
  std::byte payload[kOneLinePayload];   // writer: the sender, before the sequence
};
static_assert(sizeof(OneLineSlot) == kLineBytes);

struct OneLineRing {
  OneLineSlot slots[kRingSlots];
};

// Tells the processor that this is a loop that waits.
inline void pause_cpu() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

template <bool pausing>
class OneLineEnd {
 public:
  OneLineEnd(OneLineRing& out, OneLineRing& in) noexcept : out_(out), in_(in) {}

  void send(std::uint64_t i) noexcept {
    OneLineSlot& slot = out_.slots[i % kRingSlots];
    write_payload(slot.payload, i, Touch::all);
    slot.sequence.store(i + 1, std::memory_order_release);
  }
  void receive(std::uint64_t i) const {
    const OneLineSlot& slot = in_.slots[i % kRingSlots];
    while (slot.sequence.load(std::memory_order_acquire) != i + 1) {
      if constexpr (pausing) pause_cpu();
    }
    check_payload(slot.payload, kOneLinePayload, i, Touch::all);
  }

 private:
  OneLineRing& out_;
  OneLineRing& in_;
};

template <bool pausing>
Histogram measure_one_line(const PingPongPlan& plan) {
  const Shared<std::array<OneLineRing, 2>> rings;
  return ping_pong(plan, [&](Side side) {
    const bool first = side == Side::ping;
    return OneLineEnd<pausing>((*rings)[first ? 0 : 1], (*rings)[first ? 1 : 0]);
  });
}

// --- F2 ---------------------------------------------------------------------------------------

struct alignas(kLineBytes) IndexLine {
  std::atomic<std::uint64_t> sequence;  // writer: the sender
};

struct IndexRing {
  IndexLine lines[kRingSlots];
};

// One direction: index lines, and payloads used in turn.
struct TwoLineRing {
  IndexRing* index = nullptr;
  std::span<std::byte> payloads;
};

class TwoLineEnd {
 public:
  TwoLineEnd(TwoLineRing out, TwoLineRing in, std::size_t payload_bytes) noexcept
      : out_(out), in_(in), payload_bytes_(payload_bytes) {}

  void send(std::uint64_t i) noexcept {
    write_payload(payload(out_, i), i, Touch::all);
    out_.index->lines[i % kRingSlots].sequence.store(i + 1, std::memory_order_release);
  }
  void receive(std::uint64_t i) const {
    const IndexLine& line = in_.index->lines[i % kRingSlots];
    while (line.sequence.load(std::memory_order_acquire) != i + 1) {
    }
    check_payload(payload(in_, i), payload_bytes_, i, Touch::all);
  }

 private:
  std::span<std::byte> payload(const TwoLineRing& ring, std::uint64_t i) const noexcept {
    const std::size_t count = ring.payloads.size() / payload_bytes_;
    return ring.payloads.subspan(i % count * payload_bytes_, payload_bytes_);
  }

  TwoLineRing out_;
  TwoLineRing in_;
  std::size_t payload_bytes_;
};

Histogram measure_two_lines(const PingPongPlan& plan, std::size_t payload_bytes) {
  const std::size_t rounded = (std::max(payload_bytes, kLineBytes) + 63) / kLineBytes * kLineBytes;
  // A line each for small payloads; two buffers in turn for large ones, which stay in the cache.
  const std::size_t area_bytes = rounded * (rounded <= 4096 ? kRingSlots : 2);
  const Shared<std::array<IndexRing, 2>> index;
  const SharedPages payloads(2 * area_bytes);
  const std::span<std::byte> all(payloads.data(), payloads.size());
  return ping_pong(plan, [&](Side side) {
    const TwoLineRing there{&(*index)[0], all.first(area_bytes)};
    const TwoLineRing back{&(*index)[1], all.last(area_bytes)};
    return side == Side::ping ? TwoLineEnd(there, back, rounded) : TwoLineEnd(back, there, rounded);
  });
}

// --- W ----------------------------------------------------------------------------------------

struct alignas(kLineBytes) FutexLine {
  std::atomic<std::uint32_t> word;  // writer: the sender
};

long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value) noexcept {
  return ::syscall(SYS_futex, &word, operation, value, nullptr, nullptr, 0);
}

class FutexEnd {
 public:
  FutexEnd(FutexLine& out, FutexLine& in) noexcept : out_(out), in_(in) {}

  void send(std::uint64_t i) noexcept {
    out_.word.store(static_cast<std::uint32_t>(i + 1), std::memory_order_release);
    futex(out_.word, FUTEX_WAKE, 1);
  }
  void receive(std::uint64_t i) noexcept {
    const auto awaited = static_cast<std::uint32_t>(i + 1);
    while (in_.word.load(std::memory_order_acquire) != awaited) {
      futex(in_.word, FUTEX_WAIT, awaited - 1);
    }
  }

 private:
  FutexLine& out_;
  FutexLine& in_;
};

Histogram measure_futex(const PingPongPlan& plan) {
  const Shared<std::array<FutexLine, 2>> lines;
  return ping_pong(plan, [&](Side side) {
    const bool first = side == Side::ping;
    return FutexEnd((*lines)[first ? 0 : 1], (*lines)[first ? 1 : 0]);
  });
}

// --- E ----------------------------------------------------------------------------------------

class EventFd {
 public:
  EventFd() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (descriptor_ < 0) throw BenchError("cannot create an eventfd");
  }
  ~EventFd() { ::close(descriptor_); }
  EventFd(const EventFd&) = delete;
  EventFd& operator=(const EventFd&) = delete;
  int get() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

class EventEnd {
 public:
  EventEnd(int out, int in) : out_(out), in_(in), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    epoll_event interest{};
    interest.events = EPOLLIN;
    if (epoll_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, in_, &interest) != 0) {
      throw BenchError("cannot watch an eventfd");
    }
  }

  void send(std::uint64_t) {
    const std::uint64_t one = 1;
    if (::write(out_, &one, sizeof one) != sizeof one) throw BenchError("cannot write an eventfd");
  }
  void receive(std::uint64_t i) {
    epoll_event event{};
    while (::epoll_wait(epoll_, &event, 1, -1) != 1) {
    }
    std::uint64_t count = 0;
    if (::read(in_, &count, sizeof count) != sizeof count || count != 1) out_of_sequence(i);
  }

 private:
  // The descriptors end with the process; the eventfds are the coordinator's.
  int out_;
  int in_;
  int epoll_;
};

Histogram measure_event(const PingPongPlan& plan) {
  const EventFd there;
  const EventFd back;
  return ping_pong(plan, [&](Side side) {
    return side == Side::ping ? EventEnd(there.get(), back.get())
                              : EventEnd(back.get(), there.get());
  });
}

// --- memcpy -----------------------------------------------------------------------------------

double copy_bytes_per_second(std::size_t size_bytes, int times) {
  std::vector<std::byte> source(size_bytes, std::byte{1});
  std::vector<std::byte> target(size_bytes, std::byte{2});
  std::uint64_t best_ns = ~std::uint64_t{0};
  for (int time = 0; time < times; ++time) {
    const std::uint64_t begin = clock_ns();
    std::memcpy(target.data(), source.data(), size_bytes);
    asm volatile("" : : "r"(target.data()) : "memory");
    best_ns = std::min(best_ns, std::max<std::uint64_t>(clock_ns() - begin, 1));
  }
  return static_cast<double>(size_bytes) * 1e9 / static_cast<double>(best_ns);
}

}  // namespace

std::string_view name_of(Floor floor) noexcept {
  switch (floor) {
    case Floor::one_line:
      return "F1";
    case Floor::one_line_pause:
      return "F1_pause";
    case Floor::two_lines:
      return "F2";
    case Floor::futex:
      return "W";
    case Floor::futex_asleep:
      return "W_asleep";
    case Floor::event:
      return "E";
  }
  return "?";
}

Histogram measure_floor(Floor floor, const PingPongPlan& plan, std::size_t payload_bytes) {
  switch (floor) {
    case Floor::one_line:
      return measure_one_line<false>(plan);
    case Floor::one_line_pause:
      return measure_one_line<true>(plan);
    case Floor::two_lines:
      return measure_two_lines(plan, payload_bytes);
    case Floor::futex:
    case Floor::futex_asleep:
      return measure_futex(plan);
    case Floor::event:
      return measure_event(plan);
  }
  return {};
}

CopySpeed measure_copy(std::size_t cold_bytes) {
  constexpr std::size_t kWarmBytes = std::size_t{1} << 20;
  return {copy_bytes_per_second(kWarmBytes, 200), copy_bytes_per_second(cold_bytes, 3)};
}

}  // namespace tarn::bench
