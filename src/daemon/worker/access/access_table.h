// access_table.h - the rules and quotas of this node, and the socket by which others come in.
//
// Writers   the worker's one thread, at the owner's request. Each change is sent to the keeper
//           before it is answered.
// Crash     each rule and quota is one record. The door's socket is another: a worker that dies
//           leaves it to the next one, and who connects meanwhile waits in its queue.
// Bounds    kMostAccessRules rules, kMostQuotas accounts with a quota of their own.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/store/channel.h"
#include "daemon/worker/access/judge.h"
#include "os/fd.h"
#include "wire/names.h"

namespace tarn::daemon {

inline constexpr std::size_t kMostQuotas = 256;

class AccessTable {
 public:
  // `owner_uid` is the node's own. `sink` outlives this.
  AccessTable(std::uint32_t owner_uid, wire::DoorPaths door, RecordSink& sink)
      : owner_uid_(owner_uid), paths_(std::move(door)), sink_(sink) {}

  std::uint32_t owner_uid() const noexcept { return owner_uid_; }
  bool is_owner(std::uint32_t uid) const noexcept { return uid == owner_uid_; }
  bool is_owner(const Credentials& caller) const noexcept { return is_owner(caller.uid); }

  // The owner may do everything; the others what the rules say.
  AccessRight on_pipe(const Credentials& caller, std::string_view pipe) const noexcept;
  AccessRight on_domain(const Credentials& caller) const noexcept { return on_pipe(caller, {}); }
  AccessRight on_entry(const Credentials& caller) const noexcept;
  bool is_for_others(std::string_view pipe) const noexcept {
    return daemon::is_for_others(rules_, pipe);
  }

  std::span<const AccessRule> rules() const noexcept { return rules_; }
  // Replaces the rule of the same subject and object. table_full; invalid_argument.
  FullStatus put(const AccessRule& rule);
  // False when there is none.
  bool forget(const AccessRule& rule);
  void reset();

  // What the account, or wire::kEveryUid, was given; none when nothing.
  const wire::AccessQuota* quota_given(std::uint32_t uid) const noexcept;
  const std::map<std::uint32_t, wire::AccessQuota>& quotas() const noexcept { return quotas_; }
  FullStatus put_quota(std::uint32_t uid, const wire::AccessQuota& quota);
  void forget_quota(std::uint32_t uid);

  // Opens or closes the door as the rules want it. Why it could not be opened: problem(); then the
  // old one stays, where those who are let in can use it. Asked again, it tries again.
  void look_after_door();
  // There was no descriptor for the door: later there may be one.
  bool lacks_descriptors() const noexcept { return lacks_descriptors_; }
  int door() const noexcept { return door_ ? door_.get() : -1; }
  // Another one after each opening.
  std::uint64_t door_serial() const noexcept { return door_serial_; }
  const wire::DoorPaths& paths() const noexcept { return paths_; }
  const std::string& problem() const noexcept { return problem_; }
  // Before the node's end.
  void close_door() noexcept;

  // What a worker before this one stored. False: it makes no sense.
  bool take(const StoredAccessRule& stored);
  bool take(const StoredAccessQuota& stored);
  bool take(const StoredDoor& stored, os::UniqueFd listener);

 private:
  std::size_t find(const AccessRule& like) const noexcept;
  std::optional<std::uint32_t> only_group() const noexcept;

  std::uint32_t owner_uid_;
  wire::DoorPaths paths_;
  RecordSink& sink_;
  std::vector<AccessRule> rules_;
  std::vector<std::uint32_t> numbers_;  // of the rules' records
  std::uint32_t last_number_ = 0;
  std::map<std::uint32_t, wire::AccessQuota> quotas_;
  os::UniqueFd door_;
  StoredDoor door_facts_{};
  std::uint64_t door_serial_ = 1;
  std::string problem_;
  bool lacks_descriptors_ = false;
};

// That a rule from outside can be one.
FullStatus check_rule(const AccessRule& rule);

}  // namespace tarn::daemon
