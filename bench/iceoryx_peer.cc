// iceoryx_peer - one measurement of iceoryx for `tarn bench --compare`, which starts it:
//
//   iceoryx_peer latency polling|blocking PAYLOAD WARM_UP MESSAGES CPU CPU
//   iceoryx_peer throughput PAYLOAD MESSAGES CPU CPU
//
// Two processes, pinned; the same loops as tarn's: payloads written in full, read one byte a cache
// line, the sequence checked. Answers "ticks N" for every round trip, in ticks of clock.h, or
// "messages_per_second N". iox-roudi must be running.
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "iceoryx_posh/popo/untyped_publisher.hpp"
#include "iceoryx_posh/popo/untyped_subscriber.hpp"
#include "iceoryx_posh/popo/wait_set.hpp"
#include "iceoryx_posh/runtime/posh_runtime.hpp"
#include "tools/bench/method/clock.h"

namespace {

using tarn::bench::clock_ns;
using tarn::bench::ticks;

constexpr unsigned int kPatienceSeconds = 110;
constexpr std::uint64_t kQueueCapacity = 64;
constexpr std::size_t kLineBytes = 64;

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "iceoryx_peer: %s\n", why.c_str());
  std::_Exit(1);
}

// What the two processes share beside iceoryx.
struct Area {
  std::atomic<int> arrived{0};
  std::atomic<std::uint64_t> end_ns{0};
};

void arrive(Area& area, int everybody) {
  area.arrived.fetch_add(1);
  while (area.arrived.load() < everybody) std::this_thread::yield();
}

void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0) fail("cannot pin to a CPU");
}

iox::capro::ServiceDescription topic(const char* direction) {
  return {"tarn", "bench", iox::capro::IdString_t(iox::cxx::TruncateToCapacity, direction)};
}

void join(const char* role) {
  const std::string name = "tarn-bench-" + std::string(role) + "-" + std::to_string(::getpid());
  iox::runtime::PoshRuntime::initRuntime(
      iox::RuntimeName_t(iox::cxx::TruncateToCapacity, name.c_str()));
}

// Nothing is to be dropped: a full queue holds its producer up.
class Sender {
 public:
  explicit Sender(const char* direction) : publisher_(topic(direction), options()) {}

  void wait_for_receiver() const {
    while (!publisher_.hasSubscribers()) std::this_thread::yield();
  }
  // fill(bytes) writes the payload in place.
  template <class Fill>
  void send(std::uint32_t size, const Fill& fill) {
    publisher_.loan(size, alignof(std::uint64_t))
        .and_then([&](void*& payload) {
          fill(static_cast<unsigned char*>(payload));
          publisher_.publish(payload);
        })
        .or_else([](auto&) { fail("no memory to loan"); });
  }

 private:
  static iox::popo::PublisherOptions options() {
    iox::popo::PublisherOptions options;
    options.subscriberTooSlowPolicy = iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
    return options;
  }
  iox::popo::UntypedPublisher publisher_;
};

class Receiver {
 public:
  Receiver(const char* direction, bool blocking)
      : subscriber_(topic(direction), options()), blocking_(blocking) {
    if (!blocking_) return;
    waiting_.attachState(subscriber_, iox::popo::SubscriberState::HAS_DATA).or_else([](auto&) {
      fail("cannot attach to a wait set");
    });
  }

  void wait_for_sender() const {
    while (subscriber_.getSubscriptionState() != iox::SubscribeState::SUBSCRIBED) {
      std::this_thread::yield();
    }
  }
  template <class Use>
  void receive(const Use& use) {
    while (!try_receive(use)) {
    }
  }

 private:
  template <class Use>
  bool try_receive(const Use& use) {
    if (blocking_) waiting_.wait();
    bool taken = false;
    subscriber_.take().and_then([&](const void* payload) {
      use(static_cast<const unsigned char*>(payload));
      subscriber_.release(payload);
      taken = true;
    });
    return taken;
  }

  static iox::popo::SubscriberOptions options() {
    iox::popo::SubscriberOptions options;
    options.queueCapacity = kQueueCapacity;
    options.queueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;
    return options;
  }
  iox::popo::UntypedSubscriber subscriber_;
  iox::popo::WaitSet<1> waiting_;
  bool blocking_;
};

// One side of the ping-pong.
class End {
 public:
  End(const char* out, const char* in, bool blocking, std::uint32_t size)
      : sender_(out), receiver_(in, blocking), size_(size) {
    sender_.wait_for_receiver();
    receiver_.wait_for_sender();
  }
  void send(std::uint64_t i) {
    sender_.send(size_, [&](unsigned char* payload) {
      std::memset(payload, static_cast<int>(i & 0xff), size_);
    });
  }
  void receive(std::uint64_t i) {
    receiver_.receive([&](const unsigned char* payload) {
      unsigned int wrong = payload[size_ - 1] ^ static_cast<unsigned int>(i & 0xff);
      for (std::size_t at = 0; at < size_; at += kLineBytes) {
        wrong |= payload[at] ^ static_cast<unsigned int>(i & 0xff);
      }
      if (wrong != 0) fail("a message came out of sequence");
    });
  }

 private:
  Sender sender_;
  Receiver receiver_;
  std::uint32_t size_;
};

struct Latency {
  bool blocking;
  std::uint32_t size;
  std::uint64_t warm_up;
  std::uint64_t messages;
};

void run_ping(Area& area, const Latency& plan) {
  join("ping");
  End end("there", "back", plan.blocking, plan.size);
  std::vector<std::uint64_t> spans;
  spans.reserve(plan.messages);
  arrive(area, 2);
  for (std::uint64_t i = 0; i < plan.warm_up + plan.messages; ++i) {
    const std::uint64_t begin = ticks();
    end.send(i);
    end.receive(i);
    const std::uint64_t span = ticks() - begin;
    if (i >= plan.warm_up) spans.push_back(span);
  }
  arrive(area, 4);
  for (const std::uint64_t span : spans) {
    std::printf("ticks %llu\n", static_cast<unsigned long long>(span));
  }
}

void run_pong(Area& area, const Latency& plan) {
  join("pong");
  End end("back", "there", plan.blocking, plan.size);
  arrive(area, 2);
  for (std::uint64_t i = 0; i < plan.warm_up + plan.messages; ++i) {
    end.receive(i);
    end.send(i);
  }
  arrive(area, 4);
}

struct Throughput {
  std::uint32_t size;
  std::uint64_t warm_up;
  std::uint64_t messages;
};

void run_producer(Area& area, const Throughput& plan) {
  join("producer");
  Sender sender("flood");
  sender.wait_for_receiver();
  arrive(area, 2);
  std::uint64_t begin = 0;
  for (std::uint64_t i = 0; i < plan.warm_up + plan.messages; ++i) {
    if (i == plan.warm_up) begin = clock_ns();
    sender.send(plan.size, [&](unsigned char* payload) { std::memcpy(payload, &i, sizeof i); });
  }
  arrive(area, 4);
  const double seconds = static_cast<double>(area.end_ns.load() - begin) / 1e9;
  std::printf("messages_per_second %.0f\n", static_cast<double>(plan.messages) / seconds);
}

void run_consumer(Area& area, const Throughput& plan) {
  join("consumer");
  Receiver receiver("flood", false);
  receiver.wait_for_sender();
  arrive(area, 2);
  for (std::uint64_t i = 0; i < plan.warm_up + plan.messages; ++i) {
    receiver.receive([&](const unsigned char* payload) {
      std::uint64_t number = 0;
      std::memcpy(&number, payload, sizeof number);
      if (number != i) fail("a message came out of sequence");
    });
  }
  area.end_ns.store(clock_ns());
  arrive(area, 4);
}

// Runs `second` in a process of its own beside `first`, each on its CPU.
template <class First, class Second>
int run_both(int first_cpu, int second_cpu, const First& first, const Second& second) {
  void* memory =
      ::mmap(nullptr, sizeof(Area), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("cannot map memory to share");
  Area& area = *new (memory) Area();
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) fail("cannot start a process");
  ::alarm(kPatienceSeconds);  // a fork()ed child does not inherit it
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) std::_Exit(1);
    pin_to(second_cpu);
    second(area);
    std::exit(0);
  }
  pin_to(first_cpu);
  first(area);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

std::uint64_t number(const char* text) { return std::strtoull(text, nullptr, 10); }
int cpu(const char* text) { return static_cast<int>(number(text)); }

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "latency" && argc == 8) {
    const Latency plan{std::string_view(argv[2]) == "blocking",
                       static_cast<std::uint32_t>(number(argv[3])), number(argv[4]),
                       number(argv[5])};
    return run_both(
        cpu(argv[6]), cpu(argv[7]), [&](Area& area) { run_ping(area, plan); },
        [&](Area& area) { run_pong(area, plan); });
  }
  if (command == "throughput" && argc == 6) {
    const std::uint64_t messages = number(argv[3]);
    const Throughput plan{static_cast<std::uint32_t>(number(argv[2])), messages / 10, messages};
    return run_both(
        cpu(argv[4]), cpu(argv[5]), [&](Area& area) { run_producer(area, plan); },
        [&](Area& area) { run_consumer(area, plan); });
  }
  std::fprintf(stderr, "iceoryx_peer is started by tarn bench --compare\n");
  return 2;
}
