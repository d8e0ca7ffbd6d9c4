// iceoryx.h - Debian's iceoryx, measured by a program of its own (bench/iceoryx_peer.cc), so that
// tarn does not depend on it. The program's answers are lines of "name value".
#pragma once

#include "tools/bench/stage.h"

namespace tarn::bench {

// Starts iox-roudi when none runs, stops it afterwards, and removes what it leaves in /dev/shm.
// Notes why when iceoryx cannot be measured.
void run_iceoryx(Stage& stage);

}  // namespace tarn::bench
