// emitter.h - what a format can say by itself; the walk over the value (write.cc) does the rest.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "borders/source.h"
#include "borders/write.h"
#include "tarn/value_view.h"

namespace tarn::borders {

class Emitter {
 public:
  virtual ~Emitter() = default;

  virtual void none() = 0;
  virtual void boolean(bool value) = 0;
  virtual void integer(std::int64_t value) = 0;
  virtual void unsigned_integer(std::uint64_t value) = 0;
  virtual void float32(float value) = 0;
  virtual void float64(double value) = 0;
  virtual void text(std::string_view value) = 0;

  // `flat`: it has no containers in it.
  virtual void begin_list(std::uint64_t count, bool flat) = 0;
  virtual void end_list() = 0;
  virtual void begin_table(std::uint64_t count) = 0;
  virtual void end_table() = 0;
  // A key, which is text; its value follows.
  virtual void key(std::string_view text) = 0;

  // False: the format has no such thing, and nothing was written.
  virtual bool bytes(std::span<const std::byte>) { return false; }
  virtual bool big_integer(const BigIntegerView&) { return false; }
  // One-dimensional, little-endian.
  virtual bool typed_array(ElementType, std::span<const std::byte>) { return false; }
  // Announces a list of two: the shape, and the elements in one dimension.
  virtual bool begin_shaped(ElementType) { return false; }
  // An extension of MessagePack.
  virtual bool extension(std::int8_t, std::span<const std::byte>) { return false; }
  // Whether keys may be whole numbers and bytes.
  virtual bool takes_any_key() const { return false; }
  // Whether floating-point numbers may be infinite, or none.
  virtual bool takes_any_float() const { return true; }
};

std::unique_ptr<Emitter> json_emitter(Sink& sink, WriteOptions options);
std::unique_ptr<Emitter> msgpack_emitter(Sink& sink);
std::unique_ptr<Emitter> cbor_emitter(Sink& sink);

}  // namespace tarn::borders
