// client.cc - `tarn client`: the commands that the node keeps running.
#include "tarn/client.h"

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "tools/client/verbs.h"
#include "tools/options.h"
#include "tools/print/format.h"
#include "tools/print/text.h"

namespace tarn::tools {
namespace {

Cell state_cell(const ClientStatus& client) {
  const std::string state(name_of(client.state));
  switch (client.state) {
    case ClientState::running:
      return Cell(state, Paint::green);
    case ClientState::failed:
      return Cell(state, Paint::red);
    case ClientState::waiting:
      return Cell(state, Paint::yellow);
    default:
      return Cell(state);
  }
}

ExitCode list(CommandContext& context) {
  const auto clients = list_clients(context.connect);
  if (context.json) {
    auto all = nlohmann::ordered_json::array();
    for (const ClientStatus& each : clients) all.push_back(json_of(each));
    context.out << json_text(all) << '\n';
    return ExitCode::ok;
  }
  Table table({{"NAME"},
               {"STATE"},
               {"PID", Align::right},
               {"STARTS", Align::right},
               {"UP", Align::right},
               {"LAST END"},
               {"COMMAND"}});
  for (const ClientStatus& each : clients) {
    table.add({each.name, state_cell(each), each.pid == 0 ? "-" : std::to_string(each.pid),
               format_count(each.starts), each.pid == 0 ? "-" : format_duration(each.up_ns),
               end_text(each), each.command});
  }
  context.out << table.text(Style(context.color_out));
  return ExitCode::ok;
}

ExitCode show(CommandContext& context, const ClientStatus& client) {
  if (context.json) {
    context.out << json_text(json_of(client)) << '\n';
  } else {
    context.out << "Client '" << printable(client.name) << "' " << state_text(client) << ".\n";
  }
  return ExitCode::ok;
}

struct NamedClient {
  std::string name;
  bool force = false;
};

ExitCode remove(CommandContext& context, const NamedClient& what) {
  find_client(context.connect, what.name).remove(what.force);
  if (context.json) {
    context.out << json_text({{"name", what.name}, {"removed", true}}) << '\n';
  } else {
    context.out << "Client '" << printable(what.name) << "' is removed.\n";
  }
  return ExitCode::ok;
}

CLI::App& add_verb(CLI::App& client, CommandContext& context,
                   const std::shared_ptr<NamedClient>& what, const std::string& verb,
                   const std::string& summary, std::function<ExitCode()> action) {
  CLI::App& command = add_command(client, verb, summary, "  tarn client " + verb + " camera\n");
  add_client_name(command, what->name);
  run_on(command, context, std::move(action));
  return command;
}

}  // namespace

void register_client(CLI::App& app, CommandContext& context) {
  CLI::App& client = add_command(app, "client", "The commands that the node keeps running",
                                 "  tarn run camera -- ./grab\n"
                                 "  tarn client ls\n");
  client.require_subcommand(1);
  CLI::App& ls =
      add_command(client, "ls", "Lists them",
                  "  tarn client ls --json | jq -r '.[] | select(.state == \"failed\").name'\n");
  run_on(ls, context, [&context] { return list(context); });
  const auto what = std::make_shared<NamedClient>();
  add_verb(
      client, context, what, "stop", "Ends a client, and returns once nothing of it is left",
      [&context, what] { return show(context, find_client(context.connect, what->name).stop()); });
  add_verb(client, context, what, "restart", "Starts a client anew, ending it first when it runs",
           [&context, what] {
             return show(context, find_client(context.connect, what->name).restart());
           });
  register_client_logs(client, context);
  CLI::App& rm =
      add_verb(client, context, what, "rm", "Forgets a client that has ended, and what it wrote",
               [&context, what] { return remove(context, *what); });
  rm.add_flag("--force", what->force, "Stop it first when it has not ended");
}

}  // namespace tarn::tools
