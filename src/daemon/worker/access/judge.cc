#include "daemon/worker/access/judge.h"

#include <algorithm>

namespace tarn::daemon {
namespace {

using wire::SubjectKind;

bool is_about(const AccessRule& rule, const Credentials& caller) noexcept {
  switch (rule.subject) {
    case SubjectKind::user:
      return rule.id == caller.uid;
    case SubjectKind::group:
      return rule.id == caller.gid ||
             std::find(caller.groups.begin(), caller.groups.end(), rule.id) != caller.groups.end();
    case SubjectKind::world:
      return true;
  }
  return false;  // what no version knows gives no right
}

// How closely a rule fits a pipe: 0 not at all, 1 as one of the domain, then the length of the
// pattern, and a name of its own above all patterns.
std::size_t fit(const AccessRule& rule, std::string_view pipe) noexcept {
  constexpr std::size_t kDomain = 1;
  constexpr std::size_t kExact = 1000;
  const std::string_view object = wire::get_text(rule.pipe);
  if (object.empty()) return kDomain;
  if (pipe.empty()) return 0;
  if (object.back() != '*') return object == pipe ? kExact : 0;
  const std::string_view beginning = object.substr(0, object.size() - 1);
  return pipe.starts_with(beginning) ? kDomain + 1 + beginning.size() : 0;
}

std::size_t closest_fit(std::span<const AccessRule> rules, std::string_view pipe) noexcept {
  std::size_t closest = 0;
  for (const AccessRule& rule : rules) {
    // A denial decides by itself; it does not make the domain's rules void for everybody else.
    if (rule.right != AccessRight::none) closest = std::max(closest, fit(rule, pipe));
  }
  return closest;
}

bool is_known(AccessRight right) noexcept {
  return right == AccessRight::read || right == AccessRight::read_write;
}

}  // namespace

AccessRight judge(std::span<const AccessRule> rules, const Credentials& caller,
                  std::string_view pipe) noexcept {
  const std::size_t closest = closest_fit(rules, pipe);
  AccessRight best = AccessRight::none;
  for (const AccessRule& rule : rules) {
    const std::size_t fits = fit(rule, pipe);
    if (fits == 0 || !is_about(rule, caller)) continue;
    if (!is_known(rule.right)) return AccessRight::none;
    if (fits == closest) best = std::max(best, rule.right);
  }
  return best;
}

AccessRight judge_entry(std::span<const AccessRule> rules, const Credentials& caller) noexcept {
  AccessRight best = AccessRight::none;
  for (const AccessRule& rule : rules) {
    if (!is_about(rule, caller)) continue;
    const std::string_view object = wire::get_text(rule.pipe);
    if (!is_known(rule.right)) {
      if (object.empty()) return AccessRight::none;
      continue;
    }
    // Denied again on just what it was allowed: it opens nothing.
    const bool denied = std::any_of(rules.begin(), rules.end(), [&](const AccessRule& other) {
      return !is_known(other.right) && other.pipe == rule.pipe && is_about(other, caller);
    });
    if (!denied) best = std::max(best, rule.right);
  }
  return best;
}

bool is_for_others(std::span<const AccessRule> rules, std::string_view pipe) noexcept {
  const std::size_t closest = closest_fit(rules, pipe);
  return std::any_of(rules.begin(), rules.end(), [&](const AccessRule& rule) {
    return rule.right == AccessRight::read_write && fit(rule, pipe) == closest && closest != 0;
  });
}

}  // namespace tarn::daemon
