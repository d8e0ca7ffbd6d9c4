// version.cc - `tarn version`.
#include <nlohmann/json.hpp>
#include <ostream>

#include "tarn/node.h"
#include "tools/command.h"
#include "tools/options.h"
#include "tools/print/text.h"

namespace tarn::tools {

void register_version(CLI::App& app, CommandContext& context) {
  CLI::App& command =
      add_command(app, "version", "Prints the version of this program", "  tarn version --json\n");
  run_on(command, context, [&context] {
    if (context.json) {
      context.out << json_text({{"version", version()}}) << '\n';
    } else {
      context.out << "tarn " << version() << '\n';
    }
    return ExitCode::ok;
  });
}

}  // namespace tarn::tools
