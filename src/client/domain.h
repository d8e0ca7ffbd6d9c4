// domain.h - from what the user asked for to a connected socket: key, run directory, starting the
// node.
#pragma once

#include "base/deadline.h"
#include "base/result.h"
#include "os/fd.h"
#include "tarn/session.h"
#include "wire/names.h"

namespace tarn {

struct Domain {
  wire::DomainKey key;
  wire::RunPaths paths;
  bool is_foreign = false;  // another account's: `paths` has only what leads to its door
};

// Fills in the defaults from the environment and checks the names.
Result<Domain, Error> domain_of(const ConnectOptions& options);

// The daemon's program: $TARN_DAEMON alone when it is set; else beside this program, beside the
// library, where it was installed, and on the PATH. node_unavailable when it is nowhere.
Result<std::string, Error> find_daemon();

// A connection to the running node, after checking that its directory is ours and that the process
// behind the socket runs as this user. node_unavailable when none runs,
// node_lost when it has no time for newcomers before the deadline.
Result<os::UniqueFd, Error> reach_node(const Domain& domain, Deadline deadline);
// The same; starts the node if none runs. `to_stay`: it does not end when idle. `started` tells
// whether this call was the one that started it.
Result<os::UniqueFd, Error> reach_or_start_node(const Domain& domain, bool to_stay,
                                                Deadline deadline, bool& started);

}  // namespace tarn
