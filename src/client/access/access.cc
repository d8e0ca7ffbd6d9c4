#include "tarn/access.h"

#include <algorithm>
#include <utility>

#include "client/access/access_status.h"
#include "client/observer.h"
#include "os/access/accounts.h"
#include "tarn/session.h"
#include "wire/access_messages.h"
#include "wire/access_text.h"

namespace tarn {
namespace {

constexpr const char* kChanging = "change who may use the node";
constexpr const char* kReading = "see who may use the node";

template <class T>
T unwrap(Result<T, Error> result) {
  if (!result) throw std::move(result).error();
  return *std::move(result);
}

template <class T, class Request>
T ask(const ConnectOptions& options, const Request& request, const char* attempted) {
  const auto observer = unwrap(detail::Observer::create(unwrap(domain_of(options))));
  return unwrap(observer->ask<T>(request, attempted));
}

std::optional<std::uint32_t> find_account(wire::SubjectKind kind, const std::string& name) {
  return kind == wire::SubjectKind::group ? os::find_group(name) : os::find_user(name);
}

wire::AccessRule to_wire(const AccessRule& rule) {
  if (auto good = wire::check_access_object(rule.pipe); !good) throw std::move(good).error();
  wire::AccessRule sent{};
  sent.subject = static_cast<wire::SubjectKind>(rule.subject.kind);
  sent.id = rule.subject.kind == Subject::Kind::world ? 0 : rule.subject.id;
  sent.right = static_cast<wire::AccessRight>(rule.right);
  wire::put_text(sent.pipe, rule.pipe);
  return sent;
}

AccessRule from_wire(const wire::AccessRule& rule) {
  return {{static_cast<Subject::Kind>(rule.subject), rule.id},
          static_cast<Right>(rule.right),
          std::string(wire::get_text(rule.pipe))};
}

wire::AccessQuota to_wire(const AccessQuota& quota) {
  wire::AccessQuota sent{};
  sent.bytes = quota.bytes;
  sent.sessions = quota.sessions;
  sent.connections = quota.connections;
  sent.pipes = quota.pipes;
  sent.descriptors = quota.descriptors;
  sent.requests_per_second = quota.requests_per_second;
  return sent;
}

AccessQuota from_wire(const wire::AccessQuota& quota) {
  return {quota.bytes, quota.sessions,    quota.connections,
          quota.pipes, quota.descriptors, quota.requests_per_second};
}

AccountShare from_wire(const wire::AccessAccount& account) {
  AccountShare share;
  if (account.uid != wire::kEveryUid) share.uid = account.uid;
  share.is_set = account.is_set != 0;
  share.quota = from_wire(account.quota);
  share.used = from_wire(account.used);
  return share;
}

void change(const ConnectOptions& options, wire::AccessChange what, const wire::AccessRule& rule,
            bool disconnect) {
  auto request = wire::make<wire::AccessSet>(0);
  request.change = what;
  request.disconnect = disconnect ? 1 : 0;
  request.rule = rule;
  ask<wire::DoneReply>(options, request, kChanging);
}

void take_in(AccessStatus& status, const wire::AccessPage& page) {
  status.owner = page.owner_uid;
  status.is_open = page.door_open != 0;
  status.door = wire::get_text(page.door);
  status.problem = wire::get_text(page.problem);
  const auto rules = std::min<std::size_t>(page.rule_count, page.rules.size());
  const auto accounts = std::min<std::size_t>(page.account_count, page.accounts.size());
  for (std::size_t i = 0; i < rules; ++i) status.rules.push_back(from_wire(page.rules[i]));
  for (std::size_t i = 0; i < accounts; ++i) {
    status.accounts.push_back(from_wire(page.accounts[i]));
  }
}

}  // namespace

Result<AccessStatus, Error> detail::ask_access_status(const Domain& domain) {
  auto observer = Observer::create(domain);
  if (!observer) return std::move(observer).error();
  AccessStatus status;
  auto request = wire::make<wire::AccessGet>(0);
  for (bool more = true; more;) {
    auto page = (*observer)->ask<wire::AccessPage>(request, kReading);
    if (!page) return std::move(page).error();
    const std::size_t before = status.rules.size() + status.accounts.size();
    take_in(status, *page);
    request.after_rules = static_cast<std::uint32_t>(status.rules.size());
    request.after_accounts = static_cast<std::uint32_t>(status.accounts.size());
    more = page->more != 0 && status.rules.size() + status.accounts.size() > before;
  }
  return status;
}

AccessStatus access_status(const ConnectOptions& options) {
  return unwrap(detail::ask_access_status(unwrap(domain_of(options))));
}

void set_access(const ConnectOptions& options, const AccessRule& rule, bool disconnect) {
  change(options, wire::AccessChange::put, to_wire(rule), disconnect);
}

void forget_access(const ConnectOptions& options, const AccessRule& rule, bool disconnect) {
  change(options, wire::AccessChange::forget, to_wire(rule), disconnect);
}

void reset_access(const ConnectOptions& options, bool disconnect) {
  change(options, wire::AccessChange::reset, {}, disconnect);
}

void set_quota(const ConnectOptions& options, std::optional<std::uint32_t> uid,
               const AccessQuota& quota) {
  auto request = wire::make<wire::AccessQuotaSet>(0);
  request.uid = uid.value_or(wire::kEveryUid);
  request.quota = to_wire(quota);
  ask<wire::DoneReply>(options, request, "set a quota");
}

void forget_quota(const ConnectOptions& options, std::optional<std::uint32_t> uid) {
  auto request = wire::make<wire::AccessQuotaSet>(0);
  request.uid = uid.value_or(wire::kEveryUid);
  request.forget = 1;
  ask<wire::DoneReply>(options, request, "set a quota");
}

Subject parse_subject(std::string_view text) {
  const auto subject = unwrap(wire::parse_subject(text, find_account));
  return {static_cast<Subject::Kind>(subject.kind), subject.id};
}

Right parse_right(std::string_view text) {
  return static_cast<Right>(unwrap(wire::parse_right(text)));
}

AccessRule parse_access_rule(std::string_view text) {
  return from_wire(unwrap(wire::parse_rule(text, find_account)));
}

std::string account_text(std::uint32_t uid) {
  const std::string name = os::user_name(uid);
  return name.empty() ? std::to_string(uid) : name;
}

std::string text_of(const Subject& subject) {
  if (subject.kind == Subject::Kind::world) return "world";
  if (subject.kind == Subject::Kind::user) return "user:" + account_text(subject.id);
  const std::string name = os::group_name(subject.id);
  return "group:" + (name.empty() ? std::to_string(subject.id) : name);
}

std::string_view name_of(Right right) noexcept {
  return wire::name_of(static_cast<wire::AccessRight>(right));
}

}  // namespace tarn
