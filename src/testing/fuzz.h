// fuzz.h - one function for arbitrary bytes, run by the fuzzer or, in short, by a test.
//
// tests/fuzz/x_fuzz.cc defines LLVMFuzzerTestOneInput() and a test that changes honest inputs at
// random for a while. The seed is printed; TARN_FUZZ_SEED and TARN_FUZZ_SECONDS change what is run.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size_bytes);

namespace tarn::testkit {

using FuzzInput = std::vector<std::uint8_t>;

class Mutator {
 public:
  Mutator(std::vector<FuzzInput> honest, std::uint64_t seed)
      : honest_(std::move(honest)), random_(seed) {}

  // An honest input with a few bytes, words or its length changed, or a piece of another put in.
  FuzzInput next() {
    FuzzInput input = honest_[below(honest_.size())];
    for (std::size_t changes = 1 + below(6); changes > 0; --changes) change(input);
    return input;
  }

 private:
  std::size_t below(std::size_t bound) {
    return bound == 0 ? 0 : static_cast<std::size_t>(random_() % bound);
  }

  void change(FuzzInput& input) {
    if (input.empty()) return;
    const std::size_t at = below(input.size());
    switch (below(6)) {
      case 0:
        input[at] = static_cast<std::uint8_t>(random_());
        break;
      case 1:
        input[at] ^= static_cast<std::uint8_t>(1u << below(8));
        break;
      case 2:
        put_word(input, at & ~std::size_t{7}, interesting());
        break;
      case 3: {  // a word from elsewhere: offsets that point into the middle of other things
        const std::size_t from = below(input.size()) & ~std::size_t{7};
        for (std::size_t i = 0; i < 8 && from + i < input.size(); ++i) {
          const std::size_t to = (at & ~std::size_t{7}) + i;
          if (to < input.size()) input[to] = input[from + i];
        }
        break;
      }
      case 4:
        input.resize(at);
        break;
      default: {
        const FuzzInput& other = honest_[below(honest_.size())];
        const std::size_t from = below(other.size());
        const std::size_t count = std::min({below(64), other.size() - from, input.size() - at});
        std::copy_n(other.begin() + static_cast<std::ptrdiff_t>(from), count,
                    input.begin() + static_cast<std::ptrdiff_t>(at));
      }
    }
  }

  std::uint64_t interesting() {
    const std::uint64_t words[] = {0,
                                   1,
                                   16,
                                   48,
                                   64,
                                   0x7FFFFFFF,
                                   0xFFFFFFFF,
                                   0x100000000,
                                   ~std::uint64_t{0},
                                   ~std::uint64_t{15},
                                   std::uint64_t{1} << 63};
    return words[below(std::size(words))] + below(3) * 16;
  }

  static void put_word(FuzzInput& input, std::size_t at, std::uint64_t word) {
    for (std::size_t i = 0; i < 8 && at + i < input.size(); ++i) {
      input[at + i] = static_cast<std::uint8_t>(word >> (8 * i));
    }
  }

  const std::vector<FuzzInput> honest_;
  std::mt19937_64 random_;
};

// Runs changed inputs for a while; how many it were.
inline std::uint64_t fuzz_for_a_while(std::vector<FuzzInput> honest) {
  const char* given_seed = std::getenv("TARN_FUZZ_SEED");
  const char* given_seconds = std::getenv("TARN_FUZZ_SECONDS");
  const std::uint64_t seed =
      given_seed != nullptr ? std::strtoull(given_seed, nullptr, 10) : std::random_device{}();
  const double seconds = given_seconds != nullptr ? std::atof(given_seconds) : 2;
  std::printf("TARN_FUZZ_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  for (const FuzzInput& input : honest) LLVMFuzzerTestOneInput(input.data(), input.size());
  Mutator mutator(std::move(honest), seed);
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  std::uint64_t runs = 0;
  while (std::chrono::steady_clock::now() < end) {
    const FuzzInput input = mutator.next();
    LLVMFuzzerTestOneInput(input.data(), input.size());
    ++runs;
  }
  std::printf("%llu inputs\n", static_cast<unsigned long long>(runs));
  return runs;
}

}  // namespace tarn::testkit
