// picklingtools_kill_stress.cc - producers, stages and consumers of PicklingTools' are killed at
// random moments. Pipes stay usable, no packet comes twice or torn, and a death costs no more than
// what was in hand. Prints its seed; TARN_SEED plays it again.
#include <chrono>
#include <map>
#include <set>

#include "testing/pattern.h"
#include "tests/e2e/picklingtools/region_fixture.h"

namespace tarn {
namespace {

using testkit::Arguments;
using testkit::Child;
using testkit::kRegion;

constexpr int kCapacity = 8;

string body_of(int_8 number) { return string(static_cast<size_t>(20 + number % 400), 'x'); }

// Roles: each goes on until it is killed. Arguments: folder, the first number.
int produce(const Arguments& arguments) {
  ServerSide server(kRegion, "work", kCapacity);
  server.start();
  for (int_8 n = atoll(arguments.at(1).c_str());; ++n) {
    Val packet = Shared(server.pool(), Tab());
    packet["n"] = n;
    packet["within"] = Tab();
    packet["within"]["body"] = body_of(n);
    OC::Array<int_8> numbers(static_cast<int_ptr>(n % 50));
    numbers.fill(n);
    packet["numbers"] = numbers;
    server.pipe().enq(packet);
  }
}

// Every other packet is changed on the way.
int pass_on(const Arguments&) {
  ClientSide in(kRegion, "work");
  in.start();
  ServerSide out(kRegion, "done", kCapacity);
  out.start();
  for (;;) {
    Val packet = in.pipe().deq();
    if (int_8(packet["n"]) % 2 == 0) packet["changed"] = true;
    out.pipe().enq(packet);
  }
}

class PicklingToolsKillStress : public testkit::RegionTest {
 protected:
  PicklingToolsKillStress()
      : main_(kRegion, 1000000),
        work_(kRegion, "work", kCapacity),
        done_(kRegion, "done", kCapacity) {
    main_.start();
    work_.start();
    done_.start();
  }
  void take(Val& packet) {
    const auto n = int_8(packet["n"]);
    EXPECT_TRUE(seen_.insert(n).second) << "twice: " << n;
    EXPECT_EQ(packet["within"]["body"], body_of(n));
    EXPECT_EQ(packet["numbers"].length(), n % 50);
    const OC::Array<int_8>& numbers = packet["numbers"];
    for (const int_8 each : numbers) EXPECT_EQ(each, n);
    EXPECT_EQ(packet.contains("changed"), n % 2 == 0);
  }
  void take_some(int count) {
    for (Val packet; count > 0; --count) {
      ASSERT_TRUE(done_.pipe().dequeue(60, packet));
      take(packet);
    }
  }

  SHMMain main_;
  ServerSide work_;
  ServerSide done_;
  std::set<int_8> seen_;
};

TEST_F(PicklingToolsKillStress, ProducersAndStages) {
  constexpr int kRounds = 60;
  constexpr int_8 kApart = 1000000;  // numbers of one producer
  const char* wish = std::getenv("TARN_SEED");
  const std::uint64_t seed =
      wish != nullptr
          ? std::strtoull(wish, nullptr, 10)
          : static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  std::printf("seed: TARN_SEED=%lu\n", seed);
  testkit::Chance chance(seed);
  int producers = 0;
  int stage_deaths = 0;
  const auto next_producer = [&] {
    return play("produce", {std::to_string(producers++ * kApart)});
  };
  Child producer = next_producer();
  Child stage = play("pass_on");
  for (int round = 0; round < kRounds; ++round) {
    take_some(static_cast<int>(1 + chance.below(60)));
    const bool is_producer = chance.below(2) == 0;
    (is_producer ? producer : stage).kill();
    if (is_producer) {
      producer = next_producer();
    } else {
      ++stage_deaths;
      stage = play("pass_on");
    }
  }
  take_some(50);
  producer.kill();
  // What the last ones left goes through; then the stage ends too.
  for (Val packet; done_.pipe().dequeue(.2, packet) || !work_.pipe().empty(); packet = None) {
    if (packet.tag == 't') take(packet);
  }
  stage.kill();
  for (Val packet; done_.pipe().dequeue(0, packet);) take(packet);
  // A stage holds one packet when it dies, and no producer skips any.
  std::map<int_8, int_8> highest;
  for (const int_8 n : seen_) highest[n / kApart] = n % kApart;
  int_8 all = 0;
  for (const auto& [who, number] : highest) all += number + 1;
  EXPECT_LE(all - static_cast<int_8>(seen_.size()), stage_deaths + 1);
  work_.pipe().enq(1);
  EXPECT_EQ(work_.pipe().deq(), 1);
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) {
  return tarn::testkit::run(argc, argv, {{"produce", tarn::produce}, {"pass_on", tarn::pass_on}});
}
