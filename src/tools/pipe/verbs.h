// verbs.h - the verbs of `tarn pipe`; each file registers its own.
#pragma once

#include "tools/command.h"

namespace tarn::tools {

void register_pipe_views(CLI::App& pipe, CommandContext& context);    // ls, info
void register_pipe_changes(CLI::App& pipe, CommandContext& context);  // create, close, rm
void register_pipe_push(CLI::App& pipe, CommandContext& context);
void register_pipe_pop(CLI::App& pipe, CommandContext& context);

}  // namespace tarn::tools
