#include "daemon/worker/requests/access.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "daemon/worker/requests/quotas.h"

namespace tarn::daemon {
namespace {

constexpr const char* kChanging = "change who may use the node";

// The default, then who has a quota of its own, and who uses something.
std::vector<std::uint32_t> accounts_of(NodeState& node) {
  std::set<std::uint32_t> uids;
  for (const auto& [uid, quota] : node.access().quotas()) uids.insert(uid);
  for (const auto& [uid, tally] : node.sessions().tallies().all()) uids.insert(uid);
  for (const auto& [uid, tally] : node.segments().tallies().all()) uids.insert(uid);
  for (const auto& [uid, tally] : node.pipes().tallies().all()) uids.insert(uid);
  uids.erase(node.access().owner_uid());
  uids.erase(wire::kEveryUid);
  std::vector<std::uint32_t> all = {wire::kEveryUid};
  all.insert(all.end(), uids.begin(), uids.end());
  return all;
}

wire::AccessAccount facts_of(NodeState& node, std::uint32_t uid) {
  wire::AccessAccount facts{};
  facts.uid = uid;
  facts.is_set = node.access().quota_given(uid) != nullptr ? 1 : 0;
  facts.quota = quota_of(node, uid);
  if (uid != wire::kEveryUid) facts.used = use_of(node, uid);
  return facts;
}

}  // namespace

Outcome access_get(NodeState& node, const wire::AccessGet& ask) {
  const AccessTable& access = node.access();
  auto page = wire::make<wire::AccessPage>(ask.header.request);
  page.owner_uid = access.owner_uid();
  page.door_open = access.door() >= 0 ? 1 : 0;
  wire::put_text(page.door, access.paths().socket);
  wire::put_text(page.problem, access.problem());
  const auto rules = access.rules();
  std::size_t rule = std::min<std::size_t>(ask.after_rules, rules.size());
  for (; rule < rules.size() && page.rule_count < page.rules.size(); ++rule) {
    page.rules[page.rule_count++] = rules[rule];
  }
  const auto accounts = accounts_of(node);
  std::size_t account = std::min<std::size_t>(ask.after_accounts, accounts.size());
  for (; account < accounts.size() && page.account_count < page.accounts.size(); ++account) {
    page.accounts[page.account_count++] = facts_of(node, accounts[account]);
  }
  page.more = rule < rules.size() || account < accounts.size() ? 1 : 0;
  return answer_with(page);
}

Outcome access_set(NodeState& node, const wire::AccessSet& ask) {
  AccessTable& access = node.access();
  switch (ask.change) {
    case wire::AccessChange::put:
      if (auto done = access.put(ask.rule); !done) return std::move(done).error();
      break;
    case wire::AccessChange::forget:
      if (auto good = check_rule(ask.rule); !good) return std::move(good).error();
      if (!access.forget(ask.rule)) {
        return Error(Error::not_found, kChanging, "no rule for that subject and object",
                     "`tarn access` lists them");
      }
      break;
    case wire::AccessChange::reset:
      access.reset();
      break;
    default:
      return Error(Error::invalid_argument, kChanging, "an unknown change",
                   "use a library of the node's version");
  }
  access.look_after_door();
  if (ask.disconnect != 0) node.note_review_due();
  if (!access.problem().empty() && ask.change == wire::AccessChange::put) {
    return Error(Error::unsafe_directory, kChanging,
                 std::string("the rule is there, but ") +
                     (access.door() < 0 ? "nobody" : "not everybody") +
                     " can come in: " + access.problem(),
                 "set TARN_DOORS to a safe public directory where the node starts");
  }
  return answer_done(ask.header.request);
}

Outcome access_quota_set(NodeState& node, const wire::AccessQuotaSet& ask) {
  if (ask.forget != 0) {
    node.access().forget_quota(ask.uid);
    return answer_done(ask.header.request);
  }
  if (auto done = node.access().put_quota(ask.uid, ask.quota); !done) {
    return std::move(done).error();
  }
  return answer_done(ask.header.request);
}

}  // namespace tarn::daemon
