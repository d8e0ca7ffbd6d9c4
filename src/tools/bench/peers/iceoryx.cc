#include "tools/bench/peers/iceoryx.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "tarn/message.h"
#include "tools/bench/flood.h"
#include "tools/bench/patterns/patterns.h"

namespace tarn::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSystem = "iceoryx";
constexpr const char* kPeerProgram = "bench-iceoryx_peer";
constexpr const char* kDaemon = "iox-roudi";
// Held by a running daemon.
constexpr const char* kDaemonLock = "/tmp/iox-unique-roudi.lock";
constexpr const char* kReady = "ready for clients";
constexpr int kReadyPatienceMs = 10'000;
constexpr int kAnswerPatienceMs = 120'000;

// The output of a program, read through a pipe.
class OutputPipe {
 public:
  OutputPipe() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) throw BenchError("cannot create a pipe");
  }
  ~OutputPipe() {
    ::close(ends_[0]);
    close_write_end();
  }
  OutputPipe(const OutputPipe&) = delete;
  OutputPipe& operator=(const OutputPipe&) = delete;

  int write_end() const noexcept { return ends_[1]; }
  void close_write_end() noexcept {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }
  // Reads until the text has `end` in it, or its end if that is empty. False when the patience is
  // over or the text ended before.
  bool read_until(const std::string& end, std::string& text, int patience_ms) {
    std::array<char, 65536> part;
    for (;;) {
      pollfd entry{ends_[0], POLLIN, 0};
      const int ready = ::poll(&entry, 1, patience_ms);
      InterruptGuard::throw_if_raised();
      if (ready <= 0) return false;
      const ssize_t size = ::read(ends_[0], part.data(), part.size());
      if (size <= 0) return end.empty();
      text.append(part.data(), static_cast<std::size_t>(size));
      if (!end.empty() && text.find(end) != std::string::npos) return true;
    }
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

// Beside this program, where the build puts it, or on the search path.
std::optional<fs::path> find_program(const std::string& name) {
  std::error_code error;
  std::vector<fs::path> places{fs::read_symlink("/proc/self/exe", error).parent_path()};
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) places.emplace_back(folder);
  for (const fs::path& place : places) {
    if (::access((place / name).c_str(), X_OK) == 0) return place / name;
  }
  return std::nullopt;
}

bool daemon_is_running() {
  const int lock = ::open(kDaemonLock, O_RDONLY | O_CLOEXEC);
  if (lock < 0) return false;
  const bool held = ::flock(lock, LOCK_SH | LOCK_NB) != 0;
  ::close(lock);
  return held;
}

// The names that the daemon's built-in configuration gives to its shared memory.
std::vector<fs::path> daemon_memory() {
  std::vector<fs::path> names{"/dev/shm/iceoryx_mgmt"};
  if (const group* own = ::getgrgid(::getegid()))
    names.push_back(fs::path("/dev/shm") / own->gr_name);
  return names;
}

// iox-roudi, if nobody else runs it. What it leaves behind is removed, unless it was there before.
class IceoryxDaemon {
 public:
  IceoryxDaemon() {
    if (daemon_is_running()) return;
    for (const fs::path& name : daemon_memory()) {
      if (!fs::exists(name)) ours_.push_back(name);
    }
    program_.emplace(std::vector<std::string>{kDaemon}, output_.write_end(), output_.write_end());
    output_.close_write_end();
    std::string text;
    if (!output_.read_until(kReady, text, kReadyPatienceMs)) {
      throw BenchError(std::string(kDaemon) + " did not start: " + text);
    }
  }
  ~IceoryxDaemon() {
    if (!program_) return;
    program_->stop();
    std::error_code ignored;
    for (const fs::path& name : ours_) fs::remove(name, ignored);
  }
  IceoryxDaemon(const IceoryxDaemon&) = delete;
  IceoryxDaemon& operator=(const IceoryxDaemon&) = delete;

 private:
  std::vector<fs::path> ours_;
  OutputPipe output_;
  std::optional<Program> program_;
};

// Runs the peer's program; calls use(name, value) for each line of its answer.
template <class Use>
void ask(const fs::path& program, std::vector<std::string> arguments, const Use& use) {
  arguments.insert(arguments.begin(), program.string());
  OutputPipe output;
  Program peer(arguments, output.write_end(), -1);
  output.close_write_end();
  std::string text;
  const bool complete = output.read_until("", text, kAnswerPatienceMs);
  if (!complete) throw BenchError("the iceoryx program hangs");
  if (const int status = peer.wait(); !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw BenchError("the iceoryx program failed");
  }
  std::istringstream lines(text);
  std::string name;
  for (double value = 0; lines >> name >> value;) use(name, value);
}

class IceoryxPeer {
 public:
  IceoryxPeer(Stage& stage, fs::path program) : stage_(stage), program_(std::move(program)) {}

  void run() {
    const Subject polling{.system = kSystem,
                          .pattern = "polling",
                          .payload_bytes = kInlineBytes,
                          .floor = Floor::one_line};
    latency(polling, "polling");
    for (const std::size_t size : {std::size_t{4096}, std::size_t{64 * 1024}}) {
      const Subject touched{.system = kSystem,
                            .pattern = "touched",
                            .payload_bytes = size,
                            .floor = Floor::two_lines,
                            .floor_payload_bytes = size};
      latency(touched, "polling");
    }
    const Subject blocking{.system = kSystem,
                           .pattern = "blocking",
                           .payload_bytes = kInlineBytes,
                           .floor = Floor::futex};
    latency(blocking, "blocking");
    throughput("one-to-one", kInlineBytes);
    throughput("references", std::size_t{64 * 1024});
  }

 private:
  void latency(const Subject& subject, const std::string& waiting) {
    if (!is_chosen(stage_.settings(), subject.pattern)) return;
    measure_latency(stage_, subject, [&](const PingPongPlan& plan) {
      Histogram round_trips;
      ask(program_,
          {"latency", waiting, std::to_string(subject.payload_bytes), std::to_string(plan.warm_up),
           std::to_string(plan.messages), std::to_string(plan.cpus.ping),
           std::to_string(plan.cpus.pong)},
          [&](const std::string& name, double value) {
            if (name != "ticks") return;
            round_trips.add(plan.scale.between(0, static_cast<std::uint64_t>(value)));
          });
      return round_trips;
    });
  }

  void throughput(const std::string& pattern, std::size_t payload_bytes) {
    if (!is_chosen(stage_.settings(), pattern)) return;
    const Subject subject{.system = kSystem,
                          .pattern = pattern,
                          .payload_bytes = payload_bytes,
                          .floor = Floor::one_line};
    const CpuPair cpus = stage_.pair();
    measure_rate(stage_, subject, [&](std::uint64_t messages) {
      FloodSpeed speed;
      ask(program_,
          {"throughput", std::to_string(payload_bytes), std::to_string(messages),
           std::to_string(cpus.ping), std::to_string(cpus.pong)},
          [&](const std::string& name, double value) {
            if (name == "messages_per_second") speed.rate = value;
          });
      return speed;
    });
  }

  Stage& stage_;
  fs::path program_;
};

}  // namespace

void run_iceoryx(Stage& stage) {
  const auto program = find_program(kPeerProgram);
  if (!program) {
    stage.report().note(std::string("iceoryx was not measured: ") + kPeerProgram +
                        " was not built, or is not beside tarn");
    return;
  }
  if (!find_program(kDaemon)) {
    stage.report().note(std::string("iceoryx was not measured: ") + kDaemon + " is not installed");
    return;
  }
  try {
    const IceoryxDaemon daemon;
    IceoryxPeer(stage, *program).run();
  } catch (const BenchError& failure) {
    stage.report().note(std::string("iceoryx was not measured: ") + failure.what());
  }
}

}  // namespace tarn::bench
