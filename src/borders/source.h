// source.h - where a reader gets its bytes from, and where a writer puts them.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace tarn::borders {

// Bytes in pieces, as they come: a file, a socket, a block of memory.
class Source {
 public:
  virtual ~Source() = default;
  // The next piece; empty at the end. Borrowed until the next call.
  virtual std::span<const std::byte> next() = 0;
};

class BytesSource final : public Source {
 public:
  explicit BytesSource(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}
  explicit BytesSource(std::string_view text) noexcept
      : bytes_(std::as_bytes(std::span(text.data(), text.size()))) {}
  std::span<const std::byte> next() override { return std::exchange(bytes_, {}); }

 private:
  std::span<const std::byte> bytes_;
};

// Collects small pieces and hands them on in larger ones. What is left goes with flush().
class Sink {
 public:
  using Target = std::function<void(std::span<const std::byte>)>;
  explicit Sink(Target target) : target_(std::move(target)) {}

  void put(char byte) {
    buffer_ += byte;
    if (buffer_.size() >= kBufferBytes) flush();
  }
  void put(std::string_view text) { put(std::as_bytes(std::span(text.data(), text.size()))); }
  void put(std::span<const std::byte> bytes) {
    if (bytes.size() >= kBufferBytes) {
      flush();
      target_(bytes);
      return;
    }
    buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (buffer_.size() >= kBufferBytes) flush();
  }
  void flush() {
    if (buffer_.empty()) return;
    target_(std::as_bytes(std::span(buffer_.data(), buffer_.size())));
    buffer_.clear();
  }

 private:
  static constexpr std::size_t kBufferBytes = std::size_t{64} << 10;
  Target target_;
  std::string buffer_;
};

}  // namespace tarn::borders
