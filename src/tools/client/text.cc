// How a client is shown, and how its options are read.
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "tools/client/verbs.h"
#include "tools/options.h"
#include "tools/parse.h"

namespace tarn::tools {

using Json = nlohmann::ordered_json;

Json json_of(const ClientStatus& client) {
  return {{"id", client.id},
          {"name", client.name},
          {"command", client.command},
          {"state", name_of(client.state)},
          {"restart", name_of(client.restart)},
          {"pid", client.pid},
          {"shepherd_pid", client.shepherd_pid},
          {"starts", client.starts},
          {"ends", client.ends},
          {"exit_status", client.exit_status},
          {"exit_signal", client.exit_signal},
          {"exec_error", client.exec_error},
          {"up_ns", client.up_ns},
          {"next_start_ns", client.next_start_ns},
          {"started_unix_ns", client.started_unix_ns},
          {"ended_unix_ns", client.ended_unix_ns}};
}

Json json_of(const OutputLine& line) {
  return {{"unix_ns", line.unix_ns},
          {"stream", line.is_error ? "stderr" : "stdout"},
          {"text", line.text}};
}

std::string end_text(const ClientStatus& client) {
  if (client.exec_error != 0)
    return std::string("not executed: ") + std::strerror(client.exec_error);
  if (client.ends == 0) return "-";
  if (client.exit_signal == 0) return "status " + std::to_string(client.exit_status);
  const char* name = ::sigdescr_np(client.exit_signal);
  return "signal " + std::to_string(client.exit_signal) +
         (name != nullptr ? " (" + std::string(name) + ")" : "");
}

std::string state_text(const ClientStatus& client) {
  const std::string state(name_of(client.state));
  switch (client.state) {
    case ClientState::running:
      return "is running, process " + std::to_string(client.pid);
    case ClientState::stopped:
    case ClientState::finished:
    case ClientState::failed:
      return (client.state == ClientState::stopped ? "is " : "has ") + state + ": " +
             end_text(client);
    case ClientState::waiting:
      return "died (" + end_text(client) + ") and will be started again";
    case ClientState::registered:
    case ClientState::starting:
    case ClientState::stopping:
      break;
  }
  return "is " + state;
}

ExitCode exit_code_of(const ClientStatus& client) noexcept {
  // As shells do for what cannot be executed.
  if (client.exec_error != 0) return static_cast<ExitCode>(client.exec_error == ENOENT ? 127 : 126);
  if (client.exit_signal != 0) return static_cast<ExitCode>(128 + client.exit_signal);
  return static_cast<ExitCode>(client.exit_status);
}

void add_client_name(CLI::App& command, std::string& target) {
  command.add_option("NAME", target, "The client's name")->required()->type_name("");
}

void read_limit(const std::string& text, ClientOptions& target) {
  if (text == "none") {
    target.limit_count = 0;
    return;
  }
  const auto slash = text.find('/');
  const auto count = parse_integer(text.substr(0, slash));
  const auto window = slash == std::string::npos ? std::optional<std::chrono::nanoseconds>()
                                                 : parse_duration(text.substr(slash + 1));
  if (!count || *count < 1 || *count > 100'000 || !window || window->count() == 0) {
    throw CLI::ValidationError("--limit",
                               "'" + text + "' is neither 'none' nor a limit such as 5/60s");
  }
  target.limit_count = static_cast<std::uint32_t>(*count);
  target.limit_window = *window;
}

void read_backoff(const std::string& text, ClientOptions& target) {
  const auto dots = text.find("..");
  const auto first = parse_duration(text.substr(0, dots));
  const auto most = dots == std::string::npos ? first : parse_duration(text.substr(dots + 2));
  if (!first || !most || *most < *first) {
    throw CLI::ValidationError("--backoff", "'" + text + "' is no back-off such as 100ms..30s");
  }
  target.backoff_first = *first;
  target.backoff_most = *most;
}

}  // namespace tarn::tools
