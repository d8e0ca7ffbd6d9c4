// consumer.cc - reads records where they were built, and passes on edited ones.
#include <algorithm>
#include <iostream>
#include <span>

#include "tarn/tarn.h"

int main() try {
  tarn::Session session = tarn::connect({.name = "values-consumer"});
  tarn::Pipe records = session.pipe("records", {.capacity = 8});
  tarn::Pipe peaks = session.pipe("peaks", {.capacity = 1024});
  while (tarn::Popped popped = records.pop()) {
    const tarn::ValueView record = popped->value();  // nothing is copied or parsed
    const std::span<const double> samples = record["samples"].array<double>();
    const double peak = samples.empty() ? 0 : *std::ranges::max_element(samples);

    // What was received never changes; this is a copy that may, and the message is released.
    tarn::Value edited = session.edit(std::move(*popped));
    edited.root().remove("samples");
    edited["peak"] = peak;
    std::cout << edited.view()["sequence"].as<int>() << ": " << peak << '\n';
    if (peaks.push(std::move(edited)) != tarn::PushStatus::ok) return 1;
  }
} catch (const tarn::Error& error) {
  std::cerr << "values-consumer: " << error.what() << '\n';
  return 1;
}
