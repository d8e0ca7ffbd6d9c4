// raw_client.h - a node started for one test, and clients that speak its protocol byte by byte, so
// that they can say what no library would.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "os/limits.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/socket.h"
#include "shm/heap/slab_layout.h"
#include "shm/pipe/pipe.h"
#include "shm/session/session.h"
#include "wire/messages.h"
#include "wire/names.h"
#include "wire/start_report.h"

namespace tarn::raw {

using namespace std::chrono_literals;

// Hang protection: longer than any wait below.
inline constexpr unsigned kWatchdogSeconds = 100;

// Polls until `condition` holds; false after 60 s, which no healthy run comes near.
inline bool eventually(const std::function<bool()>& condition) {
  const Deadline patience = Deadline::in(60s);
  while (!condition()) {
    if (patience.has_passed()) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

// A directory of its own for $XDG_RUNTIME_DIR, removed with all that is in it.
class RuntimeDirectory {
 public:
  RuntimeDirectory() {
    std::string pattern = "/tmp/tarn-test-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~RuntimeDirectory() { std::filesystem::remove_all(path_); }
  RuntimeDirectory(const RuntimeDirectory&) = delete;
  RuntimeDirectory& operator=(const RuntimeDirectory&) = delete;

  const std::string& path() const { return path_; }
  wire::RunPaths paths(const std::string& application = "test") const {
    auto paths = wire::run_paths({application, "tester"}, path_, os::own_uid());
    return *paths;
  }
  bool is_empty() const { return std::filesystem::is_empty(path_); }

 private:
  std::string path_;
};

// One tarnd, a child of the test, which reads its ready line.
class Daemon {
 public:
  // `prepare` runs in the child before the program does.
  Daemon(const RuntimeDirectory& place, std::vector<std::string> options,
         const std::function<void()>& prepare = {}) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      ::dup2(ends[1], 3);
      if (ends[1] != 3) ::close(ends[1]);
      ::setenv("XDG_RUNTIME_DIR", place.path().c_str(), 1);
      if (prepare) prepare();
      execute(std::move(options));
    }
    ::close(ends[1]);
    line_ = os::UniqueFd(ends[0]);
  }
  ~Daemon() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGTERM);
    wait();
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Waits for it.
  std::string start_line() {
    std::string text;
    char part[512];
    for (;;) {
      const ssize_t count = ::read(line_.get(), part, sizeof part);
      if (count <= 0) return text;
      text.append(part, static_cast<std::size_t>(count));
    }
  }
  pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }
  // Waits for its end: the exit status, or minus the signal.
  int wait() {
    int raw = 0;
    ::waitpid(pid_, &raw, 0);
    pid_ = 0;
    return WIFEXITED(raw) ? WEXITSTATUS(raw) : -WTERMSIG(raw);
  }

 private:
  [[noreturn]] static void execute(std::vector<std::string> options) {
    const std::string program = std::string(TARN_TEST_BIN_DIR) + "/tarnd";
    std::vector<std::string> words = {program,  "--application", "test", "--user",
                                      "tester", "--ready-fd",    "3"};
    words.insert(words.end(), options.begin(), options.end());
    std::vector<char*> raw;
    for (std::string& word : words) raw.push_back(word.data());
    raw.push_back(nullptr);
    ::execv(program.c_str(), raw.data());
    ::_exit(127);
  }

  pid_t pid_ = 0;
  os::UniqueFd line_;
};

// A message as it came.
struct Packet {
  os::ReceiveOutcome outcome = os::ReceiveOutcome::ended;
  std::vector<std::byte> bytes;
  std::vector<os::UniqueFd> descriptors;

  bool ended() const { return outcome == os::ReceiveOutcome::ended; }
  wire::Header header() const {
    const auto header = wire::decode_header(bytes);
    return header ? *header : wire::Header{};
  }
  wire::MessageType type() const { return header().type; }
  template <class T>
  std::optional<T> as() const {
    const auto record = wire::decode<T>(bytes);
    return record ? std::optional<T>(*record) : std::nullopt;
  }
  // The code of an error; none when it is something else.
  Error::Code code() const {
    const auto error = as<wire::ErrorReply>();
    return error ? static_cast<Error::Code>(error->code) : Error::none;
  }
  Error error() const {
    const auto reply = as<wire::ErrorReply>();
    return reply ? wire::to_error(*reply) : Error(Error::none, "nothing", "", "");
  }
};

// One connection, and the session on it, if any.
class Client {
 public:
  explicit Client(const std::string& socket_path) : path_(socket_path) { reconnect(); }

  void reconnect() {
    // The worker may be between two lives; the keeper's socket takes us all the same.
    auto socket = os::connect_to(path_);
    if (socket) socket_ = std::move(*socket);
  }
  bool is_connected() const { return static_cast<bool>(socket_); }
  void disconnect() { socket_.reset(); }
  int socket() const { return socket_.get(); }

  void send_bytes(std::span<const std::byte> bytes, std::span<const int> descriptors = {}) {
    os::send_message(socket_.get(), bytes, descriptors, true);
  }
  template <class T>
  void send(const T& message, std::span<const int> descriptors = {}) {
    send_bytes(wire::bytes_of(message), descriptors);
  }
  // The next message, notice or answer; waits for it.
  Packet receive() {
    std::vector<std::byte> buffer(wire::kMaxMessageBytes);
    auto received = os::receive_message(socket_.get(), buffer, true);
    buffer.resize(received.size_bytes);
    return {received.outcome, std::move(buffer), std::move(received.descriptors)};
  }
  // The answer to a request; notices that come before it are kept.
  template <class T>
  Packet ask(T message, std::span<const int> descriptors = {}) {
    message.header.request = ++last_request_;
    send(message, descriptors);
    return await_answer();
  }
  Packet await_answer() {
    for (;;) {
      Packet packet = receive();
      if (packet.ended() || packet.header().request != 0 || packet.code() != Error::none) {
        return packet;
      }
      notices.push_back(std::move(packet));
    }
  }
  template <class T>
  Packet ask() {
    return ask(wire::make<T>(0));
  }

  wire::Hello hello(std::uint32_t flags = 0) const {
    auto hello = wire::make<wire::Hello>(0);
    hello.magic = wire::kHelloMagic;
    hello.protocol_version = wire::kProtocolVersion;
    hello.byte_order = wire::kByteOrderMark;
    hello.layout_version = layout::kLayoutVersion;
    hello.flags = flags;
    wire::put_text(hello.name, "raw");
    return hello;
  }
  // A session of this process. Makes its segment on the first call.
  Packet begin_session(std::uint64_t quota_bytes = 0) {
    if (!record) {
      auto made = SessionRecord::create(*os::identify(os::own_pid()));
      record.emplace(std::move(*made));
    }
    auto wish = hello();
    wish.quota_bytes = quota_bytes;
    const int fd = record->fd();
    return keep(ask(wish, std::span(&fd, 1)));
  }
  Packet observe() { return keep(ask(hello(wire::kHelloObserver))); }
  Packet resume() {
    auto wish = hello(wire::kHelloResume);
    wish.session_index = welcome.session_index;
    wish.session_generation = welcome.session_generation;
    wish.token = welcome.token;
    wish.node_id = welcome.node_id;
    return keep(ask(wish));
  }
  // Connects until the session is resumed; false when it is refused.
  bool come_back() {
    for (;;) {
      disconnect();
      reconnect();
      if (!is_connected()) continue;
      const Packet packet = resume();
      if (!packet.ended()) return packet.type() == wire::MessageType::welcome;
    }
  }

  Packet open_pipe(std::string_view name, std::int64_t capacity = 0,
                   wire::OpenMode mode = wire::OpenMode::open_or_create) {
    auto wish = wire::make<wire::PipeOpen>(0);
    wire::put_text(wish.name, name);
    wish.mode = mode;
    wish.has_capacity = capacity != 0 ? 1 : 0;
    wish.capacity = capacity;
    return ask(wish);
  }
  Packet leave_pipe(std::uint32_t id) {
    auto wish = wire::make<wire::PipeLeave>(0);
    wish.pipe_id = id;
    return ask(wish);
  }
  Packet remove_pipe(std::string_view name) {
    auto wish = wire::make<wire::PipeRemove>(0);
    wire::put_text(wish.name, name);
    return ask(wish);
  }
  std::vector<wire::PipeFacts> pipes() {
    std::vector<wire::PipeFacts> all;
    auto wish = wire::make<wire::PipeList>(0);
    for (;;) {
      const auto page = ask(wish).template as<wire::PipePage>();
      if (!page) return all;
      all.insert(all.end(), page->items.begin(), page->items.begin() + page->count);
      if (page->more == 0) return all;
      wish.after = all.back().id;
    }
  }
  std::vector<wire::SessionFacts> sessions() {
    std::vector<wire::SessionFacts> all;
    auto wish = wire::make<wire::SessionList>(0);
    for (;;) {
      const auto page = ask(wish).template as<wire::SessionPage>();
      if (!page) return all;
      all.insert(all.end(), page->items.begin(), page->items.begin() + page->count);
      if (page->more == 0) return all;
      wish.after = all.back().index;
    }
  }
  wire::StatusReply status() {
    const auto reply = ask<wire::StatusGet>().as<wire::StatusReply>();
    return reply ? *reply : wire::StatusReply{};
  }

  std::optional<SessionRecord> record;
  wire::Welcome welcome{};
  os::UniqueFd node_table;
  std::vector<Packet> notices;

 private:
  Packet keep(Packet packet) {
    if (const auto got = packet.as<wire::Welcome>()) {
      welcome = *got;
      if (!packet.descriptors.empty()) node_table = std::move(packet.descriptors[0]);
    }
    return packet;
  }

  std::string path_;
  os::UniqueFd socket_;
  std::uint64_t last_request_ = 0;
};

// A slab as a client makes one.
struct Slab {
  static constexpr std::uint64_t kChunkBytes = 4096;
  OwnedSegment owned;
  wire::SegmentAdd add{};

  explicit Slab(std::uint32_t chunks, std::uint64_t nonce = 0) {
    const std::uint64_t size = layout::kFirstChunkOffset + chunks * kChunkBytes;
    auto made = create_segment("test-slab", size, size, true);
    owned = std::move(*made);
    const auto header = owned.segment.at<layout::SlabHeader>(0);
    begin_format((*header)->segment, layout::SegmentKind::slab, size);
    (*header)->chunk_bytes = kChunkBytes;
    (*header)->chunk_count = chunks;
    finish_format((*header)->segment);
    add = wire::make<wire::SegmentAdd>(0);
    add.size_bytes = size;
    add.chunk_bytes = kChunkBytes;
    add.chunk_count = chunks;
    add.nonce = nonce;
  }
  Packet add_to(Client& client) const {
    const int fd = owned.fd.get();
    return client.ask(add, std::span(&fd, 1));
  }
};

// A pipe's control segment as a participant maps it.
struct MappedPipe {
  Segment segment;
  PipeView view;
  std::uint32_t id = 0;

  explicit MappedPipe(const Packet& opened) {
    const auto record = opened.as<wire::PipeOpened>();
    if (!record || opened.descriptors.empty()) return;
    id = record->pipe_id;
    auto mapped = map_foreign(opened.descriptors[0].get(), record->size_bytes, false, true);
    if (!mapped) return;
    segment = std::move(*mapped);
    const auto attached = PipeView::attach(segment);
    if (attached) view = *attached;
  }
  SlotPush push_text(std::uint32_t session, std::string_view text) {
    std::uint64_t position = 0;
    return view.push(static_cast<std::uint16_t>(session),
                     SlotPayload::copy_of(std::as_bytes(std::span(text))), position);
  }
  SlotPush push_chunk(std::uint32_t session, SegmentId segment_id, std::uint32_t chunk) {
    std::uint64_t position = 0;
    return view.push(static_cast<std::uint16_t>(session),
                     SlotPayload::reference_to({segment_id, chunk, 16}), position);
  }
};

// A client in a process of its own, to be killed. `life` runs in the child; when it returns, the
// child says so and waits for its death.
class Victim {
 public:
  explicit Victim(const std::function<void()>& life) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      ::alarm(kWatchdogSeconds);
      life();
      [[maybe_unused]] const auto written = ::write(ends[1], "x", 1);
      for (;;) ::pause();
    }
    ::close(ends[1]);
    char said = 0;
    lived_ = ::read(ends[0], &said, 1) == 1;
    ::close(ends[0]);
  }
  ~Victim() { kill(); }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;
  bool lived() const { return lived_; }
  pid_t pid() const { return pid_; }
  void kill() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
  bool lived_ = false;
};

// A node with options, and what every test of it needs.
class NodeTest : public ::testing::Test {
 protected:
  void SetUp() override { ::alarm(kWatchdogSeconds); }
  void TearDown() override {
    daemon_.reset();
    EXPECT_TRUE(place_.is_empty()) << "something is left in the run directory";
    ::alarm(0);
  }
  void start(std::vector<std::string> options = {}, const std::function<void()>& prepare = {}) {
    daemon_.emplace(place_, std::move(options), prepare);
    ASSERT_EQ(daemon_->start_line(), wire::kReadyLine);
  }
  std::string socket_path() const { return place_.paths().socket; }
  Client session(std::uint64_t quota_bytes = 0) {
    Client client(socket_path());
    EXPECT_EQ(client.begin_session(quota_bytes).type(), wire::MessageType::welcome);
    return client;
  }
  Client observer() {
    Client client(socket_path());
    EXPECT_EQ(client.observe().type(), wire::MessageType::welcome);
    return client;
  }
  // Kills the worker, and returns once another one serves.
  void kill_worker() {
    const wire::StatusReply before = observer().status();
    ::kill(before.worker_pid, SIGKILL);
    ASSERT_TRUE(eventually([&] {
      Client client(socket_path());
      if (!client.is_connected() || client.observe().ended()) return false;
      return client.status().worker_starts > before.worker_starts;
    }));
  }

  RuntimeDirectory place_;
  std::optional<Daemon> daemon_;
};

}  // namespace tarn::raw
