// pattern.h - bytes that say where they come from: filled from a seed, recognised at the other end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <span>

namespace tarn::testkit {

// The seed of a test that uses chance: TARN_SEED, or a fresh one. Prints it.
inline std::uint64_t announce_seed() {
  const char* wish = std::getenv("TARN_SEED");
  const std::uint64_t seed =
      wish != nullptr ? std::strtoull(wish, nullptr, 10) : std::random_device()();
  std::printf("seed: TARN_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

// A sequence that depends on the seed alone.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) noexcept : state_(seed) {}
  // splitmix64
  std::uint64_t next() noexcept {
    state_ += 0x9e37'79b9'7f4a'7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
    z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
    return z ^ (z >> 31);
  }
  // 0 to bound - 1.
  std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }

 private:
  std::uint64_t state_;
};

inline void fill_pattern(std::span<std::byte> bytes, std::uint64_t seed) noexcept {
  Chance chance(seed);
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t word = chance.next();
    std::memcpy(bytes.data() + at, &word, std::min(sizeof word, bytes.size() - at));
  }
}

inline bool has_pattern(std::span<const std::byte> bytes, std::uint64_t seed) noexcept {
  Chance chance(seed);
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t word = chance.next();
    if (std::memcmp(bytes.data() + at, &word, std::min(sizeof word, bytes.size() - at)) != 0) {
      return false;
    }
  }
  return true;
}

}  // namespace tarn::testkit
