// idle_process.h - whether another process has come to rest.
#pragma once

#include <sys/types.h>

#include <fstream>
#include <string>

namespace tarn::testkit {

// It sleeps: what it was at when somebody heard of it, it has done. A keeper goes on for a moment
// after its worker serves, and has a descriptor more then.
inline bool is_at_rest(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("State:")) return line.find("S (sleeping)") != std::string::npos;
  }
  return false;
}

}  // namespace tarn::testkit
