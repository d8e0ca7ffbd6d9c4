// ocproxy.h - Proxy, Shared(), Locked(), TransactionLock; all of the family comes together.
#pragma once

#include "opencontainers.h"
