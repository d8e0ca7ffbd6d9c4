// storm_stress.cc - a thousand deaths of everybody (or TARN_KILLS) while everybody works;
// tests/soak/storm_soak.cc has a hundred thousand.
#include "tests/stress/storm_rig.h"

namespace tarn::kill {
namespace {

class StormStress : public StormRig {};

TEST_F(StormStress, EverybodyIsKilledAtRandom) { run(1, kills_wished(1000)); }

}  // namespace
}  // namespace tarn::kill

int main(int argc, char** argv) { return tarn::testkit::run(argc, argv, tarn::kill::all_roles()); }
