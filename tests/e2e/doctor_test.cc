// The doctor on faults that are really there: each test seeds one in a directory or a child process
// of its own, and takes it away again.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "tests/e2e/doctor_fixture.h"

namespace tarn {
namespace {

using namespace std::chrono_literals;
using testing::about;
using testing::mentions;

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream(path) << text;
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
}

// The pid of a process that was there a moment ago.
pid_t dead_pid() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return child;
}

void leave_dead_socket(const fs::path& path) {
  const int socket = ::socket(AF_UNIX, SOCK_SEQPACKET, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(socket);
}

std::string encode(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& each : findings) {
    text += std::to_string(static_cast<int>(each.severity)) + '\t' + each.subject + '\t' +
            each.found + '\t' + each.cure + '\n';
  }
  return text;
}

std::vector<Finding> decode(const std::string& text) {
  std::vector<Finding> findings;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string severity;
    Finding finding;
    std::getline(fields, severity, '\t');
    std::getline(fields, finding.subject, '\t');
    std::getline(fields, finding.found, '\t');
    std::getline(fields, finding.cure, '\t');
    finding.severity = static_cast<Severity>(std::stoi(severity));
    findings.push_back(finding);
  }
  return findings;
}

// What the doctor finds in a child process, once `spoil` has spoilt that child. Empty when the
// child did not come through it.
std::vector<Finding> examine_in_child(const ConnectOptions& options,
                                      const std::function<bool()>& spoil) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  const pid_t child = ::fork();
  if (child == 0) {
    if (!spoil()) ::_exit(2);
    const std::string text = encode(examine_host(options));
    const auto written = ::write(ends[1], text.data(), text.size());
    ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 3);
  }
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t count = 0; (count = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(count));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "the child ended otherwise than by itself";
  return status == 0 ? decode(text) : std::vector<Finding>{};
}

bool set_limit(int resource, rlim_t value) {
  const rlimit limit{value, value};
  return ::setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0;
}

TEST_F(DoctorTest, ChangesNothing) {
  const auto findings = examine_host(options());
  EXPECT_TRUE(fs::is_empty(root_));
  EXPECT_EQ(about(findings, "run directory").severity, Severity::ok);
  EXPECT_EQ(about(findings, "node").severity, Severity::ok);
}

TEST_F(DoctorTest, ThisKernelPassesTheProbes) {
  const auto findings = examine_host(options());
  for (const char* subject : {"kernel", "memory seals", "futex", "/proc", "daemon"}) {
    EXPECT_EQ(about(findings, subject).severity, Severity::ok)
        << subject << ": " << about(findings, subject).found;
  }
}

TEST_F(DoctorTest, LinkInsteadOfTheDirectoryIsAProblem) {
  fs::create_directory(root_ / "elsewhere");
  fs::permissions(root_ / "elsewhere", fs::perms::owner_all);
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "tarn");
  const Finding found = about(examine_host(options()), "run directory");
  EXPECT_EQ(found.severity, Severity::problem);
  EXPECT_TRUE(mentions(found.found, (root_ / "elsewhere").string())) << found.found;
}

TEST_F(DoctorTest, DirectoryOpenToOthersIsAProblem) {
  make_directory();
  fs::permissions(directory_.parent_path(), fs::perms(0755));
  const Finding found = about(examine_host(options()), "run directory");
  EXPECT_EQ(found.severity, Severity::problem);
  EXPECT_TRUE(mentions(found.cure, "chmod 0700 " + directory_.parent_path().string()));
}

TEST_F(DoctorTest, MissingRuntimeDirectoryIsAProblem) {
  ::setenv("XDG_RUNTIME_DIR", (root_ / "nowhere").c_str(), 1);
  EXPECT_EQ(about(examine_host(options()), "run directory").severity, Severity::problem);
  EXPECT_FALSE(fs::exists(root_ / "nowhere"));
}

TEST_F(DoctorTest, TooLongSocketPathIsAProblem) {
  ::setenv("XDG_RUNTIME_DIR", (root_ / std::string(100, 'x')).c_str(), 1);
  const Finding found = about(examine_host(options()), "domain");
  EXPECT_EQ(found.severity, Severity::problem);
  EXPECT_TRUE(mentions(found.cure, "107")) << found.cure;
}

TEST_F(DoctorTest, BadKeyIsAProblem) {
  auto wrong = options();
  wrong.application = "a/b";
  EXPECT_EQ(about(examine_host(wrong), "domain").severity, Severity::problem);
}

TEST_F(DoctorTest, MissingDaemonIsAProblem) {
  ::setenv("TARN_DAEMON", (root_ / "tarnd").c_str(), 1);
  EXPECT_EQ(about(examine_host(options()), "daemon").severity, Severity::problem);
}

TEST_F(DoctorTest, StalePidFileAndDeadSocketAreWarnings) {
  make_directory();
  const pid_t pid = dead_pid();
  write_text(directory_ / "pid", std::to_string(pid) + "\n");
  write_text(directory_ / "lock", "");
  leave_dead_socket(directory_ / "socket");
  const auto findings = examine_host(options());
  EXPECT_EQ(about(findings, "pid file").severity, Severity::warning);
  EXPECT_TRUE(mentions(about(findings, "pid file").found, std::to_string(pid)));
  EXPECT_EQ(about(findings, "socket").severity, Severity::warning);
  EXPECT_EQ(about(findings, "lock").severity, Severity::ok);
  EXPECT_EQ(about(findings, "node").severity, Severity::ok);
}

TEST_F(DoctorTest, StrangeFilesAreProblemsAndDoNotStopTheDoctor) {
  make_directory();
  ASSERT_EQ(::mkfifo((directory_ / "pid").c_str(), 0600), 0);
  fs::create_symlink("/dev/zero", directory_ / "lock");
  write_text(directory_ / "socket", "");
  ASSERT_EQ(::mkfifo((directory_ / "log").c_str(), 0600), 0);
  const auto findings = examine_host(options());
  for (const char* subject : {"pid file", "lock", "socket"}) {
    EXPECT_EQ(about(findings, subject).severity, Severity::problem) << subject;
  }
}

TEST_F(DoctorTest, LastErrorOfTheLogIsShown) {
  make_directory();
  write_text(directory_ / "log", std::string(100'000, 'x') +
                                     "\n2026-01-31T12:00:00.000 1 worker error the disk burns\n"
                                     "2026-01-31T12:00:01.000 1 keeper info goes on\n");
  EXPECT_TRUE(mentions(about(examine_host(options()), "log").found, "the disk burns"));
}

TEST_F(DoctorTest, FewDescriptorsAreFound) {
  const auto few = examine_in_child(options(), [] { return set_limit(RLIMIT_NOFILE, 48); });
  EXPECT_EQ(about(few, "open files").severity, Severity::warning);
  EXPECT_EQ(about(few, "open files of a node").severity, Severity::problem);
  EXPECT_EQ(about(few, "memory seals").severity, Severity::ok);
}

TEST_F(DoctorTest, NoDescriptorAtAllGivesFindingsNotAnEnd) {
  const auto none = examine_in_child(options(), [] { return set_limit(RLIMIT_NOFILE, 3); });
  EXPECT_EQ(about(none, "open files").severity, Severity::problem);
  EXPECT_EQ(about(none, "memory seals").severity, Severity::problem);
}

TEST_F(DoctorTest, FileSizeLimitDoesNotEndTheDoctor) {
  const auto findings = examine_in_child(options(), [] { return set_limit(RLIMIT_FSIZE, 0); });
  EXPECT_EQ(about(findings, "file size").severity, Severity::problem);
  EXPECT_EQ(about(findings, "memory seals").severity, Severity::problem);
}

TEST_F(DoctorTest, OneProcessorIsAWarning) {
  const auto findings = examine_in_child(options(), [] {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &allowed);
    return ::sched_setaffinity(0, sizeof allowed, &allowed) == 0;
  });
  EXPECT_EQ(about(findings, "processors").severity, Severity::warning);
}

TEST_F(DoctorTest, SomebodyElsesDirectoryIsAProblem) {
  if (::getuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  make_directory();
  fs::permissions(root_, fs::perms(0755));
  const auto findings = examine_in_child(options(), [] { return ::setuid(65534) == 0; });
  EXPECT_TRUE(mentions(about(findings, "run directory").found, "belongs to uid 0"));
}

// A memory cgroup below this process's own, so that every limit above still holds.
class MemoryGroup {
 public:
  explicit MemoryGroup(std::uint64_t limit_bytes) {
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
      const auto path = line.find(":/") + 1;
      if (path == 0) continue;
      if (line.find(":memory:") != std::string::npos) {
        if (make("/sys/fs/cgroup/memory" + line.substr(path), "memory.limit_in_bytes", limit_bytes))
          return;
      } else if (line.compare(0, 3, "0::") == 0) {
        if (make("/sys/fs/cgroup" + line.substr(path), "memory.max", limit_bytes)) return;
      }
    }
  }
  ~MemoryGroup() {
    // The kernel lets go of a dead member a moment after it was waited for.
    for (int i = 0; i < 100 && !folder_.empty() && ::rmdir(folder_.c_str()) != 0; ++i) {
      std::this_thread::sleep_for(10ms);
    }
  }
  explicit operator bool() const { return !folder_.empty(); }
  bool enter() const { return put("cgroup.procs", std::to_string(::getpid())); }

 private:
  bool make(const std::string& above, const char* limit_file, std::uint64_t limit_bytes) {
    folder_ = above + "/tarn-doctor-" + std::to_string(::getpid());
    if (::mkdir(folder_.c_str(), 0755) == 0) {
      if (::access((folder_ + "/" + limit_file).c_str(), W_OK) == 0 &&
          put(limit_file, std::to_string(limit_bytes))) {
        return true;
      }
      ::rmdir(folder_.c_str());
    }
    folder_.clear();
    return false;
  }
  bool put(const char* file, const std::string& text) const {
    std::ofstream out(folder_ + "/" + file);
    out << text << std::flush;
    return out.good();
  }
  std::string folder_;
};

TEST_F(DoctorTest, MemoryCgroupSetsTheDomainsLimit) {
  const MemoryGroup group(std::uint64_t{100} << 20);
  if (!group) GTEST_SKIP() << "needs a memory cgroup that may be divided";
  const auto findings = examine_in_child(options(), [&] { return group.enter(); });
  EXPECT_TRUE(mentions(about(findings, "cgroup").found, "allows 100 MiB"))
      << about(findings, "cgroup").found;
  EXPECT_EQ(about(findings, "memory").severity, Severity::warning);
  EXPECT_TRUE(mentions(about(findings, "memory").found, "may take 50 MiB"))
      << about(findings, "memory").found;
}

}  // namespace
}  // namespace tarn
