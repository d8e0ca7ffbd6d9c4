#include "tools/value/value_reader.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "tools/print/format.h"

namespace tarn::tools {
namespace {

constexpr std::uint64_t kHeaderBytes = 48;  // docs/formats/value.md

[[noreturn]] void refuse(Error::Code code, const std::string& problem, const std::string& cure) {
  throw Error(code, "read a tarn value", problem, cure);
}

// How long the value is that begins so; nothing before enough of it is there.
std::optional<std::uint64_t> size_in(const std::vector<std::byte>& begin) {
  constexpr std::string_view kMagic = "TVAL";
  const std::size_t known = std::min(begin.size(), kMagic.size());
  if (std::memcmp(begin.data(), kMagic.data(), known) != 0) {
    refuse(Error::wrong_type, "no tarn value begins there",
           "say what it is: --from json, msgpack or cbor");
  }
  if (begin.size() < kHeaderBytes) return std::nullopt;
  std::uint64_t size_bytes = 0;
  std::memcpy(&size_bytes, begin.data() + 8, sizeof size_bytes);
  return size_bytes;
}

}  // namespace

std::span<const std::byte> InputSource::next() {
  input_.consume(given_);
  given_ = 0;
  if (watcher_.wait) watcher_.wait();
  const auto piece = input_.peek();
  given_ = piece.size();
  if (watcher_.read && !piece.empty()) watcher_.read(piece.size());
  return piece;
}

ValueReader::ValueReader(ValueForm form, InputSource& source, borders::ReadOptions options,
                         std::string name)
    : source_(source), name_(std::move(name)), bytes_(nullptr, std::free) {
  if (const auto format = format_of(form)) reader_.emplace(*format, source, options);
}

template <class Attempt>
auto ValueReader::named(Attempt&& attempt) {
  try {
    return attempt();
  } catch (const Error& error) {
    if (name_.empty()) throw;
    throw Error(error.code(), error.attempted(), name_ + ": " + error.object(), error.cure(),
                error.system_error());
  }
}

std::optional<ValueView> ValueReader::next() {
  return named([this] { return next_unnamed(); });
}

Value ValueReader::take() {
  return named([this] {
    if (!reader_) return Value::copy_of(last_);
    // What was read in pieces has left places that nothing refers to.
    if (value_.dead_bytes() > 0) value_.compact();
    return std::move(value_);
  });
}

std::optional<ValueView> ValueReader::next_unnamed() {
  if (!reader_) {
    if (count_ > 0) return std::nullopt;
    last_ = read_tarn();
  } else {
    value_ = Value();
    if (!reader_->next(value_.root())) return std::nullopt;
    last_ = value_.view();
  }
  ++count_;
  return last_;
}

// All of the input, and nothing behind the value: whatever that is, it would be lost.
ValueView ValueReader::read_tarn() {
  std::vector<std::byte> whole;
  std::optional<std::uint64_t> size;
  for (auto piece = source_.next(); !piece.empty(); piece = source_.next()) {
    whole.insert(whole.end(), piece.begin(), piece.end());
    size = size_in(whole);
    if (size && whole.size() > *size) {
      refuse(Error::corrupt,
             "something follows the value, which ends at byte " + std::to_string(*size),
             "keep one tarn value in a file; the other forms may hold many");
    }
  }
  if (whole.empty()) refuse(Error::corrupt, "there is nothing", "give it one tarn value");
  const std::uint64_t wanted = size.value_or(kHeaderBytes);
  if (whole.size() < wanted) {
    refuse(Error::corrupt,
           "it is cut off: " + format_count(whole.size()) + " bytes of " +
               (size ? "" : "at least ") + format_count(wanted),
           "get it once more from where it came from");
  }
  constexpr std::size_t kAlignment = 64;
  const std::size_t room = (whole.size() + kAlignment - 1) / kAlignment * kAlignment;
  bytes_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, room)));
  if (bytes_ == nullptr) throw std::bad_alloc();
  std::memcpy(bytes_.get(), whole.data(), whole.size());
  try {
    const ValueView value = value_in({bytes_.get(), whole.size()});
    value.check();
    return value;
  } catch (const Error& error) {
    if (error.code() != Error::corrupt) throw;
    refuse(Error::corrupt, "a part of it makes no sense", error.cure());
  }
}

}  // namespace tarn::tools
