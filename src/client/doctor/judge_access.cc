#include <algorithm>

#include "client/doctor/judge.h"

namespace tarn::doctor {
namespace {

constexpr const char* kSubject = "who may use the node";

// "2 rules give access to others"
std::string summary(const AccessStatus& access) {
  const auto giving =
      std::count_if(access.rules.begin(), access.rules.end(),
                    [](const AccessRule& rule) { return rule.right != Right::none; });
  return counted(static_cast<std::uint64_t>(giving), "rule") +
         (giving == 1 ? " lets others in" : " let others in");
}

}  // namespace

Findings judge(const AccessStatus& access) {
  Report report;
  const auto gives_world = [](const AccessRule& rule) {
    return rule.subject.kind == Subject::Kind::world && rule.right != Right::none;
  };
  if (!access.problem.empty()) {
    report.warning(kSubject, summary(access) + ", but they cannot reach it: " + access.problem,
                   "see who made that; or restart the node with TARN_DOORS at a safe directory");
  } else if (std::any_of(access.rules.begin(), access.rules.end(), gives_world)) {
    report.notice(kSubject, summary(access) + ", every account of this machine among them",
                  "see `tarn access`; `tarn access forget` takes a rule back");
  } else if (access.is_open) {
    report.ok(kSubject, summary(access));
  } else {
    report.ok(kSubject, "this account alone");
  }
  return report.take();
}

}  // namespace tarn::doctor
