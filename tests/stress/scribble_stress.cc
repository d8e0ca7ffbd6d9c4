// scribble_stress.cc - some seconds of garbage; tests/soak/scribble_soak.cc has an hour.
#include "tests/stress/scribble_rig.h"

namespace tarn::scribble {
namespace {

class ScribbleStress : public ScribbleRig {};

TEST_F(ScribbleStress, HarmsNobodyElse) { scribble_for(8s); }

}  // namespace
}  // namespace tarn::scribble

int main(int argc, char** argv) {
  return tarn::testkit::run(argc, argv, tarn::scribble::all_roles());
}
