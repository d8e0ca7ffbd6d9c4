// passage.h - a socket in a public place: others may walk to it, nobody but its owner may put
// anything there.
//
// Each level below the public directory belongs to the owner, is no link, and others may pass
// through it (0711), not look round. The public directory itself is a sticky one such as /tmp, or
// one that others cannot write: what stands there under our name is then ours or is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "os/fd.h"

namespace tarn::os {

// Makes and checks each level of `path` below `trusted`. unsafe_directory names the level.
FullStatus make_passage(const std::string& trusted, const std::string& path);
// The same checks for another account's passage, creating nothing; not_found when a level is
// missing.
FullStatus check_passage(const std::string& trusted, const std::string& path,
                         std::uint32_t owner_uid);
// That the socket there belongs to the account, and is one. not_found when nothing is there.
FullStatus check_socket(const std::string& path, std::uint32_t owner_uid);

// A listening socket that others may connect to: everybody, or the group where one is given and
// the caller is in it. Removes a socket that stands there. Descriptors come in at a connection only
// once it is allowed there, where the kernel can keep them out.
Result<UniqueFd, Error> listen_for_others(const std::string& path,
                                          std::optional<std::uint32_t> group);

}  // namespace tarn::os
