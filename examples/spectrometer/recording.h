// recording.h - a sound file, read block by block as one channel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <sndfile.hh>
#include <span>
#include <string>
#include <vector>

namespace spectrometer {

class Recording {
 public:
  // Opens any file that libsndfile reads. Throws std::runtime_error.
  explicit Recording(const std::string& path);

  // Fills `samples` with the next frames, all channels mixed into one, and with silence behind the
  // recording's end. Returns how many frames there were: 0 at the end. Throws std::runtime_error.
  std::size_t read(std::span<float> samples);
  void rewind();

  std::uint32_t sample_rate_hz() const;

 private:
  std::string path_;
  SndfileHandle file_;
  std::size_t channel_count_;
  std::vector<float> interleaved_;  // only used with several channels
};

}  // namespace spectrometer
