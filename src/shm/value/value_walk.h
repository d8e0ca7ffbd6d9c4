// value_walk.h - going through whole values that may have come from elsewhere: bounded in depth and
// in work, whatever they hold.
#pragma once

#include "base/result.h"
#include "shm/value/value_reader.h"

namespace tarn {

// Whether everything below `cell` makes sense: each link, count, key and text, and that there is no
// more of it than the buffer can hold. corrupt: something does not.
Status check_value(const ValueReader& reader, const layout::Cell& cell) noexcept;

// Whether both are the same: numbers by what they are worth, tables whatever their order unless
// both say that it matters, arrays by type, shape and elements. corrupt: one makes no sense.
Result<bool> equal(const ValueReader& left, const layout::Cell& a, const ValueReader& right,
                   const layout::Cell& b) noexcept;

}  // namespace tarn
