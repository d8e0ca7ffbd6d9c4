// tarnd - the node's daemon: one for each {host, user, application}.

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/version.h"
#include "daemon/daemon.h"
#include "daemon/recovery/recover.h"
#include "daemon/supervision/shepherd.h"
#include "os/access/accounts.h"
#include "os/process.h"
#include "wire/access_text.h"
#include "wire/start_report.h"

namespace {

// The worker executes this file anew under that name: "tarn-recover WORKER START", with
// descriptor 3.
int recover(int argc, char** argv) {
  if (argc != 3) return tarn::wire::kExitUsage;
  return tarn::daemon::serve_recovery(3, std::atoi(argv[1]),
                                      static_cast<std::uint32_t>(std::atoi(argv[2])));
}

std::optional<std::uint32_t> find_account(tarn::wire::SubjectKind kind, const std::string& name) {
  return kind == tarn::wire::SubjectKind::group ? tarn::os::find_group(name)
                                                : tarn::os::find_user(name);
}

// The rules of --access, or of $TARN_ACCESS where there are none.
std::vector<tarn::wire::AccessRule> read_rules(const std::vector<std::string>& texts) {
  std::vector<tarn::wire::AccessRule> rules;
  const auto add = [&](tarn::Result<std::vector<tarn::wire::AccessRule>, tarn::Error> read) {
    if (!read) throw CLI::ValidationError("--access", read.error().what());
    rules.insert(rules.end(), read->begin(), read->end());
  };
  const char* environment = std::getenv("TARN_ACCESS");
  if (texts.empty() && environment != nullptr) {
    add(tarn::wire::parse_rules(environment, find_account));
  }
  for (const std::string& text : texts) {
    auto rule = tarn::wire::parse_rule(text, find_account);
    if (!rule) throw CLI::ValidationError("--access", rule.error().what());
    rules.push_back(*rule);
  }
  if (rules.size() > tarn::wire::kMostAccessRules) {
    throw CLI::ValidationError("--access", "there may be at most 256 rules");
  }
  return rules;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 0 && std::string_view(argv[0]) == tarn::daemon::kRecoverProgram) {
    return recover(argc, argv);
  }
  // A worker executes this file under another name: always the same version as itself.
  if (argc == 2 && std::string_view(argv[0]) == tarn::daemon::kShepherdProgram) {
    return tarn::daemon::run_shepherd(argv[1]);
  }
  tarn::daemon::Options options;
  options.key = {"default", tarn::os::account_name()};
  double idle_exit_s = 0;

  CLI::App app(
      "Owns the shared memory of one tarn domain on this host, and cleans up after deaths.");
  app.option_defaults()->take_last();
  app.set_version_flag("--version", std::string("tarnd ") + tarn::kVersion);
  app.add_option("--application", options.key.application, "The domain's application")
      ->envname("TARN_APPLICATION");
  app.add_option("--user", options.key.user, "The domain's user")->envname("TARN_USER");
  auto* idle =
      app.add_option("--idle-exit", idle_exit_s,
                     "End after so many seconds without sessions and undelivered messages");
  idle->check(CLI::Range(0.0, 1e6));
  app.add_option("--limit", options.limit_bytes,
                 "Most bytes of shared memory, as in 512MiB; default: half of the machine's or the "
                 "cgroup's")
      ->envname("TARN_LIMIT")
      ->transform(CLI::AsSizeValue(false));
  std::vector<std::string> access;
  app.add_option("--access", access,
                 "Who else may use the node, as in user:bob:read, group:lab:read-write or "
                 "world:read:pipe=results; may be given again [$TARN_ACCESS, with ';' between]")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("RULE");
  app.add_flag("--foreground", options.foreground, "Stay at the terminal and log there");
  app.add_option("--ready-fd", options.ready_fd,
                 "Report readiness as one line on this descriptor, then close it")
      ->check(CLI::Range(3, 1 << 20));
  try {
    app.parse(argc, argv);
    options.access = read_rules(access);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? tarn::wire::kExitOrdered : tarn::wire::kExitUsage;
  }
  if (idle->count() > 0) options.idle_exit_s = idle_exit_s;
  return tarn::daemon::run_daemon(options);
}
