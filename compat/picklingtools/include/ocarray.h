// ocarray.h - Array<T>; all of the family comes together.
#pragma once

#include "opencontainers.h"
