// Throughputs of tarn's pipes. Every message is accounted for.
#include <algorithm>
#include <array>

#include "tools/bench/flood.h"
#include "tools/bench/patterns/ends.h"
#include "tools/bench/patterns/patterns.h"

namespace tarn::bench {
namespace {

constexpr std::int64_t kSmallCapacity = 1024;
constexpr std::int64_t kReferenceCapacity = 64;
constexpr std::size_t kReferenceBytes = 64 * 1024;

template <Waiting waiting>
void measure(Stage& stage, Domain& domain, const std::string& pattern, std::size_t payload_bytes,
             std::uint32_t each_side) {
  const Subject subject{.system = "tarn",
                        .pattern = pattern,
                        .payload_bytes = payload_bytes,
                        .consumers = static_cast<int>(each_side),
                        .floor = Floor::one_line};
  const bool in_slot = payload_bytes <= kInlineBytes;
  measure_rate(stage, subject, [&](std::uint64_t messages) {
    const Channel channel{domain.join(), domain.fresh_name("flood"),
                          in_slot ? kSmallCapacity : kReferenceCapacity, payload_bytes};
    // Warmed up once every slot, and every loan that fits into the pipe, was used.
    const std::uint64_t warm_up = 2 * static_cast<std::uint64_t>(kSmallCapacity);
    const FloodPlan plan{each_side, each_side, messages / each_side + warm_up, warm_up};
    const auto make_end = [&] { return FloodEnd<waiting>(channel); };
    return flood(stage, plan, make_end, make_end);
  });
}

}  // namespace

void run_one_to_one(Stage& stage, Domain& domain) {
  for (const std::size_t size : {std::size_t{8}, kInlineBytes}) {
    measure<Waiting::polling>(stage, domain, "one-to-one", size, 1);
  }
}

void run_one_to_one_blocking(Stage& stage, Domain& domain) {
  measure<Waiting::blocking>(stage, domain, "one-to-one-blocking", kInlineBytes, 1);
}

// More processes than CPUs, perhaps: polling would only take the time from whoever has work.
void run_two_to_two(Stage& stage, Domain& domain) {
  measure<Waiting::blocking>(stage, domain, "two-to-two", kInlineBytes, 2);
}

void run_four_to_four(Stage& stage, Domain& domain) {
  measure<Waiting::blocking>(stage, domain, "four-to-four", kInlineBytes, 4);
}

void run_references(Stage& stage, Domain& domain) {
  measure<Waiting::polling>(stage, domain, "references", kReferenceBytes, 1);
}

}  // namespace tarn::bench
