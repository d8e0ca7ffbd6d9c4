// storm_soak.cc - a hundred thousand deaths (or TARN_KILLS) of sixteen processes on four pipes, of
// the worker and of tarn-recover, on one node.
#include <stdlib.h>

#include "tests/stress/storm_rig.h"

namespace tarn::kill {
namespace {

constexpr std::uint32_t kKills = 100'000;
constexpr std::uint32_t kKillsARound = 2'000;

class StormSoak : public StormRig {};

TEST_F(StormSoak, EverybodyIsKilledAtRandom) {
  run((kills_wished(kKills) + kKillsARound - 1) / kKillsARound, kKillsARound);
}

}  // namespace
}  // namespace tarn::kill

int main(int argc, char** argv) {
  ::setenv("TARN_WATCHDOG", "7000", 0);
  return tarn::testkit::run(argc, argv, tarn::kill::all_roles());
}
