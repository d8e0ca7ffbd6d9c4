// journey.h - what became of the messages on their way from the source to the sink.
#pragma once

#include <cstddef>
#include <cstdint>

#include "latencies.h"
#include "messages.h"

namespace spectrometer {

class Journey {
 public:
  // A message of `size_bytes` has just arrived.
  void add(const Stamp& stamp, std::size_t size_bytes);
  // False when numbers are missing in the sequence, or came again.
  bool is_complete() const { return lost_ == 0 && repeated_ == 0; }
  // A short report on stdout.
  void print() const;

 private:
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t expected_ = 0;  // the next number of the sequence
  std::uint64_t lost_ = 0;
  std::uint64_t repeated_ = 0;
  std::int64_t began_ns_ = 0;  // when the first block was captured
  std::int64_t ended_ns_ = 0;  // when the newest message arrived
  double sound_s_ = 0;
  Latencies latencies_;  // from capture to arrival
};

}  // namespace spectrometer
