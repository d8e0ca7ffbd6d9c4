// supervised.h - what tests of supervised clients look at: who really runs.
#pragma once

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tarn/tarn.h"

namespace tarn::testkit {

// Living processes that were started by the client of that name in the domain of this run
// directory, whatever became of their parents: the environment tells.
inline std::vector<pid_t> processes_of_client(const std::string& name, const std::string& folder) {
  std::vector<pid_t> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0) continue;
    std::ifstream file(entry.path() / "environ", std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const std::string words = '\0' + text;
    using namespace std::string_literals;
    if (words.find("\0TARN_CLIENT="s + name + '\0') == std::string::npos) continue;
    if (words.find("\0XDG_RUNTIME_DIR="s + folder + '\0') == std::string::npos) continue;
    found.push_back(pid);
  }
  return found;
}

// Whether the process runs a program: false once it has ended, also before it is reaped.
inline bool has_program(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
  return file.get() != std::ifstream::traits_type::eof();
}

// Kept running whatever happens, and stopped by force soon.
inline ClientOptions tireless() {
  ClientOptions options;
  options.restart = RestartRule::always;
  options.limit_count = 0;
  options.backoff_first = options.backoff_most = std::chrono::milliseconds(1);
  options.stop_timeout = std::chrono::seconds(5);
  return options;
}

}  // namespace tarn::testkit
