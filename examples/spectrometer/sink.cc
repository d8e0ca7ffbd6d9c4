// sink.cc - draws the spectra of the pipe `spectra` as a picture, and reports how they travelled.
#include <getopt.h>

#include <cstdio>
#include <stdexcept>
#include <string>

#include "journey.h"
#include "messages.h"
#include "program.h"
#include "spectrogram.h"

namespace spectrometer {
namespace {

constexpr char kUsage[] =
    "usage: spectrometer-sink [--picture PATH]\n"
    "  --picture PATH   where the spectrogram goes; default: spectrogram.png";

std::string parse(int argc, char** argv) {
  constexpr option kKnown[] = {{"picture", required_argument, nullptr, 'p'},
                               {"help", no_argument, nullptr, 'h'},
                               {nullptr, 0, nullptr, 0}};
  std::string picture = "spectrogram.png";
  for (int key = 0; (key = getopt_long(argc, argv, "", kKnown, nullptr)) != -1;) {
    if (key == 'h') throw HelpWanted(kUsage);
    if (key != 'p') throw UsageError(kUsage);
    picture = optarg;
  }
  if (optind != argc) throw UsageError(kUsage);
  return picture;
}

void run(const std::string& picture) {
  tarn::Session session = tarn::connect();
  tarn::Pipe spectra = session.pipe(kSpectraPipe);
  const CloseAtEnd closing{spectra};

  Spectrogram spectrogram;
  Journey journey;
  tarn::Popped popped;
  while ((popped = spectra.pop())) {
    const Spectrum* spectrum = popped->get<Spectrum>();
    if (spectrum == nullptr || spectrum->stamp.sample_rate_hz == 0) {
      fail("read from", spectra, "a message that is not a spectrum");
    }
    journey.add(spectrum->stamp, popped->size());
    spectrogram.add(spectrum->level_db, spectrum->stamp.sample_rate_hz / 2.0,
                    block_length_ns(spectrum->stamp.sample_rate_hz));
  }
  // `closed` comes when the transformer has closed the pipe and all that was in it has been popped.
  if (popped.status != tarn::PopStatus::closed) {
    fail("pop from", spectra, tarn::name_of(popped.status));
  }

  journey.print();
  spectrogram.write_png(picture);
  std::printf("picture   %s\n", picture.c_str());
  if (!journey.is_complete()) throw std::runtime_error("messages were lost or repeated");
}

}  // namespace
}  // namespace spectrometer

int main(int argc, char** argv) {
  using namespace spectrometer;
  return main_of("spectrometer-sink", [&] { run(parse(argc, argv)); });
}
