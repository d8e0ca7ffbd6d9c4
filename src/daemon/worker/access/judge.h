// judge.h - who may do what: one pure function from the rules, the caller and the object to a
// right.
//
// A denial wins, wherever it stands: on the domain it covers everything, on a pipe that pipe. Else
// the narrowest rules that name the object decide alone: those for just this pipe; failing those,
// those with the longest pattern that fits; failing those, the domain's. Among them the best right
// counts that any of the caller's identities has. Nobody is in no rule: no right.
//
// The owner is not judged: who runs as the node's own uid may do everything.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "wire/access_messages.h"

namespace tarn::daemon {

using wire::AccessRight;
using wire::AccessRule;

// What the kernel says of the process at the other end, as it was when it connected.
struct Credentials {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups;
};

// The right on the pipe of that name, whether there is one or not; on the domain when it is empty.
AccessRight judge(std::span<const AccessRule> rules, const Credentials& caller,
                  std::string_view pipe) noexcept;

// The best right on anything at all: what decides whether the caller may come in, and as what. With
// it alone nothing can be seen.
AccessRight judge_entry(std::span<const AccessRule> rules, const Credentials& caller) noexcept;

// Whether anybody but the owner may open a pipe of that name: what is pushed into it then has to be
// kept apart.
bool is_for_others(std::span<const AccessRule> rules, std::string_view pipe) noexcept;

}  // namespace tarn::daemon
