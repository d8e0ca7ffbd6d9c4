// kill_stress.cc - some random deaths in full flight; tests/soak/kill_soak.cc has a thousand.
#include "tests/stress/kill_rig.h"

namespace tarn::kill {
namespace {

class KillStress : public KillRig {};

TEST_F(KillStress, AtMostOnce) {
  const std::uint32_t kills = kills_wished(60);
  run({.staff = {4, 0, 4, 0}, .kills = {kills, 0, kills, kills}});
}

TEST_F(KillStress, AtLeastOnce) {
  const std::uint32_t kills = kills_wished(60);
  run({.delivery = Delivery::at_least_once,
       .staff = {4, 0, 4, 0},
       .kills = {kills, 0, kills, kills}});
}

TEST_F(KillStress, MessagesThatArePassedOn) {
  const std::uint32_t kills = kills_wished(40);
  run({.capacity = 8, .staff = {3, 3, 3, 0}, .kills = {kills, kills, kills, kills}});
}

}  // namespace
}  // namespace tarn::kill

int main(int argc, char** argv) { return tarn::testkit::run(argc, argv, tarn::kill::all_roles()); }
