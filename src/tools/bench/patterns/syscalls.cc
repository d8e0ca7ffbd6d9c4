// System calls that a sender makes while its consumer polls: there should be none.
#include "tools/bench/patterns/ends.h"
#include "tools/bench/patterns/patterns.h"
#include "tools/bench/patterns/syscall_counter.h"

namespace tarn::bench {
namespace {

constexpr std::uint64_t kMessages = 10'000;
constexpr std::uint64_t kWarmUp = 1'000;
// The sender never runs further ahead of the consumer, so the pipe is never full.
constexpr std::uint64_t kAhead = 32;

struct SyscallArea {
  StartLine line;
  alignas(kLineBytes) std::atomic<std::uint64_t> received{0};  // writer: the consumer
  alignas(kLineBytes) std::uint64_t calls = 0;                 // writer: the tracer
};

void send_traced(const Channel& channel, SyscallArea& area, const CountedSection& section) {
  FloodEnd<Waiting::blocking> end(channel);
  area.line.arrive(2);
  for (std::uint64_t i = 0; i < kWarmUp + kMessages; ++i) {
    if (i == kWarmUp) section.begin();
    while (i >= area.received.load(std::memory_order_acquire) + kAhead) {
    }
    end.send(i);
  }
  section.end();
  area.line.arrive(2);
}

void receive_all(const Channel& channel, SyscallArea& area) {
  FloodEnd<Waiting::polling> end(channel);
  area.line.arrive(2);
  for (std::uint64_t i = 0; i < kWarmUp + kMessages; ++i) {
    if (end.receive() != i) out_of_sequence(i);
    area.received.store(i + 1, std::memory_order_release);
  }
  area.line.arrive(2);
}

void count(Stage& stage, Domain& domain, std::size_t payload_bytes) {
  stage.progress().show("tarn syscalls " + format_size(payload_bytes));
  const Channel channel{domain.join(), domain.fresh_name("syscalls"), kDefaultCapacity,
                        payload_bytes};
  const Shared<SyscallArea> area;
  const auto trace = [&] {
    area->calls = count_system_calls(
        [&](const CountedSection& section) { send_traced(channel, *area, section); });
  };
  run_children(
      {{stage.pair().ping, trace}, {stage.pair().pong, [&] { receive_all(channel, *area); }}});
  stage.report().add({"tarn", "syscalls", payload_bytes, 1, "count",
                      static_cast<double>(area->calls) / static_cast<double>(kMessages),
                      "calls/message"});
}

}  // namespace

void run_syscalls(Stage& stage, Domain& domain) {
  count(stage, domain, kInlineBytes);
  count(stage, domain, 4096);
}

}  // namespace tarn::bench
