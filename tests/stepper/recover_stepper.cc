// Ends the program tarn-recover after the instructions of its job, as a process of its own: it
// takes the job from its socket, maps the pipe, resolves what the dead one had claimed, answers,
// and waits again. The worker starts the next one, which does the job again; two sessions push and
// pop on.
#include <poll.h>
#include <sys/personality.h>

#include <filesystem>

#include "tests/stepper/worker_rig.h"

namespace tarn::step {
namespace {

// The system call in which it waits for its next job.
bool is_receiving_call(long number) { return number == SYS_recvmsg; }

// The program is executed anew each time, and has to stand at the same addresses as the one whose
// path was recorded: those that are started from here on do.
bool stop_address_randomisation() {
  const int now = ::personality(0xffff'ffff);
  return now >= 0 && ::personality(static_cast<unsigned long>(now) | ADDR_NO_RANDOMIZE) >= 0;
}

// The only socket of another process, as a descriptor of ours.
os::UniqueFd socket_of(pid_t pid) {
  const auto process = os::open_pidfd(pid);
  if (!process) return {};
  const std::string folder = "/proc/" + std::to_string(pid) + "/fd";
  std::error_code error;
  for (const auto& each : std::filesystem::directory_iterator(folder, error)) {
    const auto target = std::filesystem::read_symlink(each.path(), error).string();
    if (!target.starts_with("socket:")) continue;
    const int number = std::stoi(each.path().filename());
    return os::UniqueFd(static_cast<int>(::syscall(SYS_pidfd_getfd, process->get(), number, 0)));
  }
  return {};
}

bool is_readable(const os::UniqueFd& socket) {
  pollfd look{socket.get(), POLLIN, 0};
  return ::poll(&look, 1, 0) == 1;
}

class RecoverWork final : public RigWork {
 public:
  explicit RecoverWork(Delivery delivery) : delivery_(delivery), rig_(delivery) {
    rig_.take_base();
  }

  void record(const std::function<void(std::uint64_t, bool)>& visit) override {
    auto program = catch_at_its_job();
    for (;;) {
      const std::uint64_t at = program->at();
      const auto call = program->next_system_call();
      // Stopped in it, the one that receives the job is not seen as a call; this is the next one.
      if (call && is_receiving_call(*call)) break;
      ASSERT_EQ(program->step(), Tracee::Stop::stepped) << "it ended by itself";
      visit(at, call.has_value());
    }
    program->let_go();
    bury(Books());
  }

  bool kill_after(const StepPath& path, std::uint64_t k) override {
    auto program = catch_at_its_job();
    const bool led = path.lead(*program, k);
    program->kill();
    bury(rig_.survivors().exchange());
    return led;
  }

 private:
  // A session dies that has taken a message, pushed another, and claimed a slot. The program stands
  // where it waits, and its job lies in its socket.
  std::unique_ptr<Tracee> catch_at_its_job() {
    do_one_before();
    victim_.emplace([this] { live(); });
    EXPECT_TRUE(victim_->lived());
    auto program = catch_program();
    const os::UniqueFd socket = socket_of(program->pid());
    EXPECT_TRUE(socket);
    victim_->kill();
    EXPECT_TRUE(raw::eventually([&] { return is_readable(socket); }));
    return program;
  }
  // A program's first job takes another way than those after it: what it calls is found for the
  // first time. All that are stepped are later ones.
  void do_one_before() {
    raw::Victim other([this] { Desk(rig_).client.insist(open_pipe(kPipe)); });
    EXPECT_TRUE(other.lived());
    other.kill();
    await_buried();
  }
  void await_buried() {
    const std::uint32_t sessions = rig_.base().sessions;
    EXPECT_TRUE(raw::eventually([&] { return rig_.status().sessions == sessions; }));
  }
  void live() {
    Desk own(rig_);
    raw::MappedPipe pipe(own.client.insist(open_pipe(kPipe)));
    const auto self = static_cast<std::uint16_t>(own.client.welcome.session_index);
    for (std::uint64_t number : {kVictims, kVictims + 1}) {
      std::array<std::byte, 16> bytes{};
      fill(bytes, number);
      std::uint64_t position = 0;
      if (pipe.view.push(self, SlotPayload::copy_of(bytes), position) != SlotPush::ok) ::_exit(1);
    }
    Peeked found;
    if (pipe.view.peek(found) != SlotPop::ok || !pipe.view.take(self, found)) ::_exit(2);
    const std::uint64_t next = pipe.view.snapshot().tail;
    const std::uint32_t slots = pipe.view.slot_count();
    const auto slot =
        pipe.segment.at<layout::Slot>(layout::kSlotsOffset + next % slots * sizeof(layout::Slot));
    (*slot)->word.store(SlotWord(next / slots, layout::SlotPhase::claimed, self).bits());
  }
  // Where it waits for a job.
  std::unique_ptr<Tracee> catch_program() {
    for (;;) {
      const pid_t pid = rig_.status().recover_pid;
      if (pid == 0) continue;
      auto program = std::make_unique<Tracee>(pid);
      if (!program->has_ended() && is_receiving_call(program->interrupted_call())) return program;
      program->let_go();
    }
  }
  // What the victim had in its hands is gone, or comes again, marked; what it had pushed comes
  // once.
  void bury(Books books) {
    victim_.reset();
    await_buried();
    books.add(rig_.survivors().exchange());
    rig_.expect_good(books);
    const bool again = delivery_ == Delivery::at_least_once;
    EXPECT_EQ(books.times(kVictims), again ? 1 : 0);
    EXPECT_EQ(books.is_marked(kVictims), again);
    EXPECT_EQ(books.times(kVictims + 1), 1);
    EXPECT_FALSE(books.is_marked(kVictims + 1));
    rig_.expect_base(true);
    EXPECT_EQ(rig_.status().worker_starts, 1u);
    EXPECT_EQ(rig_.status().quarantined, 0u);
  }

  const Delivery delivery_;
  NodeRig rig_;
  std::optional<raw::Victim> victim_;
};

class RecoverStepperTest : public WorkerTest {
 protected:
  static void sweep(const char* operation, Delivery delivery) {
    if (!stop_address_randomisation()) GTEST_SKIP() << "addresses are random here, whatever we ask";
    const auto count =
        sweep_at_nodes(operation, [&] { return std::make_unique<RecoverWork>(delivery); });
    EXPECT_GT(count.system_calls, 3u);
  }
};

TEST_F(RecoverStepperTest, JobAtAPipeThatDeliversAtMostOnce) {
  sweep("tarn-recover: a job, AtMostOnce", Delivery::at_most_once);
}

TEST_F(RecoverStepperTest, JobAtAPipeThatDeliversAtLeastOnce) {
  sweep("tarn-recover: a job, AtLeastOnce", Delivery::at_least_once);
}

}  // namespace
}  // namespace tarn::step
