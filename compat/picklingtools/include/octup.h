// octup.h - Tup; all of the family comes together.
#pragma once

#include "opencontainers.h"
