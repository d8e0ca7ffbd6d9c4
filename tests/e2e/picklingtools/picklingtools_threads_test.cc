// picklingtools_threads_test.cc - threads that meet in one received packet, or in one pipe that is
// started anew, and a child that was forked while another thread was at it.
#include <sys/wait.h>

#include <atomic>
#include <thread>

#include "tests/e2e/picklingtools/region_fixture.h"

namespace tarn {
namespace {

using testkit::kRegion;
using Numbers = OC::Array<real_8>;

class PicklingToolsThreadsTest : public testkit::PassingTest {};

// Both calls in each round at once, one of them a little later from round to round, so that they
// meet at every point. The calls are made by two threads that stay.
template <class First, class Second, class After>
void meet(int rounds, First&& first, Second&& second, After&& after) {
  std::atomic<int> arrived{0};
  const auto arrive = [&](int all) {
    arrived.fetch_add(1);
    for (int spins = 0; arrived.load() < all; ++spins) {
      if (spins > 200) std::this_thread::yield();
    }
  };
  std::thread other([&] {
    for (int round = 0; round < rounds; ++round) {
      arrive(4 * round + 2);
      for (int i = round % 100; i > 0; --i) arrived.load();
      second();
      arrive(4 * round + 4);
    }
  });
  for (int round = 0; round < rounds; ++round) {
    arrive(4 * round + 2);
    first();
    arrive(4 * round + 4);
    after();
  }
  other.join();
}

Numbers samples_ending_in(real_8 last) {
  Numbers samples(1000);
  samples.fill(2.5);
  samples[999] = last;
  return samples;
}

TEST_F(PicklingToolsThreadsTest, ACopyNeverStandsInTheElementsThatAnotherThreadTookOut) {
  const Val packet = samples_ending_in(7);
  Val came = passed(packet);
  Val copied;
  int shared = 0;
  meet(
      1500, [&] { static_cast<Numbers&>(came)[0]; },  // takes the elements out
      [&] { copied = Val(static_cast<Numbers&>(came)); },
      [&] {
        const Numbers& ours = static_cast<Numbers&>(copied);
        shared += ours.data() == std::as_const(static_cast<Numbers&>(came)).data() ? 1 : 0;
        came = passed(packet);
        EXPECT_EQ(ours[999], 7);
      });
  EXPECT_EQ(shared, 0);
}

TEST_F(PicklingToolsThreadsTest, AnArrayIsLookedThroughInOnePlaceWhileAnotherThreadTakesItOut) {
  const Numbers expected = samples_ending_in(7);
  const Val packet = expected;
  Val came = passed(packet);
  int wrong = 0;
  meet(
      1500, [&] { static_cast<Numbers&>(came)[0]; },
      [&] {
        const Numbers& samples = static_cast<Numbers&>(came);
        wrong += samples.index(7) == 999 ? 0 : 1;
        wrong += samples == expected ? 0 : 1;
        wrong += came.contains(7) ? 0 : 1;
      },
      [&] { came = passed(packet); });
  EXPECT_EQ(wrong, 0);
}

TEST_F(PicklingToolsThreadsTest, AChildThatWasForkedWhileAThreadUnpackedIsToldSo) {
  OC::Arr many(200000);
  for (int i = 0; i < 200000; ++i) many.append(i);
  for (int round = 0; round < 5; ++round) {
    Val list = passed(Val(many));
    std::atomic<bool> begins{false};
    std::thread unpacking([&] {
      begins = true;
      EXPECT_EQ(list.length(), 200000);
    });
    while (!begins) std::this_thread::yield();
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(60);  // it waited for a thread that is not there
      try {
        ::_exit(list.length() == 200000 ? 0 : 1);
      } catch (const runtime_error&) {
        ::_exit(0);
      }
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    unpacking.join();
  }
}

TEST_F(PicklingToolsThreadsTest, WhoWaitsInAPipeThatIsStartedAnewGetsWhatComes) {
  CQ& pipe = server_.pipe();
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t before = observer().pipe_status("pipe").pop_waits;
    Val came;
    std::thread waiting([&] { came = pipe.deq(); });
    testkit::await([&] { return observer().pipe_status("pipe").pop_waits > before; });
    server_.start();
    pipe.enq(round);
    waiting.join();
    EXPECT_EQ(came, round);
  }
}

TEST_F(PicklingToolsThreadsTest, APipeIsStartedAnewWhileAnotherThreadStillLeavesTheOldOne) {
  CQ& pipe = server_.pipe();
  for (int round = 0; round < 20; ++round) {
    std::string heard;
    std::thread waiting([&] {
      try {
        pipe.deq();
      } catch (const runtime_error& error) {
        heard = error.what();
      }
    });
    SHMMain again(kRegion, 1000);  // ends the pipe, of which the waiting one hears now
    again.start();
    server_.start();
    pipe.enq(round);  // for one that came late, into the new pipe
    waiting.join();
    if (heard.empty()) continue;
    EXPECT_TRUE(heard.find("was started anew") != std::string::npos ||
                heard.find("is not started") != std::string::npos)
        << heard;
    EXPECT_EQ(pipe.deq(), round);
  }
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) { return tarn::testkit::run(argc, argv, {}); }
