// ocval.h - Val, Tab, OTab, Tup, Arr; all of the family comes together.
#pragma once

#include "opencontainers.h"
