// value_reader.h - values out of a file or stream, one by one, whatever their form.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "borders/read.h"
#include "tarn/value.h"
#include "tools/pipe/input.h"
#include "tools/value/value_form.h"

namespace tarn::tools {

struct InputWatcher {
  std::function<void(std::size_t)> read = {};  // told of the size of each piece
  std::function<void()> wait = {};             // called before more is read, which may take long
};

// A buffered descriptor as the readers want it.
class InputSource final : public borders::Source {
 public:
  explicit InputSource(Input& input, InputWatcher watcher = {})
      : input_(input), watcher_(std::move(watcher)) {}
  std::span<const std::byte> next() override;

 private:
  Input& input_;
  InputWatcher watcher_;
  std::size_t given_ = 0;
};

// The values of a stream. A tarn value takes all of it.
class ValueReader {
 public:
  // Both are borrowed. `name` is what errors call the stream; without one they name only the place.
  ValueReader(ValueForm form, InputSource& source, borders::ReadOptions options, std::string name);
  // Nothing at the end; good until the next one is asked for. A tarn value is checked whole, and
  // stays as it is, with parts that only a newer tarn knows. Throws Error.
  std::optional<ValueView> next();
  // The last one, to be kept: compact, and of known parts only. Throws Error.
  Value take();
  std::uint64_t count() const noexcept { return count_; }

 private:
  using Bytes = std::unique_ptr<std::byte, void (*)(void*)>;
  // What `attempt` returns; its errors name the stream.
  template <class Attempt>
  auto named(Attempt&& attempt);
  std::optional<ValueView> next_unnamed();
  ValueView read_tarn();

  InputSource& source_;
  std::string name_;
  std::optional<borders::Reader> reader_;  // none: a tarn value
  std::uint64_t count_ = 0;
  Value value_;  // the last item of another form
  Bytes bytes_;  // a tarn value as it is, aligned as its arrays want it
  ValueView last_;
};

}  // namespace tarn::tools
