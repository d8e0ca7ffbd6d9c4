// format.h - numbers for people: "1.5 MiB", "3 m 12 s", "12,345", "1.2 M".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tarn::tools {

// Three significant digits or so: "0 B", "512 B", "1.5 KiB", "123 MiB".
std::string format_size(std::uint64_t bytes);
// The same of a rate: "1.5 MiB/s". Negative and not-a-number count as zero.
std::string format_byte_rate(double bytes_per_second);

// The two largest units that matter: "35 ns", "1.5 us", "12.3 s", "3 m 12 s", "4 d 2 h".
std::string format_duration(std::uint64_t duration_ns);

// All digits, in groups of three: "1,234,567".
std::string format_count(std::uint64_t count);

// With what it counts: "1 session", "2 sessions".
std::string format_counted(std::uint64_t count, std::string_view what);

// Three significant digits or so, with decimal multiples: "0", "0.5", "123", "1.2 k", "15.3 M".
std::string format_quantity(double quantity);

// "0.6 %"; of nothing at all: "0.0 %".
std::string format_share(std::uint64_t part, std::uint64_t whole);

}  // namespace tarn::tools
