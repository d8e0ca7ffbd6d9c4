#include "wire/access_text.h"

#include <gtest/gtest.h>

namespace tarn::wire {
namespace {

std::optional<std::uint32_t> find(SubjectKind kind, const std::string& name) {
  if (kind == SubjectKind::user && name == "bob") return 1001;
  if (kind == SubjectKind::group && name == "lab") return 500;
  return std::nullopt;
}

Error::Code refusal(std::string_view text) {
  const auto rule = parse_rule(text, find);
  return rule ? Error::none : rule.error().code();
}

TEST(AccessTextTest, RulesAreReadAsTheyAreWritten) {
  struct Case {
    const char* text;
    SubjectKind subject;
    std::uint32_t id;
    AccessRight right;
    const char* pipe;
  };
  for (const Case& each : {
           Case{"user:bob:read", SubjectKind::user, 1001, AccessRight::read, ""},
           Case{"bob:read-write", SubjectKind::user, 1001, AccessRight::read_write, ""},
           Case{"user:77:none", SubjectKind::user, 77, AccessRight::none, ""},
           Case{"group:lab:rw", SubjectKind::group, 500, AccessRight::read_write, ""},
           Case{"world:read:pipe=results", SubjectKind::world, 0, AccessRight::read, "results"},
           Case{"group:9:read_write:pipe=a:b *", SubjectKind::group, 9, AccessRight::read_write,
                "a:b *"},
       }) {
    const auto rule = parse_rule(each.text, find);
    ASSERT_TRUE(rule) << each.text << ": " << rule.error().what();
    EXPECT_EQ(rule->subject, each.subject) << each.text;
    EXPECT_EQ(rule->id, each.id) << each.text;
    EXPECT_EQ(rule->right, each.right) << each.text;
    EXPECT_EQ(get_text(rule->pipe), each.pipe);
  }
}

TEST(AccessTextTest, NonsenseIsRefused) {
  for (const char* text :
       {"", "bob", "user:bob", "user::read", "user:nobody-here:read", "group:bob:read",
        "user:bob:write", "user:bob:", "user:4294967295:read", "user:4294967296:read",
        "world:read:pipe=", "world:read:pipe=a*b", "world:read:pipe=a/b", "world:read:pipe=**",
        "user:-1:read", "user:bob:read:pipe=\n"}) {
    EXPECT_EQ(refusal(text), Error::invalid_argument) << text;
  }
}

TEST(AccessTextTest, AListHasSemicolons) {
  const auto rules = parse_rules("bob:read;;group:lab:read-write:pipe=x;", find);
  ASSERT_TRUE(rules);
  ASSERT_EQ(rules->size(), 2u);
  EXPECT_EQ((*rules)[1].subject, SubjectKind::group);
  EXPECT_FALSE(parse_rules("bob:read;bob", find));
  EXPECT_TRUE(parse_rules("", find)->empty());
}

}  // namespace
}  // namespace tarn::wire
