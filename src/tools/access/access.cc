// access.cc - `tarn access`: who but the node's own account may use it, and how much of it.
#include "tarn/access.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>

#include "tools/access/show.h"
#include "tools/command.h"
#include "tools/options.h"
#include "tools/print/style.h"
#include "tools/print/text.h"

namespace tarn::tools {
namespace {

struct RuleOptions {
  std::string subject;
  std::string right = "none";
  std::string pipe;
  bool disconnect = false;
};

struct QuotaOptions {
  std::string account;
  bool forget = false;
  std::optional<std::uint64_t> memory;
  std::optional<std::int64_t> sessions;
  std::optional<std::int64_t> connections;
  std::optional<std::int64_t> pipes;
  std::optional<std::int64_t> descriptors;
  std::optional<std::int64_t> requests;
};

ExitCode show(CommandContext& context) {
  const AccessStatus status = access_status(observer(context));
  if (context.json) {
    context.out << json_text(json_of(status)) << '\n';
  } else {
    context.out << text_of(status, Style(context.color_out));
  }
  return ExitCode::ok;
}

AccessRule rule_of(const RuleOptions& options) {
  return {parse_subject(options.subject), parse_right(options.right), options.pipe};
}

std::string object_of(const AccessRule& rule) {
  return rule.pipe.empty() ? std::string("the domain") : "pipe '" + printable(rule.pipe) + "'";
}

ExitCode put(CommandContext& context, const RuleOptions& options) {
  const AccessRule rule = rule_of(options);
  set_access(observer(context), rule, options.disconnect);
  if (context.json) {
    context.out << json_text(json_of(rule)) << '\n';
    return ExitCode::ok;
  }
  context.out << tarn::text_of(rule.subject)
              << (rule.right == Right::none ? " is denied " : " may ")
              << (rule.right == Right::none   ? ""
                  : rule.right == Right::read ? "look at "
                                              : "use ")
              << object_of(rule) << ".\n";
  return ExitCode::ok;
}

ExitCode forget(CommandContext& context, const RuleOptions& options) {
  const AccessRule rule = rule_of(options);
  forget_access(observer(context), rule, options.disconnect);
  if (context.json) {
    context.out << json_text({{"forgotten", tarn::text_of(rule.subject)}, {"pipe", rule.pipe}})
                << '\n';
  } else {
    context.out << "The rule for " << tarn::text_of(rule.subject) << " on " << object_of(rule)
                << " is gone.\n";
  }
  return ExitCode::ok;
}

ExitCode reset(CommandContext& context, const RuleOptions& options) {
  reset_access(observer(context), options.disconnect);
  if (context.json) {
    context.out << json_text({{"reset", true}}) << '\n';
  } else {
    context.out << "Nobody else may use the node.\n";
  }
  return ExitCode::ok;
}

std::uint32_t number_of(const std::optional<std::int64_t>& count) {
  constexpr std::int64_t kMost = UINT32_MAX;
  return static_cast<std::uint32_t>(std::min(count.value_or(0), kMost));
}

ExitCode quota(CommandContext& context, const QuotaOptions& options) {
  std::optional<std::uint32_t> uid;
  if (options.account != "each") {
    const Subject subject = parse_subject(options.account);
    if (subject.kind != Subject::Kind::user) {
      throw Error(Error::invalid_argument, "set a quota", "'" + options.account + "'",
                  "quotas are for accounts: name one, or say 'each'");
    }
    uid = subject.id;
  }
  if (options.forget) {
    forget_quota(observer(context), uid);
  } else {
    AccessQuota wish;
    wish.bytes = options.memory.value_or(0);
    wish.sessions = number_of(options.sessions);
    wish.connections = number_of(options.connections);
    wish.pipes = number_of(options.pipes);
    wish.descriptors = number_of(options.descriptors);
    wish.requests_per_second = number_of(options.requests);
    set_quota(observer(context), uid, wish);
  }
  return show(context);
}

void add_rule_options(CLI::App& command, RuleOptions& options, bool with_right) {
  command.add_option("SUBJECT", options.subject, "user:NAME (or NAME), group:NAME, or world")
      ->required()
      ->type_name("");
  if (with_right) {
    command.add_option("RIGHT", options.right, "read: see it; read-write: open it, push and pop")
        ->required()
        ->type_name("");
  }
  command.add_option("--pipe", options.pipe, "Only this pipe, or with a '*' at its end these")
      ->type_name("NAME");
}

void add_disconnect(CLI::App& command, RuleOptions& options) {
  command.add_flag("--disconnect", options.disconnect,
                   "End the connections of those who have no right left");
}

void register_rules(CLI::App& access, CommandContext& context) {
  const auto options = std::make_shared<RuleOptions>();
  CLI::App& allow = add_command(access, "allow", "Gives a right; replaces the subject's on that",
                                "  tarn access allow bob read\n"
                                "  tarn access allow group:lab read-write --pipe 'spectra-*'\n");
  add_rule_options(allow, *options, true);
  run_on(allow, context, [&context, options] { return put(context, *options); });

  CLI::App& deny =
      add_command(access, "deny", "Denies everything, whatever else allows it",
                  "  tarn access deny carol --disconnect\n"
                  "  tarn access deny group:guests --pipe raw\n",
                  "A denial wins over every other rule. Memory that a program has mapped stays "
                  "mapped\nuntil the program ends.\n");
  add_rule_options(deny, *options, false);
  add_disconnect(deny, *options);
  run_on(deny, context, [&context, options] {
    options->right = "none";
    return put(context, *options);
  });

  CLI::App& forget_command = add_command(access, "forget", "Takes one rule away",
                                         "  tarn access forget bob\n"
                                         "  tarn access forget group:lab --pipe 'spectra-*'\n");
  add_rule_options(forget_command, *options, false);
  add_disconnect(forget_command, *options);
  run_on(forget_command, context, [&context, options] { return forget(context, *options); });

  CLI::App& reset_command = add_command(access, "reset", "Takes all rules and quotas away",
                                        "  tarn access reset --disconnect\n");
  add_disconnect(reset_command, *options);
  run_on(reset_command, context, [&context, options] { return reset(context, *options); });
}

void register_quota(CLI::App& access, CommandContext& context) {
  const auto options = std::make_shared<QuotaOptions>();
  CLI::App& command =
      add_command(access, "quota", "Limits what an account may use; what is not given is default",
                  "  tarn access quota bob --memory 256MiB --pipes 4\n"
                  "  tarn access quota each --sessions 8      every account without its own\n"
                  "  tarn access quota bob --forget\n");
  command.add_option("ACCOUNT", options->account, "An account, or 'each'")
      ->required()
      ->type_name("");
  command.add_flag("--forget", options->forget, "Back to the default");
  add_size(command, "--memory", options->memory, "Bytes that it owns, or sees of others'");
  add_count(command, "--sessions", options->sessions, "Attached programs", 1);
  add_count(command, "--connections", options->connections, "Connections to the node", 1);
  add_count(command, "--pipes", options->pipes, "Pipes that it created", 1);
  add_count(command, "--descriptors", options->descriptors, "Descriptors the node keeps for it", 1);
  add_count(command, "--requests", options->requests, "Requests to the node, each second", 1);
  run_on(command, context, [&context, options] { return quota(context, *options); });
}

}  // namespace

void register_access(CLI::App& app, CommandContext& context) {
  CLI::App& access = add_command(app, "access", "Who but this account may use the node",
                                 "  tarn access                            shows it\n"
                                 "  tarn access allow bob read-write\n"
                                 "  tarn --owner alice pipe ls             as bob\n");
  access.require_subcommand(0, 1);
  access.callback([&context, &access] {
    if (access.get_subcommands().empty()) context.action = [&context] { return show(context); };
  });
  register_rules(access, context);
  register_quota(access, context);
}

}  // namespace tarn::tools
