// message_source.h - received messages, and the places in them that containers stand in.
//
// Only this and what includes it speak tarn's C++20; nothing of it is seen by users.
#pragma once

#include <array>
#include <bit>

#include "message/reception.h"

namespace OC {
namespace detail {

// Whether both look at the same place of the same bytes.
inline bool is_same_place(const tarn::ValueView& a, const tarn::ValueView& b) noexcept {
  static_assert(std::is_trivially_copyable_v<tarn::ValueView> &&
                sizeof(tarn::ValueView) == 3 * sizeof(std::uint64_t));
  using Bits = std::array<std::uint64_t, 3>;
  return std::bit_cast<Bits>(a) == std::bit_cast<Bits>(b);
}

// The Val that a received message is: numbers and text by themselves, containers as a Proxy that
// reads in the message. A message that is no value is text. Throws runtime_error for one that
// makes no sense.
Val received(tarn::Message&& message);
// The Val that stands there. Throws tarn::Error, runtime_error.
Val decoded(Hold* hold, const tarn::ValueView& view);
// The Val that a scalar of a message is. Throws tarn::Error, runtime_error.
Val decoded_scalar(const tarn::ValueView& view, bool is_key);

// An array of several dimensions comes as a list of lists of rows, whose sources are the array.
// Such a one that is still as it came; the view is the array's.
bool is_whole_array(const Array<Val>& list, const tarn::ValueView& view);

// Writes a Val. Throws tarn::Error, logic_error for what cannot be handed over.
void encode(const Val& value, tarn::ValueRef place);
// About how many bytes it needs; a guess that saves growing.
std::size_t expected_bytes(const Val& value);

// The message that this is all of, and still as it was received; nullptr otherwise.
const tarn::Message* unchanged_message(const Val& value);

// How arrays of each element type are called on either side; 0 and nothing for what the other side
// does not have.
char tag_of(tarn::ElementType type) noexcept;
tarn::ElementType element_type_of(char tag) noexcept;

// What came as bytes, or as a reference that only stands for something else, is text to a program
// of PicklingTools'. Its subtype says what it was, so that it goes on as that.
inline constexpr char kBytes = 'y';
inline constexpr char kReference = 'r';
Str text_of_reference(const tarn::ReferenceView& reference);
tarn::ReferenceView reference_in(const Str& text);

// What cannot be said in tarn's types is a tuple that begins with one of these, as bytes. Text that
// is UTF-8 never becomes bytes, so that no Tup of a user's is taken for one.
inline constexpr std::string_view kPairs = "picklingtools:pairs";        // is an OTab, [k, v, ...]
inline constexpr std::string_view kUnsigned = "picklingtools:unsigned";  // a big integer
inline constexpr std::string_view kComplex = "picklingtools:complex";    // real, imaginary

}  // namespace detail
}  // namespace OC
