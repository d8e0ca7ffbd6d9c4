// ocvalreader.h - Eval(), ValReader; all of the family comes together.
#pragma once

#include "opencontainers.h"
