// kill_soak.cc - a thousand random deaths of each kind (or TARN_KILLS), in full flight.
#include <stdlib.h>

#include "tests/stress/kill_rig.h"

namespace tarn::kill {
namespace {

constexpr std::uint32_t kKills = 1000;

class KillSoak : public KillRig {};

TEST_F(KillSoak, AtMostOnce) {
  const std::uint32_t kills = kills_wished(kKills);
  run({.staff = {4, 0, 4, 0}, .kills = {kills, 0, kills, kills}});
}

TEST_F(KillSoak, AtLeastOnce) {
  const std::uint32_t kills = kills_wished(kKills);
  run({.delivery = Delivery::at_least_once,
       .staff = {4, 0, 4, 0},
       .kills = {kills, 0, kills, kills}});
}

TEST_F(KillSoak, MessagesThatArePassedOn) {
  const std::uint32_t kills = kills_wished(kKills);
  run({.capacity = 8, .staff = {3, 3, 3, 0}, .kills = {kills, kills, kills, kills}});
}

}  // namespace
}  // namespace tarn::kill

int main(int argc, char** argv) {
  ::setenv("TARN_WATCHDOG", "3600", 0);
  return tarn::testkit::run(argc, argv, tarn::kill::all_roles());
}
