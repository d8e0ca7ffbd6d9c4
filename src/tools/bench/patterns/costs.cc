// What joining costs: time to attach and to open, descriptors, shared memory.
#include <dirent.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "tarn/tarn.h"
#include "tools/bench/method/clock.h"
#include "tools/bench/patterns/ends.h"
#include "tools/bench/patterns/patterns.h"

namespace tarn::bench {
namespace {

constexpr int kAttachesPerRound = 10;
constexpr int kOpensPerRound = 100;
constexpr std::size_t kReferenceBytes = 4096;

Subject cost(const std::string& pattern) {
  return {.system = "tarn", .pattern = pattern, .floor = Floor::one_line};
}

void report(Stage& stage, const std::string& pattern, const std::string& metric, double value,
            const std::string& unit) {
  stage.report().add({"tarn", pattern, 0, 1, metric, value, unit});
}

int open_descriptors() {
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) throw BenchError("cannot list the descriptors of a process");
  int count = -3;  // ".", "..", and the directory itself
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

// Different pieces of shared memory that this process has mapped from descriptors.
int mapped_segments() {
  std::ifstream file("/proc/self/maps");
  std::set<std::string> inodes;
  for (std::string line; std::getline(file, line);) {
    if (line.find("/memfd:") == std::string::npos) continue;
    std::istringstream fields(line);
    std::string range, mode, offset, device, inode;
    fields >> range >> mode >> offset >> device >> inode;
    inodes.insert(inode);
  }
  return static_cast<int>(inodes.size());
}

// Times `times` calls of `step` in a process of their own.
template <class Prepare>
Histogram time_in_process(Stage& stage, int times, const Prepare& prepare) {
  const Shared<Histogram> histogram;
  run_children({{stage.pair().ping, [&] {
                   auto step = prepare();
                   for (int i = 0; i < times; ++i) {
                     const std::uint64_t begin = clock_ns();
                     auto result = step(i);
                     histogram->add(clock_ns() - begin);
                   }
                 }}});
  return *histogram;
}

struct DescriptorCounts {
  StartLine line;
  int before = 0;
  int connected = 0;
  int opened = 0;
  int received = 0;
  int segments = 0;
};

// Joins step by step and counts after each.
void count_descriptors(const Channel& channel, DescriptorCounts& counts) {
  counts.before = open_descriptors();
  Session session = connect(channel.join);
  counts.connected = open_descriptors();
  Pipe pipe = session.pipe(channel.name);
  counts.opened = open_descriptors();
  counts.line.arrive(2);  // the other may push
  const Popped popped = pipe.pop();
  if (!popped) unexpected(popped.status);
  counts.received = open_descriptors();
  counts.segments = mapped_segments();
  counts.line.arrive(2);  // the other may go
}

void push_one_reference(const Channel& channel, DescriptorCounts& counts) {
  Session session = connect(channel.join);
  Pipe pipe = session.pipe(channel.name);
  counts.line.arrive(2);
  Loan loan = pipe.loan(channel.payload_bytes);
  write_payload(loan.bytes(), 0, Touch::all);
  hand_over<Waiting::blocking>(pipe, std::move(loan));
  counts.line.arrive(2);
}

struct MemoryCounts {
  std::uint64_t per_session = 0;
  std::uint64_t per_pipe = 0;
  std::uint64_t per_small_message = 0;
};

void count_memory(const ConnectOptions& join, const std::string& name, MemoryCounts& counts) {
  Session first = connect(join);
  const auto used = [&] { return first.status().used_bytes; };
  const std::uint64_t alone = used();
  Session second = connect(join);
  const std::uint64_t with_session = used();
  Pipe pipe = second.pipe(name);
  const std::uint64_t with_pipe = used();
  const Loan loan = pipe.loan(kReferenceBytes);
  const std::uint64_t with_loan = used();
  counts = {with_session - alone, with_pipe - with_session, with_loan - with_pipe};
}

}  // namespace

void run_attach(Stage& stage, Domain& domain) {
  const ConnectOptions& join = domain.join();
  measure_durations(stage, cost("attach"), [&] {
    Histogram all;
    for (int i = 0; i < kAttachesPerRound; ++i) {
      all.merge(time_in_process(stage, 1, [&] { return [&](int) { return connect(join); }; }));
    }
    return all;
  });
}

void run_open(Stage& stage, Domain& domain) {
  const ConnectOptions& join = domain.join();
  measure_durations(stage, cost("open"), [&] {
    const std::string name = domain.fresh_name("open");
    return time_in_process(stage, kOpensPerRound, [&] {
      // The first session keeps the pipe; the second opens it again and again.
      return [&, owner = connect(join).pipe(name), session = connect(join)](int) mutable {
        return session.open_pipe(name);
      };
    });
  });
}

void run_open_new(Stage& stage, Domain& domain) {
  const ConnectOptions& join = domain.join();
  measure_durations(stage, cost("open-new"), [&] {
    const std::string stem = domain.fresh_name("new");
    return time_in_process(stage, kOpensPerRound, [&] {
      return [&, session = connect(join)](int i) mutable {
        return session.create_pipe(stem + "-" + std::to_string(i));
      };
    });
  });
}

void run_descriptors(Stage& stage, Domain& domain) {
  const Channel channel{domain.join(), domain.fresh_name("descriptors"), kDefaultCapacity,
                        kReferenceBytes};
  const Shared<DescriptorCounts> counts;
  run_children({{stage.pair().ping, [&] { count_descriptors(channel, *counts); }},
                {stage.pair().pong, [&] { push_one_reference(channel, *counts); }}});
  const auto add = [&](const char* metric, int value) {
    report(stage, "descriptors", metric, value, "descriptors");
  };
  add("connected", counts->connected - counts->before);
  add("pipe_open", counts->opened - counts->before);
  add("received", counts->received - counts->before);
  report(stage, "descriptors", "segments_mapped", counts->segments, "segments");
  add("besides_segments", std::max(counts->received - counts->before - counts->segments, 0));
}

void run_memory(Stage& stage, Domain& domain) {
  const ConnectOptions& join = domain.join();
  const std::string name = domain.fresh_name("memory");
  const Shared<MemoryCounts> counts;
  run_children({{stage.pair().ping, [&] { count_memory(join, name, *counts); }}});
  const auto add = [&](const char* metric, std::uint64_t value) {
    report(stage, "memory", metric, static_cast<double>(value), "bytes");
  };
  add("session", counts->per_session);
  add("pipe", counts->per_pipe);
  add("first_loan", counts->per_small_message);
}

}  // namespace tarn::bench
