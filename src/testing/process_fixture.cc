#include "testing/process_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

namespace tarn::testkit {
namespace {

constexpr std::string_view kRoleOption = "--role=";
constexpr unsigned kWatchdogSeconds = 100;
constexpr const char* kApplication = "test";
constexpr const char* kUser = "tester";

// The children of this process, for the watchdog alone.
constexpr std::size_t kMostChildren = 4096;
std::array<std::atomic<pid_t>, kMostChildren> g_children{};

void remember_child(pid_t pid) {
  for (auto& cell : g_children) {
    pid_t none = 0;
    if (cell.compare_exchange_strong(none, pid)) return;
  }
}

void forget_child(pid_t pid) {
  for (auto& cell : g_children) {
    pid_t own = pid;
    if (cell.compare_exchange_strong(own, 0)) return;
  }
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  std::string line = text.str();
  while (!line.empty() && line.back() == '\n') line.pop_back();
  return line;
}

// Each thread's name, what it sleeps in, and its system call with arguments.
void print_threads(pid_t pid) {
  std::error_code error;
  const std::filesystem::path tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
    std::fprintf(stderr, "  %d/%s %s: %s, syscall %s\n", pid, task.path().filename().c_str(),
                 read_text(task.path() / "comm").c_str(), read_text(task.path() / "wchan").c_str(),
                 read_text(task.path() / "syscall").c_str());
  }
}

// Not async-signal-safe, and need not be: the process hangs, and ends here.
void on_watchdog(int) {
  std::fprintf(stderr, "watchdog: pid %d hangs\n", ::getpid());
  print_whereabouts();
  for (auto& cell : g_children) {
    const pid_t child = cell.load();
    if (child != 0) ::kill(child, SIGKILL);
  }
  ::_exit(124);
}

// Read before the test may enter a mount namespace of its own: below a chroot, the kernel then
// gives the path from the old namespace's root.
std::filesystem::path g_own_path = std::filesystem::read_symlink("/proc/self/exe");

// Runs in the child.
[[noreturn]] void become(const Arguments& words, const ChildTraits& traits, pid_t parent) {
  if (!traits.error_file.empty()) {
    const int log = ::open(traits.error_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(log, STDERR_FILENO);
    ::close(log);
  }
  if (traits.before_exec) traits.before_exec();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(125);
  std::vector<char*> raw;
  for (const std::string& word : words) raw.push_back(const_cast<char*>(word.c_str()));
  raw.push_back(nullptr);
  ::execv(raw[0], raw.data());
  std::perror(raw[0]);
  ::_exit(126);
}

// A line from `fd`, up to its end or the other side's closing.
std::string read_line(int fd) {
  std::string line;
  char c = 0;
  while (::read(fd, &c, 1) == 1 && c != '\n') line += c;
  return line;
}

}  // namespace

void print_whereabouts() {
  print_threads(::getpid());
  for (auto& cell : g_children) {
    const pid_t child = cell.load();
    if (child == 0) continue;
    print_threads(child);
    for (const pid_t grandchild : children_of(child)) print_threads(grandchild);
  }
}

void set_watchdog() {
  const char* wish = std::getenv("TARN_WATCHDOG");
  const unsigned long seconds =
      wish != nullptr ? std::strtoul(wish, nullptr, 10) : kWatchdogSeconds;
  struct sigaction action {};
  action.sa_handler = on_watchdog;
  ::sigaction(SIGALRM, &action, nullptr);
  ::alarm(static_cast<unsigned>(seconds));
}

std::string Ending::text() const {
  if (signal != 0) return "signal " + std::to_string(signal);
  return "status " + std::to_string(exit_code);
}

// --- Child --------------------------------------------------------------------------------------

Child Child::execute(const Arguments& words, const ChildTraits& traits) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(words, traits, parent);
  Child child(pid);
  child.ended_ = pid < 0;
  if (pid > 0) remember_child(pid);
  return child;
}

Child Child::play(std::string_view role, const Arguments& arguments, const ChildTraits& traits) {
  Arguments words{g_own_path, std::string(kRoleOption) + std::string(role)};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return execute(words, traits);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      ended_(std::exchange(other.ended_, true)),
      ending_(other.ending_) {}

Child& Child::operator=(Child&& other) noexcept {
  if (this != &other) {
    kill();
    pid_ = std::exchange(other.pid_, -1);
    ended_ = std::exchange(other.ended_, true);
    ending_ = other.ending_;
  }
  return *this;
}

Child::~Child() { kill(); }

bool Child::reap(bool block) {
  if (ended_) return true;
  int status = 0;
  pid_t got = 0;
  do {
    got = ::waitpid(pid_, &status, block ? 0 : WNOHANG);
  } while (got < 0 && errno == EINTR);
  if (got != pid_) return false;
  ended_ = true;
  forget_child(pid_);
  ending_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  ending_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return true;
}

// It is not reaped yet, so its pid is still its own.
void Child::signal(int number) {
  if (!ended_) ::kill(pid_, number);
}

bool Child::has_ended() { return reap(false); }

const Ending& Child::wait() {
  reap(true);
  return ending_;
}

const Ending& Child::kill() {
  signal(SIGKILL);
  return wait();
}

namespace {

// Removes the copies when this process ends; its children run another program.
struct Copies {
  std::filesystem::path folder;
  ~Copies() {
    std::error_code error;
    if (!folder.empty()) std::filesystem::remove_all(folder, error);
  }
};
Copies g_copies;

}  // namespace

void open_programs_to_all() {
  std::string pattern = "/tmp/tarn-programs-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) std::perror("mkdtemp");
  g_copies.folder = pattern;
  const auto daemon = PrivateDomain::daemon_path();
  const auto put = [&](const std::filesystem::path& from, const char* folder) {
    const auto to = g_copies.folder / folder;
    std::filesystem::create_directory(to);
    std::filesystem::copy_file(from, to / from.filename());
    return to / from.filename();
  };
  const auto own = put(g_own_path, "tests");
  put(daemon, "bin");
  for (const char* folder : {"", "tests", "bin"}) {
    ::chmod((g_copies.folder / folder).c_str(), 0755);
  }
  g_own_path = own;
}

// --- PrivateDomain ------------------------------------------------------------------------------

PrivateDomain::PrivateDomain() {
  std::string pattern = "/tmp/tarn-test-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) std::perror("mkdtemp");
  folder_ = pattern;
  ::setenv("XDG_RUNTIME_DIR", pattern.c_str(), 1);
  ::setenv("TARN_APPLICATION", kApplication, 1);
  ::setenv("TARN_USER", kUser, 1);
  ::setenv("TARN_DAEMON", daemon_path().c_str(), 1);
  ::unsetenv("TARN_LIMIT");
}

PrivateDomain::~PrivateDomain() {
  stop();
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

std::filesystem::path PrivateDomain::daemon_path() {
  return g_own_path.parent_path().parent_path() / "bin" / "tarnd";
}

std::filesystem::path PrivateDomain::run_directory() const {
  return folder_ / "tarn" / kApplication / kUser;
}

bool PrivateDomain::start(const Arguments& options, const ChildTraits& traits) {
  std::array<int, 2> ready{};
  if (::pipe2(ready.data(), O_CLOEXEC) != 0) return false;
  Arguments words{daemon_path(), "--foreground", "--ready-fd", std::to_string(ready[1])};
  words.insert(words.end(), options.begin(), options.end());
  ChildTraits own = traits;
  if (own.error_file.empty()) own.error_file = folder_ / "log";
  own.before_exec = [&] {
    ::fcntl(ready[1], F_SETFD, 0);
    if (traits.before_exec) traits.before_exec();
  };
  keeper_ = Child::execute(words, own);
  ::close(ready[1]);
  report_ = read_line(ready[0]);
  ::close(ready[0]);
  return report_ == "ready";
}

Ending PrivateDomain::stop() {
  keeper_.signal(SIGTERM);
  return keeper_.wait();
}

pid_t PrivateDomain::keeper_pid() const noexcept { return keeper_.pid() > 0 ? keeper_.pid() : 0; }

std::string PrivateDomain::log() const { return read_text(folder_ / "log"); }

// ------------------------------------------------------------------------------------------------

void await(const std::function<bool()>& condition) {
  while (!condition()) ::usleep(1000);
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  const std::string id = std::to_string(parent);
  std::istringstream text(read_text("/proc/" + id + "/task/" + id + "/children"));
  for (pid_t child = 0; text >> child;) children.push_back(child);
  return children;
}

namespace {

// A child that runs, or nothing when it has ended and only waits for its parent to notice.
int open_running(pid_t child) {
  const int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  pollfd ended{descriptor, POLLIN, 0};
  if (descriptor < 0 || ::poll(&ended, 1, 0) == 0) return descriptor;
  ::close(descriptor);
  return -1;
}

// Children that are forks of the parent: others it has started, or adopted from a dead child.
std::vector<pid_t> forks_of(pid_t parent) {
  const auto words_of = [](pid_t pid) {
    return read_text("/proc/" + std::to_string(pid) + "/cmdline");
  };
  std::vector<pid_t> forks = children_of(parent);
  const std::string words = words_of(parent);
  std::erase_if(forks, [&](pid_t child) { return words_of(child) != words; });
  return forks;
}

}  // namespace

bool kill_child_of(pid_t parent) {
  int child = -1;
  await([&] {
    const auto children = forks_of(parent);
    if (children.empty()) return ::kill(parent, 0) != 0;
    child = open_running(children[0]);
    // Its number may have become somebody else's before we had the descriptor.
    if (child >= 0 && forks_of(parent) != children) ::close(std::exchange(child, -1));
    return child >= 0;
  });
  if (child < 0) return false;
  ::syscall(SYS_pidfd_send_signal, child, SIGKILL, nullptr, 0);
  pollfd ended{child, POLLIN, 0};
  ::poll(&ended, 1, -1);
  ::close(child);
  return true;
}

const Role* find_role(const Roles& roles, int argc, char** argv, Arguments& arguments) {
  if (argc < 2 || std::string_view(argv[1]).substr(0, kRoleOption.size()) != kRoleOption) {
    return nullptr;
  }
  const auto found = roles.find(std::string_view(argv[1]).substr(kRoleOption.size()));
  if (found == roles.end()) {
    std::fprintf(stderr, "no such role: %s\n", argv[1]);
    ::_exit(127);
  }
  arguments.assign(argv + 2, argv + argc);
  return &found->second;
}

}  // namespace tarn::testkit
