// access_status.h - who may use the node, asked of it.
#pragma once

#include "base/result.h"
#include "client/domain.h"
#include "tarn/access.h"

namespace tarn::detail {

Result<AccessStatus, Error> ask_access_status(const Domain& domain);

}  // namespace tarn::detail
