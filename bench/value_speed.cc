// value_speed.cc - what a record costs as a value and in other formats.
//
//     bench-value_speed [--rounds N] [--json]
//
// Each figure is the median of rounds; in each round every format has its turn, so that the ratios
// are of one time. `hand over` is all of it in one thread: build the record, write it into a loan,
// push, pop, make it readable, take three keys and two samples. A value is built in its loan.
#include <sys/wait.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>

#include "bench/figures.h"
#include "bench/values/record.h"
#include "tarn/tarn.h"

namespace tarn::bench {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr int kBatch = 300;

double since_ns(Clock::time_point start, int count) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count() / count;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

void build(Value& value, const Record& record, std::int64_t sequence) {
  ValueRef root = value.root();
  root.make_table(kTextKeys + kNumberKeys + 2);
  for (std::size_t i = 0; i < kTextKeys; ++i) root[record.text_keys[i]] = record.texts[i];
  for (std::size_t i = 0; i < kNumberKeys; ++i) root[record.number_keys[i]] = record.numbers[i];
  ValueRef nested = root["nested"];
  nested["sequence"] = sequence;
  nested["name"] = "north";
  std::copy(record.samples.begin(), record.samples.end(),
            root["samples"].array<double>(kDoubles).begin());
}

Taken take(const ValueView& value) {
  const auto samples = value["samples"].array<double>();
  return {value["number_7"].as<double>(), value["nested"]["sequence"].as<std::int64_t>(),
          value["text_3"].text().size(), samples.front(), samples.back()};
}

void require(const Taken& taken, std::int64_t sequence, const std::string& format) {
  if (taken.number == 1.75 && taken.nested == sequence && taken.text_bytes == 25 &&
      taken.first == 0 && taken.last == 333) {
    return;
  }
  std::fprintf(stderr, "bench-value_speed: a record arrived otherwise than it was sent, by %s\n",
               format.c_str());
  std::exit(1);
}

double hand_over(Session& session, Pipe& pipe, const Record& record) {
  Value value = session.value(12000);
  const auto start = Clock::now();
  for (int i = 0; i < kBatch; ++i) {
    build(value, record, i);
    if (pipe.push(std::move(value)) != PushStatus::ok) std::exit(1);
    const Popped popped = pipe.pop();
    require(take(popped.message.value()), i, "value");
  }
  return since_ns(start, kBatch);
}

double hand_over(Pipe& pipe, const Record& record, const Format& format) {
  const auto start = Clock::now();
  for (int i = 0; i < kBatch; ++i) {
    Loan loan;
    format.write(record, i, [&](std::size_t size) {
      loan = pipe.loan(size);
      return loan.bytes().data();
    });
    if (pipe.push(std::move(loan)) != PushStatus::ok) std::exit(1);
    const Popped popped = pipe.pop();
    require(format.read(popped.message.bytes()), i, format.name);
  }
  return since_ns(start, kBatch);
}

// Three keys of a value that was received.
double read_keys(const ValueView& value) {
  double sum = 0;
  const auto start = Clock::now();
  constexpr int kReads = 20000;
  for (int i = 0; i < kReads; ++i) {
    sum += value["number_7"].as<double>() + value["number_2"].as<double>() +
           value["nested"].find("sequence")->as<double>();
  }
  const double ns = since_ns(start, kReads);
  if (sum < 0) std::exit(1);
  return ns;
}

// From pop() to the first and last element of an array, whatever its size.
double receive_array(Session& session, Pipe& pipe, std::size_t doubles) {
  std::vector<double> times;
  for (int i = 0; i < 20; ++i) {
    Value value = session.value();
    const auto array = value["array"].array<double>(doubles);
    array.front() = 1;
    array.back() = 2;
    if (pipe.push(std::move(value)) != PushStatus::ok) std::exit(1);
    const auto start = Clock::now();
    const Popped popped = pipe.pop();
    const auto read = popped.message.value()["array"].array<double>();
    const double sum = read.front() + read.back();
    times.push_back(since_ns(start, 1));
    if (sum != 3) std::exit(1);
  }
  return median(times);
}

void measure_records(int rounds) {
  Session session = connect({.application = "bench-values", .name = "bench-value_speed"});
  Pipe pipe = session.pipe("records", {.capacity = 16});
  const Record record = Record::make();
  const std::vector<Format> others = other_formats();
  std::vector<double> ours;
  std::vector<double> reads;
  std::vector<std::vector<double>> theirs(others.size());
  Value sample = session.value();
  build(sample, record, 7);
  for (int round = 0; round < rounds; ++round) {
    ours.push_back(hand_over(session, pipe, record));
    for (std::size_t i = 0; i < others.size(); ++i) {
      theirs[i].push_back(hand_over(pipe, record, others[i]));
    }
    reads.push_back(read_keys(sample.view()));
  }
  note("hand over a record", "value", "median", median(ours), "ns");
  for (std::size_t i = 0; i < others.size(); ++i) {
    std::vector<double> ratios;
    for (std::size_t round = 0; round < ours.size(); ++round) {
      ratios.push_back(theirs[i][round] / ours[round]);
    }
    note("hand over a record", others[i].name, "median", median(theirs[i]), "ns");
    note("hand over a record", others[i].name, "times", median(ratios), "x a value");
  }
  note("read three keys", "value", "median", median(reads), "ns");
  note("receive an array", "80 KB", "median", receive_array(session, pipe, 10'000), "ns");
  note("receive an array", "100 MB", "median", receive_array(session, pipe, 12'500'000), "ns");
}

// A value of five keys, built, handed to another process and read there.
void measure_small(int seconds) {
  const pid_t child = ::fork();
  if (child == 0) {
    Session session = connect({.application = "bench-values", .name = "consumer"});
    Pipe in = session.pipe("small", {.capacity = 1024});
    std::int64_t expected = 0;
    while (const Popped popped = in.pop()) {
      const ValueView value = popped.message.value();
      if (value["sequence"].as<std::int64_t>() != expected++) std::_Exit(1);
      if (value["rate"].as<double>() + value["gain"].as<double>() < 0) std::_Exit(1);
    }
    std::_Exit(0);
  }
  Session session = connect({.application = "bench-values", .name = "producer"});
  Pipe out = session.pipe("small", {.capacity = 1024});
  std::int64_t count = 0;
  Value value = session.value();
  const auto start = Clock::now();
  const auto end = start + std::chrono::seconds(seconds);
  while (count % 1024 != 0 || Clock::now() < end) {
    value["sequence"] = count;
    value["rate"] = 48000.0;
    value["gain"] = 0.5;
    value["name"] = "north";
    value["valid"] = true;
    if (out.push(std::move(value)) != PushStatus::ok) std::exit(1);
    ++count;
  }
  out.close();
  int status = 0;
  ::waitpid(child, &status, 0);
  const double ns = std::chrono::duration<double, std::nano>(Clock::now() - start).count();
  if (status != 0) std::exit(1);
  note("small value, one to one", "5 keys", "rate", static_cast<double>(count) * 1000 / ns, "M/s");
}

}  // namespace
}  // namespace tarn::bench

int main(int argc, char** argv) {
  CLI::App app("What a record costs as a value and in other formats.");
  int rounds = 15;
  bool json = false;
  app.add_option("--rounds", rounds, "rounds of each figure")->check(CLI::Range(1, 1000));
  app.add_flag("--json", json, "the figures as JSON");
  CLI11_PARSE(app, argc, argv);
  try {
    tarn::bench::measure_small(2);
    tarn::bench::measure_records(rounds);
  } catch (const tarn::Error& error) {
    std::fprintf(stderr, "bench-value_speed: %s\n", error.what());
    return 1;
  }
  tarn::bench::print(json);
  return 0;
}
