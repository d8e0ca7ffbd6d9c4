// parse.h - sizes, durations and words as a user types them. None means: not one.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tarn/pipe.h"

namespace tarn::tools {

// A whole number of bytes, or of a unit: "4096", "64KiB", "64K", "1.5MiB" are binary; "64kB" and
// "2MB" decimal; blanks before the unit are fine. None also when it does not fit.
std::optional<std::uint64_t> parse_size(std::string_view text);

// Seconds, or of a unit: "3", "0.5", "250ms", "10us", "2m", "1h". None below zero, and when it does
// not fit.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

// A whole number, perhaps negative. None when it does not fit.
std::optional<std::int64_t> parse_integer(std::string_view text);

// "at_most_once" or "at_least_once", also with hyphens.
std::optional<Delivery> parse_delivery(std::string_view text);

}  // namespace tarn::tools
