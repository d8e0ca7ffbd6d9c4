// service_manager.h - a service manager for one tarnd, as far as sd_notify(3) and sd_listen_fds(3)
// go: takes what the keeper says, keeps its descriptors, and starts it again when it was killed.
//
// It is a process of its own, so that a test may be killed with it. systemd itself does the same in
// tests/e2e/supervision/systemd_test.py; this one can arm each keeper to die at a crash point.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <atomic>

#include "os/events.h"
#include "os/run/service.h"
#include "tests/e2e/node_fixture.h"

namespace tarn::raw {

// What it tells the test, in memory that both have.
struct ManagerBoard {
  std::atomic<std::uint32_t> starts;
  std::atomic<std::uint32_t> ready;  // times that a keeper said so
  std::atomic<std::uint32_t> kept;   // descriptors now
};

struct ManagerOptions {
  // The n-th keeper dies at this crash point, as $TARN_CRASH_AT says it; those after the last, at
  // none.
  std::vector<std::string> crash_at;
  std::size_t keeps = 1000;
  std::vector<std::string> daemon;
};

class ManagerProcess {
 public:
  ManagerProcess(const RuntimeDirectory& place, ManagerOptions options, ManagerBoard& board)
      : place_(place), options_(std::move(options)), board_(board) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    path_ = place.path() + "-notify";
    socket_ = os::UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size());
    if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      ::_exit(120);
    }
    const std::array signals = {SIGTERM, SIGCHLD};
    signals_ = std::move(*os::signals_as_descriptor(signals));
  }
  // Until the node has ended in order; its exit status.
  int run() {
    start();
    for (;;) {
      std::array<pollfd, 2> watched = {{{socket_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}}};
      ::poll(watched.data(), watched.size(), -1);
      listen();
      if (watched[1].revents == 0) continue;
      if (os::next_signal(signals_.get()) == SIGTERM) {
        is_ending_ = true;
        ::kill(pid_, SIGTERM);
      }
      int raw = 0;
      if (::waitpid(pid_, &raw, WNOHANG) != pid_) continue;
      listen();  // what it said last counts
      if (WIFEXITED(raw)) {
        ::unlink(path_.c_str());
        return WEXITSTATUS(raw);
      }
      start();
    }
  }

 private:
  struct Kept {
    std::string name;
    os::UniqueFd fd;
  };

  void start() {
    const std::size_t number = board_.starts.fetch_add(1);
    pid_ = ::fork();
    if (pid_ != 0) return;
    // Out of the way of the numbers that they are passed with.
    std::vector<int> from;
    std::string names;
    for (const Kept& each : kept_) {
      from.push_back(::fcntl(each.fd.get(), F_DUPFD_CLOEXEC, 1000));
      names += (names.empty() ? "" : ":") + each.name;
    }
    for (std::size_t i = 0; i < from.size(); ++i) ::dup2(from[i], static_cast<int>(3 + i));
    ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
    ::setenv("FDSTORE", std::to_string(options_.keeps).c_str(), 1);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", std::to_string(from.size()).c_str(), 1);
    ::setenv("LISTEN_FDNAMES", names.c_str(), 1);
    ::setenv("XDG_RUNTIME_DIR", place_.path().c_str(), 1);
    if (number < options_.crash_at.size()) {
      ::setenv("TARN_CRASH_AT", options_.crash_at[number].c_str(), 1);
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    unblock_signals();
    execute();
  }
  static void unblock_signals() {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
  }
  [[noreturn]] void execute() {
    std::vector<std::string> words = {std::string(TARN_TEST_BIN_DIR) + "/tarnd",
                                      "--foreground",
                                      "--application",
                                      "test",
                                      "--user",
                                      "tester"};
    words.insert(words.end(), options_.daemon.begin(), options_.daemon.end());
    std::vector<char*> raw;
    for (std::string& word : words) raw.push_back(word.data());
    raw.push_back(nullptr);
    ::execv(raw[0], raw.data());
    ::_exit(127);
  }

  void listen() {
    std::array<std::byte, 4096> buffer;
    for (;;) {
      auto said = os::receive_message(socket_.get(), buffer, false);
      if (said.outcome != os::ReceiveOutcome::ok) return;
      take(std::string(reinterpret_cast<const char*>(buffer.data()), said.size_bytes),
           std::move(said.descriptors));
    }
  }
  void take(const std::string& said, std::vector<os::UniqueFd> descriptors) {
    const auto has = [&](const char* word) { return said.find(word) != std::string::npos; };
    const std::size_t at = said.find("FDNAME=");
    const std::string name = at == std::string::npos ? "" : said.substr(at + 7);
    if (has("FDSTOREREMOVE=1")) {
      std::erase_if(kept_, [&](const Kept& each) { return each.name == name; });
    } else if (has("FDSTORE=1") && !descriptors.empty() && kept_.size() < options_.keeps) {
      // As systemd does: of two alike the first stays.
      const auto object = os::identify_object(descriptors[0].get());
      const bool is_known = std::any_of(kept_.begin(), kept_.end(), [&](const Kept& each) {
        return os::identify_object(each.fd.get()) == object;
      });
      if (!is_known) kept_.push_back({name, std::move(descriptors[0])});
    }
    board_.kept.store(static_cast<std::uint32_t>(kept_.size()));
    if (!has("READY=1")) return;
    board_.ready.fetch_add(1);
    // It was killed on its way to the end: told once more.
    if (is_ending_) ::kill(pid_, SIGTERM);
  }

  const RuntimeDirectory& place_;
  const ManagerOptions options_;
  ManagerBoard& board_;
  std::string path_;
  os::UniqueFd socket_;
  os::UniqueFd signals_;
  std::vector<Kept> kept_;
  pid_t pid_ = 0;
  bool is_ending_ = false;
};

// The test's side.
class ManagedNode {
 public:
  ManagedNode(const RuntimeDirectory& place, ManagerOptions options)
      : board_(
            static_cast<ManagerBoard*>(::mmap(nullptr, sizeof(ManagerBoard), PROT_READ | PROT_WRITE,
                                              MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    pid_ = ::fork();
    if (pid_ == 0) ::_exit(ManagerProcess(place, std::move(options), *board_).run());
  }
  ManagedNode(const ManagedNode&) = delete;
  ManagedNode& operator=(const ManagedNode&) = delete;
  ~ManagedNode() {
    stop();
    ::munmap(board_, sizeof *board_);
  }
  const ManagerBoard& board() const { return *board_; }
  // Ends the node in order: its exit status, or minus the signal.
  int stop() {
    if (pid_ == 0) return 0;
    ::kill(pid_, SIGTERM);
    int raw = 0;
    ::waitpid(std::exchange(pid_, 0), &raw, 0);
    return WIFEXITED(raw) ? WEXITSTATUS(raw) : -WTERMSIG(raw);
  }

 private:
  ManagerBoard* board_;
  pid_t pid_ = 0;
};

}  // namespace tarn::raw
