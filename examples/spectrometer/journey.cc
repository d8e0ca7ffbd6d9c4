#include "journey.h"

#include <cinttypes>
#include <cstdio>

namespace spectrometer {

void Journey::add(const Stamp& stamp, std::size_t size_bytes) {
  ended_ns_ = now_ns();
  if (messages_++ == 0) began_ns_ = stamp.captured_ns;
  bytes_ += size_bytes;
  sound_s_ += static_cast<double>(stamp.frame_count) / stamp.sample_rate_hz;
  latencies_.add(ended_ns_ - stamp.captured_ns);

  if (stamp.sequence < expected_) {
    ++repeated_;
  } else {
    lost_ += stamp.sequence - expected_;
    expected_ = stamp.sequence + 1;
  }
}

void Journey::print() const {
  const double seconds = static_cast<double>(ended_ns_ - began_ns_) / 1e9;
  const auto each_second = [seconds](double amount) { return seconds > 0 ? amount / seconds : 0; };
  const auto ms = [](std::uint64_t ns) { return static_cast<double>(ns) / 1e6; };

  std::printf("messages  %" PRIu64 ", lost %" PRIu64 ", repeated %" PRIu64 "\n", messages_, lost_,
              repeated_);
  if (messages_ == 0) return;
  std::printf("sound     %.2f s in %.3f s: %.1f times real time\n", sound_s_, seconds,
              each_second(sound_s_));
  std::printf("rate      %.0f messages/s, %.1f MB/s\n", each_second(static_cast<double>(messages_)),
              each_second(static_cast<double>(bytes_) / 1e6));
  std::printf("latency   %.3f ms median, %.3f ms 99th percentile, %.3f ms maximum\n",
              ms(latencies_.quantile_ns(0.50)), ms(latencies_.quantile_ns(0.99)),
              ms(latencies_.max_ns()));
}

}  // namespace spectrometer
