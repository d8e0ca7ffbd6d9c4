// completion.cc - `tarn completion bash`. The script is part of the program, so that it always
// fits it; completion/tarn.bash is the source of both it and the installed file.
#include <nlohmann/json.hpp>
#include <ostream>

#include "tools/command.h"
#include "tools/completion/script.h"
#include "tools/options.h"
#include "tools/print/text.h"

namespace tarn::tools {
namespace {

ExitCode bash(CommandContext& context) {
  if (context.json) {
    context.out << json_text({{"shell", "bash"}, {"script", kBashCompletion}}) << '\n';
  } else {
    context.out << kBashCompletion;
  }
  return ExitCode::ok;
}

}  // namespace

void register_completion(CLI::App& app, CommandContext& context) {
  CLI::App& completion = add_command(app, "completion", "Scripts that let a shell complete words",
                                     "  source <(tarn completion bash)\n");
  completion.require_subcommand(1);
  CLI::App& command = add_command(completion, "bash", "Prints the script for bash",
                                  "  source <(tarn completion bash)\n"
                                  "  tarn completion bash > /etc/bash_completion.d/tarn\n");
  run_on(command, context, [&context] { return bash(context); });
}

}  // namespace tarn::tools
