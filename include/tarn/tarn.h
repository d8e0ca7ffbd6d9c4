// tarn.h - everything a program needs to hand data to other programs through shared memory.
#pragma once

#include "tarn/access.h"
#include "tarn/client.h"
#include "tarn/error.h"
#include "tarn/inspect.h"
#include "tarn/message.h"
#include "tarn/node.h"
#include "tarn/pipe.h"
#include "tarn/session.h"
#include "tarn/value.h"
