// death_notice - how a node can learn of a death, and where it can clean up after one: the figures
// of docs/design/0014.
//
//   death_notice [--json] [--quick]
//
// Three tables: robust futex, pidfd and socket end against the size of the dead process; probing
// with kill(pid, 0) at several periods; recovery inside the worker against other processes. About
// a minute. Lines are `what parameter metric value unit`, tab separated, or a list in JSON.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/deadline.h"
#include "bench/figures.h"
#include "os/process.h"
#include "os/socket.h"
#include "shm/pipe/pipe.h"

extern char** environ;

namespace {

using tarn::monotonic_ns;
using tarn::bench::note;
using tarn::bench::note_times;
using tarn::bench::size_text;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint32_t kSlots = 64;
constexpr std::uint16_t kDead = 7;
constexpr unsigned kPatienceSeconds = 600;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

// --- Notice against size ------------------------------------------------------------------------

struct Shared {
  pthread_mutex_t held;
  std::atomic<int> ready;
};

Shared* make_shared_area() {
  void* base = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) fail("mmap");
  auto* shared = new (base) Shared{};
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&shared->held, &attributes);
  return shared;
}

// Holds the mutex, has touched so much in pages of 4 KiB, and waits for its end.
[[noreturn]] void live(Shared& shared, std::uint64_t size_bytes) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  pthread_mutex_lock(&shared.held);
  void* base =
      ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) fail("mmap");
  ::madvise(base, size_bytes, MADV_NOHUGEPAGE);
  for (std::uint64_t at = 0; at < size_bytes; at += 4096) static_cast<char*>(base)[at] = 1;
  shared.ready.store(1);
  for (;;) ::pause();
}

struct Notices {
  std::int64_t futex_ns = 0;
  std::int64_t pidfd_ns = 0;
  std::int64_t socket_ns = 0;
};

Notices kill_one(std::uint64_t size_bytes) {
  Shared* shared = make_shared_area();
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair");
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    live(*shared, size_bytes);
  }
  ::close(ends[1]);
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  while (shared->ready.load() == 0) ::usleep(200);
  const auto wait_for = [](int fd) {
    pollfd watched{fd, POLLIN, 0};
    ::poll(&watched, 1, -1);
    return monotonic_ns();
  };
  std::int64_t seen[3] = {};
  std::thread futex([&] {
    pthread_mutex_lock(&shared->held);
    seen[0] = monotonic_ns();
    pthread_mutex_consistent(&shared->held);
    pthread_mutex_unlock(&shared->held);
  });
  std::thread process([&] { seen[1] = wait_for(pidfd); });
  std::thread socket([&] { seen[2] = wait_for(ends[0]); });
  ::usleep(2000);  // all three sleep by now
  const std::int64_t began = monotonic_ns();
  ::kill(pid, SIGKILL);
  futex.join();
  process.join();
  socket.join();
  ::waitpid(pid, nullptr, 0);
  ::close(pidfd);
  ::close(ends[0]);
  ::munmap(shared, 4096);
  return {seen[0] - began, seen[1] - began, seen[2] - began};
}

void measure_sizes(bool quick) {
  const std::pair<std::uint64_t, int> sizes[] = {
      {kMiB, 100}, {64 * kMiB, 40}, {1024 * kMiB, 8}, {4096 * kMiB, 4}};
  for (const auto& [size_bytes, kills] : sizes) {
    if (quick && size_bytes > 64 * kMiB) continue;
    std::vector<std::int64_t> futex, pidfd, socket;
    for (int i = 0; i < kills; ++i) {
      const Notices notices = kill_one(size_bytes);
      futex.push_back(notices.futex_ns);
      pidfd.push_back(notices.pidfd_ns);
      socket.push_back(notices.socket_ns);
    }
    note_times("notice-robust-futex", size_text(size_bytes), futex);
    note_times("notice-socket-end", size_text(size_bytes), socket);
    note_times("notice-pidfd", size_text(size_bytes), pidfd);
  }
}

// --- Probing ------------------------------------------------------------------------------------

// Children of ours that are reaped by nobody: a zombie would answer a probe.
std::vector<pid_t> start_sleepers(int count) {
  std::vector<pid_t> pids;
  for (int i = 0; i < count; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) ::pause();
    }
    if (pid < 0) break;
    pids.push_back(pid);
  }
  return pids;
}

double round_ns(const std::vector<pid_t>& pids) {
  constexpr int kRounds = 200;
  rusage before{}, after{};
  ::getrusage(RUSAGE_SELF, &before);
  for (int i = 0; i < kRounds; ++i) {
    for (const pid_t pid : pids) ::kill(pid, 0);
  }
  ::getrusage(RUSAGE_SELF, &after);
  const auto ns = [](const rusage& usage) {
    const auto seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec;
    const auto micros = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    return static_cast<double>(seconds) * 1e9 + static_cast<double>(micros) * 1e3;
  };
  return (ns(after) - ns(before)) / kRounds;
}

void measure_probing(bool quick) {
  ::signal(SIGCHLD, SIG_IGN);
  std::mt19937_64 random(4711);
  const std::pair<int, int> periods[] = {{1, 40}, {10, 40}, {100, 12}, {1000, 5}};
  for (const auto& [period_ms, kills] : periods) {
    if (quick && period_ms > 10) continue;
    std::vector<std::int64_t> times;
    for (int i = 0; i < kills; ++i) {
      const pid_t pid = start_sleepers(1).at(0);
      std::atomic<std::int64_t> killed{0};
      const auto wait_us =
          static_cast<useconds_t>(random() % static_cast<std::uint64_t>(period_ms * 1000) + 1000);
      std::thread killer([&] {
        ::usleep(wait_us);
        killed.store(monotonic_ns());
        ::kill(pid, SIGKILL);
      });
      while (::kill(pid, 0) == 0) ::usleep(static_cast<useconds_t>(period_ms) * 1000);
      times.push_back(monotonic_ns() - killed.load());
      killer.join();
    }
    note_times("notice-probing", std::to_string(period_ms) + "-ms", times);
  }
  for (const int count : {1, 100, 1000}) {
    const auto pids = start_sleepers(count);
    const double ns = round_ns(pids);
    note("probe-round", std::to_string(pids.size()) + "-processes", "cpu", ns / 1000.0, "us");
    note("probe-load-at-1-ms", std::to_string(pids.size()) + "-processes", "cpu", ns / 1e4, "%");
    for (const pid_t pid : pids) ::kill(pid, SIGKILL);
  }
  ::usleep(100'000);
  ::signal(SIGCHLD, SIG_DFL);
}

// --- Recovery -----------------------------------------------------------------------------------

// What every way has to do: map the pipe and resolve what the dead session claimed there.
bool resolve(int memory) {
  auto segment = tarn::map_foreign(memory, tarn::layout::pipe_bytes(kSlots), false, true);
  if (!segment) return false;
  auto view = tarn::PipeView::attach(*segment);
  if (!view) return false;
  view->recover(kDead);
  return true;
}

// Takes descriptors and answers until the other side is gone.
int serve(int socket) {
  for (;;) {
    std::byte byte{};
    auto received = tarn::os::receive_message(socket, std::span(&byte, 1), true);
    if (received.descriptors.size() != 1) return 0;
    byte = resolve(received.descriptors[0].get()) ? std::byte{1} : std::byte{0};
    tarn::os::send_message(socket, std::span(&byte, 1), {}, true);
  }
}

bool ask(int socket, int memory) {
  std::byte byte{};
  tarn::os::send_message(socket, std::span(&byte, 1), std::span(&memory, 1), true);
  const auto received = tarn::os::receive_message(socket, std::span(&byte, 1), true);
  return received.outcome == tarn::os::ReceiveOutcome::ok && byte == std::byte{1};
}

enum class Way { inside, forked, executed, spawned };

// `other` is our end, which a forked child must not keep.
pid_t start_server(Way way, int end, int other) {
  static char program[] = "/proc/self/exe";
  static char mode[] = "--serve";
  std::string number = std::to_string(end);
  char* arguments[] = {program, mode, number.data(), nullptr};
  pid_t pid = 0;
  if (way == Way::spawned) {
    if (::posix_spawn(&pid, program, nullptr, nullptr, arguments, environ) != 0) fail("spawn");
    return pid;
  }
  pid = ::fork();
  if (pid != 0) return pid;
  ::close(other);
  if (way == Way::forked) std::_Exit(serve(end));
  ::execv(program, arguments);
  std::_Exit(127);
}

// From the wish to the answer of a server that is started for it.
std::int64_t start_and_ask(Way way, int memory) {
  const std::int64_t began = monotonic_ns();
  if (way == Way::inside) {
    if (!resolve(memory)) fail("resolve");
    return monotonic_ns() - began;
  }
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) fail("socketpair");
  ::fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  const pid_t pid = start_server(way, ends[1], ends[0]);
  ::close(ends[1]);
  if (!ask(ends[0], memory)) fail("ask");
  const std::int64_t took = monotonic_ns() - began;
  ::close(ends[0]);
  ::waitpid(pid, nullptr, 0);
  return took;
}

void measure_ways(int memory, const std::string& parameter, int count) {
  const std::pair<Way, const char*> ways[] = {{Way::inside, "recovery-inside"},
                                              {Way::forked, "recovery-forked"},
                                              {Way::executed, "recovery-fork-exec"},
                                              {Way::spawned, "recovery-posix-spawn"}};
  for (const auto& [way, name] : ways) {
    std::vector<std::int64_t> times;
    for (int i = 0; i < count; ++i) times.push_back(start_and_ask(way, memory));
    note_times(name, parameter, times);
  }
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) fail("socketpair");
  ::fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  const pid_t pid = start_server(Way::spawned, ends[1], ends[0]);
  ::close(ends[1]);
  if (!ask(ends[0], memory)) fail("ask");  // it is up
  std::vector<std::int64_t> times;
  for (int i = 0; i < count; ++i) {
    ::usleep(2000);  // it sleeps by then
    const std::int64_t began = monotonic_ns();
    if (!ask(ends[0], memory)) fail("ask");
    times.push_back(monotonic_ns() - began);
  }
  note_times("recovery-warm-stand-by", parameter, times);
  ::close(ends[0]);
  ::waitpid(pid, nullptr, 0);
}

void measure_recovery(bool quick) {
  const std::uint64_t size = tarn::layout::pipe_bytes(kSlots);
  auto made = tarn::create_segment("bench-pipe", size, size, false);
  if (!made || !tarn::format_pipe(made->segment, kSlots, 0, 1)) fail("create a pipe");
  measure_ways(made->fd.get(), "small-worker", quick ? 10 : 60);
  // A worker that knows much: fork copies its page tables.
  std::vector<char> ballast(256 * kMiB, 1);
  measure_ways(made->fd.get(), size_text(ballast.size()) + "-worker", quick ? 5 : 30);
}

}  // namespace

int main(int argc, char** argv) {
  bool json = false;
  bool quick = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--serve" && i + 1 < argc) return serve(std::atoi(argv[i + 1]));
    json = json || word == "--json";
    quick = quick || word == "--quick";
    if (word == "--json" || word == "--quick") continue;
    std::fprintf(stderr, "death_notice [--json] [--quick]\n");
    return word == "--help" ? 0 : 2;
  }
  ::alarm(kPatienceSeconds);
  measure_sizes(quick);
  measure_probing(quick);
  measure_recovery(quick);
  tarn::bench::print(json);
  return 0;
}
