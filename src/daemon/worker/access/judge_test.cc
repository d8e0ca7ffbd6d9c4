#include "daemon/worker/access/judge.h"

#include <gtest/gtest.h>

#include <string>

namespace tarn::daemon {
namespace {

using wire::SubjectKind;
constexpr auto kNone = AccessRight::none;
constexpr auto kRead = AccessRight::read;
constexpr auto kWrite = AccessRight::read_write;

constexpr std::uint32_t kBob = 1001;
constexpr std::uint32_t kCarol = 1002;
constexpr std::uint32_t kUsers = 100;
constexpr std::uint32_t kLab = 500;

const Credentials kBobIs{kBob, kUsers, {}};
const Credentials kBobInLab{kBob, kUsers, {7, kLab}};
const Credentials kCarolOfLab{kCarol, kLab, {}};

AccessRule rule(SubjectKind subject, std::uint32_t id, AccessRight right, const char* pipe = "") {
  AccessRule made{};
  made.subject = subject;
  made.id = id;
  made.right = right;
  wire::put_text(made.pipe, pipe);
  return made;
}
AccessRule user(std::uint32_t id, AccessRight right, const char* pipe = "") {
  return rule(SubjectKind::user, id, right, pipe);
}
AccessRule group(std::uint32_t id, AccessRight right, const char* pipe = "") {
  return rule(SubjectKind::group, id, right, pipe);
}
AccessRule world(AccessRight right, const char* pipe = "") {
  return rule(SubjectKind::world, 0, right, pipe);
}

struct Case {
  const char* what;
  std::vector<AccessRule> rules;
  Credentials caller;
  const char* pipe;
  AccessRight right;
};

TEST(JudgeTest, EachCaseOfTheTable) {
  const std::vector<Case> cases = {
      {"nobody is in no rule", {}, kBobIs, "", kNone},
      {"nor for a pipe", {}, kBobIs, "a", kNone},
      // Each subject, each right, on the domain.
      {"a user", {user(kBob, kRead)}, kBobIs, "", kRead},
      {"a user, writing", {user(kBob, kWrite)}, kBobIs, "", kWrite},
      {"another user", {user(kCarol, kWrite)}, kBobIs, "", kNone},
      {"a group's number is no user's", {user(kUsers, kWrite)}, kBobIs, "", kNone},
      {"a user's number is no group's", {group(kBob, kWrite)}, kBobIs, "", kNone},
      {"the first group", {group(kLab, kRead)}, kCarolOfLab, "", kRead},
      {"the first group, writing", {group(kLab, kWrite)}, kCarolOfLab, "", kWrite},
      {"a further group", {group(kLab, kWrite)}, kBobInLab, "", kWrite},
      {"no such group", {group(kLab, kWrite)}, kBobIs, "", kNone},
      {"the world", {world(kRead)}, kBobIs, "", kRead},
      {"the world, writing", {world(kWrite)}, kCarolOfLab, "", kWrite},
      {"the best of several", {world(kRead), group(kLab, kWrite)}, kBobInLab, "", kWrite},
      // The domain's rules hold for its pipes.
      {"any pipe", {user(kBob, kRead)}, kBobIs, "a", kRead},
      {"any pipe, writing", {group(kLab, kWrite)}, kBobInLab, "a", kWrite},
      // A pipe with rules of its own is judged by those alone.
      {"wider on one pipe", {user(kBob, kRead), user(kBob, kWrite, "a")}, kBobIs, "a", kWrite},
      {"not on another", {user(kBob, kRead), user(kBob, kWrite, "a")}, kBobIs, "b", kRead},
      {"narrower on one pipe", {user(kBob, kWrite), world(kRead, "a")}, kBobIs, "a", kRead},
      {"somebody else's pipe", {user(kBob, kWrite), user(kCarol, kWrite, "a")}, kBobIs, "a", kNone},
      {"a pipe's rule is none of the domain", {user(kBob, kWrite, "a")}, kBobIs, "", kNone},
      {"nor of another pipe", {user(kBob, kWrite, "a")}, kBobIs, "ab", kNone},
      // Patterns.
      {"a pattern", {world(kWrite, "lab-*")}, kBobIs, "lab-1", kWrite},
      {"its bare beginning", {world(kWrite, "lab-*")}, kBobIs, "lab-", kWrite},
      {"what does not begin so", {world(kWrite, "lab-*")}, kBobIs, "lab", kNone},
      {"every pipe, not the domain", {world(kRead, "*")}, kBobIs, "", kNone},
      {"every pipe", {world(kRead, "*")}, kBobIs, "x", kRead},
      {"the longest pattern", {world(kWrite, "a*"), world(kRead, "ab*")}, kBobIs, "abc", kRead},
      {"a name before patterns",
       {world(kRead, "abc"), world(kWrite, "abc*")},
       kBobIs,
       "abc",
       kRead},
      {"a pattern before the domain", {world(kWrite), world(kRead, "*")}, kBobIs, "x", kRead},
      // A denial wins.
      {"denied the domain", {world(kWrite), user(kBob, kNone)}, kBobIs, "", kNone},
      {"and its pipes", {world(kWrite, "a"), user(kBob, kNone)}, kBobIs, "a", kNone},
      {"others not", {world(kWrite), user(kBob, kNone)}, kCarolOfLab, "", kWrite},
      {"by a group", {user(kBob, kWrite), group(kLab, kNone)}, kBobInLab, "", kNone},
      {"denied one pipe", {world(kWrite), user(kBob, kNone, "a")}, kBobIs, "a", kNone},
      {"not the next", {world(kWrite), user(kBob, kNone, "a")}, kBobIs, "b", kWrite},
      {"others keep it", {world(kWrite), user(kBob, kNone, "a")}, kCarolOfLab, "a", kWrite},
      {"by a pattern", {world(kWrite, "ab"), user(kBob, kNone, "a*")}, kBobIs, "ab", kNone},
      {"a pipe for nobody", {user(kBob, kWrite), world(kNone, "a")}, kBobIs, "a", kNone},
      // What cannot be.
      {"an unknown right", {world(static_cast<AccessRight>(3))}, kBobIs, "", kNone},
      {"an unknown subject", {rule(static_cast<SubjectKind>(3), kBob, kWrite)}, kBobIs, "", kNone},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(judge(each.rules, each.caller, each.pipe), each.right) << each.what;
  }
}

TEST(JudgeTest, WhoHasARightOnAPipeMayComeIn) {
  const std::vector<AccessRule> rules = {user(kBob, kWrite, "a"), group(kLab, kRead, "b*")};
  EXPECT_EQ(judge_entry(rules, kBobIs), kWrite);
  EXPECT_EQ(judge_entry(rules, kCarolOfLab), kRead);
  EXPECT_EQ(judge_entry(rules, Credentials{7, 7, {}}), kNone);
  EXPECT_EQ(judge_entry({}, kBobIs), kNone);
}

TEST(JudgeTest, WhoIsDeniedTheDomainMayNotComeIn) {
  const std::vector<AccessRule> rules = {user(kBob, kWrite, "a"), world(kWrite), user(kBob, kNone)};
  EXPECT_EQ(judge_entry(rules, kBobIs), kNone);
  EXPECT_EQ(judge_entry(rules, kCarolOfLab), kWrite);
}

TEST(JudgeTest, WhoIsDeniedAllThatItWasAllowedMayNotComeIn) {
  const std::vector<AccessRule> rules = {group(kLab, kWrite, "a"), user(kBob, kNone, "a")};
  EXPECT_EQ(judge_entry(rules, kBobInLab), kNone);
  EXPECT_EQ(judge_entry(rules, kCarolOfLab), kWrite);
}

TEST(JudgeTest, APipeIsForOthersWhenSomebodyMayOpenIt) {
  EXPECT_FALSE(is_for_others({}, "a"));
  EXPECT_FALSE(is_for_others(std::vector{world(kRead)}, "a"));
  EXPECT_FALSE(is_for_others(std::vector{world(kNone)}, "a"));
  EXPECT_TRUE(is_for_others(std::vector{user(kBob, kWrite)}, "a"));
  EXPECT_TRUE(is_for_others(std::vector{user(kBob, kWrite, "a*")}, "a"));
  EXPECT_FALSE(is_for_others(std::vector{user(kBob, kWrite, "b")}, "a"));
  EXPECT_FALSE(is_for_others(std::vector{user(kBob, kWrite), world(kRead, "a")}, "a"));
}

}  // namespace
}  // namespace tarn::daemon
