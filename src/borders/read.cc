#include "borders/read.h"

#include <nlohmann/json.hpp>

#include "borders/receiver.h"

namespace tarn::borders {
namespace {

nlohmann::json::input_format_t library_format(Format format) noexcept {
  using Library = nlohmann::json::input_format_t;
  switch (format) {
    case Format::json:
      return Library::json;
    case Format::msgpack:
      return Library::msgpack;
    case Format::cbor:
      return Library::cbor;
  }
  return Library::json;
}

}  // namespace

bool Reader::next(ValueRef target) {
  const bool is_text = format_ == Format::json;
  tap_.expect(ByteTap::Head::none);
  tap_.end_item();
  if (is_text ? !tap_.skip_blanks() : tap_.at_end()) return false;
  const ItemPlace where{format_, ++count_, tap_.position()};
  Receiver receiver(target, tap_, options_, where);
  tap_.begin_item(options_.item_limit_bytes);
  tap_.expect(ByteTap::Head::value);
  try {
    // Not strictly: what follows is the next item.
    nlohmann::json::sax_parse(TapIterator(tap_), TapIterator(), &receiver, library_format(format_),
                              false);
  } catch (const Error& error) {
    if (error.attempted().starts_with("read ")) throw;
    // The value itself says so, without knowing where its parts came from. Of what is built here,
    // only the depth can be out of range.
    if (error.code() != Error::out_of_range) {
      refuse(where, error.code(), "cannot " + error.attempted() + ' ' + error.object(),
             error.cure());
    }
    refuse(where, Error::out_of_range, "it is nested deeper than 1000 levels", "make it flatter");
  }
  // A number ends where the input does, which may be where the tap has ended it.
  if (tap_.is_too_large()) refuse_too_large(where);
  if (is_text && receiver.ended_with_number()) tap_.unread_after_number();
  return true;
}

Value read_value(Format format, std::span<const std::byte> bytes, ReadOptions options) {
  BytesSource source(bytes);
  Reader reader(format, source, options);
  Value value;
  if (!reader.next(value.root())) {
    refuse({format, 1, 0}, Error::corrupt, "the input is empty", "give it one value");
  }
  const std::uint64_t end = reader.position();
  Value more;
  bool has_more = false;
  try {
    has_more = reader.next(more.root());
  } catch (const Error&) {
    has_more = true;
  }
  if (has_more) {
    refuse({format, 2, end}, Error::corrupt, "something follows the value", "give it one value");
  }
  return value;
}

Value read_value(Format format, std::string_view text, ReadOptions options) {
  return read_value(format, std::as_bytes(std::span(text.data(), text.size())), options);
}

}  // namespace tarn::borders
