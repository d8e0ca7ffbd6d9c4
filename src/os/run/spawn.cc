#include "os/run/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/process.h"
#include "os/system_error.h"

namespace tarn::os {
namespace {

// Above every number that a program gets, so that no descriptor is overwritten before its turn.
constexpr int kOutOfTheWay = 64;

class FileActions {
 public:
  FileActions() noexcept { ::posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  posix_spawn_file_actions_t* get() noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class Attributes {
 public:
  Attributes() noexcept {
    ::posix_spawnattr_init(&attributes_);
    sigset_t set;
    ::sigemptyset(&set);
    ::posix_spawnattr_setsigmask(&attributes_, &set);
    ::sigfillset(&set);
    ::posix_spawnattr_setsigdefault(&attributes_, &set);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  const posix_spawnattr_t* get() const noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

}  // namespace

std::vector<char*> raw_words(const std::vector<std::string>& words) {
  std::vector<char*> raw;
  raw.reserve(words.size() + 1);
  for (const std::string& word : words) raw.push_back(const_cast<char*>(word.c_str()));
  raw.push_back(nullptr);
  return raw;
}

Result<std::int32_t, Error> spawn(const SpawnPlan& plan) {
  FileActions actions;
  const Attributes attributes;
  std::vector<UniqueFd> copies;
  int number = 3;
  for (const int fd : plan.descriptors) {
    copies.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, kOutOfTheWay));
    if (!copies.back()) return system_error("start a program", plan.program);
    ::posix_spawn_file_actions_adddup2(actions.get(), copies.back().get(), number++);
  }
  ::posix_spawn_file_actions_addclosefrom_np(actions.get(), number);
  const auto arguments = raw_words(plan.arguments);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, plan.program.c_str(), actions.get(), attributes.get(),
                                  arguments.data(), environ);
  if (error != 0) return system_error("start a program", plan.program, error);
  return pid;
}

Result<StartedChild, Error> watch_started(Result<std::int32_t, Error> pid) {
  if (!pid) return std::move(pid).error();
  auto process = open_pidfd(*pid);
  if (process) return StartedChild{*pid, std::move(*process)};
  // Without it nobody would learn of its end.
  signal_child(*pid, SIGKILL);
  reap_child(*pid);
  return std::move(process).error();
}

FullStatus adopt_orphans() noexcept {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0) return Done{};
  return system_error("adopt orphans", "prctl");
}

std::int32_t ended_child() noexcept {
  siginfo_t facts{};
  if (::waitid(P_ALL, 0, &facts, WEXITED | WNOHANG | WNOWAIT) != 0) return 0;
  return facts.si_pid;
}

std::optional<ChildEnd> reap_if_ended(std::int32_t pid) noexcept {
  siginfo_t facts{};
  const bool ours = ::waitid(P_PID, static_cast<id_t>(pid), &facts, WEXITED | WNOHANG) == 0;
  if (!ours || facts.si_pid != pid) return std::nullopt;
  ChildEnd end;
  (facts.si_code == CLD_EXITED ? end.status : end.signal) = facts.si_status;
  return end;
}

}  // namespace tarn::os
