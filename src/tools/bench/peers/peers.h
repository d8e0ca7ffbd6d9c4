// peers.h - tarn beside other systems: the same loops, the same floors, the same run.
#pragma once

#include "tools/bench/stage.h"

namespace tarn::bench {

// Measures every peer that is there; notes which are not.
void run_peers(Stage& stage);

}  // namespace tarn::bench
