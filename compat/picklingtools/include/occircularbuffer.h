// occircularbuffer.h - CircularBuffer; all of the family comes together.
#pragma once

#include "opencontainers.h"
