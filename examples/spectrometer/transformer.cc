// transformer.cc - turns the sound of the pipe `sound` into power spectra in the pipe `spectra`.
//
// Each block of sound gives one spectrum, of that block and the one before it: windows overlap by
// half.
#include <kissfft/kiss_fftr.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <memory>
#include <numbers>
#include <numeric>

#include "messages.h"
#include "program.h"

namespace spectrometer {
namespace {

class Transform {
 public:
  Transform() : plan_(kiss_fftr_alloc(kWindowFrames, 0, nullptr, nullptr), &std::free) {
    for (std::size_t i = 0; i < kWindowFrames; ++i) {
      constexpr double kTurn = 2 * std::numbers::pi / kWindowFrames;
      hann_[i] = static_cast<float>(0.5 - 0.5 * std::cos(kTurn * static_cast<double>(i)));
    }
    // A sine of full scale then has the power 1 in its bin, which is 0 dB.
    const float sum = std::accumulate(hann_.begin(), hann_.end(), 0.0F);
    full_scale_ = 4 / (sum * sum);
  }

  void apply(const Sound& sound, float (&level_db)[kBinCount]) {
    // A new sample rate begins a new window: the older block is another recording's.
    if (sound.stamp.sample_rate_hz != sample_rate_hz_) frames_.fill(0);
    sample_rate_hz_ = sound.stamp.sample_rate_hz;
    std::copy(frames_.begin() + kBlockFrames, frames_.end(), frames_.begin());
    std::copy(std::begin(sound.samples), std::end(sound.samples), frames_.begin() + kBlockFrames);

    std::array<float, kWindowFrames> windowed;
    std::ranges::transform(frames_, hann_, windowed.begin(), std::multiplies<>());
    std::array<kiss_fft_cpx, kWindowFrames / 2 + 1> bins;
    kiss_fftr(plan_.get(), windowed.data(), bins.data());
    for (std::size_t i = 0; i < kBinCount; ++i) {
      const float power = full_scale_ * (bins[i].r * bins[i].r + bins[i].i * bins[i].i);
      level_db[i] = 10 * std::log10(power + 1e-12F);  // silence is -120 dB
    }
  }

 private:
  std::unique_ptr<kiss_fftr_state, decltype(&std::free)> plan_;
  std::array<float, kWindowFrames> hann_{};
  std::array<float, kWindowFrames> frames_{};  // the block before, and this one
  float full_scale_ = 0;
  std::uint32_t sample_rate_hz_ = 0;
};

void run() {
  tarn::Session session = tarn::connect();
  tarn::Pipe sounds = session.pipe(kSoundPipe);
  tarn::Pipe spectra = session.pipe(kSpectraPipe);
  // Closing `spectra` tells the sink that there is no more. Closing `sound` matters when this
  // program fails: a source that waits for room would wait for ever.
  const CloseAtEnd closing_sounds{sounds};
  const CloseAtEnd closing_spectra{spectra};

  Transform transform;
  tarn::Popped popped;
  while ((popped = sounds.pop())) {
    const Sound* sound = popped->get<Sound>();  // read in place, held until the next pop
    if (sound == nullptr) fail("read from", sounds, "a message that is not a block of sound");

    tarn::Loan loan = spectra.loan(sizeof(Spectrum));
    Spectrum& spectrum = loan.array<Spectrum>().front();
    spectrum.stamp = sound->stamp;
    transform.apply(*sound, spectrum.level_db);  // written in place

    const tarn::PushStatus status = spectra.push(std::move(loan));
    if (status != tarn::PushStatus::ok) fail("push into", spectra, tarn::name_of(status));
  }
  // `closed` comes when the source has closed the pipe and all that was in it has been popped.
  if (popped.status != tarn::PopStatus::closed) {
    fail("pop from", sounds, tarn::name_of(popped.status));
  }
}

}  // namespace
}  // namespace spectrometer

int main(int argc, char** argv) {
  using namespace spectrometer;
  return main_of("spectrometer-transformer", [&] {
    constexpr char kUsage[] = "usage: spectrometer-transformer";
    if (argc == 2 && std::string_view(argv[1]) == "--help") throw HelpWanted(kUsage);
    if (argc != 1) throw UsageError(kUsage);
    run();
  });
}
