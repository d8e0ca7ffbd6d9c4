// binary_emitter.cc - the heads of MessagePack's and CBOR's items, in their shortest form.
//
// The library that reads both can write neither tags nor keys that are no text, and wants all of a
// value as objects of its own first. An item's head is a dozen lines.

#include <algorithm>
#include <bit>
#include <limits>
#include <vector>

#include "borders/emit/emitter.h"
#include "borders/tagged.h"

namespace tarn::borders {
namespace {

// Big-endian, the lowest `size_bytes` bytes.
void put_big_endian(Sink& sink, std::uint64_t number, int size_bytes) {
  for (int i = size_bytes - 1; i >= 0; --i) sink.put(static_cast<char>(number >> (8 * i)));
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

class CborEmitter final : public Emitter {
 public:
  explicit CborEmitter(Sink& sink) : sink_(sink) {}

  void none() override { sink_.put('\xF6'); }
  void boolean(bool value) override { sink_.put(value ? '\xF5' : '\xF4'); }
  void integer(std::int64_t value) override {
    if (value >= 0) return head(0, static_cast<std::uint64_t>(value));
    head(1, ~static_cast<std::uint64_t>(value));
  }
  void unsigned_integer(std::uint64_t value) override { head(0, value); }
  void float32(float value) override {
    sink_.put('\xFA');
    put_big_endian(sink_, std::bit_cast<std::uint32_t>(value), 4);
  }
  void float64(double value) override {
    sink_.put('\xFB');
    put_big_endian(sink_, std::bit_cast<std::uint64_t>(value), 8);
  }
  void text(std::string_view value) override { put(3, bytes_of(value)); }
  bool bytes(std::span<const std::byte> value) override {
    put(2, value);
    return true;
  }
  // Tag 2: n; tag 3: -1 - n. Our copy decides: its maker may write on, and what was no zero be one.
  bool big_integer(const BigIntegerView& number) override {
    std::vector<std::byte> big_endian(number.magnitude.rbegin(), number.magnitude.rend());
    const auto is_zero = [](std::byte each) { return each == std::byte{0}; };
    const bool negative = number.negative && !std::ranges::all_of(big_endian, is_zero);
    if (negative) {
      auto byte = big_endian.rbegin();
      while (*byte == std::byte{0}) *byte++ = std::byte{0xFF};
      *byte = static_cast<std::byte>(std::to_integer<unsigned>(*byte) - 1);
    }
    head(6, negative ? 3 : 2);
    put(2, big_endian);
    return true;
  }
  bool typed_array(ElementType type, std::span<const std::byte> elements) override {
    const auto tag = tag_of_array(type);
    if (!tag) return false;
    head(6, *tag);
    put(2, elements);
    return true;
  }
  bool begin_shaped(ElementType type) override {
    if (!tag_of_array(type)) return false;
    head(6, 40);
    head(4, 2);
    return true;
  }
  bool takes_any_key() const override { return true; }

  void begin_list(std::uint64_t count, bool) override { head(4, count); }
  void end_list() override {}
  void begin_table(std::uint64_t count) override { head(5, count); }
  void end_table() override {}
  void key(std::string_view value) override { text(value); }

 private:
  void head(unsigned major, std::uint64_t argument) {
    const unsigned type = major << 5;
    if (argument < 24) {
      sink_.put(static_cast<char>(type | argument));
      return;
    }
    const int step = argument <= 0xFF ? 0 : argument <= 0xFFFF ? 1 : argument <= 0xFFFFFFFF ? 2 : 3;
    sink_.put(static_cast<char>(type | (24u + static_cast<unsigned>(step))));
    put_big_endian(sink_, argument, 1 << step);
  }
  void put(unsigned major, std::span<const std::byte> content) {
    head(major, content.size());
    sink_.put(content);
  }

  Sink& sink_;
};

class MsgpackEmitter final : public Emitter {
 public:
  explicit MsgpackEmitter(Sink& sink) : sink_(sink) {}

  void none() override { sink_.put('\xC0'); }
  void boolean(bool value) override { sink_.put(value ? '\xC3' : '\xC2'); }
  void integer(std::int64_t value) override {
    if (value >= 0) return unsigned_integer(static_cast<std::uint64_t>(value));
    const auto bits = static_cast<std::uint64_t>(value);
    if (value >= -32) {
      sink_.put(static_cast<char>(bits));
    } else if (value >= std::numeric_limits<std::int8_t>::min()) {
      put(0xD0, bits, 1);
    } else if (value >= std::numeric_limits<std::int16_t>::min()) {
      put(0xD1, bits, 2);
    } else if (value >= std::numeric_limits<std::int32_t>::min()) {
      put(0xD2, bits, 4);
    } else {
      put(0xD3, bits, 8);
    }
  }
  void unsigned_integer(std::uint64_t value) override {
    if (value < 128) {
      sink_.put(static_cast<char>(value));
    } else if (value <= 0xFF) {
      put(0xCC, value, 1);
    } else if (value <= 0xFFFF) {
      put(0xCD, value, 2);
    } else if (value <= 0xFFFFFFFF) {
      put(0xCE, value, 4);
    } else {
      put(0xCF, value, 8);
    }
  }
  void float32(float value) override { put(0xCA, std::bit_cast<std::uint32_t>(value), 4); }
  void float64(double value) override { put(0xCB, std::bit_cast<std::uint64_t>(value), 8); }
  void text(std::string_view value) override {
    const std::size_t size = value.size();
    if (size < 32) {
      sink_.put(static_cast<char>(0xA0 | size));
    } else if (size <= 0xFF) {
      put(0xD9, size, 1);
    } else {
      sized(0xDA, size, "text");
    }
    sink_.put(bytes_of(value));
  }
  bool bytes(std::span<const std::byte> value) override {
    if (value.size() <= 0xFF) {
      put(0xC4, value.size(), 1);
    } else {
      sized(0xC5, value.size(), "bytes");
    }
    sink_.put(value);
    return true;
  }
  bool extension(std::int8_t type, std::span<const std::byte> content) override {
    const std::size_t size = content.size();
    if (std::has_single_bit(size) && size <= 16) {
      sink_.put(static_cast<char>(0xD4 + std::countr_zero(size)));
    } else if (size <= 0xFF) {
      put(0xC7, size, 1);
    } else {
      sized(0xC8, size, "an extension");
    }
    sink_.put(static_cast<char>(type));
    sink_.put(content);
    return true;
  }
  bool takes_any_key() const override { return true; }

  void begin_list(std::uint64_t count, bool) override { container(0x90, 0xDC, count, "a list"); }
  void end_list() override {}
  void begin_table(std::uint64_t count) override { container(0x80, 0xDE, count, "a table"); }
  void end_table() override {}
  void key(std::string_view value) override { text(value); }

 private:
  void put(unsigned head, std::uint64_t argument, int size_bytes) {
    sink_.put(static_cast<char>(head));
    put_big_endian(sink_, argument, size_bytes);
  }
  // `head` for 16 bits, and the next one for 32; the format has no more.
  void sized(unsigned head, std::uint64_t size, const char* what) {
    if (size <= 0xFFFF) return put(head, size, 2);
    if (size > 0xFFFFFFFF) {
      throw Error(Error::too_large, "write MessagePack",
                  std::string(what) + " of " + std::to_string(size), "write CBOR, or a tarn value");
    }
    put(head + 1, size, 4);
  }
  void container(unsigned small, unsigned head, std::uint64_t count, const char* what) {
    if (count < 16) {
      sink_.put(static_cast<char>(small | count));
    } else {
      sized(head, count, what);
    }
  }

  Sink& sink_;
};

}  // namespace

std::unique_ptr<Emitter> msgpack_emitter(Sink& sink) {
  return std::make_unique<MsgpackEmitter>(sink);
}

std::unique_ptr<Emitter> cbor_emitter(Sink& sink) { return std::make_unique<CborEmitter>(sink); }

}  // namespace tarn::borders
