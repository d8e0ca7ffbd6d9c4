// worker_rig.h - a node whose worker is ended in the middle of handling something, and somebody who
// asks it, again and again.
#pragma once

#include <sys/syscall.h>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "tests/stepper/node_rig.h"

namespace tarn::step {

using raw::Packet;
using wire::MessageType;

inline constexpr std::uint64_t kRequest = 777;

// That the worker waits with for something to do.
inline bool is_waiting_call(long number) {
  return number == SYS_epoll_wait || number == SYS_epoll_pwait || number == SYS_epoll_pwait2;
}

template <class T>
T about(SegmentId id) {
  auto record = wire::make<T>(0);
  record.index = id.index;
  record.generation = id.generation;
  return record;
}

inline wire::PipeOpen open_pipe(const char* name) {
  auto wish = wire::make<wire::PipeOpen>(0);
  wire::put_text(wish.name, name);
  return wish;
}

// A session that asks the node, and what it has there.
struct Desk {
  explicit Desk(NodeRig& of) : rig(of), client(of.socket_path()) { client.insist_on_session(); }

  // Sends it, and keeps how to ask once more.
  template <class T>
  void ask(T message, std::vector<int> descriptors = {}) {
    again = [this, message, descriptors] { return client.insist(message, descriptors); };
    message.header.request = kRequest;
    client.send(message, descriptors);
  }
  // The answer, from this worker or from one after it.
  Packet answer() {
    Packet packet = client.await_answer();
    if (!packet.ended()) return packet;
    EXPECT_TRUE(client.come_back());
    return again();
  }
  void expect_answer(MessageType type) {
    const Packet packet = answer();
    EXPECT_EQ(packet.type(), type) << packet.error().what();
  }
  SegmentId add_slab() {
    slab.emplace(4, ++nonce);
    const int fd = slab->owned.fd.get();
    const auto added = client.insist(slab->add, std::span(&fd, 1)).as<wire::SegmentAdded>();
    return added ? SegmentId{added->index, added->generation} : SegmentId{};
  }
  void remove_slab() {
    EXPECT_EQ(client.insist(about<wire::SegmentRemove>(segment)).type(), MessageType::done);
  }
  std::uint32_t made_id(const Packet& opened) {
    const auto record = opened.as<wire::PipeOpened>();
    return record ? record->pipe_id : 0;
  }
  void leave(std::uint32_t id) {
    auto wish = wire::make<wire::PipeLeave>(0);
    wish.pipe_id = id;
    EXPECT_EQ(client.insist(wish).type(), MessageType::done);
  }
  void remove_made() { rig.expect_good(rig.survivors().grant({Wish::Kind::use_made, 0, 0})); }

  NodeRig& rig;
  raw::Client client;
  std::function<Packet()> again;
  std::optional<raw::Client> newcomer;
  std::optional<raw::Slab> slab;
  std::optional<raw::Victim> victim;
  SegmentId segment;
  std::uint32_t pipe = 0;
  std::uint64_t nonce = 0;
};

struct WorkerPlan {
  std::string operation;
  std::function<void(Desk&)> arrange = [](Desk&) {};
  std::function<void(Desk&)> send;    // while the worker is stopped: must not wait
  std::function<void(Desk&)> finish;  // gets its answer, and puts everything back
  int rounds = 1;                     // of its waiting, at most, until all is handled
  // A worker's first time takes another way than those after it, where much is found, made or
  // loaded for the first time: then each worker has done it once before it is stepped.
  bool is_done_before = false;
};

// The fixture of the programs that sweep the worker.
class WorkerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string reason = testing::why_no_tracing();
    if (!reason.empty()) GTEST_SKIP() << reason;
    testkit::set_watchdog();
  }
};

class WorkerWork final : public RigWork {
 public:
  explicit WorkerWork(const WorkerPlan& plan)
      : plan_(plan), rig_(Delivery::at_most_once), desk_(rig_) {
    rig_.take_base();
    // A worker that took over from another one is what all that are killed here are.
    ::kill(rig_.status().worker_pid, SIGKILL);
  }

  void record(const std::function<void(std::uint64_t, bool)>& visit) override {
    make_ready();
    auto served = catch_worker();
    plan_.send(desk_);
    int rounds = 0;
    for (;;) {
      const std::uint64_t at = served->at();
      const auto call = served->next_system_call();
      const bool waits = call && is_waiting_call(*call);
      if (waits && ++rounds > plan_.rounds) break;
      const auto stop = waits && rounds > 1 ? served->step_unless_it_waits() : served->step();
      if (stop == Tracee::Stop::lost) break;
      ASSERT_EQ(stop, Tracee::Stop::stepped) << "it ended by itself";
      visit(at, call.has_value());
    }
    served->let_go();
    finish();
  }

  bool kill_after(const StepPath& path, std::uint64_t k) override {
    make_ready();
    auto served = catch_worker();
    plan_.send(desk_);
    const bool led = path.lead(*served, k);
    served->kill();
    rig_.expect_good(rig_.survivors().exchange());
    finish();
    return led;
  }

 private:
  void make_ready() {
    desk_.client.insist(wire::make<wire::StatusGet>(0));
    rig_.await_all_connected();
    if (plan_.is_done_before) {
      plan_.arrange(desk_);
      plan_.send(desk_);
      plan_.finish(desk_);
    }
    plan_.arrange(desk_);
  }
  // Where it waits for something to do.
  std::unique_ptr<Tracee> catch_worker() {
    for (;;) {
      auto served = std::make_unique<Tracee>(rig_.status().worker_pid);
      if (is_waiting_call(served->interrupted_call())) return served;
      served->let_go();
    }
  }
  void finish() {
    plan_.finish(desk_);
    const Books books = rig_.survivors().exchange();
    rig_.expect_good(books);
    rig_.expect_base(true);
  }

  const WorkerPlan& plan_;
  NodeRig rig_;
  Desk desk_;
};

}  // namespace tarn::step
