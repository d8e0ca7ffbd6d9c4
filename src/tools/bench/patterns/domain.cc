#include "tools/bench/patterns/domain.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "tarn/node.h"

namespace tarn::bench {

Domain::Domain() {
  options_.application = "bench-" + std::to_string(::getpid());
  options_.name = "tarn bench";
}

Domain::~Domain() {
  if (!started_) return;
  try {
    const std::filesystem::path directory = run_directory(options_);
    stop_node(options_, true);
    // The domain never comes back: take its directories along, unless somebody uses them.
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
    std::filesystem::remove(directory.parent_path(), ignored);
  } catch (const Error&) {
    // The node is gone or ends on its own; there is nothing left to put away.
  }
}

const ConnectOptions& Domain::join() {
  if (!started_) {
    // Before the call: also a node that was started but never became ready must be stopped.
    started_ = true;
    // As any client starts it, not with start_node(): should this program be killed, the node ends
    // by itself. It may do so between two measurements, too: then the next one starts another.
    connect(options_);
  }
  return options_;
}

std::string Domain::fresh_name(const std::string& stem) {
  return stem + "-" + std::to_string(++names_);
}

}  // namespace tarn::bench
