#include "tools/pipe/message_writer.h"

#include <nlohmann/json.hpp>

#include "borders/base64.h"
#include "tools/failure.h"
#include "tools/print/format.h"
#include "tools/print/text.h"

namespace tarn::tools {
namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void MessageWriter::check(const MessageView& message) const {
  if (style_.form == MessageForm::value && !find_value(message.bytes)) {
    throw Failure(ExitCode::failure, "no_value",
                  "write message " + std::to_string(message.position) + " as " +
                      std::string(borders::name_of(style_.format)),
                  "pipe '" + style_.pipe + "'", "it is no value: pop with --raw or --line");
  }
  if (style_.form != MessageForm::block) return;
  if (!short_block_seen_ && message.bytes.size() <= style_.block_bytes) return;
  throw Failure(ExitCode::failure, "block_mismatch",
                "write message " + std::to_string(message.position) + " as a block of " +
                    format_count(style_.block_bytes) + " bytes",
                "pipe '" + style_.pipe + "'",
                short_block_seen_ ? "a shorter one came before it: pop with --raw or --line"
                                  : "it has " + format_count(message.bytes.size()) +
                                        ": pop with that --block, or with --raw");
}

void MessageWriter::write(const MessageView& message) {
  switch (style_.form) {
    case MessageForm::fitting:
      return write_fitting(message);
    case MessageForm::value:
      return write_value(value_in(message.bytes), style_.format);
    case MessageForm::line:
      return write_line(message);
    case MessageForm::raw:
      return output_.write(message.bytes);
    case MessageForm::block:
      short_block_seen_ = message.bytes.size() < style_.block_bytes;
      return output_.write(message.bytes);
    case MessageForm::json:
      return write_json(message);
  }
}

void MessageWriter::write_line(const MessageView& message) {
  if (style_.escape) {
    output_.write(printable(text_of(message.bytes)));
  } else {
    output_.write(message.bytes);
  }
  output_.write("\n");
}

// For people on a terminal; elsewhere JSON, which any program reads. What a program spoilt must not
// keep those behind it from being read: it is a line, like all that is no value.
void MessageWriter::write_fitting(const MessageView& message) {
  const auto value = find_value(message.bytes);
  if (!value) {
    values_.interrupt();
    return write_line(message);
  }
  std::string text;
  try {
    if (style_.escape) {
      text = values_.next(*value);
    } else {
      text = json_of(*value) + '\n';
    }
  } catch (const Error&) {
    values_.interrupt();
    return write_line(message);
  }
  output_.write(text);
}

// All of it, or an error and nothing.
void MessageWriter::write_value(const ValueView& value, borders::Format format) {
  output_.write(borders::to_text(value, format, {.lossless = style_.lossless}));
  if (format == borders::Format::json) output_.write("\n");
}

std::string MessageWriter::json_of(const ValueView& value) const {
  return borders::to_text(value, borders::Format::json, {.lossless = style_.lossless});
}

void MessageWriter::write_json(const MessageView& message) {
  nlohmann::ordered_json object = {{"pipe", style_.pipe},
                                   {"position", message.position},
                                   {"redelivered", message.redelivered},
                                   {"bytes", message.bytes.size()}};
  if (const auto value = find_value(message.bytes)) {
    try {
      // Its text is JSON already, with numbers that the library would round.
      const std::string text = json_of(*value);
      std::string line = json_line(object);
      line.back() = ',';
      return output_.write(line + "\"value\":" + text + "}\n");
    } catch (const Error& error) {
      object["error"] = {{"code", name_of(error.code())}, {"object", error.object()}};
      object["base64"] = borders::to_base64(message.bytes);
      return output_.write(json_line(object) + '\n');
    }
  }
  // What is looked at is written, though its producer may write on.
  const std::string text(text_of(message.bytes));
  if (is_utf8(text)) {
    object["text"] = text;
  } else {
    object["base64"] = borders::to_base64(message.bytes);
  }
  output_.write(json_line(object));
  output_.write("\n");
}

}  // namespace tarn::tools
