// elements.cc - the types of arrays' elements, here and there.
#include "message/message_source.h"

namespace OC {
namespace detail {
namespace {

struct Pair {
  char tag;
  tarn::ElementType element;
};

using tarn::ValueType;
constexpr Pair kPairsOfTypes[] = {
    {'s', {ValueType::int8, false}},    {'S', {ValueType::uint8, false}},
    {'i', {ValueType::int16, false}},   {'I', {ValueType::uint16, false}},
    {'l', {ValueType::int32, false}},   {'L', {ValueType::uint32, false}},
    {'x', {ValueType::int64, false}},   {'X', {ValueType::uint64, false}},
    {'b', {ValueType::boolean, false}}, {'f', {ValueType::float32, false}},
    {'d', {ValueType::float64, false}}, {'c', {ValueType::int8, true}},
    {'C', {ValueType::uint8, true}},    {'e', {ValueType::int16, true}},
    {'E', {ValueType::uint16, true}},   {'g', {ValueType::int32, true}},
    {'G', {ValueType::uint32, true}},   {'h', {ValueType::int64, true}},
    {'H', {ValueType::uint64, true}},   {'F', {ValueType::float32, true}},
    {'D', {ValueType::float64, true}},
};

}  // namespace

char tag_of(tarn::ElementType type) noexcept {
  for (const Pair& each : kPairsOfTypes) {
    if (each.element == type) return each.tag;
  }
  return 0;
}

tarn::ElementType element_type_of(char tag) noexcept {
  for (const Pair& each : kPairsOfTypes) {
    if (each.tag == tag) return each.element;
  }
  return {};
}

Str text_of_reference(const tarn::ReferenceView& reference) {
  std::ostringstream out;
  out << "reference " << std::hex << reference.kind;
  for (const std::uint64_t word : reference.words) out << ' ' << word;
  return out.str();
}

tarn::ReferenceView reference_in(const Str& text) {
  std::istringstream in(text);
  Str word;
  tarn::ReferenceView reference;
  in >> word >> std::hex >> reference.kind;
  for (std::uint64_t& each : reference.words) in >> each;
  return reference;
}

}  // namespace detail
}  // namespace OC
