// door.h - the node's second socket, for other accounts: it stands in a public place while there
// are rules that let somebody in, and goes with the last of them, or with the node.
//
// The run directory stays closed to everybody else. Who comes through the door is judged by what
// the kernel says of it, before anything is read.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "os/fd.h"
#include "wire/names.h"

namespace tarn::daemon {

// Makes the way and listens. `group`: the only group that may connect, where the system lets us say
// so. Requires: the domain's lock is held by this node.
Result<os::UniqueFd, Error> open_door(const wire::DoorPaths& paths,
                                      std::optional<std::uint32_t> group);
// Removes the socket, and each directory above it that is empty. Harmless when there is none, and
// when what stands there is another account's.
void remove_door(const wire::DoorPaths& paths) noexcept;

}  // namespace tarn::daemon
