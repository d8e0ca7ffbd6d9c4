// node.cc - `tarn up`, `tarn down`, `tarn status`.
#include "tarn/node.h"

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "tarn/access.h"
#include "tools/command.h"
#include "tools/options.h"
#include "tools/print/format.h"
#include "tools/print/status_json.h"
#include "tools/print/table.h"
#include "tools/print/text.h"

namespace tarn::tools {
namespace {

std::string domain_of(const NodeStatus& node) { return node.application + '/' + node.user; }

ExitCode up(CommandContext& context, const std::vector<std::string>& access) {
  std::vector<AccessRule> rules;
  for (const std::string& text : access) rules.push_back(parse_access_rule(text));
  const bool started = start_node(context.connect);
  for (const AccessRule& rule : rules) set_access(observer(context), rule);
  const NodeStatus node = connect(observer(context)).status();
  if (context.json) {
    context.out << json_text({{"started", started}, {"node", json_of(node)}}) << '\n';
    return ExitCode::ok;
  }
  context.out << "The node of " << domain_of(node) << (started ? " has started" : " runs already")
              << ": tarnd " << node.version << ", process " << node.keeper_pid << ", at most "
              << format_size(node.limit_bytes) << " of memory, in " << node.directory << ".\n";
  return ExitCode::ok;
}

struct DownOptions {
  bool force = false;
  std::optional<Duration> timeout;
};

ExitCode down(CommandContext& context, const DownOptions& options) {
  constexpr std::chrono::milliseconds kPatience(5000);
  const auto patience =
      options.timeout ? std::chrono::ceil<std::chrono::milliseconds>(*options.timeout) : kPatience;
  const bool stopped = stop_node(observer(context), options.force, patience);
  if (context.json) {
    context.out << json_text({{"stopped", stopped}}) << '\n';
  } else {
    context.out << (stopped ? "The node has ended.\n" : "No node was running.\n");
  }
  return ExitCode::ok;
}

std::string processes_of(const NodeStatus& node) {
  std::string text =
      "keeper " + std::to_string(node.keeper_pid) + ", worker " + std::to_string(node.worker_pid);
  if (node.recover_pid != 0) text += ", tarn-recover " + std::to_string(node.recover_pid);
  if (node.worker_starts > 1) {
    text += ", restarted " + std::to_string(node.worker_starts - 1) + " times";
  }
  return text;
}

// What is left alone, and why.
std::string quarantine_of(const NodeStatus& node) {
  std::string text = format_count(node.quarantined);
  for (const Quarantined& each : node.verdicts) {
    text += "; " + each.object + ": " + each.verdict;
  }
  return text;
}

// Another account's node says what this account has there, and nothing else.
std::string own_part_of(const NodeStatus& node, const Style& style) {
  Fields fields;
  fields.add("domain", Cell(domain_of(node), Paint::bold));
  fields.add("door", node.directory);
  fields.add("daemon", "tarnd " + node.version + ", another account's");
  fields.add("memory", format_size(node.used_bytes) + " of " + format_size(node.limit_bytes) +
                           " that this account may have");
  fields.add("sessions", format_count(node.sessions) + " of this account");
  fields.add("pipes", format_count(node.pipes) + " created by this account");
  return fields.text(style);
}

std::string text_of(const NodeStatus& node, const Style& style) {
  Fields fields;
  fields.add("domain", Cell(domain_of(node), Paint::bold));
  fields.add("directory", node.directory);
  fields.add("daemon", "tarnd " + node.version + ", up " + format_duration(node.age_ns) +
                           (node.ends_when_idle ? ", ends when idle" : ""));
  fields.add("processes", processes_of(node));
  fields.add("memory", format_size(node.used_bytes) + " of " + format_size(node.limit_bytes) +
                           " (" + format_share(node.used_bytes, node.limit_bytes) + ")");
  fields.add("segments",
             format_count(node.segments) + ", of the dead " + format_count(node.orphan_segments));
  fields.add("sessions", format_count(node.sessions));
  fields.add("pipes", format_count(node.pipes));
  fields.add("clients", format_count(node.clients) + " supervised");
  fields.add("recovered", format_count(node.recovered_sessions) +
                              (node.recovered_sessions == 1 ? " session" : " sessions"));
  if (node.quarantined > 0) fields.add("quarantine", quarantine_of(node));
  return fields.text(style);
}

ExitCode status(CommandContext& context) {
  const NodeStatus node = connect(observer(context)).status();
  if (context.json) {
    context.out << json_text(json_of(node)) << '\n';
  } else {
    const bool is_own = node.keeper_pid != 0;
    const Style style(context.color_out);
    context.out << (is_own ? text_of(node, style) : own_part_of(node, style));
  }
  return ExitCode::ok;
}

void register_down(CLI::App& app, CommandContext& context) {
  CLI::App& command =
      add_command(app, "down", "Ends the node; succeeds also when none runs",
                  "  tarn down                  refuses while programs are attached\n"
                  "  tarn down --force          ends it all the same: programs get node_lost\n");
  const auto options = std::make_shared<DownOptions>();
  command.add_flag("--force", options->force, "Also while programs are attached");
  add_duration(command, "--timeout", options->timeout, "How long to wait for its end [5]");
  run_on(command, context, [&context, options] { return down(context, *options); });
}

}  // namespace

void register_node(CLI::App& app, CommandContext& context) {
  CLI::App& up_command =
      add_command(app, "up", "Starts the node; succeeds also when it runs already",
                  "  tarn up                    of the domain default/<account>\n"
                  "  tarn --application lab up  of another one\n"
                  "  tarn up --access group:lab:read-write\n");
  const auto access = std::make_shared<std::vector<std::string>>();
  up_command
      .add_option("--access", *access,
                  "Who else may use it, as in bob:read; may be given again [$TARN_ACCESS]")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("RULE");
  run_on(up_command, context, [&context, access] { return up(context, *access); });
  register_down(app, context);
  CLI::App& status_command =
      add_command(app, "status", "Shows the node: processes, memory, what is in it",
                  "  tarn status --json | jq .used_bytes\n");
  run_on(status_command, context, [&context] { return status(context); });
}

}  // namespace tarn::tools
