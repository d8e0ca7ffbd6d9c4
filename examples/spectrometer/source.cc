// source.cc - reads recorded sound and hands it on, block by block, through the pipe `sound`.
//
// Several files are played one after another, each at its own sample rate.
#include <getopt.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "messages.h"
#include "program.h"
#include "recording.h"

namespace spectrometer {
namespace {

constexpr char kUsage[] =
    "usage: spectrometer-source [--realtime] [--repeat N] FILE...\n"
    "  --realtime   play at the sample rate; without it, as fast as the others keep up\n"
    "  --repeat N   play all files N times; 0: until interrupted";

struct Options {
  bool realtime = false;
  unsigned long repeat = 1;
  std::vector<std::string> files;
};

Options parse(int argc, char** argv) {
  constexpr option kKnown[] = {{"realtime", no_argument, nullptr, 't'},
                               {"repeat", required_argument, nullptr, 'n'},
                               {"help", no_argument, nullptr, 'h'},
                               {nullptr, 0, nullptr, 0}};
  Options options;
  for (int key = 0; (key = getopt_long(argc, argv, "", kKnown, nullptr)) != -1;) {
    if (key == 'h') throw HelpWanted(kUsage);
    if (key == '?') throw UsageError(kUsage);
    if (key == 't') options.realtime = true;
    if (key == 'n') options.repeat = parse_count(optarg, kUsage);
  }
  options.files.assign(argv + optind, argv + argc);
  if (options.files.empty()) throw UsageError(kUsage);
  return options;
}

volatile std::sig_atomic_t interrupted = 0;

// Plays recordings into the pipe; the blocks of all of them are numbered in one sequence.
class Player {
 public:
  Player(tarn::Pipe pipe, bool realtime) : pipe_(std::move(pipe)), realtime_(realtime) {}

  void play(Recording& recording) {
    const std::chrono::nanoseconds block_length(block_length_ns(recording.sample_rate_hz()));
    while (interrupted == 0) {
      // A loan is shared memory, to be filled in place: what is written here is never copied. One
      // that is not pushed, as at the end of the recording, goes back by itself.
      tarn::Loan loan = pipe_.loan(sizeof(Sound));
      Sound& sound = loan.array<Sound>().front();
      const std::size_t frame_count = recording.read(sound.samples);
      if (frame_count == 0) return;
      due_ += block_length;
      if (realtime_) std::this_thread::sleep_until(due_);
      sound.stamp = {sequence_++, now_ns(), recording.sample_rate_hz(),
                     static_cast<std::uint32_t>(frame_count)};

      // The pipe is bounded: a push waits while it is full. After a timeout the loan is still ours.
      tarn::PushStatus status;
      while ((status = pipe_.push(std::move(loan), std::chrono::milliseconds(200))) ==
             tarn::PushStatus::timed_out) {
        if (interrupted != 0) return;
      }
      if (status != tarn::PushStatus::ok) fail("push into", pipe_, tarn::name_of(status));
    }
  }

 private:
  tarn::Pipe pipe_;
  bool realtime_;
  std::uint64_t sequence_ = 0;
  std::chrono::steady_clock::time_point due_ = std::chrono::steady_clock::now();
};

void run(const Options& options) {
  tarn::Session session = tarn::connect();  // starts the node if none runs
  tarn::Pipe sound = session.pipe(kSoundPipe);
  const CloseAtEnd closing{sound};

  // All files are opened first: a wrong name is found before anything is played.
  std::vector<Recording> recordings;
  for (const std::string& file : options.files) recordings.emplace_back(file);

  Player player(sound, options.realtime);
  for (unsigned long turn = 0; turn < options.repeat || options.repeat == 0; ++turn) {
    for (Recording& recording : recordings) {
      recording.rewind();
      player.play(recording);
    }
    if (interrupted != 0) return;
  }
}

}  // namespace
}  // namespace spectrometer

int main(int argc, char** argv) {
  using namespace spectrometer;
  // Ctrl-C ends the recording; what was played until then still reaches the picture.
  std::signal(SIGINT, [](int) { interrupted = 1; });
  return main_of("spectrometer-source", [&] { run(parse(argc, argv)); });
}
