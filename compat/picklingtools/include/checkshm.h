// checkshm.h - InSHM() and IsSHM(); all of the family comes together.
#pragma once

#include "opencontainers.h"
