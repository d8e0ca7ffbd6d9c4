#include "client/doctor/host_facts.h"
#include "client/doctor/judge.h"
#include "tarn/node.h"
#include "tarn/session.h"

namespace tarn {

std::vector<Finding> examine_host(const ConnectOptions& options) {
  if (const auto domain = domain_of(options); domain && domain->is_foreign) {
    throw Error(Error::access_denied, "examine the host", "another account's node",
                "let its owner run `tarn doctor`, or leave --owner and TARN_OWNER out");
  }
  return doctor::judge(doctor::read_host(options));
}

}  // namespace tarn
