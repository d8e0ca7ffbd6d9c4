// verbs.h - the verbs of `tarn value` that have a file of their own.
#pragma once

#include "tools/command.h"

namespace tarn::tools {

void register_value_convert(CLI::App& value, CommandContext& context);
void register_value_check(CLI::App& value, CommandContext& context);

}  // namespace tarn::tools
