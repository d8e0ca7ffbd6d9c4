// print.h - what printing on one line and over several have in common.
#pragma once

#include "ocport.h"

namespace OC {
namespace detail {

// In quotes, with escapes for what is not printable ASCII.
void print_text(ostream& out, const Str& text);

}  // namespace detail
}  // namespace OC
