// waiter_stress.cc - killed waiters eat no wake-up, in short.
#include "tests/stress/waiter_rig.h"

namespace tarn::waiters {
namespace {

class WaiterStress : public WaiterRig {};

TEST_F(WaiterStress, KilledWaitersEatNoWakeUp) { run(30'000, 25'000'000); }

}  // namespace
}  // namespace tarn::waiters

int main(int argc, char** argv) {
  return tarn::testkit::run(argc, argv, tarn::waiters::all_roles());
}
