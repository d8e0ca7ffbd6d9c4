#include "tools/bench/method/processes.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <string>

#include "tools/bench/method/machine.h"

namespace tarn::bench {
namespace {

int first_cpu() { return usable_cpus().front(); }

std::string failure_of(const std::vector<Child>& children) {
  try {
    run_children(children, std::chrono::seconds(30));
  } catch (const BenchError& failure) {
    return failure.what();
  }
  return {};
}

TEST(ProcessesTest, ChildrenShareMemoryAndMeetAtTheLine) {
  struct Area {
    StartLine line;
    std::atomic<int> before{0};
    std::atomic<int> seen{0};
  };
  const Shared<Area> area;
  const auto body = [&] {
    area->before.fetch_add(1);
    area->line.arrive(3);
    if (area->before.load() == 3) area->seen.fetch_add(1);
    area->line.arrive(3);  // a line can be used again
  };
  const int cpu = first_cpu();
  run_children({{cpu, body}, {cpu, body}, {cpu, body}});
  EXPECT_EQ(area->seen.load(), 3);
}

TEST(ProcessesTest, AChildRunsOnItsCpu) {
  const Shared<std::array<int, 2>> seen;
  const auto cpus = usable_cpus();
  run_children({{cpus.front(), [&] { (*seen)[0] = ::sched_getcpu(); }},
                {cpus.back(), [&] { (*seen)[1] = ::sched_getcpu(); }}});
  EXPECT_EQ((*seen)[0], cpus.front());
  EXPECT_EQ((*seen)[1], cpus.back());
}

TEST(ProcessesTest, AFailingChildEndsTheOthersAndIsQuoted) {
  const auto hang = [] {
    for (;;) ::pause();
  };
  const auto fail = [] { throw BenchError("the sequence broke"); };
  EXPECT_EQ(failure_of({{first_cpu(), hang}, {first_cpu(), fail}}), "the sequence broke");
}

TEST(ProcessesTest, AKilledChildIsReported) {
  const auto die = [] { ::raise(SIGKILL); };
  EXPECT_NE(failure_of({{first_cpu(), die}}).find("Killed"), std::string::npos);
}

TEST(ProcessesTest, AHangingMeasurementIsEnded) {
  const auto hang = [] {
    for (;;) ::pause();
  };
  EXPECT_THROW(run_children({{first_cpu(), hang}}, std::chrono::seconds(0)), BenchError);
}

TEST(ProcessesTest, AnInterruptEndsTheChildren) {
  const InterruptGuard guard;
  const pid_t coordinator = ::getpid();
  const auto interrupt = [&] {
    ::kill(coordinator, SIGINT);
    for (;;) ::pause();
  };
  EXPECT_THROW(run_children({{first_cpu(), interrupt}}), Interrupted);
}

TEST(ProcessesTest, AProgramIsStoppedOnDestruction) {
  pid_t pid = 0;
  {
    Program program({"sleep", "1000"}, -1, -1);
    pid = program.pid();
    EXPECT_TRUE(program.is_running());
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(ProcessesTest, AProgramThatIsNotThereEndsWith127) {
  Program program({"/nowhere/to/be/found"}, -1, -1);
  EXPECT_EQ(WEXITSTATUS(program.wait()), 127);
}

}  // namespace
}  // namespace tarn::bench
