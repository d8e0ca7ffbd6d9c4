// ocserialize.h - programs include it for the containers. What is enqueued here is never
// serialised, and the originals' serialisations are not part of this layer:
// docs/guide/picklingtools.md.
#pragma once

#include "opencontainers.h"
