// verbs.h - `tarn run` and the verbs of `tarn client`, and how they show a client.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tarn/client.h"
#include "tools/client/lines.h"
#include "tools/command.h"
#include "tools/print/style.h"
#include "tools/print/table.h"

namespace tarn::tools {

void register_client_logs(CLI::App& client, CommandContext& context);
// The required positional NAME.
void add_client_name(CLI::App& command, std::string& target);

nlohmann::ordered_json json_of(const ClientStatus& client);
nlohmann::ordered_json json_of(const OutputLine& line);
// "status 3", "signal 9 (Killed)", "not executed: No such file or directory", "-" before any end.
std::string end_text(const ClientStatus& client);
// One sentence on where it stands: "is running, process 4711".
std::string state_text(const ClientStatus& client);
// The exit code of a shell whose command ended so.
ExitCode exit_code_of(const ClientStatus& client) noexcept;

// "5/60s" or "none"; throws CLI::ValidationError.
void read_limit(const std::string& text, ClientOptions& target);
// "100ms..30s"
void read_backoff(const std::string& text, ClientOptions& target);

}  // namespace tarn::tools
