// octhread.h - OCThread, Mutex; all of the family comes together.
#pragma once

#include "opencontainers.h"
