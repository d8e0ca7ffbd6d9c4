// domain.h - the private domain in which tarn is measured: its node is started on first use and
// stopped at the end, so that no other program's traffic disturbs the figures, or is disturbed.
#pragma once

#include <string>

#include "tarn/session.h"

namespace tarn::bench {

class Domain {
 public:
  Domain();
  // Stops the node if it was started.
  ~Domain();
  Domain(const Domain&) = delete;
  Domain& operator=(const Domain&) = delete;

  // How the processes of a measurement join; starts the node. Throws Error.
  const ConnectOptions& join();
  // A pipe name that was never used: "ping-17". Called before the processes are forked, so that
  // they agree.
  std::string fresh_name(const std::string& stem);

 private:
  ConnectOptions options_;
  bool started_ = false;
  int names_ = 0;
};

}  // namespace tarn::bench
