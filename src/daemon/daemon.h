// daemon.h - tarnd: what it is told on its command line, and its life from lock to end.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "wire/access_messages.h"
#include "wire/names.h"

namespace tarn::daemon {

struct Options {
  wire::DomainKey key;
  std::optional<double> idle_exit_s;
  std::uint64_t limit_bytes = 0;         // 0: half of what the machine or the cgroup allows
  std::vector<wire::AccessRule> access;  // who else may use the node, to begin with
  int ready_fd = -1;
  bool foreground = false;
};

// Serves the domain until its end; returns the program's exit status. In the worker, which is a
// fork of this process, it returns too.
int run_daemon(const Options& options);

}  // namespace tarn::daemon
