// waiter_soak.cc - a million messages, four consumers, one of them killed every second.
#include <stdlib.h>

#include "tests/stress/waiter_rig.h"

namespace tarn::waiters {
namespace {

class WaiterSoak : public WaiterRig {};

TEST_F(WaiterSoak, AMillionMessagesAndADeathASecond) { run(kMostMessages, 1'000'000'000); }

}  // namespace
}  // namespace tarn::waiters

int main(int argc, char** argv) {
  ::setenv("TARN_WATCHDOG", "3600", 0);
  return tarn::testkit::run(argc, argv, tarn::waiters::all_roles());
}
