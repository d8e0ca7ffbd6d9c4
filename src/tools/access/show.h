// show.h - who may use the node, for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tarn/access.h"
#include "tools/print/style.h"

namespace tarn::tools {

std::string text_of(const AccessStatus& status, const Style& style);
nlohmann::ordered_json json_of(const AccessStatus& status);
nlohmann::ordered_json json_of(const AccessRule& rule);

}  // namespace tarn::tools
