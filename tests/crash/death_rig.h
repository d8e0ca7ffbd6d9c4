// death_rig.h - processes that end while they have claimed a slot, in whatever way.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "testing/turn.h"
#include "tests/e2e/node_fixture.h"

namespace tarn::raw {

inline constexpr std::uint32_t kClaimed = 3;  // the slot that the dying have claimed

inline std::atomic<std::uint64_t>& word_of(const MappedPipe& pipe, std::uint32_t slot) {
  const auto at = layout::kSlotsOffset + slot * sizeof(layout::Slot);
  return (*pipe.segment.at<layout::Slot>(at))->word;
}
inline std::uint64_t claimed_by(const Client& client) {
  const auto self = static_cast<std::uint16_t>(client.welcome.session_index);
  return SlotWord(0, layout::SlotPhase::claimed, self, false).bits();
}
inline constexpr std::uint64_t kFreed = SlotWord(1, layout::SlotPhase::free, 0, false).bits();

class DeathTest : public NodeTest {
 protected:
  void SetUp() override {
    NodeTest::SetUp();
    start();
  }
  static os::FutexWord& life_of(Client& client) { return client.record->life(); }

  // In the process that will end: a session that has claimed a slot of "p".
  struct Claimant {
    Client own;
    os::RobustHold life;

    explicit Claimant(const std::string& path) : own(path) {
      if (own.begin_session().type() != wire::MessageType::welcome) ::_exit(1);
      const MappedPipe pipe(own.open_pipe("p"));
      if (!pipe.view) ::_exit(2);
      word_of(pipe, kClaimed) = claimed_by(own);
      if (!life.take(life_of(own))) ::_exit(3);
    }
  };
  [[noreturn]] static void become_another_program() {
    ::execlp("sleep", "sleep", "100", nullptr);
    ::_exit(127);
  }
  // Polls until the process has become the program.
  static void await_program(pid_t pid, const std::string& name) {
    ASSERT_TRUE(eventually([&] {
      std::string now;
      std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/comm"), now);
      return now == name;
    }));
  }
  // No worker is there until the keeper gets SIGCONT.
  void stop_keeper_and_kill_worker(Client& observer) {
    const auto worker = os::open_pidfd(observer.status().worker_pid);
    ASSERT_TRUE(worker);
    daemon_->signal(SIGSTOP);
    ASSERT_EQ(::waitpid(daemon_->pid(), nullptr, WUNTRACED), daemon_->pid());
    os::signal_process(worker->get(), SIGKILL);
    ASSERT_TRUE(eventually([&] { return os::has_exited(worker->get()); }));
  }
  void expect_resolved(Client& client, const MappedPipe& pipe) {
    EXPECT_TRUE(eventually([&] { return client.status().sessions == 1; }));
    EXPECT_EQ(word_of(pipe, kClaimed).load(), kFreed);
    EXPECT_EQ(client.pipes().at(0).sessions, 1u);
  }
};

}  // namespace tarn::raw
