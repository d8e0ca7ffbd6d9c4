// figures.h - what a program of this folder measured: noted, and printed as lines or as JSON, with
// the facts of the machine.
#pragma once

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace tarn::bench {

struct Figure {
  std::string what;
  std::string parameter;
  std::string metric;
  double value;
  const char* unit;
};
inline std::vector<Figure> g_figures;

inline void note(const std::string& what, const std::string& parameter, const std::string& metric,
                 double value, const char* unit) {
  g_figures.push_back({what, parameter, metric, value, unit});
  std::fprintf(stderr, "%-32s %-16s %-8s %12.1f %s\n", what.c_str(), parameter.c_str(),
               metric.c_str(), value, unit);
}

inline void note_times(const std::string& what, const std::string& parameter,
                       std::vector<std::int64_t> times_ns) {
  std::sort(times_ns.begin(), times_ns.end());
  const auto at = [&](double share) {
    const auto last = static_cast<double>(times_ns.size() - 1);
    return static_cast<double>(times_ns[static_cast<std::size_t>(last * share + 0.5)]) / 1000.0;
  };
  note(what, parameter, "least", at(0.0), "us");
  note(what, parameter, "median", at(0.5), "us");
  note(what, parameter, "p99", at(0.99), "us");
  note(what, parameter, "count", static_cast<double>(times_ns.size()), "times");
}

inline std::string size_text(std::uint64_t bytes) {
  return bytes >= 1024 * (std::uint64_t{1} << 20)
             ? std::to_string(bytes / (1024 * (std::uint64_t{1} << 20))) + "-GiB"
             : std::to_string(bytes / (std::uint64_t{1} << 20)) + "-MiB";
}

inline std::string first_line_with(const char* file, const std::string& word) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(':');
    if (line.rfind(word, 0) == 0 && colon != std::string::npos) {
      const auto start = line.find_first_not_of(" \t", colon + 1);
      return start == std::string::npos ? "" : line.substr(start);
    }
  }
  return "unknown";
}

inline std::string machine() {
  utsname names{};
  ::uname(&names);
  double load[1] = {0};
  ::getloadavg(load, 1);
  char text[64];
  std::snprintf(text, sizeof text, "%ld CPUs, load %.1f", ::sysconf(_SC_NPROCESSORS_ONLN), load[0]);
  return std::string("Linux ") + names.release + ", " +
         first_line_with("/proc/cpuinfo", "model name") + ", " + text + ", " +
         first_line_with("/proc/meminfo", "MemTotal");
}

inline void print(bool json) {
  if (!json) {
    std::printf("# %s\n", machine().c_str());
    for (const Figure& figure : g_figures) {
      std::printf("%s\t%s\t%s\t%.1f\t%s\n", figure.what.c_str(), figure.parameter.c_str(),
                  figure.metric.c_str(), figure.value, figure.unit);
    }
    return;
  }
  std::printf("{\"machine\": \"%s\", \"figures\": [", machine().c_str());
  const char* comma = "";
  for (const Figure& figure : g_figures) {
    std::printf(
        "%s\n  {\"what\": \"%s\", \"parameter\": \"%s\", \"metric\": \"%s\", "
        "\"value\": %.1f, \"unit\": \"%s\"}",
        comma, figure.what.c_str(), figure.parameter.c_str(), figure.metric.c_str(), figure.value,
        figure.unit);
    comma = ",";
  }
  std::printf("\n]}\n");
}

}  // namespace tarn::bench
