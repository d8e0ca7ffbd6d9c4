#include "borders/write.h"

#include <cmath>
#include <optional>
#include <vector>

#include "borders/base64.h"
#include "borders/element.h"
#include "borders/emit/emitter.h"
#include "borders/tagged.h"
#include "borders/whole_number.h"

namespace tarn::borders {
namespace {

constexpr int kMostLevels = 1000;
constexpr const char* kChanged = "its entries changed while they were written";

bool is_container(ValueType type) noexcept {
  return type == ValueType::table || type == ValueType::list || type == ValueType::tuple ||
         type == ValueType::array;
}

// Goes through a value. It comes perhaps from another process, which perhaps still writes: so there
// is a depth, and a budget of as many parts and bytes as the whole can have, beyond which parts
// were shared or circular.
class Walk {
 public:
  Walk(Emitter& emitter, WriteOptions options, std::size_t bytes_in_all)
      : emitter_(emitter),
        options_(options),
        parts_left_(bytes_in_all / 16 + 1),
        bytes_left_(bytes_in_all) {}

  void write(const ValueView& value);

 private:
  void write_scalar(const ValueView& value);
  void write_float(double value);
  void write_float(float value);
  void write_bytes(std::span<const std::byte> bytes);
  void write_big_integer(const BigIntegerView& number);
  void write_complex(const ValueView& value);
  void write_table(const ValueView& table);
  void write_pairs(const ValueView& table, std::string_view tag);
  void write_key(const ValueView& key);
  bool write_extension(const ValueView& table);
  void write_list(const ValueView& list);
  void write_array(const ValueView& array);
  void write_plain_array(ElementType type, std::span<const std::size_t> shape,
                         std::span<const std::byte> elements);
  void write_shape(std::span<const std::size_t> shape);
  bool has_plain_keys(const ValueView& table) const;
  bool is_flat(const ValueView& list) const;
  void charge(std::uint64_t bytes);
  [[noreturn]] static void spoilt(const char* how);
  template <class Write>
  void tagged(std::string_view tag, Write&& write) {
    emitter_.begin_table(1);
    emitter_.key(tag);
    write();
    emitter_.end_table();
  }
  // What visit_number() hands over.
  void number(bool value) { emitter_.boolean(value); }
  template <std::signed_integral T>
  void number(T value) {
    emitter_.integer(value);
  }
  template <std::unsigned_integral T>
  void number(T value) {
    emitter_.unsigned_integer(value);
  }
  void number(float value) { write_float(value); }
  void number(double value) { write_float(value); }

  Emitter& emitter_;
  WriteOptions options_;
  std::uint64_t parts_left_;
  std::uint64_t bytes_left_;
  int depth_ = 0;
};

void Walk::charge(std::uint64_t bytes) {
  if (parts_left_ == 0 || bytes > bytes_left_) spoilt("parts of it are used more than once");
  --parts_left_;
  bytes_left_ -= bytes;
}

void Walk::spoilt(const char* how) {
  throw Error(Error::corrupt, "write a value", how, "mend the program that made it");
}

void Walk::write(const ValueView& value) {
  if (!is_container(value.type())) return write_scalar(value);
  if (depth_ == kMostLevels) spoilt("it is nested deeper than 1000 levels");
  ++depth_;
  switch (value.type()) {
    case ValueType::table:
      write_table(value);
      break;
    case ValueType::list:
      write_list(value);
      break;
    case ValueType::tuple:
      if (options_.lossless) {
        tagged(kTupleTag, [&] { write_list(value); });
      } else {
        write_list(value);
      }
      break;
    default:
      write_array(value);
  }
  --depth_;
}

// --- scalars ------------------------------------------------------------------------------------

void Walk::write_scalar(const ValueView& value) {
  switch (value.type()) {
    case ValueType::none:
      charge(0);
      return emitter_.none();
    case ValueType::boolean:
      charge(0);
      return emitter_.boolean(value.as<bool>());
    case ValueType::int8:
    case ValueType::int16:
    case ValueType::int32:
    case ValueType::int64:
      charge(0);
      return emitter_.integer(value.as<std::int64_t>());
    case ValueType::uint8:
    case ValueType::uint16:
    case ValueType::uint32:
    case ValueType::uint64:
      charge(0);
      return emitter_.unsigned_integer(value.as<std::uint64_t>());
    case ValueType::float32:
      charge(0);
      return write_float(value.rounded<float>());
    case ValueType::float64:
      charge(0);
      return write_float(value.rounded<double>());
    case ValueType::complex:
      charge(0);
      return write_complex(value);
    case ValueType::big_integer:
      return write_big_integer(value.big_integer());
    case ValueType::text:
      charge(value.size());
      return emitter_.text(value.text());
    case ValueType::bytes:
      return write_bytes(value.bytes());
    case ValueType::reference:
      throw Error(Error::wrong_type, "write a value", "a reference to a message or blob",
                  "it means nothing outside its node: put in what it refers to");
    default:
      throw Error(Error::wrong_type, "write a value", "a part of unknown type",
                  "a newer tarn wrote it: use that one");
  }
}

void Walk::write_float(double value) {
  if (std::isfinite(value) || emitter_.takes_any_float()) return emitter_.float64(value);
  const std::string_view name = std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  tagged(kFloatTag, [&] { emitter_.text(name); });
}

void Walk::write_float(float value) {
  if (!std::isfinite(value)) return write_float(static_cast<double>(value));
  emitter_.float32(value);
}

void Walk::write_bytes(std::span<const std::byte> bytes) {
  charge(bytes.size());
  if (!emitter_.bytes(bytes)) tagged(kBytesTag, [&] { emitter_.text(to_base64(bytes)); });
}

void Walk::write_big_integer(const BigIntegerView& number) {
  charge(number.magnitude.size());
  if (!emitter_.big_integer(number)) tagged(kIntegerTag, [&] { emitter_.text(text_of(number)); });
}

void Walk::write_complex(const ValueView& value) {
  const AnyComplex parts = value.any_complex();
  tagged(kComplexTag, [&] {
    emitter_.begin_list(2, true);
    for (const std::uint64_t& part : {parts.real, parts.imaginary}) {
      visit_number(parts.part, reinterpret_cast<const std::byte*>(&part),
                   [&](auto each) { number(each); });
    }
    emitter_.end_list();
  });
}

// --- tables -------------------------------------------------------------------------------------

// Whether the format has such keys, and nobody would take the table for a tagged one.
bool Walk::has_plain_keys(const ValueView& table) const {
  bool is_first = true;
  for (const auto [key, value] : table.entries()) {
    const bool is_text = key.type() == ValueType::text;
    const bool is_other = key.type() == ValueType::bytes || key.type() == ValueType::int64 ||
                          key.type() == ValueType::uint64;
    if (!is_text && !(is_other && emitter_.takes_any_key())) return false;
    if (is_first && is_text && is_tag(key.text())) return false;
    is_first = false;
  }
  return true;
}

void Walk::write_table(const ValueView& table) {
  if (options_.lossless && table.order_matters()) return write_pairs(table, kOrderedTag);
  if (!has_plain_keys(table)) return write_pairs(table, kTableTag);
  if (write_extension(table)) return;
  charge(0);
  std::uint64_t left = table.size();
  emitter_.begin_table(left);
  for (const auto [key, value] : table.entries()) {
    if (left-- == 0) break;
    write_key(key);
    write(value);
  }
  if (left != 0) spoilt(kChanged);
  emitter_.end_table();
}

void Walk::write_key(const ValueView& key) {
  if (key.type() != ValueType::text) return write_scalar(key);
  charge(key.size());
  emitter_.key(key.text());
}

void Walk::write_pairs(const ValueView& table, std::string_view tag) {
  charge(0);
  tagged(tag, [&] {
    std::uint64_t left = table.size();
    emitter_.begin_list(left, left == 0);
    for (const auto [key, value] : table.entries()) {
      if (left-- == 0) break;
      emitter_.begin_list(2, !is_container(value.type()));
      write_scalar(key);
      write(value);
      emitter_.end_list();
    }
    if (left != 0) spoilt(kChanged);
    emitter_.end_list();
  });
}

// {"$ext": type, "data": bytes}, as extensions are read.
bool Walk::write_extension(const ValueView& table) {
  if (table.size() != 2) return false;
  const auto type = table.find("$ext");
  const auto content = table.find("data");
  if (!type || !content || content->type() != ValueType::bytes) return false;
  const auto number = type->try_as<signed char>();
  if (!number || !emitter_.extension(*number, content->bytes())) return false;
  charge(content->size());
  return true;
}

// --- lists and arrays ---------------------------------------------------------------------------

bool Walk::is_flat(const ValueView& list) const {
  if (!options_.pretty) return true;
  for (const ValueView element : list.elements()) {
    if (is_container(element.type())) return false;
  }
  return true;
}

void Walk::write_list(const ValueView& list) {
  charge(0);
  const ElementRange elements = list.elements();
  emitter_.begin_list(elements.size(), is_flat(list));
  for (const ValueView element : elements) write(element);
  emitter_.end_list();
}

void Walk::write_shape(std::span<const std::size_t> shape) {
  emitter_.begin_list(shape.size(), true);
  for (const std::size_t extent : shape) emitter_.unsigned_integer(extent);
  emitter_.end_list();
}

void Walk::write_array(const ValueView& array) {
  const auto [type, shape, elements] = array.any_array();
  charge(elements.size());
  if (!options_.lossless) return write_plain_array(type, shape, elements);
  if (shape.size() == 1 && emitter_.typed_array(type, elements)) return;
  if (shape.size() > 1 && emitter_.begin_shaped(type)) {
    write_shape(shape);
    emitter_.typed_array(type, elements);
    return;
  }
  emitter_.begin_table(3);
  emitter_.key(kArrayTag);
  emitter_.text(name_of(type));
  emitter_.key("shape");
  write_shape(shape);
  emitter_.key("data");
  if (!emitter_.bytes(elements)) emitter_.text(to_base64(elements));
  emitter_.end_table();
}

// Lists of lists of numbers.
void Walk::write_plain_array(ElementType type, std::span<const std::size_t> shape,
                             std::span<const std::byte> elements) {
  const std::size_t count = shape.front();
  const std::size_t step = count == 0 ? 0 : elements.size() / count;
  const auto inner = shape.subspan(1);
  // Without elements the extents of inner dimensions cost nothing to say, and much to write out.
  const std::size_t written = elements.empty() ? 0 : count;
  emitter_.begin_list(written, inner.empty() && !type.is_complex);
  for (std::size_t i = 0; i < written; ++i) {
    const auto part = elements.subspan(i * step, step);
    if (!inner.empty()) {
      write_plain_array(type, inner, part);
    } else if (!type.is_complex) {
      visit_number(type.number, part.data(), [&](auto each) { number(each); });
    } else {
      tagged(kComplexTag, [&] {
        emitter_.begin_list(2, true);
        for (const auto half : {part.first(step / 2), part.last(step / 2)}) {
          visit_number(type.number, half.data(), [&](auto each) { number(each); });
        }
        emitter_.end_list();
      });
    }
  }
  emitter_.end_list();
}

std::unique_ptr<Emitter> emitter_for(Format format, WriteOptions options, Sink& sink) {
  switch (format) {
    case Format::json:
      return json_emitter(sink, options);
    case Format::msgpack:
      return msgpack_emitter(sink);
    case Format::cbor:
      return cbor_emitter(sink);
  }
  return json_emitter(sink, options);
}

}  // namespace

void write_value(const ValueView& value, Format format, WriteOptions options, Sink& sink) {
  value.check();
  const auto emitter = emitter_for(format, options, sink);
  Walk(*emitter, options, value.bytes_in_all()).write(value);
}

std::string to_text(const ValueView& value, Format format, WriteOptions options) {
  std::string text;
  Sink sink([&text](std::span<const std::byte> bytes) {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  write_value(value, format, options, sink);
  sink.flush();
  return text;
}

}  // namespace tarn::borders
