// The worker dies at every crash point of access: rules and quotas come and go, the door opens,
// turns to another group, and closes. Whatever the point, what was asked for is so in the end, and
// nobody has more rights meanwhile than before or after.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "testing/swept_points.h"
#include "tests/e2e/access/private_doors.h"
#include "tests/e2e/node_fixture.h"
#include "wire/access_messages.h"

namespace tarn::raw {
namespace {

using wire::AccessChange;
using wire::AccessRight;
using wire::MessageType;
using wire::SubjectKind;

constexpr std::uint32_t kBob = 40001;

wire::AccessRule make_rule(SubjectKind subject, std::uint32_t id, AccessRight right,
                           std::string_view pipe = {}) {
  wire::AccessRule rule{};
  rule.subject = subject;
  rule.id = id;
  rule.right = right;
  wire::put_text(rule.pipe, pipe);
  return rule;
}

class AccessCrashTest : public NodeTest {
 protected:
  std::string door() const {
    return wire::door_paths({"test", "tester"}, doors_.path(), os::own_uid())->socket;
  }
  static wire::AccessPage access(Client& owner) {
    const auto page = owner.insist(wire::make<wire::AccessGet>(0)).as<wire::AccessPage>();
    return page ? *page : wire::AccessPage{};
  }
  static void change(Client& owner, AccessChange what, const wire::AccessRule& rule = {}) {
    auto ask = wire::make<wire::AccessSet>(0);
    ask.change = what;
    ask.rule = rule;
    const Packet packet = owner.insist(ask);
    // Asked twice because the answer was lost: then a rule is forgotten already.
    const bool is_gone = what == AccessChange::forget && packet.code() == Error::not_found;
    EXPECT_TRUE(packet.type() == MessageType::done || is_gone) << packet.error().what();
  }
  static void set_quota(Client& owner, std::uint32_t uid, std::uint32_t pipes) {
    auto ask = wire::make<wire::AccessQuotaSet>(0);
    ask.uid = uid;
    ask.forget = pipes == 0 ? 1 : 0;
    ask.quota.pipes = pipes;
    EXPECT_EQ(owner.insist(ask).type(), MessageType::done);
  }
  // The rules are these, no more, and none twice.
  static void expect_rules(Client& owner, const std::vector<wire::AccessRule>& expected) {
    const auto page = access(owner);
    ASSERT_EQ(page.rule_count, expected.size());
    for (const wire::AccessRule& rule : expected) {
      const auto count = std::count_if(
          page.rules.begin(), page.rules.begin() + page.rule_count,
          [&](const wire::AccessRule& each) {
            return each.subject == rule.subject && each.id == rule.id && each.right == rule.right &&
                   wire::get_text(each.pipe) == wire::get_text(rule.pipe);
          });
      EXPECT_EQ(count, 1);
    }
    EXPECT_EQ(page.problem[0], '\0');
  }
  // Somebody answers there, whom the node judges; its owner is let in.
  void expect_door(Client& owner, std::uint32_t mode) {
    EXPECT_EQ(access(owner).door_open, 1u);
    EXPECT_TRUE(eventually([&] {
      Client visitor(door());
      return visitor.is_connected() && visitor.observe().type() == MessageType::welcome;
    }));
    struct stat facts {};
    ASSERT_EQ(::stat(door().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, mode);
  }

  void live(Client& owner) {
    const auto bob = make_rule(SubjectKind::user, kBob, AccessRight::read_write, "a");
    const auto lab = make_rule(SubjectKind::group, ::getgid(), AccessRight::read);
    const auto denied = make_rule(SubjectKind::world, 0, AccessRight::none, "secret");
    change(owner, AccessChange::put, bob);
    expect_rules(owner, {bob});
    expect_door(owner, 0666);
    change(owner, AccessChange::put, lab);
    change(owner, AccessChange::put, denied);
    change(owner, AccessChange::put, bob);
    expect_rules(owner, {bob, lab, denied});
    set_quota(owner, kBob, 7);
    change(owner, AccessChange::forget, bob);
    expect_rules(owner, {lab, denied});
    expect_door(owner, 0660);
    EXPECT_EQ(access(owner).account_count, 2u);
    set_quota(owner, kBob, 0);
    EXPECT_EQ(access(owner).account_count, 1u);
    change(owner, AccessChange::reset);
    expect_rules(owner, {});
    EXPECT_EQ(access(owner).door_open, 0u);
    EXPECT_TRUE(doors_.is_empty()) << "a door is left";
  }

  // Returns how often a worker was started.
  std::uint32_t one_life(std::uint64_t crash_at) {
    const std::string wish = "access.:" + std::to_string(crash_at);
    start({}, [&] { ::setenv("TARN_CRASH_AT", wish.c_str(), 1); });
    Client owner(socket_path());
    EXPECT_EQ(owner.insist_on_session().type(), MessageType::welcome);
    live(owner);
    const auto status = owner.insist(wire::make<wire::StatusGet>(0)).as<wire::StatusReply>();
    owner.insist(wire::make<wire::Goodbye>(0));
    daemon_.reset();
    EXPECT_TRUE(place_.is_empty());
    return status ? status->worker_starts : 0;
  }

  const PrivateDoors doors_;
};

TEST_F(AccessCrashTest, EveryPointEndsWithTheRulesThatWereAskedFor) {
  const testing::SweptPoints swept;
  std::uint64_t crash_at = 1;
  for (;; ++crash_at) {
    SCOPED_TRACE("crash point " + std::to_string(crash_at));
    ::alarm(kWatchdogSeconds);
    const std::uint32_t starts = one_life(crash_at);
    if (HasFailure() || starts == 1) break;
    EXPECT_EQ(starts, 2u);
  }
  swept.expect_all({"access.rule.stored", "access.rule.dropped", "access.quota.stored",
                    "access.quota.dropped", "access.door.opened", "access.door.stored",
                    "access.door.removed"});
  RecordProperty("crash_points", std::to_string(crash_at - 1));
}

// Bob's life: he opens the pipe, whichever worker answers.
int open_from_the_door(const std::string& door) {
  if (::setresgid(kBob, kBob, kBob) != 0 || ::setresuid(kBob, kBob, kBob) != 0) return 1;
  Client bob(door);
  if (bob.insist_on_session().type() != MessageType::welcome) return 2;
  auto ask = wire::make<wire::PipeOpen>(0);
  wire::put_text(ask.name, "a");
  return bob.insist(ask).type() == MessageType::pipe_opened ? 0 : 3;
}

TEST_F(AccessCrashTest, APipeThatIsRenewedForOthersIsThereOnceInTheEnd) {
  if (::getuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  const testing::SweptPoints swept;
  for (std::uint64_t crash_at = 1;; ++crash_at) {
    SCOPED_TRACE("crash point " + std::to_string(crash_at));
    ::alarm(kWatchdogSeconds);
    const std::string wish = "node.renew_pipe.:" + std::to_string(crash_at);
    start({}, [&] { ::setenv("TARN_CRASH_AT", wish.c_str(), 1); });
    Client owner(socket_path());
    EXPECT_EQ(owner.insist_on_session().type(), MessageType::welcome);
    const auto opened = owner.open_pipe("a", 8).as<wire::PipeOpened>();
    ASSERT_TRUE(opened);
    EXPECT_EQ(owner.leave_pipe(opened->pipe_id).type(), MessageType::done);
    change(owner, AccessChange::put,
           make_rule(SubjectKind::user, kBob, AccessRight::read_write, "a"));
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(kWatchdogSeconds);
      ::_exit(open_from_the_door(door()));
    }
    int raw = 0;
    ::waitpid(child, &raw, 0);
    EXPECT_EQ(raw, 0);
    const auto status = owner.insist(wire::make<wire::StatusGet>(0)).as<wire::StatusReply>();
    ASSERT_TRUE(status);
    EXPECT_EQ(status->pipes, 1u);
    const std::uint32_t starts = status->worker_starts;
    owner.insist(wire::make<wire::Goodbye>(0));
    daemon_.reset();
    if (HasFailure() || starts == 1) break;
    EXPECT_EQ(starts, 2u);
  }
  swept.expect_all({"node.renew_pipe.unnamed"});
}

}  // namespace
}  // namespace tarn::raw
