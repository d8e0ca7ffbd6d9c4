// ocstreamingpool.h - StreamingPool; all of the family comes together.
#pragma once

#include "opencontainers.h"
