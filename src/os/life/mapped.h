// mapped.h - whether a process still has a certain memory mapped so that it can write there.
#pragma once

#include <cstdint>
#include <optional>

namespace tarn::os {

// Whether the process has the memfd with that identity (MemoryFacts) mapped writable. Nothing when
// it cannot be told: the process is another account's, keeps its memory from being looked at, has
// given up all of it, or is gone. Costs a line of /proc for each mapping before the one it looks
// for, tens of microseconds in most processes.
std::optional<bool> maps_for_writing(std::int32_t pid, std::uint64_t identity) noexcept;

}  // namespace tarn::os
