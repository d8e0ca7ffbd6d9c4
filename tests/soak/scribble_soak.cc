// scribble_soak.cc - garbage for many minutes, in rounds with a node each.
//
// TARN_SOAK_ROUNDS says how many (default 40, of half a minute each).
#include <cstdlib>

#include "tests/stress/scribble_rig.h"

namespace tarn::scribble {
namespace {

class ScribbleSoak : public ScribbleRig, public ::testing::WithParamInterface<int> {};

TEST_P(ScribbleSoak, HarmsNobodyElse) { scribble_for(30s); }

int rounds() {
  const char* wish = std::getenv("TARN_SOAK_ROUNDS");
  return wish != nullptr ? std::atoi(wish) : 40;
}
INSTANTIATE_TEST_SUITE_P(Rounds, ScribbleSoak, ::testing::Range(0, rounds()));

}  // namespace
}  // namespace tarn::scribble

int main(int argc, char** argv) {
  return tarn::testkit::run(argc, argv, tarn::scribble::all_roles());
}
