// access.h - who but the node's own account may use it, and how much of it.
//
// Nobody, until the owner says otherwise. A rule gives a user, a group or everybody a right on the
// whole domain, or on pipes of a name. Rules live in the node: they outlive its worker, and end
// with the node. Docs: docs/guide/access.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tarn/error.h"

namespace tarn {

struct ConnectOptions;

enum class Right : std::uint8_t {
  none,       // denied, whatever else allows it
  read,       // see it, with its counters
  read_write  // open it: who pops takes messages away, so that both ends are writing
};

struct Subject {
  enum class Kind : std::uint8_t { user, group, world };
  Kind kind = Kind::world;
  std::uint32_t id = 0;  // uid or gid
  bool operator==(const Subject&) const noexcept = default;
};

struct AccessRule {
  Subject subject;
  Right right = Right::none;
  std::string pipe{};  // empty: the domain; else a pipe's name, or its beginning and '*'
};

// The most that an account may use. In set_quota() 0 leaves a value at its default.
struct AccessQuota {
  std::uint64_t bytes = 0;  // of memory that it made, created pipes of, or can see of others'
  std::uint32_t sessions = 0;
  std::uint32_t connections = 0;
  std::uint32_t pipes = 0;        // that it created
  std::uint32_t descriptors = 0;  // that the node keeps for it
  std::uint32_t requests_per_second = 0;
};

struct AccountShare {
  std::optional<std::uint32_t> uid;  // none: every account without a quota of its own
  bool is_set = false;               // false: nobody set it
  AccessQuota quota;
  AccessQuota used;
};

struct AccessStatus {
  std::uint32_t owner = 0;
  bool is_open = false;  // somebody else may come in
  std::string door;      // by this socket
  std::string problem;   // why nobody can, though there are rules
  std::vector<AccessRule> rules;
  std::vector<AccountShare> accounts;  // the default, then who has a quota or uses something
};

// All of these are for the node's owner alone: access_denied for others, node_unavailable when no
// node runs.
AccessStatus access_status(const ConnectOptions& options);
// Instead of the rule of that subject and object, if there is one. Throws invalid_argument,
// table_full, and unsafe_directory when the rule is there but nobody can reach the node. With
// `disconnect`, who has no right left at all loses its connection.
void set_access(const ConnectOptions& options, const AccessRule& rule, bool disconnect = false);
// Throws not_found.
void forget_access(const ConnectOptions& options, const AccessRule& rule, bool disconnect = false);
// Takes all rules and quotas away.
void reset_access(const ConnectOptions& options, bool disconnect = false);
// Of one account, or of every account without one of its own.
void set_quota(const ConnectOptions& options, std::optional<std::uint32_t> uid,
               const AccessQuota& quota);
void forget_quota(const ConnectOptions& options, std::optional<std::uint32_t> uid);

// "user:bob", "group:lab", "world"; "bob" is a user; numbers may stand for names. Throws
// invalid_argument.
Subject parse_subject(std::string_view text);
// "read", "read-write", "none". Throws invalid_argument.
Right parse_right(std::string_view text);
// SUBJECT:RIGHT or SUBJECT:RIGHT:pipe=NAME. Throws invalid_argument.
AccessRule parse_access_rule(std::string_view text);
// With the name where the machine knows it, else the number.
std::string text_of(const Subject& subject);
std::string_view name_of(Right right) noexcept;
// "bob", or "1001" where there is no name.
std::string account_text(std::uint32_t uid);

}  // namespace tarn
