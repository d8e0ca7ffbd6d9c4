// opencontainers.h - all containers, values and queues.
#pragma once

#include "oc/pool.h"
#include "oc/queue.h"
#include "oc/templates.h"
#include "oc/threads.h"
