// Ends a node's worker after the instructions of its handling of each request, and of a death. The
// keeper starts the next one; the request is asked again, is answered, and the node is as it was.
// Meanwhile two sessions push and pop on.
#include "tests/stepper/worker_rig.h"
#include "wire/audit_messages.h"

namespace tarn::step {
namespace {

using Plan = WorkerPlan;

class WorkerStepperTest : public WorkerTest {
 protected:
  static StepCount sweep(const Plan& plan) {
    const auto count =
        sweep_at_nodes(plan.operation, [&] { return std::make_unique<WorkerWork>(plan); });
    EXPECT_GT(count.system_calls, 1u);
    return count;
  }
  // A question that changes nothing.
  template <class T>
  static void sweep_question(const char* operation, T message, MessageType answer) {
    Plan plan;
    plan.operation = operation;
    plan.send = [message](Desk& desk) { desk.ask(message); };
    plan.finish = [answer](Desk& desk) { desk.expect_answer(answer); };
    sweep(plan);
  }
};

TEST_F(WorkerStepperTest, Questions) {
  sweep_question("worker: status", wire::make<wire::StatusGet>(0), MessageType::status_reply);
  sweep_question("worker: pipe_list", wire::make<wire::PipeList>(0), MessageType::pipe_page);
  sweep_question("worker: session_list", wire::make<wire::SessionList>(0),
                 MessageType::session_page);
  sweep_question("worker: viewers_get", wire::make<wire::ViewersGet>(0), MessageType::viewers);
}

TEST_F(WorkerStepperTest, QuestionsOfAnAudit) {
  auto list = wire::make<wire::AuditList>(0);
  list.subject = wire::AuditSubject::sessions;
  sweep_question("worker: audit_list", list, MessageType::audit_sessions);
  auto get = wire::make<wire::AuditGet>(0);
  get.subject = wire::AuditSubject::table;
  sweep_question("worker: audit_get", get, MessageType::done);
  sweep_question("worker: audit_node", wire::make<wire::AuditNode>(0), MessageType::audit_figures);
}

TEST_F(WorkerStepperTest, Hello) {
  Plan plan;
  plan.operation = "worker: accept, hello";
  plan.rounds = 2;
  plan.send = [](Desk& desk) {
    raw::Client& client = desk.newcomer.emplace(desk.rig.socket_path());
    client.record.emplace(*SessionRecord::create(*os::identify(os::own_pid())));
    auto wish = client.hello();
    wish.header.request = kRequest;
    const int fd = client.record->fd();
    client.send(wish, std::span(&fd, 1));
  };
  plan.finish = [](Desk& desk) {
    const Packet packet = desk.newcomer->await_answer();
    if (const auto welcome = packet.as<wire::Welcome>()) {
      desk.newcomer->welcome = *welcome;
    } else {
      EXPECT_TRUE(packet.ended()) << packet.error().what();
      desk.newcomer->reconnect();
      EXPECT_EQ(desk.newcomer->insist_on_session().type(), MessageType::welcome);
    }
    desk.newcomer->insist(wire::make<wire::Goodbye>(0));
    desk.newcomer.reset();
  };
  sweep(plan);
}

TEST_F(WorkerStepperTest, Resume) {
  Plan plan;
  plan.operation = "worker: accept, resume";
  plan.rounds = 2;
  plan.arrange = [](Desk& desk) {
    desk.client.disconnect();
    EXPECT_TRUE(raw::eventually([&] { return desk.rig.connected_sessions() == 2; }));
  };
  plan.send = [](Desk& desk) {
    desk.client.reconnect();
    auto wish = desk.client.hello(wire::kHelloResume);
    wish.session_index = desk.client.welcome.session_index;
    wish.session_generation = desk.client.welcome.session_generation;
    wish.token = desk.client.welcome.token;
    wish.node_id = desk.client.welcome.node_id;
    wish.header.request = kRequest;
    desk.client.send(wish);
  };
  plan.finish = [](Desk& desk) {
    if (desk.client.await_answer().ended()) {
      EXPECT_TRUE(desk.client.come_back());
    }
  };
  sweep(plan);
}

TEST_F(WorkerStepperTest, Goodbye) {
  Plan plan;
  plan.operation = "worker: goodbye";
  plan.arrange = [](Desk& desk) {
    desk.newcomer.emplace(desk.rig.socket_path());
    EXPECT_EQ(desk.newcomer->insist_on_session().type(), MessageType::welcome);
  };
  plan.send = [](Desk& desk) {
    auto goodbye = wire::make<wire::Goodbye>(kRequest);
    desk.newcomer->send(goodbye);
  };
  plan.finish = [](Desk& desk) {
    if (desk.newcomer->await_answer().ended()) {
      desk.newcomer->insist(wire::make<wire::Goodbye>(0));
    }
    desk.newcomer.reset();
  };
  sweep(plan);
}

TEST_F(WorkerStepperTest, PipeOpenThatCreates) {
  Plan plan;
  plan.operation = "worker: pipe_open (create)";
  plan.send = [](Desk& desk) {
    auto wish = open_pipe(kMadePipe);
    wish.mode = wire::OpenMode::create_only;
    wish.nonce = ++desk.nonce;
    desk.ask(wish);
  };
  plan.finish = [](Desk& desk) {
    const Packet opened = desk.answer();
    EXPECT_EQ(opened.type(), MessageType::pipe_opened) << opened.error().what();
    desk.remove_made();
    desk.leave(desk.made_id(opened));
  };
  sweep(plan);
}

TEST_F(WorkerStepperTest, PipeOpen) {
  Plan plan;
  plan.operation = "worker: pipe_open";
  plan.send = [](Desk& desk) { desk.ask(open_pipe(kPipe)); };
  plan.finish = [](Desk& desk) {
    const Packet opened = desk.answer();
    EXPECT_EQ(opened.type(), MessageType::pipe_opened) << opened.error().what();
    desk.leave(desk.made_id(opened));
  };
  sweep(plan);
}

TEST_F(WorkerStepperTest, PipeLeave) {
  Plan plan;
  plan.operation = "worker: pipe_leave";
  plan.arrange = [](Desk& desk) { desk.pipe = desk.made_id(desk.client.insist(open_pipe(kPipe))); };
  plan.send = [](Desk& desk) {
    auto wish = wire::make<wire::PipeLeave>(0);
    wish.pipe_id = desk.pipe;
    desk.ask(wish);
  };
  plan.finish = [](Desk& desk) { desk.expect_answer(MessageType::done); };
  sweep(plan);
}

TEST_F(WorkerStepperTest, PipeRemove) {
  Plan plan;
  plan.operation = "worker: pipe_remove";
  plan.arrange = [](Desk& desk) {
    desk.pipe = desk.made_id(desk.client.insist(open_pipe(kMadePipe)));
  };
  plan.send = [](Desk& desk) {
    auto wish = wire::make<wire::PipeRemove>(0);
    wire::put_text(wish.name, kMadePipe);
    desk.ask(wish);
  };
  plan.finish = [](Desk& desk) {
    // Asked twice because the answer was lost: then it is gone already.
    const Packet packet = desk.answer();
    EXPECT_TRUE(packet.type() == MessageType::done || packet.code() == Error::not_found);
    desk.leave(desk.pipe);
  };
  sweep(plan);
}

TEST_F(WorkerStepperTest, SegmentCarry) {
  Plan plan;
  plan.operation = "worker: segment_carry";
  plan.arrange = [](Desk& desk) {
    desk.segment = desk.add_slab();
    desk.pipe = desk.made_id(desk.client.insist(open_pipe(kPipe)));
  };
  plan.send = [](Desk& desk) {
    auto wish = about<wire::SegmentCarry>(desk.segment);
    wish.pipe_id = desk.pipe;
    desk.ask(wish);
  };
  plan.finish = [](Desk& desk) {
    desk.expect_answer(MessageType::done);
    desk.remove_slab();
    desk.leave(desk.pipe);
  };
  sweep(plan);
}

TEST_F(WorkerStepperTest, SegmentReserveAndAdd) {
  auto reserve = wire::make<wire::SegmentReserve>(0);
  reserve.size_bytes = 1 << 20;
  Plan plan;
  plan.operation = "worker: segment_reserve";
  plan.send = [reserve](Desk& desk) { desk.ask(reserve); };
  plan.finish = [](Desk& desk) { desk.expect_answer(MessageType::done); };
  sweep(plan);

  plan.operation = "worker: segment_add";
  plan.send = [](Desk& desk) {
    desk.slab.emplace(4, ++desk.nonce);
    desk.ask(desk.slab->add, {desk.slab->owned.fd.get()});
  };
  plan.finish = [](Desk& desk) {
    const auto added = desk.answer().as<wire::SegmentAdded>();
    ASSERT_TRUE(added.has_value());
    desk.segment = {added->index, added->generation};
    desk.remove_slab();
  };
  sweep(plan);
}

TEST_F(WorkerStepperTest, SegmentRemove) {
  Plan plan;
  plan.operation = "worker: segment_remove";
  plan.arrange = [](Desk& desk) { desk.segment = desk.add_slab(); };
  plan.send = [](Desk& desk) { desk.ask(about<wire::SegmentRemove>(desk.segment)); };
  plan.finish = [](Desk& desk) { desk.expect_answer(MessageType::done); };
  sweep(plan);
}

TEST_F(WorkerStepperTest, SegmentGetAndLeave) {
  // The viewer is another session than the owner.
  const auto add_for_another = [](Desk& desk) {
    desk.newcomer.emplace(desk.rig.socket_path());
    EXPECT_EQ(desk.newcomer->insist_on_session().type(), MessageType::welcome);
    desk.slab.emplace(4, ++desk.nonce);
    const int fd = desk.slab->owned.fd.get();
    const auto added =
        desk.newcomer->insist(desk.slab->add, std::span(&fd, 1)).as<wire::SegmentAdded>();
    if (added) desk.segment = {added->index, added->generation};
  };
  const auto remove_from_another = [](Desk& desk) {
    desk.newcomer->insist(about<wire::SegmentRemove>(desk.segment));
    desk.newcomer->insist(wire::make<wire::Goodbye>(0));
    desk.newcomer.reset();
  };
  Plan plan;
  plan.operation = "worker: segment_get";
  plan.arrange = add_for_another;
  plan.send = [](Desk& desk) { desk.ask(about<wire::SegmentGet>(desk.segment)); };
  plan.finish = [=](Desk& desk) {
    desk.expect_answer(MessageType::segment_got);
    remove_from_another(desk);
  };
  sweep(plan);

  plan.operation = "worker: segment_leave";
  plan.arrange = [=](Desk& desk) {
    add_for_another(desk);
    desk.client.insist(about<wire::SegmentGet>(desk.segment));
  };
  plan.send = [](Desk& desk) { desk.ask(about<wire::SegmentLeave>(desk.segment)); };
  plan.finish = [=](Desk& desk) {
    desk.expect_answer(MessageType::done);
    remove_from_another(desk);
  };
  sweep(plan);
}

TEST_F(WorkerStepperTest, PipeGetAndSessionGet) {
  Plan plan;
  plan.operation = "worker: pipe_get";
  plan.arrange = [](Desk& desk) {
    desk.segment = desk.add_slab();
    desk.pipe = desk.made_id(desk.client.insist(open_pipe(kPipe)));
    auto carry = about<wire::SegmentCarry>(desk.segment);
    carry.pipe_id = desk.pipe;
    desk.client.insist(carry);
  };
  plan.send = [](Desk& desk) {
    auto wish = wire::make<wire::PipeGet>(0);
    wish.pipe_id = desk.pipe;
    desk.ask(wish);
  };
  plan.finish = [](Desk& desk) {
    desk.expect_answer(MessageType::pipe_opened);
    desk.remove_slab();
    desk.leave(desk.pipe);
  };
  sweep(plan);

  plan.operation = "worker: session_get";
  plan.arrange = [](Desk& desk) {
    desk.segment = desk.add_slab();
    desk.newcomer.emplace(desk.rig.socket_path());
    EXPECT_EQ(desk.newcomer->insist_on_session().type(), MessageType::welcome);
    desk.newcomer->insist(about<wire::SegmentGet>(desk.segment));
  };
  plan.send = [](Desk& desk) {
    const wire::Welcome& who = desk.newcomer->welcome;
    desk.ask(about<wire::SessionGet>({who.session_index, who.session_generation}));
  };
  plan.finish = [](Desk& desk) {
    desk.expect_answer(MessageType::session_got);
    desk.newcomer->insist(wire::make<wire::Goodbye>(0));
    desk.newcomer.reset();
    desk.remove_slab();
  };
  sweep(plan);
}

// It has a pipe open, a slab of which a message is under way, and a slot that it claimed.
Plan death_plan(const char* operation) {
  Plan plan;
  plan.operation = operation;
  plan.arrange = [](Desk& desk) {
    desk.victim.emplace([&desk] {
      Desk own(desk.rig);
      raw::MappedPipe pipe(own.client.insist(open_pipe(kPipe)));
      own.segment = own.add_slab();
      fill({own.slab->owned.segment.base() + layout::kFirstChunkOffset, 16}, kVictims);
      const auto self = static_cast<std::uint16_t>(own.client.welcome.session_index);
      if (pipe.push_chunk(self, own.segment, 0) != SlotPush::ok) ::_exit(1);
      const std::uint64_t next = pipe.view.snapshot().tail;
      const auto slot = pipe.segment.at<layout::Slot>(
          layout::kSlotsOffset + next % pipe.view.slot_count() * sizeof(layout::Slot));
      (*slot)->word.store(
          SlotWord(next / pipe.view.slot_count(), layout::SlotPhase::claimed, self).bits());
    });
    EXPECT_TRUE(desk.victim->lived());
  };
  plan.send = [](Desk& desk) { desk.victim->kill(); };
  plan.finish = [](Desk& desk) {
    desk.victim.reset();
    const std::uint32_t sessions = desk.rig.base().sessions;
    EXPECT_TRUE(raw::eventually([&] { return desk.rig.status().sessions == sessions; }));
  };
  return plan;
}

TEST_F(WorkerStepperTest, Death) {
  Plan plan = death_plan("worker: a session's death");
  plan.rounds = 4;
  sweep(plan);
}

}  // namespace
}  // namespace tarn::step
