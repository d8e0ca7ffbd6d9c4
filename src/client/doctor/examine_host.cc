#include "client/doctor/host_facts.h"
#include "client/doctor/judge.h"
#include "tarn/node.h"
#include "tarn/session.h"

namespace tarn {

std::vector<Finding> examine_host(const ConnectOptions& options) {
  return doctor::judge(doctor::read_host(options));
}

}  // namespace tarn
