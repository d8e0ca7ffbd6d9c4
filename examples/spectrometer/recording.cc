#include "recording.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <stdexcept>

namespace spectrometer {

Recording::Recording(const std::string& path) : path_(path) {
  errno = 0;
  file_ = SndfileHandle(path);
  if (file_.error() == SF_ERR_SYSTEM) {
    throw std::runtime_error("read '" + path + "': " + std::strerror(errno));
  }
  if (file_.error() != SF_ERR_NO_ERROR) {
    throw std::runtime_error("read '" + path + "': not a sound file that libsndfile knows (" +
                             file_.strError() + ")");
  }
  channel_count_ = static_cast<std::size_t>(file_.channels());
}

std::size_t Recording::read(std::span<float> samples) {
  // A single channel is decoded straight into the caller's memory, which is shared memory here.
  float* target = samples.data();
  if (channel_count_ > 1) {
    interleaved_.resize(channel_count_ * samples.size());
    target = interleaved_.data();
  }
  const auto wanted = static_cast<sf_count_t>(samples.size());
  const auto frames = static_cast<std::size_t>(file_.readf(target, wanted));
  if (file_.error() != SF_ERR_NO_ERROR) {
    throw std::runtime_error("read '" + path_ + "': " + file_.strError());
  }
  for (std::size_t frame = 0; channel_count_ > 1 && frame < frames; ++frame) {
    const std::span<const float> channels(&interleaved_[frame * channel_count_], channel_count_);
    const float sum = std::accumulate(channels.begin(), channels.end(), 0.0F);
    samples[frame] = sum / static_cast<float>(channel_count_);
  }
  std::ranges::fill(samples.subspan(frames), 0.0F);
  return frames;
}

void Recording::rewind() {
  if (file_.seek(0, SEEK_SET) != 0) {
    throw std::runtime_error("play '" + path_ + "' again: it cannot be rewound");
  }
}

std::uint32_t Recording::sample_rate_hz() const {
  return static_cast<std::uint32_t>(file_.samplerate());
}

}  // namespace spectrometer
