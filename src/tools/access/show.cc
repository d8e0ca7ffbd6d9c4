#include "tools/access/show.h"

#include <nlohmann/json.hpp>

#include "tools/print/format.h"
#include "tools/print/table.h"

namespace tarn::tools {
namespace {

using Json = nlohmann::ordered_json;

std::string account_of(const AccountShare& share) {
  return share.uid ? account_text(*share.uid) : std::string("each other");
}

std::string share_of(const AccountShare& share, std::uint64_t used, std::uint64_t quota) {
  return share.uid ? std::to_string(used) + " of " + std::to_string(quota) : std::to_string(quota);
}

std::string memory_of(const AccountShare& share) {
  const std::string quota = format_size(share.quota.bytes);
  return share.uid ? format_size(share.used.bytes) + " of " + quota : quota;
}

std::string rules_text(const AccessStatus& status, const Style& style) {
  Table table({{"SUBJECT"}, {"RIGHT"}, {"ON"}});
  for (const AccessRule& rule : status.rules) {
    const Paint paint = rule.right == Right::none ? Paint::red : Paint::none;
    table.add({tarn::text_of(rule.subject), Cell(std::string(name_of(rule.right)), paint),
               rule.pipe.empty() ? std::string("the domain") : "pipe " + rule.pipe});
  }
  return table.text(style);
}

std::string accounts_text(const AccessStatus& status, const Style& style) {
  Table table({{"ACCOUNT"},
               {"MEMORY", Align::right},
               {"SESSIONS", Align::right},
               {"CONNECTIONS", Align::right},
               {"PIPES", Align::right},
               {"DESCRIPTORS", Align::right},
               {"REQUESTS/S", Align::right},
               {"QUOTA"}});
  for (const AccountShare& each : status.accounts) {
    const AccessQuota& quota = each.quota;
    const AccessQuota& used = each.used;
    table.add({account_of(each), memory_of(each), share_of(each, used.sessions, quota.sessions),
               share_of(each, used.connections, quota.connections),
               share_of(each, used.pipes, quota.pipes),
               share_of(each, used.descriptors, quota.descriptors),
               std::to_string(quota.requests_per_second), each.is_set ? "set" : "default"});
  }
  return table.text(style);
}

Json json_of(const AccessQuota& quota) {
  return {{"bytes", quota.bytes},
          {"sessions", quota.sessions},
          {"connections", quota.connections},
          {"pipes", quota.pipes},
          {"descriptors", quota.descriptors},
          {"requests_per_second", quota.requests_per_second}};
}

Json json_of(const AccountShare& share) {
  Json json = {{"account", share.uid ? account_text(*share.uid) : ""}};
  json["uid"] = share.uid ? Json(*share.uid) : Json(nullptr);
  json["is_set"] = share.is_set;
  json["quota"] = json_of(share.quota);
  json["used"] = json_of(share.used);
  return json;
}

}  // namespace

std::string text_of(const AccessStatus& status, const Style& style) {
  Fields fields;
  fields.add("owner", Cell(account_text(status.owner), Paint::bold));
  if (!status.problem.empty()) {
    fields.add("others", Cell("cannot come in: " + status.problem, Paint::yellow));
  } else {
    fields.add("others", status.is_open ? "come in at " + status.door : "nobody");
  }
  std::string text = fields.text(style);
  if (!status.rules.empty()) text += '\n' + rules_text(status, style);
  const bool is_plain = status.rules.empty() && status.accounts.size() < 2;
  if (!is_plain) text += '\n' + accounts_text(status, style);
  return text;
}

Json json_of(const AccessRule& rule) {
  return {{"subject", tarn::text_of(rule.subject)},
          {"id", rule.subject.id},
          {"right", name_of(rule.right)},
          {"pipe", rule.pipe}};
}

Json json_of(const AccessStatus& status) {
  Json json = {{"owner", account_text(status.owner)},
               {"owner_uid", status.owner},
               {"open", status.is_open},
               {"door", status.door},
               {"problem", status.problem},
               {"rules", Json::array()},
               {"accounts", Json::array()}};
  for (const AccessRule& rule : status.rules) json["rules"].push_back(json_of(rule));
  for (const AccountShare& each : status.accounts) json["accounts"].push_back(json_of(each));
  return json;
}

}  // namespace tarn::tools
