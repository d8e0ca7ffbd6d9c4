// flood.h - the one throughput loop, for tarn and every peer alike.
//
// Producers send numbered words as fast as they can, consumers take them, and a ledger proves that
// every word arrived exactly once. A sole producer's words must also arrive in order.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tools/bench/method/clock.h"
#include "tools/bench/method/processes.h"
#include "tools/bench/stage.h"

namespace tarn::bench {

struct FloodPlan {
  std::uint32_t producers = 1;
  std::uint32_t consumers = 1;
  std::uint64_t messages = 0;  // of each producer
  std::uint64_t warm_up = 0;   // so many of them go ahead and are not timed
};

struct FloodSpeed {
  double rate = 0;         // messages per second, from the first send to the last receipt
  double undisturbed = 0;  // the median over short stretches; one consumer only, else 0
};

// A word names its producer and its number; the last word a consumer gets says that it is done.
inline constexpr int kProducerShift = 40;
inline constexpr std::uint64_t kNumberMask = (std::uint64_t{1} << kProducerShift) - 1;
inline constexpr std::uint64_t kDone = ~std::uint64_t{0};

// What has arrived, in memory of all consumers: one bit a word and consumer, so that no consumer
// writes where another does.
class Ledger {
 public:
  explicit Ledger(const FloodPlan& plan);

  // By consumer `consumer` alone. False for a word nobody sent, or one it had already.
  bool enter(std::uint32_t consumer, std::uint64_t word) noexcept;

  struct Audit {
    std::uint64_t lost = 0;
    std::uint64_t twice = 0;
  };
  Audit audit() const noexcept;

 private:
  std::uint64_t& cell(std::uint32_t consumer, std::uint32_t producer,
                      std::uint64_t number) const noexcept;

  FloodPlan plan_;
  std::uint64_t cells_per_producer_;
  SharedPages pages_;
};

// A stretch is longer than any pipe is deep, so that producers had to keep up with it.
inline constexpr std::uint64_t kStretchMessages = 4096;
inline constexpr std::size_t kMaxStretches = 4096;

struct FloodArea {
  static constexpr std::size_t kMaxProcesses = 64;
  StartLine line;
  StartLine warm_line;  // of the producers alone
  std::atomic<std::uint32_t> producers_done{0};
  std::uint64_t begin_ns[kMaxProcesses];    // writer: the process of that index
  std::uint64_t end_ns[kMaxProcesses];      // writer: the process of that index
  std::uint32_t stretch_count;              // writer: a sole consumer
  std::uint64_t stretch_ns[kMaxStretches];  // writer: a sole consumer; when each ended
};

inline void note_stretch(FloodArea& area) noexcept {
  if (area.stretch_count < kMaxStretches) area.stretch_ns[area.stretch_count++] = clock_ns();
}

template <class End>
void play_producer(const FloodPlan& plan, std::uint32_t producer, End& end, FloodArea& area) {
  const std::uint64_t base = std::uint64_t{producer} << kProducerShift;
  for (std::uint64_t i = 0; i < plan.warm_up; ++i) end.send(base | i);
  area.warm_line.arrive(plan.producers);
  area.begin_ns[producer] = clock_ns();
  for (std::uint64_t i = plan.warm_up; i < plan.messages; ++i) end.send(base | i);
  // Whoever finishes last sends every consumer its end, behind everybody's words.
  if (area.producers_done.fetch_add(1, std::memory_order_acq_rel) + 1 != plan.producers) return;
  for (std::uint32_t i = 0; i < plan.consumers; ++i) end.send(kDone);
}

template <class End>
void play_consumer(const FloodPlan& plan, std::uint32_t consumer, End& end, Ledger& ledger,
                   FloodArea& area) {
  // Several producers' words may overtake each other, so only a sole one's order is certain.
  const bool in_order = plan.producers == 1 && plan.consumers == 1;
  std::uint64_t expected = 0;
  std::uint64_t received = 0;
  for (std::uint64_t word = end.receive(); word != kDone; word = end.receive()) {
    if (in_order && word != expected++) {
      throw BenchError("message " + std::to_string(word) + " came as number " +
                       std::to_string(expected - 1));
    }
    if (!ledger.enter(consumer, word)) throw BenchError("a message came twice, or from nowhere");
    if (plan.consumers == 1 && ++received % kStretchMessages == 0) note_stretch(area);
  }
  area.end_ns[plan.producers + consumer] = clock_ns();
}

// Throws BenchError when something was lost or came twice.
void require_balance(const Ledger& ledger);
FloodSpeed speed_of(const FloodArea& area, const FloodPlan& plan);

// make_producer() and make_consumer() are called in the processes; ends have send(word) and
// receive(). Throws BenchError when the ledger does not balance.
template <class MakeProducer, class MakeConsumer>
FloodSpeed flood(const Stage& stage, const FloodPlan& plan, const MakeProducer& make_producer,
                 const MakeConsumer& make_consumer) {
  const Shared<FloodArea> area;
  Ledger ledger(plan);
  const std::uint32_t parties = plan.producers + plan.consumers;
  const auto together = [&](const auto& play) {
    area->line.arrive(parties);
    play();
    area->line.arrive(parties);  // nobody tidies up while the others still measure
  };

  std::vector<Child> children;
  for (std::uint32_t i = 0; i < plan.producers; ++i) {
    children.push_back({stage.cpu(i), [&, i] {
                          auto end = make_producer();
                          together([&] { play_producer(plan, i, end, *area); });
                        }});
  }
  for (std::uint32_t i = 0; i < plan.consumers; ++i) {
    // One to one, the two are on different CPUs; with more, each CPU has some of both.
    children.push_back({stage.cpu(plan.producers + i), [&, i] {
                          auto end = make_consumer();
                          together([&] { play_consumer(plan, i, end, ledger, *area); });
                        }});
  }
  run_children(children);
  require_balance(ledger);
  return speed_of(*area, plan);
}

}  // namespace tarn::bench
