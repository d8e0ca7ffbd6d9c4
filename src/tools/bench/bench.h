// bench.h - `tarn bench` without its command line: runs what was chosen.
#pragma once

#include "tools/bench/stage.h"

namespace tarn::bench {

// Every pattern that `stage.settings()` chose, in its own domain, and the peers when asked for.
// Throws BenchError, tarn::Error and Interrupted; everything is put away before.
void run_chosen(Stage& stage);

// Throws BenchError when a wildcard matches no pattern.
void require_known(const Settings& settings);

}  // namespace tarn::bench
