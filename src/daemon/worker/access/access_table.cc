#include "daemon/worker/access/access_table.h"

#include <algorithm>
#include <array>

#include "base/crash_point.h"
#include "base/log.h"
#include "daemon/door.h"
#include "wire/access_text.h"

namespace tarn::daemon {
namespace {

using wire::SubjectKind;

bool gives_something(const AccessRule& rule) noexcept { return rule.right != AccessRight::none; }

}  // namespace

FullStatus check_rule(const AccessRule& rule) {
  const auto refuse = [](const char* why) {
    return Error(Error::invalid_argument, "change who may use the node", why,
                 "use a library of the node's version");
  };
  if (rule.subject > SubjectKind::world) return refuse("a subject of an unknown kind");
  if (rule.right > AccessRight::read_write) return refuse("an unknown right");
  if (rule.subject == SubjectKind::world && rule.id != 0) return refuse("a world with a number");
  if (rule.subject != SubjectKind::world && rule.id == wire::kEveryUid) {
    return refuse("a number that no account has");
  }
  if (rule.pipe.back() != '\0') return refuse("a pipe's name without an end");
  return wire::check_access_object(wire::get_text(rule.pipe));
}

AccessRight AccessTable::on_pipe(const Credentials& caller, std::string_view pipe) const noexcept {
  return is_owner(caller) ? AccessRight::read_write : judge(rules_, caller, pipe);
}

AccessRight AccessTable::on_entry(const Credentials& caller) const noexcept {
  return is_owner(caller) ? AccessRight::read_write : judge_entry(rules_, caller);
}

std::size_t AccessTable::find(const AccessRule& like) const noexcept {
  const auto found = std::find_if(rules_.begin(), rules_.end(), [&](const AccessRule& rule) {
    return rule.subject == like.subject && rule.id == like.id &&
           wire::get_text(rule.pipe) == wire::get_text(like.pipe);
  });
  return static_cast<std::size_t>(found - rules_.begin());
}

// Crash: the record is the commit point.
FullStatus AccessTable::put(const AccessRule& rule) {
  if (auto good = check_rule(rule); !good) return good;
  AccessRule clean{rule.subject, rule.id, rule.right, 0, {}};
  wire::put_text(clean.pipe, wire::get_text(rule.pipe));
  const std::size_t at = find(clean);
  if (at == rules_.size()) {
    if (rules_.size() >= wire::kMostAccessRules) {
      return Error(Error::table_full, "change who may use the node",
                   "there are " + std::to_string(rules_.size()) + " rules already",
                   "write one for a group, or with a '*'");
    }
    rules_.push_back(clean);
    numbers_.push_back(++last_number_);
  }
  rules_[at] = clean;
  sink_.put(StoredAccessRule{numbers_[at], 0, clean});
  TARN_CRASH_POINT("access.rule.stored");
  return Done{};
}

bool AccessTable::forget(const AccessRule& rule) {
  const std::size_t at = find(rule);
  if (at == rules_.size()) return false;
  sink_.drop(StoredAccessRule{numbers_[at], 0, rules_[at]});
  TARN_CRASH_POINT("access.rule.dropped");
  rules_.erase(rules_.begin() + static_cast<std::ptrdiff_t>(at));
  numbers_.erase(numbers_.begin() + static_cast<std::ptrdiff_t>(at));
  return true;
}

// Crash: what was allowed goes before what was denied, so that a worker which dies in the middle
//        leaves nobody more rights than before.
void AccessTable::reset() {
  for (const bool giving : {true, false}) {
    for (std::size_t i = rules_.size(); i-- > 0;) {
      if (gives_something(rules_[i]) == giving) forget(AccessRule(rules_[i]));
    }
  }
  while (!quotas_.empty()) forget_quota(quotas_.begin()->first);
}

const wire::AccessQuota* AccessTable::quota_given(std::uint32_t uid) const noexcept {
  const auto found = quotas_.find(uid);
  return found == quotas_.end() ? nullptr : &found->second;
}

FullStatus AccessTable::put_quota(std::uint32_t uid, const wire::AccessQuota& quota) {
  if (uid == owner_uid_) {
    return Error(Error::invalid_argument, "set a quota", "of the node's own account",
                 "quotas are for others; a session's own is ConnectOptions::quota_bytes");
  }
  if (!quotas_.contains(uid) && quotas_.size() >= kMostQuotas) {
    return Error(Error::table_full, "set a quota",
                 std::to_string(quotas_.size()) + " accounts have one already",
                 "set the default instead");
  }
  quotas_[uid] = quota;
  sink_.put(StoredAccessQuota{uid, 0, quota});
  TARN_CRASH_POINT("access.quota.stored");
  return Done{};
}

void AccessTable::forget_quota(std::uint32_t uid) {
  if (quotas_.erase(uid) == 0) return;
  sink_.drop(StoredAccessQuota{uid, 0, {}});
  TARN_CRASH_POINT("access.quota.dropped");
}

// The one group that all who are let in belong to; none when there are others, too.
std::optional<std::uint32_t> AccessTable::only_group() const noexcept {
  std::optional<std::uint32_t> group;
  for (const AccessRule& rule : rules_) {
    if (!gives_something(rule)) continue;
    if (rule.subject != SubjectKind::group || (group && *group != rule.id)) return std::nullopt;
    group = rule.id;
  }
  return group;
}

// Crash: a socket that the keeper does not have yet goes with the worker; the next one makes
//        another in its place.
void AccessTable::look_after_door() {
  lacks_descriptors_ = false;
  const bool wanted = std::any_of(rules_.begin(), rules_.end(), gives_something);
  if (!wanted) {
    problem_.clear();
    return close_door();
  }
  const auto group = only_group();
  const StoredDoor facts{group ? 1U : 0U, group.value_or(0)};
  const bool same = facts.has_group == door_facts_.has_group && facts.group == door_facts_.group;
  if (door_ && same) return problem_.clear();
  auto opened = open_door(paths_, group);
  if (!opened) {
    // Said once, however often it is tried.
    const std::string before = std::exchange(problem_, opened.error().what());
    if (problem_ != before) log_error("others cannot come in as the rules say: " + problem_);
    lacks_descriptors_ = opened.error().code() == Error::no_descriptors;
    return;
  }
  TARN_CRASH_POINT("access.door.opened");
  door_ = std::move(*opened);
  door_facts_ = facts;
  ++door_serial_;
  problem_.clear();
  sink_.put(facts, std::array{door_.get()});
  TARN_CRASH_POINT("access.door.stored");
  log_info("other accounts come in at '" + paths_.socket + "'");
}

void AccessTable::close_door() noexcept {
  if (!door_) return;
  remove_door(paths_);
  TARN_CRASH_POINT("access.door.removed");
  sink_.drop(door_facts_);
  door_.reset();
}

bool AccessTable::take(const StoredAccessRule& stored) {
  if (!check_rule(stored.rule) || rules_.size() >= wire::kMostAccessRules) return false;
  rules_.push_back(stored.rule);
  numbers_.push_back(stored.number);
  last_number_ = std::max(last_number_, stored.number);
  return true;
}

bool AccessTable::take(const StoredAccessQuota& stored) {
  quotas_[stored.uid] = stored.quota;
  return true;
}

bool AccessTable::take(const StoredDoor& stored, os::UniqueFd listener) {
  if (!listener) return false;
  door_ = std::move(listener);
  door_facts_ = stored;
  return true;
}

}  // namespace tarn::daemon
