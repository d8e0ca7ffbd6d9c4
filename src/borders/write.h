// write.h - values as JSON, MessagePack and CBOR. What becomes of what: docs/formats/borders.md.
#pragma once

#include <string>

#include "borders/format.h"
#include "borders/source.h"
#include "tarn/value_view.h"

namespace tarn::borders {

struct WriteOptions {
  // Plain: what any program understands; arrays and tuples are lists, the order of tables goes
  // unsaid. Lossless: what reads back as an equal value, with tagged tables where need be.
  bool lossless = false;
  // JSON on several lines.
  bool pretty = false;
};

// Puts all of it into the sink, without flushing. Throws Error: corrupt, when the value makes no
// sense (before anything is written, unless its builder spoils it meanwhile); wrong_type for a
// reference, which means nothing outside its node; and what the sink throws.
void write_value(const ValueView& value, Format format, WriteOptions options, Sink& sink);
// The same as one text: of JSON without a newline.
std::string to_text(const ValueView& value, Format format, WriteOptions options = {});

}  // namespace tarn::borders
