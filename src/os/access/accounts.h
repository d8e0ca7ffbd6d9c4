// accounts.h - the machine's accounts and groups: names for people, numbers for everything else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace tarn::os {

std::optional<std::uint32_t> find_user(const std::string& name);
std::optional<std::uint32_t> find_group(const std::string& name);
// The name, or empty where there is none.
std::string user_name(std::uint32_t uid);
std::string group_name(std::uint32_t gid);

// The further groups of the process at the other end of a socket, as they were when it connected.
Result<std::vector<std::uint32_t>, Error> peer_groups(int socket);

}  // namespace tarn::os
