#include "tools/bench/flood.h"

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "tools/bench/method/rounds.h"

namespace tarn::bench {

Ledger::Ledger(const FloodPlan& plan)
    : plan_(plan),
      cells_per_producer_((plan.messages + 63) / 64),
      pages_(std::max<std::size_t>(
          cells_per_producer_ * plan.producers * plan.consumers * sizeof(std::uint64_t), 1)) {}

std::uint64_t& Ledger::cell(std::uint32_t consumer, std::uint32_t producer,
                            std::uint64_t number) const noexcept {
  const std::uint64_t row = std::uint64_t{consumer} * plan_.producers + producer;
  return reinterpret_cast<std::uint64_t*>(pages_.data())[row * cells_per_producer_ + number / 64];
}

bool Ledger::enter(std::uint32_t consumer, std::uint64_t word) noexcept {
  const std::uint64_t producer = word >> kProducerShift;
  const std::uint64_t number = word & kNumberMask;
  if (producer >= plan_.producers || number >= plan_.messages) return false;
  std::uint64_t& bits = cell(consumer, static_cast<std::uint32_t>(producer), number);
  const std::uint64_t bit = std::uint64_t{1} << (number % 64);
  if ((bits & bit) != 0) return false;
  bits |= bit;
  return true;
}

Ledger::Audit Ledger::audit() const noexcept {
  Audit audit;
  for (std::uint32_t producer = 0; producer < plan_.producers; ++producer) {
    for (std::uint64_t number = 0; number < plan_.messages; number += 64) {
      std::uint64_t once = 0;
      std::uint64_t twice = 0;
      for (std::uint32_t consumer = 0; consumer < plan_.consumers; ++consumer) {
        const std::uint64_t bits = cell(consumer, producer, number);
        twice |= once & bits;
        once |= bits;
      }
      const std::uint64_t expected = std::min<std::uint64_t>(64, plan_.messages - number);
      audit.lost += expected - static_cast<std::uint64_t>(std::popcount(once));
      audit.twice += static_cast<std::uint64_t>(std::popcount(twice));
    }
  }
  return audit;
}

void require_balance(const Ledger& ledger) {
  const Ledger::Audit audit = ledger.audit();
  if (audit.lost == 0 && audit.twice == 0) return;
  throw BenchError(std::to_string(audit.lost) + " messages were lost and " +
                   std::to_string(audit.twice) + " came twice");
}

FloodSpeed speed_of(const FloodArea& area, const FloodPlan& plan) {
  const std::uint64_t* ends = area.end_ns + plan.producers;
  const std::uint64_t begin = *std::min_element(area.begin_ns, area.begin_ns + plan.producers);
  const std::uint64_t end = *std::max_element(ends, ends + plan.consumers);
  const double timed = static_cast<double>(plan.messages - plan.warm_up) * plan.producers;
  FloodSpeed speed;
  speed.rate = timed * 1e9 / static_cast<double>(std::max<std::uint64_t>(end - begin, 1));

  std::vector<double> spans;
  for (std::uint32_t i = 1; i < area.stretch_count; ++i) {
    if (area.stretch_ns[i - 1] < begin) continue;
    spans.push_back(static_cast<double>(area.stretch_ns[i] - area.stretch_ns[i - 1]));
  }
  const double median_ns = spread_of(std::move(spans)).median;
  if (median_ns > 0) speed.undisturbed = kStretchMessages * 1e9 / median_ns;
  return speed;
}

}  // namespace tarn::bench
