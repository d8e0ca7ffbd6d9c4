// message_writer.h - popped messages in the form that was asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "borders/write.h"
#include "tarn/message.h"
#include "tools/pipe/output.h"
#include "tools/value/pretty.h"

namespace tarn::tools {

enum class MessageForm : std::uint8_t {
  fitting,  // a value as people or programs read it, anything else as a line; so is a spoilt value
  value,    // a value in `format`; anything else is refused
  line,     // the bytes and a newline
  raw,      // the bytes
  block,    // the bytes, all messages of one size but the last
  json  // an object on a line of its own, with `value`, `text`, or `base64` for what is neither;
        // of a value that cannot be written `error` and `base64`
};

struct MessageStyle {
  MessageForm form = MessageForm::line;
  borders::Format format{};       // of MessageForm::value
  bool lossless = false;          // of values in some format
  bool color = false;             // of values for people
  std::uint64_t block_bytes = 0;  // of MessageForm::block
  // Lines go to a terminal: bytes that would steer it are written as \x1b.
  bool escape = false;
  std::string pipe = {};  // its name, for JSON and errors
};

// What is written of a message, apart from pipes: bytes, position, redelivered.
struct MessageView {
  std::span<const std::byte> bytes;
  std::uint64_t position = 0;
  bool redelivered = false;
};

class MessageWriter {
 public:
  MessageWriter(MessageStyle style, Output& output) : style_(std::move(style)), output_(output) {}

  // Throws Failure when the message cannot be written in this form: it is no value, or no block and
  // cannot be the last.
  void check(const MessageView& message) const;
  // Requires: check() has let it pass. Throws Error, having written nothing, in the form `value`
  // alone: for a value whose bytes make no sense, or that the format cannot say.
  void write(const MessageView& message);

 private:
  void write_line(const MessageView& message);
  void write_fitting(const MessageView& message);
  void write_value(const ValueView& value, borders::Format format);
  std::string json_of(const ValueView& value) const;
  void write_json(const MessageView& message);

  MessageStyle style_;
  Output& output_;
  PrettySequence values_{Style(style_.color)};
  bool short_block_seen_ = false;
};

}  // namespace tarn::tools
