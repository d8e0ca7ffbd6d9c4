// producer.cc - builds records in shared memory and hands them over: values-producer [COUNT].
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <span>

#include "tarn/tarn.h"

int main(int argc, char** argv) try {
  const int count = argc > 1 ? std::atoi(argv[1]) : 10;
  tarn::Session session = tarn::connect({.name = "values-producer"});
  tarn::Pipe records = session.pipe("records", {.capacity = 8});
  for (int sequence = 0; sequence < count; ++sequence) {
    tarn::Value record = records.value();  // in the pipe's shared memory
    record["sequence"] = sequence;
    record["station"]["name"] = "north";
    std::span<double> samples = record["samples"].array<double>(1000);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      samples[i] = std::sin(0.01 * static_cast<double>(i) * (sequence + 1));
    }
    // A reference goes into the pipe; the samples stay where they are.
    const tarn::PushStatus status = records.push(std::move(record), std::chrono::seconds(30));
    if (status != tarn::PushStatus::ok) {
      std::cerr << "values-producer: " << name_of(status) << '\n';
      return 1;
    }
  }
  records.close();
} catch (const tarn::Error& error) {
  std::cerr << "values-producer: " << error.what() << '\n';
  return 1;
}
