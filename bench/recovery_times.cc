// recovery_times.cc - how long it takes after kill -9 until others go on, until everything is
// reclaimed, and until a new worker has its authority back.
//
//   bench-recovery_times [--quick]
//
// With `sizes`, `worker` or `crowd` as an argument only that part. Each line stands beside what the
// kernel itself needs in the same run: the notice of a robust futex, and of a pidfd. Runs in a
// domain of its own, which ends with it. Processes of up to 4 GiB are made one at a time.
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/deadline.h"
#include "os/life/robust.h"
#include "os/process.h"
#include "tarn/node.h"
#include "tarn/tarn.h"

namespace tarn {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// What all processes of a measurement see.
struct Board {
  os::FutexWord life;
  std::atomic<std::uint32_t> ready;
  std::atomic<std::uint32_t> go;
};

class Shared {
 public:
  Shared()
      : board_(static_cast<Board*>(::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE,
                                          MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~Shared() { ::munmap(static_cast<void*>(board_), sizeof(Board)); }
  Board* operator->() const { return board_; }

 private:
  Board* board_;
};

// A process that lives until it is killed.
class Victim {
 public:
  template <class Life>
  Victim(const Shared& board, std::size_t size_bytes, Life&& life) {
    const std::uint32_t before = board->ready;
    pid_ = ::fork();
    if (pid_ == 0) {
      ::alarm(120);
      void* memory = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      ::madvise(memory, size_bytes, MADV_NOHUGEPAGE);
      std::memset(memory, 1, size_bytes);
      life();
      ++board->ready;
      for (;;) ::pause();
    }
    while (board->ready == before) ::usleep(100);
  }
  ~Victim() { ::waitpid(pid_, nullptr, 0); }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;
  pid_t pid() const { return pid_; }
  // Returns the instant before.
  std::int64_t kill() const {
    const std::int64_t at_ns = monotonic_ns();
    ::kill(pid_, SIGKILL);
    return at_ns;
  }

 private:
  pid_t pid_ = 0;
};

struct Series {
  std::vector<double> us;
  void add(std::int64_t from_ns, std::int64_t to_ns) {
    us.push_back(static_cast<double>(to_ns - from_ns) * 1e-3);
  }
  double at(double share) {
    std::sort(us.begin(), us.end());
    return us.empty() ? 0
                      : us[static_cast<std::size_t>(share * static_cast<double>(us.size() - 1))];
  }
  std::string text() {
    char line[96];
    std::snprintf(line, sizeof line, "%9.0f %9.0f", at(0.5), at(0.99));
    return line;
  }
};

std::int64_t when_readable(int fd) {
  pollfd watched{fd, POLLIN, 0};
  ::poll(&watched, 1, -1);
  return monotonic_ns();
}

// The kernel's own two notices of the same death.
void measure_notices(std::size_t size_bytes, int deaths, Series& robust, Series& pidfd) {
  const Shared board;
  for (int i = 0; i < deaths; ++i) {
    board->life = 0;
    const Victim victim(board, size_bytes, [&] {
      std::thread([&] {
        auto* hold = new os::RobustHold;
        hold->take(board->life);
        for (;;) ::pause();
      }).detach();
      while (board->life == 0) ::usleep(50);
    });
    const std::uint32_t held = board->life;
    std::int64_t marked_ns = 0;
    std::thread waiter([&] {
      while (board->life == held) os::futex_wait(board->life, held, Deadline::never());
      marked_ns = monotonic_ns();
    });
    const auto process = os::open_pidfd(victim.pid());
    ::usleep(2000);
    const std::int64_t killed_ns = victim.kill();
    pidfd.add(killed_ns, when_readable(process->get()));
    waiter.join();
    robust.add(killed_ns, marked_ns);
  }
}

// A consumer dies with a message; another one, asleep, gets it.
void measure_unblocking(Session& session, std::size_t size_bytes, int deaths, Series& unblocked) {
  const Shared board;
  Pipe pipe = session.pipe("again", {.delivery = Delivery::at_least_once});
  for (int i = 0; i < deaths; ++i) {
    pipe.push("whoever comes first");
    const Victim victim(board, size_bytes, [] {
      static Session own = connect({.name = "victim"});
      static Pipe in = own.pipe("again");
      static Popped taken = in.pop();
    });
    std::int64_t got_ns = 0;
    std::thread peer([&] {
      Popped popped = pipe.pop();
      got_ns = monotonic_ns();
      popped->acknowledge();
    });
    ::usleep(2000);
    const std::int64_t killed_ns = victim.kill();
    peer.join();
    unblocked.add(killed_ns, got_ns);
  }
}

// A consumer dies that holds very many messages.
void measure_reclaiming(Session& session, std::size_t size_bytes, int deaths, Series& reclaimed,
                        Series& after_pidfd) {
  constexpr int kHeld = 100'000;
  const Shared board;
  Pipe pipe = session.pipe("many", {.capacity = 1 << 17});
  for (int i = 0; i < deaths; ++i) {
    for (int message = 0; message < kHeld; ++message) pipe.push(std::string(64, 'x'));
    const Victim victim(board, size_bytes, [] {
      static Session own = connect({.name = "victim"});
      static Pipe in = own.pipe("many");
      static std::vector<Message> held;
      while (held.size() < kHeld) held.push_back(std::move(in.pop().message));
    });
    const auto process = os::open_pidfd(victim.pid());
    std::int64_t noticed_ns = 0;
    std::thread waiter([&] { noticed_ns = when_readable(process->get()); });
    const std::uint32_t before = session.status().sessions;
    const std::int64_t killed_ns = victim.kill();
    while (session.status().sessions == before) {
    }
    const std::int64_t gone_ns = monotonic_ns();
    waiter.join();
    reclaimed.add(killed_ns, gone_ns);
    after_pidfd.add(noticed_ns, gone_ns);
  }
}

// The worker dies; a hundred sessions with a thousand pipes come back to the next one.
void measure_authority(int deaths, Series& answered, Series& all_back) {
  constexpr int kSessions = 100;
  constexpr int kPipesEach = 10;
  const Shared board;
  std::vector<pid_t> children;
  for (int i = 0; i < kSessions; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(120);
      Session own = connect({.name = "one of many"});
      std::vector<Pipe> pipes;
      for (int n = 0; n < kPipesEach; ++n) {
        pipes.push_back(own.pipe("p" + std::to_string(i) + "." + std::to_string(n)));
      }
      ++board->ready;
      while (board->go == 0) ::usleep(10'000);
      ::_exit(0);
    }
    children.push_back(child);
  }
  while (board->ready < kSessions) ::usleep(1000);
  for (int i = 0; i < deaths; ++i) {
    const NodeStatus before = connect({.observer = true}).status();
    const std::int64_t killed_ns = monotonic_ns();
    ::kill(before.worker_pid, SIGKILL);
    const auto try_status = [&] {
      try {
        return connect({.observer = true}).status().worker_starts > before.worker_starts;
      } catch (const Error&) {
        return false;
      }
    };
    while (!try_status()) {
    }
    answered.add(killed_ns, monotonic_ns());
    Session observer = connect({.observer = true});
    const auto is_back = [](const SessionStatus& each) { return each.connected; };
    for (bool back = false; !back;) {
      const auto sessions = observer.sessions();
      back = std::all_of(sessions.begin(), sessions.end(), is_back);
    }
    all_back.add(killed_ns, monotonic_ns());
    ::usleep(200'000);  // so that the keeper does not take the next death for a failure of its own
  }
  board->go = 1;
  for (const pid_t child : children) ::waitpid(child, nullptr, 0);
}

// Everybody at once: connect, push a message, leave.
void measure_crowd(int clients) {
  const Shared board;
  Session session = connect({.name = "host"});
  Pipe pipe = session.pipe("crowd", {.capacity = 4096});
  while (session.status().sessions > 2) ::usleep(1000);  // those of the last measurement end
  const NodeStatus before = session.status();
  std::vector<pid_t> children;
  for (int i = 0; i < clients; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(120);
      while (board->go == 0) ::usleep(1000);
      int failed = 1;
      try {
        Session own = connect({.name = "one of the crowd", .patience = std::chrono::minutes(1)});
        failed = own.pipe("crowd").push("here") == PushStatus::ok ? 0 : 2;
      } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
      }
      ::_exit(failed);
    }
    children.push_back(child);
  }
  const std::int64_t began_ns = monotonic_ns();
  board->go = 1;
  int heard = 0;
  int failures = 0;
  while (heard < clients && pipe.pop(std::chrono::seconds(60))) ++heard;
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    failures += status != 0 ? 1 : 0;
  }
  const auto at_base = [&] {
    const NodeStatus now = session.status();
    return now.sessions == before.sessions && now.segments == before.segments &&
           now.orphan_segments == 0;
  };
  for (int i = 0; i < 10'000 && !at_base(); ++i) ::usleep(1000);
  const double took_ms = static_cast<double>(monotonic_ns() - began_ns) * 1e-6;
  std::printf(
      "%d clients connected, pushed and left at once: %d messages, %d failures, %s after "
      "%.0f ms\n",
      clients, heard, failures, at_base() ? "everything at its base" : "NOT AT ITS BASE", took_ms);
  session.remove_pipe("crowd");
}

void measure_sizes(bool quick) {
  std::printf("from kill -9, in microseconds            p50       p99\n");
  const std::pair<std::size_t, int> plans[] = {{1, 200}, {1024, 20}, {4096, 5}};
  for (const auto& [mebibytes, deaths] : plans) {
    if (quick && mebibytes > 1) break;
    const int most = quick ? 20 : deaths;
    Series robust, pidfd, unblocked, reclaimed, after_pidfd;
    measure_notices(mebibytes * kMiB, most, robust, pidfd);
    Session session = connect({.name = "survivor"});
    measure_unblocking(session, mebibytes * kMiB, most, unblocked);
    measure_reclaiming(session, mebibytes * kMiB, std::min(most, 20), reclaimed, after_pidfd);
    std::printf("dead process of %zu MiB\n", mebibytes);
    std::printf("  robust futex notices             %s\n", robust.text().c_str());
    std::printf("  a peer goes on                   %s   p99 %+.0f us from the notice's\n",
                unblocked.text().c_str(), unblocked.at(0.99) - robust.at(0.99));
    std::printf("  pidfd notices                    %s\n", pidfd.text().c_str());
    std::printf(
        "  100,000 holds reclaimed          %s   from its own pidfd's notice: p50 %+.0f, "
        "p99 %+.0f us\n",
        reclaimed.text().c_str(), after_pidfd.at(0.5), after_pidfd.at(0.99));
    std::fflush(stdout);
  }
}

void measure_worker(bool quick) {
  Series answered, all_back;
  measure_authority(quick ? 3 : 20, answered, all_back);
  std::printf("the worker, with 100 sessions and 1,000 pipes\n");
  std::printf("  the next one answers             %s\n", answered.text().c_str());
  std::printf("  all sessions are back            %s\n", all_back.text().c_str());
  std::fflush(stdout);
}

int measure(bool quick, const std::string& only) {
  std::string folder = "/tmp/tarn-bench-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  ::setenv("XDG_RUNTIME_DIR", folder.c_str(), 1);
  // The first client starts the node, which ends by itself when this program is killed.
  const Session host = connect({.name = "bench"});
  if (only.empty() || only == "sizes") measure_sizes(quick);
  if (only.empty() || only == "worker") measure_worker(quick);
  if (only.empty() || only == "crowd") measure_crowd(quick ? 200 : 2000);
  stop_node({}, true);
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) {
  bool quick = false;
  std::string only;
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--quick") {
      quick = true;
    } else {
      only = argv[i];
    }
  }
  try {
    return tarn::measure(quick, only);
  } catch (const tarn::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
