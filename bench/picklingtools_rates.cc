// picklingtools_rates.cc - what programs written for PicklingTools get: packets a second between
// two processes, round trips beside those of a bare pipe, and how long dequeue(.2) takes.
//
//     bench-picklingtools_rates [seconds a case, default 2] [timeouts, default 0]
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "shmboot.h"
#include "tarn/tarn.h"

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr const char* kRegion = "bench";
constexpr int kRoundTrips = 4000;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

Val int_packet(int n) { return Val(n); }
Val table_packet(int n) {
  Val packet = Tab();
  packet["a"] = n;
  return packet;
}
int number_in(Val& packet) { return packet.tag == 't' ? int(packet["a"]) : int(packet); }

// In a process of its own; -1 in a packet is the end.
void produce(const string& pipe, Val (*make)(int), double seconds) {
  ClientSide side(kRegion, pipe);
  side.start();
  const auto begin = Clock::now();
  for (int n = 0; n % 64 != 0 || seconds_since(begin) < seconds; ++n) side.pipe().enq(make(n));
  side.pipe().enq(make(-1));
}

// Requires: one thread, as before every fork().
template <class Life>
pid_t in_child(Life&& life) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  try {
    life();
    ::_exit(0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    ::_exit(1);
  }
}

// Processor time, which other work on the machine does not change.
double busy_ns(const rusage& usage) {
  const auto ns = [](const timeval& time) {
    return 1e9 * static_cast<double>(time.tv_sec) + 1e3 * static_cast<double>(time.tv_usec);
  };
  return ns(usage.ru_utime) + ns(usage.ru_stime);
}
double own_busy_ns() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return busy_ns(usage);
}

void measure_rate(const char* what, Val (*make)(int), int capacity, double seconds) {
  const string pipe = string(what) + Stringize(capacity);
  const pid_t child = in_child([&] { produce(pipe, make, seconds); });
  ServerSide side(kRegion, pipe, capacity);
  side.start();
  Val packet = side.pipe().deq();
  const auto begin = Clock::now();
  const double busy_before = own_busy_ns();
  double count = 0;
  for (int n = number_in(packet); n >= 0; ++count) {
    packet = side.pipe().deq();
    n = number_in(packet);
  }
  const double rate = count / seconds_since(begin);
  const double consumer = (own_busy_ns() - busy_before) / count;
  rusage usage{};
  ::wait4(child, nullptr, 0, &usage);
  std::printf("%-18s capacity %-5d %10.0f packets/s, busy: producer %.0f ns, consumer %.0f ns\n",
              what, capacity, rate, busy_ns(usage) / count, consumer);
}

double p50_us(std::vector<double>& times) {
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2),
                   times.end());
  return times[times.size() / 2] * 1e6;
}

template <class RoundTrip>
double measure_round_trips(RoundTrip&& round_trip) {
  std::vector<double> times;
  for (int n = 0; n < kRoundTrips; ++n) {
    const auto begin = Clock::now();
    round_trip(n);
    times.push_back(seconds_since(begin));
  }
  return p50_us(times);
}

double queue_round_trip(const char* what, Val (*make)(int)) {
  const string there = string(what) + " there";
  const string back = string(what) + " back";
  const pid_t child = in_child([&] {
    ClientSide in(kRegion, there);
    in.start();
    ClientSide out(kRegion, back);
    out.start();
    for (int n = 0; n < kRoundTrips; ++n) {
      Val packet = in.pipe().deq();
      out.pipe().enq(make(number_in(packet)));
    }
  });
  ServerSide out(kRegion, there, 4);
  out.start();
  ServerSide in(kRegion, back, 4);
  in.start();
  const double us = measure_round_trips([&](int n) {
    out.pipe().enq(make(n));
    Val packet = in.pipe().deq();
    if (number_in(packet) != n) throw runtime_error("another packet came back");
  });
  ::waitpid(child, nullptr, 0);
  return us;
}

// The same with bare pipes and calls that block: in the slot, and by reference.
double pipe_round_trip(std::size_t size, int round) {
  const tarn::ConnectOptions options{.application = "picklingtools.bench"};
  const string name = "bare " + Stringize(static_cast<int_u8>(size)) + " " + Stringize(round);
  const pid_t child = in_child([&] {
    tarn::Session session = tarn::connect(options);
    tarn::Pipe in = session.pipe(name + " there", {.capacity = 4});
    tarn::Pipe out = session.pipe(name + " back", {.capacity = 4});
    for (int n = 0; n < kRoundTrips; ++n) {
      const tarn::Popped popped = in.pop();
      tarn::Loan loan = out.loan(size);
      loan.bytes()[0] = popped.message.bytes()[0];
      if (out.push(std::move(loan)) != tarn::PushStatus::ok) return;
    }
  });
  tarn::Session session = tarn::connect(options);
  tarn::Pipe out = session.pipe(name + " there", {.capacity = 4});
  tarn::Pipe in = session.pipe(name + " back", {.capacity = 4});
  const double us = measure_round_trips([&](int n) {
    tarn::Loan loan = out.loan(size);
    loan.bytes()[0] = std::byte(n);
    if (out.push(std::move(loan)) != tarn::PushStatus::ok) throw runtime_error("no push");
    const tarn::Popped popped = in.pop();
    if (!popped || popped.message.bytes()[0] != std::byte(n)) throw runtime_error("no pop");
  });
  ::waitpid(child, nullptr, 0);
  return us;
}

// Whether waiters spin or sleep depends on what else the machine does: both kinds take turns.
void compare_round_trips(const char* what, Val (*make)(int), std::size_t bare_bytes) {
  constexpr int kRounds = 9;
  std::vector<double> ours;
  std::vector<double> bare;
  for (int round = 0; round < kRounds; ++round) {
    bare.push_back(pipe_round_trip(bare_bytes, round));
    ours.push_back(queue_round_trip((string(what) + Stringize(round)).c_str(), make));
  }
  std::sort(ours.begin(), ours.end());
  std::sort(bare.begin(), bare.end());
  std::printf(
      "round trip p50     %s: best %.2f us, median %.2f us; bare pipe, %zu B: best %.2f us, "
      "median %.2f us; best %.2f x, median %.2f x\n",
      what, ours[0], ours[kRounds / 2], bare_bytes, bare[0], bare[kRounds / 2], ours[0] / bare[0],
      ours[kRounds / 2] / bare[kRounds / 2]);
}

// Nobody waits: what building, handing over, receiving, reading and letting go cost by themselves.
template <class Pass>
double ns_alone(Pass&& pass) {
  constexpr int kCount = 200000;
  const double begin = own_busy_ns();
  for (int n = 0; n < kCount; ++n) pass(n);
  return (own_busy_ns() - begin) / kCount;
}
void measure_alone() {
  ServerSide side(kRegion, "alone", 4);
  side.start();
  tarn::Session session = tarn::connect({.application = "picklingtools.bench"});
  tarn::Pipe pipe = session.pipe("alone, bare", {.capacity = 4});
  for (Val (*make)(int) : {int_packet, table_packet}) {
    const double ours = ns_alone([&](int n) {
      side.pipe().enq(make(n));
      Val packet = side.pipe().deq();
      if (number_in(packet) != n) throw runtime_error("another packet came");
    });
    const bool is_table = make == table_packet;
    tarn::Value value = session.value();
    const double bare = ns_alone([&](int n) {
      if (is_table) {
        value["a"] = n;
      } else {
        value = n;
      }
      if (pipe.push(std::move(value)) != tarn::PushStatus::ok) throw runtime_error("no push");
      const tarn::Popped popped = pipe.pop();
      const tarn::ValueView view = popped.message.value();
      if ((is_table ? view["a"] : view).as<int>() != n) throw runtime_error("no pop");
    });
    std::printf("%-18s in one thread %6.0f ns, tarn::Value %6.0f ns: %.0f ns more\n",
                is_table ? "one-key Tab" : "int", ours, bare, ours - bare);
  }
}

void measure_timeouts(int count) {
  ServerSide side(kRegion, "empty", 1);
  side.start();
  double least = 1e9;
  double most = 0;
  int good = 0;
  for (int i = 0; i < count; ++i) {
    Val out;
    const auto begin = Clock::now();
    side.pipe().dequeue(.2, out);
    const double took = seconds_since(begin);
    least = std::min(least, took);
    most = std::max(most, took);
    if (took >= .2 && took <= .25) ++good;
  }
  std::printf("dequeue(.2)        %.4f to %.4f s, %d of %d within 0.2 to 0.25 s\n", least, most,
              good, count);
}

// The sides and sessions of each measurement are gone before the next one forks; the region stays
// with a process that does nothing else.
void measure_all(double seconds, int timeouts) {
  measure_rate("int", int_packet, 4, seconds);
  measure_rate("int", int_packet, 1024, seconds);
  measure_rate("one-key Tab", table_packet, 4, seconds);
  measure_rate("one-key Tab", table_packet, 1024, seconds);
  measure_alone();
  compare_round_trips("int", int_packet, 48);
  compare_round_trips("Tab", table_packet, 112);
  if (timeouts > 0) measure_timeouts(timeouts);
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder = "/tmp/tarn-bench-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  ::setenv("XDG_RUNTIME_DIR", folder.c_str(), 1);
  const double seconds = argc > 1 ? atof(argv[1]) : 2;
  const pid_t owner = in_child([] {
    SHMMain main(kRegion, 1 << 20);
    main.start();
    for (;;) ::pause();
  });
  int status = 0;
  try {
    measure_all(seconds, argc > 2 ? atoi(argv[2]) : 0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    status = 1;
  }
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);
  tarn::stop_node({.application = "picklingtools.bench"}, true);
  std::filesystem::remove_all(folder);
  return status;
}
