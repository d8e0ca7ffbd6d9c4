// access_fixture.h - a node, and processes of other accounts that come to its door.
//
// Only root can become somebody else: without it these tests do not run.
#pragma once

#include <grp.h>
#include <sys/prctl.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/e2e/access/private_doors.h"
#include "tests/e2e/node_fixture.h"
#include "wire/access_messages.h"
#include "wire/names.h"

namespace tarn::raw {

// Somebody else. No such accounts need exist.
struct Account {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<gid_t> groups{};
};

inline const Account kBob{40001, 40001, {}};
inline const Account kBobInLab{40001, 40001, {40100}};
inline const Account kCarol{40002, 40100, {}};
inline const Account kMallory{40003, 40003, {}};
inline constexpr std::uint32_t kLab = 40100;

inline void become(const Account& account) {
  const bool done = ::setgroups(account.groups.size(), account.groups.data()) == 0 &&
                    ::setresgid(account.gid, account.gid, account.gid) == 0 &&
                    ::setresuid(account.uid, account.uid, account.uid) == 0;
  if (!done) ::_exit(90);
}

// Runs `life` in a process of that account; what it returns, or minus the signal that ended it.
inline int as(const Account& account, const std::function<int()>& life) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(kWatchdogSeconds);
    become(account);
    ::_exit(life());
  }
  int raw = 0;
  ::waitpid(child, &raw, 0);
  return WIFEXITED(raw) ? WEXITSTATUS(raw) : -WTERMSIG(raw);
}

inline wire::AccessRule make_rule(wire::SubjectKind subject, std::uint32_t id,
                                  wire::AccessRight right, std::string_view pipe = {}) {
  wire::AccessRule rule{};
  rule.subject = subject;
  rule.id = id;
  rule.right = right;
  wire::put_text(rule.pipe, pipe);
  return rule;
}
inline wire::AccessRule user_rule(const Account& account, wire::AccessRight right,
                                  std::string_view pipe = {}) {
  return make_rule(wire::SubjectKind::user, account.uid, right, pipe);
}

class AccessTest : public NodeTest {
 protected:
  static constexpr auto kRead = wire::AccessRight::read;
  static constexpr auto kWrite = wire::AccessRight::read_write;
  static constexpr auto kNone = wire::AccessRight::none;

  void SetUp() override {
    if (::getuid() != 0) GTEST_SKIP() << "only root can become somebody else";
    NodeTest::SetUp();
  }
  void TearDown() override {
    if (::getuid() != 0) return;
    NodeTest::TearDown();
    EXPECT_TRUE(keeps_doors_ || folder_of_doors_.is_empty()) << "a door is left";
  }
  wire::DoorPaths door() const { return *wire::door_paths({"test", "tester"}, doors_, owner_uid_); }

  // What the owner says.
  static Packet change(Client& owner, wire::AccessChange what, const wire::AccessRule& rule = {},
                       bool disconnect = false) {
    auto ask = wire::make<wire::AccessSet>(0);
    ask.change = what;
    ask.rule = rule;
    ask.disconnect = disconnect ? 1 : 0;
    return owner.ask(ask);
  }
  void allow(const wire::AccessRule& rule) {
    Client owner = observer();
    const Packet answer = change(owner, wire::AccessChange::put, rule);
    ASSERT_EQ(answer.type(), wire::MessageType::done) << answer.error().what();
  }
  void reset() {
    Client owner = observer();
    ASSERT_EQ(change(owner, wire::AccessChange::reset).type(), wire::MessageType::done);
  }
  void set_quota(std::uint32_t uid, const wire::AccessQuota& quota) {
    auto ask = wire::make<wire::AccessQuotaSet>(0);
    ask.uid = uid;
    ask.quota = quota;
    ASSERT_EQ(observer().ask(ask).type(), wire::MessageType::done);
  }
  wire::AccessPage access() {
    const auto page = observer().ask<wire::AccessGet>().as<wire::AccessPage>();
    return page ? *page : wire::AccessPage{};
  }
  // A pipe that nobody has open.
  void make_pipe(std::string_view name) {
    Client maker = session();
    ASSERT_EQ(maker.open_pipe(name).type(), wire::MessageType::pipe_opened);
    ASSERT_EQ(maker.ask<wire::Goodbye>().type(), wire::MessageType::done);
  }

  const std::uint32_t owner_uid_ = os::own_uid();  // also in a process that became another
  PrivateDoors folder_of_doors_;
  const std::string& doors_ = folder_of_doors_.path();
  bool keeps_doors_ = false;
};

}  // namespace tarn::raw
