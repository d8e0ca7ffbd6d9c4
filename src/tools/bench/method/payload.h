// payload.h - filling and checking what is sent, the same way for every system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "tools/bench/method/processes.h"

namespace tarn::bench {

inline constexpr std::size_t kLineBytes = 64;
inline constexpr std::size_t kSmallestPayload = sizeof(std::uint64_t);

// How much of a payload is written and read.
enum class Touch : std::uint8_t {
  ends,  // the first and the last byte
  all    // written in full, one byte per cache line read
};

inline std::byte mark_of(std::uint64_t i) noexcept { return static_cast<std::byte>(i & 0xff); }

[[noreturn]] inline void out_of_sequence(std::uint64_t expected) {
  throw BenchError("a message other than number " + std::to_string(expected) + " came");
}

// Payloads of up to a few lines begin with the message's number.
inline void write_number(std::span<std::byte> bytes, std::uint64_t i) noexcept {
  std::memcpy(bytes.data(), &i, sizeof i);
}
inline std::uint64_t read_number(std::span<const std::byte> bytes) noexcept {
  std::uint64_t i = 0;
  std::memcpy(&i, bytes.data(), sizeof i);
  return i;
}

inline void write_payload(std::span<std::byte> bytes, std::uint64_t i, Touch touch) noexcept {
  if (touch == Touch::all) {
    std::memset(bytes.data(), static_cast<int>(mark_of(i)), bytes.size());
    return;
  }
  bytes.front() = mark_of(i);
  bytes.back() = mark_of(i);
}

inline void check_payload(std::span<const std::byte> bytes, std::size_t size, std::uint64_t i,
                          Touch touch) {
  if (bytes.size() != size) out_of_sequence(i);
  std::byte wrong = (bytes.front() ^ mark_of(i)) | (bytes.back() ^ mark_of(i));
  if (touch == Touch::all) {
    for (std::size_t at = 0; at < size; at += kLineBytes) wrong |= bytes[at] ^ mark_of(i);
  }
  if (wrong != std::byte{0}) out_of_sequence(i);
}

}  // namespace tarn::bench
