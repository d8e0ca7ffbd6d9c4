// access_messages.h - who but the node's owner may use it, and how much of it: what the owner asks
// and is told. Other accounts may send none of these.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "wire/record.h"

namespace tarn::wire {

enum class SubjectKind : std::uint32_t { user = 0, group = 1, world = 2 };
enum class AccessRight : std::uint32_t { none = 0, read = 1, read_write = 2 };

// One line of the list: this subject may do this with these objects. Accounts are numbers; names
// are for people, at the border.
struct AccessRule {
  SubjectKind subject;
  std::uint32_t id;  // uid or gid; 0 for world
  AccessRight right;
  std::uint32_t reserved;
  Name pipe;  // empty: the domain; else a pipe's name, or the beginning of one and '*'
};
static_assert(sizeof(AccessRule) == 80);

inline constexpr std::uint32_t kMostAccessRules = 256;
// Stands for every account without a quota of its own.
inline constexpr std::uint32_t kEveryUid = 0xffff'ffff;

// The most that one account may use; 0 in a request: what everybody has, or the node's own default.
struct AccessQuota {
  std::uint64_t bytes;
  std::uint32_t sessions;
  std::uint32_t connections;
  std::uint32_t pipes;
  std::uint32_t descriptors;
  std::uint32_t requests_per_second;
  std::uint32_t reserved;
};
static_assert(sizeof(AccessQuota) == 32);

// After so many rules, and after that account: pages, until `more` is 0.
struct AccessGet {
  static constexpr MessageType kType = MessageType::access_get;
  Header header;
  std::uint32_t after_rules;
  std::uint32_t after_accounts;
};

struct AccessAccount {
  std::uint32_t uid;     // kEveryUid: the default
  std::uint32_t is_set;  // 1: it has a quota of its own
  AccessQuota quota;
  AccessQuota used;  // requests_per_second: 0
};
static_assert(sizeof(AccessAccount) == 72);

struct AccessPage {
  static constexpr MessageType kType = MessageType::access_page;
  Header header;
  std::uint32_t owner_uid;
  std::uint32_t door_open;
  std::uint32_t rule_count;
  std::uint32_t account_count;
  std::uint32_t more;  // 1: ask again, after all that came
  std::uint32_t reserved;
  std::array<char, 128> door;     // the path of the socket for others
  std::array<char, 512> problem;  // why the door is not open though it should be
  std::array<AccessRule, 48> rules;
  std::array<AccessAccount, 32> accounts;
};
static_assert(sizeof(AccessPage) <= kMaxMessageBytes);

enum class AccessChange : std::uint32_t {
  put = 0,     // instead of the rule of that subject and pipe
  forget = 1,  // the rule of that subject and pipe goes
  reset = 2,   // all rules and quotas go
};

// Answered by done.
struct AccessSet {
  static constexpr MessageType kType = MessageType::access_set;
  Header header;
  AccessChange change;
  std::uint32_t disconnect;  // 1: who has no right any more loses its connection
  AccessRule rule;
};

struct AccessQuotaSet {
  static constexpr MessageType kType = MessageType::access_quota_set;
  Header header;
  std::uint32_t uid;     // or kEveryUid
  std::uint32_t forget;  // 1: back to the default
  AccessQuota quota;
};

}  // namespace tarn::wire
