#include <gtest/gtest.h>

#include "client/doctor/judge.h"

namespace tarn::doctor {
namespace {

AccessStatus open_to(Subject::Kind kind, Right right) {
  AccessStatus status;
  status.is_open = right != Right::none;
  status.rules.push_back({{kind, 0}, right, {}});
  return status;
}

Finding only(const AccessStatus& status) {
  const Findings all = judge(status);
  EXPECT_EQ(all.size(), 1u);
  return all.empty() ? Finding{} : all.front();
}

TEST(DoctorAccessTest, ThisAccountAloneIsFine) {
  EXPECT_EQ(only(AccessStatus{}).severity, Severity::ok);
  EXPECT_EQ(only(open_to(Subject::Kind::world, Right::none)).severity, Severity::ok);
}

TEST(DoctorAccessTest, NamedAccountsAreFine) {
  EXPECT_EQ(only(open_to(Subject::Kind::user, Right::read_write)).severity, Severity::ok);
  EXPECT_EQ(only(open_to(Subject::Kind::group, Right::read)).severity, Severity::ok);
}

TEST(DoctorAccessTest, EverybodyIsWorthANotice) {
  const Finding finding = only(open_to(Subject::Kind::world, Right::read));
  EXPECT_EQ(finding.severity, Severity::notice);
  EXPECT_FALSE(finding.cure.empty());
}

TEST(DoctorAccessTest, ADoorThatCannotBeOpenedIsAWarning) {
  AccessStatus status = open_to(Subject::Kind::user, Right::read);
  status.is_open = false;
  status.problem = "'/tmp/tarn-door-0' belongs to uid 7";
  EXPECT_EQ(only(status).severity, Severity::warning);
}

}  // namespace
}  // namespace tarn::doctor
