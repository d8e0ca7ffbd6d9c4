// Who may do what: each kind of subject, right and object, with real accounts at a real node.

#include <gtest/gtest.h>

#include "tests/e2e/access/access_fixture.h"

namespace tarn::raw {
namespace {

using wire::MessageType;
using wire::SubjectKind;

// What an account could do at the door.
enum Deed : int {
  kCameIn = 1,
  kBegan = 2,  // a session
  kSawA = 4,
  kOpenedA = 8,
  kSawB = 16,
  kOpenedB = 32,
  kSawOthers = 64,
};
constexpr int kLook = kCameIn | kSawA | kSawB;
constexpr int kEverything = kLook | kBegan | kOpenedA | kOpenedB;

int try_all(const std::string& door) {
  Client observer(door);
  if (!observer.is_connected()) return 0;
  const Packet welcome = observer.observe();
  if (welcome.type() != MessageType::welcome) {
    // Refused by name, and with nothing beside it.
    return welcome.code() == Error::access_denied && welcome.descriptors.empty() ? 0 : 99;
  }
  int deeds = kCameIn;
  for (const auto& pipe : observer.pipes()) {
    if (wire::get_text(pipe.name) == "a") deeds |= kSawA;
    if (wire::get_text(pipe.name) == "b") deeds |= kSawB;
  }
  if (!observer.sessions().empty() || observer.status().sessions != 0) deeds |= kSawOthers;
  Client session(door);
  if (session.begin_session().type() != MessageType::welcome) return deeds;
  deeds |= kBegan;
  for (const auto& [name, deed] : {std::pair{"a", kOpenedA}, std::pair{"b", kOpenedB}}) {
    const Packet opened = session.open_pipe(name, 0, wire::OpenMode::open_only);
    if (opened.type() == MessageType::pipe_opened) deeds |= deed;
    if (opened.type() != MessageType::pipe_opened && opened.code() != Error::access_denied) {
      return 98;
    }
  }
  session.ask<wire::Goodbye>();
  return deeds;
}

TEST_F(AccessTest, NobodyElseHasADoor) {
  start();
  EXPECT_EQ(as(kBob, [&] { return try_all(door().socket); }), 0);
  EXPECT_FALSE(std::filesystem::exists(door().directory));
  EXPECT_EQ(access().door_open, 0u);
}

TEST_F(AccessTest, EachSubjectEachRightOnEachObject) {
  start();
  make_pipe("a");
  make_pipe("b");
  Client witness = session();  // somebody whom nobody else may see
  const std::string socket = door().socket;
  struct Subject {
    const char* what;
    SubjectKind kind;
    std::uint32_t id;
    Account who;
    bool is_everybody;
  };
  const Subject subjects[] = {
      {"a user", SubjectKind::user, kBob.uid, kBob, false},
      {"a group that is the first", SubjectKind::group, kLab, kCarol, false},
      {"a group among others", SubjectKind::group, kLab, kBobInLab, false},
      {"the world", SubjectKind::world, 0, kBob, true},
  };
  struct Grant {
    const char* what;
    wire::AccessRight right;
    const char* pipe;
    int deeds;
  };
  const Grant grants[] = {
      {"nothing at all", kNone, "", 0},
      {"reading the domain", kRead, "", kLook},
      {"writing the domain", kWrite, "", kEverything},
      {"reading one pipe", kRead, "a", kCameIn | kSawA},
      {"writing one pipe", kWrite, "a", kCameIn | kSawA | kBegan | kOpenedA},
      {"reading by a pattern", kRead, "a*", kCameIn | kSawA},
      {"writing by a pattern", kWrite, "*", kEverything},
  };
  for (const Subject& subject : subjects) {
    for (const Grant& grant : grants) {
      allow(make_rule(subject.kind, subject.id, grant.right, grant.pipe));
      const auto what = std::string(subject.what) + ", " + grant.what;
      EXPECT_EQ(as(subject.who, [&] { return try_all(socket); }), grant.deeds) << what;
      const int others = subject.is_everybody ? grant.deeds : 0;
      EXPECT_EQ(as(kMallory, [&] { return try_all(socket); }), others) << what << ", a stranger";
      reset();
    }
  }
  EXPECT_EQ(as(kBob, [&] { return try_all(socket); }), 0) << "the door goes with the last rule";
  EXPECT_TRUE(std::filesystem::is_empty(doors_));
}

TEST_F(AccessTest, APipesOwnRulesLimitWhatTheDomainGives) {
  start();
  make_pipe("a");
  make_pipe("b");
  allow(user_rule(kBob, kWrite));
  allow(make_rule(SubjectKind::world, 0, kRead, "a"));
  allow(user_rule(kBob, kNone, "b"));
  EXPECT_EQ(as(kBob, [&] { return try_all(door().socket); }), kCameIn | kBegan | kSawA);
}

TEST_F(AccessTest, TheOwnerIsNeverJudged) {
  start();
  make_pipe("a");
  allow(make_rule(SubjectKind::world, 0, kNone));
  allow(make_rule(SubjectKind::world, 0, kRead, "a"));
  Client owner = session();
  EXPECT_EQ(owner.open_pipe("a").type(), MessageType::pipe_opened);
  EXPECT_EQ(owner.pipes().size(), 1u);
}

TEST_F(AccessTest, WhoMayWriteMayCreateAndRemoveItsOwnPipesOnly) {
  start();
  make_pipe("lab-owners");
  allow(user_rule(kBob, kWrite, "lab-*"));
  EXPECT_EQ(as(kBob,
               [&] {
                 Client bob(door().socket);
                 bob.begin_session();
                 if (bob.open_pipe("lab-bobs").type() != MessageType::pipe_opened) return 1;
                 if (bob.open_pipe("spectra").code() != Error::access_denied) return 2;
                 if (bob.remove_pipe("lab-owners").code() != Error::access_denied) return 3;
                 if (bob.remove_pipe("spectra").code() != Error::access_denied) return 4;
                 if (bob.remove_pipe("lab-nobodys").code() != Error::not_found) return 5;
                 return bob.remove_pipe("lab-bobs").type() == MessageType::done ? 0 : 6;
               }),
            0);
}

TEST_F(AccessTest, RulesAndTheDoorOutliveTheWorker) {
  start({"--access", "user:40001:read-write:pipe=a", "--access", "world:read:pipe=b"});
  make_pipe("a");
  make_pipe("b");
  wire::AccessQuota quota{};
  quota.pipes = 3;
  set_quota(kBob.uid, quota);
  constexpr int kBobs = kCameIn | kSawA | kSawB | kBegan | kOpenedA;
  for (int life = 0; life < 3; ++life) {
    EXPECT_EQ(access().rule_count, 2u) << life;
    EXPECT_EQ(access().door_open, 1u) << life;
    EXPECT_EQ(access().accounts[1].quota.pipes, 3u) << life;
    EXPECT_EQ(as(kBob, [&] { return try_all(door().socket); }), kBobs) << life;
    EXPECT_EQ(as(kMallory, [&] { return try_all(door().socket); }), kCameIn | kSawB) << life;
    kill_worker();
  }
}

TEST_F(AccessTest, ASessionOfAnotherAccountResumesAtTheNextWorker) {
  start({"--access", "user:40001:read-write:pipe=a"});
  // The keeper is ready before its first worker has opened the door; who is answered comes after.
  ASSERT_EQ(access().door_open, 1u);
  EXPECT_EQ(as(kBob,
               [&] {
                 Client bob(door().socket);
                 bob.begin_session();
                 if (bob.open_pipe("a").type() != MessageType::pipe_opened) return 1;
                 bob.disconnect();
                 bob.reconnect();
                 if (bob.resume().type() != MessageType::welcome) return 2;
                 return bob.open_pipe("a").type() == MessageType::pipe_opened ? 0 : 3;
               }),
            0);
}

TEST_F(AccessTest, AWithdrawnRightCountsAtOnce) {
  start();
  allow(user_rule(kBob, kWrite, "a"));
  int to_bob[2];
  int to_us[2];
  ASSERT_EQ(::pipe(to_bob), 0);
  ASSERT_EQ(::pipe(to_us), 0);
  char token = 'x';
  std::thread bob_life([&] {
    EXPECT_EQ(as(kBob,
                 [&] {
                   Client bob(door().socket);
                   bob.begin_session();
                   if (bob.open_pipe("a").type() != MessageType::pipe_opened) return 1;
                   if (::write(to_us[1], &token, 1) != 1 || ::read(to_bob[0], &token, 1) != 1) {
                     return 2;
                   }
                   if (bob.open_pipe("a").code() != Error::access_denied) return 3;
                   if (bob.ask<wire::StatusGet>().code() != Error::access_denied) return 4;
                   if (::write(to_us[1], &token, 1) != 1 || ::read(to_bob[0], &token, 1) != 1) {
                     return 5;
                   }
                   if (!bob.receive().ended()) return 6;
                   bob.reconnect();
                   return bob.is_connected() && bob.resume().type() == MessageType::welcome ? 7 : 0;
                 }),
              0);
  });
  Client owner = observer();
  EXPECT_EQ(::read(to_us[0], &token, 1), 1);
  EXPECT_EQ(change(owner, wire::AccessChange::forget, user_rule(kBob, kNone, "a")).type(),
            MessageType::done);
  EXPECT_EQ(::write(to_bob[1], &token, 1), 1);
  EXPECT_EQ(::read(to_us[0], &token, 1), 1);
  EXPECT_EQ(change(owner, wire::AccessChange::reset, {}, true).type(), MessageType::done);
  EXPECT_EQ(::write(to_bob[1], &token, 1), 1);
  bob_life.join();
  for (const int end : {to_bob[0], to_bob[1], to_us[0], to_us[1]}) ::close(end);
}

TEST_F(AccessTest, NonsenseRulesAreRefused) {
  start();
  Client owner = observer();
  const auto refusal = [&](const wire::AccessRule& rule) {
    return change(owner, wire::AccessChange::put, rule).code();
  };
  EXPECT_EQ(refusal(make_rule(static_cast<SubjectKind>(9), 1, kRead)), Error::invalid_argument);
  EXPECT_EQ(refusal(make_rule(SubjectKind::user, 1, static_cast<wire::AccessRight>(9))),
            Error::invalid_argument);
  EXPECT_EQ(refusal(make_rule(SubjectKind::user, wire::kEveryUid, kRead)), Error::invalid_argument);
  EXPECT_EQ(refusal(make_rule(SubjectKind::world, 1, kRead)), Error::invalid_argument);
  EXPECT_EQ(refusal(make_rule(SubjectKind::user, 1, kRead, "a*b")), Error::invalid_argument);
  auto endless = make_rule(SubjectKind::user, 1, kRead);
  endless.pipe.fill('a');
  EXPECT_EQ(refusal(endless), Error::invalid_argument);
  EXPECT_EQ(change(owner, wire::AccessChange::forget, user_rule(kBob, kRead)).code(),
            Error::not_found);
  for (std::uint32_t i = 0; i < wire::kMostAccessRules; ++i) {
    ASSERT_EQ(refusal(make_rule(SubjectKind::user, 50000 + i, kNone)), Error::none);
  }
  EXPECT_EQ(refusal(make_rule(SubjectKind::user, 60000, kNone)), Error::table_full);
  EXPECT_EQ(refusal(make_rule(SubjectKind::user, 50000, kNone)), Error::none) << "replaced";
}

}  // namespace
}  // namespace tarn::raw
