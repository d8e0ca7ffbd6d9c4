// ping_pong.h - the one latency loop, for floors, tarn and every peer alike.
//
// Two processes on two CPUs hand message i to and fro. The first stamps before it sends and after
// it has received, so both stamps come from one clock; half the round trip is the latency.
#pragma once

#include <cstdint>

#include "tools/bench/method/clock.h"
#include "tools/bench/method/histogram.h"
#include "tools/bench/method/processes.h"

namespace tarn::bench {

enum class Side : std::uint8_t { ping, pong };

struct CpuPair {
  int ping = 0;
  int pong = 0;
};

struct PingPongPlan {
  CpuPair cpus;
  TickScale scale;
  std::uint64_t warm_up = 0;
  std::uint64_t messages = 0;
  // Each side waits so long before it sends, so that the other has certainly gone to sleep; it is
  // no part of the result.
  std::uint64_t pause_ticks = 0;
};

struct PingPongArea {
  StartLine line;
  alignas(64) Histogram round_trips;  // in ticks; writer: ping
};

// One side, in its own process. An End has send(i) and receive(i); receive throws when what comes
// is not message i.
template <class End>
void play_ping(const PingPongPlan& plan, End& end, Histogram& round_trips) {
  for (std::uint64_t i = 0; i < plan.warm_up + plan.messages; ++i) {
    if (plan.pause_ticks != 0) spin_ticks(plan.pause_ticks);
    const std::uint64_t begin = ticks();
    end.send(i);
    end.receive(i);
    const std::uint64_t span = plan.scale.between(begin, ticks());
    if (i >= plan.warm_up) round_trips.add(span > plan.pause_ticks ? span - plan.pause_ticks : 0);
  }
}

template <class End>
void play_pong(const PingPongPlan& plan, End& end) {
  for (std::uint64_t i = 0; i < plan.warm_up + plan.messages; ++i) {
    end.receive(i);
    if (plan.pause_ticks != 0) spin_ticks(plan.pause_ticks);
    end.send(i);
  }
}

// Runs both sides; make_end(side) is called in each side's process. Returns the round trips in
// ticks.
template <class MakeEnd>
Histogram ping_pong(const PingPongPlan& plan, const MakeEnd& make_end) {
  const Shared<PingPongArea> area;
  const auto ping = [&] {
    auto end = make_end(Side::ping);
    area->line.arrive(2);
    play_ping(plan, end, area->round_trips);
    area->line.arrive(2);  // nobody tidies up while the other still measures
  };
  const auto pong = [&] {
    auto end = make_end(Side::pong);
    area->line.arrive(2);
    play_pong(plan, end);
    area->line.arrive(2);
  };
  run_children({{plan.cpus.ping, ping}, {plan.cpus.pong, pong}});
  return area->round_trips;
}

// A percentile of the one-way latency.
inline double one_way_ns(const Histogram& round_trips, const TickScale& scale, double percent) {
  return scale.ns(round_trips.percentile(percent, scale.step_ticks)) / 2;
}

}  // namespace tarn::bench
