// Latencies of tarn's pipes: polling, by reference, touched and blocking.
#include <algorithm>
#include <array>
#include <vector>

#include "tools/bench/method/machine.h"
#include "tools/bench/patterns/ends.h"
#include "tools/bench/patterns/patterns.h"

namespace tarn::bench {
namespace {

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;
constexpr std::size_t kGiB = 1024 * kMiB;

constexpr std::array kSlotSizes{std::size_t{8}, kInlineBytes};
constexpr std::array kReferenceSizes{std::size_t{64}, 4 * kKiB, 64 * kKiB, kMiB, 64 * kMiB, kGiB};
constexpr std::array kTouchedSizes{std::size_t{64}, 4 * kKiB, 64 * kKiB, kMiB};
// As many buffers of one size may be in use at once: two each way, and one each to spare.
constexpr std::size_t kBuffersInUse = 6;

// make_end(duplex, side) makes a side's end.
template <class MakeEnd>
double measure(Stage& stage, Domain& domain, const Subject& subject, const MakeEnd& make_end) {
  return measure_latency(stage, subject, [&](const PingPongPlan& plan) {
    const Duplex duplex{domain.join(), domain.fresh_name("there"), domain.fresh_name("back"),
                        subject.payload_bytes};
    return ping_pong(plan, [&](Side side) { return make_end(duplex, side); });
  });
}

bool fits_in_memory(std::size_t payload_bytes) {
  return payload_bytes * kBuffersInUse <= available_memory_bytes() / 2;
}

// How much slower the slowest size is than the fastest: by reference, none should matter.
void report_size_spread(Stage& stage, const std::vector<double>& ratios) {
  if (ratios.size() < 2) return;
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  stage.report().add({"tarn", "reference", 0, 1, "size_spread", *most / *least, "ratio"});
}

}  // namespace

void run_polling(Stage& stage, Domain& domain) {
  for (const std::size_t size : kSlotSizes) {
    const Subject subject{
        .system = "tarn", .pattern = "polling", .payload_bytes = size, .floor = Floor::one_line};
    measure(stage, domain, subject, [](const Duplex& duplex, Side side) {
      return SlotEnd<Waiting::polling>(duplex, side);
    });
  }
}

void run_reference(Stage& stage, Domain& domain) {
  std::vector<double> ratios;
  for (const std::size_t size : kReferenceSizes) {
    if (stage.settings().quick && size > kMiB) continue;
    if (!fits_in_memory(size)) {
      stage.report().note("reference " + format_size(size) +
                          " was left out: " + format_size(available_memory_bytes() / kMiB * kMiB) +
                          " of free memory are too little");
      continue;
    }
    const Subject subject{
        .system = "tarn", .pattern = "reference", .payload_bytes = size, .floor = Floor::two_lines};
    const double ratio = measure(stage, domain, subject, [](const Duplex& duplex, Side side) {
      return ReferenceEnd<Waiting::polling>(duplex, side, Touch::ends);
    });
    if (ratio > 0) ratios.push_back(ratio);
  }
  report_size_spread(stage, ratios);
}

void run_touched(Stage& stage, Domain& domain) {
  for (const std::size_t size : kTouchedSizes) {
    const Subject subject{.system = "tarn",
                          .pattern = "touched",
                          .payload_bytes = size,
                          .floor = Floor::two_lines,
                          .floor_payload_bytes = size};
    measure(stage, domain, subject, [](const Duplex& duplex, Side side) {
      return ReferenceEnd<Waiting::polling>(duplex, side, Touch::all);
    });
  }
}

void run_blocking(Stage& stage, Domain& domain) {
  const Subject subject{.system = "tarn",
                        .pattern = "blocking",
                        .payload_bytes = kInlineBytes,
                        .floor = Floor::futex};
  measure(stage, domain, subject,
          [](const Duplex& duplex, Side side) { return SlotEnd<Waiting::blocking>(duplex, side); });
  const Subject by_reference{
      .system = "tarn", .pattern = "blocking", .payload_bytes = 4 * kKiB, .floor = Floor::futex};
  measure(stage, domain, by_reference, [](const Duplex& duplex, Side side) {
    return ReferenceEnd<Waiting::blocking>(duplex, side, Touch::ends);
  });
}

void run_blocking_asleep(Stage& stage, Domain& domain) {
  const Subject subject{.system = "tarn",
                        .pattern = "blocking-asleep",
                        .payload_bytes = kInlineBytes,
                        .floor = Floor::futex_asleep};
  measure(stage, domain, subject,
          [](const Duplex& duplex, Side side) { return SlotEnd<Waiting::blocking>(duplex, side); });
}

}  // namespace tarn::bench
