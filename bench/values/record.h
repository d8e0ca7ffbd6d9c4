// record.h - the record that all formats carry: 20 keys, one of them a nested table, one of them
// 1,000 doubles.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace tarn::bench {

inline constexpr int kTextKeys = 6;
inline constexpr int kNumberKeys = 12;
inline constexpr std::size_t kDoubles = 1000;

struct Record {
  std::array<std::string, kTextKeys> text_keys;
  std::array<std::string, kTextKeys> texts;
  std::array<std::string, kNumberKeys> number_keys;
  std::array<double, kNumberKeys> numbers;
  std::vector<double> samples;  // kDoubles

  static Record make() {
    Record record;
    for (std::size_t i = 0; i < kTextKeys; ++i) {
      record.text_keys[i] = "text_" + std::to_string(i);
      record.texts[i] = "some words about number " + std::to_string(i);
    }
    for (std::size_t i = 0; i < kNumberKeys; ++i) {
      record.number_keys[i] = "number_" + std::to_string(i);
      record.numbers[i] = 0.25 * static_cast<double>(i);
    }
    record.samples.resize(kDoubles);
    for (std::size_t i = 0; i < kDoubles; ++i) record.samples[i] = static_cast<double>(i) / 3;
    return record;
  }
};

// What a reader wants of it: three keys, and the first and last sample.
struct Taken {
  double number = 0;
  std::int64_t nested = 0;
  std::size_t text_bytes = 0;
  double first = 0;
  double last = 0;

  bool operator==(const Taken&) const = default;
};

// One way to get a record into bytes and out of them.
struct Format {
  std::string name;
  // Writes the record, whose sequence number is given, where `room(size)` says.
  std::function<void(const Record&, std::int64_t,
                     const std::function<std::byte*(std::size_t)>& room)>
      write;
  // All of the record is made available before the keys are taken, as the format needs.
  std::function<Taken(std::span<const std::byte>)> read;
};

// Those whose library was there when this was compiled.
std::vector<Format> other_formats();

}  // namespace tarn::bench
