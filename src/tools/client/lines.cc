#include "tools/client/lines.h"

#include <utility>

namespace tarn::tools {

void LineMaker::take(const ClientOutput& piece, std::vector<OutputLine>& lines) {
  const std::size_t stream = piece.is_error ? 1 : 0;
  OutputLine& line = begun_[stream];
  for (const char c : piece.text) {
    if (!has_begun_[stream]) {
      line = {piece.unix_ns, piece.is_error, {}};
      has_begun_[stream] = true;
    }
    if (c != '\n') {
      line.text += c;
      continue;
    }
    lines.push_back(std::exchange(line, {}));
    has_begun_[stream] = false;
  }
}

void LineMaker::flush(std::vector<OutputLine>& lines) {
  for (std::size_t stream = 0; stream < begun_.size(); ++stream) {
    if (!std::exchange(has_begun_[stream], false)) continue;
    lines.push_back(std::exchange(begun_[stream], {}));
  }
}

}  // namespace tarn::tools
