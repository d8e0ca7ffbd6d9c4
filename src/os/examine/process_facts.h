// process_facts.h - another process as /proc shows it. Looking changes nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace tarn::os {

// By a signal or a debugger: it lives, and does nothing for now. False when it is gone.
bool is_stopped(std::int32_t pid);

// The inodes of the memfds that it has open, each as often as it has it. None when it is gone or
// not ours to look at.
std::optional<std::vector<std::uint64_t>> open_memory(std::int32_t pid);

}  // namespace tarn::os
