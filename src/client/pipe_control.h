// pipe_control.h - a mapped control segment with its view, kept as long as anybody may look into
// its slots.
#pragma once

#include "shm/pipe/pipe.h"
#include "shm/segment/segment.h"

namespace tarn {

struct PipeControl {
  Segment segment;
  PipeView view;
};

}  // namespace tarn
