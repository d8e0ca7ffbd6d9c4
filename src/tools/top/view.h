// view.h - what `tarn top` shows, as lines of text or as JSON.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/print/style.h"
#include "tools/top/snapshot.h"

namespace tarn::tools {

// How many lines there are for the view; none: as many as it takes.
using LineLimit = std::optional<std::size_t>;

// Node, memory, pipes, sessions. Where lines are short, the busiest pipes are shown and the rest
// is counted; pipes and sessions share what there is.
std::vector<std::string> view_of(const Snapshot& earlier, const Snapshot& later, const Style& style,
                                 LineLimit limit);

nlohmann::ordered_json json_of(const Snapshot& earlier, const Snapshot& later);

// A bar such as "[####......]"; `width` counts the inside.
std::string bar(std::uint64_t part, std::uint64_t whole, std::size_t width);

}  // namespace tarn::tools
