// The library at another account's node: messages of every size, both ways, and what a program of
// the owner's is kept from giving away.

#include <gtest/gtest.h>

#include <functional>

#include "tarn/pipe.h"
#include "tarn/session.h"
#include "testing/turn.h"
#include "tests/e2e/access/access_fixture.h"

namespace tarn::raw {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kSizes[] = {1, 48, 49, 4096, 300'000};
constexpr auto kPatience = 60s;

ConnectOptions domain(const std::string& owner = {}) {
  return {.application = "test", .user = "tester", .start_node = false, .owner = owner};
}

std::string text_of(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 23);
  return text;
}

class SharedPipeTest : public AccessTest {
 protected:
  void SetUp() override {
    AccessTest::SetUp();
    if (IsSkipped()) return;
    ::setenv("XDG_RUNTIME_DIR", place_.path().c_str(), 1);
    start();
    allow(user_rule(kBob, kWrite, "shared*"));
  }
};

class SmallNodeTest : public AccessTest {
 protected:
  void SetUp() override {
    AccessTest::SetUp();
    if (IsSkipped()) return;
    ::setenv("XDG_RUNTIME_DIR", place_.path().c_str(), 1);
    start({"--limit", "64MiB"});
    allow(user_rule(kBob, kWrite, "shared*"));
  }
};

// Sends back what it gets, upper half of the pipe names reversed, until it is told to end.
int echo() {
  Session session = connect(domain("0"));
  Pipe in = session.open_pipe("shared-in");
  Pipe out = session.open_pipe("shared-out");
  for (;;) {
    auto popped = in.pop(kPatience);
    if (!popped) return popped.status == PopStatus::closed ? 0 : 1;
    if (out.push(popped.message) != PushStatus::ok) return 2;
  }
}

TEST_F(SharedPipeTest, MessagesOfEverySizeGoBothWays) {
  Session session = connect(domain());
  Pipe out = session.pipe("shared-in");
  Pipe in = session.pipe("shared-out");
  std::thread bob([] { EXPECT_EQ(as(kBob, echo), 0); });
  for (int round = 0; round < 20; ++round) {
    for (const std::size_t size : kSizes) {
      const std::string text = text_of(size);
      // By a loan of the pipe, by one of the session, and by a copy.
      if (round % 3 == 2) {
        ASSERT_EQ(out.push(text, kPatience), PushStatus::ok);
      } else {
        Loan loan = round % 3 == 0 ? out.loan(size) : session.loan(size);
        std::memcpy(loan.bytes().data(), text.data(), size);
        ASSERT_EQ(out.push(std::move(loan), kPatience), PushStatus::ok);
      }
      auto popped = in.pop(kPatience);
      ASSERT_TRUE(popped) << "size " << size;
      EXPECT_EQ(popped.message.text(), text);
    }
  }
  out.close();
  bob.join();
}

TEST_F(SharedPipeTest, AMessageGoesOnFromAPrivatePipeToASharedOneAndBack) {
  Session session = connect(domain());
  Pipe own = session.pipe("own");
  Pipe out = session.pipe("shared-in");
  Pipe in = session.pipe("shared-out");
  std::thread bob([] { EXPECT_EQ(as(kBob, echo), 0); });
  const std::string text = text_of(5000);
  ASSERT_EQ(own.push(text), PushStatus::ok);
  auto from_own = own.pop(kPatience);
  ASSERT_TRUE(from_own);
  ASSERT_EQ(out.push(from_own.message), PushStatus::ok);
  auto from_bob = in.pop(kPatience);
  ASSERT_TRUE(from_bob);
  // Bob's memory: it goes into a pipe of the owner's as a copy.
  ASSERT_EQ(own.push(from_bob.message), PushStatus::ok);
  auto last = own.pop(kPatience);
  ASSERT_TRUE(last);
  EXPECT_EQ(last.message.text(), text);
  out.close();
  bob.join();
}

// Passed on by reference, and its producer is gone: the private pipe's slot is all that has it.
TEST_F(SharedPipeTest, AMessageOutlivesItsProducerInAPrivatePipe) {
  Session relay = connect(domain());
  Pipe shared = relay.pipe("shared-in");
  Pipe own = relay.pipe("own");
  const std::string text = text_of(5000);
  {
    Session producer = connect(domain());
    Pipe out = producer.pipe("shared-in");
    ASSERT_EQ(out.push(text), PushStatus::ok);
    auto popped = shared.pop(kPatience);
    ASSERT_TRUE(popped);
    ASSERT_EQ(own.push(popped.message), PushStatus::ok);
    popped = {};
  }
  ASSERT_TRUE(eventually([&] { return observer().status().sessions == 1; }));
  const auto last = own.pop(kPatience);
  ASSERT_TRUE(last);
  EXPECT_EQ(last.message.text(), text);
}

// Bob has a pipe open while `meanwhile` happens, and then does what he is to do with it.
void with_bob(const std::function<void()>& meanwhile, const std::function<int(Pipe&)>& then) {
  const testing::Turn opened;
  const testing::Turn go;
  std::thread bob([&] {
    EXPECT_EQ(as(kBob,
                 [&] {
                   Session session = connect(domain("0"));
                   Pipe pipe = session.pipe("shared-a");
                   opened.give();
                   go.await();
                   return then(pipe);
                 }),
              0);
  });
  opened.await();
  meanwhile();
  go.give();
  bob.join();
}

// The next worker has to let its memory in as the last one did.
TEST_F(SharedPipeTest, AGuestGetsMoreMemoryAfterAWorkersRestart) {
  with_bob([&] { kill_worker(); },
           [](Pipe& pipe) {
             for (const std::size_t size : kSizes) {
               if (pipe.push(text_of(size)) != PushStatus::ok) return 1;
             }
             return 0;
           });
}

// It has to be told: nothing that it sends with memory beside it would come through.
TEST_F(SharedPipeTest, AGuestThatMayOnlyLookAfterAWorkersRestartIsRefusedMemory) {
  const auto take_the_right = [&] {
    allow(user_rule(kBob, kRead));
    Client owner = observer();
    EXPECT_EQ(change(owner, wire::AccessChange::forget, user_rule(kBob, kWrite, "shared*")).type(),
              wire::MessageType::done);
    kill_worker();
  };
  with_bob(take_the_right,
           [](Pipe& pipe) { return pipe.push(text_of(5000)) == PushStatus::no_memory ? 0 : 1; });
}

// What stands in the owner's other messages is in no slab that Bob may map, and a slot by which he
// names such a slab is not followed by the owner's programs.
TEST_F(SharedPipeTest, AForgedReferenceIsNotFollowed) {
  Session session = connect(domain());
  Pipe secret = session.pipe("secret");
  Pipe in = session.pipe("shared-in");
  ASSERT_EQ(secret.push(text_of(5000)), PushStatus::ok);
  const auto victims_hold = secret.pop(kPatience);  // its slab is mapped: it would be found at once
  ASSERT_TRUE(victims_hold);
  EXPECT_EQ(as(kBob,
               [&] {
                 Client bob(door().socket);
                 bob.begin_session();
                 MappedPipe pipe(bob.open_pipe("shared-in"));
                 for (std::uint32_t generation = 1; generation < 8; ++generation) {
                   pipe.push_chunk(bob.welcome.session_index, {1, generation}, 0);
                 }
                 return pipe.view.is_drained() ? 1 : 0;
               }),
            0);
  int refused = 0;
  for (;;) {
    const auto popped = in.try_pop();
    if (popped.status == PopStatus::empty) break;
    EXPECT_EQ(popped.status, PopStatus::corrupt);
    if (++refused > 100) break;
  }
  EXPECT_EQ(refused, 7);
}

// Whether the session can push and pop more than the whole domain has room for.
void expect_memory_comes_back(Session& session, const char* name) {
  Pipe own = session.pipe(name);
  const std::string text = text_of(1 << 20);
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(own.push(text, kPatience), PushStatus::ok) << "message " << i;
    ASSERT_TRUE(own.pop(kPatience)) << "message " << i;
  }
}

// Bob's life: he is handed the slab of one message, and then says what he likes of himself.
void view_shared_slab(const std::string& socket, const std::function<void(Client&)>& then) {
  become(kBob);
  static std::optional<Client> bob;
  bob.emplace(socket);
  bob->begin_session();
  const MappedPipe pipe(bob->open_pipe("shared-in"));
  SegmentId named;
  pipe.view.for_each_reference([&](SegmentId segment, std::uint32_t) { named = segment; });
  auto get = wire::make<wire::SegmentGet>(0);
  get.index = named.index;
  get.generation = named.generation;
  if (bob->ask(get).type() != wire::MessageType::segment_got) ::_exit(1);
  then(*bob);
}

TEST_F(SmallNodeTest, WhoSpoilsItsOwnSegmentKeepsNoMemoryOfOtherPipes) {
  Session session = connect(domain());
  Pipe shared = session.pipe("shared-in");
  ASSERT_EQ(shared.push(text_of(100'000)), PushStatus::ok);
  const Victim bob([&] {
    view_shared_slab(door().socket, [](Client& client) {
      const auto header = client.record->segment().at<layout::SegmentHeader>(0);
      (*header)->magic.store(1);
    });
  });
  ASSERT_TRUE(bob.lived());
  expect_memory_comes_back(session, "own");
}

TEST_F(SmallNodeTest, WhoCountsWhatItNeverSawKeepsNoMemoryOfOtherPipes) {
  Session session = connect(domain());
  Pipe shared = session.pipe("shared-in");
  ASSERT_EQ(shared.push(text_of(100'000)), PushStatus::ok);
  const Victim bob([&] {
    view_shared_slab(door().socket, [](Client& client) {
      for (std::uint32_t index = 1; index <= 64; ++index) {
        // The node numbers its slabs as they come.
        auto row = client.record->add_row({index, index}, 64);
        if (!row) ::_exit(2);
        for (layout::HoldCount& count : *row) count.store(1);
      }
    });
  });
  ASSERT_TRUE(bob.lived());
  expect_memory_comes_back(session, "own");
}

TEST_F(SharedPipeTest, WithoutARightConnectingIsDeniedByName) {
  EXPECT_EQ(as(kMallory,
               [] {
                 for (const bool observer : {true, false}) {
                   ConnectOptions options = domain("0");
                   options.observer = observer;
                   try {
                     connect(options);
                     return 1;
                   } catch (const Error& error) {
                     if (error.code() != Error::access_denied) return 2;
                   }
                 }
                 return 0;
               }),
            0);
}

TEST_F(SharedPipeTest, NobodyStartsAnothersNode) {
  daemon_.reset();
  EXPECT_EQ(as(kBob,
               [] {
                 ConnectOptions options = domain("0");
                 options.start_node = true;
                 try {
                   connect(options);
                   return 1;
                 } catch (const Error& error) {
                   return error.code() == Error::access_denied ? 0 : 2;
                 }
               }),
            0);
}

}  // namespace
}  // namespace tarn::raw
